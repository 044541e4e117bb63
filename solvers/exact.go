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
// one. The package documentation says what is proved and how.
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
	demands, err := p.Demands()
	if err != nil {
		return Solution{}, err
	}
	if p.Plain() != nil {
		a := &aimed{ctx: ctx, problem: p, demands: demands, room: &room{maxBytes / 8}}
		return a.solve(), nil
	}
	if numbers(p) > fine {
		z := &zoom{ctx: ctx, problem: p, allowed: demands[0].Allowed}
		return z.solve()
	}
	return solveWhole(ctx, p, demands[0].Allowed), nil
}

// prove makes a solution the proved optimum of a completed search.
func (o *Solution) prove(s *search) {
	o.Status, o.LowerBound = Optimal, s.best
	if s.reach {
		o.LowerBound = s.limit
	}
	o.Objective = s.economise()
	o.Config = s.space.Config(s.incumbent)
	o.LowerBound = min(o.LowerBound, o.Objective)
}

// solveWhole searches a space whose choices can all be looked at. allowed
// scenarios may exceed the limit.
func solveWhole(ctx context.Context, p *Problem, allowed int) Solution {
	interrupted := Solution{Status: LimitHit, Objective: math.NaN(), LowerBound: math.Inf(-1), Reachable: math.NaN(), Enforced: p.Bound.Limit}
	s := newSearch(ctx, p, allowed, p.Bound.Limit)
	defer s.release()
	s.start()
	complete := s.run()

	solution := interrupted
	solution.LowerBound = s.proved(complete)
	solution.States = s.nodes
	switch {
	case s.incumbent != nil:
		solution.Config = p.Space.Config(s.incumbent)
		solution.Objective = s.best
		if complete {
			solution.prove(s)
		}
	case complete:
		// Nothing is feasible. The same search, with the limit itself as the
		// objective, finds what could be had.
		r := newSearch(ctx, p, allowed, math.Inf(1))
		defer r.release()
		r.reach = true
		r.start()
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
	return solution
}
