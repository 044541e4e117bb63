package states

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// intrinsic evaluates an intrinsic function: States.Name(arguments).
func (v *visit) intrinsic(text string, value any) (any, *Failure) {
	p := call{visit: v, rest: text, value: value}
	out, err := p.expression()
	if err == nil && p.rest != "" {
		err = fmt.Errorf("%q is left over", p.rest)
	}
	if err != nil {
		return nil, failed("States.IntrinsicFailure", "%s: %v", text, err)
	}
	return out, nil
}

// call parses and evaluates at the same time.
type call struct {
	*visit
	rest  string
	value any
}

func (c *call) skip() { c.rest = strings.TrimLeft(c.rest, " ") }

// expression reads a text in quotes, a number, a word, a path or a function.
func (c *call) expression() (any, error) {
	c.skip()
	switch {
	case c.rest == "":
		return nil, fmt.Errorf("an argument is missing")
	case c.rest[0] == '\'':
		var b strings.Builder
		for i := 1; i < len(c.rest); i++ {
			switch ch := c.rest[i]; {
			case ch == '\\' && i+1 < len(c.rest):
				i++
				if c.rest[i] != '\'' && c.rest[i] != '\\' {
					b.WriteByte('\\')
				}
				b.WriteByte(c.rest[i])
			case ch == '\'':
				c.rest = c.rest[i+1:]
				return b.String(), nil
			default:
				b.WriteByte(ch)
			}
		}
		return nil, fmt.Errorf("a quote is not closed")
	case c.rest[0] == '$':
		end := strings.IndexAny(c.rest, ",) ")
		if end < 0 {
			end = len(c.rest)
		}
		text := c.rest[:end]
		c.rest = c.rest[end:]
		found, failure := c.visit.expression(text, c.value)
		if failure != nil {
			return nil, fmt.Errorf("%s", failure.Cause)
		}
		return found, nil
	case strings.HasPrefix(c.rest, "States."):
		name, rest, ok := strings.Cut(c.rest, "(")
		if !ok {
			return nil, fmt.Errorf("%s has no arguments", name)
		}
		c.rest = rest
		args, err := c.arguments()
		if err != nil {
			return nil, err
		}
		return apply(strings.TrimPrefix(name, "States."), args)
	}
	end := strings.IndexAny(c.rest, ",) ")
	if end < 0 {
		end = len(c.rest)
	}
	found, err := decode([]byte(c.rest[:end]))
	c.rest = c.rest[end:]
	return found, err
}

func (c *call) arguments() ([]any, error) {
	var args []any
	c.skip()
	if rest, ok := strings.CutPrefix(c.rest, ")"); ok {
		c.rest = rest
		return nil, nil
	}
	for {
		a, err := c.expression()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
		c.skip()
		switch {
		case strings.HasPrefix(c.rest, ","):
			c.rest = c.rest[1:]
		case strings.HasPrefix(c.rest, ")"):
			c.rest = c.rest[1:]
			return args, nil
		default:
			return nil, fmt.Errorf("a bracket is not closed")
		}
	}
}

// maxRange bounds the lists that States.ArrayRange makes (developer guide,
// "Intrinsic functions").
const maxRange = 1000

// apply evaluates a function.
func apply(name string, args []any) (any, error) {
	whole := make([]int, len(args)) // arguments that are whole numbers
	for i, a := range args {
		if n, ok := a.(json.Number); ok {
			whole[i], _ = strconv.Atoi(n.String())
		}
	}
	wants := map[string]int{"ArrayRange": 3, "ArrayLength": 1, "ArrayGetItem": 2, "StringToJson": 1, "JsonToString": 1, "MathAdd": 2}
	if n, ok := wants[name]; ok && len(args) != n {
		return nil, fmt.Errorf("%d arguments of States.%s, which takes %d", len(args), name, n)
	}
	switch name {
	case "Array":
		return append([]any{}, args...), nil
	case "ArrayRange":
		from, to, by := whole[0], whole[1], whole[2]
		if by == 0 || (to-from)/by >= maxRange {
			return nil, fmt.Errorf("a range has at most %d items, by a step that is not 0", maxRange)
		}
		list := []any{}
		for n := from; by > 0 && n <= to || by < 0 && n >= to; n += by {
			list = append(list, json.Number(strconv.Itoa(n)))
		}
		return list, nil
	case "ArrayLength", "ArrayGetItem":
		list, ok := args[0].([]any)
		if !ok {
			return nil, fmt.Errorf("the first argument of States.%s is no list", name)
		}
		if name == "ArrayLength" {
			return json.Number(strconv.Itoa(len(list))), nil
		}
		if whole[1] < 0 || whole[1] >= len(list) {
			return nil, fmt.Errorf("there is no item %d", whole[1])
		}
		return list[whole[1]], nil
	case "StringToJson":
		text, _ := args[0].(string)
		return decode([]byte(text))
	case "JsonToString":
		return encode(args[0]), nil
	case "MathAdd":
		return json.Number(strconv.Itoa(whole[0] + whole[1])), nil
	case "Format":
		return format(args)
	}
	return nil, fmt.Errorf("the emulator does not know States.%s", name)
}

// format replaces every {} of a text by the next argument.
func format(args []any) (any, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("a format takes a text")
	}
	text, ok := args[0].(string)
	if parts := strings.Split(text, "{}"); ok && len(parts) == len(args) {
		var b strings.Builder
		for i, part := range parts {
			b.WriteString(part)
			if i+1 < len(parts) {
				if s, ok := args[i+1].(string); ok {
					b.WriteString(s)
				} else {
					b.WriteString(encode(args[i+1]))
				}
			}
		}
		return b.String(), nil
	}
	return nil, fmt.Errorf("a format takes a text and an argument for every {} in it")
}
