package sim

import (
	"fmt"
	"slices"
)

// LoadSummary is what a simulation under load came to, summed over its
// replications. Executions that started in the warm-up are not in it, nor is
// what they did; instances are counted from the end of the warm-up on.
type LoadSummary struct {
	Platform     string       `json:"platform"`
	Settings     LoadSettings `json:"-"` // with defaults filled in
	Replications int          `json:"replications"`

	Simulated float64 `json:"simulated_s"`      // s, until the last event
	Asked     int     `json:"executions_asked"` // with those of the warm-up
	Ended     int     `json:"executions_ended"` // with those of the warm-up and failed ones; fewer than asked only where the simulation was interrupted
	Events    uint64  `json:"events"`           // without arrivals of open workloads
	Peak      int     `json:"peak_concurrency"` // most requests that ran at the same time

	Cost      LoadCost       `json:"cost_usd"`
	Workloads []LoadWorkload `json:"workloads"`
	Functions []LoadFunction `json:"functions"`
	Warnings  []string       `json:"warnings"`
}

// LoadCost is money by what it is paid for, in USD.
type LoadCost struct {
	Total         float64 `json:"total"`
	Functions     float64 `json:"functions"`     // requests, the time they ran and initialisation
	Storage       float64 `json:"storage"`       // that functions read from and wrote to
	Provisioned   float64 `json:"provisioned"`   // of instances that are kept initialised, for the simulated time after the warm-up
	Orchestration float64 `json:"orchestration"` // state transitions, or requests and duration
	Deciding      float64 `json:"deciding"`      // by policies
}

// LoadWorkload is what a workload came to.
type LoadWorkload struct {
	Workload   string         `json:"workload"`
	Workflow   string         `json:"workflow"`
	Policy     string         `json:"policy,omitempty"`
	Arrivals   string         `json:"arrivals"`
	Executions int            `json:"executions"` // that ended without failing
	Failed     map[string]int `json:"failed,omitempty"`

	// Throughput is executions per second, from the end of the warm-up to the
	// end of the last one.
	Throughput float64 `json:"throughput_per_s"`

	Latency LoadDistribution `json:"latency_s"`
	Cost    LoadDistribution `json:"cost_usd"` // of executions that did not fail; without provisioned instances

	LatencyViolations *Violations `json:"latency_violations,omitempty"` // nil without a limit
	CostViolations    *Violations `json:"cost_violations,omitempty"`    // nil without a limit
}

// LoadFunction is what a function came to.
type LoadFunction struct {
	Workload string `json:"workload"`
	Function string `json:"function"` // the stage, or the group of stages
	MemoryMB int    `json:"memory_mb"`

	Invocations uint64            `json:"invocations"` // attempts that got an instance
	ColdStarts  uint64            `json:"cold_starts"` // of which waited for a new one
	Throttled   uint64            `json:"throttled"`   // requests that were turned away, or had to wait
	Retries     uint64            `json:"retries"`
	Failed      map[string]uint64 `json:"failed,omitempty"` // attempts by error

	Wait LoadDistribution `json:"wait_s"` // from the request being due to the function running

	Instances       uint64  `json:"instances"`        // that were started, with those of the warm-up
	InstanceSeconds float64 `json:"instance_seconds"` // that they lived, after the warm-up
	BusySeconds     float64 `json:"busy_seconds"`     // that functions ran
	BilledSeconds   float64 `json:"billed_seconds"`   // with initialisation
	InitSeconds     float64 `json:"init_seconds"`     // of initialisation that were billed
	GBSeconds       float64 `json:"gb_seconds"`       // billed
	Cost            float64 `json:"cost_usd"`         // with storage
}

// QuantileError is the largest relative error of quantiles under load, which
// are read from the buckets of a histogram; all else is exact.
const QuantileError = 1.0 / 256

// LoadDistribution describes one figure over executions or requests. Of nothing
// it is all zeros.
type LoadDistribution struct {
	N            uint64    `json:"n"`
	Mean         float64   `json:"mean"`
	MeanInterval *Interval `json:"mean_interval,omitempty"` // by batch means; nil where they are too few or too much alike
	Min          float64   `json:"min"`
	Max          float64   `json:"max"`
	P50          float64   `json:"p50"` // within QuantileError
	P95          float64   `json:"p95"`
	P99          float64   `json:"p99"`
}

// distribution describes a sketch of which n units are 1 outside.
func (s *sketch) distribution(unit float64) LoadDistribution {
	if s.count == 0 {
		return LoadDistribution{}
	}
	return LoadDistribution{
		N: s.count, Mean: s.mean() / unit, Min: float64(s.least) / unit, Max: float64(s.most) / unit,
		P50: s.quantile(0.50) / unit, P95: s.quantile(0.95) / unit, P99: s.quantile(0.99) / unit,
	}
}

// summary adds up clouds, in the order of their replications; those that were
// never started are nil.
func (d *deployment) summary(clouds []*cloud) *LoadSummary {
	s := &LoadSummary{Platform: d.settings.Platform.Name, Settings: d.settings, Warnings: []string{}}
	ledgers := make([]tenantLedger, len(d.workloads))
	type total struct {
		LoadFunction
		functionLedger
		gb float64
	}
	var functions []*total
	at := map[deployedKey]*total{}
	spans := make([]float64, len(d.workloads))
	means := make([][]*BatchMeans, len(d.workloads))
	for _, c := range clouds {
		if c == nil {
			continue
		}
		s.Replications++
		s.Simulated += seconds(c.now)
		s.Asked += c.asked
		s.Ended += c.ended
		s.Events += c.ids
		s.Peak = max(s.Peak, c.most)
		for k, t := range c.tenants {
			ledgers[k].merge(&t.ledger)
			means[k] = append(means[k], &t.means)
			spans[k] += seconds(max(0, t.ledger.last-c.warmup))
		}
		for _, f := range c.functions {
			key := f.key
			sum := at[key]
			if sum == nil {
				sum = &total{LoadFunction: LoadFunction{Workload: f.workload, Function: f.name, MemoryMB: f.memory}, gb: f.tariff.gb}
				at[key] = sum
				functions = append(functions, sum)
			}
			sum.merge(&f.ledger)
			sum.Instances += f.warm.started + f.provisioned.started
			lived := f.warm.instanceTime(c.now)
			lived.merge(f.provisioned.instanceTime(c.now))
			sum.InstanceSeconds += lived.float() / 1e9
			s.Cost.Provisioned += float64(f.Provisioned) * f.tariff.gb * c.platform.Price.ProvisionedUSDPerGBSecond * seconds(max(0, c.now-c.warmup))
		}
	}
	for k, w := range d.workloads {
		l := &ledgers[k]
		x := LoadWorkload{
			Workload: w.Name, Workflow: w.World.Workflow().Name(), Arrivals: w.Arrivals.String(), Executions: l.executions,
			Latency: l.latency.distribution(1e9), Cost: l.cost.distribution(1e12),
		}
		if w.Policy != nil {
			x.Policy = w.Policy.String()
		}
		if i, ok := batchesInterval(d.settings.Confidence, means[k]...); ok {
			x.Latency.MeanInterval = &i
		} else if l.executions > 0 {
			s.Warnings = append(s.Warnings, fmt.Sprintf("workload %s: no interval for the mean latency of %d executions: they are too few, or too much alike one after the other", w.Name, l.executions))
		}
		x.Failed = byName(l.failed[:])
		if spans[k] > 0 {
			x.Throughput = float64(l.executions) / spans[k]
		}
		if limit := d.settings.LatencyLimit; limit > 0 {
			x.LatencyViolations = share(limit, l.slow, l.executions, d.settings.Confidence)
		}
		if limit := d.settings.CostLimit; limit > 0 {
			x.CostViolations = share(limit, l.dear, l.executions, d.settings.Confidence)
		}
		s.Cost.Orchestration += l.steps.usd()
		s.Cost.Deciding += l.deciding.usd()
		s.Workloads = append(s.Workloads, x)
		s.warn(w.Name, d.plans[k], k, clouds)
	}
	for _, f := range functions {
		l := &f.functionLedger
		f.Invocations, f.ColdStarts, f.Throttled, f.Retries = l.invocations, l.cold, l.throttled, l.retries
		f.Failed = byName(l.failed[:])
		f.Wait = l.wait.distribution(1e9)
		f.BusySeconds, f.BilledSeconds, f.InitSeconds = l.busy.float()/1e9, l.billed.float()/1e9, l.init.float()/1e9
		f.GBSeconds = f.BilledSeconds * f.gb
		f.Cost = l.cost.usd()
		s.Cost.Functions += (l.cost - l.storage).usd()
		s.Cost.Storage += l.storage.usd()
		s.Functions = append(s.Functions, f.LoadFunction)
	}
	s.Cost.Total = s.Cost.Functions + s.Cost.Storage + s.Cost.Provisioned + s.Cost.Orchestration + s.Cost.Deciding
	return s
}

// warn adds what the world of a workload has to say about its stages.
func (s *LoadSummary) warn(workload string, p *plan, k int, clouds []*cloud) {
	add := func(stage int, b Behaviour) {
		for _, warning := range b.Warnings() {
			text := fmt.Sprintf("workload %s, stage %q: %s", workload, p.workflow.Stage(stage).Name, warning)
			if !slices.Contains(s.Warnings, text) {
				s.Warnings = append(s.Warnings, text)
			}
		}
	}
	if p.layout != nil {
		for i, b := range p.layout.stages {
			add(i, b)
		}
	}
	for _, c := range clouds {
		if c == nil || p.online == nil {
			continue
		}
		for _, key := range c.tenants[k].order {
			add(key.stage, c.tenants[k].bindings[c.tenants[k].bound[key]].behaviour)
		}
	}
}

// byName names the errors that were counted, nil where there are none.
func byName[N int | uint64](counts []N) map[string]N {
	var named map[string]N
	for k, n := range counts {
		if n > 0 {
			if named == nil {
				named = map[string]N{}
			}
			named[failures[k]] = n
		}
	}
	return named
}
