package cli

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// marshal returns v as indented JSON that ends with a newline. It differs from
// package encoding/json in three ways: NaN and infinities, which JSON does not
// have, are null; a nil slice is an empty array, so that a list is a list
// whatever is in it; and < > & stay as they are. Fields keep the order of
// their struct, keys of maps are sorted.
func marshal(v any) ([]byte, error) {
	var compact, out bytes.Buffer
	if err := appendValue(&compact, reflect.ValueOf(v)); err != nil {
		return nil, fmt.Errorf("cannot write the result as JSON: %w", err)
	}
	if err := json.Indent(&out, compact.Bytes(), "", "  "); err != nil {
		return nil, fmt.Errorf("cannot write the result as JSON: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	number        = reflect.TypeFor[json.Number]()
)

func appendValue(b *bytes.Buffer, v reflect.Value) error {
	if !v.IsValid() || (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil() {
		b.WriteString("null")
		return nil
	}
	if v.Type() == number || marshals(v.Type()) {
		return appendScalar(b, addressable(v).Interface())
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return appendValue(b, v.Elem())
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			b.WriteString("null")
			return nil
		}
		return appendScalar(b, v.Interface())
	case reflect.Struct:
		return appendStruct(b, v)
	case reflect.Map:
		return appendMap(b, v)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return appendScalar(b, v.Interface())
		}
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := appendValue(b, v.Index(i)); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	default:
		return appendScalar(b, v.Interface())
	}
}

// marshals reports whether values of type t, or pointers to them, write
// themselves.
func marshals(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(marshaler) || p.Implements(textMarshaler)
}

// addressable returns a pointer to v where only a pointer can write itself.
func addressable(v reflect.Value) reflect.Value {
	if t := v.Type(); t == number || t.Implements(marshaler) || t.Implements(textMarshaler) {
		return v
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p
}

// appendScalar leaves v to encoding/json.
func appendScalar(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the newline of Encode
	return nil
}

func appendStruct(b *bytes.Buffer, v reflect.Value) error {
	b.WriteByte('{')
	if err := appendFields(b, v, new(int)); err != nil {
		return err
	}
	b.WriteByte('}')
	return nil
}

// appendFields writes the fields of v, and in place of an embedded struct its
// fields. written counts the fields that are in b already.
func appendFields(b *bytes.Buffer, v reflect.Value, written *int) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		tag := field.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		f := v.Field(i)
		if field.Anonymous && name == "" && f.Kind() == reflect.Pointer && !marshals(f.Type()) {
			if f.IsNil() {
				continue
			}
			f = f.Elem()
		}
		if field.Anonymous && name == "" && f.Kind() == reflect.Struct && !marshals(f.Type()) {
			if err := appendFields(b, f, written); err != nil {
				return err
			}
			continue
		}
		if !field.IsExported() || tag == "-" {
			continue
		}
		asked := strings.Split(options, ",")
		if slices.Contains(asked, "omitempty") && isEmpty(f) || slices.Contains(asked, "omitzero") && f.IsZero() {
			continue
		}
		if name == "" {
			name = field.Name
		}
		if err := appendMember(b, name, f, *written); err != nil {
			return err
		}
		*written++
	}
	return nil
}

// isEmpty is what omitempty of encoding/json means by empty.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

func appendMap(b *bytes.Buffer, v reflect.Value) error {
	keys := v.MapKeys()
	if v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("%v: only strings can be keys", v.Type())
	}
	slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
	b.WriteByte('{')
	for i, key := range keys {
		if err := appendMember(b, key.String(), v.MapIndex(key), i); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func appendMember(b *bytes.Buffer, name string, v reflect.Value, before int) error {
	if before > 0 {
		b.WriteByte(',')
	}
	if err := appendScalar(b, name); err != nil {
		return err
	}
	b.WriteByte(':')
	if err := appendValue(b, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
