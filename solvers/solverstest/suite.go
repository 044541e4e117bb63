package solverstest

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"eevee/models"
	"eevee/solvers"
)

// Traits are what a method may do, or must do, that others must not.
type Traits struct {
	// OwnSpace lets answers lie outside the problem's space, as those of
	// systems that come with sizes of their own.
	OwnSpace bool

	// Proves is a method that answers every problem it supports with the
	// optimum of the space, or with a proof that nothing keeps the bound.
	Proves bool

	// Aims is a method that proves under every Aim: joint bounds, several of
	// them, CVaR, and a percentile to minimise. All others refuse them.
	Aims bool
}

// Recorder is what the checks ask of a test.
type Recorder interface {
	Errorf(format string, args ...any)
}

// Run runs the suite for the methods that fresh makes: one for every problem.
// It calls t.Run for every check. The test t is run again in another process,
// where it must come to the same call of Run. With -short a few of the problems
// have to do.
func Run(t *testing.T, fresh func() solvers.Method, traits Traits) {
	t.Helper()
	s := &subject{fresh: fresh, traits: traits, test: t.Name(), cases: Cases()}
	if testing.Short() {
		s.cases = slices.DeleteFunc(s.cases, func(c Case) bool { return !c.quick })
	}
	if s.isOtherProcess() {
		if err := s.answerParent(); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { c.run(t, s) })
	}
}

// check is one demand of the suite.
type check struct {
	name string
	run  func(r Recorder, s *subject)
}

var checks = []check{
	{"supports", checkSupports},
	{"untouched", checkUntouched},
	{"space", perAnswer(checkSpace)},
	{"figures", perAnswer(checkFigures)},
	{"loosening", perAnswer(checkLoosening)},
	{"status", perAnswer(checkStatus)},
	{"optimum", perAnswer(checkOptimum)},
	{"seed", checkSeed},
	{"process", checkProcess},
	{"cancel", checkCancel},
	{"risk", checkRisk},
	{"aims", checkAims},
}

// subject is a method under test.
type subject struct {
	fresh  func() solvers.Method
	traits Traits
	test   string // the name by which another process finds the same subject
	cases  []Case

	once    sync.Once
	answers []answer
}

// answer is what a method made of one case it supports, in its first run.
type answer struct {
	Case
	before, after string // the problem
	err           error
	solution      solvers.Solution
	problem       *solvers.Problem // another one, which the method has not seen
	outcome       solvers.Outcome  // of the configuration, on that
	allowed       int              // scenarios that may exceed the limit
	optimum       solvers.Solution
}

// name describes the answer in a complaint.
func (a answer) name() string { return fmt.Sprintf("%s: %s", a.Case.Name, a.solution.Status) }

// feasible reports whether the answer keeps the bound on the sample.
func (a answer) feasible() bool {
	return a.outcome.Latency != nil && a.outcome.Violations <= a.allowed
}

// streams are the random streams that every method of the suite is given.
var streams = models.Streams{Seed: 7}

// first returns the answers to the cases that the method supports, those that
// are errors among them.
func (s *subject) first() []answer {
	s.once.Do(func() {
		for _, c := range s.cases {
			if s.fresh().Supports(c.New()) == nil {
				s.answers = append(s.answers, s.answer(c))
			}
		}
	})
	return s.answers
}

// answered returns the answers without the errors, which are the business of
// the check "supports".
func (s *subject) answered() []answer {
	return slices.DeleteFunc(slices.Clone(s.first()), func(a answer) bool { return a.err != nil })
}

// perAnswer makes a check of what is asked of every single answer.
func perAnswer(check func(r Recorder, traits Traits, a answer)) func(Recorder, *subject) {
	return func(r Recorder, s *subject) {
		for _, a := range s.answered() {
			check(r, s.traits, a)
		}
	}
}

func (s *subject) answer(c Case) answer {
	given, own := c.New(), c.New()
	a := answer{Case: c, before: snapshot(given), problem: own, optimum: optimum(c)}
	m := s.fresh()
	if a.err = m.Supports(given); a.err == nil {
		a.solution, a.err = m.Solve(context.Background(), given, streams)
	}
	a.after = snapshot(given)
	var err error
	a.allowed, err = own.Allowed()
	must(err)
	if a.solution.Config != nil && len(a.solution.Config) == own.Workflow().Len() {
		a.outcome = own.Evaluate(a.solution.Config)
	}
	return a
}

var (
	optimaMu sync.Mutex
	optima   = map[string]solvers.Solution{}
)

// optimum returns what Exact proves about a case.
func optimum(c Case) solvers.Solution {
	optimaMu.Lock()
	defer optimaMu.Unlock()
	if s, ok := optima[c.Name]; ok {
		return s
	}
	s, err := solvers.Exact{}.Solve(context.Background(), c.New(), models.Streams{})
	must(err)
	optima[c.Name] = s
	return s
}

// fingerprint returns a solution in words that are the same if and only if it is,
// down to the last bit of its numbers.
func fingerprint(s solvers.Solution) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v", s.Status, s.Config)
	for _, c := range s.Config {
		fmt.Fprintf(&b, " %d/%d", c.Processes, c.Bundle)
	}
	exact := func(list ...float64) {
		for _, x := range list {
			b.WriteString(" " + strconv.FormatFloat(x, 'x', -1, 64))
		}
	}
	exact(s.Objective, s.LowerBound, s.Reachable, s.Enforced)
	fmt.Fprintf(&b, " %d %q", s.Violations, s.Warnings)
	if s.Schedule != nil {
		b.WriteString(" launch")
		exact(s.Schedule.Launch...)
		b.WriteString(" prewarm")
		exact(s.Schedule.Prewarm...)
	}
	return b.String()
}

// same reports whether two figures of one configuration are the same but for
// the order of summation.
func same(a, b float64) bool {
	return a == b || math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
}

// snapshot is everything that a problem holds, as text; what is too large to
// print is represented by what it does.
func snapshot(p *solvers.Problem) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%p %p %p %p\n%+v\n%v\n", p.Space, p.Scenarios, p.Profile, p.Model, p.Aim, p.InputBytes)
	w := p.Workflow()
	smallest := make(models.Config, w.Len())
	for i := range w.Len() {
		fmt.Fprintf(&b, "%+v\n", p.Space.Choices(i))
		smallest[i] = p.Space.Choices(i)[0]
		if p.Profile != nil {
			fmt.Fprintf(&b, "%+v\n", p.Profile.Stage(i))
		}
	}
	fmt.Fprintf(&b, "%+v %v\n", p.Space.Rules(), new(big.Int).Set(p.Space.Size()))
	latency, cost := p.Scenarios.Outcomes(smallest)
	fmt.Fprintf(&b, "%v %v", latency, cost)
	return b.String()
}
