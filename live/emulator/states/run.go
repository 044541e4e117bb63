package states

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"eevee/models/asl"
)

// Invocation is what a Task asks of a function.
type Invocation struct {
	Function string // name or ARN, which may end in a version or an alias
	Version  string // version or alias that is named beside it; empty: none
	Payload  []byte
}

// Answer is what a function answered.
type Answer struct {
	Payload   []byte
	Version   string // that was executed
	RequestID string
}

// Failure is an error that the language names.
type Failure struct {
	Error, Cause string
	final        bool // neither retried nor caught
}

func failed(name, format string, args ...any) *Failure {
	return &Failure{Error: name, Cause: fmt.Sprintf(format, args...)}
}

// Execution says what is run.
type Execution struct {
	ARN, Name, Role     string
	Machine, MachineARN string // name and ARN of the state machine
	Input               string // JSON
	Start               time.Time
	Invoke              func(context.Context, Invocation) (Answer, *Failure)
	History             *History
	Jitter              *rand.Rand // of retries that ask for it
}

// Status is how an execution ended.
type Status string

// The ends of an execution.
const (
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
)

// Outcome is what came of an execution.
type Outcome struct {
	Status Status
	Output string // JSON, of Succeeded
	Error  string
	Cause  string
}

// Stop is the cause of a context that is cancelled to stop an execution.
type Stop struct{ Name, Cause string }

// Error returns the name of the error.
func (s *Stop) Error() string { return s.Name }

// run is an execution under way.
type run struct {
	*Execution
	jitter sync.Mutex // guards Execution.Jitter
	input  any
}

// Run runs an execution to its end, which ctx may bring about.
func (m *Machine) Run(ctx context.Context, e *Execution) Outcome {
	x := &run{Execution: e}
	input, err := decode([]byte(e.Input))
	if err != nil {
		return Outcome{Status: Failed, Error: "States.Runtime", Cause: err.Error()}
	}
	x.input = input
	if m.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, m.timeout, errTimeout)
		defer cancel()
	}
	started := e.History.add(0, "ExecutionStarted", map[string]any{"input": e.Input, "inputDetails": whole, "roleArn": e.Role})
	output, last, failure := x.graph(ctx, m.graph, input, started, nil)
	switch {
	case failure == nil:
		text := encode(output)
		e.History.add(last, "ExecutionSucceeded", map[string]any{"output": text, "outputDetails": whole})
		return Outcome{Status: Succeeded, Output: text}
	case ctx.Err() != nil:
		if context.Cause(ctx) == errTimeout {
			e.History.add(last, "ExecutionTimedOut", map[string]any{"error": asl.ErrorTimeout})
			return Outcome{Status: TimedOut, Error: asl.ErrorTimeout}
		}
		out := Outcome{Status: Aborted}
		if stop, ok := context.Cause(ctx).(*Stop); ok {
			out.Error, out.Cause = stop.Name, stop.Cause
		}
		e.History.add(last, "ExecutionAborted", named(out.Error, out.Cause))
		return out
	default:
		e.History.add(last, "ExecutionFailed", named(failure.Error, failure.Cause))
		return Outcome{Status: Failed, Error: failure.Error, Cause: failure.Cause}
	}
}

// errTimeout is the cause of a machine's own timeout.
var errTimeout = &Stop{Name: asl.ErrorTimeout}

// whole says of an input or output that it was not cut.
var whole = map[string]any{"truncated": false}

// named makes details of an error.
func named(name, cause string) map[string]any {
	details := make(map[string]any)
	if name != "" {
		details["error"] = name
	}
	if cause != "" {
		details["cause"] = cause
	}
	return details
}

// graph runs states one after another, from the event last on, and returns the
// output and the last event. The item is that of the Map around.
func (x *run) graph(ctx context.Context, g *graph, input any, last int64, item any) (any, int64, *Failure) {
	for s := g.start; ; {
		if ctx.Err() != nil {
			return nil, last, failed("States.Runtime", "the execution was stopped")
		}
		v := &visit{run: x, state: s, item: item, entered: x.History.now(), raw: input}
		last = x.History.add(last, string(s.Type)+"StateEntered", map[string]any{"name": s.Name, "input": encode(input), "inputDetails": whole})
		var output any
		var next *asl.State
		var failure *Failure
		output, next, last, failure = v.take(ctx, last)
		if failure != nil {
			return nil, last, failure
		}
		last = x.History.add(last, string(s.Type)+"StateExited", map[string]any{"name": s.Name, "output": encode(output), "outputDetails": whole})
		if next == nil {
			return output, last, nil
		}
		s, input = g.states[next.Name], output
	}
}

// visit is one visit to a state.
type visit struct {
	*run
	*state
	raw     any // input of the state
	item    any // of the Map around, as the context object has it; nil: none
	entered time.Time
	retries int
}

// take does what the state does and returns its output and the state that
// follows.
func (v *visit) take(ctx context.Context, last int64) (any, *asl.State, int64, *Failure) {
	input, failure := v.pathOf(v.InputPath, v.raw)
	if failure != nil {
		return nil, nil, last, failure
	}
	next := v.Next
	switch v.Type {
	case asl.Task, asl.Parallel, asl.Map:
		return v.try(ctx, input, last)
	case asl.Pass:
		result := input
		if v.Parameters != nil {
			if result, failure = v.template(v.Parameters, input); failure != nil {
				return nil, nil, last, failure
			}
		}
		if v.Result != nil {
			result, _ = decode(v.Result)
		}
		if result, failure = v.place(v.ResultPath, result); failure != nil {
			return nil, nil, last, failure
		}
		input = result
	case asl.Wait:
		if failure = v.wait(ctx, input); failure != nil {
			return nil, nil, last, failure
		}
	case asl.Choice:
		if next, failure = v.choose(input); failure != nil {
			return nil, nil, last, failure
		}
	case asl.Fail:
		f := &Failure{Error: v.Error, Cause: v.Cause, final: true}
		for _, p := range []struct {
			path string
			to   *string
		}{{v.ErrorPath, &f.Error}, {v.CausePath, &f.Cause}} {
			if p.path == "" {
				continue
			}
			value, failure := v.expression(p.path, input)
			if failure != nil {
				return nil, nil, last, failure
			}
			*p.to, _ = value.(string)
		}
		return nil, nil, last, f
	}
	output, failure := v.pathOf(v.OutputPath, input)
	return output, next, last, failure
}

// wait waits as a Wait says.
func (v *visit) wait(ctx context.Context, input any) *Failure {
	d := time.Duration(v.WaitS * float64(time.Second))
	until := v.Timestamp
	switch {
	case v.SecondsPath != "":
		value, failure := v.expression(v.SecondsPath, input)
		if failure != nil {
			return failure
		}
		s, ok := number(value)
		if !ok || s < 0 {
			return failed("States.Runtime", "The SecondsPath parameter does not reference a number of at least 0: %s == %s", v.SecondsPath, encode(value))
		}
		d = time.Duration(s * float64(time.Second))
	case v.TimestampPath != "":
		value, failure := v.expression(v.TimestampPath, input)
		if failure != nil {
			return failure
		}
		until, _ = value.(string)
		fallthrough
	case v.Timestamp != "":
		at, err := time.Parse(time.RFC3339, until)
		if err != nil {
			return failed("States.Runtime", "%q is no timestamp", until)
		}
		d = at.Sub(v.History.now())
	}
	return sleep(ctx, d)
}

// sleep waits, or fails when the execution ends.
func sleep(ctx context.Context, d time.Duration) *Failure {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return &Failure{Error: "States.Runtime", Cause: "the execution was stopped", final: true}
	}
}

// try does the work of a Task, Parallel or Map, again where a retrier says so,
// and goes where a catcher says.
func (v *visit) try(ctx context.Context, input any, last int64) (any, *asl.State, int64, *Failure) {
	used := make([]int, len(v.Retry))
	for {
		var result any
		var failure *Failure
		result, last, failure = v.work(ctx, input, last)
		if failure == nil {
			if result, failure = v.result(result); failure == nil {
				return result, v.Next, last, nil
			}
		}
		if ctx.Err() != nil || failure.final {
			return nil, nil, last, failure
		}
		i := slices.IndexFunc(v.Retry, func(r asl.Retrier) bool { return asl.Matches(r.Errors, failure.Error) })
		if i >= 0 && used[i] < v.Retry[i].MaxAttempts {
			used[i]++
			v.retries++
			delay := v.Retry[i].Delay(used[i])
			if v.Retry[i].FullJitter {
				v.jitter.Lock()
				delay *= v.Jitter.Float64()
				v.jitter.Unlock()
			}
			if f := sleep(ctx, time.Duration(delay*float64(time.Second))); f != nil {
				return nil, nil, last, f
			}
			continue
		}
		for i, c := range v.State.Catch {
			if !asl.Matches(c.Errors, failure.Error) {
				continue
			}
			said := map[string]any{"Error": failure.Error}
			if failure.Cause != "" {
				said["Cause"] = failure.Cause
			}
			output, f := v.place(v.fields.Catch[i].ResultPath, said)
			return output, c.To, last, f
		}
		return nil, nil, last, failure
	}
}

// work does the work of a state once.
func (v *visit) work(ctx context.Context, input any, last int64) (any, int64, *Failure) {
	if v.Type == asl.Map {
		return v.iterations(ctx, input, last)
	}
	if v.Parameters != nil {
		var failure *Failure
		if input, failure = v.template(v.Parameters, input); failure != nil {
			return nil, last, failure
		}
	}
	if v.Type == asl.Parallel {
		return v.parallel(ctx, input, last)
	}
	return v.task(ctx, input, last)
}

// result selects of a result, places it in the input and selects of that.
func (v *visit) result(result any) (any, *Failure) {
	var failure *Failure
	if v.ResultSelector != nil {
		if result, failure = v.template(v.ResultSelector, result); failure != nil {
			return nil, failure
		}
	}
	if result, failure = v.place(v.ResultPath, result); failure != nil {
		return nil, failure
	}
	return v.pathOf(v.OutputPath, result)
}

// contextObject is what paths that begin with $$ refer to.
func (v *visit) contextObject() any {
	object := map[string]any{
		"Execution":    map[string]any{"Id": v.ARN, "Input": v.run.input, "Name": v.Execution.Name, "RoleArn": v.Role, "StartTime": stamp(v.Start)},
		"StateMachine": map[string]any{"Id": v.MachineARN, "Name": v.Machine},
		"State":        map[string]any{"EnteredTime": stamp(v.entered), "Name": v.state.Name, "RetryCount": json.Number(fmt.Sprint(v.retries))},
	}
	if v.item != nil {
		object["Map"] = map[string]any{"Item": v.item}
	}
	return object
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
