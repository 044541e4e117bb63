package experiments

import (
	"context"
	"fmt"
	"math"

	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
)

// Truth is what the trace says about an answer, beside what the model says of
// itself.
type Truth struct {
	Replay *ReplayRisk `json:"replay"`
	Stages *StagesRisk `json:"stages"` // null where no recorded run has all stages
}

// ReplayRisk is the risk in the replay world of the trace, which the solver
// never saw, with its exact interval. The interval shrinks with the number of
// runs, not with that of the executions behind them.
type ReplayRisk struct {
	Runs       int     `json:"runs"`
	Violations int     `json:"violations"`
	RiskLo     float64 `json:"risk_lo"`
	RiskHi     float64 `json:"risk_hi"`
	Confidence float64 `json:"confidence"`

	// Executions is the number of recorded executions that the stage with the
	// fewest draws on; 0 where a configuration was not recorded and is
	// estimated from its neighbours.
	Executions int `json:"executions"`

	// Agrees reports that the interval meets that of the model's own risk on
	// the holdout.
	Agrees bool `json:"agrees"`
}

// StagesRisk is what assuming independent stages does to the risk: residuals of
// the published step terms, drawn for every step and stage by itself, and for
// all of them from one recorded run.
type StagesRisk struct {
	Runs        int     `json:"runs"` // recorded ones with all stages
	Independent float64 `json:"independent_risk"`
	Joint       float64 `json:"joint_risk"`
}

// replayRuns is the number of runs in the replay world that an answer is judged
// on: enough to tell a risk of 5 % from one of 7 %.
const replayRuns = 2000

// Truth judges the answer by the trace: the risk of breaking its first bound.
// Where there is nothing to judge it is nil: no configuration that keeps the
// bounds, no rows, or no percentile of one metric to count by. Warnings say where
// model and trace disagree.
func (s *Setup) Truth(ctx context.Context, a Answer) (*Truth, []string, error) {
	config, bound := a.Report.Solution.Config, a.Request.Bound
	if !a.Report.Feasible || s.Profile == nil || a.Report.Holdout.N == 0 || bound.Also > 0 || bound.Measure != solvers.Quantile {
		return nil, nil, nil
	}
	t := &Truth{}
	var err error
	if t.Replay, err = s.replayRisk(ctx, a); err != nil {
		return nil, nil, err
	}
	if t.Stages, err = s.stagesRisk(config, bound, a.Request.Seed); err != nil {
		return nil, nil, err
	}
	var warnings []string
	if r, h := t.Replay, a.Report.Holdout; !r.Agrees {
		rests := fmt.Sprintf("which rests on as few as %d recorded executions of a stage", r.Executions)
		if r.Executions == 0 {
			rests = "in which a size was not recorded and is estimated from its neighbours"
		}
		which := "the model is the more cautious one"
		if r.RiskLo > h.RiskHi {
			which = "do not rely on the model"
		}
		warnings = append(warnings, fmt.Sprintf(
			"model and trace disagree, %s: by the model %.2g to %.2g %% of runs exceed the limit, in the replayed trace %.2g to %.2g %%, %s; \"eevee fit --validate\" shows how far the model can be trusted",
			which, 100*h.RiskLo, 100*h.RiskHi, 100*r.RiskLo, 100*r.RiskHi, rests))
	}
	return t, warnings, nil
}

func (s *Setup) replayRisk(ctx context.Context, a Answer) (*ReplayRisk, error) {
	world, err := sim.NewReplay(s.Definition.Workflow, s.Trace.Rows, sim.ReplaySettings{})
	if err != nil {
		return nil, err
	}
	bound, config := a.Request.Bound, a.Report.Solution.Config
	settings := sim.Settings{Seed: a.Request.Seed, Price: s.Price}
	if bound.Metric == solvers.Latency {
		settings.LatencyLimit = bound.Limit
	} else {
		settings.CostLimit = bound.Limit
	}
	summary, err := sim.Simulate(ctx, world, config, replayRuns, settings, nil)
	if err != nil {
		return nil, err
	}
	counted := summary.LatencyViolations
	if counted == nil {
		counted = summary.CostViolations
	}
	r := &ReplayRisk{Runs: summary.Runs, Violations: counted.Count, Confidence: bound.Confidence, Executions: math.MaxInt}
	r.RiskLo, r.RiskHi = solvers.BinomialInterval(r.Violations, r.Runs, bound.Confidence)
	r.Agrees = r.RiskLo <= a.Report.Holdout.RiskHi && a.Report.Holdout.RiskLo <= r.RiskHi
	for i, c := range config {
		n := 0
		for _, o := range s.Profile.Warm(i) {
			if o.Config.Same(c) {
				n++
			}
		}
		r.Executions = min(r.Executions, n)
	}
	return r, nil
}

// stagesRisk is nil where the trace does not have what the published step terms
// are fitted to.
func (s *Setup) stagesRisk(config models.Config, bound solvers.Bound, seed uint64) (*StagesRisk, error) {
	runs := jointRuns(s.Profile)
	if len(runs) < 2 {
		return nil, nil
	}
	streams := models.Streams{Seed: seed}.Sub("truth")
	risk := func(how resampling) (float64, error) {
		r, err := fitResiduals(s.Profile, how, streams)
		if err != nil {
			return math.NaN(), err
		}
		latency, cost := r.outcomes(config, s.Price)
		values, above := latency, 0
		if bound.Metric == solvers.Cost {
			values = cost
		}
		for _, v := range values {
			if !(v <= bound.Limit) {
				above++
			}
		}
		return float64(above) / float64(len(values)), nil
	}
	independent, err := risk(resampling{})
	if err != nil {
		return nil, nil // the trace is not one for step terms; the answer stands without this figure
	}
	joint, err := risk(resampling{Joint: true})
	if err != nil {
		return nil, err
	}
	return &StagesRisk{Runs: len(runs), Independent: independent, Joint: joint}, nil
}
