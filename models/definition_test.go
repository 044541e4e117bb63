package models

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The sizes that an independent enumeration of the artifact's admissible
// configurations gives (reference section 2).
func TestBundledSpaceSizes(t *testing.T) {
	for name, want := range map[string]int64{"ml": 23_667, "video": 204_085} {
		d, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := d.Space("")
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Size(); got.Cmp(big.NewInt(want)) != 0 {
			t.Errorf("%s: space of %v configurations, want %d", name, got, want)
		}
	}
}

func TestBundledPaths(t *testing.T) {
	want := map[string]string{ // reference section 1
		"ml":    "[[0 1 2 3] [0 2 3] [0 3]]",
		"video": "[[0 1 2 3] [0 1 3]]",
		"tpcds": "[[0 1 4 6 7] [2 4 6 7] [3 4 6 7] [5 6 7]]",
	}
	for _, name := range Bundled() {
		d, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		paths, complete := d.Workflow.Paths()
		if got := fmt.Sprint(paths); got != want[name] || !complete {
			t.Errorf("%s: paths %s (complete %v), want %s", name, got, complete, want[name])
		}
	}
}

// Size counts by elimination; here every configuration is listed instead.
func TestSizeEqualsEnumeration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := randomSpace(t)
		var count int64
		for range admitted(s) {
			count++
		}
		if got := s.Size(); got.Cmp(big.NewInt(count)) != 0 {
			t.Fatalf("size %v, enumeration gives %d", got, count)
		}
	})
}

func TestDefinitionDefects(t *testing.T) {
	stage := "stages: [{name: a}, {name: b, after: [a]}]\n"
	space := "spaces: [{name: s, stages: [{stage: a, choices: [{parallelism: [1], vcpu: [1]}]}, {stage: b, choices: [{parallelism: [2], memory_mb: [512]}]}]}]\n"
	for _, c := range []struct{ text, want string }{
		{"name: w\nstagess: []\n", "stagess"},
		{stage + space, "no name"},
		{"name: w\n" + stage, "no space"},
		{"name: w\nmb_per_vcpu: -1\n" + stage + space, "mb_per_vcpu"},
		{"name: w\nstages: [{name: a, after: [b]}, {name: b, after: [a]}]\n" + space, "cycle"},
		{"name: w\nstages: [{name: a, after: [x]}, {name: a}]\n" + space, `"x", which is not a stage`},
		{"name: w\nstages: [{name: a, max_parallelism: 1}, {name: b}]\n" + strings.Replace(space, "parallelism: [1]", "parallelism: [2]", 1), "above its max_parallelism"},
		{"name: w\n" + stage + strings.Replace(space, "{stage: b", "{stage: c", 1), `unknown stage "c"`},
		{"name: w\n" + stage + strings.Replace(space, "vcpu: [1]", "vcpu: [0]", 1), "not a configuration"},
		{"name: w\n" + stage + strings.Replace(space, "}]}]}]", "}]}], rules: [{stage: a}]}]", 1), "at_most and equals"},
	} {
		_, err := ParseDefinition("w.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "w.yaml: ") {
			t.Errorf("%q: error %v, want one that names w.yaml and says %q", c.text, err, c.want)
		}
	}
	if d, err := ParseDefinition("w.yaml", []byte("name: w\n"+stage+space)); err != nil {
		t.Error(err)
	} else if c := d.Spaces[0].Choices(1)[0]; c.VCPU != 512.0/AWSMBPerVCPU {
		t.Errorf("512 MB give %v vCPU, want %v", c.VCPU, 512.0/AWSMBPerVCPU)
	}
}

func TestStagesAreTopologicallyOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "stages")
		order := rapid.Permutation(makeRange(n)).Draw(t, "order")
		var stages []Stage
		for _, i := range order {
			s := Stage{Name: fmt.Sprint("s", i)}
			for p := range i {
				if rapid.Bool().Draw(t, "edge") {
					s.After = append(s.After, fmt.Sprint("s", p))
				}
			}
			stages = append(stages, s)
		}
		w, err := NewWorkflow("w", stages)
		if err != nil {
			t.Fatal(err)
		}
		for i := range w.Len() {
			for _, p := range w.Parents(i) {
				if p >= i {
					t.Fatalf("stage %d comes before its parent %d", i, p)
				}
			}
		}
		// The longest path by definition, over the list of all paths.
		latency := make([]float64, n)
		for i := range latency {
			latency[i] = rapid.Float64Range(0, 10).Draw(t, "latency")
		}
		paths, complete := w.Paths()
		if !complete {
			return
		}
		longest := 0.0
		for _, path := range paths {
			sum := 0.0
			for _, i := range path {
				sum += latency[i]
			}
			longest = max(longest, sum)
		}
		if got := w.Latency(latency); got != longest {
			t.Fatalf("latency %v, the longest path takes %v", got, longest)
		}
	})
}

func makeRange(n int) []int {
	r := make([]int, n)
	for i := range r {
		r[i] = i
	}
	return slices.Clip(r)
}

func TestPriceBooks(t *testing.T) {
	j := MustPrice(PriceJolteon)
	// algorithms.md 1.3, in 1e-5 USD: seconds*k*d*2.9225 + 0.02*d.
	c := StageConfig{Memory: 1075, VCPU: 0.6, Parallelism: 8}
	if got, want := j.Stage(c, 2.5)*1e5, 2.5*0.6*8*2.9225+0.02*8; !near(got, want, 1e-12) {
		t.Errorf("jolteon price %v, want %v", got, want)
	}
	// One invocation of 1024 MB billed for 101 ms (AWS price list 2025-10-28).
	a := MustPrice(PriceAWS)
	if got, want := a.Invocation(StageConfig{Memory: 1024, Parallelism: 1}, 0.1002), 0.101*0.0000166667+0.0000002; !near(got, want, 1e-12) {
		t.Errorf("aws price %v, want %v", got, want)
	}
	if got, want := a.Billed(0.1), 0.1; !near(got, want, 1e-12) {
		t.Errorf("100 ms are billed as %v s", got)
	}
}

func near(a, b, relative float64) bool {
	d := a - b
	return d <= relative*abs(b) && -d <= relative*abs(b)
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}
