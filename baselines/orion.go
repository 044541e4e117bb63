package baselines

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"eevee/models"
	"eevee/solvers"
)

// Orion is "ORION and the three rights" (OSDI'22): the right size of every
// stage's instances by best-first search over the distribution of the
// workflow's latency, the right bundle of parallel workers per instance, and
// the right time to start instances ahead of need. Sources: algorithms.md 2,
// which knows the paper through its artifact's README, notes and two
// re-implementations; what could not be verified there is marked "inferred"
// where it stands.
//
// The latency of the workflow is composed of the recorded latencies of its
// stages, taken as independent of each other: sums by convolution, joins by
// the product of distributions. Order of the rights: sizes and bundles in
// turn, starting times last (unverified).
//
// The bound's rule is not Orion's: it stops at P(latency <= limit) >=
// percentile under its own model, and its answer is judged on the sample like
// any other.
//
// The zero value has all three rights, in the problem's own space.
type Orion struct {
	// Compat does what the Jolteon artifact has for Orion instead, see
	// orionCompat. Of the other settings only Parallelism and FirstTail count
	// then.
	Compat bool

	// NoSizing gives every stage its largest size (inferred: the paper
	// compares with the largest memory for all), NoBundling one worker to every
	// instance, and NoPrewarming leaves starting instances to the platform.
	NoSizing, NoBundling, NoPrewarming bool

	// Independent takes the parallel workers of a stage as independent of
	// each other, F(y)^n. By default their correlation within a run is
	// estimated. Both need single invocations in the profile.
	Independent bool

	// Parallelism of every stage, as Orion does not decide it. nil: Instances
	// are shared out in proportion to the problem's input sizes, as in the
	// Jolteon artifact. Where those are not known, the middle one of the values
	// that the space admits and the profile has, or of the admitted ones. The
	// last two end at the nearest values that the space admits.
	Parallelism []int

	// Instances is the number of instances to share out; 0 means as many as
	// the middle values have together.
	Instances int

	// Steps are the sizes to choose from; the zero value means those of the
	// space.
	Steps OrionSteps

	// Bundles are the numbers of workers per instance that are tried beside 1;
	// nil means 2, 5 and 10 (algorithms.md 2.3).
	Bundles []int

	// PrewarmStep is the step of starting times in s; 0 means 0.1. Draws is
	// how many runs are simulated to judge them; 0 means 10,000 (algorithms.md
	// 2.4 has both).
	PrewarmStep float64
	Draws       int

	// Bin is the width of the bins of distributions in s; 0 means a thousandth
	// of the limit, or a 20,000th of the longest recorded run of the workflow
	// where that is more.
	Bin float64

	// Budget bounds the states that the search looks at; 0 means 50,000.
	Budget int

	// Steepest goes from a state to the one with the lowest percentile of the
	// latency among those with one larger size, and never back, as the Orion
	// artifact simplifies the search.
	Steepest bool

	// FirstTail, with Compat, takes a percentile of Predict where the
	// distribution first reaches it, and not, as the artifact does, from the
	// line through its last two values.
	FirstTail bool
}

// OrionSteps are sizes from From to To MB in steps of Step MB.
type OrionSteps struct{ From, To, Step int }

// OrionOwnSteps are the sizes of the paper: 64 MB steps over the range of AWS
// Lambda in 2022, from the 1000 MB that its artifact starts at.
var OrionOwnSteps = OrionSteps{1000, 10240, 64}

// String gives the sizes as "1000-10240/64".
func (s OrionSteps) String() string { return fmt.Sprintf("%d-%d/%d", s.From, s.To, s.Step) }

// NewOrion returns Orion with the named options: compat, independent, steepest,
// own-steps, no-sizing, no-bundling, no-prewarming, steps=1000-10240/64 in MB,
// and parallelism=1/8/8/1 with one number per stage.
func NewOrion(options ...string) (Orion, error) {
	var o Orion
	if err := readOptions("orion", options, o.options()); err != nil {
		return Orion{}, err
	}
	return o, nil
}

func (o *Orion) options() []option {
	own := option{"own-steps", func(string) error { o.Steps = OrionOwnSteps; return nil }, func() string {
		if o.Steps != OrionOwnSteps {
			return ""
		}
		return "own-steps"
	}}
	steps := option{fmt.Sprintf("steps=%v", OrionOwnSteps), func(value string) error {
		s := &o.Steps
		if _, err := fmt.Sscanf(value, "%d-%d/%d", &s.From, &s.To, &s.Step); err != nil || s.String() != value {
			return fmt.Errorf("want sizes as steps=%v", OrionOwnSteps)
		}
		return nil
	}, func() string {
		if o.Steps == (OrionSteps{}) || o.Steps == OrionOwnSteps {
			return ""
		}
		return "steps=" + o.Steps.String()
	}}
	return []option{
		toggle("compat", &o.Compat), toggle("independent", &o.Independent), toggle("steepest", &o.Steepest), own,
		toggle("no-sizing", &o.NoSizing), toggle("no-bundling", &o.NoBundling), toggle("no-prewarming", &o.NoPrewarming),
		steps, instances((*Instances)(&o.Parallelism)),
	}
}

// String returns "orion" and its options, as "orion:no-bundling:no-prewarming".
func (o Orion) String() string { return nameWith("orion", o.options()) }

// Supports asks for a bound on latency, as the paper has none on cost, and a
// profile with the latencies of warm runs of every stage.
func (o Orion) Supports(p *solvers.Problem) error {
	if err := p.Plain(); err != nil {
		return err
	}
	var err error
	if o.Compat {
		_, err = o.compat(p)
	} else {
		_, err = o.model(p)
	}
	return err
}

// accepts reports whether a problem is of the kind that Orion is for.
func (Orion) accepts(p *solvers.Problem) error {
	if p.Bound.Metric != solvers.Latency {
		return fmt.Errorf("the bound is on %s, and Orion keeps bounds on latency only", p.Bound.Metric)
	}
	if p.Profile == nil {
		return errors.New("the problem comes without a profile, and Orion composes recorded latencies")
	}
	return nil
}

// Solve implements solvers.Method. Only the starting times draw random
// numbers.
func (o Orion) Solve(ctx context.Context, p *solvers.Problem, streams models.Streams) (solvers.Solution, error) {
	if o.Compat {
		c, err := o.compat(p)
		if err != nil {
			return solvers.Solution{}, err
		}
		if ctx.Err() != nil {
			return interrupted(p), nil
		}
		return answerOrion(p, c.search(ctx, p.Bound)), nil
	}
	m, err := o.model(p)
	if err != nil {
		return solvers.Solution{}, err
	}
	if ctx.Err() != nil {
		return interrupted(p), nil
	}
	found := m.rightSizes(ctx, o)
	if found.ended || o.NoPrewarming {
		return answerOrion(p, found), nil
	}
	schedule, warning := m.prewarm(ctx, o, found.state, streams.New("prewarm"))
	found.ended = ctx.Err() != nil
	s := answerOrion(p, found)
	if s.Config == nil {
		return s, nil
	}
	s.Schedule = schedule
	if warning != "" {
		s.Warnings = append(s.Warnings, warning)
	}
	return s, nil
}

// orionFound is what a search ended with.
type orionFound struct {
	config   models.Config // nil where there is none
	state    []int         // config in numbers of the model's options
	met      bool          // under Orion's own model the bound is kept
	ended    bool          // by the budget or the context
	looked   int           // states
	warnings []string
}

// answerOrion turns what a search found into a Solution and judges it on the
// sample; where Orion's own model says otherwise, a warning tells.
func answerOrion(p *solvers.Problem, f orionFound) solvers.Solution {
	s := solvers.Solution{
		Status: solvers.Done, Config: f.config, Warnings: f.warnings, States: f.looked,
		Objective: math.NaN(), LowerBound: math.Inf(-1), Reachable: math.NaN(), Enforced: p.Bound.Limit,
	}
	if f.ended {
		s.Status = solvers.LimitHit
	}
	if f.config == nil {
		return s
	}
	warn := func(format string, args ...any) { s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...)) }
	if !f.met && !f.ended {
		warn("under Orion's own model no configuration keeps the bound; this is the largest size of every stage")
	}
	outcome := p.Evaluate(f.config)
	s.Objective, s.Violations = outcome.Objective, outcome.Violations
	if allowed, err := p.Allowed(); err != nil || outcome.Violations > allowed {
		if f.ended {
			s.Config, s.Objective, s.Violations = nil, math.NaN(), 0 // no incumbent
			return s
		}
		s.Status = solvers.NotFound
		if f.met {
			warn("under Orion's own model the bound is kept, but %d of %d scenarios exceed it and %d may", outcome.Violations, p.Scenarios.Len(), allowed)
		}
	}
	if _, err := p.Space.Locate(f.config); err != nil {
		warn("the answer is outside the space: %v", err)
	}
	return s
}

// Predict returns the given percentiles of the latency of the workflow under
// c, in s, as Orion predicts them from a profile.
func (o Orion) Predict(profile *models.Profile, c models.Config, percentiles ...float64) ([]float64, error) {
	if o.Compat {
		return predictOrionCompat(profile, c, percentiles, o.FirstTail)
	}
	w := profile.Workflow
	if len(c) != w.Len() {
		return nil, fmt.Errorf("orion: a configuration of %d stages for workflow %s of %d", len(c), w.Name(), w.Len())
	}
	latency := make([]atoms, len(c))
	longest := 0.0
	for i := range c {
		curve, err := newOrionCurve(profile, i, c[i].Parallelism*max(1, c[i].Bundle))
		if err != nil {
			return nil, fmt.Errorf("orion: %w", err)
		}
		s := orionStage{curve: curve, workers: c[i].Parallelism * max(1, c[i].Bundle), correlated: !o.Independent}
		latency[i] = s.latency(c[i])
		longest += latency[i][len(latency[i])-1].value
	}
	width := o.Bin
	if width == 0 {
		width = longest / longestBins
	}
	parts := make([]binned, len(c))
	for i, l := range latency {
		parts[i] = l.bin(width)
	}
	end := composed(directParents(w), w.Sinks(), parts)
	var list []float64
	for _, p := range percentiles {
		list = append(list, float64(end.quantile(p/100))*width)
	}
	return list, nil
}

// PredictExecution returns the given percentiles of the time in s that the
// instances of stage i run under c, mean over them, as Orion interpolates it
// between the recorded sizes of a profile. It is what Orion's cost is made of;
// starting an instance is no part of it.
func (Orion) PredictExecution(profile *models.Profile, i int, c models.StageConfig, percentiles ...float64) ([]float64, error) {
	curve, err := newOrionCurve(profile, i, c.Parallelism*max(1, c.Bundle))
	if err != nil {
		return nil, fmt.Errorf("orion: %w", err)
	}
	times := curve.at(curve.size(c), func(r *orionRecord) atoms {
		means := make([]float64, len(r.runs))
		for k, run := range r.runs {
			means[k] = run.mean
		}
		return empirical(means)
	})
	var list []float64
	for _, p := range percentiles {
		list = append(list, times.quantile(p/100))
	}
	return list, nil
}

// directParents returns the parents of every stage without those that another
// parent waits for already: they never end last.
func directParents(w *models.Workflow) [][]int {
	all := make([][]int, w.Len())
	for i := range all {
		all[i] = w.Parents(i)
	}
	return direct(all)
}

// longestBins is into how many bins the longest run is divided at most where
// the width of bins is not given.
const longestBins = 20_000

// check reports what is wrong with the settings.
func (o Orion) check(w *models.Workflow) error {
	switch s := o.Steps; {
	case o.Parallelism != nil && len(o.Parallelism) != w.Len():
		return fmt.Errorf("%d values of parallelism for workflow %s of %d stages", len(o.Parallelism), w.Name(), w.Len())
	case s != (OrionSteps{}) && (s.From < 1 || s.Step < 1 || s.To < s.From):
		return fmt.Errorf("sizes from %d to %d MB in steps of %d are none", s.From, s.To, s.Step)
	case len(o.Bundles) > 0 && slices.Min(o.Bundles) < 1:
		return fmt.Errorf("bundles of %d workers are none", slices.Min(o.Bundles))
	case !(o.Bin >= 0) || !(o.PrewarmStep >= 0) || math.IsInf(o.Bin+o.PrewarmStep, 0):
		return fmt.Errorf("bins of %v s and starting times in steps of %v s are none", o.Bin, o.PrewarmStep)
	case o.Instances < 0 || o.Draws < 0 || o.Budget < 0:
		return fmt.Errorf("%d instances, %d draws and a budget of %d states: none may be negative", o.Instances, o.Draws, o.Budget)
	}
	return nil
}

// composed returns the distribution of the end of the last sink, given that of
// every stage's latency: sums and maxima in topological order.
//
// Stages that share an ancestor are joined as if they did not. Their ends
// ascend together, so that P(latency <= y) is never above its true value.
func composed(parents [][]int, sinks []int, latency []binned) binned {
	ends := make([]binned, len(latency))
	join := func(stages []int) binned {
		b := ends[stages[0]]
		for _, i := range stages[1:] {
			b = b.latest(ends[i])
		}
		return b
	}
	for i, l := range latency {
		ends[i] = l
		if len(parents[i]) > 0 {
			ends[i] = join(parents[i]).plus(l)
		}
	}
	return join(sinks)
}
