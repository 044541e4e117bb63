package models_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"eevee/models"
)

// jsonSchema checks values against a JSON Schema (draft 2020-12), of which it
// knows the keywords that the published schemas use; any other is an error, so
// that nothing goes unchecked.
type jsonSchema struct{ root map[string]any }

func newJSONSchema(t testing.TB, text []byte) jsonSchema {
	t.Helper()
	var s jsonSchema
	if err := json.Unmarshal(text, &s.root); err != nil {
		t.Fatal(err)
	}
	return s
}

// check returns the first difference between value and schema.
func (s jsonSchema) check(value any) error { return s.at("", s.root, value) }

func (s jsonSchema) at(path string, schema map[string]any, value any) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%s: "+format, append([]any{path}, args...)...)
	}
	number, isNumber := value.(float64)
	text, isText := value.(string)
	list, isList := value.([]any)
	object, isObject := value.(map[string]any)
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		want := schema[keyword]
		ok := true
		switch keyword {
		case "$schema", "$id", "$defs", "title", "description":
		case "$ref":
			at := any(s.root)
			for key := range strings.SplitSeq(strings.TrimPrefix(want.(string), "#/"), "/") {
				at = at.(map[string]any)[key]
			}
			if err := s.at(path, at.(map[string]any), value); err != nil {
				return err
			}
		case "type":
			ok = map[string]bool{
				"object": isObject, "array": isList, "string": isText, "number": isNumber,
				"integer": isNumber && number == math.Trunc(number), "boolean": value == true || value == false,
			}[want.(string)]
		case "const":
			ok = reflect.DeepEqual(value, want)
		case "enum":
			ok = slices.Contains(want.([]any), value)
		case "pattern":
			ok = !isText || regexp.MustCompile(want.(string)).MatchString(text)
		case "minLength":
			ok = !isText || float64(len(text)) >= want.(float64)
		case "minimum":
			ok = !isNumber || number >= want.(float64)
		case "maximum":
			ok = !isNumber || number <= want.(float64)
		case "minItems":
			ok = !isList || float64(len(list)) >= want.(float64)
		case "maxItems":
			ok = !isList || float64(len(list)) <= want.(float64)
		case "items":
			for k, item := range list {
				if err := s.at(fmt.Sprintf("%s/%d", path, k), want.(map[string]any), item); err != nil {
					return err
				}
			}
		case "required":
			for _, key := range want.([]any) {
				if _, there := object[key.(string)]; isObject && !there {
					return fail("no %v", key)
				}
			}
		case "properties":
			for _, key := range slices.Sorted(maps.Keys(object)) {
				if property, known := want.(map[string]any)[key]; known {
					if err := s.at(path+"/"+key, property.(map[string]any), object[key]); err != nil {
						return err
					}
				}
			}
		case "additionalProperties":
			if want != false {
				return fail("additionalProperties is %v", want)
			}
			for _, key := range slices.Sorted(maps.Keys(object)) {
				if _, known := schema["properties"].(map[string]any)[key]; !known {
					return fail("unknown %s", key)
				}
			}
		default:
			return fail("the schema has the keyword %s, which this check does not know", keyword)
		}
		if !ok {
			return fail("%v does not satisfy %s %v", value, keyword, want)
		}
	}
	return nil
}

func TestModelFileSatisfiesItsSchema(t *testing.T) {
	schema := newJSONSchema(t, models.ModelFileSchema())
	check := func(text string) error {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		return schema.check(value)
	}
	text, _ := mlModel(t)
	if err := check(text); err != nil {
		t.Errorf("made-up model: %v", err)
	}
	for _, c := range structuralDefects {
		if err := check(c.apply(t, text)); err == nil {
			t.Errorf("%s: the schema admits %s", c.name, c.new)
		}
	}
	for _, workflow := range models.Bundled() {
		_, profile := loadProfile(t, workflow)
		m, err := models.FitJolteon(profile, models.JolteonOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := m.Write(&b, someTrace); err != nil {
			t.Fatal(err)
		}
		if err := check(b.String()); err != nil {
			t.Errorf("%s: %v", workflow, err)
		}
	}
}
