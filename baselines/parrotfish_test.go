package baselines

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/solvers"
)

// A curve of the model's own form is found again, between the points as well.
func TestDecayIsRecovered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := decay{
			rapid.Float64Range(0.1, 10).Draw(t, "a0"), rapid.Float64Range(1, 100).Draw(t, "a1"), rapid.Float64Range(200, 2000).Draw(t, "a2"),
		}
		var x, y []float64
		for m := 128.0; m <= 3008; m += 480 {
			x, y = append(x, m), append(y, want.at(m))
		}
		got := fitDecay(x, y)
		for m := 128.0; m <= 3008; m += 64 {
			if math.Abs(got.at(m)-want.at(m)) > 1e-3*want.at(m) {
				t.Fatalf("%+v at %v MB: %v, want %+v: %v", got, m, got.at(m), want, want.at(m))
			}
		}
	})
}

// decaying is a stage that takes the times of a curve in all sizes of a grid.
func decaying(d decay) fixedStage {
	f := fixedStage{}
	for m := 128; m <= 3008; m += 64 {
		f[m] = d.at(float64(m))
	}
	return f
}

// Functions that follow the model: few runs find the size that a sweep over
// all 46 finds cheapest, or one that costs within half a percent of it.
func TestLearnFindsTheCheapestSize(t *testing.T) {
	for _, d := range []decay{{0.5, 40, 300}, {2, 60, 200}, {0.2, 30, 600}, {5, 5, 500}} {
		p := fixedProblem(t, within(solvers.Latency, 1e6), nil, decaying(d))
		s, err := newSizing(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		predicted := learn(s, 0, 20)
		runs := 0
		for _, m := range s.known[0] {
			if m.latency > 0 {
				runs++
			}
		}
		// Three to begin with, and one after each of three rounds at least that
		// find the same size cheapest.
		if runs < 6 || runs > 20 {
			t.Errorf("%+v: %d runs", d, runs)
		}
		chosen, cheapest := 0, math.Inf(1)
		for k := range predicted {
			cheapest = min(cheapest, s.at(0, k).cost)
			if predicted[k].cost < predicted[chosen].cost {
				chosen = k
			}
		}
		if got := s.at(0, chosen).cost; got > 1.005*cheapest {
			t.Errorf("%+v: %v costs %v, the cheapest size %v; %d runs", d, s.choices[0][chosen], got, cheapest, runs)
		}
	}
}

// Next to a run there is little doubt: at 64 MB from it 1 - exp(-0.0512), which
// is 0.05, far from all runs 1.
func TestMostPromising(t *testing.T) {
	choices := []models.StageConfig{{Memory: 128}, {Memory: 192}, {Memory: 2000}}
	for _, c := range []struct {
		costs []float64
		want  int
	}{
		{[]float64{1, 1, 1}, 2},
		{[]float64{1, 1, 19}, 2},
		{[]float64{1, 1, 21}, 1},
	} {
		var predicted []measured
		for _, cost := range c.costs {
			predicted = append(predicted, measured{latency: 1, cost: cost})
		}
		if got := mostPromising(choices, predicted, []bool{true, false, false}); got != c.want {
			t.Errorf("costs %v: size %d, want %d", c.costs, got, c.want)
		}
	}
	if got := mostPromising(choices, make([]measured, 3), []bool{true, true, true}); got != -1 {
		t.Errorf("nothing is left, but %d is next", got)
	}
}

// The walk, from the definition: where every size is run, what was learnt is
// what is true, and every step goes to the function of the critical path that
// pays the least for a second.
func TestParrotfishWalk(t *testing.T) {
	// Three sizes each, through which the curve goes. Times at 1, 2 and 3 GB;
	// in GB-seconds s0 costs 8, 10, 12 and s1 12, 16, 18.
	s0, s1 := fixedStage{1024: 8, 2048: 5, 3072: 4}, fixedStage{1024: 12, 2048: 8, 3072: 6}
	for _, c := range []struct {
		limit float64
		want  []int
	}{
		{20, []int{1024, 1024}},
		{17, []int{2048, 1024}}, // s0 pays 2/3 USD/s, s1 4/4
		{14, []int{2048, 2048}}, // s0 would pay 2/1
		{11, []int{2048, 3072}}, // s1 pays 2/2
		{10, []int{3072, 3072}},
		{9, nil},
	} {
		p := fixedProblem(t, within(solvers.Latency, c.limit), nil, s0, s1)
		s, err := Parrotfish{}.Solve(context.Background(), p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		if c.want == nil {
			if s.Status != solvers.NotFound || !slices.Equal(memories(s.Config), []int{3072, 3072}) {
				t.Errorf("within %v s: %s, %v", c.limit, s.Status, s.Config)
			}
			continue
		}
		if s.Status != solvers.Done || !slices.Equal(memories(s.Config), c.want) {
			t.Errorf("within %v s: %s, %v; want %v", c.limit, s.Status, s.Config, c.want)
		}
	}
}
