package experiments

import (
	"context"
	"fmt"
	"math/big"

	"eevee/solvers"
)

// FrontierSchema names the JSON form of Frontiers; see
// schemas/frontier.schema.json.
const FrontierSchema = "eevee.frontier/1"

// FrontierRequest asks for the trade-offs of a workflow.
type FrontierRequest struct {
	Percentile, Confidence float64 // percent, as in a bound
	Rule                   solvers.Rule
	Tolerance              float64 // relative; 0: every point
	Samples                int     // as in Request
	Seed                   uint64
}

// Frontiers are both trade-offs between latency and cost, of one sample.
type Frontiers struct {
	Schema     string         `json:"schema"`
	Workflow   string         `json:"workflow"`
	Seed       uint64         `json:"seed"`
	Trace      ResultTrace    `json:"trace"`
	Model      string         `json:"model"`
	Price      string         `json:"price"`
	Space      string         `json:"space"`
	SpaceSize  *big.Int       `json:"space_size"`
	Percentile float64        `json:"percentile"`
	Confidence float64        `json:"confidence"`
	Rule       solvers.Rule   `json:"rule"`
	Tolerance  float64        `json:"tolerance"`
	Samples    int            `json:"samples"`
	Kinds      []FrontierKind `json:"frontiers"`
	Warnings   []string       `json:"warnings"`
}

// FrontierKind is one trade-off: a percentile of one metric against the mean of
// the other.
type FrontierKind struct {
	PercentileOf      solvers.Metric       `json:"percentile_of"`
	MeanOf            solvers.Metric       `json:"mean_of"`
	AllowedViolations int                  `json:"allowed_violations"` // scenarios that may exceed a point's percentile
	Complete          bool                 `json:"complete"`           // every configuration is within the tolerance of a point
	Points            []FrontierPlanePoint `json:"points"`
}

// FrontierPlanePoint is one configuration of a frontier.
type FrontierPlanePoint struct {
	Config        []ResultStage `json:"config"`
	PercentileS   *float64      `json:"percentile_s,omitempty"`
	PercentileUSD *float64      `json:"percentile_usd,omitempty"`
	MeanS         *float64      `json:"mean_s,omitempty"`
	MeanUSD       *float64      `json:"mean_usd,omitempty"`
	LowerBoundS   *float64      `json:"lower_bound_s,omitempty"` // no configuration that keeps the percentile has a lower mean
	LowerBoundUSD *float64      `json:"lower_bound_usd,omitempty"`
	Predicted     Predicted     `json:"predicted"`
}

// Frontiers computes both frontiers. done, which may be nil, is told the share
// of the work that is behind, from several goroutines.
func (s *Setup) Frontiers(ctx context.Context, r FrontierRequest, done func(share float64)) (Frontiers, error) {
	f := Frontiers{
		Schema: FrontierSchema, Workflow: s.Definition.Workflow.Name(), Seed: r.Seed,
		Trace: ResultTrace{s.Trace.Origin, s.Trace.SHA256}, Model: s.Model.Name(), Price: s.Price.Name,
		Space: s.SpaceName, SpaceSize: s.Size, Percentile: r.Percentile, Confidence: r.Confidence, Rule: r.Rule,
		Tolerance: r.Tolerance, Warnings: s.ModelWarnings(),
	}
	if r.Rule == solvers.Verified {
		return f, fmt.Errorf("a frontier cannot be judged by the rule %q, which spends a holdout on every answer; use %q or %q", r.Rule, solvers.Certified, solvers.Plugin)
	}
	// The limit does not matter; there is none of the frontier as a whole.
	bound := solvers.Bound{Metric: solvers.Latency, Limit: 1, Percentile: r.Percentile, Confidence: r.Confidence, Rule: r.Rule}
	first, err := s.Problem(bound, r.Samples, r.Seed)
	if err != nil {
		return f, err
	}
	f.Samples = first.Scenarios.Len()
	for _, metric := range []solvers.Metric{solvers.Latency, solvers.Cost} {
		bound.Metric = metric
		p, err := s.Pose(first.Scenarios, bound)
		if err != nil {
			return f, err
		}
		found, err := solvers.Exact{}.Frontier(ctx, p, r.Tolerance, func(share float64) {
			if done != nil {
				done(share / 2)
			}
		})
		if err != nil {
			return f, err
		}
		kind := FrontierKind{
			PercentileOf: metric, MeanOf: metric.Other(), AllowedViolations: found.Allowed, Complete: found.Complete,
		}
		for _, point := range found.Points {
			q := FrontierPlanePoint{
				Config:    ConfigStages(s.Definition.Workflow, point.Config),
				Predicted: Predicted{PercentilesOf(point.Outcome.Latency), PercentilesOf(point.Outcome.Cost)},
			}
			put(metric, point.Percentile, &q.PercentileS, &q.PercentileUSD)
			put(metric.Other(), point.Objective, &q.MeanS, &q.MeanUSD)
			put(metric.Other(), point.LowerBound, &q.LowerBoundS, &q.LowerBoundUSD)
			kind.Points = append(kind.Points, q)
		}
		if !kind.Complete {
			f.Warnings = append(f.Warnings, fmt.Sprintf("the frontier of the percentile of %s was cut short; points are missing", metric))
		}
		f.Kinds = append(f.Kinds, kind)
	}
	return f, nil
}
