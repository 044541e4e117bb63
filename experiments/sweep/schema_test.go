package sweep

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func gridSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../schemas/grid.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	object, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(object))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

// The schema accepts what the program reads, and knows the same keys.
func TestSchemaOfGrids(t *testing.T) {
	schema := gridSchema(t)
	for _, name := range Bundled() {
		text, err := grids.ReadFile("grids/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, schema, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{
		"workflow: [ml]\n", "latency_s: [40]\n", "workflows: [ml]\n",
		"workflows: [ml]\nlatency_s: {points: 1}\n", "workflows: [ml]\nlatency_s: [40]\npercentiles: [100]\n",
	} {
		if validate(t, schema, []byte(bad)) == nil {
			t.Errorf("the schema accepts %q", bad)
		}
		if _, err := ParseGrid("g", []byte(bad)); err == nil {
			t.Errorf("the program accepts %q", bad)
		}
	}
	var keys []string
	for f := range reflect.TypeFor[Grid]().Fields() {
		keys = append(keys, f.Tag.Get("yaml"))
	}
	var known []string
	for key := range schema.Properties {
		known = append(known, key)
	}
	slices.Sort(keys)
	slices.Sort(known)
	if !slices.Equal(keys, known) {
		t.Errorf("the schema knows the keys %v, the program %v", known, keys)
	}
}
