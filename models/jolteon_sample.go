package models

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
)

// JolteonDraw is one draw of a stage's parameters, the steps taken together:
//
//	latency = Cold + X/d + KD/(k*d) + LogX*ln(z)/z + X2/z^2 + Const
//
// with z = d or k*d as chosen for compute; for a stage that cannot be split
// z = k, X is divided by k and KD multiplies the parallelism of the input
// parent. The order is that of the artifact's parameter vectors.
type JolteonDraw struct {
	Cold, X, KD, LogX, X2, Const float64
}

// draws holds the parameters of one stage in all scenarios, one slice per
// parameter; nil stands for all zeros.
type draws struct {
	splittable           bool
	readsInput           bool
	z                    Basis
	cold                 []float64
	x, kd, logx, x2, one []float64
}

// Times implements StageSample.
func (s *draws) Times(c StageConfig, inputParallelism int, latency, billed []float64) {
	g := gridPoint{c, inputParallelism}
	z := g.x(s.z)
	byX, byKD := 1/float64(c.Parallelism), 1/(c.VCPU*float64(c.Parallelism))
	if !s.splittable {
		byX, byKD = 1/c.VCPU, float64(inputParallelism)
	}
	out := billed
	if out == nil {
		out = latency
	}
	copy(out, s.one)
	accumulate(out, s.x, byX)
	accumulate(out, s.kd, byKD)
	accumulate(out, s.logx, math.Log(z)/z)
	accumulate(out, s.x2, 1/(z*z))
	if latency == nil {
		return
	}
	floats.AddTo(latency, out, s.cold)
}

func accumulate(dst, coefficient []float64, by float64) {
	if coefficient == nil {
		return
	}
	floats.AddScaled(dst, by, coefficient[:len(dst)])
}

// ReadsInput implements StageSample.
func (s *draws) ReadsInput() bool { return s.readsInput }

// Sample draws n scenarios: cold delays from the recorded ones, the parameters
// of every step from a normal distribution around their fit, each stage and
// step from a stream of its own.
func (m *Jolteon) Sample(n int, price PriceBook, streams Streams) (*Scenarios, error) {
	if n < 1 {
		return nil, fmt.Errorf("model jolteon: %d scenarios, need at least 1", n)
	}
	stages := make([]StageSample, len(m.stages))
	for i, s := range m.stages {
		of := streams.Sub("scenarios/" + s.Name)
		if m.options.ShareDraws {
			of = streams.Sub("scenarios")
		}
		stages[i] = s.draw(n, of, m.options.DropConstants)
	}
	return NewScenarios(m.workflow, price, n, stages)
}

func (s JolteonStage) empty(n int) *draws {
	return &draws{
		splittable: s.Splittable, readsInput: s.Read.Basis == OnInput, z: s.Compute.Basis,
		cold: make([]float64, n), one: make([]float64, n),
	}
}

func (s JolteonStage) draw(n int, streams Streams, dropConstants bool) *draws {
	d := s.empty(n)
	cold := streams.New("cold")
	for i := range d.cold {
		d.cold[i] = s.Cold[cold.IntN(len(s.Cold))]
	}
	for _, step := range s.Steps() {
		source := streams.New(step.Name)
		to := d.targets(step.StepFit, n)
		if dropConstants && !s.Splittable && step.Name != "read" {
			to[len(to)-1] = nil
		}
		drawNormal(step.Params, step.Factor, source, to)
	}
	return d
}

// targets returns, for every parameter of a step, the slice it is added to,
// making those that are not there yet.
func (s *draws) targets(f StepFit, n int) [][]float64 {
	at := func(p *[]float64) []float64 {
		if *p == nil {
			*p = make([]float64, n)
		}
		return *p
	}
	first := &s.x
	if f.Basis == OnTotalVCPU {
		first = &s.kd
	}
	switch len(f.Params) {
	case 2:
		return [][]float64{at(first), s.one}
	case 3:
		return [][]float64{at(&s.x), at(&s.kd), s.one}
	}
	return [][]float64{at(first), at(&s.logx), at(&s.x2), s.one}
}

// drawNormal adds draws of params + factor*z, z standard normal, to the target
// of every parameter. A nil target is drawn and left out.
func drawNormal(params []float64, factor [][]float64, source *rand.Rand, to [][]float64) {
	z := make([]float64, len(params))
	n := 0
	for _, t := range to {
		n = max(n, len(t))
	}
	for i := range n {
		for c := range z {
			z[c] = source.NormFloat64()
		}
		for j, t := range to {
			if t != nil {
				t[i] += params[j] + dot(factor[j], z)
			}
		}
	}
}

// Central returns a single scenario: the fitted parameters, and in every stage
// the given percentile (0 to 100) of its recorded cold delays. It is what the
// artifact minimises.
func (m *Jolteon) Central(coldPercentile float64, price PriceBook) (*Scenarios, error) {
	stages := make([]StageSample, len(m.stages))
	for i, s := range m.stages {
		d := s.empty(1)
		d.cold[0] = QuantileR7(s.Cold, coldPercentile/100)
		for _, step := range s.Steps() {
			for j, t := range d.targets(step.StepFit, 1) {
				t[0] += step.Params[j]
			}
		}
		stages[i] = d
	}
	return NewScenarios(m.workflow, price, 1, stages)
}

// FromDraws returns the scenarios that the given draws make, one list per
// stage, all of the same length.
func (m *Jolteon) FromDraws(stages [][]JolteonDraw, price PriceBook) (*Scenarios, error) {
	if len(stages) != len(m.stages) {
		return nil, fmt.Errorf("draws of %d stages for workflow %s of %d", len(stages), m.workflow.Name(), len(m.stages))
	}
	n := len(stages[0])
	samples := make([]StageSample, len(stages))
	for i, list := range stages {
		if len(list) != n {
			return nil, fmt.Errorf("stage %q has %d draws, stage %q has %d", m.stages[i].Name, len(list), m.stages[0].Name, n)
		}
		d := m.stages[i].empty(n)
		d.x, d.kd = make([]float64, n), make([]float64, n)
		d.logx, d.x2 = make([]float64, n), make([]float64, n)
		for k, v := range list {
			d.cold[k], d.x[k], d.kd[k], d.logx[k], d.x2[k], d.one[k] = v.Cold, v.X, v.KD, v.LogX, v.X2, v.Const
		}
		samples[i] = d
	}
	return NewScenarios(m.workflow, price, n, samples)
}
