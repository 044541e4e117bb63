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

// Ditto is the parallelism of Ditto (SIGCOMM'23) for a workflow of functions:
// a total number of instances of one size, divided so that either the
// completion time or the cost is least under a/d + b times. Functions share no
// memory, so there is nothing to group; DittoScheduler has the rest of the
// paper, for jobs on servers.
//
// The total and the size are not Ditto's to decide, and it looks at no bound.
// An answer that does not keep it says so. Stages are launched so early that
// the start of their containers overlaps with the stages before, as its copy of
// NIMBLE does.
type Ditto struct {
	// Objective is solvers.Latency ("Ditto-L") or solvers.Cost ("Ditto-C");
	// "" means the objective of the problem.
	Objective solvers.Metric

	// Total is the number of instances to divide, VCPU the size of each. 0
	// means what the Jolteon artifact runs for its workflows; else, which is
	// our choice, the largest that the space admits for the completion time,
	// added up over stages, and the smallest for the cost.
	Total int
	VCPU  float64

	// Own leaves the problem's space: the answer is rounded as the Jolteon
	// artifact does for its workflows, and not at all for others. The default
	// is the nearest configuration that the space admits.
	Own bool

	// Divisible gives instances for divisible time only: a stage that cannot
	// be split has no part, nor has a time whose a was fitted below zero. By
	// default both count with the absolute value of a while instances are
	// divided, and stages that cannot be split lose their part afterwards, as
	// in the Jolteon artifact; the paper's models have neither.
	Divisible bool

	// Compat fits every workflow against the configurations of the profile of
	// ml, as the Jolteon artifact does by mistake (reference section 7, 17).
	Compat bool
}

// NewDitto returns the method with the given options: "latency", "cost",
// "own", "divisible", "compat", total=N and vcpu=X.
func NewDitto(options ...string) (Ditto, error) {
	var d Ditto
	if err := readOptions("ditto", options, d.options()); err != nil {
		return Ditto{}, err
	}
	return d, nil
}

func (d *Ditto) options() []option {
	return append(oneOf(&d.Objective, solvers.Latency, solvers.Cost),
		toggle("own", &d.Own), toggle("divisible", &d.Divisible), toggle("compat", &d.Compat),
		count("total=64", &d.Total), amount("vcpu=1.5", &d.VCPU, math.Inf(1)))
}

// String returns "ditto" and what differs from the default, as
// "ditto:latency:own:compat".
func (d Ditto) String() string { return nameWith("ditto", d.options()) }

// Supports needs a profile to fit, and a workflow that ends in one stage and
// is made of stages in series and in parallel.
func (d Ditto) Supports(p *solvers.Problem) error {
	if err := p.Plain(); err != nil {
		return err
	}
	switch d.Objective {
	case "", solvers.Latency, solvers.Cost:
	default:
		return fmt.Errorf("objective %q is neither %q nor %q", d.Objective, solvers.Latency, solvers.Cost)
	}
	if n := len(p.Workflow().Sinks()); n > 1 {
		return fmt.Errorf("workflow %s ends in %d stages; Ditto's merging of stages ends in one", p.Workflow().Name(), n)
	}
	if p.Space.Size().Sign() == 0 {
		return errors.New("the coupling rules of the space admit no configuration")
	}
	if _, err := (uniform{d.Total, d.VCPU}).or(uniform{}, false, p.Space, 0); err != nil {
		return err
	}
	_, err := d.shares(p)
	return err
}

// shares returns the share of every stage in the instances.
func (d Ditto) shares(p *solvers.Problem) ([]float64, error) {
	if p.Profile == nil {
		return nil, errors.New("the problem has no profile to fit the step times to")
	}
	fit := newLambdaJob
	if d.Compat {
		fit = misalignedLambdaJob
	}
	lambda, err := fit(p.Profile)
	if err != nil {
		return nil, err
	}
	job := lambda.ditto()
	for i := range job.Stages {
		job.Stages[i].Single = d.Divisible && job.Stages[i].Single
	}
	share, err := job.shares(d.objective(p), sharing{}, !d.Divisible, false)
	if err != nil {
		return nil, err
	}
	for i := range share {
		if !p.Workflow().Stage(i).Splittable() {
			share[i] = 0
		}
	}
	return normalised(share), nil
}

// Predict returns the latency of the workflow under c in s, as the Jolteon artifact
// has Ditto predict it: the mean delay of a stage and its fitted steps, along the
// longest path. The steps were fitted to the vCPU of all instances and are taken at
// the number of instances (algorithms.md 1.5). Ditto knows one time and no
// percentiles.
func (d Ditto) Predict(profile *models.Profile, c models.Config) (float64, error) {
	w := profile.Workflow
	if len(c) != w.Len() {
		return 0, fmt.Errorf("ditto: a configuration of %d stages for workflow %s of %d", len(c), w.Name(), w.Len())
	}
	own, err := newLambdaJob(profile)
	if err != nil {
		return 0, fmt.Errorf("ditto: %w", err)
	}
	fitted := own
	if d.Compat {
		if fitted, err = misalignedLambdaJob(profile); err != nil {
			return 0, fmt.Errorf("ditto: %w", err)
		}
	}
	end := make([]float64, w.Len())
	for i := range end {
		ready := 0.0
		for _, p := range w.Parents(i) {
			ready = max(ready, end[p])
		}
		s, x := fitted.stages[i], float64(c[i].Parallelism)
		// Delays are those of all rows, whatever they are taken for.
		end[i] = ready + own.stages[i].cold + s.read.At(x) + s.compute.At(x) + s.write.At(x)
	}
	return slices.Max(end), nil
}

func (d Ditto) objective(p *solvers.Problem) solvers.Metric {
	if d.Objective == "" {
		return p.Objective()
	}
	return d.Objective
}

// Solve implements Method. It draws nothing.
func (d Ditto) Solve(ctx context.Context, p *solvers.Problem, _ models.Streams) (solvers.Solution, error) {
	if ctx.Err() != nil {
		return interrupted(p), nil
	}
	share, err := d.shares(p)
	if err != nil {
		return solvers.Solution{}, err
	}
	known, ok := publishedFor(p.Workflow())
	settings, quantile := known.DittoLatency, 1.0
	if d.objective(p) == solvers.Cost {
		settings, quantile = known.DittoCost, 0
	}
	u, err := uniform{d.Total, d.VCPU}.or(settings, ok, p.Space, quantile)
	if err != nil {
		return solvers.Solution{}, err
	}
	parallelism := make([]int, len(share))
	for i, s := range share {
		parallelism[i] = max(1, int(s*float64(u.Total)))
	}
	config, err := configure(p, parallelism, u.VCPU, d.Own, known.Own)
	if err != nil {
		return solvers.Solution{}, err
	}
	s, err := boundless(p, config)
	if err != nil {
		return solvers.Solution{}, err
	}
	lambda, err := newLambdaJob(p.Profile)
	if err != nil {
		return solvers.Solution{}, err
	}
	spans, err := NimbleLaunch(lambda.tasks(config, true))
	if err != nil {
		return solvers.Solution{}, err
	}
	s.Schedule = launches(spans)
	return s, nil
}
