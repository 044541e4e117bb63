package experiments

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"eevee/models"
	"eevee/traces"
)

// Quality says how good the recorded data are. What they cannot tell is null.
type Quality struct {
	Repeated       int      `json:"repeated_invocations"`       // the same request again; left out
	Foreign        int      `json:"invocations_of_others"`      // of functions that the machine does not invoke
	Failed         int      `json:"failed_invocations"`         // as their status says
	ColdKnown      int      `json:"invocations_with_cold_flag"` // that say whether their environment was new
	ColdShare      *float64 `json:"cold_share"`                 // of those
	LongestGapS    *float64 `json:"longest_gap_s"`              // between executions
	MedianGapS     *float64 `json:"median_gap_s"`
	OutsideRuns    int      `json:"instants_outside"` // of joined invocations, beyond what their precision explains
	MostOutsideS   *float64 `json:"most_outside_s"`
	EarlyStarts    int      `json:"started_before_scheduled"` // two clocks
	MostEarlyS     *float64 `json:"most_started_before_scheduled_s"`
	PrecisionS     *float64 `json:"coarsest_instant_s"`
	OddBills       int      `json:"bills_not_explained"` // neither ceil(duration) nor with the start of the environment
	ExecutionsP50S *float64 `json:"executions_p50_s"`
	ExecutionsP95S *float64 `json:"executions_p95_s"`
}

// ImportedFunction is what is known of one function.
type ImportedFunction struct {
	Function string         `json:"function"`
	InLogs   []string       `json:"in_logs"` // names under which logs have it
	States   []string       `json:"states"`
	Sizes    []RecordedSize `json:"sizes"` // that times are drawn from
}

// RecordedSize is a size that a function was recorded at.
type RecordedSize struct {
	MemoryMB    int     `json:"memory_mb"`
	Invocations int     `json:"invocations"`
	P50S        float64 `json:"p50_s"`
	P95S        float64 `json:"p95_s"`
}

// CostReport compares what executions cost with what their invocations were
// billed.
type CostReport struct {
	Executions  int     `json:"executions"` // with a recorded cost, all invocations of which are known
	RecordedUSD float64 `json:"recorded_mean_usd"`
	BilledUSD   float64 `json:"billed_mean_usd"`
	Equal       int     `json:"equal"`                       // to 1e-12 USD
	MostUSD     float64 `json:"largest_difference_usd"`      // in one execution
	EqualCeil   int     `json:"equal_by_duration"`           // with ceil(duration) in place of the bill
	MostShare   float64 `json:"largest_relative_difference"` // in one execution
}

// functions lists the functions of the machine and what was recorded of them.
func (im *Imported) functions(resolved map[string]string, calls, single []traces.Record) []ImportedFunction {
	times := make(map[string]map[int][]float64)
	add := func(r *traces.Record) {
		s, ok := ownTime(r)
		if !ok {
			s = *r.Compute
		}
		if times[*r.Function] == nil {
			times[*r.Function] = make(map[int][]float64)
		}
		times[*r.Function][int(r.MemoryMB)] = append(times[*r.Function][int(r.MemoryMB)], s)
	}
	profiled := make(map[string]bool)
	for k := range single {
		profiled[*single[k].Function] = true
		add(&single[k])
	}
	for k := range calls {
		if !profiled[*calls[k].Function] {
			add(&calls[k])
		}
	}
	var all []ImportedFunction
	for _, name := range machineFunctions(im.Machine) {
		f := ImportedFunction{Function: name}
		for from, to := range resolved {
			if to == name {
				f.InLogs = append(f.InLogs, from)
			}
		}
		slices.Sort(f.InLogs)
		for _, s := range im.Machine.States() {
			if s.Lambda && s.Function == name {
				f.States = append(f.States, s.ID)
			}
		}
		for mb, list := range times[name] {
			f.Sizes = append(f.Sizes, RecordedSize{mb, len(list), models.QuantileR7(list, 0.5), models.QuantileR7(list, 0.95)})
		}
		slices.SortFunc(f.Sizes, func(a, b RecordedSize) int { return cmp.Compare(a.MemoryMB, b.MemoryMB) })
		all = append(all, f)
	}
	return all
}

func (im *Imported) quality(executions []execution, calls, single []traces.Record, repeated, foreign int) Quality {
	q := Quality{Repeated: repeated, Foreign: foreign}
	cold := 0
	for _, rows := range [][]traces.Record{calls, single} {
		for k := range rows {
			r := &rows[k]
			if r.Status != nil && failedStatus(*r.Status) {
				q.Failed++
			}
			if r.ColdStart != nil || r.InitUS != nil {
				q.ColdKnown++
				if r.ColdStart != nil && *r.ColdStart || r.ColdStart == nil && *r.InitUS > 0 {
					cold++
				}
			}
			if r.BilledRule != nil && *r.BilledRule == "other" {
				q.OddBills++
			}
			if r.TimePrecisionUS != nil {
				raise(&q.PrecisionS, float64(*r.TimePrecisionUS)/1e6)
			}
			if r.ScheduledNS != nil && r.StartNS != nil && *r.StartNS < *r.ScheduledNS {
				q.EarlyStarts++
				raise(&q.MostEarlyS, float64(*r.ScheduledNS-*r.StartNS)/1e9)
			}
		}
	}
	if q.ColdKnown > 0 {
		share := float64(cold) / float64(q.ColdKnown)
		q.ColdShare = &share
	}
	var latencies, gaps []float64
	for i, e := range executions {
		if s, ok := latencyOf(&e.row); ok {
			latencies = append(latencies, s)
		}
		if e.row.StartNS == nil || e.row.EndNS == nil {
			continue
		}
		if i > 0 && executions[i-1].row.EndNS != nil {
			gaps = append(gaps, float64(*e.row.StartNS-*executions[i-1].row.EndNS)/1e9)
		}
		for _, k := range e.rows {
			at, ok := instantOf(&calls[k])
			if !ok {
				continue
			}
			late := at
			if p := calls[k].TimePrecisionUS; p != nil {
				late += *p * 1000
			}
			if outside := max(*e.row.StartNS-late, at-*e.row.EndNS); outside > 0 {
				q.OutsideRuns++
				raise(&q.MostOutsideS, float64(outside)/1e9)
			}
		}
	}
	set := func(to **float64, values []float64, p float64) {
		if len(values) > 0 {
			x := models.QuantileR7(values, p)
			*to = &x
		}
	}
	set(&q.LongestGapS, gaps, 1)
	set(&q.MedianGapS, gaps, 0.5)
	set(&q.ExecutionsP50S, latencies, 0.5)
	set(&q.ExecutionsP95S, latencies, 0.95)
	return q
}

func raise(to **float64, x float64) {
	if *to == nil || x > **to {
		*to = &x
	}
}

// latencyOf returns how long a recorded execution took, in seconds.
func latencyOf(r *traces.Record) (float64, bool) {
	switch {
	case r.StartNS != nil && r.EndNS != nil:
		return float64(*r.EndNS-*r.StartNS) / 1e9, true
	case r.DurationUS != nil:
		return float64(*r.DurationUS) / 1e6, true
	}
	return 0, false
}

// costsOf compares the recorded cost of executions with the bills of their
// invocations, at the price of AWS.
func costsOf(executions []execution, calls []traces.Record) *CostReport {
	price := models.MustPrice(models.PriceAWS)
	var c CostReport
	for _, e := range executions {
		if e.row.CostUSD == nil || !(*e.row.CostUSD > 0) || len(e.rows) == 0 {
			continue
		}
		billed, byDuration := 0.0, 0.0
		known := true
		for _, k := range e.rows {
			r := &calls[k]
			if r.BilledMS == nil || r.DurationUS == nil {
				known = false
				break
			}
			size := models.StageConfig{Memory: int(r.MemoryMB)}
			billed += price.Invocation(size, float64(*r.BilledMS)/1e3)
			byDuration += price.Invocation(size, math.Ceil(float64(*r.DurationUS)/1e3)/1e3)
		}
		if !known {
			continue
		}
		const same = 1e-12
		difference := math.Abs(billed - *e.row.CostUSD)
		c.Executions++
		c.RecordedUSD += *e.row.CostUSD
		c.BilledUSD += billed
		c.MostUSD = max(c.MostUSD, difference)
		c.MostShare = max(c.MostShare, difference / *e.row.CostUSD)
		if difference <= same {
			c.Equal++
		}
		if math.Abs(byDuration-*e.row.CostUSD) <= same {
			c.EqualCeil++
		}
	}
	if c.Executions == 0 {
		return nil
	}
	c.RecordedUSD /= float64(c.Executions)
	c.BilledUSD /= float64(c.Executions)
	return &c
}

// The least numbers of invocations at one size from which a p95 and a p99 can
// be claimed at 95 % confidence, and the least number of sizes that show how a
// function scales.
const (
	enoughForP95  = 59
	enoughForP99  = 299
	enoughSizes   = 3
	leastLambdaMB = 128
)

// next says what to record next, the most useful first.
func (im *Imported) next() []string {
	var list []string
	note := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, f := range im.Report.Functions {
		if len(f.Sizes) == 0 {
			note("function %s was never recorded: invoke it alone at %d sizes, %d times each at least", f.Function, enoughSizes, enoughForP95)
		}
	}
	for _, what := range im.Report.Learned.Unknown {
		note("not known: %s; record executions of the machine, with the logs of its functions, or write it into behaviour.json", what)
	}
	for _, f := range im.Report.Functions {
		if n := len(f.Sizes); n > 0 && n < enoughSizes {
			note("function %s was recorded at %d size(s) only: profile it at %v too, so that a model can say what other sizes do", f.Function, n, furtherSizes(f.Sizes))
		}
	}
	for _, f := range im.Report.Functions {
		for _, s := range f.Sizes {
			switch {
			case s.Invocations < enoughForP95:
				note("function %s at %d MB has %d invocations: %d more allow a p95, %d more a p99", f.Function, s.MemoryMB, s.Invocations, enoughForP95-s.Invocations, enoughForP99-s.Invocations)
			case s.Invocations < enoughForP99:
				note("function %s at %d MB has %d invocations: %d more allow a p99", f.Function, s.MemoryMB, s.Invocations, enoughForP99-s.Invocations)
			}
		}
	}
	if q := im.Report.Quality; q.ColdShare == nil {
		note("nothing says which invocations had to start an environment: import logs with Init Duration (REPORT lines)")
	} else if *q.ColdShare == 0 {
		note("no invocation had to start an environment: latencies are those of warm functions")
	}
	if im.Behaviour.Delays == nil {
		note("nothing is known of the orchestrator's delays: import execution histories, or give --delays")
	}
	if im.Report.Join.Executions == 0 {
		note("no executions were recorded: simulated latencies cannot be compared with any")
	}
	return list
}

// furtherSizes proposes sizes that spread around the recorded ones.
func furtherSizes(recorded []RecordedSize) []int {
	var list []int
	for _, mb := range []int{512, 1024, 1769, 3008, 256, leastLambdaMB} {
		far := true
		for _, s := range recorded {
			far = far && (mb > s.MemoryMB*5/4 || mb < s.MemoryMB*4/5)
		}
		if far && len(list)+len(recorded) < enoughSizes {
			list = append(list, mb)
		}
	}
	slices.Sort(list)
	return list
}
