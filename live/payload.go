package live

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Template is a payload with places for what differs between invocations. A
// place is ${NAME} within a text; a text that is nothing but a place becomes
// the value itself, a number or whatever it is. These are known:
//
//	${instance}           the number of the instance in its stage, from 0
//	${parallelism}        instances of the stage
//	${memory_mb}          memory of every instance
//	${stage}              name of the stage
//	${execution}          name of this run of the workflow, unique
//	${parallelism.STAGE}  instances of another stage
//	${outputs.STAGE}      answers of all instances of a stage that comes before, as a list
//
// A Template is immutable.
type Template struct {
	root   any      // as encoding/json decodes it
	places []string // in the order of the text, each once
}

// place is what a template can hold.
var place = regexp.MustCompile(`\$\{([a-z_]+(?:\.[^{}]+)?)\}`)

// ParseTemplate reads a payload as JSON. Without text it is an empty object.
func ParseTemplate(text []byte) (Template, error) {
	t := Template{root: map[string]any{}}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &t.root); err != nil {
			return Template{}, fmt.Errorf("is not JSON: %w", err)
		}
	}
	var err error
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range sortedKeys(v) {
				walk(v[key])
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		case string:
			for _, m := range place.FindAllStringSubmatch(v, -1) {
				if e := checkPlace(m[1]); e != nil && err == nil {
					err = e
				}
				if !slices.Contains(t.places, m[1]) {
					t.places = append(t.places, m[1])
				}
			}
		}
	}
	walk(t.root)
	return t, err
}

func checkPlace(name string) error {
	kind, of, dotted := strings.Cut(name, ".")
	switch {
	case !dotted && slices.Contains([]string{"instance", "parallelism", "memory_mb", "stage", "execution"}, kind):
		return nil
	case dotted && of != "" && (kind == "parallelism" || kind == "outputs"):
		return nil
	}
	return fmt.Errorf("${%s} is no place that is known; there are ${instance}, ${parallelism}, ${memory_mb}, ${stage}, ${execution}, ${parallelism.STAGE} and ${outputs.STAGE}", name)
}

// stages returns the other stages that the template asks for, by kind of place.
func (t Template) stages(kind string) []string {
	var of []string
	for _, p := range t.places {
		if name, ok := strings.CutPrefix(p, kind+"."); ok {
			of = append(of, name)
		}
	}
	return of
}

// Fill returns the payload with the values of its places.
func (t Template) Fill(value func(place string) any) ([]byte, error) {
	var fill func(v any) any
	fill = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			out := make(map[string]any, len(v))
			for key, x := range v {
				out[key] = fill(x)
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i, x := range v {
				out[i] = fill(x)
			}
			return out
		case string:
			if m := place.FindStringSubmatch(v); m != nil && m[0] == v {
				return value(m[1])
			}
			return place.ReplaceAllStringFunc(v, func(s string) string {
				return fmt.Sprint(value(s[len("${") : len(s)-len("}")]))
			})
		}
		return v
	}
	text, err := json.Marshal(fill(t.root))
	if err != nil {
		return nil, fmt.Errorf("live: a payload cannot be written: %w", err)
	}
	return text, nil
}
