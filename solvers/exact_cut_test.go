package solvers_test

import (
	"context"
	"math"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/solvers"
)

// countdown is a context that ends once it was asked so many times: a deadline
// that can be anywhere in a search, whatever the speed of the machine.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// Wherever a search is ended, no configuration is below its lower bound and its
// incumbent keeps the bound.
func TestExactIsTrueWhereverItIsCutShort(t *testing.T) {
	for name, ways := range map[string]func() func(){
		"small": func() func() { return func() {} },
		"large": solvers.Shrink,
		"fine":  solvers.Zoom,
	} {
		t.Run(name, func(t *testing.T) {
			defer ways()()
			cut := 0
			rounds := 10
			if testing.Short() {
				rounds = 1
			}
			for range rounds {
				rapid.Check(t, func(t *rapid.T) {
					p := drawProblem(t)
					if p.Space.Size().Sign() == 0 {
						t.Skip("the rules leave no configuration")
					}
					whole, err := solvers.Solve(context.Background(), p, solvers.Exhaustive{}, models.Streams{}, nil)
					if err != nil {
						t.Fatal(err)
					}
					ctx := &countdown{Context: context.Background()}
					ctx.left.Store(rapid.Int64Range(0, 400).Draw(t, "asked"))
					r, err := solvers.Solve(ctx, p, solvers.Exact{}, models.Streams{}, nil)
					if err != nil {
						t.Fatal(err)
					}
					if r.Solution.Status != solvers.LimitHit {
						return
					}
					cut++
					optimum := whole.Solution.Objective
					if whole.Solution.Status != solvers.Optimal {
						optimum = math.Inf(1)
					}
					if r.Solution.LowerBound > optimum*(1+1e-12) {
						t.Errorf("the lower bound %v is above the optimum %v", r.Solution.LowerBound, optimum)
					}
					if r.Solution.Config != nil && !r.Feasible {
						t.Errorf("the incumbent has %d violations of %d", r.Outcome.Violations, r.Allowed)
					}
				})
			}
			if cut == 0 {
				t.Error("no search was cut short")
			}
		})
	}
}
