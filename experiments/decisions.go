package experiments

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mathext"

	"eevee/models"
	"eevee/solvers"
)

// DecisionRow is one configuration that was chosen for a bound by one half of
// the recorded runs, and judged by the other half.
type DecisionRow struct {
	Workflow   string  `json:"workflow"`
	Model      string  `json:"model"`
	Limit      float64 `json:"limit_s"`
	Percentile float64 `json:"percentile"`
	Config     string  `json:"config"`    // empty: no recorded configuration keeps the bound
	Predicted  float64 `json:"predicted"` // risk by the model
	Runs       int     `json:"n"`         // of the other half, under the configuration
	Violations int     `json:"violations"`

	// P is the one-sided exact binomial p-value of "the risk is at most what
	// was stated", AdjustedP that after Holm over all decisions.
	P         float64 `json:"p"`
	AdjustedP float64 `json:"adjusted_p"`
	Rejected  bool    `json:"rejected"` // at 5 %
}

// The settings of the decisions, fixed beforehand.
const (
	decisionPercentile = 95
	decisionConfidence = 99.9
	decisionScenarios  = 10_000
	decisionLevel      = 0.05
)

// decisionLimits are where the limits lie between the smallest and the largest
// recorded 95th percentile of a configuration, on a logarithmic scale.
func decisionLimits() []float64 { return []float64{0.1, 0.3, 0.5, 0.7, 0.9} }

// halves divides the warm runs of every configuration into two at random.
func halves(p *models.Profile, streams models.Streams) (one, other *models.Profile) {
	first := map[string]bool{}
	for _, f := range configurationFolds(p) {
		var warm []string
		for _, o := range f.held(p).Warm(0) {
			warm = append(warm, o.Execution)
		}
		streams.New(f.configuration).Shuffle(len(warm), func(i, j int) { warm[i], warm[j] = warm[j], warm[i] })
		for _, e := range warm[:(len(warm)+1)/2] {
			first[e] = true
		}
	}
	one = p.Select(func(o models.Observation) bool { return o.Epoch == 0 || first[o.Execution] })
	other = p.Select(func(o models.Observation) bool { return o.Epoch > 0 && !first[o.Execution] })
	return one, other
}

// Decide fits the model of a name to one half of the warm runs of every configuration of
// each profile, chooses for several limits on the latency the recorded
// configuration with the least mean cost that keeps the limit at p95 under rule
// certified, and judges it by the other half. The p-values of all profiles are
// adjusted together. With few runs of a configuration nothing can be rejected:
// the rows then describe, and decide nothing.
func Decide(ctx context.Context, profiles []*models.Profile, model string, price models.PriceBook, seed uint64) ([]DecisionRow, error) {
	rows := make([][]DecisionRow, len(profiles))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for k, p := range profiles {
		work.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			streams := models.Streams{Seed: seed}.Sub("decisions/" + p.Workflow.Name())
			one, other := halves(p, streams.Sub("halves"))
			m, err := FitModel(model, one)
			if err != nil {
				return err
			}
			scenarios, err := m.Sample(decisionScenarios, price, streams.Sub("scenarios"))
			if err != nil {
				return err
			}
			rows[k], err = decide(one, other, scenarios)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	all := slices.Concat(rows...)
	var p []float64
	for k := range all {
		all[k].Model = model
		p = append(p, all[k].P)
	}
	for k, adjusted := range holm(p) {
		all[k].AdjustedP, all[k].Rejected = adjusted, adjusted <= decisionLevel
	}
	return all, nil
}

// recordedLatencies are the latencies in s of the runs of one configuration.
type recordedLatencies struct {
	config    models.Config
	latencies []float64
}

func latenciesOf(p *models.Profile) ([]recordedLatencies, map[string]int) {
	var list []recordedLatencies
	at := map[string]int{}
	for _, run := range jointRuns(p) {
		c := run.config()
		k, ok := at[c.String()]
		if !ok {
			k = len(list)
			at[c.String()] = k
			list = append(list, recordedLatencies{config: c})
		}
		if v := run.latency(p.Workflow); !math.IsNaN(v) {
			list[k].latencies = append(list[k].latencies, v)
		}
	}
	return list, at
}

// decide chooses by scenarios and the recordings of one half, and judges by the
// other.
func decide(one, other *models.Profile, scenarios *models.Scenarios) ([]DecisionRow, error) {
	candidates, _ := latenciesOf(one)
	if len(candidates) == 0 {
		return nil, fmt.Errorf("decisions of workflow %s: no recorded run has all stages", one.Workflow.Name())
	}
	judges, judge := latenciesOf(other)
	bound := solvers.Bound{Metric: solvers.Latency, Limit: 1, Percentile: decisionPercentile, Confidence: decisionConfidence, Rule: solvers.Certified}
	allowed, err := bound.Allowed(scenarios.Len(), big.NewInt(int64(len(candidates))))
	if err != nil {
		return nil, err
	}
	lo, hi := math.Inf(1), 0.0
	latency, cost := make([][]float64, len(candidates)), make([]float64, len(candidates))
	for k, c := range candidates {
		p95 := models.QuantileR7(c.latencies, 0.95)
		lo, hi = min(lo, p95), max(hi, p95)
		var costs []float64
		latency[k], costs = scenarios.Outcomes(c.config)
		cost[k], _ = meanError(costs)
	}
	var rows []DecisionRow
	for _, part := range decisionLimits() {
		r := DecisionRow{Workflow: one.Workflow.Name(), Limit: lo * math.Pow(hi/lo, part), Percentile: decisionPercentile, P: 1}
		best := -1
		for k := range candidates {
			above := solvers.Exceeding(latency[k], r.Limit)
			if above <= allowed && (best < 0 || cost[k] < cost[best]) {
				best = k
				r.Predicted = float64(above) / float64(len(latency[k]))
			}
		}
		if best >= 0 {
			r.Config = candidates[best].config.String()
			if k, ok := judge[r.Config]; ok {
				r.Runs, r.Violations = len(judges[k].latencies), solvers.Exceeding(judges[k].latencies, r.Limit)
				r.P = binomialTail(r.Violations, r.Runs, bound.Risk())
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// binomialTail returns P(Bin(n, p) >= x).
func binomialTail(x, n int, p float64) float64 {
	if x == 0 {
		return 1
	}
	return mathext.RegIncBeta(float64(x), float64(n-x+1), p)
}
