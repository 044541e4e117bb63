package sim

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// Kind is what a task does during a Span.
type Kind string

// The kinds of a Span, in the order in which a task goes through them.
const (
	Cold    Kind = "cold" // delay before the function runs, see Run.Spans
	Read    Kind = "read"
	Compute Kind = "compute"
	Write   Kind = "write"
)

// Span is one step of one task in a run.
type Span struct {
	Stage    string  `json:"stage"`
	Instance int     `json:"instance"` // from 0
	Kind     Kind    `json:"kind"`
	Start    float64 `json:"start_s"` // s since the start of the run or, under load, of the load
	End      float64 `json:"end_s"`
}

// Spans returns the steps of all tasks by stage, instance and time, without
// those that take no time. It must be called only for a run whose tasks were
// kept.
//
// Alone, every task has an instance of its own, and its cold is the delay from
// the stage being ready. Under load, instances are those of the platform, which
// serve one execution after the other: cold is the start of a new instance, and
// a provisioned one belongs to a stage by the name of "STAGE provisioned".
// Attempts that failed are not shown.
func (r *Run) Spans() []Span {
	p := r.plan
	if p.keep < KeepTasks {
		panic("sim: Spans of a run whose tasks were not kept")
	}
	var spans []Span
	for i := range r.Stages {
		name := p.workflow.Stage(i).Name
		for j, t := range r.tasks[r.layout.first[i]:][:r.layout.config[i].Parallelism] {
			now := r.Stages[i].invoked
			name := name
			if len(r.bills) > 0 {
				b := &r.bills[r.layout.first[i]+j]
				now, t.Cold, j = b.runs-b.start, b.start, int(b.instance)
				if b.fixed {
					name += " provisioned"
				}
			}
			for _, step := range []struct {
				kind Kind
				ns   int64
			}{{Cold, t.Cold}, {Read, t.Read}, {Compute, t.Compute}, {Write, t.Write}} {
				if step.ns > 0 {
					spans = append(spans, Span{name, j, step.kind, seconds(now), seconds(now + step.ns)})
				}
				if now += step.ns; step.kind == Cold {
					now = max(now, r.start+r.Stages[i].invoked) // a function that waits for its input
				}
			}
		}
	}
	return spans
}

// chromeEvent is one element of the Chrome trace event format ("Trace Event
// Format", Google, 2016), which Perfetto opens: ph X is a complete event, M
// names a process or thread; times are microseconds.
type chromeEvent struct {
	Name     string            `json:"name"`
	Category string            `json:"cat,omitempty"`
	Phase    string            `json:"ph"`
	Start    float64           `json:"ts"`
	Duration *float64          `json:"dur,omitempty"`
	Process  int               `json:"pid"`
	Thread   int               `json:"tid"`
	Args     map[string]string `json:"args,omitempty"`
}

// WriteChromeTrace writes a timeline as JSON in the Chrome trace event format,
// which https://ui.perfetto.dev opens: a process per stage, in the order of
// the spans, and a thread per instance.
func WriteChromeTrace(w io.Writer, spans []Span) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, `{"displayTimeUnit":"ms","traceEvents":[`)
	separator := "\n"
	write := func(e chromeEvent) error {
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s%s", separator, text)
		separator = ",\n"
		return err
	}
	process := map[string]int{}
	named := map[Span]bool{}
	for _, s := range spans {
		pid, known := process[s.Stage]
		if !known {
			pid = len(process) + 1
			process[s.Stage] = pid
			if err := write(chromeEvent{Name: "process_name", Phase: "M", Process: pid, Args: map[string]string{"name": s.Stage}}); err != nil {
				return err
			}
		}
		if instance := (Span{Stage: s.Stage, Instance: s.Instance}); !named[instance] {
			named[instance] = true
			label := fmt.Sprintf("instance %d", s.Instance)
			if err := write(chromeEvent{Name: "thread_name", Phase: "M", Process: pid, Thread: s.Instance, Args: map[string]string{"name": label}}); err != nil {
				return err
			}
		}
		duration := (s.End - s.Start) * 1e6
		if err := write(chromeEvent{Name: string(s.Kind), Category: s.Stage, Phase: "X", Start: s.Start * 1e6, Duration: &duration, Process: pid, Thread: s.Instance}); err != nil {
			return err
		}
	}
	fmt.Fprint(out, "\n]}\n")
	return out.Flush()
}
