package asl_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/internal/recordings"
	"eevee/models/asl"
)

// corpus returns the paths of the published state machines.
func corpus(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(filepath.Join(recordings.Dir(t), "asl-samples"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".asl.json") {
			paths = append(paths, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// Every published state machine is read, or refused with line and reason.
func TestCorpus(t *testing.T) {
	paths := corpus(t)
	if len(paths) != 170 {
		t.Fatalf("%d state machines; expected 170", len(paths))
	}
	refused := make(map[string]string)
	read := 0
	for _, p := range paths {
		m, err := asl.Load(p)
		if err != nil {
			folder := filepath.Base(filepath.Dir(filepath.Dir(p)))
			refused[folder] = strings.TrimPrefix(err.Error(), p)
			continue
		}
		read++
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := json.Unmarshal(text, &tree); err != nil {
			t.Fatal(err)
		}
		want, got := make(map[string]int), make(map[string]int)
		countStates(tree, want)
		for _, s := range m.States() {
			got[string(s.Type)]++
			got["Retry"] += len(s.Retry)
			got["Catch"] += len(s.Catch)
			if !strings.Contains(lineAt(string(text), s.Line), s.Name) {
				t.Errorf("%s:%d: state %q is not in this line", p, s.Line, s.Name)
			}
			if found, ok := m.Lookup(s.ID); !ok || found != s {
				t.Errorf("%s: state %q is not found by its ID", p, s.ID)
			}
		}
		if diff := cmp.Diff(want, got, cmp.FilterValues(func(a, b int) bool { return a == 0 || b == 0 }, cmp.Ignore())); diff != "" {
			t.Errorf("%s: states in the text and read (-text +read):\n%s", p, diff)
		}
	}
	want := map[string]string{
		"sfn-iot-data-analytics-dataset": ":10: not valid JSON: invalid character ':' after object key:value pair",
		"shared-fallback-state-jsonata":  `:5: state "QueryLanguage" is a text, not an object; QueryLanguage belongs beside States, not into it`,
	}
	if diff := cmp.Diff(want, refused); diff != "" || read != 168 {
		t.Errorf("%d read; refused (-want +got):\n%s", read, diff)
	}
}

func lineAt(text string, line int) string {
	return strings.ReplaceAll(strings.Split(text, "\n")[line-1], `\"`, `"`)
}

// countStates counts states by type, and rules of Retry and Catch, in plain
// JSON.
func countStates(graph map[string]any, count map[string]int) {
	states, _ := graph["States"].(map[string]any)
	for _, s := range states {
		state := s.(map[string]any)
		count[state["Type"].(string)]++
		for _, key := range []string{"Retry", "Catch"} {
			rules, _ := state[key].([]any)
			count[key] += len(rules)
		}
		branches, _ := state["Branches"].([]any)
		for _, b := range branches {
			countStates(b.(map[string]any), count)
		}
		for _, key := range []string{"ItemProcessor", "Iterator"} {
			if inner, ok := state[key].(map[string]any); ok {
				countStates(inner, count)
			}
		}
	}
}

// Every machine of the corpus becomes a workflow, or says what it needs: once
// every loop and Map has a number, all that invoke a function do.
func TestCorpusLowers(t *testing.T) {
	lowered, idle, asked := 0, 0, 0
	for _, p := range corpus(t) {
		m, err := asl.Load(p)
		if err != nil {
			continue
		}
		functions := 0
		b := &asl.Behaviour{Widths: map[string]asl.Widths{}}
		o := asl.LowerOptions{Loops: map[string]int{}}
		for _, s := range m.States() {
			if s.Lambda {
				functions++
			}
			if s.Type == asl.Map {
				b.Widths[s.ID] = asl.Widths{Items: []int{2}, P: []float64{1}}
			}
			o.Loops[s.ID] = 2
		}
		_, err = asl.Lower(m, nil, asl.LowerOptions{})
		if err != nil && functions > 0 {
			asked++
			for line := range strings.Lines(err.Error()) {
				if !strings.Contains(line, "give recorded executions, or") {
					t.Errorf("%s: the reason says not what to do: %s", p, line)
				}
			}
		}
		w, err := asl.Lower(m, b, o)
		switch {
		case err == nil && functions > 0:
			lowered++
			if w.Workflow.Len() == 0 {
				t.Errorf("%s: no stages", p)
			}
		case functions == 0 && err != nil && strings.Contains(err.Error(), "no state invokes a Lambda function"):
			idle++
		default:
			t.Errorf("%s: %d functions: %v", p, functions, err)
		}
	}
	t.Logf("%d become workflows (%d of them only when told how wide or how often), %d have nothing to size", lowered, asked, idle)
	if lowered+idle != 168 {
		t.Errorf("%d + %d machines; expected 168", lowered, idle)
	}
}
