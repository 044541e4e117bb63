package solvers

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/goccy/go-yaml"

	"eevee/models"
)

// compat does what the published artifact does, step by step (algorithms.md
// 1.3, reference section 7): it looks at one path only, minimises at the mean
// parameters, stops its solver at a tolerance of risk * bound in whatever unit,
// loosens the bound by four times that until the solver is content, rounds,
// probes, and repairs the result without looking at it again. The random
// deviations (dropped constants, shared draws) are those of the model, see
// models.JolteonOptions.
//
// The artifact's own solver, SLSQP of SciPy, is not ported: sqp stands in for
// it with the same tolerance and the same way of using it. Iterates differ, so
// results are to be compared by objective and feasibility.
type compat struct {
	artifact
	problem *Problem
	central *models.Scenarios
	path    []int
	unit    float64 // of the bounded metric in the artifact: 1 s or 1e-5 USD
	worth   float64 // of the objective
}

// artifact is what the artifact fixes for one workflow.
type artifact struct {
	Workflow       string          `yaml:"workflow"`
	ColdPercentile float64         `yaml:"cold_percentile"`
	CriticalPath   []string        `yaml:"critical_path"`
	D              []int           `yaml:"d"`
	V              []float64       `yaml:"v"`
	VBounds        [2]float64      `yaml:"v_bounds"`
	Depth          int             `yaml:"depth"`
	Stages         []artifactStage `yaml:"stages"`

	// Starts are other starting points than those of Stages, per stage d and v.
	Starts map[string][][2]float64 `yaml:"starts"`

	Repairs []artifactRepair `yaml:"repairs"`

	mbPerVCPU float64
}

type artifactStage struct {
	Stage   string     `yaml:"stage"`
	Start   [2]float64 `yaml:"start"`
	DBounds [2]float64 `yaml:"d_bounds"`
	Probe   []string   `yaml:"probe"`
}

// artifactRepair is one statement of the artifact's check_config.
type artifactRepair struct {
	Stage         string  `yaml:"stage"`
	DFrom         int     `yaml:"d_from"`
	DTo           int     `yaml:"d_to"`
	DAtMost       string  `yaml:"d_at_most"`
	Times         int     `yaml:"times"`
	DEquals       string  `yaml:"d_equals"`
	TotalVCPU     float64 `yaml:"total_vcpu"`
	WholeVCPUUpTo int     `yaml:"whole_vcpu_up_to"`
}

//go:embed data/jolteon_compat.yaml
var compatData []byte

var artifacts = sync.OnceValue(func() []artifact {
	var file struct {
		MBPerVCPU float64    `yaml:"mb_per_vcpu"`
		Workflows []artifact `yaml:"workflows"`
	}
	if err := yaml.UnmarshalWithOptions(compatData, &file, yaml.Strict()); err != nil {
		panic(err) // the file is part of the program
	}
	for i := range file.Workflows {
		file.Workflows[i].mbPerVCPU = file.MBPerVCPU
	}
	return file.Workflows
})

// centralModel is a model that knows its mean parameters.
type centralModel interface {
	Central(coldPercentile float64, price models.PriceBook) (*models.Scenarios, error)
}

// newCompat says why the artifact could not handle the problem. It starts from
// the named point, or where there is no name from the artifact's usual one.
func newCompat(p *Problem, from string) (*compat, error) {
	w := p.Workflow()
	all := artifacts()
	k := slices.IndexFunc(all, func(a artifact) bool { return a.Workflow == w.Name() })
	if k < 0 {
		return nil, fmt.Errorf("the artifact knows the workflows ml, video and tpcds, not %q", w.Name())
	}
	c := &compat{artifact: all[k], problem: p, unit: 1, worth: 1e-5}
	if p.Bound.Metric == Cost {
		c.unit, c.worth = 1e-5, 1
	}
	for i, s := range c.Stages {
		if i >= w.Len() || w.Stage(i).Name != s.Stage {
			return nil, fmt.Errorf("the artifact's workflow %s has a stage %q, which this one has not at its place", w.Name(), s.Stage)
		}
	}
	if len(c.Stages) != w.Len() {
		return nil, fmt.Errorf("the artifact's workflow %s has %d stages, this one %d", w.Name(), len(c.Stages), w.Len())
	}
	if from != "" {
		starts, ok := c.Starts[from]
		if !ok {
			return nil, fmt.Errorf("the artifact has no starting point %q for workflow %s", from, w.Name())
		}
		c.Stages = slices.Clone(c.Stages)
		for i := range c.Stages {
			c.Stages[i].Start = starts[i]
		}
	}
	for _, name := range c.CriticalPath {
		i, _ := w.Index(name)
		c.path = append(c.path, i)
	}
	model, ok := p.Model.(centralModel)
	if !ok {
		return nil, errors.New("the artifact minimises at the mean parameters of the jolteon model, which the problem does not come with")
	}
	var err error
	c.central, err = model.Central(c.ColdPercentile, p.Scenarios.Price())
	return c, err
}

func (c *compat) solve(ctx context.Context) Solution {
	p := c.problem
	s := Solution{Status: LimitHit, Objective: math.NaN(), LowerBound: math.Inf(-1), Reachable: math.NaN(), Enforced: p.Bound.Limit}
	points, enforced, warnings, ok := c.relax(ctx)
	s.Enforced, s.Warnings = enforced, warnings
	if !ok {
		return s
	}
	probed, ok := c.newProbe(ctx).run(c.round(points))
	if !ok {
		return s
	}
	config := c.config(probed)
	before := config.Clone()
	c.repair(config)
	if !slices.Equal(before, config) {
		s.Warnings = append(s.Warnings, "as in the artifact, the configuration was repaired after probing and not looked at again")
	}

	s.Status, s.Config = Done, config
	o := p.Evaluate(config)
	s.Objective, s.Violations = o.Objective, o.Violations
	if allowed, err := p.Allowed(); err != nil || o.Violations > allowed {
		s.Status = NotFound
		s.Warnings = append(s.Warnings, fmt.Sprintf("the artifact returns this configuration although %d of %d scenarios exceed the bound and %d may",
			o.Violations, p.Scenarios.Len(), allowed))
	}
	if _, err := p.Space.Locate(config); err != nil {
		s.Status = NotFound
		s.Warnings = append(s.Warnings, fmt.Sprintf("the artifact's answer is outside the space: %v", err))
	}
	return s
}

// config returns the configuration of a lattice point; stages that cannot be
// split have one instance whatever the lattice says.
func (c *compat) config(l lattice) models.Config {
	w := c.problem.Workflow()
	config := make(models.Config, w.Len())
	for i := range config {
		config[i] = c.stage(c.D[l.d(i)], c.V[l.v(i)])
		if !w.Stage(i).Splittable() {
			config[i].Parallelism = 1
		}
	}
	return config
}

func (c *compat) stage(d int, v float64) models.StageConfig {
	return models.StageConfig{Memory: int(math.Round(v * c.mbPerVCPU)), VCPU: v, Parallelism: d}
}

// relax minimises over the artifact's box, and loosens the bound until the
// solver succeeds or less than the risk's share of the scenarios exceeds it by
// more than the tolerance. The artifact loosens without end; here it ends when
// the bound has grown tenfold.
func (c *compat) relax(ctx context.Context) (points []models.Point, enforced float64, warnings []string, ok bool) {
	p := c.problem
	risk := p.Bound.Risk()
	r := c.relaxation()
	tolerance := risk * p.Bound.Limit / c.unit
	solver := sqp{accuracy: tolerance}
	for loosened := 0; ; loosened++ {
		result := solver.minimise(ctx, r, c.start())
		if result.status == sqpInterrupted {
			return nil, r.limit, warnings, false
		}
		exceed := 0
		for _, e := range r.excess {
			if !(e <= tolerance) {
				exceed++
			}
		}
		content := result.status == sqpConverged
		tolerable := float64(exceed) < risk*float64(len(r.excess))
		if content || tolerable || r.limit > 10*p.Bound.Limit {
			if loosened > 0 {
				warnings = append(warnings, fmt.Sprintf(
					"as in the artifact, the relaxation was solved under a %s limit of %.6g %s instead of %.6g, loosened %d times; the probe went back to the original",
					p.Bound.Metric, r.limit, p.Bound.Metric.Unit(), p.Bound.Limit, loosened))
			}
			if !content {
				warnings = append(warnings, "as in the artifact, the result of a failed solver was used")
			}
			return r.configure(result.x), r.limit, warnings, true
		}
		r.limit += 4 * risk * p.Bound.Limit
	}
}

// relaxation is the artifact's program: two variables per stage as they are,
// one path, no scenario left out. The parallelism of a stage that cannot be
// split, which the artifact carries along without effect, stays at 1.
func (c *compat) relaxation() *relaxation {
	p := c.problem
	w := p.Workflow()
	r := &relaxation{
		bounded:   newFigure(p.Scenarios, p.Bound.Metric, c.path),
		objective: newFigure(c.central, p.Objective(), c.path),
		limit:     p.Bound.Limit, unit: c.unit, worth: c.worth,
	}
	for i, s := range c.Stages {
		v := stageVariables{parallelism: -1, times: 1, fixedParallelism: 1, memoryPerVCPU: c.mbPerVCPU}
		if w.Stage(i).Splittable() {
			v.parallelism = len(r.variables)
			r.variables = append(r.variables, variable{from: s.DBounds[0], to: s.DBounds[1]})
		}
		v.vcpu = len(r.variables)
		r.variables = append(r.variables, variable{from: c.VBounds[0], to: c.VBounds[1]})
		r.stages = append(r.stages, v)
	}
	r.prepare()
	return r
}

// start is the artifact's starting point, in the order of the variables.
func (c *compat) start() []float64 {
	var x []float64
	for i, s := range c.Stages {
		if c.problem.Workflow().Stage(i).Splittable() {
			x = append(x, s.Start[0])
		}
		x = append(x, s.Start[1])
	}
	return x
}

// round rounds up: to the first parallelism of the grid that is not below, and
// to the first vCPU that is above, even where the value is on the grid.
func (c *compat) round(points []models.Point) lattice {
	var l lattice
	for i, p := range points {
		d := slices.IndexFunc(c.D, func(g int) bool { return p.Parallelism <= float64(g) })
		if d < 0 {
			d = len(c.D) - 1
		}
		v := slices.IndexFunc(c.V, func(g float64) bool { return p.VCPU < g })
		if v < 0 {
			v = len(c.V) - 1
		}
		l[2*i], l[2*i+1] = byte(d), byte(v)
	}
	return l
}

// repair is the artifact's check_config.
func (c *compat) repair(config models.Config) {
	w := c.problem.Workflow()
	for _, r := range c.Repairs {
		i, _ := w.Index(r.Stage)
		s := &config[i]
		switch {
		case r.DTo > 0:
			s.Parallelism = min(max(s.Parallelism, r.DFrom), r.DTo)
		case r.DAtMost != "":
			of, _ := w.Index(r.DAtMost)
			s.Parallelism = min(s.Parallelism, max(1, r.Times)*config[of].Parallelism)
		case r.DEquals != "":
			of, _ := w.Index(r.DEquals)
			s.Parallelism = config[of].Parallelism
		case r.TotalVCPU > 0:
			if v := r.TotalVCPU / float64(s.Parallelism); s.VCPU < v {
				*s = c.stage(s.Parallelism, v)
			}
		case r.WholeVCPUUpTo > 0:
			if s.Parallelism <= r.WholeVCPUUpTo {
				*s = c.stage(s.Parallelism, 1)
			}
		}
	}
}
