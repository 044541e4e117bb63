package solverstest

import (
	"context"
	"fmt"
	"sync"

	"eevee/models"
	"eevee/solvers"
)

// aimCases returns small problems with aims of every kind. The limits that are
// added are a part of what the answer to the first bound alone does, so that
// whoever overlooks them breaks them.
func aimCases() []Case {
	var cases []Case
	for _, kind := range aimKinds {
		for seed := range uint64(4) {
			metric := []solvers.Metric{solvers.Latency, solvers.Cost}[seed%2]
			name := fmt.Sprintf("%s %d %s", kind.name, seed, metric)
			cases = append(cases, Case{Name: name, New: func() *solvers.Problem {
				p := randomProblem(seed, metric, 1.05)
				kind.add(p, alone(seed, p))
				return p
			}})
		}
	}
	return cases
}

var (
	aloneMu  sync.Mutex
	outcomes = map[uint64]solvers.Outcome{}
)

// alone returns what the best configuration of the random problem of a seed
// does.
func alone(seed uint64, p *solvers.Problem) solvers.Outcome {
	aloneMu.Lock()
	defer aloneMu.Unlock()
	if o, ok := outcomes[seed]; ok {
		return o
	}
	s, err := solvers.Exact{}.Solve(context.Background(), p, models.Streams{})
	must(err)
	outcomes[seed] = p.Evaluate(s.Config)
	return outcomes[seed]
}

// aimKinds are the ways in which an aim can hold more than one percentile of one
// metric. alone is what the best configuration under the first bound does.
var aimKinds = []struct {
	name string
	add  func(p *solvers.Problem, alone solvers.Outcome)
}{
	{"two percentiles", func(p *solvers.Problem, alone solvers.Outcome) {
		b := p.Bound
		b.Percentile = 50
		b.Limit = 0.97 * upper(alone.Bounded(b.Metric), 2)
		p.Further = append(p.Further, b)
	}},
	{"both metrics", func(p *solvers.Problem, alone solvers.Outcome) {
		b := p.Bound
		b.Metric, b.Percentile = p.Objective(), 95
		b.Limit = 1.02 * upper(alone.Bounded(b.Metric), 20)
		p.Bound.Limit *= 0.99
		p.Further = append(p.Further, b)
	}},
	{"joint", func(p *solvers.Problem, alone solvers.Outcome) {
		p.Bound.Also = 1.02 * upper(alone.Bounded(p.Objective()), 20)
	}},
	{"joint and out of reach", func(p *solvers.Problem, alone solvers.Outcome) {
		p.Bound.Also = 0.5 * upper(alone.Bounded(p.Objective()), 2)
	}},
	{"CVaR", func(p *solvers.Problem, alone solvers.Outcome) {
		p.Bound.Measure = solvers.CVaR
		p.Bound.Limit = 0.98 * solvers.TailMean(alone.Bounded(p.Bound.Metric), p.Bound.Percentile)
	}},
	{"CVaR beside a percentile", func(p *solvers.Problem, alone solvers.Outcome) {
		b := p.Bound
		b.Measure = solvers.CVaR
		b.Limit = 0.98 * solvers.TailMean(alone.Bounded(b.Metric), b.Percentile)
		p.Further = append(p.Further, b)
	}},
	{"percentile minimised", func(p *solvers.Problem, _ solvers.Outcome) { p.Percentile = 90 }},
}

// upper returns the value that one in parts of the values is above.
func upper(values []float64, parts int) float64 {
	return solvers.OrderStatistic(values, len(values)/parts)
}
