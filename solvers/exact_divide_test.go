package solvers_test

import (
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/solvers"
)

// A space that is divided at stages, part by part, has the same optimum.
func TestDividedSpacesEqualExhaustive(t *testing.T) {
	defer solvers.Shrink()()
	rounds := 5
	if testing.Short() {
		rounds = 1
	}
	optimal := 0
	for range rounds {
		rapid.Check(t, func(t *rapid.T) {
			p := drawProblem(t)
			if p.Space.Size().Sign() == 0 {
				t.Skip("the rules leave no configuration")
			}
			// Only mean latency is minimised that way: a limit on what some
			// configuration costs.
			pick := make([]int, p.Workflow().Len())
			for i := range pick {
				pick[i] = rapid.IntRange(0, len(p.Space.Choices(i))-1).Draw(t, "pick")
			}
			costs := p.Evaluate(p.Space.Config(pick)).Bounded(solvers.Cost)
			limit := models.QuantileR7(costs, rapid.Float64Range(0.3, 1).Draw(t, "quantile"))
			if !(limit > 0) || limit > 1e6 {
				t.Skip("there is no such limit")
			}
			p.Bound.Metric, p.Bound.Limit = solvers.Cost, limit
			if agree(t, "divided space", p) == solvers.Optimal {
				optimal++
			}
		})
	}
	if optimal == 0 {
		t.Error("no problem had an optimum")
	}
}
