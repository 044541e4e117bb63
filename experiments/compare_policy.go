package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"eevee/models"
	"eevee/solvers"
)

// Decided is one configuration that a policy decided for a stage.
type Decided struct {
	ResultStage
	Share float64 `json:"share"` // of the scenarios of the holdout
}

// policyCell lets one policy decide.
func (c *contest) policyCell(ctx context.Context, name string) (Compared, []float64, error) {
	elapsed := stopwatch()
	policy, err := c.policy(ctx, name)
	switch {
	case ctx.Err() != nil:
		return Compared{}, nil, ctx.Err()
	case err != nil:
		return c.unsupported(name, During, err), nil, nil
	}
	return c.judge(ctx, name, policy, elapsed())
}

// judge judges a policy on the same footing as a method. It learns from the same
// rows, and on every scenario of the sample and of the holdout it decides as it
// does in a run, so that its outcome is paired with that of every
// configuration. It is given nothing of the sample itself.
func (c *contest) judge(ctx context.Context, name string, policy models.Policy, made time.Duration) (Compared, []float64, error) {
	elapsed := stopwatch()
	sample, err := c.problem.Scenarios.Follow(ctx, policy)
	if err != nil {
		return Compared{}, nil, err
	}
	unseen, err := c.holdout()
	if err != nil {
		return Compared{}, nil, err
	}
	followed, err := unseen.Follow(ctx, policy)
	if err != nil {
		return Compared{}, nil, err
	}
	demands, err := c.problem.Demands()
	if err != nil {
		return Compared{}, nil, err
	}
	allowed := demands[0].Allowed
	outcome := c.problem.Judge(sample.Latency, sample.Cost)
	report := solvers.Report{
		Method: name, Allowed: allowed, Demands: demands, Feasible: outcome.Violations <= allowed, Outcome: outcome,
		Holdout: c.problem.CheckHoldout(c.problem.Judge(followed.Latency, followed.Cost)),
		Solution: solvers.Solution{
			Status: solvers.Done, Objective: outcome.Objective, Violations: outcome.Violations,
			LowerBound: math.Inf(-1), Reachable: math.NaN(), Enforced: c.options.Bound.Limit,
		},
	}
	static, decided := policy.(models.StaticPolicy)
	if decided {
		report.Solution.Config = static.Config
	}
	if !report.Feasible {
		report.Solution.Status = solvers.NotFound
		report.Solution.Warnings = []string{fmt.Sprintf("%d of %d scenarios exceed the limit and %d may", outcome.Violations, len(outcome.Latency), allowed)}
	}
	cell := Compared{Decides: During, Result: c.Result(Answer{
		Request: Request{Bound: c.options.Bound, Samples: c.problem.Scenarios.Len(), Seed: c.options.Seed},
		Report:  report, Timing: Timing{Fit: c.FitTime, Solve: made, Holdout: elapsed()},
	})}
	if decided {
		cell.Decides = Before
	} else {
		cell.Choices = choices(c.Definition.Workflow, followed)
	}
	err = c.simulate(ctx, &cell, policy)
	if p, ok := policy.(interface{ Warnings() []string }); ok {
		cell.Warnings = append(cell.Warnings, p.Warnings()...)
	}
	return cell, c.objective(report.Holdout.Outcome), err
}

// policy makes a policy for the problem, or says why it cannot.
func (c *contest) policy(ctx context.Context, name string) (models.Policy, error) {
	if err := c.options.aim().Plain(); err != nil {
		return nil, err
	}
	if c.options.Bound.Metric != solvers.Latency {
		return nil, fmt.Errorf("the bound is on %s, and %s keeps a limit on latency", c.options.Bound.Metric, name)
	}
	if len(c.Trace.Rows) == 0 {
		return nil, errors.New("the model comes without a trace, and policies learn from one")
	}
	return NewPolicy(ctx, name, PolicySetting{
		Definition: c.Definition, Rows: c.Trace.Rows, Space: c.Space, Price: c.Price, Limit: c.options.Bound.Limit, Seed: c.options.Seed,
	})
}

// choices lists what was decided on a holdout.
func choices(w *models.Workflow, f models.Followed) []Decided {
	var list []Decided
	for i, all := range f.Choices {
		for _, one := range all {
			list = append(list, Decided{
				ResultStage: ResultStage{Stage: w.Stage(i).Name, MemoryMB: one.Memory, VCPU: one.VCPU, Parallelism: one.Parallelism},
				Share:       float64(one.Scenarios) / float64(len(f.Latency)),
			})
		}
	}
	return list
}

// notes say what the reader of the cells must know.
func (c *contest) notes(cells []Compared) []string {
	notes := []string{
		fmt.Sprintf("risk is the %v %% interval of the share of %d unseen scenarios that exceed the limit", c.options.Bound.Confidence, solvers.HoldoutSize),
		fmt.Sprintf("~ marks methods whose mean objective on those scenarios cannot be told apart: paired differences, %v %%, on common random numbers", c.options.Bound.Confidence),
		"evaluations are the outcomes of whole configurations that a method asked for; beside them the nodes of its search tree, or what it looked at under a model of its own",
	}
	if slices.ContainsFunc(cells, func(cell Compared) bool { return cell.Decides == During && cell.Unsupported == "" }) {
		notes = append(notes,
			"policies decide while the workflow runs: in every scenario of sample and holdout anew, from what has happened there so far, and in every simulated run; they may do better than the best single configuration, a gap below 0; deciding itself is not charged")
	}
	return notes
}
