package baselines

import (
	"context"
	"fmt"

	"eevee/models"
	"eevee/solvers"
)

// GrandSLAM divides the limit on latency among the stages in proportion to
// their mean latency, and gives each the cheapest size that meets its share
// (algorithms.md 7, which knows it as a baseline re-implemented by others; its
// batching of requests has no counterpart here).
//
// Inferred: a stage's mean latency is that over its sizes; on a workflow with
// branches its share is that of the longest path it is on, so that the shares
// of no path are above the limit; and a size meets a share at the percentile
// of the bound, on the problem's sample. It does not decide parallelism.
type GrandSLAM struct {
	// Mean lets the mean latency of a stage meet the share, the literal reading
	// of "meeting".
	Mean bool

	Parallelism Instances
}

// NewGrandSLAM returns GrandSLAM with the named options: mean and
// parallelism=1/8/8/1.
func NewGrandSLAM(options ...string) (GrandSLAM, error) {
	var g GrandSLAM
	if err := readOptions("grandslam", options, g.options()); err != nil {
		return GrandSLAM{}, err
	}
	return g, nil
}

func (g *GrandSLAM) options() []option {
	return []option{toggle("mean", &g.Mean), instances(&g.Parallelism)}
}

// String returns "grandslam" and its options, as "grandslam:mean".
func (g GrandSLAM) String() string { return nameWith("grandslam", g.options()) }

// Supports asks for a bound on latency.
func (g GrandSLAM) Supports(p *solvers.Problem) error {
	if err := p.Plain(); err != nil {
		return err
	}
	if err := onLatency("GrandSLAM", p); err != nil {
		return err
	}
	_, err := newSizing(p, g.Parallelism)
	return err
}

// Solve implements solvers.Method. It draws nothing.
func (g GrandSLAM) Solve(ctx context.Context, p *solvers.Problem, _ models.Streams) (solvers.Solution, error) {
	sizes, err := newSizing(p, g.Parallelism)
	if err != nil {
		return solvers.Solution{}, err
	}
	t, err := newContest(p)
	if err != nil {
		return solvers.Solution{}, err
	}
	mean := make([]float64, len(sizes.choices))
	for i := range mean {
		if ctx.Err() != nil {
			return interrupted(p), nil
		}
		for k := range sizes.choices[i] {
			mean[i] += sizes.at(i, k).latency / float64(len(sizes.choices[i]))
		}
	}
	pick := make([]int, len(mean))
	var late []string
	for i, share := range latencyShares(p.Workflow(), mean, p.Bound.Limit) {
		if ctx.Err() != nil {
			return interrupted(p), nil
		}
		met := false
		if pick[i], met = g.cheapest(sizes, i, share, t.allowed); !met {
			late = append(late, p.Workflow().Stage(i).Name)
		}
	}
	config := sizes.config(pick)
	s := t.answer(config, p.Evaluate(config))
	if late != nil {
		s.Warnings = append(s.Warnings, fmt.Sprintf("no size of the stages %q meets its share of the limit; they have the one that comes closest", late))
	}
	return s, nil
}

// latencyShares divides the limit (s): every stage has the share that its mean
// has of the longest path it is on.
func latencyShares(w *models.Workflow, mean []float64, limit float64) []float64 {
	before, after := make([]float64, len(mean)), make([]float64, len(mean))
	for i := range mean {
		for _, parent := range w.Parents(i) {
			before[i] = max(before[i], before[parent]+mean[parent])
		}
	}
	for i := len(mean) - 1; i >= 0; i-- {
		for _, child := range w.Children(i) {
			after[i] = max(after[i], mean[child]+after[child])
		}
	}
	shares := make([]float64, len(mean))
	for i, m := range mean {
		shares[i] = limit * m / (before[i] + m + after[i])
	}
	return shares
}

// cheapest returns the cheapest size of stage i that meets its share; where
// there is none, the one that comes closest.
func (g GrandSLAM) cheapest(s *sizing, i int, share float64, allowed int) (size int, met bool) {
	closest := -1.0
	for k, c := range s.choices[i] {
		taken := s.at(i, k).latency
		if !g.Mean {
			latency := make([]float64, s.problem.Scenarios.Len())
			s.problem.Scenarios.Columns(i, c, s.in[i], latency, nil)
			taken = solvers.OrderStatistic(latency, allowed)
		}
		switch {
		case taken <= share && (!met || s.at(i, k).cost < s.at(i, size).cost):
			size, met = k, true
		case !met && (closest < 0 || taken < closest):
			size, closest = k, taken
		}
	}
	return size, met
}
