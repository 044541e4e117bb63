package experiments

import (
	"context"
	"math"
	"strings"
	"testing"

	"eevee/models"
	"eevee/solvers"
)

// The answer of a model is judged by the trace, not by the model: where the
// limit is put between what the two say, they disagree, and the warning says
// who is the more cautious. The replay world is asked here run by run.
func TestTruthTellsModelAndTraceApart(t *testing.T) {
	s := bundledSetup(t, "video")
	config := make(models.Config, s.Definition.Workflow.Len())
	for i := range config {
		config[i] = s.Definition.StageConfig(3584, 8)
	}
	var recorded []float64
	for _, run := range jointRuns(s.Profile) {
		if run.config().String() == config.String() {
			recorded = append(recorded, run.latency(s.Definition.Workflow))
		}
	}
	if len(recorded) != 2 {
		t.Fatalf("%d recorded runs under %v, want 2", len(recorded), config)
	}
	lo, hi := min(recorded[0], recorded[1]), max(recorded[0], recorded[1])
	at := func(limit, riskLo, riskHi float64) (*Truth, []string) {
		a := Answer{Request: Request{Seed: 1, Bound: solvers.Bound{Metric: solvers.Latency, Limit: limit, Percentile: 95, Confidence: 99, Rule: solvers.Plugin}}}
		a.Report.Solution.Config, a.Report.Feasible = config, true
		a.Report.Holdout = solvers.HoldoutCheck{N: 1000, RiskLo: riskLo, RiskHi: riskHi}
		truth, warnings, err := s.Truth(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		return truth, warnings
	}
	truth, warnings := at((lo+hi)/2, 0.01, 0.05)
	if r := truth.Replay; r.Agrees || math.Abs(float64(r.Violations)/float64(r.Runs)-0.5) > 0.06 || r.Executions != 2 {
		t.Errorf("one of two recorded runs exceeds the limit, replay says %+v", *r)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "do not rely on the model") {
		t.Errorf("warnings %q", warnings)
	}
	truth, warnings = at(hi*1.001, 0, 0.05)
	if !truth.Replay.Agrees || truth.Replay.Violations != 0 || len(warnings) != 0 {
		t.Errorf("above every recorded run: %+v, warnings %q", *truth.Replay, warnings)
	}
	if _, warnings = at(hi*1.001, 0.3, 0.4); len(warnings) != 1 || !strings.Contains(warnings[0], "more cautious") {
		t.Errorf("warnings %q", warnings)
	}
	if truth.Stages.Runs != 48 {
		t.Errorf("%d runs with all stages, want 48", truth.Stages.Runs)
	}
}

// Residuals that stages share raise the risk of a sum when they are drawn
// together, as much as theory says: two stages with the same normal deviation
// have twice, independent ones sqrt(2) times its standard deviation.
func TestJointResidualsKeepWhatStagesShare(t *testing.T) {
	s := bundledSetup(t, "ml")
	sum := func(joint bool) float64 {
		r, err := fitResiduals(s.Profile, resampling{joint}, models.Streams{Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		// In place of what the trace left over: one deviation for all stages.
		for i := range r.residuals {
			for j := range r.residuals[i] {
				for k := range r.residuals[i][j] {
					r.residuals[i][j][k] = 0
					if j == 1 {
						r.residuals[i][j][k] = float64(k) - float64(len(r.residuals[i][j])-1)/2
					}
				}
			}
			for k := range r.delays[i] {
				r.delays[i][k] = 100 // one path, whatever the deviations
			}
		}
		config := jointRuns(s.Profile)[0].config()
		latency, _ := r.outcomes(config, models.PriceBook{})
		mean, variance := 0.0, 0.0
		for _, v := range latency {
			mean += v / float64(len(latency))
		}
		for _, v := range latency {
			variance += (v - mean) * (v - mean) / float64(len(latency))
		}
		return math.Sqrt(variance)
	}
	// Uniform on 46 values one apart, in a path of four stages.
	one := math.Sqrt((46*46 - 1) / 12.0)
	if got := sum(true); math.Abs(got/(4*one)-1) > 0.05 {
		t.Errorf("joint deviation %.2f, theory says %.2f", got, 4*one)
	}
	if got := sum(false); math.Abs(got/(2*one)-1) > 0.05 {
		t.Errorf("independent deviation %.2f, theory says %.2f", got, 2*one)
	}
}
