package models

import (
	"fmt"
	"math"
	"slices"
)

// Jolteon is the performance model of Jolteon (NSDI'24) as its artifact fits
// it: every step of a stage is a linear combination of functions of the
// parallelism d and the vCPU k of an instance,
//
//	read     a/x + b             x = d or k*d
//	compute  a/x + b*ln(x)/x + c/x^2 + e
//	write    a/x + b
//
// and, for a stage that cannot be split, the same with x = k, where the read
// may be a/k + b*d_parent + c instead. Scenarios draw the parameters of every
// step from the normal distribution that the fit leaves them, and the cold
// delay from the recorded ones: its spread is the uncertainty of the estimate,
// not the variation of executions (algorithms.md 1.4).
type Jolteon struct {
	workflow *Workflow
	stages   []JolteonStage
	options  JolteonOptions
	warnings []string
}

// JolteonOptions are the deviations of the published artifact that concern the
// model. The zero value is the paper.
type JolteonOptions struct {
	// DropConstants leaves the constants of compute and write out of the
	// sampled parameters of stages that cannot be split (reference section 7,
	// 1), while the fitted parameters keep them.
	DropConstants bool
	// ShareDraws gives every stage the same underlying random numbers, as
	// re-seeding in every stage does (reference section 7, 2).
	ShareDraws bool
}

// JolteonStage is the fitted model of one stage.
type JolteonStage struct {
	Name                 string
	Splittable           bool
	Cold                 []float64 // recorded cold delays of warm runs, s
	Read, Compute, Write StepFit
}

// Basis names what a step's time is a function of.
type Basis string

// The bases a step is fitted on.
const (
	OnParallelism Basis = "d"    // instances
	OnTotalVCPU   Basis = "kd"   // vCPU of all instances
	OnVCPU        Basis = "k"    // vCPU of the single instance
	OnInput       Basis = "k_pd" // vCPU of the single instance, and parallelism of the input parent
)

// StepFit is the fit of one step of one stage.
type StepFit struct {
	Basis     Basis
	Params    []float64
	Factor    [][]float64 // square root of the covariance of Params
	SSR       float64     // sum of squared residuals, s^2
	MeanAbs   float64     // mean |relative error|
	MeanSign  float64     // mean relative error
	N         int         // observations
	Singular  bool        // the observations do not determine every parameter
	Discarded *StepFit    // the fit on the other basis, nil where only one applies
}

// Cov returns the covariance of the parameters.
func (f StepFit) Cov() [][]float64 {
	cov := make([][]float64, len(f.Params))
	for i := range cov {
		cov[i] = make([]float64, len(f.Params))
		for j := range cov[i] {
			cov[i][j] = dot(f.Factor[i], f.Factor[j])
		}
	}
	return cov
}

// At returns the fitted time in seconds of the step under c.
func (f StepFit) At(c StageConfig, inputParallelism int) float64 {
	return dot(f.Params, regressors(f.Basis, len(f.Params), gridPoint{c, inputParallelism}))
}

// gridPoint is where a step was observed, or is asked for.
type gridPoint struct {
	StageConfig
	inputParallelism int
}

// x returns the argument of the step functions.
func (g gridPoint) x(b Basis) float64 {
	switch b {
	case OnParallelism:
		return float64(g.Parallelism)
	case OnTotalVCPU:
		return g.VCPU * float64(g.Parallelism)
	}
	return g.VCPU
}

// regressors returns the values that the parameters of a step multiply: two
// parameters are a/x + b, three a/k + b*d_parent + c, four those of compute.
func regressors(b Basis, params int, g gridPoint) []float64 {
	x := g.x(b)
	switch params {
	case 2:
		return []float64{1 / x, 1}
	case 3:
		return []float64{1 / x, float64(g.inputParallelism), 1}
	}
	return []float64{1 / x, math.Log(x) / x, 1 / (x * x), 1}
}

// FitJolteon fits the model to the warm observations of a profile by linear
// least squares, which the artifact approaches by iteration (it stops early in
// a few places, worst in the compute step of tpcds stage 2).
func FitJolteon(p *Profile, options JolteonOptions) (*Jolteon, error) {
	m := &Jolteon{workflow: p.Workflow, options: options}
	for i := range p.Workflow.Len() {
		s, err := fitStage(p, i)
		if err != nil {
			return nil, fmt.Errorf("fit of workflow %s, stage %q: %w", p.Workflow.Name(), p.Workflow.Stage(i).Name, err)
		}
		m.add(s)
	}
	return m, nil
}

// add appends a stage, and warns of what a user of it must know.
func (m *Jolteon) add(s JolteonStage) {
	for _, step := range s.Steps() {
		if step.Singular {
			m.warnings = append(m.warnings, fmt.Sprintf("stage %s, step %s: the recordings do not determine every parameter; undetermined directions have no spread", s.Name, step.Name))
		}
	}
	m.stages = append(m.stages, s)
}

// NamedStep is one of the three fitted steps with its name.
type NamedStep struct {
	Name string // read, compute or write
	StepFit
}

// Steps returns the fitted steps in the order in which a function goes through
// them.
func (s JolteonStage) Steps() []NamedStep {
	return []NamedStep{{"read", s.Read}, {"compute", s.Compute}, {"write", s.Write}}
}

func fitStage(p *Profile, i int) (JolteonStage, error) {
	s := JolteonStage{Name: p.Workflow.Stage(i).Name, Splittable: p.Workflow.Stage(i).Splittable()}
	obs := p.Warm(i)
	if len(obs) == 0 {
		return s, fmt.Errorf("no warm run (epoch 1 or later) was recorded")
	}
	at := make([]gridPoint, len(obs))
	var read, compute, write []float64
	for k, o := range obs {
		at[k] = gridPoint{inTenths(o.Config), o.InputParallelism}
		for _, v := range []struct {
			name string
			s    float64
		}{{"cold", o.Mean.Cold}, {"read", o.Mean.Read}, {"compute", o.Mean.Compute}, {"write", o.Mean.Write}} {
			if math.IsNaN(v.s) {
				return s, fmt.Errorf("execution %q has no mean %s_s, which this model needs", o.Execution, v.name)
			}
		}
		s.Cold = append(s.Cold, o.Mean.Cold)
		read = append(read, o.Mean.Read)
		compute = append(compute, o.Mean.Compute)
		write = append(write, o.Mean.Write)
	}

	for _, step := range []struct {
		name  string
		times []float64
		to    *StepFit
	}{{"read", read, &s.Read}, {"compute", compute, &s.Compute}, {"write", write, &s.Write}} {
		f, err := fitBest(at, step.times, step.name, stepBases(p.Workflow, i, step.name))
		if err != nil {
			return s, fmt.Errorf("step %s: %w", step.name, err)
		}
		*step.to = f
	}
	return s, nil
}

// fitBest fits the times of the named step on every basis and returns the fit
// on the one that describes them best.
func fitBest(at []gridPoint, times []float64, step string, bases []Basis) (best StepFit, err error) {
	for k, b := range bases {
		f, err := fitStep(at, times, b, stepParams(step, b))
		if err != nil {
			return StepFit{}, err
		}
		if k == 0 {
			best = f
			continue
		}
		kept, other := best, f
		if replaces(f, best) {
			kept, other = f, best
		}
		kept.Discarded = &other
		best = kept
	}
	return best, nil
}

// stepBases returns the bases that the named step of stage i is fitted on, the
// preferred one first.
func stepBases(w *Workflow, i int, step string) []Basis {
	switch {
	case w.Stage(i).Splittable():
		return []Basis{OnTotalVCPU, OnParallelism}
	case step == "read" && w.InputParent(i) >= 0:
		return []Basis{OnVCPU, OnInput}
	}
	return []Basis{OnVCPU}
}

// stepParams returns how many parameters the named step has on a basis.
func stepParams(step string, b Basis) int {
	switch {
	case step == "compute":
		return 4
	case b == OnInput:
		return 3
	}
	return 2
}

// inTenths returns c with the vCPU of all its instances together rounded to 0.1:
// what the artifact fits on.
func inTenths(c StageConfig) StageConfig {
	d := float64(c.Parallelism)
	c.VCPU = roundTenth(c.VCPU*d) / d
	return c
}

// roundTenth rounds half to even at one decimal, as Python's round does.
func roundTenth(x float64) float64 { return math.RoundToEven(x*10) / 10 }

// replaces reports whether the alternative basis of a step wins over the first
// one: a lower mean |relative error|, for compute also a lower |mean relative
// error| (algorithms.md 1.3).
func replaces(alternative, first StepFit) bool {
	if len(first.Params) == 4 {
		return alternative.MeanAbs < first.MeanAbs && math.Abs(alternative.MeanSign) < math.Abs(first.MeanSign)
	}
	return alternative.MeanAbs < first.MeanAbs
}

func fitStep(at []gridPoint, y []float64, b Basis, params int) (StepFit, error) {
	rows := make([][]float64, len(at))
	for k, g := range at {
		rows[k] = regressors(b, params, g)
	}
	lf, err := fitLinear(rows, y)
	if err != nil {
		return StepFit{}, err
	}
	f := StepFit{Basis: b, Params: lf.Params, Factor: lf.Factor, SSR: lf.SSR, N: len(y), Singular: lf.Rank < params}
	counted := 0
	for k := range rows {
		if y[k] == 0 {
			continue // a step that takes no time has no relative error
		}
		e := (lf.at(rows[k]) - y[k]) / y[k]
		f.MeanAbs += math.Abs(e)
		f.MeanSign += e
		counted++
	}
	if counted > 0 {
		f.MeanAbs /= float64(counted)
		f.MeanSign /= float64(counted)
	}
	return f, nil
}

// kindJolteon is what the model is called on the command line and in files.
const kindJolteon = "jolteon"

// Name returns "jolteon".
func (m *Jolteon) Name() string { return kindJolteon }

// Workflow returns the workflow that the model is of.
func (m *Jolteon) Workflow() *Workflow { return m.workflow }

// Stages returns the fitted stages. The caller must not change them.
func (m *Jolteon) Stages() []JolteonStage { return m.stages }

// Warnings returns what a user of the model must know.
func (m *Jolteon) Warnings() []string { return slices.Clone(m.warnings) }
