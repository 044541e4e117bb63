package live_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"eevee/live"
)

func TestTemplate(t *testing.T) {
	value := func(place string) any {
		return map[string]any{
			"instance": 3, "parallelism": 8, "memory_mb": 1769, "stage": "map", "execution": "r-1", "parallelism.split": 2,
			"outputs.split": []json.RawMessage{[]byte(`{"a":1}`), []byte(`null`)},
		}[place]
	}
	for text, want := range map[string]string{
		`{"i":"${instance}","of":"${parallelism}"}`:          `{"i":3,"of":8}`,
		`{"key":"in/${execution}/${instance}-${stage}"}`:     `{"key":"in/r-1/3-map"}`,
		`["${parallelism.split}", {"x":"${outputs.split}"}]`: `[2,{"x":[{"a":1},null]}]`,
		`{"money":"$5 {x} ${}", "n": 1.5}`:                   `{"money":"$5 {x} ${}","n":1.5}`,
		``:                                                   `{}`,
	} {
		template, err := live.ParseTemplate([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got, err := template.Fill(value)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for text, want := range map[string]string{
		`{"a":"${intsance}"}`: "${intsance} is no place that is known",
		`{"a":`:               "is not JSON",
	} {
		if _, err := live.ParseTemplate([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

// A payload without places goes out as it came in.
func TestTemplateKeepsPayloads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Float64Range(-1e9, 1e9).AsAny(), rapid.StringMatching(`[^$]*`).AsAny(), rapid.Bool().AsAny())
		in := rapid.MapOf(rapid.StringMatching(`[a-z]{1,5}`), rapid.SliceOf(leaf)).Draw(t, "payload")
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		template, err := live.ParseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := template.Fill(func(string) any { panic("there is no place") })
		if err != nil || string(got) != string(text) {
			t.Fatalf("%s became %s (%v)", text, got, err)
		}
	})
}
