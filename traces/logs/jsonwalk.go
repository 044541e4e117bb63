package logs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// walk reads a sequence of JSON values: objects, one after the other or in
// arrays of arrays. It calls object before each object, key for each of its
// keys, which must read the value, and end after it. Values are read one at a
// time, so that a file of any size takes no more memory than its largest event.
// A nil object or end is not called.
func walk(r io.Reader, object func() error, key func(name string, dec *json.Decoder) error, end func() error) error {
	dec := json.NewDecoder(r)
	depth := 0
	for {
		token, err := dec.Token()
		if err == io.EOF && depth == 0 {
			return nil
		}
		if err != nil {
			return brokenJSON(dec, err)
		}
		switch token {
		case json.Delim('['):
			depth++
		case json.Delim(']'):
			depth--
		case json.Delim('{'):
			if object != nil {
				if err := object(); err != nil {
					return err
				}
			}
			if err := keys(dec, key); err != nil {
				return err
			}
			if end != nil {
				if err := end(); err != nil {
					return err
				}
			}
		default:
			return fmt.Errorf("at byte %d: %v where an object is expected", dec.InputOffset(), token)
		}
	}
}

// keys reads the rest of an object that has begun.
func keys(dec *json.Decoder, key func(name string, dec *json.Decoder) error) error {
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return brokenJSON(dec, err)
		}
		name, ok := token.(string)
		if !ok {
			return fmt.Errorf("at byte %d: %v where a key is expected", dec.InputOffset(), token)
		}
		if err := key(name, dec); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	if err != nil {
		return brokenJSON(dec, err)
	}
	return nil
}

// elements calls visit for each element of an array, which must read it. A null
// is an array without elements.
func elements(dec *json.Decoder, visit func() error) error {
	token, err := dec.Token()
	if err != nil {
		return brokenJSON(dec, err)
	}
	if token == nil {
		return nil
	}
	if token != json.Delim('[') {
		return fmt.Errorf("at byte %d: %v where an array is expected", dec.InputOffset(), token)
	}
	for dec.More() {
		if err := visit(); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return brokenJSON(dec, err)
	}
	return nil
}

// value reads the next value.
func value(dec *json.Decoder, into any) error {
	if err := dec.Decode(into); err != nil {
		return brokenJSON(dec, err)
	}
	return nil
}

// skip reads over the next value, whatever its size.
func skip(dec *json.Decoder) error {
	for depth := 0; ; {
		token, err := dec.Token()
		if err != nil {
			return brokenJSON(dec, err)
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

func brokenJSON(dec *json.Decoder, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the JSON ends early, at byte %d", dec.InputOffset())
	}
	return fmt.Errorf("at byte %d: %w", dec.InputOffset(), err)
}
