package logs

import (
	"eevee/traces"
)

// Execution is one run of a state machine of Step Functions, as its history
// tells it. An instant is in nanoseconds since the epoch; nil is unknown.
type Execution struct {
	ID      string // "machine:execution" where the log has it, else the name of the file
	StartNS *int64
	EndNS   *int64
	// Status is succeeded, failed, timed out or aborted; empty where the
	// history has no end.
	Status    string
	ErrorType string
	Events    int
	Missing   int     // events whose predecessor the history lacks
	Visits    []Visit // in the order in which states were entered
}

// Visit is one stay in a state.
type Visit struct {
	State    string
	Kind     string // Task, Map, Parallel, Choice, Pass, Wait, Succeed or Fail
	Around   int    // visit of the Map or Parallel that this one is in; -1: none
	After    int    // visit that led to this one within the same branch; -1: the first
	MapIndex *int32 // iteration of the innermost Map around
	Entered  *int64
	Exited   *int64
	Width    *int64 // iterations of a Map
	Attempts []Attempt
}

// Attempt is one try of a Task.
type Attempt struct {
	Service   string // lambda, or the service that the Task calls
	Function  string // of lambda
	RequestID string // of lambda, where the output holds it
	Scheduled *int64
	Started   *int64
	Ended     *int64
	Status    string // success, failure or timeout; empty: unknown
	ErrorType string
	BytesIn   *int64 // of input and output, where the history holds them whole
	BytesOut  *int64
}

// rows adds a row for every attempt of a function to the sink.
func (x *Execution) rows(out *sink, line int64) error {
	out.saw("execution")
	if x.EndNS == nil {
		out.saw("execution without its end")
	}
	if x.Missing > 0 {
		out.doubt(line, "a history with gaps: events whose predecessor it lacks are not attributed", x.ID)
	}
	for i := range x.Visits {
		v := &x.Visits[i]
		for k := range v.Attempts {
			t := &v.Attempts[k]
			if t.Service != "lambda" {
				out.saw("task of " + t.Service)
				continue
			}
			r, err := out.row()
			if err != nil {
				return err
			}
			t.fill(r, out, v, k)
			r.Execution = x.ID
			r.SourceLine = out.arena.int64(line)
		}
	}
	return nil
}

// fill sets what the history of an attempt tells of an invocation. That is
// what Step Functions saw: how long the function ran its own log knows.
func (t *Attempt) fill(r *traces.Record, out *sink, v *Visit, attempt int) {
	a := &out.arena
	r.Stage = v.State
	r.StateName = a.text(v.State)
	r.MapIndex = v.MapIndex
	r.Attempt = a.int32(int32(attempt))
	if t.Function != "" {
		r.Function = a.text(t.Function)
	}
	if t.RequestID != "" {
		r.RequestID = a.text(t.RequestID)
	}
	r.ScheduledNS, r.StartNS, r.EndNS = t.Scheduled, t.Started, t.Ended
	r.BytesIn, r.BytesOut = t.BytesIn, t.BytesOut
	r.TimePrecisionUS = a.int64(logPrecisionUS)
	if t.Status != "" {
		r.Status = a.text(t.Status)
	}
	if t.ErrorType != "" {
		r.ErrorType = a.text(t.ErrorType)
	}
}
