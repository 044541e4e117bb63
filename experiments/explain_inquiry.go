package experiments

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"eevee/models"
	"eevee/solvers"
)

// inquiry asks what else could be had in place of a configuration, on the
// scenarios that it was found on.
type inquiry struct {
	problem    *solvers.Problem
	config     models.Config
	bound      solvers.Bound // that of the problem
	allowed    int           // scenarios that may exceed its limit
	percentile float64       // of the bounded metric, s or USD
	objective  float64       // mean, USD or s
}

// newInquiry asks about the configuration c of p, whose outcome is o.
func newInquiry(p *solvers.Problem, c models.Config, allowed int, o solvers.Outcome) *inquiry {
	q := &inquiry{
		problem: p, config: c, bound: p.Bound, allowed: allowed,
		percentile: solvers.OrderStatistic(o.Bounded(p.Bound.Metric), allowed), objective: o.Objective,
	}
	// The certified rule allows a little more in a smaller space; to compare
	// like with like every question has the same number.
	q.bound.Rule, q.bound.Percentile, q.bound.Margin = solvers.Plugin, 100*(1-(float64(allowed)+0.5)/float64(p.Scenarios.Len())), 0
	return q
}

// otherwise returns the best configuration that keeps the bound and has stage i
// configured differently, nil where there is none.
func (q *inquiry) otherwise(ctx context.Context, i int) (*RunnerUp, error) {
	p := q.problem
	var choices [][]models.StageConfig
	for k := range q.config {
		list := p.Space.Choices(k)
		if k == i {
			list = slices.DeleteFunc(slices.Clone(list), q.config[i].Same)
			if len(list) == 0 {
				return nil, nil
			}
		}
		choices = append(choices, list)
	}
	space, err := models.NewSpace(p.Workflow(), choices, p.Space.Rules())
	if err != nil {
		return nil, err
	}
	if space.Size().Sign() == 0 {
		return nil, nil
	}
	sol, err := q.best(ctx, space, q.bound)
	if err != nil || sol.Config == nil || sol.Status == solvers.Infeasible {
		return nil, err
	}
	return &RunnerUp{
		Config: ConfigStages(p.Workflow(), sol.Config), Objective: meanOf(p.Objective(), sol.Objective),
		Premium: sol.Objective/q.objective - 1, Status: sol.Status, Differences: differences(p.Workflow(), q.config, sol.Config),
	}, nil
}

// best solves the problem of a space and a bound exactly.
func (q *inquiry) best(ctx context.Context, space *models.Space, bound solvers.Bound) (solvers.Solution, error) {
	p, err := solvers.NewProblem(space, q.problem.Scenarios, bound)
	if err != nil {
		return solvers.Solution{}, err
	}
	sol, err := solvers.Exact{}.Solve(ctx, p, models.Streams{})
	return sol, errors.Join(err, ctx.Err())
}

// The limits that are looked at, relative to the bound's.
var otherLimits = []float64{0.8, 0.9, 0.95, 1.05, 1.1, 1.2, 1.5}

// limits solves the problem under other limits.
func (q *inquiry) limits(ctx context.Context) ([]OtherLimit, error) {
	p, bound := q.problem, q.bound
	var list []OtherLimit
	for _, factor := range otherLimits {
		bound.Limit = factor * q.bound.Limit
		sol, err := q.best(ctx, p.Space, bound)
		if err != nil {
			return nil, err
		}
		l := OtherLimit{Status: sol.Status}
		put(bound.Metric, bound.Limit, &l.LimitS, &l.LimitUSD)
		if sol.Config != nil && sol.Status != solvers.Infeasible {
			mean, premium := meanOf(p.Objective(), sol.Objective), sol.Objective/q.objective-1
			l.Objective, l.Premium, l.Config = &mean, &premium, ConfigStages(p.Workflow(), sol.Config)
		}
		list = append(list, l)
	}
	return list, nil
}

// steps returns, for every stage that has one, the single change that lowers
// the bounded percentile the most for what it adds to the objective.
func (q *inquiry) steps(ctx context.Context) ([]Step, error) {
	var list []Step
	for i := range q.config {
		step, err := q.step(ctx, i)
		if err != nil {
			return nil, err
		}
		if step != nil {
			list = append(list, *step)
		}
	}
	slices.SortStableFunc(list, func(a, b Step) int { return cmp.Compare(b.PerUnit, a.PerUnit) })
	return list, nil
}

// step returns the best change of stage i, nil where none lowers the percentile.
func (q *inquiry) step(ctx context.Context, i int) (best *Step, err error) {
	p, metric := q.problem, q.bound.Metric
	changed := q.config.Clone()
	for _, x := range p.Space.Choices(i) {
		if changed[i] = x; x.Same(q.config[i]) {
			continue
		}
		if _, err := p.Space.Locate(changed); err != nil {
			continue // it would take a change of a coupled stage as well
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		o := p.Evaluate(changed)
		after := solvers.OrderStatistic(o.Bounded(metric), q.allowed)
		lowers, raises := q.percentile-after, o.Objective-q.objective
		if !(lowers > 1e-9*q.percentile) {
			continue
		}
		step := Step{
			ResultStage: ConfigStages(p.Workflow(), changed)[i], Lowers: spare(metric, lowers), Raises: meanOf(p.Objective(), raises),
			PerUnit: lowers / raises, Free: raises <= 0,
		}
		if step.Free {
			step.PerUnit = math.Inf(1)
		}
		put(metric, after, &step.PercentileS, &step.PercentileUSD)
		if best == nil || step.PerUnit > best.PerUnit {
			best = &step
		}
	}
	return best, nil
}
