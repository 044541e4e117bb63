package papers

import (
	"context"
	"fmt"
	"math"
	"slices"

	"eevee/experiments"
	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
)

// policies lets what decides during the run keep a bound on latency.
func (l *Lab) policies(ctx context.Context, b *bench, names []string, c Cell) ([]ExplorerAnswer, error) {
	p, err := b.setup.Pose(b.sample, c.bound())
	if err != nil {
		return nil, err
	}
	allowed, err := p.Allowed()
	if err != nil {
		return nil, err
	}
	unseen := head(b.holdout, policiesUnseen)
	var all []ExplorerAnswer
	for _, name := range names {
		a := ExplorerAnswer{Method: name, Decides: experiments.During, Mean: math.NaN(), Excess: math.NaN()}
		policy, err := experiments.NewPolicy(ctx, name, experiments.PolicySetting{
			Definition: b.setup.Definition, Rows: b.setup.Trace.Rows, Space: b.setup.Space, Price: b.setup.Price, Limit: c.Limit, Seed: l.options.Seed,
		})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			a.Unsupported = err.Error()
			all = append(all, a)
			continue
		}
		if err := l.followed(ctx, b, p, unseen, policy, &a); err != nil {
			return nil, fmt.Errorf("%v%s: %w", c, name, err)
		}
		a.Allowed = allowed
		all = append(all, a)
	}
	return all, nil
}

// followed fills in what happens where a policy decides.
func (l *Lab) followed(ctx context.Context, b *bench, p *solvers.Problem, unseen *models.Scenarios, policy models.Policy, a *ExplorerAnswer) error {
	if static, ok := policy.(models.StaticPolicy); ok {
		a.Decides, a.Config = experiments.Before, static.Config
	}
	onSample, err := p.Scenarios.Follow(ctx, policy)
	if err != nil {
		return err
	}
	onUnseen, err := unseen.Follow(ctx, policy)
	if err != nil {
		return err
	}
	a.Answered, a.Says, a.Unseen = true, solvers.Done, unseen.Len()
	a.Violations = solvers.Exceeding(onSample.Latency, p.Bound.Limit)
	above := solvers.Exceeding(onUnseen.Latency, p.Bound.Limit)
	a.Risk = float64(above) / float64(a.Unseen)
	a.RiskLo, a.RiskHi = solvers.BinomialInterval(above, a.Unseen, publishedConfidence)
	a.Mean = solvers.Mean(onUnseen.Cost)
	summary, err := sim.SimulatePolicy(ctx, b.world, policy, l.runs(), l.settings(b), nil)
	if err != nil {
		return err
	}
	executed, err := executedOf(summary)
	a.Executed = executed.Latency
	return err
}

// relate fills in by how much answers exceed the proved optimum, on the unseen
// scenarios that they were judged on themselves.
func (e *ExplorerBound) relate(b *bench, metric solvers.Metric) {
	i := slices.IndexFunc(e.Answers, func(a ExplorerAnswer) bool { return a.Method == "exact" && a.Says == solvers.Optimal })
	if i < 0 {
		return
	}
	optimum := e.Answers[i]
	few := math.NaN()
	for k := range e.Answers {
		a := &e.Answers[k]
		reference := optimum.Mean
		if a.Answered && a.Unseen < optimum.Unseen {
			if math.IsNaN(few) {
				latency, cost := head(b.holdout, a.Unseen).Outcomes(optimum.Config)
				few = solvers.Mean((solvers.Outcome{Latency: latency, Cost: cost}).Bounded(metric.Other()))
			}
			reference = few
		}
		a.Excess = a.Mean/reference - 1
	}
}
