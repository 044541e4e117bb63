package emulator

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Limits of payloads in bytes (Lambda quotas; asynchronous since October 2025).
const (
	maxSyncPayload  = 6 << 20
	maxAsyncPayload = 1 << 20
	maxResponse     = 6<<20 + 100
)

// admit finds the version that an invocation is for and counts the invocation,
// or refuses it. The caller holds e.mu; done gives the place back.
func (e *Emulator) admit(in *request) (*version, error) {
	f, v, qualifier, err := e.lookup(in)
	if err != nil {
		return nil, err
	}
	if a := f.aliases[qualifier]; a != nil && len(a.weights) > 0 {
		v = f.resolve(qualifier, e.random.Float64())
	}
	if v.pending(in.now) {
		return nil, conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending")
	}
	switch {
	case f.reserved != nil && f.running >= *f.reserved:
		return nil, throttled("ReservedFunctionConcurrentInvocationLimitExceeded", "Rate Exceeded.")
	case f.reserved == nil && e.runningUnreserved() >= e.options.Concurrency-e.reservedTotal(""):
		return nil, throttled("ConcurrentInvocationLimitExceeded", "Rate Exceeded.")
	}
	f.running++
	e.running++
	return v, nil
}

// runningUnreserved returns how many invocations use the concurrency that no
// function has reserved. The caller holds e.mu.
func (e *Emulator) runningUnreserved() int {
	n := e.running
	for _, f := range e.functions {
		if f.reserved != nil {
			n -= f.running
		}
	}
	return n
}

// invoke answers Invoke in its three types.
func (e *Emulator) invoke(in *request) (reply, error) {
	kind := in.header.Get("X-Amz-Invocation-Type")
	if kind == "" {
		kind = "RequestResponse"
	}
	largest := maxSyncPayload
	if kind == "Event" {
		largest = maxAsyncPayload
	}
	if len(in.body) > largest {
		return reply{}, failure(http.StatusRequestEntityTooLarge, "RequestTooLargeException", "Request must be smaller than %d bytes for the InvokeFunction operation", largest)
	}
	payload := in.body
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if !json.Valid(payload) {
		return reply{}, failure(http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json: Could not parse payload into json")
	}
	e.mu.Lock()
	if kind == "DryRun" {
		defer e.mu.Unlock()
		_, v, _, err := e.lookup(in)
		if err != nil {
			return reply{}, err
		}
		return reply{status: http.StatusNoContent, header: http.Header{"X-Amz-Executed-Version": {v.number}}}, nil
	}
	v, err := e.admit(in)
	e.mu.Unlock()
	if err != nil {
		return reply{}, err
	}
	switch kind {
	case "Event":
		// The caller does not wait, nor does its leaving end the function.
		e.work.Go(func() { e.run(e.ending, v, in.id, in.path["function"], payload, "") })
		return reply{status: http.StatusAccepted}, nil
	case "RequestResponse":
	default:
		e.done(v)
		return reply{}, validation("Value '%s' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]", kind)
	}
	// Lambda runs to the end also what nobody waits for.
	out, lines := e.run(e.ending, v, in.id, in.path["function"], payload, in.header.Get("X-Amz-Client-Context"))
	header := http.Header{"X-Amz-Executed-Version": {v.number}}
	if out.functionError != "" {
		header.Set("X-Amz-Function-Error", out.functionError)
	}
	if in.header.Get("X-Amz-Log-Type") == "Tail" {
		header.Set("X-Amz-Log-Result", tail(lines))
	}
	return reply{header: header, body: out.payload}, nil
}

// done gives back the place of an invocation.
func (e *Emulator) done(v *version) {
	e.mu.Lock()
	defer e.mu.Unlock()
	v.of.running--
	e.running--
}

// run runs an admitted invocation to its end and returns its outcome and log.
func (e *Emulator) run(ctx context.Context, v *version, id, invokedBy string, payload []byte, client string) (outcome, []string) {
	defer e.done(v)
	now := e.now()
	e.mu.Lock()
	s := v.effective(now)
	x := e.acquire(v, s, now)
	e.mu.Unlock()
	name, qualifier, _ := e.functionName(invokedBy)
	j := job{
		id: id, version: v, settings: s, arn: e.functionARN(name, qualifier), payload: payload, context: client, trace: traceHeader(now),
		deadline: time.Now().Add(time.Duration(s.Timeout) * time.Second), cold: !x.used,
	}
	x.used = true
	out := x.serve(ctx, j)
	if out.failure != "" {
		out.functionError = "Unhandled"
		out.payload = failureOf(j, &out)
	}
	if len(out.payload) > maxResponse {
		out.functionError = "Unhandled"
		out.payload, _ = failurePayload(&FunctionError{Type: "Function.ResponseSizeTooLarge", Message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse)})
	}
	end := e.now()
	lines := out.lines(j, s.Runtime, end)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.log(v.of.name, x.stream, now, end, lines)
	e.charge(j, &out)
	e.release(x, out.gone, end)
	return out, lines
}

// failureOf returns the payload of an invocation that its environment ended.
func failureOf(j job, o *outcome) []byte {
	message := "RequestId: " + j.id + " Error: " + o.detail
	if o.failure == timedOut {
		message = fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", j.id, float64(j.settings.Timeout))
	}
	payload, _ := failurePayload(&FunctionError{Type: o.failure, Message: message})
	return payload
}

// traceHeader makes a trace of X-Ray that is not sampled.
func traceHeader(now time.Time) string {
	id := strings.ReplaceAll(uuid(), "-", "")
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), id[:24], id[16:])
}
