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

// Caerus is what later papers compare with under the name of Caerus (NSDI'21):
// instances are divided among the stages in proportion to the size of their
// inputs, all of one size, and the launch times are those of NIMBLE. Dividing
// by size is not a contribution of Caerus, which takes the parallelism as
// given; its contribution are the launch times (see NimbleTask for how much of
// them is inferred, and NimbleLaunch for what they promise: no stage waits, and
// none ends later than under eager launching unless pipelines are longer than
// one level).
//
// It looks at no bound. An answer that does not keep it says so.
type Caerus struct {
	// Total is the number of instances to divide, VCPU the size of each. 0
	// means what the Jolteon artifact runs for its workflows, else the middle
	// of what the space admits (added up over stages), which is our choice.
	Total int
	VCPU  float64

	// Own leaves the problem's space: the answer is rounded as the Jolteon
	// artifact does for its workflows, and not at all for others. The default
	// is the nearest configuration that the space admits.
	Own bool

	// Launch is the rule of launch times: CaerusNimble, CaerusLazy or
	// CaerusEager; "" means CaerusNimble.
	Launch CaerusLaunch

	// Pipelined takes every stage to read its inputs while they are still
	// being written. The default is that objects in storage can be read when
	// they are complete, as in Ditto's NIMBLE: only the start of containers
	// overlaps.
	Pipelined bool
}

// CaerusLaunch is a rule of when stages are launched.
type CaerusLaunch string

// The rules: NIMBLE, and what it is compared with.
const (
	CaerusNimble CaerusLaunch = "nimble" // never waits, ends as early as that allows
	CaerusLazy   CaerusLaunch = "lazy"   // after all parents
	CaerusEager  CaerusLaunch = "eager"  // all at once
)

// NewCaerus returns the method with the given options: "own", "pipelined",
// "nimble", "lazy", "eager", total=N and vcpu=X.
func NewCaerus(options ...string) (Caerus, error) {
	var c Caerus
	if err := readOptions("caerus", options, c.options()); err != nil {
		return Caerus{}, err
	}
	return c, nil
}

func (c *Caerus) options() []option {
	return append([]option{toggle("own", &c.Own), toggle("pipelined", &c.Pipelined)},
		append(oneOf(&c.Launch, CaerusNimble, CaerusLazy, CaerusEager), count("total=64", &c.Total), amount("vcpu=1.5", &c.VCPU, math.Inf(1)))...)
}

// String returns "caerus" and the options that are set, as "caerus:own:lazy".
func (c Caerus) String() string { return nameWith("caerus", c.options()) }

// Supports needs the sizes of the inputs: those of the problem, or the
// inferred ones of the Jolteon workflows.
func (c Caerus) Supports(p *solvers.Problem) error {
	if err := p.Plain(); err != nil {
		return err
	}
	if _, _, err := c.sizes(p); err != nil {
		return err
	}
	if !slices.Contains([]CaerusLaunch{"", CaerusNimble, CaerusLazy, CaerusEager}, c.Launch) {
		return fmt.Errorf("launch rule %q is none of nimble, lazy and eager", c.Launch)
	}
	if p.Space.Size().Sign() == 0 {
		return errors.New("the coupling rules of the space admit no configuration")
	}
	_, err := uniform{c.Total, c.VCPU}.or(uniform{}, false, p.Space, 0.5)
	return err
}

// sizes returns the input sizes of the stages that can be split, 0 for others,
// and a warning where they are not the problem's.
func (c Caerus) sizes(p *solvers.Problem) (sizes []float64, warning string, err error) {
	w := p.Workflow()
	switch known, ok := publishedFor(w); {
	case p.InputBytes != nil:
		if len(p.InputBytes) != w.Len() {
			return nil, "", fmt.Errorf("%d input sizes for the %d stages of workflow %s", len(p.InputBytes), w.Len(), w.Name())
		}
		sizes = slices.Clone(p.InputBytes)
	case ok:
		sizes, warning = known.inputBytes(w), "input sizes are "+known.InputSource
	default:
		return nil, "", fmt.Errorf("the sizes of the inputs of workflow %s are not known, and instances are divided by them", w.Name())
	}
	for i, s := range sizes {
		if !(s >= 0) || math.IsInf(s, 0) {
			return nil, "", fmt.Errorf("stage %q: an input of %v bytes", w.Stage(i).Name, s)
		}
		if !w.Stage(i).Splittable() {
			sizes[i] = 0
		}
	}
	return sizes, warning, nil
}

// Solve implements Method. It draws nothing.
func (c Caerus) Solve(ctx context.Context, p *solvers.Problem, _ models.Streams) (solvers.Solution, error) {
	if ctx.Err() != nil {
		return interrupted(p), nil
	}
	sizes, warning, err := c.sizes(p)
	if err != nil {
		return solvers.Solution{}, err
	}
	known, ok := publishedFor(p.Workflow())
	u, err := uniform{c.Total, c.VCPU}.or(known.Caerus, ok, p.Space, 0.5)
	if err != nil {
		return solvers.Solution{}, err
	}
	config, err := configure(p, bySize(sizes, u.Total), u.VCPU, c.Own, known.Own)
	if err != nil {
		return solvers.Solution{}, err
	}
	s, err := boundless(p, config)
	if err != nil {
		return solvers.Solution{}, err
	}
	if warning != "" {
		s.Warnings = append(s.Warnings, warning)
	}
	s.Schedule, err = c.schedule(p, config)
	if err != nil {
		s.Warnings = append(s.Warnings, "launch times: "+err.Error())
	}
	return s, nil
}

// schedule returns the launch times of a configuration under the mean step
// times that the profile leads to expect; nil without a profile.
func (c Caerus) schedule(p *solvers.Problem, config models.Config) (*models.Schedule, error) {
	if p.Profile == nil {
		return nil, errors.New("the problem has no profile to predict them from")
	}
	job, err := newLambdaJob(p.Profile)
	if err != nil {
		return nil, err
	}
	tasks := job.tasks(config, !c.Pipelined)
	rule := NimbleLaunch
	switch c.Launch {
	case CaerusLazy:
		rule = LazyLaunch
	case CaerusEager:
		rule = EagerLaunch
	}
	spans, err := rule(tasks)
	if err != nil {
		return nil, err
	}
	return launches(spans), nil
}

func launches(spans []NimbleSpan) *models.Schedule {
	s := &models.Schedule{Launch: make([]float64, len(spans))}
	for i, span := range spans {
		s.Launch[i] = span.Launch
	}
	return s
}

// configure turns parallelism and one size into a configuration: of the
// problem's space, or with own as the published copy would run it.
func configure(p *solvers.Problem, d []int, vcpu float64, own bool, published ownSpace) (models.Config, error) {
	mb := mbPerVCPU(p.Space)
	config := make(models.Config, len(d))
	for i := range config {
		config[i] = models.StageConfig{Parallelism: d[i], VCPU: vcpu, Memory: int(math.Round(vcpu * mb))}
		if limit := p.Workflow().Stage(i).MaxParallelism; limit > 0 {
			config[i].Parallelism = min(d[i], limit)
		}
	}
	if own {
		return published.fit(p.Workflow(), config, mb), nil
	}
	return snap(p.Space, config)
}

// boundless returns the solution of a method that looks at no bound: what its
// configuration does on the sample, and the limit that it happens to keep.
func boundless(p *solvers.Problem, config models.Config) (solvers.Solution, error) {
	allowed, err := p.Allowed()
	if err != nil {
		return solvers.Solution{}, err
	}
	o := p.Evaluate(config)
	s := solvers.Solution{
		Status: solvers.Done, Config: config, Objective: o.Objective, Violations: o.Violations,
		LowerBound: math.Inf(-1), Reachable: math.NaN(), Enforced: p.Bound.Limit,
	}
	if o.Violations > allowed {
		s.Status = solvers.NotFound
		s.Enforced = solvers.OrderStatistic(o.Bounded(p.Bound.Metric), allowed)
		s.Warnings = append(s.Warnings, fmt.Sprintf("the method looks at no bound; its configuration keeps a limit of %.6g %s", s.Enforced, p.Bound.Metric.Unit()))
	}
	return s, nil
}

// interrupted is the solution of a search that was ended before it began.
func interrupted(p *solvers.Problem) solvers.Solution {
	return solvers.Solution{
		Status: solvers.LimitHit, Objective: math.NaN(), LowerBound: math.Inf(-1), Reachable: math.NaN(), Enforced: p.Bound.Limit,
	}
}
