package sim

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"eevee/models"
	"eevee/traces"
)

// Records appends the run to rows of a trace: for every stage a mean and a p95
// row, as a profile has them (the cold of these rows is wall time minus mean
// duration, and wall time minus the sum of the other p95), and, with
// KeepTasks, one row per invocation. It must not be called for a run of which
// only totals were kept.
//
// Instants are nanoseconds since the start of the simulation: of the run or, if
// it is one of many under load, of the load. They begin with the invocation of
// the stage's functions, which comes after the decision of a policy; what
// deciding cost is in no row. The epoch is the replication plus
// 1: epoch 0 of a profile is the one whose instances had to be started. The
// cost of a mean row is that of all invocations of the stage, that of an
// invocation row its own.
//
// A task under load is one row, whatever the number of its attempts: cold is
// all that it waited for until the attempt that succeeded, and its cost that of
// all attempts. With KeepRequests the row also says which attempt it was, on
// which instance, and whether that had to be started.
func (r *Run) Records(rows []traces.Record) []traces.Record {
	p := r.plan
	if p.keep < KeepStages {
		panic("sim: Records of a run of which only totals were kept")
	}
	config := r.layout.config
	run := fmt.Sprintf("%s run %d", p.label, r.Replication)
	epoch := int32(r.Replication + 1)
	for i := range r.Stages {
		s := r.Stages[i] // a copy: rows outlive the run
		parallelism := int32(config[i].Parallelism)
		base := traces.Record{
			Workflow:    p.workflow.Name(),
			Execution:   run,
			Stage:       p.workflow.Stage(i).Name,
			Epoch:       &epoch,
			MemoryMB:    int32(config[i].Memory),
			Parallelism: &parallelism,
			Source:      traces.Simulated,
		}
		mean := withSteps(base, traces.Mean, s.Mean)
		s.invoked, s.end = r.start+s.invoked, r.start+s.end
		mean.StartNS, mean.EndNS, mean.CostUSD = &s.invoked, &s.end, &s.Cost
		p95 := withSteps(base, traces.P95, s.P95)
		p95.StartNS, p95.EndNS = &s.invoked, &s.end
		rows = append(rows, mean, p95)
		if p.keep < KeepTasks {
			continue
		}
		first := r.layout.first[i]
		for j, t := range r.tasks[first:][:config[i].Parallelism] {
			row := r.layout.invocation(base, i, j, s.invoked, t)
			if len(r.bills) > 0 {
				r.bills[first+j].fill(&row, p.keep)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func withSteps(r traces.Record, statistic traces.Statistic, s models.Steps) traces.Record {
	r.Statistic = statistic
	r.Cold, r.Read, r.Compute, r.Write = &s.Cold, &s.Read, &s.Compute, &s.Write
	return r
}

// invocation returns the row of task j of stage i, which was invoked at the
// given time in ns.
func (l *layout) invocation(base traces.Record, i, j int, invoked int64, t Task) traces.Record {
	r := withSteps(base, traces.Invocation, models.Steps{
		Cold: seconds(t.Cold), Read: seconds(t.Read), Compute: seconds(t.Compute), Write: seconds(t.Write),
	})
	index := int32(j)
	start := invoked + t.Cold
	end := start + t.Busy()
	billed, cost := l.bill[i].invoice(t.Busy())
	usd := cost.usd()
	r.MapIndex, r.ScheduledNS, r.StartNS, r.EndNS, r.CostUSD = &index, &invoked, &start, &end, &usd
	if ms := billed / 1e6; ms*1e6 == billed { // not so for price books that do not round
		r.BilledMS = &ms
	}
	return r
}

// fill enters what the task came to under load into its row.
func (b *bill) fill(row *traces.Record, keep Keep) {
	usd := b.cost.usd()
	row.CostUSD, row.BilledMS = &usd, nil
	if ms := b.billed / 1e6; ms*1e6 == b.billed {
		row.BilledMS = &ms
	}
	if keep < KeepRequests {
		return
	}
	attempt, cold, environment := int32(b.attempts-1), b.cold, fmt.Sprintf("%s %d", row.Stage, b.instance)
	if b.fixed {
		environment = fmt.Sprintf("%s provisioned %d", row.Stage, b.instance)
	}
	row.Attempt, row.ColdStart, row.EnvironmentID = &attempt, &cold, &environment
	if cold {
		init := int64(math.Round(float64(b.init) / 1e3))
		row.InitUS = &init
	}
}

// Recorder writes runs as a trace.
type Recorder struct {
	out  *traces.Writer
	rows []traces.Record
}

// NewRecorder begins a trace of simulated runs. Its footer holds the settings
// of the simulation that decide about the rows. A Recorder must be ended with
// Close, which gives the file its name, or Abort, which removes it; Abort
// after Close does nothing.
func NewRecorder(path string, w *models.Workflow, c models.Config, s Settings) (*Recorder, error) {
	return newRecorder(path, w, "config", c.String(), s)
}

// NewPolicyRecorder begins a trace of runs under a policy; it is like
// NewRecorder else.
func NewPolicyRecorder(path string, w *models.Workflow, p models.Policy, s Settings) (*Recorder, error) {
	return newRecorder(path, w, "policy", p.String(), s)
}

func newRecorder(path string, w *models.Workflow, kind, name string, s Settings) (*Recorder, error) {
	s, err := s.effective()
	if err != nil {
		return nil, fmt.Errorf("recording workflow %s: %w", w.Name(), err)
	}
	return openRecorder(path, w.Name(), map[string]string{
		kind:    name,
		"price": s.Price.Name,
		"seed":  strconv.FormatUint(s.Seed, 10),
	})
}

// NewLoadRecorder begins a trace of executions under load, whose settings must
// keep stages or more. Workloads of several workflows are told apart by their
// rows.
func NewLoadRecorder(path string, workloads []Workload, s LoadSettings) (*Recorder, error) {
	s, err := s.effective()
	if err != nil {
		return nil, fmt.Errorf("recording a load: %w", err)
	}
	if s.Keep < KeepStages {
		return nil, errors.New("recording a load: only totals are kept of its executions")
	}
	extra := map[string]string{
		"platform": s.Platform.Name,
		"price":    s.Platform.Price.Name,
		"seed":     strconv.FormatUint(s.Seed, 10),
	}
	var names []string
	for _, w := range workloads {
		name := w.World.Workflow().Name()
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		key := "config " + cmp.Or(w.Name, name)
		if extra[key] = w.Config.String(); w.Policy != nil {
			extra[key] = w.Policy.String()
		}
		extra["arrivals "+cmp.Or(w.Name, name)] = w.Arrivals.String()
	}
	if len(names) > 1 {
		names = []string{""}
	}
	return openRecorder(path, names[0], extra)
}

func openRecorder(path, workflow string, extra map[string]string) (*Recorder, error) {
	out, err := traces.NewWriter(path, traces.Meta{Source: traces.Simulated, Workflow: workflow, Extra: extra})
	if err != nil {
		return nil, err
	}
	return &Recorder{out: out}, nil
}

// Add writes the rows of a run. It can be handed to Simulate.
func (r *Recorder) Add(run *Run) error {
	r.rows = run.Records(r.rows[:0])
	return r.out.Write(r.rows...)
}

// Close completes the trace.
func (r *Recorder) Close() error { return r.out.Close() }

// Abort removes what was written, unless the trace is complete.
func (r *Recorder) Abort() { r.out.Abort() }
