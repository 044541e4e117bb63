package experiments

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
)

// Verdict says what executions on the real platform make of a prediction.
type Verdict struct {
	Workflow string        `json:"workflow"`
	Model    string        `json:"model"`
	Trace    ResultTrace   `json:"trace"` // that the model was fitted to
	Price    string        `json:"price"`
	Config   []ResultStage `json:"config"`

	Runs     int            `json:"runs"`   // that succeeded; the figures are theirs
	Failed   int            `json:"failed"` // they count as breaking the bound
	Latency  VerdictFigure  `json:"latency_s"`
	Cost     VerdictFigure  `json:"cost_usd"`
	Bound    *VerdictBound  `json:"bound"` // null where the configuration has none
	Points   []VerdictPoint `json:"points"`
	Samples  VerdictSamples `json:"-"`
	Warnings []string       `json:"warnings"`
}

// VerdictPoint is one run.
type VerdictPoint struct {
	LatencyS float64 `json:"latency_s"`
	CostUSD  float64 `json:"cost_usd"`
}

// VerdictSamples are the predicted distributions, ascending.
type VerdictSamples struct{ Latency, Cost []float64 }

// VerdictFigure compares one metric. Percentiles are R-7; the intervals of the
// measured ones lie between order statistics, at the confidence of the bound.
type VerdictFigure struct {
	Measured  sim.Distribution `json:"measured"`
	Predicted Percentiles      `json:"predicted"`
	ErrorP50  float64          `json:"error_p50"` // predicted over measured, minus 1
	ErrorP95  float64          `json:"error_p95"`
	ErrorP99  float64          `json:"error_p99"`
	ErrorMean float64          `json:"error_mean"`
	LevelP50  float64          `json:"level_p50"` // share of the prediction that is at most the measured p50
	LevelP95  float64          `json:"level_p95"`
	LevelP99  float64          `json:"level_p99"`
	KS        float64          `json:"ks"` // Kolmogorov-Smirnov distance between both
}

// The values of VerdictBound.Verdict.
const (
	Kept      = "kept"      // with the confidence, the risk is at most what the bound allows
	Broken    = "broken"    // with the confidence, it is more
	Undecided = "undecided" // more runs are needed
)

// VerdictBound is the chance constraint judged by runs. The interval is that of
// Clopper and Pearson, two-sided; the verdict is one-sided, at the same
// confidence.
type VerdictBound struct {
	Metric     solvers.Metric `json:"metric"`
	LimitS     *float64       `json:"limit_s,omitempty"`
	LimitUSD   *float64       `json:"limit_usd,omitempty"`
	Percentile float64        `json:"percentile"`
	Confidence float64        `json:"confidence"`
	Predicted  float64        `json:"predicted_risk"` // by the model
	Violations int            `json:"violations"`
	Share      float64        `json:"share"`
	RiskLo     float64        `json:"risk_lo"`
	RiskHi     float64        `json:"risk_hi"`
	Verdict    string         `json:"verdict"`

	// MoreRuns is how many further runs it takes to decide if the share of
	// violations stays what it is: 0 where it is decided, null where no number
	// does because the share is the risk itself.
	MoreRuns *int `json:"more_runs"`
}

// mostRuns bounds the runs that are asked for.
const mostRuns = 1_000_000

// verdictSamples is how many scenarios a prediction rests on.
const verdictSamples = 10_000

// Judge compares executions with the prediction for their configuration. A
// confidence is in percent; where bound is nil it is that of the intervals.
func (s *Setup) Judge(config models.Config, runs []VerdictPoint, failed int, bound *solvers.Bound, confidence float64, seed uint64) (*Verdict, error) {
	w := s.Definition.Workflow
	if len(runs) == 0 {
		return nil, fmt.Errorf("workflow %s: no execution succeeded, so that there is nothing to compare", w.Name())
	}
	scenarios, err := s.Holdout(seed, 0, verdictSamples)
	if err != nil {
		return nil, err
	}
	v := &Verdict{
		Workflow: w.Name(), Model: s.Model.Name(), Trace: ResultTrace{s.Trace.Origin, s.Trace.SHA256}, Price: s.Price.Name,
		Config: ConfigStages(w, config), Runs: len(runs), Failed: failed, Points: runs, Warnings: []string{},
	}
	v.Samples.Latency, v.Samples.Cost = scenarios.Outcomes(config)
	var latency, cost []float64
	for _, r := range runs {
		latency, cost = append(latency, r.LatencyS), append(cost, r.CostUSD)
	}
	v.Latency = compareFigure(v.Samples.Latency, latency, confidence)
	v.Cost = compareFigure(v.Samples.Cost, cost, confidence)
	if bound != nil {
		predicted, measured := v.Samples.Latency, latency
		if bound.Metric == solvers.Cost {
			predicted, measured = v.Samples.Cost, cost
		}
		v.Bound = judgeBound(*bound, confidence, solvers.Exceeding(predicted, bound.Limit), len(predicted), solvers.Exceeding(measured, bound.Limit)+failed, len(measured)+failed)
	}
	if failed > 0 {
		v.Warnings = append(v.Warnings, fmt.Sprintf("%d of %d executions failed; figures are those of the others, and each counts as breaking the bound", failed, failed+len(runs)))
	}
	return v, nil
}

// compareFigure sorts the prediction.
func compareFigure(predicted, measured []float64, confidence float64) VerdictFigure {
	slices.Sort(predicted)
	f := VerdictFigure{Measured: sim.Describe(measured, confidence)}
	f.Predicted = Percentiles{
		P50: models.SortedQuantileR7(predicted, 0.50), P95: models.SortedQuantileR7(predicted, 0.95),
		P99: models.SortedQuantileR7(predicted, 0.99), Mean: stat.Mean(predicted, nil),
	}
	m := f.Measured
	f.ErrorP50, f.ErrorP95, f.ErrorP99 = f.Predicted.P50/m.P50.Value-1, f.Predicted.P95/m.P95.Value-1, f.Predicted.P99/m.P99.Value-1
	f.ErrorMean = f.Predicted.Mean/m.Mean - 1
	f.LevelP50, f.LevelP95, f.LevelP99 = shareUpTo(predicted, m.P50.Value), shareUpTo(predicted, m.P95.Value), shareUpTo(predicted, m.P99.Value)
	sorted := slices.Sorted(slices.Values(measured))
	for k, x := range sorted {
		at := shareUpTo(predicted, x)
		f.KS = max(f.KS, math.Abs(at-float64(k)/float64(len(sorted))), math.Abs(at-float64(k+1)/float64(len(sorted))))
	}
	return f
}

// shareUpTo returns the share of ascending values that are at most x.
func shareUpTo(ascending []float64, x float64) float64 {
	k, _ := slices.BinarySearchFunc(ascending, x, func(v, x float64) int {
		if v <= x {
			return -1
		}
		return 1
	})
	return float64(k) / float64(len(ascending))
}

// judgeBound judges a bound by the violations of n runs.
func judgeBound(bound solvers.Bound, confidence float64, predicted, of, violations, n int) *VerdictBound {
	b := &VerdictBound{
		Metric: bound.Metric, Percentile: bound.Percentile, Confidence: confidence, Predicted: float64(predicted) / float64(of),
		Violations: violations, Share: float64(violations) / float64(n),
	}
	if bound.Metric == solvers.Latency {
		b.LimitS = &bound.Limit
	} else {
		b.LimitUSD = &bound.Limit
	}
	b.RiskLo, b.RiskHi = solvers.BinomialInterval(violations, n, confidence)
	b.Verdict = verdictOf(violations, n, bound.Risk(), confidence)
	if b.Verdict != Undecided {
		b.MoreRuns = new(0)
		return b
	}
	// The verdict of k = share*n' violations in n' runs: doubled until it is
	// decided, then halved down to the first number from which on it is.
	decided := func(total int) bool {
		return verdictOf(int(math.Round(b.Share*float64(total))), total, bound.Risk(), confidence) != Undecided
	}
	high := n
	for high < mostRuns && !decided(high) {
		high *= 2
	}
	if !decided(high) {
		return b
	}
	low := high / 2
	for low+1 < high {
		if middle := (low + high) / 2; decided(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	b.MoreRuns = new(high - n)
	return b
}

// verdictOf judges a risk by x violations in n runs, each side at the confidence.
func verdictOf(x, n int, risk, confidence float64) string {
	switch {
	case solvers.BinomialUpper(x, n, confidence) <= risk:
		return Kept
	case 1-solvers.BinomialUpper(n-x, n, confidence) > risk:
		return Broken
	}
	return Undecided
}
