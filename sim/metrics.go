package sim

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"eevee/models"
)

// Interval is a confidence interval, at the confidence of Settings.
type Interval struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// Summary is what the runs of a simulation have in common. Intervals hold for
// the simulated world: they shrink with the number of runs, whatever the
// number of recordings behind it.
type Summary struct {
	Workflow string        `json:"workflow"`
	Config   models.Config `json:"-"`                // nil where a policy decided
	Policy   string        `json:"policy,omitempty"` // empty under a configuration
	Settings Settings      `json:"-"`                // with defaults filled in
	Runs     int           `json:"runs"`
	Tasks    int           `json:"tasks,omitempty"` // per run; 0 where it depends on the run

	Deciding *Deciding `json:"deciding,omitempty"` // nil under a configuration

	Latency   Distribution `json:"latency_s"`  // s
	Cost      Distribution `json:"cost_usd"`   // USD
	GBSeconds float64      `json:"gb_seconds"` // mean over the runs

	LatencyViolations *Violations `json:"latency_violations,omitempty"` // nil without a limit
	CostViolations    *Violations `json:"cost_violations,omitempty"`    // nil without a limit

	Stages   []StageSummary `json:"stages"`
	Warnings []string       `json:"warnings"`
}

// StageSummary is what one stage did, on average over the runs.
type StageSummary struct {
	Stage   string  `json:"stage"`
	Origin  string  `json:"origin,omitempty"` // where the world has the times from; empty where it depends on the run
	Latency float64 `json:"mean_latency_s"`
	Billed  float64 `json:"mean_billed_s"` // summed over the invocations
	Cost    float64 `json:"mean_cost_usd"` // without that of deciding

	Choices []StageChoice `json:"choices,omitempty"` // what a policy decided, in the order of first use
}

// StageChoice is one configuration that a policy chose for a stage, for every
// parallelism of its input.
type StageChoice struct {
	MemoryMB    int    `json:"memory_mb"`
	Parallelism int    `json:"parallelism"`
	Runs        int    `json:"runs"`   // that it was chosen in
	Origin      string `json:"origin"` // where the world has the times from
}

// Deciding is what the decisions of a policy cost, summed over the stages of a
// run, on average over the runs. It is part of latency and cost.
type Deciding struct {
	Latency float64 `json:"mean_latency_s"` // decisions of parallel stages overlap, but all count
	Cost    float64 `json:"mean_cost_usd"`
}

// Distribution describes one figure over the runs.
type Distribution struct {
	Mean         float64   `json:"mean"`
	MeanInterval *Interval `json:"mean_interval,omitempty"` // by Student's t; nil for one run
	StdDev       float64   `json:"std_dev"`                 // of the sample; 0 for one run
	Min          float64   `json:"min"`
	Max          float64   `json:"max"`
	P50          Quantile  `json:"p50"`
	P95          Quantile  `json:"p95"`
	P99          Quantile  `json:"p99"`
}

// Quantile is a quantile of the runs, R-7, exact.
type Quantile struct {
	Value float64 `json:"value"`

	// Interval lies between two order statistics whose ranks follow from the
	// binomial distribution, whatever the distribution of the figure (David
	// and Nagaraja, Order Statistics, 3rd ed., section 7.1). It is nil where
	// there are too few runs for it, and Needs says how many it takes.
	Interval *Interval `json:"interval,omitempty"`
	Needs    int       `json:"needs_runs,omitempty"`
}

// Violations counts the runs above a limit.
type Violations struct {
	Limit float64  `json:"limit"`
	Count int      `json:"count"`
	Share float64  `json:"share"`          // Count over the number of runs
	Risk  Interval `json:"share_interval"` // exact binomial (Clopper and Pearson 1934)
}

// collector gathers the figures of runs.
type collector struct {
	plan         *plan
	settings     Settings
	latency      []float64 // s
	cost         []float64 // USD
	stages       []stageTotals
	gb           float64
	decidingNS   int64
	decidingCost money
	chosen       [][]chosen // per stage, in the order of first use; only under a policy
}

// chosen counts the runs in which a policy made one decision.
type chosen struct {
	config models.StageConfig
	*resolution
	runs int
}

type stageTotals struct {
	latency, billed float64 // s
	cost            float64 // USD
}

func newCollector(p *plan, s Settings, runs int) *collector {
	return &collector{
		plan:     p,
		settings: s,
		latency:  make([]float64, 0, runs),
		cost:     make([]float64, 0, runs),
		stages:   make([]stageTotals, p.workflow.Len()),
		chosen:   make([][]chosen, p.workflow.Len()),
	}
}

func (c *collector) add(r *Run) {
	c.latency = append(c.latency, r.Latency)
	c.cost = append(c.cost, r.Cost)
	c.gb += r.GBSeconds
	for i := range r.Stages {
		s, t := &r.Stages[i], &c.stages[i]
		t.latency += s.Latency()
		t.billed += s.Billed
		t.cost += s.Cost
	}
	if c.plan.online == nil {
		return
	}
	for i := range r.Stages {
		c.decidingNS += r.Stages[i].decided - r.Stages[i].ready
		c.decidingCost += r.Stages[i].deciding
		l, list := r.layout, c.chosen[i]
		k := slices.IndexFunc(list, func(x chosen) bool { return x.resolution == l.resolved[i] })
		if k < 0 {
			k = len(list)
			c.chosen[i] = append(list, chosen{config: l.config[i], resolution: l.resolved[i]})
		}
		c.chosen[i][k].runs++
	}
}

func (c *collector) summary() *Summary {
	n := float64(len(c.latency))
	s := &Summary{
		Workflow:  c.plan.workflow.Name(),
		Settings:  c.settings,
		Runs:      len(c.latency),
		GBSeconds: c.gb / n,
		Warnings:  []string{},
	}
	if l := c.plan.layout; l != nil {
		s.Config, s.Tasks = l.config, len(l.stageOf)
	} else {
		s.Deciding = &Deciding{seconds(c.decidingNS) / n, c.decidingCost.usd() / n}
	}
	if limit := c.settings.LatencyLimit; limit > 0 {
		s.LatencyViolations = violations(c.latency, limit, c.settings.Confidence)
	}
	if limit := c.settings.CostLimit; limit > 0 {
		s.CostViolations = violations(c.cost, limit, c.settings.Confidence)
	}
	s.Latency = describe(c.latency, c.settings.Confidence)
	s.Cost = describe(c.cost, c.settings.Confidence)
	for i, t := range c.stages {
		stage := StageSummary{
			Stage:   c.plan.workflow.Stage(i).Name,
			Latency: t.latency / n,
			Billed:  t.billed / n,
			Cost:    t.cost / n,
		}
		warn := func(b Behaviour) {
			for _, warning := range b.Warnings() {
				if text := fmt.Sprintf("stage %q: %s", stage.Stage, warning); !slices.Contains(s.Warnings, text) {
					s.Warnings = append(s.Warnings, text)
				}
			}
		}
		if l := c.plan.layout; l != nil {
			stage.Origin = l.stages[i].Origin()
			warn(l.stages[i])
		}
		for _, x := range c.chosen[i] {
			stage.Choices = append(stage.Choices, StageChoice{x.config.Memory, x.config.Parallelism, x.runs, x.behaviour.Origin()})
			warn(x.behaviour)
		}
		s.Stages = append(s.Stages, stage)
	}
	if d := distinct(c.latency); d < enoughRuns && s.Runs >= enoughRuns {
		s.Warnings = append(s.Warnings, fmt.Sprintf("the %d runs have %d different latencies in all: percentiles and intervals describe what is replayed, not how much the cloud varies", s.Runs, d))
	}
	if q := s.Latency.P99; q.Needs > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%d runs are too few for an interval of the p99 at %v %% confidence; it takes %d", s.Runs, c.settings.Confidence, q.Needs))
	}
	return s
}

// enoughRuns is the number of runs without a violation that it takes to claim
// a p95 at 95 % confidence: 0.95^59 < 0.05.
const enoughRuns = 59

// distinct counts the different values of a sorted slice.
func distinct(sorted []float64) int {
	n := 0
	for i, v := range sorted {
		if i == 0 || v != sorted[i-1] {
			n++
		}
	}
	return n
}

// Describe returns the distribution of at least one value, with intervals at a
// confidence in percent.
func Describe(values []float64, confidence float64) Distribution {
	return describe(slices.Clone(values), confidence)
}

// describe sorts values.
func describe(values []float64, confidence float64) Distribution {
	n := len(values)
	var d Distribution
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	d.Mean = sum / float64(n)
	if n > 1 {
		squares := 0.0
		for _, v := range values {
			squares += (v - d.Mean) * (v - d.Mean)
		}
		d.StdDev = math.Sqrt(squares / float64(n-1))
		t := distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile(1 - tail(confidence))
		half := t * d.StdDev / math.Sqrt(float64(n))
		d.MeanInterval = &Interval{d.Mean - half, d.Mean + half}
	}
	slices.Sort(values)
	d.Min, d.Max = values[0], values[n-1]
	d.P50 = quantile(values, 0.50, confidence)
	d.P95 = quantile(values, 0.95, confidence)
	d.P99 = quantile(values, 0.99, confidence)
	return d
}

// tail returns the probability on either side of a two-sided interval.
func tail(confidence float64) float64 { return (1 - confidence/100) / 2 }

// quantile returns the p-quantile of sorted values and its interval: the order
// statistics of ranks l and u with P(Bin(n, p) < l) and P(Bin(n, p) >= u) at
// most the tail probability each.
func quantile(sorted []float64, p, confidence float64) Quantile {
	n := len(sorted)
	q := Quantile{Value: models.SortedQuantileR7(sorted, p)}
	a := tail(confidence)
	most := func(k int) float64 { // P(Bin(n, p) <= k)
		if k >= n {
			return 1
		}
		return 1 - mathext.RegIncBeta(float64(k+1), float64(n-k), p)
	}
	// In ranks from 0: the first place where P(Bin <= place) exceeds a comes
	// right after the lower one, and the upper one is the first where it
	// reaches 1-a.
	lower := sort.Search(n, func(k int) bool { return most(k) > a }) - 1
	upper := sort.Search(n, func(k int) bool { return most(k) >= 1-a })
	if lower < 0 || upper == n {
		q.Needs = int(math.Ceil(math.Log(a) / math.Log(max(p, 1-p))))
		return q
	}
	q.Interval = &Interval{sorted[lower], sorted[upper]}
	return q
}

func violations(values []float64, limit, confidence float64) *Violations {
	above := 0
	for _, x := range values {
		if x > limit {
			above++
		}
	}
	return share(limit, above, len(values), confidence)
}

// share describes count runs of total above a limit.
func share(limit float64, count, total int, confidence float64) *Violations {
	v := &Violations{Limit: limit, Count: count, Risk: Interval{0, 1}}
	if total == 0 {
		return v
	}
	n, k, a := float64(total), float64(count), tail(confidence)
	v.Share = k / n
	if v.Risk.Hi = 1; k < n {
		v.Risk.Hi = mathext.InvRegIncBeta(k+1, n-k, 1-a)
	}
	if k > 0 {
		v.Risk.Lo = mathext.InvRegIncBeta(k, n-k+1, a)
	}
	return v
}
