package models

import "gonum.org/v1/gonum/floats"

// SelectableStage is a StageSample that can leave scenarios out without
// computing any.
type SelectableStage interface {
	StageSample

	// Select returns the scenarios of the given positions, in that order, as
	// a sample of their own. Its times are the same, to the last bit.
	Select(rows []int32) StageSample
}

// LinearStage is a StageSample whose times are linear in what it draws, so that
// a weighted sum over scenarios is again a scenario.
type LinearStage interface {
	StageSample

	// Weigh returns a sample of one scenario: its times are the sums over all
	// scenarios of weight times theirs, whatever the configuration. There is
	// one weight per scenario; nil stands for the mean.
	Weigh(weights []float64) StageSample
}

// Select returns the scenarios of the given positions, in that order.
func (s *Scenarios) Select(rows []int32) *Scenarios {
	stages := make([]StageSample, len(s.stages))
	for i, stage := range s.stages {
		if own, ok := stage.(SelectableStage); ok {
			stages[i] = own.Select(rows)
		} else {
			stages[i] = selection{stage, s.n, rows}
		}
	}
	return &Scenarios{workflow: s.workflow, price: s.price, n: len(rows), stages: stages}
}

// selection makes a selection of any StageSample.
type selection struct {
	StageSample
	n    int
	rows []int32
}

// Times implements StageSample.
func (s selection) Times(c StageConfig, inputParallelism int, latency, billed []float64) {
	whole := func(of []float64) []float64 {
		if of == nil {
			return nil
		}
		return make([]float64, s.n)
	}
	l, b := whole(latency), whole(billed)
	s.StageSample.Times(c, inputParallelism, l, b)
	pick := func(to, from []float64) {
		for k := range to {
			to[k] = from[s.rows[k]]
		}
	}
	pick(latency, l)
	pick(billed, b)
}

// Linear reports whether sums over scenarios of the latency and of the cost of
// stage i need no column: see WeighLatency and WeighCost.
func (s *Scenarios) Linear(i int) (latency, cost bool) {
	_, linear := s.stages[i].(LinearStage)
	return linear, linear && s.price.BillingStepS <= 0
}

// WeighLatency returns a function of the configuration of stage i, and of the
// parallelism of its input parent: the sum over scenarios of weight times
// latency (s). nil weights stand for the mean. The function is not safe for
// concurrent use.
func (s *Scenarios) WeighLatency(i int, weights []float64) func(c StageConfig, inputParallelism int) float64 {
	if stage, ok := s.stages[i].(LinearStage); ok {
		one, out := stage.Weigh(weights), make([]float64, 1)
		return func(c StageConfig, in int) float64 {
			one.Times(c, in, out, nil)
			return out[0]
		}
	}
	column := make([]float64, s.n)
	return func(c StageConfig, in int) float64 {
		s.Columns(i, c, in, column, nil)
		return Weigh(weights, column)
	}
}

// WeighCost is WeighLatency for the cost (USD).
func (s *Scenarios) WeighCost(i int, weights []float64) func(c StageConfig, inputParallelism int) float64 {
	if stage, ok := s.stages[i].(LinearStage); ok && s.price.BillingStepS <= 0 {
		one, out := stage.Weigh(weights), make([]float64, 1)
		total := 1.0
		if weights != nil {
			total = 0
			for _, w := range weights {
				total += w
			}
		}
		return func(c StageConfig, in int) float64 {
			one.Times(c, in, nil, out)
			d := float64(c.Parallelism)
			return out[0]*d*s.price.Rate(c) + total*d*s.price.USDPerRequest
		}
	}
	column := make([]float64, s.n)
	return func(c StageConfig, in int) float64 {
		s.Columns(i, c, in, nil, column)
		return Weigh(weights, column)
	}
}

// Weigh returns the weighted sum of x, its mean where there are no weights. A
// weight of 0 leaves out what it weighs, even infinity.
func Weigh(weights, x []float64) float64 {
	if weights == nil {
		return floats.Sum(x) / float64(len(x))
	}
	sum := floats.Dot(weights, x)
	if sum == sum {
		return sum
	}
	// Something is infinite or not a number: only what counts may say so.
	sum = 0
	for k, w := range weights {
		if w != 0 {
			sum += w * x[k]
		}
	}
	return sum
}

// Select implements SelectableStage.
func (s *draws) Select(rows []int32) StageSample {
	of := s.blank()
	for p, values := range of.columns() {
		*values = selected(*s.columns()[p], rows)
	}
	return of
}

// selected returns the elements of the given positions, nil for nil.
func selected[T any](from []T, rows []int32) []T {
	if from == nil {
		return nil
	}
	out := make([]T, len(rows))
	for k, r := range rows {
		out[k] = from[r]
	}
	return out
}

// Weigh implements LinearStage.
func (s *draws) Weigh(weights []float64) StageSample {
	of := s.blank()
	for p, values := range of.columns() {
		if from := *s.columns()[p]; from != nil {
			*values = []float64{Weigh(weights, from)}
		}
	}
	return of
}

// blank returns a sample of the same form without scenarios.
func (s *draws) blank() *draws {
	return &draws{splittable: s.splittable, readsInput: s.readsInput, z: s.z}
}

// columns returns the parameters, one pointer each.
func (s *draws) columns() []*[]float64 {
	return []*[]float64{&s.cold, &s.x, &s.kd, &s.logx, &s.x2, &s.one}
}
