package baselines

import (
	"context"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"eevee/models"
	"eevee/solvers"
)

// Under rules, all admissible configurations are equally likely: chi-square
// against the uniform distribution, at a fixed seed.
func TestDrawsAreUniform(t *testing.T) {
	w, err := models.NewWorkflow("w", []models.Stage{{Name: "a"}, {Name: "b", After: []string{"a"}}, {Name: "c", After: []string{"b"}}})
	if err != nil {
		t.Fatal(err)
	}
	var own []models.StageConfig
	for d := 1; d <= 4; d++ {
		own = append(own, models.StageConfig{Memory: 1024, VCPU: 1, Parallelism: d})
	}
	rules := []models.Rule{{Stage: 1, Of: 0, Times: 1}, {Stage: 2, Of: 1, Times: 1, Equal: true}}
	space, err := models.NewSpace(w, [][]models.StageConfig{own, own, own}, rules)
	if err != nil {
		t.Fatal(err)
	}
	size := int(space.Size().Int64()) // 4+3+2+1 pairs
	if size != 10 {
		t.Fatalf("%d configurations", size)
	}
	draw := drawing{space, models.Streams{Seed: 1}.New("test")}
	counts := map[string]int{}
	const draws = 10_000
	for range draws {
		c := space.Config(draw.pick())
		if _, err := space.Locate(c); err != nil {
			t.Fatal(err)
		}
		counts[c.String()]++
	}
	chi, expected := 0.0, draws/float64(size)
	for _, n := range counts {
		chi += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	if limit := (distuv.ChiSquared{K: float64(size - 1)}).Quantile(0.999); len(counts) != size || chi > limit {
		t.Errorf("%d of %d configurations, chi-square %v above %v", len(counts), size, chi, limit)
	}
}

// Where the rules admit next to nothing the draws end all the same, in the
// space.
func TestDrawsUnderTightRules(t *testing.T) {
	var stages []models.Stage
	var choices [][]models.StageConfig
	var rules []models.Rule
	for i := range 6 {
		stages = append(stages, models.Stage{Name: string(rune('a' + i))})
		var own []models.StageConfig
		for d := 1; d <= 16; d++ {
			own = append(own, models.StageConfig{Memory: 1024, VCPU: 1, Parallelism: d})
		}
		choices = append(choices, own)
		if i > 0 {
			rules = append(rules, models.Rule{Stage: i, Of: i - 1, Times: 1, Equal: true})
		}
	}
	w, err := models.NewWorkflow("w", stages)
	if err != nil {
		t.Fatal(err)
	}
	space, err := models.NewSpace(w, choices, rules)
	if err != nil {
		t.Fatal(err)
	}
	draw := drawing{space, models.Streams{Seed: 1}.New("test")}
	seen := map[int]bool{}
	for range 200 {
		c := space.Config(draw.pick())
		if _, err := space.Locate(c); err != nil {
			t.Fatal(err)
		}
		seen[c[0].Parallelism] = true
	}
	if len(seen) < 12 { // of 16; 200 uniform draws miss one with probability 4e-5
		t.Errorf("only the values %v of 16 were drawn", seen)
	}
}

// In a space of nine, random search finds the optimum and uniform-size search
// the best of its diagonal; both count what they evaluate.
func TestSearches(t *testing.T) {
	s0, s1 := fixedStage{1024: 8, 2048: 3, 4096: 2}, fixedStage{1024: 4, 2048: 3, 4096: 2.5}
	for _, limit := range []float64{4.6, 5.9, 6.5, 7, 12} {
		p := fixedProblem(t, within(solvers.Latency, limit), nil, s0, s1)
		best, diagonal := math.Inf(1), math.Inf(1)
		for a, ta := range s0 {
			for b, tb := range s1 {
				if cost := float64(a)/1024*ta + float64(b)/1024*tb; ta+tb <= limit {
					best = min(best, cost)
					if a == b {
						diagonal = min(diagonal, cost)
					}
				}
			}
		}
		random, err := RandomSearch{}.Solve(context.Background(), p, models.Streams{Seed: 1})
		if err != nil || random.Status != solvers.Done || math.Abs(random.Objective-best) > 1e-12 {
			t.Errorf("random within %v s: %+v, %v; the best costs %v", limit, random, err, best)
		}
		if n := p.Evaluations(); n != 1000 {
			t.Errorf("random search evaluated %d", n)
		}
		uniform, err := UniformSize{}.Solve(context.Background(), p, models.Streams{})
		if err != nil || uniform.Status != solvers.Done || math.Abs(uniform.Objective-diagonal) > 1e-12 {
			t.Errorf("uniform within %v s: %+v, %v; the best costs %v", limit, uniform, err, diagonal)
		}
		if n := p.Evaluations() - 1000; n != 3 {
			t.Errorf("uniform-size search evaluated %d", n)
		}
	}
	p := fixedProblem(t, within(solvers.Latency, 4), nil, s0, s1)
	s, err := UniformSize{}.Solve(context.Background(), p, models.Streams{})
	if err != nil || s.Status != solvers.NotFound || !slices.Equal(memories(s.Config), []int{4096, 4096}) || len(s.Warnings) != 1 {
		t.Errorf("nothing keeps 4 s: %+v, %v", s, err)
	}
}
