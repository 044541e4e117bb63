package experiments

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
	"eevee/traces"
)

// Execution is a request to execute a state machine.
type Execution struct {
	Runs     int
	Settings sim.Settings
	Memory   map[string]int // MB by function; others run at the size of the recorded executions, else at that of most rows
	Output   string         // trace file for the runs; empty: none
}

// ExecutionSchema names the JSON form of an ExecutionResult; see
// schemas/execute.schema.json.
const ExecutionSchema = "eevee.execute/1"

// ExecutionResult is what came of it, beside what was recorded.
type ExecutionResult struct {
	Schema string      `json:"schema"`
	Seed   uint64      `json:"seed"`
	Trace  ResultTrace `json:"trace"`
	Price  string      `json:"price"`
	Output string      `json:"output,omitempty"`
	*sim.MachineSummary
	Against     *AgainstRecorded `json:"recorded_latency_s,omitempty"` // nil where no executions were recorded
	AgainstCost *AgainstRecorded `json:"recorded_cost_usd,omitempty"`  // nil where no costs were recorded
}

// AgainstRecorded says how far simulated values are from recorded ones. The
// quantiles are R-7.
type AgainstRecorded struct {
	N        int     `json:"n"` // recorded values
	Mean     float64 `json:"mean"`
	P50      float64 `json:"p50"`
	P95      float64 `json:"p95"`
	P99      float64 `json:"p99"`
	MeanDiff float64 `json:"mean_difference"` // (simulated - recorded) / recorded
	P50Diff  float64 `json:"p50_difference"`
	P95Diff  float64 `json:"p95_difference"`
	P99Diff  float64 `json:"p99_difference"`
	KS       float64 `json:"ks_distance"` // largest distance of the two distribution functions (Kolmogorov and Smirnov)
}

// CompareRecorded compares a simulated sample with a recorded one.
func CompareRecorded(simulated, recorded []float64) AgainstRecorded {
	a, b := slices.Clone(simulated), slices.Clone(recorded)
	slices.Sort(a)
	slices.Sort(b)
	at := models.SortedQuantileR7
	c := AgainstRecorded{N: len(b), Mean: solvers.Mean(b), P50: at(b, 0.5), P95: at(b, 0.95), P99: at(b, 0.99), KS: distance(a, b)}
	c.MeanDiff = solvers.Mean(a)/c.Mean - 1
	c.P50Diff, c.P95Diff, c.P99Diff = at(a, 0.5)/c.P50-1, at(a, 0.95)/c.P95-1, at(a, 0.99)/c.P99-1
	return c
}

// distance returns the largest distance of the empirical distribution functions
// of two sorted samples.
func distance(a, b []float64) float64 {
	i, j, most := 0, 0, 0.0
	for i < len(a) && j < len(b) {
		x := min(a[i], b[j])
		for i < len(a) && a[i] == x {
			i++
		}
		for j < len(b) && b[j] == x {
			j++
		}
		most = max(most, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return most
}

// Execute executes a state machine, and compares it with what was recorded. The
// trace of the runs is written only if all were simulated.
func (s *ImportedSource) Execute(ctx context.Context, e Execution, progress func(done int)) (*ExecutionResult, error) {
	memory := s.recordedSizes()
	maps.Copy(memory, e.Memory)
	w, err := sim.NewMachine(s.Machine, s.Behaviour, s.Rows, memory)
	if err != nil {
		return nil, err
	}
	r := &ExecutionResult{Schema: ExecutionSchema, Seed: e.Settings.Seed, Trace: ResultTrace{Source: OriginFile, SHA256: s.SHA256}, Price: e.Settings.Price.Name, Output: e.Output}
	var out *traces.Writer
	if e.Output != "" {
		e.Settings.Keep = sim.KeepTasks
		out, err = traces.NewWriter(e.Output, traces.Meta{Source: traces.Simulated, Workflow: s.Machine.Name, Generator: "eevee workflows execute", Extra: map[string]string{"seed": fmt.Sprint(e.Settings.Seed)}})
		if err != nil {
			return nil, err
		}
		defer out.Abort()
	}
	var rows []traces.Record
	next := int64(0) // ns; executions follow each other, so that they can be told apart by time
	r.MachineSummary, err = sim.SimulateMachine(ctx, w, e.Runs, e.Settings, func(run *sim.MachineRun) error {
		progress(run.Replication + 1)
		if out == nil {
			return nil
		}
		rows = run.Records(rows[:0], s.Machine.Name, fmt.Sprintf("simulated seed %d run %d", e.Settings.Seed, run.Replication), next)
		next += int64(run.Latency*1e9) + apart
		return out.Write(rows...)
	})
	if err != nil {
		return nil, err
	}
	if out != nil {
		if err := out.Close(); err != nil {
			return nil, err
		}
	}
	if len(s.Recorded) > 0 {
		c := CompareRecorded(r.Latencies, s.Recorded)
		r.Against = &c
	}
	if len(s.Costs) > 0 {
		c := CompareRecorded(r.Costs, s.Costs)
		r.AgainstCost = &c
	}
	return r, nil
}

// recordedSizes returns the sizes that functions had in the recorded
// executions, where the trace has them too.
func (s *ImportedSource) recordedSizes() map[string]int {
	known := make(map[string]map[int]bool)
	for k := range s.Rows {
		if r := &s.Rows[k]; r.Function != nil {
			if known[*r.Function] == nil {
				known[*r.Function] = make(map[int]bool)
			}
			known[*r.Function][int(r.MemoryMB)] = true
		}
	}
	sizes := make(map[string]int)
	for _, state := range s.Machine.States() {
		if mb := s.Memory[state.Function]; state.Lambda && known[state.Function][mb] {
			sizes[state.Function] = mb
		}
	}
	return sizes
}

// apart is the pause between executions of a trace, in ns.
const apart = 10e9
