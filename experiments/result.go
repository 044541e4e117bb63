package experiments

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"eevee/models"
	"eevee/solvers"
)

// ResultSchema names the JSON form of a Result; see schemas/solve.schema.json.
const ResultSchema = "eevee.solve/3"

// Result is the answer to a Request as "eevee solve" prints it, in base units
// with the unit in the name. Of the fields that come in two units only the one
// of the metric in question is there.
type Result struct {
	Schema      string         `json:"schema"`
	Workflow    string         `json:"workflow"`
	Method      string         `json:"method"`
	Status      solvers.Status `json:"status"`
	Interrupted bool           `json:"interrupted,omitempty"` // by a signal, which is why the status is limit-hit
	Seed        uint64         `json:"seed"`
	Trace       ResultTrace    `json:"trace"`
	Model       string         `json:"model"`
	Price       string         `json:"price"`
	Space       string         `json:"space"`
	Grid        Grid           `json:"grid,omitzero"` // that replaced choices of the space
	SpaceSize   *big.Int       `json:"space_size"`
	Bound       ResultBound    `json:"bound"`
	Further     []ResultBound  `json:"further,omitempty"`  // the other bounds; absent where there is one
	Config      []ResultStage  `json:"config"`             // of the answer; with status infeasible or not-found the closest miss
	Schedule    []ResultTimes  `json:"schedule,omitempty"` // of the stages that do not start by themselves; see "eevee simulate --arrivals"
	Objective   ResultMean     `json:"objective"`
	Predicted   *Predicted     `json:"predicted"`
	Certificate Certificate    `json:"certificate"`
	Holdout     *ResultHoldout `json:"holdout"`
	Truth       *Truth         `json:"truth,omitempty"` // what the trace says; absent where it was not asked
	Samples     int            `json:"samples"`
	Evaluations int            `json:"evaluations"`          // outcomes of whole configurations on the sample that the method asked for
	States      int            `json:"states,omitempty"`     // beside that: nodes of a search tree, configurations under a model of the method's own
	Runtime     *ResultRuntime `json:"runtime_ms,omitempty"` // not in files, which are the same for the same seed
	Warnings    []string       `json:"warnings"`
}

// ResultTrace names the trace.
type ResultTrace struct {
	Source Origin `json:"source"`
	SHA256 string `json:"sha256"`
}

// Guarantee is what a rule promises of a bound.
type Guarantee string

// The guarantees.
const (
	FiniteSample Guarantee = "finite-sample" // over the draw of the sample, for every configuration
	OnHoldout    Guarantee = "holdout"       // confirmed on scenarios that no method saw
	NoGuarantee  Guarantee = "none"
)

// guaranteeOf returns what is promised of a bound: of CVaR nothing, whatever the
// rule.
func guaranteeOf(b solvers.Bound) Guarantee {
	switch {
	case b.Measure == solvers.CVaR:
		return NoGuarantee
	case b.Rule == solvers.Certified:
		return FiniteSample
	case b.Rule == solvers.Verified:
		return OnHoldout
	}
	return NoGuarantee
}

// ResultBound is a bound as asked for and as kept.
type ResultBound struct {
	Metric            solvers.Metric  `json:"metric"`
	Measure           solvers.Measure `json:"measure,omitempty"` // "cvar"; absent: the percentile
	LimitS            *float64        `json:"limit_s,omitempty"`
	LimitUSD          *float64        `json:"limit_usd,omitempty"`
	AlsoLimitS        *float64        `json:"also_limit_s,omitempty"` // on the other metric, of a joint bound
	AlsoLimitUSD      *float64        `json:"also_limit_usd,omitempty"`
	Percentile        float64         `json:"percentile"`
	Confidence        float64         `json:"confidence"` // of all bounds together
	Rule              solvers.Rule    `json:"rule"`
	Guarantee         Guarantee       `json:"guarantee,omitempty"`
	AllowedViolations int             `json:"allowed_violations"`
	Violations        *int            `json:"violations,omitempty"` // on the sample, by the configuration
	CVaRS             *float64        `json:"cvar_s,omitempty"`     // on the sample, by the configuration
	CVaRUSD           *float64        `json:"cvar_usd,omitempty"`
	Kept              *bool           `json:"kept,omitempty"` // on the sample, by the configuration
	EnforcedLimitS    *float64        `json:"enforced_limit_s,omitempty"`
	EnforcedLimitUSD  *float64        `json:"enforced_limit_usd,omitempty"`
	ReachableLimitS   *float64        `json:"reachable_limit_s,omitempty"` // with status infeasible: the smallest that can be kept
	ReachableLimitUSD *float64        `json:"reachable_limit_usd,omitempty"`
}

// ResultStage is the configuration of one stage.
type ResultStage struct {
	Stage       string  `json:"stage"`
	MemoryMB    int     `json:"memory_mb"`
	VCPU        float64 `json:"vcpu"`
	Parallelism int     `json:"parallelism"`

	// Standing says how much the recordings say about the stage under this
	// configuration; absent where the model does not tell.
	Standing models.Standing `json:"standing,omitempty"`
}

// ResultTimes are the times that a schedule has for a stage, in seconds after the
// start of the execution; absent where that is left to the platform.
type ResultTimes struct {
	Stage    string   `json:"stage"`
	LaunchS  *float64 `json:"launch_s,omitempty"`  // its functions are invoked, and wait for their input
	PrewarmS *float64 `json:"prewarm_s,omitempty"` // its instances are started
}

// ResultMean is a sample mean of one metric, and a percentile of it where that is
// minimised.
type ResultMean struct {
	Metric        solvers.Metric `json:"metric"`
	Percentile    float64        `json:"percentile,omitempty"` // that is minimised; absent: the mean is
	PercentileS   *float64       `json:"percentile_s,omitempty"`
	PercentileUSD *float64       `json:"percentile_usd,omitempty"`
	MeanS         *float64       `json:"mean_s,omitempty"`
	MeanUSD       *float64       `json:"mean_usd,omitempty"`
}

// Predicted is what the model says about the configuration, on the sample. A
// percentile p is the order statistic that the bound's rule judges: the
// (floor(n*(1-p))+1)-th largest of n.
type Predicted struct {
	Latency Percentiles `json:"latency_s"`
	Cost    Percentiles `json:"cost_usd"`
}

// Percentiles describe one metric over scenarios.
type Percentiles struct {
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	Mean float64 `json:"mean"`
}

// Certificate is what was proved about the objective.
type Certificate struct {
	LowerBoundS   *float64 `json:"lower_bound_s,omitempty"`
	LowerBoundUSD *float64 `json:"lower_bound_usd,omitempty"`
	Gap           *float64 `json:"gap"` // relative; null where nothing was proved
}

// ResultHoldout is the check on scenarios that no method saw. Its figures are
// the ones to quote: those of the sample are optimistic after optimisation.
type ResultHoldout struct {
	N                int      `json:"n"`
	Violations       int      `json:"violations"`
	RiskLo           float64  `json:"risk_lo"`
	RiskHi           float64  `json:"risk_hi"`
	Confidence       float64  `json:"confidence"`
	ObjectiveMeanS   *float64 `json:"objective_mean_s,omitempty"`
	ObjectiveMeanUSD *float64 `json:"objective_mean_usd,omitempty"`

	ObjectivePercentileS   *float64 `json:"objective_percentile_s,omitempty"` // where a percentile is minimised
	ObjectivePercentileUSD *float64 `json:"objective_percentile_usd,omitempty"`

	Bounds []ResultCheck `json:"bounds,omitempty"` // every bound, the first one first; absent where one percentile is all that is bounded
}

// ResultCheck is what the holdout says about one bound.
type ResultCheck struct {
	Violations int     `json:"violations"`
	RiskLo     float64 `json:"risk_lo"`
	RiskHi     float64 `json:"risk_hi"`

	// With CVaR, its value and an asymptotic interval.
	CVaRS     *float64 `json:"cvar_s,omitempty"`
	CVaRLoS   *float64 `json:"cvar_lo_s,omitempty"`
	CVaRHiS   *float64 `json:"cvar_hi_s,omitempty"`
	CVaRUSD   *float64 `json:"cvar_usd,omitempty"`
	CVaRLoUSD *float64 `json:"cvar_lo_usd,omitempty"`
	CVaRHiUSD *float64 `json:"cvar_hi_usd,omitempty"`
}

// ResultRuntime is how long the parts took, in milliseconds.
type ResultRuntime struct {
	Fit    float64 `json:"fit"`
	Sample float64 `json:"sample"`
	Solve  float64 `json:"solve"`
	Check  float64 `json:"check"`
}

// Result returns the answer in its printable form.
func (s *Setup) Result(a Answer) Result {
	b, sol := a.Request.Bound, a.Report.Solution
	bounded, objective := b.Metric, b.Metric.Other()
	r := Result{
		Schema: ResultSchema, Workflow: s.Definition.Workflow.Name(), Method: a.Report.Method, Status: sol.Status,
		Seed: a.Request.Seed, Trace: ResultTrace{s.Trace.Origin, s.Trace.SHA256},
		Model: s.Model.Name(), Price: s.Price.Name, Space: s.SpaceName, Grid: s.Grid, SpaceSize: s.Size,
		Objective: ResultMean{Metric: objective, Percentile: a.Request.Percentile},
		Samples:   a.Request.Samples, Evaluations: a.Report.Evaluations, States: sol.States, Warnings: slices.Clone(sol.Warnings),
		Runtime: &ResultRuntime{
			Fit: ms(a.Timing.Fit), Sample: ms(a.Timing.Sample), Solve: ms(a.Timing.Solve), Check: ms(a.Timing.Holdout),
		},
	}
	for i, d := range a.Report.Demands {
		bound := resultBound(d, a.Report.Outcome)
		put(d.Metric, sol.Reachable*(d.Limit/b.Limit), &bound.ReachableLimitS, &bound.ReachableLimitUSD)
		if i == 0 {
			r.Bound = bound
		} else {
			r.Further = append(r.Further, bound)
		}
	}
	if slices.ContainsFunc(a.Report.Demands, func(d solvers.Demand) bool { return d.Measure == solvers.CVaR }) {
		r.Warnings = append(r.Warnings, "CVaR is judged by its value on the sample: no rule gives it a finite-sample guarantee")
	}
	put(bounded, sol.Enforced, &r.Bound.EnforcedLimitS, &r.Bound.EnforcedLimitUSD)
	put(objective, sol.LowerBound, &r.Certificate.LowerBoundS, &r.Certificate.LowerBoundUSD)
	if gap := sol.Gap(); !math.IsInf(gap, 1) && !math.IsNaN(gap) && sol.Status != solvers.Infeasible {
		r.Certificate.Gap = &gap
	}
	if a.Report.Outcome.Latency == nil {
		return r
	}
	mean := sol.Objective
	if a.Request.Percentile != 0 {
		put(objective, sol.Objective, &r.Objective.PercentileS, &r.Objective.PercentileUSD)
		mean = solvers.Mean(a.Report.Outcome.Bounded(objective))
	}
	put(objective, mean, &r.Objective.MeanS, &r.Objective.MeanUSD)
	r.Config = ConfigStages(s.Definition.Workflow, sol.Config)
	r.Schedule = scheduleTimes(s.Definition.Workflow, sol.Schedule)
	r.Warnings = append(r.Warnings, s.standings(r.Config, sol.Config)...)
	if m, ok := s.Model.(*models.Stated); ok {
		r.Warnings = append(r.Warnings, "how stages vary and scale is stated, not measured: "+strings.Join(m.Assumptions(), "; "))
	}
	r.Predicted = &Predicted{PercentilesOf(a.Report.Outcome.Latency), PercentilesOf(a.Report.Outcome.Cost)}
	h := a.Report.Holdout
	if h.N > 0 {
		r.Holdout = &ResultHoldout{N: h.N, Violations: h.Violations, RiskLo: h.RiskLo, RiskHi: h.RiskHi, Confidence: h.Confidence}
		mean := h.Objective
		if a.Request.Percentile != 0 {
			put(objective, h.Objective, &r.Holdout.ObjectivePercentileS, &r.Holdout.ObjectivePercentileUSD)
			mean = solvers.Mean(h.Outcome.Bounded(objective))
		}
		put(objective, mean, &r.Holdout.ObjectiveMeanS, &r.Holdout.ObjectiveMeanUSD)
		if a.Request.Aim().Plain() != nil {
			for i, c := range h.Bounds {
				r.Holdout.Bounds = append(r.Holdout.Bounds, resultCheck(a.Report.Demands[i], c))
			}
		}
	}
	return r
}

// resultBound returns a bound with what an outcome on the sample, if any, makes
// of it.
func resultBound(d solvers.Demand, o solvers.Outcome) ResultBound {
	r := ResultBound{
		Metric: d.Metric, Measure: d.Measure, Percentile: d.Percentile, Confidence: d.Confidence, Rule: d.Rule,
		Guarantee: guaranteeOf(d.Bound), AllowedViolations: d.Allowed,
	}
	put(d.Metric, d.Limit, &r.LimitS, &r.LimitUSD)
	if d.Also > 0 {
		put(d.Metric.Other(), d.Also, &r.AlsoLimitS, &r.AlsoLimitUSD)
	}
	if o.Latency == nil {
		return r
	}
	violations, kept := d.Violations(o.Latency, o.Cost), d.Keeps(o.Latency, o.Cost)
	r.Violations, r.Kept = &violations, &kept
	if d.Measure == solvers.CVaR {
		put(d.Metric, d.Reach(o.Latency, o.Cost), &r.CVaRS, &r.CVaRUSD)
	}
	return r
}

func resultCheck(d solvers.Demand, c solvers.BoundCheck) ResultCheck {
	r := ResultCheck{Violations: c.Violations, RiskLo: c.RiskLo, RiskHi: c.RiskHi}
	if d.Measure == solvers.CVaR {
		put(d.Metric, c.CVaR, &r.CVaRS, &r.CVaRUSD)
		put(d.Metric, c.CVaRLo, &r.CVaRLoS, &r.CVaRLoUSD)
		put(d.Metric, c.CVaRHi, &r.CVaRHiS, &r.CVaRHiUSD)
	}
	return r
}

// put stores a value under the unit of its metric, unless it is not a number.
func put(m solvers.Metric, value float64, s, usd **float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	if m == solvers.Latency {
		*s = &value
	} else {
		*usd = &value
	}
}

// ConfigStages returns the printable form of a configuration.
func ConfigStages(w *models.Workflow, c models.Config) []ResultStage {
	var list []ResultStage
	for i, sc := range c {
		list = append(list, ResultStage{Stage: w.Stage(i).Name, MemoryMB: sc.Memory, VCPU: sc.VCPU, Parallelism: sc.Parallelism})
	}
	return list
}

// scheduleTimes lists the stages of a workflow that a schedule has a time for.
func scheduleTimes(w *models.Workflow, schedule *models.Schedule) (list []ResultTimes) {
	for i := range w.Len() {
		t := ResultTimes{Stage: w.Stage(i).Name}
		if at, ok := schedule.LaunchAt(i); ok {
			t.LaunchS = &at
		}
		if at, ok := schedule.PrewarmAt(i); ok {
			t.PrewarmS = &at
		}
		if t.LaunchS != nil || t.PrewarmS != nil {
			list = append(list, t)
		}
	}
	return list
}

// standings adds to every stage of c how much the recordings say about it,
// where the model tells, and returns what a user must know of it.
func (s *Setup) standings(list []ResultStage, c models.Config) (warnings []string) {
	m, ok := s.Model.(interface {
		Standing(i int, c models.StageConfig, inputParallelism int) models.Standing
	})
	if !ok {
		return nil
	}
	var outside []string
	for i := range list {
		list[i].Standing = m.Standing(i, c[i], s.Definition.Workflow.InputParallelism(c, i))
		if list[i].Standing == models.Extrapolated {
			outside = append(outside, list[i].Stage)
		}
	}
	if outside != nil {
		warnings = append(warnings, fmt.Sprintf("outside the recorded sizes: %s; percentiles there are widened, but no recording stands behind them", strings.Join(outside, ", ")))
	}
	return warnings
}

// PercentilesOf returns the percentiles and the mean of values, which stay as they
// are: order statistics, the smallest value that the share does not exceed.
func PercentilesOf(values []float64) Percentiles {
	n := len(values)
	at := func(percent int) float64 { return solvers.OrderStatistic(values, n*(100-percent)/100) }
	return Percentiles{P50: at(50), P95: at(95), P99: at(99), Mean: solvers.Mean(values)}
}
