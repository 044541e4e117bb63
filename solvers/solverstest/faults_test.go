package solverstest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"eevee/models"
	"eevee/solvers"
)

// solve is the shape of a method's Solve.
type solve func(ctx context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error)

// tampered is a method that is right up to what is done to it.
type tampered struct {
	solve    solve
	supports func(p *solvers.Problem) error
}

func (tampered) String() string { return "tampered" }

func (m tampered) Supports(p *solvers.Problem) error {
	if m.supports == nil {
		return p.Plain()
	}
	return m.supports(p)
}

func (m tampered) Solve(ctx context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error) {
	return m.solve(ctx, p, streams)
}

// proving is a method that proves.
func proving(ctx context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error) {
	return solvers.Exact{}.Solve(ctx, p, streams)
}

// modest finds as much as proving, and claims no more than a heuristic can.
func modest(ctx context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error) {
	s, err := proving(ctx, p, streams)
	if s.Config != nil {
		s.Violations = p.Evaluate(s.Config).Violations
	}
	s.LowerBound, s.Reachable = math.Inf(-1), math.NaN()
	switch s.Status {
	case solvers.Optimal:
		s.Status = solvers.Done
	case solvers.Infeasible:
		s.Status = solvers.NotFound
	}
	return s, err
}

// then lets change have the last word on the solutions of a method, except for
// cancelled ones.
func then(inner solve, change func(p *solvers.Problem, s *solvers.Solution)) solve {
	return func(ctx context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error) {
		s, err := inner(ctx, p, streams)
		if err == nil && s.Status != solvers.LimitHit {
			change(p, &s)
		}
		return s, err
	}
}

// loosened solves a problem with 1.5 times the limit.
func loosened(p *solvers.Problem, s *solvers.Solution) {
	wider, err := solvers.NewProblem(p.Space, p.Scenarios, p.Bound)
	must(err)
	wider.Bound.Limit *= 1.5
	found, err := modest(context.Background(), wider, models.Streams{})
	must(err)
	*s = found
	s.Enforced = p.Bound.Limit
	if s.Config != nil {
		s.Violations = p.Evaluate(s.Config).Violations
	}
}

var runs int // of the method that counts them

// faults are methods with the checks that must complain about them, no more
// and no less.
var faults = []struct {
	name   string
	method tampered
	traits Traits
	want   string
}{
	{"right", tampered{solve: modest}, Traits{}, ""},
	{"right and proving", tampered{solve: proving}, Traits{Proves: true}, ""},

	{"refuses everything", tampered{solve: modest, supports: func(*solvers.Problem) error { return errors.New("not today") }}, Traits{}, "supports"},
	{"refuses without a reason", tampered{solve: modest, supports: func(p *solvers.Problem) error {
		if p.Plain() == nil && p.Bound.Metric == solvers.Cost {
			return errors.New("")
		}
		return p.Plain()
	}}, Traits{}, "supports"},
	{"fails at what it supports", tampered{solve: func(ctx context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error) {
		if p.Bound.Metric == solvers.Cost {
			return solvers.Solution{}, errors.New("cost")
		}
		return modest(ctx, p, streams)
	}}, Traits{}, "supports"},

	{"moves the limit", tampered{solve: then(modest, func(p *solvers.Problem, _ *solvers.Solution) { p.Bound.Limit *= 2 })}, Traits{}, "untouched"},
	{"changes a choice", tampered{solve: then(modest, func(p *solvers.Problem, _ *solvers.Solution) { p.Space.Choices(1)[0].Memory++ })}, Traits{}, "untouched"},
	{"changes the problem when asked whether it supports it", tampered{solve: modest, supports: func(p *solvers.Problem) error {
		p.InputBytes = append(p.InputBytes, 1)
		return p.Plain()
	}}, Traits{}, "untouched"},

	{"leaves the space", tampered{solve: then(modest, func(p *solvers.Problem, s *solvers.Solution) {
		s.Config[1].Memory++
		o := p.Evaluate(s.Config)
		s.Objective, s.Violations = o.Objective, o.Violations
		if allowed, err := p.Allowed(); err == nil && o.Violations > allowed {
			s.Status = solvers.NotFound
		}
	})}, Traits{}, "space"},
	{"leaves the space as it may", tampered{solve: then(modest, func(p *solvers.Problem, s *solvers.Solution) {
		s.Config[1].Memory++
		o := p.Evaluate(s.Config)
		s.Objective, s.Violations = o.Objective, o.Violations
		if allowed, err := p.Allowed(); err == nil && o.Violations > allowed {
			s.Status = solvers.NotFound
		}
	})}, Traits{OwnSpace: true}, ""},
	{"forgets a stage", tampered{solve: then(modest, func(_ *solvers.Problem, s *solvers.Solution) {
		s.Config = s.Config[:2]
		s.Status = solvers.NotFound
	})}, Traits{}, "space"},

	{"says a wrong objective", tampered{solve: then(modest, func(_ *solvers.Problem, s *solvers.Solution) { s.Objective *= 1.1 })}, Traits{}, "figures"},
	{"says wrong violations", tampered{solve: then(modest, func(_ *solvers.Problem, s *solvers.Solution) { s.Violations++ })}, Traits{}, "figures"},
	{"claims to beat exact", tampered{solve: then(modest, func(_ *solvers.Problem, s *solvers.Solution) { s.Objective *= 0.9 })}, Traits{}, "figures optimum"},
	{"proves a bound that is too high", tampered{solve: then(proving, func(_ *solvers.Problem, s *solvers.Solution) { s.LowerBound *= 1.01 })}, Traits{Proves: true}, "optimum"},
	{"calls the largest configuration optimal", tampered{solve: then(proving, func(p *solvers.Problem, s *solvers.Solution) {
		if s.Status != solvers.Optimal || p.Bound.Metric != solvers.Latency {
			return
		}
		for i := range s.Config { // rules look at parallelism only
			largest := s.Config[i]
			for _, c := range p.Space.Choices(i) {
				if c.Parallelism == s.Config[i].Parallelism {
					largest = c
				}
			}
			s.Config[i] = largest
		}
		s.Objective = p.Evaluate(s.Config).Objective
	})}, Traits{Proves: true}, "optimum risk"},

	{"loosens without a word", tampered{solve: then(modest, loosened)}, Traits{}, "loosening"},
	{"loosens without a warning", tampered{solve: then(modest, func(p *solvers.Problem, s *solvers.Solution) {
		loosened(p, s)
		s.Enforced *= 1.5
	})}, Traits{}, "loosening"},
	{"loosens and says so", tampered{solve: then(modest, func(p *solvers.Problem, s *solvers.Solution) {
		loosened(p, s)
		s.Enforced *= 1.5
		s.Warnings = []string{"the limit was widened"}
	})}, Traits{}, ""},

	{"calls infeasible what it did not find", tampered{solve: then(modest, func(_ *solvers.Problem, s *solvers.Solution) {
		if s.Status == solvers.NotFound {
			s.Status = solvers.Infeasible
		}
	})}, Traits{}, "status"},
	{"calls optimal what it guessed", tampered{solve: then(modest, func(_ *solvers.Problem, s *solvers.Solution) {
		if s.Status == solvers.Done {
			s.Status = solvers.Optimal
		}
	})}, Traits{}, "status"},
	{"does not see what it found", tampered{solve: then(modest, func(_ *solvers.Problem, s *solvers.Solution) { s.Status = solvers.NotFound })}, Traits{}, "status"},
	{"does not prove", tampered{solve: modest}, Traits{Proves: true}, "status"},

	{"counts its runs", tampered{solve: then(modest, func(_ *solvers.Problem, s *solvers.Solution) {
		runs++
		s.Warnings = append(s.Warnings, fmt.Sprint("run ", runs))
	})}, Traits{}, "seed"},
	{"looks at its process", tampered{solve: then(modest, func(_ *solvers.Problem, s *solvers.Solution) {
		s.Warnings = append(s.Warnings, fmt.Sprint("process ", os.Getpid()))
	})}, Traits{}, "process"},

	{"goes on when cancelled", tampered{solve: func(_ context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error) {
		return modest(context.Background(), p, streams)
	}}, Traits{}, "cancel"},
	{"fails when cancelled", tampered{solve: func(ctx context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error) {
		s, err := modest(ctx, p, streams)
		return s, errors.Join(err, ctx.Err())
	}}, Traits{}, "cancel"},
	{"pays more for more risk", tampered{solve: func(ctx context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error) {
		if p.Bound.Percentile != 50 {
			return proving(ctx, p, streams)
		}
		tighter, err := solvers.NewProblem(p.Space, p.Scenarios, p.Bound)
		must(err)
		tighter.Bound.Percentile = 99
		return proving(ctx, tighter, streams)
	}}, Traits{Proves: true}, "risk"},

	{"ignores what else is asked", tampered{solve: modest, supports: func(*solvers.Problem) error { return nil }}, Traits{}, "aims"},
	{"refuses what else is asked without a reason", tampered{solve: modest, supports: func(p *solvers.Problem) error {
		if p.Plain() != nil {
			return errors.New("")
		}
		return nil
	}}, Traits{}, "aims"},
	{"claims to do what else is asked", tampered{solve: func(ctx context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error) {
		plain, err := solvers.NewProblem(p.Space, p.Scenarios, solvers.Bound{
			Metric: p.Bound.Metric, Limit: p.Bound.Limit, Percentile: p.Bound.Percentile, Confidence: p.Bound.Confidence, Rule: p.Bound.Rule,
		})
		must(err)
		return proving(ctx, plain, streams)
	}, supports: func(*solvers.Problem) error { return nil }}, Traits{Proves: true, Aims: true}, "aims"},
	{"refuses what it claims to do", tampered{solve: proving}, Traits{Proves: true, Aims: true}, "aims"},
}

// complaints counts what a check complains about.
type complaints []string

func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

// Every check can fail: it does for the methods that are wrong in its respect,
// and for no others.
func TestEveryCheckCanFail(t *testing.T) {
	failed := map[string]bool{}
	for _, f := range faults {
		if testing.Short() && f.want != "" && f.want != "process" && f.want != "cancel" {
			continue // the others have no part in what runs beside the test
		}
		t.Run(f.name, func(t *testing.T) {
			s := &subject{fresh: func() solvers.Method { return f.method }, traits: f.traits, test: t.Name()}
			for _, c := range Cases() {
				// One per metric, and what is infeasible of them: quick, and
				// enough for these faults.
				if strings.HasPrefix(c.Name, "random 0") || strings.HasPrefix(c.Name, "random 1") {
					s.cases = append(s.cases, c)
				}
			}
			if s.isOtherProcess() {
				if err := s.answerParent(); err != nil {
					t.Fatal(err)
				}
				return
			}
			var got []string
			said := map[string]complaints{}
			for _, c := range checks {
				var r complaints
				c.run(&r, s)
				if len(r) > 0 {
					got = append(got, c.name)
					said[c.name] = r
					failed[c.name] = true
				}
			}
			if want := strings.Fields(f.want); !slices.Equal(got, want) {
				t.Errorf("failed %q, want %q", got, want)
				for _, name := range got {
					t.Logf("%s: %s", name, said[name][0])
				}
			}
		})
	}
	if os.Getenv(testVariable) != "" || testing.Short() {
		return
	}
	for _, c := range checks {
		if !failed[c.name] {
			t.Errorf("no wrong method fails the check %q", c.name)
		}
	}
}

// The problems of the suite are what their names say, judged by enumeration
// where that is quick.
func TestCases(t *testing.T) {
	rules, reads, sinks, certified := 0, 0, 0, 0
	for _, c := range Cases() {
		p := c.New()
		want := solvers.Optimal
		if strings.Contains(c.Name, "infeasible") {
			want = solvers.Infeasible
		}
		var judge solvers.Method = solvers.Exhaustive{MaxConfigs: 10_000}
		if judge.Supports(p) != nil {
			judge = solvers.Exact{}
		}
		s, err := judge.Solve(context.Background(), p, models.Streams{})
		if err != nil || s.Status != want {
			t.Errorf("%s: %s, error %v", c.Name, s.Status, err)
		}
		if len(p.Space.Rules()) > 0 {
			rules++
		}
		for i := range p.Workflow().Len() {
			if p.Scenarios.ReadsInput(i) {
				reads++
				break
			}
		}
		if len(p.Workflow().Sinks()) > 1 {
			sinks++
		}
		if p.Bound.Rule == solvers.Certified {
			certified++
		}
	}
	if rules == 0 || reads == 0 || sinks == 0 || certified == 0 {
		t.Errorf("%d problems with rules, %d that read the input parallelism, %d with several sinks, %d certified", rules, reads, sinks, certified)
	}
}
