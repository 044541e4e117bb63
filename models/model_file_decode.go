package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decodeExact decodes JSON into the struct that v points to and accepts
// nothing but its form: a field that is unknown, missing, there twice or of
// another type is an error, as is anything after the value. Field names are
// compared exactly; only fields marked omitempty may be missing. Every defect
// is one line that names the file and the field; after a defect of the JSON
// itself nothing more can be said.
func decodeExact(from string, text []byte, v any) error {
	d := &exactDecoder{from: from, json: json.NewDecoder(bytes.NewReader(text)), size: int64(len(text))}
	d.json.UseNumber()
	if d.value("", reflect.ValueOf(v).Elem()) {
		if _, err := d.json.Token(); err != io.EOF {
			d.defect("", "goes on after the end of its value (byte %d)", d.json.InputOffset())
		}
	}
	return errors.Join(d.errs...)
}

type exactDecoder struct {
	from string
	json *json.Decoder
	size int64
	errs []error
}

func (d *exactDecoder) defect(field, format string, args ...any) {
	if len(d.errs) >= maxDefects {
		return
	}
	where := d.from + ": "
	if field != "" {
		where += field + ": "
	}
	d.errs = append(d.errs, errors.New(where+fmt.Sprintf(format, args...)))
}

// token returns the next token; after an error of the JSON itself ok is false
// and decoding must end. That error is all that is said then: of a file that is
// cut not even the kind is known, and its fields may be those of another one.
func (d *exactDecoder) token(field string) (t json.Token, ok bool) {
	t, err := d.json.Token()
	if err == nil {
		return t, true
	}
	d.errs = nil
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		d.defect(field, "the file ends here, after %d bytes, in the middle of its value", d.size)
	default:
		d.defect(field, "byte %d: %v", d.json.InputOffset(), err)
	}
	return nil, false
}

// value decodes the next value into v. It is false where decoding must end.
func (d *exactDecoder) value(field string, v reflect.Value) bool {
	t, ok := d.token(field)
	if !ok {
		return false
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		if t == json.Delim('{') {
			return d.object(field, v.Elem())
		}
		return d.mismatch(field, t, "an object")
	case reflect.Struct:
		if t == json.Delim('{') {
			return d.object(field, v)
		}
		return d.mismatch(field, t, "an object")
	case reflect.Slice:
		if t == json.Delim('[') {
			return d.list(field, v)
		}
		return d.mismatch(field, t, "a list")
	case reflect.String:
		s, ok := t.(string)
		if !ok {
			return d.mismatch(field, t, "a text")
		}
		v.SetString(s)
	case reflect.Bool:
		b, ok := t.(bool)
		if !ok {
			return d.mismatch(field, t, "true or false")
		}
		v.SetBool(b)
	case reflect.Float64:
		n, ok := t.(json.Number)
		if !ok {
			return d.mismatch(field, t, "a number")
		}
		x, err := strconv.ParseFloat(string(n), 64)
		if err != nil {
			d.defect(field, "%s is not a finite number", n)
		}
		v.SetFloat(x)
	case reflect.Int:
		n, ok := t.(json.Number)
		if !ok {
			return d.mismatch(field, t, "a whole number")
		}
		x, err := strconv.Atoi(string(n))
		if err != nil {
			d.defect(field, "%s is not a whole number", n)
		}
		v.SetInt(int64(x))
	default:
		panic("models: no JSON form for " + v.Type().String())
	}
	return true
}

// mismatch reports a value of the wrong type, which begins with t, and skips
// it.
func (d *exactDecoder) mismatch(field string, t json.Token, want string) bool {
	got := map[bool]string{true: "true", false: "false"}[t == true]
	switch t := t.(type) {
	case nil:
		got = "null"
	case string:
		got = "a text"
	case json.Number:
		got = "the number " + string(t)
	case json.Delim:
		got = map[json.Delim]string{'{': "an object", '[': "a list"}[t]
	}
	d.defect(field, "is %s, want %s", got, want)
	return d.skip(field, t)
}

// skip passes over the rest of a value that begins with t.
func (d *exactDecoder) skip(field string, t json.Token) bool {
	open := 0
	for {
		switch t {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
		if open == 0 {
			return true
		}
		var ok bool
		if t, ok = d.token(field); !ok {
			return false
		}
	}
}

func (d *exactDecoder) list(field string, v reflect.Value) bool {
	for d.json.More() {
		item := reflect.New(v.Type().Elem()).Elem()
		if !d.value(fmt.Sprintf("%s[%d]", field, v.Len()), item) {
			return false
		}
		v.Set(reflect.Append(v, item))
	}
	_, ok := d.token(field)
	return ok
}

func (d *exactDecoder) object(field string, v reflect.Value) bool {
	members := exactMembers(v)
	var seen []string
	for d.json.More() {
		t, ok := d.token(field)
		if !ok {
			return false
		}
		key := t.(string)
		at := strings.TrimPrefix(field+"."+key, ".")
		twice := slices.Contains(seen, key)
		seen = append(seen, key)
		k := slices.IndexFunc(members, func(m exactMember) bool { return m.key == key })
		if twice || k < 0 {
			if twice {
				d.defect(at, "is there twice")
			} else {
				d.defect(at, "unknown field")
			}
			t, ok := d.token(at)
			if !ok || !d.skip(at, t) {
				return false
			}
			continue
		}
		if !d.value(at, members[k].value) {
			return false
		}
	}
	if _, ok := d.token(field); !ok {
		return false
	}
	for _, m := range members {
		if !m.optional && !slices.Contains(seen, m.key) {
			d.defect(strings.TrimPrefix(field+"."+m.key, "."), "is missing")
		}
	}
	return true
}

// exactMember is one field of a struct, those of embedded structs included.
type exactMember struct {
	key      string
	optional bool
	value    reflect.Value
}

func exactMembers(v reflect.Value) (members []exactMember) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			members = append(members, exactMembers(v.Field(i))...)
			continue
		}
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		members = append(members, exactMember{key, options == "omitempty", v.Field(i)})
	}
	return members
}
