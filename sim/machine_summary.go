package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"eevee/models"
	"eevee/traces"
)

// MachineSummary is what the executions of a state machine have in common.
// Latency and cost are those of executions that did not fail. Intervals hold
// for the simulated world, whatever the number of recordings behind it.
type MachineSummary struct {
	Machine     string       `json:"machine"`
	Settings    Settings     `json:"-"` // with defaults filled in
	Runs        int          `json:"runs"`
	Failed      int          `json:"failed"`
	Errors      []ErrorCount `json:"errors,omitempty"`
	Latency     Distribution `json:"latency_s"`        // s
	Cost        Distribution `json:"cost_usd"`         // USD, of invocations; without the transitions
	GBSeconds   float64      `json:"gb_seconds"`       // mean over all runs
	Invocations float64      `json:"mean_invocations"` // per run
	Transitions float64      `json:"mean_transitions"` // per run: states entered and retries
	Sampled     []SampledRun `json:"functions"`        // where the times come from
	Latencies   []float64    `json:"-"`                // s, ascending, of runs that did not fail
	Costs       []float64    `json:"-"`                // USD, ascending
	Warnings    []string     `json:"warnings"`

	LatencyViolations *Violations `json:"latency_violations,omitempty"` // nil without a limit
	CostViolations    *Violations `json:"cost_violations,omitempty"`    // nil without a limit
}

// ErrorCount is how many runs failed with an error.
type ErrorCount struct {
	Error string `json:"error"`
	Runs  int    `json:"runs"`
}

// SampledRun says which recorded invocations stand behind a function.
type SampledRun struct {
	Function    string `json:"function"`
	MemoryMB    int    `json:"memory_mb"`
	Invocations int    `json:"recorded_invocations"`
}

// batchRuns is how many runs each core simulates before they are handed out.
const batchRuns = 256

// SimulateMachine executes a state machine a number of times. It hands the runs
// to each, which may be nil, in the order of their replication and from one
// goroutine. An error of each ends the simulation. Executions do not compete
// for anything: there are always enough warm instances.
//
// If the context is cancelled, SimulateMachine returns its error.
func SimulateMachine(ctx context.Context, w *Machine, runs int, settings Settings, each func(*MachineRun) error) (*MachineSummary, error) {
	wrong := func(err error) error { return fmt.Errorf("simulating machine %s: %w", w.machine.Name, err) }
	if runs < 1 || runs > MaxRuns {
		return nil, wrong(fmt.Errorf("%d runs; need 1 to %d", runs, MaxRuns))
	}
	settings, err := settings.effective()
	if err != nil {
		return nil, wrong(err)
	}
	w.price(settings.Price)
	s := &MachineSummary{Machine: w.machine.Name, Settings: settings, Warnings: slices.Clone(w.warnings)}
	failures := make(map[string]int)
	batch := make([]MachineRun, settings.Cores*batchRuns)
	streams := models.Streams{Seed: settings.Seed}.Sub("simulate machine")
	for first := 0; first < runs; first += len(batch) {
		part := batch[:min(len(batch), runs-first)]
		var cores sync.WaitGroup
		for lo := 0; lo < len(part); lo += batchRuns {
			cores.Go(func() {
				x := executor{w: w, keep: settings.Keep >= KeepTasks}
				for i := lo; i < min(lo+batchRuns, len(part)) && ctx.Err() == nil; i++ {
					x.execute(streams, first+i, &part[i])
				}
			})
		}
		cores.Wait()
		if err := ctx.Err(); err != nil {
			return nil, wrong(err)
		}
		for i := range part {
			r := &part[i]
			s.Runs++
			s.GBSeconds += r.GBSeconds
			s.Invocations += float64(r.Invocations)
			s.Transitions += float64(r.Transitions)
			if r.Error != "" {
				failures[r.Error]++
				s.Failed++
			} else {
				s.Latencies = append(s.Latencies, r.Latency)
				s.Costs = append(s.Costs, r.Cost)
			}
			if each != nil {
				if err := each(r); err != nil {
					return nil, wrong(err)
				}
			}
		}
	}
	if err := s.close(w, failures); err != nil {
		return nil, wrong(err)
	}
	return s, nil
}

// close computes what follows from all runs.
func (s *MachineSummary) close(w *Machine, failures map[string]int) error {
	n := float64(s.Runs)
	s.GBSeconds, s.Invocations, s.Transitions = s.GBSeconds/n, s.Invocations/n, s.Transitions/n
	for _, name := range slices.Sorted(maps.Keys(failures)) {
		s.Errors = append(s.Errors, ErrorCount{name, failures[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(w.functions)) {
		f := w.functions[name]
		s.Sampled = append(s.Sampled, SampledRun{name, f.memory, len(f.invocations)})
	}
	if len(s.Latencies) == 0 {
		return errors.New("every run failed: " + fmt.Sprint(s.Errors))
	}
	confidence := s.Settings.Confidence
	if limit := s.Settings.LatencyLimit; limit > 0 {
		s.LatencyViolations = violations(s.Latencies, limit, confidence)
	}
	if limit := s.Settings.CostLimit; limit > 0 {
		s.CostViolations = violations(s.Costs, limit, confidence)
	}
	s.Latency, s.Cost = describe(s.Latencies, confidence), describe(s.Costs, confidence)
	if s.Failed > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%d of %d runs failed; latency and cost are those of the others", s.Failed, s.Runs))
	}
	return nil
}

// Records appends the run to rows of a trace: one row per invocation, and one
// of the execution. It must be called for a run whose tasks were kept.
// Instants are nanoseconds since the start of the run plus offset.
func (r *MachineRun) Records(rows []traces.Record, machine, execution string, offset int64) []traces.Record {
	instant := func(s float64) *int64 { ns := offset + nanoseconds(s); return &ns }
	micros := func(s float64) *int64 { us := nanoseconds(s) / 1000; return &us }
	for _, t := range r.Tasks {
		status := "success"
		billed := nanoseconds(t.Billed) / 1_000_000
		attempt := int32(t.Attempt)
		row := traces.Record{
			Workflow: machine, Execution: execution, Stage: t.State.ID, StateName: &t.State.ID, Function: &t.State.Function,
			Statistic: traces.Invocation, MemoryMB: int32(t.MemoryMB), Attempt: &attempt, Source: traces.Simulated,
			ScheduledNS: instant(t.Scheduled), StartNS: instant(t.Start), EndNS: instant(t.End),
			DurationUS: micros(t.Duration), BilledMS: &billed, Status: &status, CostUSD: &t.Cost,
		}
		if t.Init > 0 {
			row.InitUS = micros(t.Init)
		}
		if t.Item >= 0 {
			item := int32(t.Item)
			row.MapIndex = &item
		}
		if t.Error != "" {
			status = "failure"
			row.ErrorType = &t.Error
		}
		rows = append(rows, row)
	}
	status, cost, failure := "success", r.Cost, r.Error // rows outlive the run
	row := traces.Record{
		Workflow: machine, Execution: execution, Statistic: traces.Run, Source: traces.Simulated,
		StartNS: instant(0), EndNS: instant(r.Latency), Status: &status, CostUSD: &cost,
	}
	if failure != "" {
		status = "failure"
		row.ErrorType = &failure
	}
	return append(rows, row)
}
