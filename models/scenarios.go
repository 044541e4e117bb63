package models

import "fmt"

// StageSample is a sample of one stage's uncertain behaviour: what the stage
// does in each of n scenarios, as a function of its configuration.
type StageSample interface {
	// Times writes, for every scenario, the latency of the stage under c and
	// the billed time of one of its instances (mean over the instances), both
	// in seconds. inputParallelism is that of the stage's input parent (see
	// Workflow.InputParent), 0 where it has none. Either slice may be nil;
	// the others have one element per scenario.
	Times(c StageConfig, inputParallelism int, latency, billed []float64)

	// ReadsInput reports whether Times depends on inputParallelism.
	ReadsInput() bool
}

// Scenarios is a fixed joint sample of everything that is uncertain about a
// workflow: scenario i holds one draw for every stage. Methods that are
// compared share one Scenarios, hence common random numbers.
//
// It is safe for concurrent use: nothing changes after it is made.
type Scenarios struct {
	workflow *Workflow
	price    PriceBook
	n        int
	stages   []StageSample
}

// NewScenarios makes a sample of n scenarios of w out of one StageSample per
// stage.
func NewScenarios(w *Workflow, price PriceBook, n int, stages []StageSample) (*Scenarios, error) {
	if n < 1 {
		return nil, fmt.Errorf("scenarios of workflow %s: %d scenarios, need at least 1", w.Name(), n)
	}
	if len(stages) != w.Len() {
		return nil, fmt.Errorf("scenarios of workflow %s: %d stage samples for %d stages", w.Name(), len(stages), w.Len())
	}
	return &Scenarios{workflow: w, price: price, n: n, stages: stages}, nil
}

// Len returns the number of scenarios.
func (s *Scenarios) Len() int { return s.n }

// Workflow returns the workflow that the scenarios are of.
func (s *Scenarios) Workflow() *Workflow { return s.workflow }

// Price returns the price book that costs are computed with.
func (s *Scenarios) Price() PriceBook { return s.price }

// ReadsInput reports whether stage i behaves differently for different
// parallelism of its input parent.
func (s *Scenarios) ReadsInput(i int) bool { return s.stages[i].ReadsInput() }

// Times writes what StageSample.Times of stage i says under c in every scenario:
// the latency and the billed time of one instance, both in s. Either slice may
// be nil; the others have Len elements.
func (s *Scenarios) Times(i int, c StageConfig, inputParallelism int, latency, billed []float64) {
	s.stages[i].Times(c, inputParallelism, latency, billed)
}

// Columns writes the latency (s) and the cost (USD) of stage i under c in every
// scenario. Either slice may be nil; the others have Len elements.
func (s *Scenarios) Columns(i int, c StageConfig, inputParallelism int, latency, cost []float64) {
	s.stages[i].Times(c, inputParallelism, latency, cost)
	if cost == nil {
		return
	}
	d := float64(c.Parallelism)
	rate, fee := d*s.price.Rate(c), d*s.price.USDPerRequest
	if s.price.BillingStepS <= 0 {
		for k, billed := range cost {
			cost[k] = billed*rate + fee
		}
		return
	}
	for k, billed := range cost {
		cost[k] = s.price.Billed(billed)*rate + fee
	}
}

// Outcomes returns the latency (s) of the workflow, the longest path, and its
// cost (USD), the sum over stages, under c in every scenario.
func (s *Scenarios) Outcomes(c Config) (latency, cost []float64) {
	w := s.workflow
	latency, cost = make([]float64, s.n), make([]float64, s.n)
	ends := make([][]float64, w.Len())
	stageCost := make([]float64, s.n)
	for i := range ends {
		end := make([]float64, s.n)
		s.Columns(i, c[i], w.InputParallelism(c, i), end, stageCost)
		for k, v := range stageCost {
			cost[k] += v
		}
		addLatest(end, ends, w.Parents(i))
		ends[i] = end
	}
	copy(latency, ends[w.Sinks()[0]])
	for _, i := range w.Sinks()[1:] {
		for k, v := range ends[i] {
			latency[k] = max(latency[k], v)
		}
	}
	return latency, cost
}

// addLatest adds to dst, scenario by scenario, the latest end of the parents.
func addLatest(dst []float64, ends [][]float64, parents []int) {
	switch len(parents) {
	case 0:
	case 1:
		for k, v := range ends[parents[0]] {
			dst[k] += v
		}
	default:
		for k := range dst {
			latest := ends[parents[0]][k]
			for _, p := range parents[1:] {
				latest = max(latest, ends[p][k])
			}
			dst[k] += latest
		}
	}
}

// Model is a fitted stochastic performance model of a workflow.
type Model interface {
	// Name is the name that selects the model on the command line.
	Name() string

	// Workflow is what the model is of.
	Workflow() *Workflow

	// Sample draws n joint scenarios. The same streams give the same
	// scenarios.
	Sample(n int, price PriceBook, streams Streams) (*Scenarios, error)
}
