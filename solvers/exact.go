package solvers

import (
	"context"
	"math"

	"eevee/models"
)

// Exact finds the best configuration of the space on the sample and proves it
// by branch and bound (Land and Doig, Econometrica 28(3), 1960), or proves that
// the space holds no feasible one.
//
// The problem is: minimise the mean objective, such that at most k of the n
// scenarios exceed the limit on the bounded metric. Latency is the longest
// path in every scenario, cost the sum over stages; either can be the bounded
// one. A node of the search assigns choices to some stages. It is left
//
//   - when its objective cannot be below the incumbent's: every open stage
//     counts with its best mean. Mean latency is replaced by a sum over stages
//     that is never above it, the cut of the convex maximum at the incumbent
//     (Kelley, J. SIAM 8(4), 1960); below every second level such cuts are made
//     anew and mixed with the best weights;
//   - when more than k scenarios exceed the limit although every open stage
//     takes, in each scenario apart, the best value among the choices that
//     could still beat the incumbent. That set shrinks with the slack between
//     the node's objective and the incumbent's;
//   - when the same holds with the slack shared between the open stages: what
//     a choice adds to the objective is priced in, and the whole slack given
//     back once (Lagrangian relaxation, Geoffrion 1974).
//
// Rows of the tables are ordered by how hard the scenarios are for a first
// solution, so that k+1 violations show early. Coupling rules narrow the
// parallelism of open stages at every node, and equally coupled stages are
// branched on first; choices that the relaxations rule out at the root are
// dropped, as are those that another choice beats in every scenario and in the
// objective, and can replace under every rule.
//
// The zero value is ready for use. A deadline is that of the context; the
// search then ends with the incumbent and the lower bound proved so far.
type Exact struct{}

// String returns "exact".
func (Exact) String() string { return "exact" }

// Supports accepts every problem.
func (Exact) Supports(*Problem) error { return nil }

// Solve searches the whole space.
func (Exact) Solve(ctx context.Context, p *Problem, _ models.Streams) (Solution, error) {
	allowed, err := p.Allowed()
	if err != nil {
		return Solution{}, err
	}
	interrupted := Solution{Status: LimitHit, Objective: math.NaN(), LowerBound: math.Inf(-1), Reachable: math.NaN(), Enforced: p.Bound.Limit}
	t, err := newTable(ctx, p, p.Bound.Metric == Cost)
	if err != nil {
		return interrupted, nil
	}
	s := newSearch(ctx, t, allowed, p.Bound.Limit)
	s.warmStart()
	complete := s.run()

	solution := interrupted
	solution.LowerBound = s.proved(complete)
	solution.States = s.nodes
	switch {
	case s.incumbent != nil:
		solution.Config = p.Space.Config(s.incumbent)
		solution.Objective = s.best
		if complete {
			solution.Status = Optimal
			solution.LowerBound = s.best
		}
	case complete:
		// Nothing is feasible. The same search, with the limit itself as the
		// objective, finds what could be had.
		r := newSearch(ctx, t, allowed, math.Inf(1))
		r.reach = true
		r.warmStart()
		complete = r.run()
		solution.States += r.nodes
		solution.Status, solution.LowerBound = Infeasible, math.Inf(1)
		if r.incumbent != nil {
			solution.Config = p.Space.Config(r.incumbent)
			solution.Objective = r.objective(r.incumbent)
		}
		if complete {
			solution.Reachable = r.limit
		} else {
			solution.Warnings = append(solution.Warnings, "the search for the best reachable limit was cut short")
		}
	}
	return solution, nil
}
