package solvers_test

import (
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/solvers"
)

// Whatever the problem, also one that nothing continuous can be said about: the
// answer is in the space, done means that the bound is kept, and nothing is
// better than the best there is.
func TestJolteonOnRandomProblems(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t)
		if p.Space.Size().Sign() == 0 {
			if (solvers.Jolteon{}).Supports(p) == nil {
				t.Fatal("a space without a configuration is accepted")
			}
			return
		}
		report, err := solvers.Solve(context.Background(), p, solvers.Jolteon{}, models.Streams{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := report.Solution
		if _, err := p.Space.Locate(s.Config); err != nil {
			t.Fatal(err)
		}
		best, err := solvers.Exhaustive{}.Solve(context.Background(), p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		switch s.Status {
		case solvers.Done:
			if !report.Feasible || best.Status != solvers.Optimal || s.Objective < best.Objective-1e-12*math.Abs(best.Objective) {
				t.Fatalf("objective %v with %d violations of %d; exhaustive: %s, %v", s.Objective, s.Violations, report.Allowed, best.Status, best.Objective)
			}
		case solvers.NotFound:
			if report.Feasible || len(s.Warnings) == 0 {
				t.Fatalf("not found, but %d violations of %d, warnings %q", s.Violations, report.Allowed, s.Warnings)
			}
		default:
			t.Fatalf("status %s", s.Status)
		}
	})
}
