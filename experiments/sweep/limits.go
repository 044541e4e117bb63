package sweep

import (
	"context"
	"fmt"
	"math/big"
	"slices"

	"eevee/models"
	"eevee/solvers"
)

// resolve returns the limits on a metric as values. A number of points is
// spread evenly over the range in which the bound matters at the percentile p:
// from what the configuration that is best in the metric keeps to what the one
// that is best in the other metric keeps. Below the first hardly anything is
// feasible, above the second the bound changes nothing. Limits are rounded to
// four digits, so that they can be written down.
func (b *bench) resolve(ctx context.Context, l Limits, m solvers.Metric, p float64, seed uint64) ([]float64, error) {
	if l.Points == 0 {
		return slices.Sorted(slices.Values(l.Values)), nil
	}
	lo, err := b.kept(ctx, m, m.Other(), p, seed)
	if err != nil {
		return nil, err
	}
	hi, err := b.kept(ctx, m, m, p, seed)
	if err != nil {
		return nil, err
	}
	var values []float64
	for i := range l.Points {
		values = append(values, significant(lo+(hi-lo)*float64(i)/float64(l.Points-1), 4))
	}
	slices.Sort(values)
	return slices.Compact(values), nil
}

// unbound is a limit that every configuration keeps, in s and in USD.
const unbound = 1e12

// kept returns the p-th percentile of m under the configuration whose mean of
// the metric other than bounded is the smallest of all.
func (b *bench) kept(ctx context.Context, m, bounded solvers.Metric, p float64, seed uint64) (float64, error) {
	bound := solvers.Bound{Metric: bounded, Limit: unbound, Percentile: p, Confidence: 50, Rule: solvers.Plugin}
	scenarios, err := b.sample(bound.DefaultSamples(big.NewInt(1)), seed)
	if err != nil {
		return 0, err
	}
	problem, err := b.Pose(scenarios, bound)
	if err != nil {
		return 0, err
	}
	report, err := solvers.Solve(ctx, problem, solvers.Exact{}, models.Streams{Seed: seed}, nil)
	if err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if report.Solution.Status != solvers.Optimal {
		return 0, fmt.Errorf("workflow %s: the attainable range of %s is not known: the search for its ends came out %s", b.Definition.Workflow.Name(), m, report.Solution.Status)
	}
	return solvers.OrderStatistic(report.Outcome.Bounded(m), report.Allowed), nil
}
