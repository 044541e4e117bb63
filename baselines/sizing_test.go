package baselines

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/solvers"
)

// fixedStage takes times that a table has for its sizes, the same in every
// scenario, whatever the parallelism.
type fixedStage map[int]float64 // MB: s

func (fixedStage) ReadsInput() bool { return false }

func (f fixedStage) Times(c models.StageConfig, _ int, latency, billed []float64) {
	for _, out := range [][]float64{latency, billed} {
		for k := range out {
			out[k] = f[c.Memory]
		}
	}
}

// unitPrice is 1 USD per GB-second, so that a function of 1024 MB costs its
// seconds.
var unitPrice = models.PriceBook{Name: "unit", USDPerGBSecond: 1}

// fixedProblem has stages s0, s1, ... that take fixed times, one instance each,
// and one scenario. after holds the parents of every stage, nil the stage
// before.
func fixedProblem(t interface{ Fatal(...any) }, bound solvers.Bound, after [][]int, stages ...fixedStage) *solvers.Problem {
	var list []models.Stage
	var choices [][]models.StageConfig
	var samples []models.StageSample
	for i, f := range stages {
		s := models.Stage{Name: fmt.Sprint("s", i)}
		switch {
		case after != nil:
			for _, p := range after[i] {
				s.After = append(s.After, fmt.Sprint("s", p))
			}
		case i > 0:
			s.After = []string{fmt.Sprint("s", i-1)}
		}
		list = append(list, s)
		var own []models.StageConfig
		for memory := range f {
			own = append(own, models.StageConfig{Memory: memory, VCPU: float64(memory) / 1024, Parallelism: 1})
		}
		choices = append(choices, own)
		samples = append(samples, f)
	}
	w, err := models.NewWorkflow("fixed", list)
	if err != nil {
		t.Fatal(err)
	}
	space, err := models.NewSpace(w, choices, nil)
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := models.NewScenarios(w, unitPrice, 1, samples)
	if err != nil {
		t.Fatal(err)
	}
	p, err := solvers.NewProblem(space, scenarios, bound)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// within is a bound on a single scenario.
func within(metric solvers.Metric, limit float64) solvers.Bound {
	return solvers.Bound{Metric: metric, Limit: limit, Percentile: 50, Confidence: 50, Rule: solvers.Plugin}
}

func memories(c models.Config) []int {
	var list []int
	for _, s := range c {
		list = append(list, s.Memory)
	}
	return list
}

// drawGraph draws the parents of every stage.
func drawGraph(t *rapid.T, stages int) [][]int {
	after := make([][]int, stages)
	for i := range after {
		for p := range i {
			if rapid.Bool().Draw(t, "edge") {
				after[i] = append(after[i], p)
			}
		}
	}
	return after
}

// The critical path is one of the paths, and none is longer.
func TestCriticalPathIsTheLongest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "stages")
		stages := make([]fixedStage, n)
		for i := range stages {
			stages[i] = fixedStage{1024: rapid.Float64Range(0.1, 10).Draw(t, "latency")}
		}
		p := fixedProblem(t, within(solvers.Latency, 1), drawGraph(t, n), stages...)
		s, err := newSizing(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := s.critical(make([]int, n))
		paths, _ := p.Workflow().Paths()
		length := func(path []int) (l float64) {
			for _, i := range path {
				l += stages[i][1024]
			}
			return l
		}
		longest := math.Inf(-1)
		for _, path := range paths {
			longest = max(longest, length(path))
		}
		if !slices.ContainsFunc(paths, func(path []int) bool { return slices.Equal(path, got) }) || math.Abs(length(got)-longest) > 1e-9 {
			t.Fatalf("path %v of length %v; the longest is %v", got, length(got), longest)
		}
	})
}

// Of sizes that are equally good the smallest is the best.
func TestBestOfEquals(t *testing.T) {
	p := fixedProblem(t, within(solvers.Latency, 1), nil, fixedStage{1024: 4, 2048: 2, 4096: 1}, fixedStage{1024: 5, 2048: 2, 4096: 1})
	s, err := newSizing(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.best(func(m measured) float64 { return m.cost }); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("sizes %v, want 0 and 1", got)
	}
}

func TestInstances(t *testing.T) {
	w, err := models.NewWorkflow("w", []models.Stage{{Name: "a"}, {Name: "b", After: []string{"a"}}})
	if err != nil {
		t.Fatal(err)
	}
	var own []models.StageConfig
	for _, d := range []int{1, 2, 4, 8} {
		for _, memory := range []int{2048, 1024} {
			own = append(own, models.StageConfig{Memory: memory, VCPU: 1, Parallelism: d})
		}
	}
	space, err := models.NewSpace(w, [][]models.StageConfig{own, own}, []models.Rule{{Stage: 1, Of: 0, Times: 1}})
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := models.NewScenarios(w, unitPrice, 1, []models.StageSample{fixedStage{1024: 2, 2048: 1}, fixedStage{1024: 2, 2048: 1}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := solvers.NewProblem(space, scenarios, within(solvers.Latency, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		given Instances
		want  string
	}{
		{nil, "2x1024MB 2x1024MB"},
		{Instances{8, 4}, "8x1024MB 4x1024MB"},
		{Instances{4, 8}, ""},
		{Instances{3, 1}, ""},
		{Instances{1}, ""},
	} {
		s, err := newSizing(p, c.given)
		if err != nil {
			if c.want != "" {
				t.Errorf("%v: %v", c.given, err)
			}
			continue
		}
		if got := s.config([]int{0, 0}).String(); got != c.want {
			t.Errorf("%v: %s, want %q", c.given, got, c.want)
		}
	}
}
