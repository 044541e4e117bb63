package models

import "math"

// Point is the configuration of one stage between the admissible ones: all its
// parts are real numbers.
type Point struct {
	Parallelism      float64 // instances, at least 1
	VCPU             float64 // per instance
	Memory           float64 // MB per instance; proportional to VCPU where derivatives are taken
	InputParallelism float64 // of the stage's input parent (see Workflow.InputParent); 0 where it has none
}

// Term is one summand of a figure of a stage in all scenarios,
//
//	figure[i] = sum over the terms of Factor * Column[i]
//
// together with the partial derivatives of Factor at the point it is of.
type Term struct {
	Column        []float64 // one element per scenario, nil for all ones; shared, not to be changed
	Factor        float64
	ByParallelism float64
	ByVCPU        float64
	ByInput       float64 // by the parallelism of the input parent
}

// ContinuousStage is a StageSample that is also defined, and differentiable,
// between the admissible configurations.
type ContinuousStage interface {
	StageSample

	// Terms returns the terms of the latency of the stage and of the billed
	// time of one of its instances, both in seconds.
	Terms(p Point) (latency, billed []Term)
}

// Terms returns the terms of the latency (s) and the cost (USD) of stage i at
// p. A stage whose sample is not a ContinuousStage is interpolated between
// whole numbers of instances and differentiated by finite differences. Where
// the price book rounds billed time up, half a step stands for the rounding.
func (s *Scenarios) Terms(i int, p Point) (latency, cost []Term) {
	stage, ok := s.stages[i].(ContinuousStage)
	if !ok {
		stage = secants{StageSample: s.stages[i], n: s.n, splittable: s.workflow.Stage(i).Splittable()}
	}
	latency, billed := stage.Terms(p)
	gb := p.Memory / 1024
	if s.price.NominalMemory {
		gb = p.VCPU * s.price.MBPerVCPU / 1024
	}
	d, rate := p.Parallelism, gb*s.price.USDPerGBSecond
	if step := s.price.BillingStepS; step > 0 {
		billed = append(billed[:len(billed):len(billed)], Term{Factor: step / 2})
	}
	cost = make([]Term, 0, len(billed)+1)
	for _, t := range billed {
		cost = append(cost, Term{
			Column:        t.Column,
			Factor:        d * rate * t.Factor,
			ByParallelism: rate*t.Factor + d*rate*t.ByParallelism,
			ByVCPU:        d*rate/p.VCPU*t.Factor + d*rate*t.ByVCPU,
			ByInput:       d * rate * t.ByInput,
		})
	}
	fee := s.price.USDPerRequest
	return latency, append(cost, Term{Factor: d * fee, ByParallelism: fee})
}

// Terms implements ContinuousStage.
func (s *draws) Terms(p Point) (latency, billed []Term) {
	d, k := p.Parallelism, p.VCPU
	billed = make([]Term, 0, 6) // with room for the delay
	if s.splittable {
		billed = appendTerm(billed, s.x, Term{Factor: 1 / d, ByParallelism: -1 / (d * d)})
		billed = appendTerm(billed, s.kd, Term{Factor: 1 / (k * d), ByParallelism: -1 / (k * d * d), ByVCPU: -1 / (k * k * d)})
	} else {
		billed = appendTerm(billed, s.x, Term{Factor: 1 / k, ByVCPU: -1 / (k * k)})
		billed = appendTerm(billed, s.kd, Term{Factor: p.InputParallelism, ByInput: 1})
	}
	var z, byD, byK float64 // z and its derivatives
	switch s.z {
	case OnParallelism:
		z, byD = d, 1
	case OnTotalVCPU:
		z, byD, byK = k*d, k, d
	default:
		z, byK = k, 1
	}
	ln := (1 - math.Log(z)) / (z * z)
	square := -2 / (z * z * z)
	billed = appendTerm(billed, s.logx, Term{Factor: math.Log(z) / z, ByParallelism: ln * byD, ByVCPU: ln * byK})
	billed = appendTerm(billed, s.x2, Term{Factor: 1 / (z * z), ByParallelism: square * byD, ByVCPU: square * byK})
	billed = appendTerm(billed, s.one, Term{Factor: 1})
	return append(billed, Term{Column: s.cold, Factor: 1}), billed[:len(billed):len(billed)]
}

// appendTerm appends the term of a parameter unless it is zero everywhere.
func appendTerm(terms []Term, column []float64, t Term) []Term {
	if column == nil {
		return terms
	}
	t.Column = column
	return append(terms, t)
}

// secants makes a ContinuousStage of any StageSample.
type secants struct {
	StageSample
	n          int
	splittable bool
}

// sizeStep is the relative step of the finite differences by size: wide, as
// memory is a whole number of MB.
const sizeStep = 0.01

// Terms interpolates linearly between the whole numbers of instances around p,
// of the stage and of its input parent, and takes central differences by size.
func (s secants) Terms(p Point) (latency, billed []Term) {
	d, in := math.Floor(p.Parallelism), math.Floor(p.InputParallelism)
	add := func(size, d, in float64, t Term) {
		c := StageConfig{Memory: int(math.Round(p.Memory * size)), VCPU: p.VCPU * size, Parallelism: int(d)}
		l, b := make([]float64, s.n), make([]float64, s.n)
		s.Times(c, int(in), l, b)
		latency, billed = appendTerm(latency, l, t), appendTerm(billed, b, t)
	}
	base := Term{Factor: 1}
	if s.splittable {
		share := p.Parallelism - d
		base.Factor, base.ByParallelism = base.Factor-share, -1
		add(1, d+1, in, Term{Factor: share, ByParallelism: 1})
	}
	if s.ReadsInput() && in > 0 {
		share := p.InputParallelism - in
		base.Factor, base.ByInput = base.Factor-share, -1
		add(1, d, in+1, Term{Factor: share, ByInput: 1})
	}
	add(1, d, in, base)
	slope := 1 / (2 * sizeStep * p.VCPU)
	add(1+sizeStep, d, in, Term{ByVCPU: slope})
	add(1-sizeStep, d, in, Term{ByVCPU: -slope})
	return latency, billed
}
