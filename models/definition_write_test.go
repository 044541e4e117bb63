package models

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// definitionText is what two definitions must agree on, whatever order or
// grids their files put it in.
type definitionText struct {
	Name, Title, Source, Price string
	MBPerVCPU                  float64
	Stages                     []Stage
	Spaces                     []string
	Choices                    [][][]StageConfig
	Rules                      [][]Rule
}

func textOfDefinition(d *Definition) definitionText {
	t := definitionText{Name: d.Workflow.Name(), Title: d.Title, Source: d.Source, Price: d.Price, MBPerVCPU: d.MBPerVCPU}
	for i := range d.Workflow.Len() {
		s := d.Workflow.Stage(i)
		if len(s.After) == 0 {
			s.After = nil
		}
		t.Stages = append(t.Stages, s)
	}
	for _, s := range d.Spaces {
		var choices [][]StageConfig
		for i := range d.Workflow.Len() {
			choices = append(choices, s.Choices(i))
		}
		t.Spaces = append(t.Spaces, s.Name+": "+s.Source)
		t.Choices = append(t.Choices, choices)
		t.Rules = append(t.Rules, append([]Rule{}, s.Rules()...))
	}
	return t
}

func roundTrip(t interface{ Fatalf(string, ...any) }, d *Definition) {
	text, err := d.Text()
	if err != nil {
		t.Fatalf("%v", err)
	}
	back, err := ParseDefinition("written", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(textOfDefinition(d), textOfDefinition(back)); diff != "" {
		t.Fatalf("-written +read:\n%s\n%s", diff, text)
	}
}

func TestBundledDefinitionsRoundTrip(t *testing.T) {
	for _, name := range Bundled() {
		d, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, d)
	}
}

// Any definition survives being written, also one with names and texts that
// mean something in YAML.
func TestDefinitionsRoundTrip(t *testing.T) {
	names := rapid.SampledFrom([]string{"a", "f1", "Parallel State/1/f2", "no", "- x", "1.5", "${Fn}", "a: b", "#c", "'q'", "ä", "true", "f15#2", "x y", "[1]", "{a}", "@b", "*c", "&d", "!e", "%f", "~"})
	rapid.Check(t, func(t *rapid.T) {
		var stages []Stage
		for i, name := range rapid.SliceOfNDistinct(names, 1, 8, rapid.ID).Draw(t, "names") {
			s := Stage{Name: name, MaxParallelism: rapid.IntRange(0, 3).Draw(t, "max")}
			for _, p := range stages[:i] {
				if rapid.Bool().Draw(t, "parent") {
					s.After = append(s.After, p.Name)
				}
			}
			stages = append(stages, s)
		}
		w, err := NewWorkflow(names.Draw(t, "name"), stages)
		if err != nil {
			t.Fatal(err)
		}
		per := rapid.SampledFrom([]float64{1769, 1792, 0.1}).Draw(t, "MB per vCPU")
		d := &Definition{Workflow: w, Title: names.Draw(t, "title"), Source: names.Draw(t, "source"), MBPerVCPU: per, Price: PriceAWS}
		var choices [][]StageConfig
		for i := range w.Len() {
			var list []StageConfig
			for m := range rapid.IntRange(1, 4).Draw(t, "sizes") {
				memory := 128 * (m + 1)
				most := 3
				if limit := w.Stage(i).MaxParallelism; limit > 0 {
					most = limit
				}
				for p := range rapid.IntRange(1, most).Draw(t, "parallelism") {
					list = append(list, StageConfig{Memory: memory, VCPU: float64(memory) / per, Parallelism: p + 1})
				}
			}
			choices = append(choices, list)
		}
		var rules []Rule
		if w.Len() > 1 {
			rules = append(rules, Rule{Stage: 1, Of: 0, Times: rapid.IntRange(1, 3).Draw(t, "times"), Equal: rapid.Bool().Draw(t, "equal")})
		}
		space, err := NewSpace(w, choices, rules)
		if err != nil {
			t.Fatal(err)
		}
		d.Spaces = []NamedSpace{{Name: "all", Space: space}}
		roundTrip(t, d)
	})
}
