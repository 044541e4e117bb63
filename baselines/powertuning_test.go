package baselines

import (
	"context"
	"slices"
	"strings"
	"testing"

	"eevee/models"
	"eevee/solvers"
)

// Worked by hand. Times at 1, 2 and 4 GB: s0 8, 3, 2, so costs 8, 6, 8; s1 4,
// 3, 2.5, so costs 4, 6, 10. In shares of the largest s0 has 1+1, 0.75+0.375
// and 1+0.25, and s1 has 0.4+1, 0.6+0.75 and 1+0.625.
func TestPowerTuning(t *testing.T) {
	s0, s1 := fixedStage{1024: 8, 2048: 3, 4096: 2}, fixedStage{1024: 4, 2048: 3, 4096: 2.5}
	for name, want := range map[string][]int{
		"cost":              {2048, 1024},
		"speed":             {4096, 4096},
		"balanced":          {2048, 2048},
		"balanced:weight=0": {4096, 4096},
		"balanced:weight=1": {2048, 1024},
		// s1 at 1 and 2 GB: 0.52*0.4 + 0.48 = 0.688 and 0.52*0.6 + 0.48*0.75 =
		// 0.672; at 0.6 they are 0.64 and 0.66.
		"balanced:weight=0.52": {2048, 2048},
		"balanced:weight=0.6":  {2048, 1024},
	} {
		method, err := NewPowerTuning(append(strings.Split(name, ":"), "ignore-bound")...)
		if err != nil {
			t.Fatal(err)
		}
		p := fixedProblem(t, within(solvers.Latency, 100), nil, s0, s1)
		s, err := method.Solve(context.Background(), p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Status != solvers.Done || !slices.Equal(memories(s.Config), want) {
			t.Errorf("%s: %s, %v; want %v", method, s.Status, s.Config, want)
		}
	}
}

func TestPowerTuningUnderABound(t *testing.T) {
	p := fixedProblem(t, within(solvers.Latency, 1), nil, fixedStage{1024: 8})
	err := PowerTuning{}.Supports(p)
	if err == nil || !strings.Contains(err.Error(), "no bound") {
		t.Errorf("under a bound: %v", err)
	}
	s, err := PowerTuning{IgnoreBound: true}.Solve(context.Background(), p, models.Streams{})
	if err != nil || s.Status != solvers.NotFound || s.Enforced != 8 {
		t.Errorf("a bound that it breaks: %+v, %v", s, err)
	}
}
