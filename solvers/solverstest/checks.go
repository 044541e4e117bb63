package solverstest

import (
	"context"
	"math"
	"strings"
	"sync"
	"time"

	"eevee/models"
	"eevee/solvers"
)

// A refusal is one line that says why, and stays one; what is not refused is
// answered without an error. A method that refuses every problem of the suite
// has not been tested.
func checkSupports(r Recorder, s *subject) {
	var last error
	for _, c := range s.cases {
		first, again := s.fresh().Supports(c.New()), s.fresh().Supports(c.New())
		if (first == nil) != (again == nil) {
			r.Errorf("%s: supported or not, by turns: %v, %v", c.Name, first, again)
		}
		if first == nil {
			continue
		}
		last = first
		if text := first.Error(); strings.TrimSpace(text) == "" || strings.Contains(text, "\n") {
			r.Errorf("%s: the reason of the refusal, %q, is not one line", c.Name, text)
		}
	}
	for _, a := range s.first() {
		if a.err != nil {
			r.Errorf("%s: supported, and then: %v", a.Case.Name, a.err)
		}
	}
	if len(s.first()) == 0 {
		r.Errorf("every problem of the suite is refused; the last one: %v", last)
	}
}

// Neither Supports nor Solve leaves a trace in the problem.
func checkUntouched(r Recorder, s *subject) {
	for _, a := range s.first() {
		was, is := strings.Split(a.before, "\n"), strings.Split(a.after, "\n")
		for i := range was {
			if i < len(is) && was[i] != is[i] {
				r.Errorf("%s: the problem was changed from %.200s to %.200s", a.Case.Name, was[i], is[i])
			}
		}
	}
}

func checkSpace(r Recorder, traits Traits, a answer) {
	if a.solution.Config == nil {
		return
	}
	w := a.problem.Workflow()
	if len(a.solution.Config) != w.Len() {
		r.Errorf("%s: a configuration of %d stages for %d", a.name(), len(a.solution.Config), w.Len())
		return
	}
	if !traits.OwnSpace {
		if _, err := a.problem.Space.Locate(a.solution.Config); err != nil {
			r.Errorf("%s: %v", a.name(), err)
		}
		return
	}
	for i, c := range a.solution.Config {
		limit := w.Stage(i).MaxParallelism
		if c.Memory < 1 || !(c.VCPU > 0) || c.Parallelism < 1 || limit > 0 && c.Parallelism > limit {
			r.Errorf("%s: stage %s cannot run as %v", a.name(), w.Stage(i).Name, c)
		}
	}
}

// What a solution says about its configuration is true.
func checkFigures(r Recorder, _ Traits, a answer) {
	if a.solution.Config == nil {
		if a.solution.Status == solvers.Done || a.solution.Status == solvers.Optimal {
			r.Errorf("%s: without a configuration", a.name())
		}
		return
	}
	if a.outcome.Latency == nil || a.solution.Status == solvers.Infeasible {
		return // checkSpace; the closest miss
	}
	if !same(a.solution.Objective, a.outcome.Objective) {
		r.Errorf("%s: says an objective of %v, which is %v", a.name(), a.solution.Objective, a.outcome.Objective)
	}
	if a.solution.Status != solvers.Optimal && a.solution.Violations != a.outcome.Violations {
		r.Errorf("%s: says %d violations, which are %d", a.name(), a.solution.Violations, a.outcome.Violations)
	}
}

// Whoever keeps another limit than the problem's says so, in the field and in
// words; whoever calls a broken bound done has loosened it.
func checkLoosening(r Recorder, _ Traits, a answer) {
	s, limit := a.solution, a.problem.Bound.Limit
	if !(s.Enforced > 0) {
		r.Errorf("%s: an enforced limit of %v", a.name(), s.Enforced)
		return
	}
	if s.Enforced != limit && len(s.Warnings) == 0 {
		r.Errorf("%s: the enforced limit is %v and not %v, without a warning", a.name(), s.Enforced, limit)
	}
	if ended := s.Status == solvers.Done || s.Status == solvers.Optimal; ended && !a.feasible() && !(s.Enforced > limit) {
		r.Errorf("%s: %d scenarios exceed the limit and %d may, but no loosened limit is reported", a.name(), a.outcome.Violations, a.allowed)
	}
}

// Only a proof may be called optimal or infeasible, and only a true one.
func checkStatus(r Recorder, traits Traits, a answer) {
	truth := a.optimum.Status
	switch s := a.solution; s.Status {
	case solvers.Optimal, solvers.Infeasible:
		if !traits.Proves {
			r.Errorf("%s: from a method that proves nothing", a.name())
		} else if s.Status != truth {
			r.Errorf("%s: is %s", a.name(), truth)
		}
		if s.Status == solvers.Infeasible && truth == solvers.Infeasible && !same(s.Reachable, a.optimum.Reachable) {
			r.Errorf("%s: says that %v is reachable, which %v is", a.name(), s.Reachable, a.optimum.Reachable)
		}
	case solvers.Done:
		if traits.Proves {
			r.Errorf("%s: nothing is proved, by a method that proves", a.name())
		}
	case solvers.NotFound:
		if traits.Proves {
			r.Errorf("%s: nothing is proved, by a method that proves", a.name())
		}
		if a.feasible() {
			r.Errorf("%s: with a configuration that keeps the bound", a.name())
		}
	case solvers.LimitHit:
		if s.Config != nil && !a.feasible() {
			r.Errorf("%s: the incumbent breaks the bound, %d violations of %d", a.name(), a.outcome.Violations, a.allowed)
		}
	default:
		r.Errorf("%s: is no status", a.name())
	}
}

// What keeps the bound in the same space on the same sample is not better than
// the best there is: else one of the two methods is wrong. Nor may a lower bound
// be above it.
func checkOptimum(r Recorder, traits Traits, a answer) {
	if a.optimum.Status != solvers.Optimal {
		return
	}
	best := a.optimum.Objective
	slack := 1e-9 * math.Abs(best)
	if a.solution.LowerBound > best+slack {
		r.Errorf("%s: the lower bound %v is above the optimum %v", a.name(), a.solution.LowerBound, best)
	}
	if a.solution.Config == nil {
		return
	}
	inside := false
	if len(a.solution.Config) == a.problem.Workflow().Len() {
		_, err := a.problem.Space.Locate(a.solution.Config)
		inside = err == nil
	}
	// What is claimed counts as well as what is true of the configuration.
	if inside && a.feasible() && min(a.solution.Objective, a.outcome.Objective) < best-slack {
		r.Errorf("%s: the objective %v is below the optimum %v", a.name(), a.solution.Objective, best)
	}
	if traits.Proves && !(a.solution.Objective <= best+slack) {
		r.Errorf("%s: the objective %v is above the optimum %v", a.name(), a.solution.Objective, best)
	}
}

// The same seed gives the same answer, from the same value of a method and from
// another one.
func checkSeed(r Recorder, s *subject) {
	for _, a := range s.answered() {
		m := s.fresh()
		for i, m := range []solvers.Method{m, m} {
			solution, err := m.Solve(context.Background(), a.New(), streams)
			if text := fingerprint(solution); err != nil || text != fingerprint(a.solution) {
				r.Errorf("%s: again (%d): %.300s, error %v; the first answer was %.300s", a.Case.Name, i+1, text, err, fingerprint(a.solution))
			}
		}
	}
}

// countdown is a context that is cancelled when it has been looked at for the
// given number of times, so that a search ends in its midst without a clock.
type countdown struct {
	context.Context
	cancel context.CancelFunc
	mu     sync.Mutex
	left   int
}

func newCountdown(looks int) *countdown {
	ctx, cancel := context.WithCancel(context.Background())
	c := &countdown{Context: ctx, cancel: cancel, left: looks}
	if looks == 0 {
		cancel()
	}
	return c
}

func (c *countdown) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left <= 0 {
		c.cancel()
	}
}

// Err counts as a look.
func (c *countdown) Err() error { c.look(); return c.Context.Err() }

// Done counts as a look.
func (c *countdown) Done() <-chan struct{} { c.look(); return c.Context.Done() }

// patience is how long a cancelled search may take. It tells a search that
// ends from one that goes on, and says nothing about speed.
const patience = time.Minute

// A search that is cancelled before it begins ends with LimitHit; one that is
// cancelled later has either ended before, or says LimitHit too. An incumbent
// keeps the bound.
func checkCancel(r Recorder, s *subject) {
	for _, a := range s.answered() {
		for _, looks := range []int{0, 1, 3, 30, 300} {
			solution, ended, err := s.solveWithin(newCountdown(looks), a.Case)
			switch {
			case !ended:
				r.Errorf("%s: cancelled after %d looks, it goes on for %v", a.Case.Name, looks, patience)
				return
			case err != nil:
				r.Errorf("%s: cancelled after %d looks: error %v", a.Case.Name, looks, err)
			case solution.Status == solvers.LimitHit:
				if solution.Config != nil && a.New().Evaluate(solution.Config).Violations > a.allowed {
					r.Errorf("%s: cancelled after %d looks, the incumbent breaks the bound", a.Case.Name, looks)
				}
			case looks == 0 || solution.Status != a.solution.Status || solution.Config.String() != a.solution.Config.String():
				r.Errorf("%s: cancelled after %d looks, it says %s", a.Case.Name, looks, solution.Status)
			}
		}
	}
}

func (s *subject) solveWithin(ctx *countdown, c Case) (solution solvers.Solution, ended bool, err error) {
	defer ctx.cancel()
	type result struct {
		solution solvers.Solution
		err      error
	}
	done := make(chan result, 1)
	go func() {
		solution, err := s.fresh().Solve(ctx, c.New(), streams)
		done <- result{solution, err}
	}()
	select {
	case r := <-done:
		return r.solution, true, r.err
	case <-time.After(patience):
		return solvers.Solution{}, false, nil
	}
}

// Where optimality is proved, a looser percentile of the same sample never
// costs more, and what was feasible stays so.
func checkRisk(r Recorder, s *subject) {
	if !s.traits.Proves {
		return
	}
	for _, c := range s.cases {
		last := math.Inf(1)
		for _, percentile := range []float64{99, 95, 90, 75, 50} {
			p := c.New()
			p.Bound.Percentile = percentile
			if s.fresh().Supports(p) != nil {
				continue
			}
			if _, err := p.Allowed(); err != nil {
				continue // too few scenarios to certify this percentile
			}
			solution, err := s.fresh().Solve(context.Background(), p, models.Streams{})
			if err != nil {
				r.Errorf("%s: percentile %v: %v", c.Name, percentile, err)
				continue
			}
			objective := math.Inf(1)
			if solution.Status == solvers.Optimal {
				objective = solution.Objective
			}
			if objective > last*(1+1e-9) {
				r.Errorf("%s: percentile %v costs %v, more than a tighter one, %v", c.Name, percentile, objective, last)
			}
			last = objective
		}
	}
}

// An aim with more in it than one percentile of one metric is refused with a
// reason, in one line, by whoever is not made for it: a bound that is ignored is
// worse than none. Whoever is made for it finds what an enumeration of the space
// finds.
func checkAims(r Recorder, s *subject) {
	for _, c := range aimCases() {
		m, p := s.fresh(), c.New()
		refusal := m.Supports(p)
		if !s.traits.Aims {
			if refusal == nil {
				r.Errorf("%s: supported, by a method that is for one percentile of one metric", c.Name)
			} else if text := refusal.Error(); strings.TrimSpace(text) == "" || strings.Contains(text, "\n") {
				r.Errorf("%s: the reason of the refusal, %q, is not one line", c.Name, text)
			}
			continue
		}
		if refusal != nil {
			r.Errorf("%s: refused: %v", c.Name, refusal)
			continue
		}
		was := snapshot(p)
		got, err := m.Solve(context.Background(), p, streams)
		if err != nil {
			r.Errorf("%s: %v", c.Name, err)
			continue
		}
		if snapshot(p) != was {
			r.Errorf("%s: the problem was changed", c.Name)
		}
		want, err := solvers.Exhaustive{}.Solve(context.Background(), c.New(), streams)
		must(err)
		switch {
		case got.Status != want.Status:
			r.Errorf("%s: %s is %s", c.Name, got.Status, want.Status)
		case want.Status == solvers.Infeasible:
			if !same(got.Reachable, want.Reachable) {
				r.Errorf("%s: says that %v is reachable, which %v is", c.Name, got.Reachable, want.Reachable)
			}
		default:
			o := c.New().Evaluate(got.Config)
			if keeps, err := p.Keeps(o); err != nil || !keeps {
				r.Errorf("%s: the answer breaks a bound (%v)", c.Name, err)
			}
			if !same(got.Objective, want.Objective) || !same(o.Objective, want.Objective) {
				r.Errorf("%s: says an objective of %v, which is %v; the optimum is %v", c.Name, got.Objective, o.Objective, want.Objective)
			}
		}
	}
}
