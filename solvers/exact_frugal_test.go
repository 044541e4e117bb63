package solvers_test

import (
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/solvers"
)

// asGood is a configuration, and the mean of the metric that is not minimised.
type asGood struct {
	config models.Config
	spends float64
}

// tied returns the admissible configurations that keep all bounds of an aim and
// whose objective is that of the answer, out of those that choices tells.
func tied(p *solvers.Problem, objective float64, each func(show func(models.Config))) []asGood {
	var list []asGood
	each(func(c models.Config) {
		latency, cost := p.Scenarios.Outcomes(c)
		for _, b := range p.Bounds() {
			if !kept(b, latency, cost) {
				return
			}
		}
		o := p.Evaluate(c)
		// A quarter of what counts as equal: rounding is less than that.
		if !(o.Objective <= objective*(1+2.5e-13)) {
			return
		}
		other := cost
		if p.Objective() == solvers.Cost {
			other = latency
		}
		sum := 0.0
		for _, v := range other {
			sum += v / float64(len(other))
		}
		list = append(list, asGood{c, sum})
	})
	return list
}

// neighbours shows the admissible configurations that differ in one stage.
func neighbours(p *solvers.Problem, of models.Config) func(show func(models.Config)) {
	return func(show func(models.Config)) {
		for i := range of {
			for _, choice := range p.Space.Choices(i) {
				c := of.Clone()
				if c[i] = choice; admitted(p.Space, c) {
					show(c)
				}
			}
		}
	}
}

// No stage of a proved optimum can be changed, by itself, so that all bounds are
// kept, the objective stays and the mean of the other metric falls.
func TestExactIsFrugal(t *testing.T) {
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	several, least := 0, 0
	for _, kind := range append([]string{"plain"}, aimKinds...) {
		t.Run(kind, func(t *testing.T) {
			for range rounds {
				rapid.Check(t, func(t *rapid.T) {
					p := drawProblem(t)
					if p.Space.Size().Sign() == 0 {
						t.Skip("the rules leave no configuration")
					}
					if kind != "plain" {
						drawAim(t, p, kind)
					}
					r, err := solvers.Solve(context.Background(), p, solvers.Exact{}, models.Streams{}, nil)
					if err != nil {
						t.Fatal(err)
					}
					if r.Solution.Status != solvers.Optimal {
						return
					}
					if !r.Feasible || r.Solution.Gap() != 0 {
						t.Fatalf("feasible %v, gap %v", r.Feasible, r.Solution.Gap())
					}
					all := tied(p, r.Solution.Objective, func(show func(models.Config)) { eachConfig(p.Space, show) })
					own := tied(p, r.Solution.Objective, func(show func(models.Config)) { show(r.Solution.Config) })
					if len(own) != 1 {
						t.Fatalf("the answer %v does not keep the aim", r.Solution.Config)
					}
					lowest, highest := math.Inf(1), math.Inf(-1)
					for _, c := range all {
						lowest, highest = min(lowest, c.spends), max(highest, c.spends)
					}
					if highest > lowest*(1+1e-9) {
						several++
						if own[0].spends <= lowest*(1+1e-9) {
							least++
						}
					}
					for _, c := range tied(p, r.Solution.Objective, neighbours(p, r.Solution.Config)) {
						if c.spends < own[0].spends*(1-1e-9) {
							t.Fatalf("%v spends %v, and %v, as good, %v", r.Solution.Config, own[0].spends, c.config, c.spends)
						}
					}
				})
			}
		})
	}
	t.Logf("of %d problems with several optima the answer spends least of all in %d", several, least)
	if several == 0 {
		t.Error("every problem has one optimum")
	}
}

// A branch that never decides the latency takes what is cheapest.
func TestExactLeavesAShortBranchSmall(t *testing.T) {
	w, err := models.NewWorkflow("w", []models.Stage{{Name: "short"}, {Name: "long"}, {Name: "join", After: []string{"short", "long"}}})
	if err != nil {
		t.Fatal(err)
	}
	var list []models.StageConfig
	for m := 1; m <= 8; m++ {
		list = append(list, models.StageConfig{Memory: 512 * m, VCPU: 0.5 * float64(m), Parallelism: 1})
	}
	space, err := models.NewSpace(w, [][]models.StageConfig{list, list, list}, nil)
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := models.NewScenarios(w, models.MustPrice(models.PriceAWS), 4, []models.StageSample{
		shared{[]float64{1, 2, 1, 2}}, shared{[]float64{40, 50, 45, 60}}, shared{[]float64{5, 6, 7, 5}},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := solvers.NewProblem(space, scenarios, solvers.Bound{
		Metric: solvers.Cost, Limit: 1, Percentile: 50, Confidence: 99, Rule: solvers.Plugin,
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := solvers.Exact{}.Solve(context.Background(), p, models.Streams{})
	if err != nil {
		t.Fatal(err)
	}
	best := asGood{spends: math.Inf(1)}
	for _, c := range tied(p, s.Objective, func(show func(models.Config)) { eachConfig(p.Space, show) }) {
		if c.spends < best.spends {
			best = c
		}
	}
	if s.Config[0] != best.config[0] || s.Config[1] != list[7] || s.Config[0] == list[7] {
		t.Errorf("the answer is %v; as good and cheapest is %v", s.Config, best.config)
	}
}
