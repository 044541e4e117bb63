package baselines

import (
	"fmt"
	"math"

	"eevee/models"
	"eevee/solvers"
)

// contest keeps the best of the configurations that a search evaluates, and
// the closest miss while none keeps the bound.
type contest struct {
	problem *solvers.Problem
	allowed int

	best    models.Config
	outcome solvers.Outcome // of best

	closest models.Config
	missed  solvers.Outcome // of closest
	reached float64         // the limit that closest keeps
}

func newContest(p *solvers.Problem) (*contest, error) {
	allowed, err := p.Allowed()
	if err != nil {
		return nil, err
	}
	return &contest{problem: p, allowed: allowed, reached: math.Inf(1)}, nil
}

// try evaluates c and reports whether it keeps the bound.
func (t *contest) try(c models.Config) (o solvers.Outcome, kept bool) {
	o = t.problem.Evaluate(c)
	if o.Violations > t.allowed {
		if limit := t.reach(o); t.closest == nil || limit < t.reached {
			t.closest, t.missed, t.reached = c, o, limit
		}
		return o, false
	}
	if t.best == nil || o.Objective < t.outcome.Objective {
		t.best, t.outcome = c, o
	}
	return o, true
}

// reach returns the limit that an outcome keeps.
func (t *contest) reach(o solvers.Outcome) float64 {
	return solvers.OrderStatistic(o.Bounded(t.problem.Bound.Metric), t.allowed)
}

// solution ends a search that was cancelled or not: with the best, else with
// the closest miss.
func (t *contest) solution(cancelled bool) solvers.Solution {
	s := interrupted(t.problem)
	if t.best != nil {
		s.Config, s.Objective, s.Violations = t.best, t.outcome.Objective, t.outcome.Violations
	}
	if cancelled {
		return s
	}
	s.Status = solvers.Done
	if t.best == nil {
		s.Status = solvers.NotFound
		s.Config, s.Objective, s.Violations = t.closest, t.missed.Objective, t.missed.Violations
		metric := t.problem.Bound.Metric
		s.Warnings = append(s.Warnings, fmt.Sprintf("none of the configurations that were looked at keeps the %s bound; the closest keeps a limit of %.6g %s",
			metric, t.reached, metric.Unit()))
	}
	return s
}

// answer is solution with c, whose outcome is o, in the place of the best: for
// systems that answer with where they ended, not with the best they have seen.
func (t *contest) answer(c models.Config, o solvers.Outcome) solvers.Solution {
	t.best, t.closest = nil, nil
	if o.Violations <= t.allowed {
		t.best, t.outcome = c, o
	} else {
		t.closest, t.missed, t.reached = c, o, t.reach(o)
	}
	return t.solution(false)
}
