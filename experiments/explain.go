package experiments

import (
	"context"
	"fmt"

	"eevee/models"
	"eevee/solvers"
)

// ExplanationSchema names the JSON form of an Explanation; see
// schemas/explain.schema.json.
const ExplanationSchema = "eevee.explain/1"

// Explanation says why a configuration is what it is: which path decides the
// latency, what every stage has to spare, what comes second, and what another
// limit would cost. All of it is on the scenarios that the configuration was
// found on, under the same model.
type Explanation struct {
	Schema    string       `json:"schema"`
	Workflow  string       `json:"workflow"`
	Seed      uint64       `json:"seed"`
	Trace     ResultTrace  `json:"trace"`
	Model     string       `json:"model"`
	Price     string       `json:"price"`
	Space     string       `json:"space"`
	Grid      Grid         `json:"grid,omitzero"`
	Samples   int          `json:"samples"`
	Bound     ResultBound  `json:"bound"`
	Objective ResultMean   `json:"objective"`
	Predicted Predicted    `json:"predicted"`
	Margin    Spare        `json:"margin"`     // how much lower the limit could be
	Deciding  int          `json:"deciding"`   // scenarios with the largest values of the bounded metric: one more than may exceed the limit
	Paths     []PathShare  `json:"paths"`      // those that are the longest most often come first
	Other     int          `json:"more_paths"` // paths that are the longest in some scenario and not listed
	Stages    []StageShare `json:"stages"`
	RunnerUp  *RunnerUp    `json:"runner_up"` // null: no other configuration keeps the bound
	Limits    []OtherLimit `json:"limits"`
	Steps     []Step       `json:"steps"` // single changes that lower the bounded percentile, the cheapest per unit first
	Warnings  []string     `json:"warnings"`
}

// Spare is an amount of the bounded metric, in its unit.
type Spare struct {
	S   *float64 `json:"s,omitempty"`
	USD *float64 `json:"usd,omitempty"`
}

// PathShare is a path from a source to a sink of the workflow.
type PathShare struct {
	Stages   []string `json:"stages"`
	Longest  float64  `json:"longest"`          // share of all scenarios in which it is the longest
	Deciding float64  `json:"longest_deciding"` // share of the deciding scenarios
}

// StageShare is the part of one stage in latency and cost.
type StageShare struct {
	ResultStage
	MeanS    float64 `json:"mean_s"`
	MeanUSD  float64 `json:"mean_usd"`
	Critical float64 `json:"critical"`          // share of all scenarios in which it is on the longest path
	Deciding float64 `json:"critical_deciding"` // share of the deciding scenarios

	// Spare is how much more the stage could take in every scenario, in the
	// bounded metric, before the bound breaks; 0 where it is broken already.
	Spare Spare `json:"spare"`

	// Otherwise is the best configuration in which this stage is configured
	// differently; null where none keeps the bound.
	Otherwise *RunnerUp `json:"otherwise"`
}

// RunnerUp is a configuration beside the explained one.
type RunnerUp struct {
	Config      []ResultStage  `json:"config"`
	Objective   ResultMean     `json:"objective"`
	Premium     float64        `json:"premium"` // of the objective, relative to the explained configuration
	Status      solvers.Status `json:"status"`  // optimal: proved to be the best
	Differences []string       `json:"differences"`
}

// OtherLimit is the best that can be had under another limit.
type OtherLimit struct {
	LimitS    *float64       `json:"limit_s,omitempty"`
	LimitUSD  *float64       `json:"limit_usd,omitempty"`
	Status    solvers.Status `json:"status"`
	Objective *ResultMean    `json:"objective"` // null where the limit cannot be kept
	Premium   *float64       `json:"premium"`   // relative to the explained configuration
	Config    []ResultStage  `json:"config"`
}

// Step is a change of one stage that lowers the bounded percentile and raises
// the objective.
type Step struct {
	ResultStage
	PercentileS   *float64   `json:"percentile_s,omitempty"` // of the bounded metric after the step
	PercentileUSD *float64   `json:"percentile_usd,omitempty"`
	Lowers        Spare      `json:"lowers"`         // the bounded percentile, by
	Raises        ResultMean `json:"raises"`         // the mean of the objective, by
	PerUnit       float64    `json:"per_unit"`       // Lowers over Raises: s per USD, or USD per s
	Free          bool       `json:"free,omitempty"` // the objective does not rise: the explained configuration is not the best
}

// mostPaths is how many paths are listed.
const mostPaths = 8

// Explain explains the configuration c that was found for the bound of a
// problem. allowed is how many of its scenarios may exceed the limit.
func (s *Setup) Explain(ctx context.Context, p *solvers.Problem, c models.Config, allowed int, seed uint64) (Explanation, error) {
	bounded, objective := p.Bound.Metric, p.Objective()
	o := p.Evaluate(c)
	e := Explanation{
		Schema: ExplanationSchema, Workflow: p.Workflow().Name(), Seed: seed, Trace: ResultTrace{s.Trace.Origin, s.Trace.SHA256},
		Model: s.Model.Name(), Price: s.Price.Name, Space: s.SpaceName, Grid: s.Grid, Samples: p.Scenarios.Len(),
		Bound: ResultBound{
			Metric: bounded, Percentile: p.Bound.Percentile, Confidence: p.Bound.Confidence, Rule: p.Bound.Rule,
			AllowedViolations: allowed, Violations: &o.Violations,
		},
		Objective: meanOf(objective, o.Objective),
		Predicted: Predicted{PercentilesOf(o.Latency), PercentilesOf(o.Cost)},
		Deciding:  min(allowed+1, p.Scenarios.Len()),
		Warnings:  s.ModelWarnings(),
	}
	put(bounded, p.Bound.Limit, &e.Bound.LimitS, &e.Bound.LimitUSD)
	ask := newInquiry(p, c, allowed, o)
	e.Margin = spare(bounded, p.Bound.Limit-ask.percentile)
	if ask.percentile > p.Bound.Limit {
		e.Warnings = append(e.Warnings, "the configuration does not keep the bound: what follows says what it lacks")
	}

	parts := newAnatomy(p, c)
	parts.deciding(o.Bounded(bounded), e.Deciding)
	e.Paths, e.Other = parts.paths()
	e.Stages = parts.stages(s, c, allowed)

	for i := range c {
		other, err := ask.otherwise(ctx, i)
		if err != nil {
			return e, err
		}
		e.Stages[i].Otherwise = other
		if other != nil && (e.RunnerUp == nil || other.Premium < e.RunnerUp.Premium) {
			e.RunnerUp = other
		}
	}
	if e.RunnerUp != nil && e.RunnerUp.Premium < -1e-9 && ask.percentile <= p.Bound.Limit {
		e.Warnings = append(e.Warnings, fmt.Sprintf("another configuration keeps the bound with a mean %s that is %.2g %% lower; method exact finds it", objective, -100*e.RunnerUp.Premium))
	}
	var err error
	if e.Limits, err = ask.limits(ctx); err != nil {
		return e, err
	}
	e.Steps, err = ask.steps(ctx)
	return e, err
}

func spare(m solvers.Metric, v float64) (s Spare) {
	put(m, v, &s.S, &s.USD)
	return s
}

func meanOf(m solvers.Metric, v float64) ResultMean {
	r := ResultMean{Metric: m}
	put(m, v, &r.MeanS, &r.MeanUSD)
	return r
}

// differences says in words where b is not a, as "train: 8 x 1769 MB, not 4 x
// 3538 MB".
func differences(w *models.Workflow, a, b models.Config) []string {
	var list []string
	for i := range a {
		if !a[i].Same(b[i]) {
			list = append(list, fmt.Sprintf("%s: %d x %d MB, not %d x %d MB", w.Stage(i).Name, b[i].Parallelism, b[i].Memory, a[i].Parallelism, a[i].Memory))
		}
	}
	return list
}
