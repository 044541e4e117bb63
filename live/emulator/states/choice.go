package states

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"eevee/models/asl"
)

// rule is one rule of a Choice: And, Or, Not, or a variable and a comparison.
type rule struct {
	And, Or  []rule
	Not      *rule
	Variable string
	compare  string // as NumericEquals
	with     any
}

// UnmarshalJSON reads a rule, whose comparison is the name of a member.
func (r *rule) UnmarshalJSON(data []byte) error {
	type plain struct {
		And, Or  []rule
		Not      *rule
		Variable string
	}
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	*r = rule{And: p.And, Or: p.Or, Not: p.Not, Variable: p.Variable}
	v, err := decode(data)
	if err != nil {
		return err
	}
	members, _ := v.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains([]string{"And", "Or", "Not", "Variable", "Next", "Comment"}, name) {
			if r.compare != "" {
				return fmt.Errorf("a rule with both %s and %s", r.compare, name)
			}
			r.compare, r.with = name, members[name]
		}
	}
	return nil
}

// kinds of values that can be compared by order.
var orders = []string{"Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"}

// check refuses rules that are not known.
func (r rule) check() error {
	for _, inner := range append(slices.Clone(r.And), r.Or...) {
		if err := inner.check(); err != nil {
			return err
		}
	}
	if r.Not != nil {
		return r.Not.check()
	}
	if len(r.And)+len(r.Or) > 0 {
		return nil
	}
	known := []string{"IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp", "StringMatches", "BooleanEquals", "BooleanEqualsPath"}
	for _, kind := range []string{"String", "Numeric", "Timestamp"} {
		for _, order := range orders {
			known = append(known, kind+order, kind+order+"Path")
		}
	}
	if !slices.Contains(known, r.compare) {
		return fmt.Errorf("%q is no comparison of a Choice", r.compare)
	}
	_, err := parsePath(r.Variable)
	return err
}

// choose returns the state after a Choice.
func (v *visit) choose(input any) (*asl.State, *Failure) {
	for i, r := range v.Choices {
		holds, failure := v.holds(r, input)
		if failure != nil {
			return nil, failure
		}
		if holds {
			return v.Ways[i].To, nil
		}
	}
	if n := len(v.Ways); n > 0 && v.Ways[n-1].Default {
		return v.Ways[n-1].To, nil
	}
	return nil, failed("States.NoChoiceMatched", "No choice rule matched and there is no default state")
}

// holds evaluates a rule.
func (v *visit) holds(r rule, input any) (bool, *Failure) {
	switch {
	case len(r.And) > 0 || len(r.Or) > 0:
		any := len(r.Or) > 0
		for _, inner := range append(slices.Clone(r.And), r.Or...) {
			if ok, failure := v.holds(inner, input); failure != nil || ok == any {
				return ok, failure
			}
		}
		return !any, nil
	case r.Not != nil:
		ok, failure := v.holds(*r.Not, input)
		return !ok, failure
	}
	value, failure := v.expression(r.Variable, input)
	if r.compare == "IsPresent" {
		return (failure == nil) == (r.with == true), nil
	}
	if failure != nil {
		return false, failure
	}
	if is, ok := strings.CutPrefix(r.compare, "Is"); ok {
		return isKind(is, value) == (r.with == true), nil
	}
	with := r.with
	compare, byPath := strings.CutSuffix(r.compare, "Path")
	if byPath {
		text, _ := r.with.(string)
		if with, failure = v.expression(text, input); failure != nil {
			return false, failure
		}
	}
	return compares(compare, value, with), nil
}

// isKind reports whether a value is of a kind.
func isKind(kind string, v any) bool {
	switch kind {
	case "Null":
		return v == nil
	case "Numeric":
		_, ok := number(v)
		return ok
	case "String":
		_, ok := v.(string)
		return ok
	case "Boolean":
		_, ok := v.(bool)
		return ok
	default: // Timestamp
		text, _ := v.(string)
		_, err := time.Parse(time.RFC3339, text)
		return err == nil
	}
}

// compares reports whether a comparison holds. Values of other kinds than it
// compares make it false.
func compares(how string, a, b any) bool {
	switch {
	case how == "BooleanEquals":
		x, ok := a.(bool)
		y, also := b.(bool)
		return ok && also && x == y
	case how == "StringMatches":
		x, ok := a.(string)
		y, also := b.(string)
		return ok && also && matches(y, x)
	}
	if order, ok := strings.CutPrefix(how, "String"); ok {
		x, ok := a.(string)
		y, also := b.(string)
		return ok && also && inOrder(order, cmp.Compare(x, y))
	}
	if order, ok := strings.CutPrefix(how, "Numeric"); ok {
		x, ok := number(a)
		y, also := number(b)
		return ok && also && inOrder(order, cmp.Compare(x, y))
	}
	order, _ := strings.CutPrefix(how, "Timestamp")
	s, _ := a.(string)
	t, _ := b.(string)
	x, err := time.Parse(time.RFC3339, s)
	y, err2 := time.Parse(time.RFC3339, t)
	return err == nil && err2 == nil && inOrder(order, x.Compare(y))
}

// matches reports whether a text is what a pattern stands for, in which a star
// is any text and a backslash takes the meaning from what follows it.
func matches(pattern, text string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			for i := 0; i <= len(text); i++ {
				if matches(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case pattern[0] == '\\' && len(pattern) > 1:
			pattern = pattern[1:]
		}
		if text == "" || text[0] != pattern[0] {
			return false
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}

func inOrder(order string, c int) bool {
	switch order {
	case "Equals":
		return c == 0
	case "LessThan":
		return c < 0
	case "GreaterThan":
		return c > 0
	case "LessThanEquals":
		return c <= 0
	default:
		return c >= 0
	}
}
