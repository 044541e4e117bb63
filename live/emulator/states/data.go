package states

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// decode reads a JSON value, its numbers as they were written.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

// encode writes a value as JSON.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // it came from JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func jsonInt(n int) string { return strconv.Itoa(n) }

// number returns a value that is a number.
func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	x, err := n.Float64()
	return x, err == nil
}

// clone copies a value.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for key, x := range v {
			c[key] = clone(x)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, x := range v {
			c[i] = clone(x)
		}
		return c
	}
	return v
}

func orRoot(path string) string {
	if path == "" {
		return "$"
	}
	return path
}

// pathOf applies InputPath or OutputPath: null makes an empty object.
func (v *visit) pathOf(p optionalPath, value any) (any, *Failure) {
	switch {
	case p.null:
		return map[string]any{}, nil
	case p.text == "" || p.text == "$":
		return value, nil
	}
	return v.expression(p.text, value)
}

// expression evaluates a path or an intrinsic function.
func (v *visit) expression(text string, value any) (any, *Failure) {
	if strings.HasPrefix(text, "States.") {
		return v.intrinsic(text, value)
	}
	if rest, ok := strings.CutPrefix(text, "$$"); ok {
		text, value = "$"+rest, v.contextObject()
	}
	p, err := parsePath(text)
	if err != nil {
		return nil, failed("States.Runtime", "%v", err)
	}
	found, ok := p.find(value)
	if !ok {
		return nil, failed("States.Runtime", "An error occurred while executing the state '%s'. The JSONPath '%s' could not be found in the input '%s'", v.state.Name, text, encode(value))
	}
	return clone(found), nil
}

// template fills in a payload template: members whose name ends in .$ are
// expressions.
func (v *visit) template(text json.RawMessage, value any) (any, *Failure) {
	t, err := decode(text)
	if err != nil {
		return nil, failed("States.Runtime", "%v", err)
	}
	return v.fill(t, value)
}

func (v *visit) fill(t, value any) (any, *Failure) {
	switch t := t.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for key, x := range t {
			name, dynamic := strings.CutSuffix(key, ".$")
			var filled any
			var failure *Failure
			if text, ok := x.(string); dynamic && ok {
				filled, failure = v.expression(text, value)
			} else if dynamic {
				failure = failed("States.Runtime", "the value of %q must be a path or an intrinsic function", key)
			} else {
				filled, failure = v.fill(x, value)
			}
			if failure != nil {
				if dynamic {
					failure.Error = "States.ParameterPathFailure"
				}
				return nil, failure
			}
			out[name] = filled
		}
		return out, nil
	case []any:
		out := make([]any, len(t))
		for i, x := range t {
			filled, failure := v.fill(x, value)
			if failure != nil {
				return nil, failure
			}
			out[i] = filled
		}
		return out, nil
	}
	return t, nil
}

// place puts a result into the input of the state, as ResultPath says: null
// keeps the input alone.
func (v *visit) place(p optionalPath, result any) (any, *Failure) {
	switch {
	case p.null:
		return v.raw, nil
	case p.text == "" || p.text == "$":
		return result, nil
	}
	path, err := parsePath(p.text)
	if err == nil {
		var out any
		if out, err = path.put(clone(v.raw), result); err == nil {
			return out, nil
		}
	}
	return nil, failed("States.ResultPathMatchFailure", "Unable to apply ReferencePath %s to input %s: %v", p.text, encode(v.raw), err)
}
