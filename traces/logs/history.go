package logs

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// historyFormat reads what "aws stepfunctions get-execution-history" prints.
func historyFormat() Format {
	return Format{
		Name:        "stepfunctions-history",
		Description: "JSON of \"aws stepfunctions get-execution-history\", any number of pages, one or more executions",
		detect: func(head string) bool {
			return isJSON(head) && strings.Contains(head, `"events"`) && (strings.Contains(head, `"previousEventId"`) || strings.Contains(head, `EventDetails"`) || strings.Contains(head, `"ExecutionStarted"`)) &&
				!strings.Contains(head, `"logStreamName"`)
		},
		read: func(in *input, out *sink) error {
			n := int64(0)
			err := readHistory(in, in.name, out.saw, func(x *Execution) error {
				n++
				return x.rows(out, n)
			})
			if err != nil && out.stopped == nil {
				return readError(in.name, err)
			}
			return err
		},
	}
}

// ReadHistory reads what "aws stepfunctions get-execution-history" prints: any
// number of pages of one execution, whose first event has id 1, and of more
// executions after it. The history does not name its execution: it is called
// after the file, the second "name#2" and so on. An error of visit ends the
// reading and is returned as it is.
func ReadHistory(r io.Reader, name string, visit func(*Execution) error) error {
	return readHistory(r, name, func(string) {}, visit)
}

func readHistory(r io.Reader, name string, saw func(string), visit func(*Execution) error) error {
	base, executions := stem(name), 0
	var open []historyEvent
	flush := func() error {
		if len(open) == 0 {
			return nil
		}
		executions++
		id := base
		if executions > 1 {
			id = fmt.Sprintf("%s#%d", base, executions)
		}
		x := assemble(id, open)
		open = open[:0]
		return visit(x)
	}
	err := walk(r, nil, func(name string, dec *json.Decoder) error {
		if name != "events" {
			return skip(dec)
		}
		return elements(dec, func() error {
			var raw map[string]json.RawMessage
			if err := value(dec, &raw); err != nil {
				return err
			}
			e, err := apiEvent(raw)
			if err != nil {
				return fmt.Errorf("at byte %d: %w", dec.InputOffset(), err)
			}
			if e.id == 1 {
				if err := flush(); err != nil {
					return err
				}
			}
			saw(e.kind)
			open = append(open, e)
			return nil
		})
	}, nil)
	if err != nil {
		return err
	}
	return flush()
}

// historyEvent is one event of an execution.
type historyEvent struct {
	id, previous int64
	ns           int64 // unknownNS
	kind         string
	details      eventDetails
}

// eventDetails is what rows need of the details of all kinds of events.
type eventDetails struct {
	Name          string     `json:"name"`
	Input         *string    `json:"input"`
	Output        *string    `json:"output"`
	InputDetails  truncation `json:"inputDetails"`
	OutputDetails truncation `json:"outputDetails"`
	Resource      string     `json:"resource"`
	ResourceType  string     `json:"resourceType"`
	Parameters    string     `json:"parameters"`
	Length        flexible   `json:"length"`
	Index         flexible   `json:"index"`
	Error         string     `json:"error"`
}

type truncation struct {
	Truncated bool `json:"truncated"`
}

// flexible is a whole number that some logs write as a text.
type flexible struct{ value *int64 }

func (f *flexible) UnmarshalJSON(data []byte) error {
	text := string(bytes.Trim(data, `"`))
	if text == "null" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no whole number", text)
	}
	f.value = &n
	return nil
}

// apiEvent reads an event as the API has it: its details are under a key that
// ends in EventDetails.
func apiEvent(raw map[string]json.RawMessage) (historyEvent, error) {
	e := historyEvent{ns: unknownNS}
	for _, f := range []struct {
		key  string
		into any
		need bool
	}{{"id", &e.id, true}, {"type", &e.kind, true}, {"previousEventId", &e.previous, false}} {
		data, ok := raw[f.key]
		if !ok && f.need {
			return e, fmt.Errorf("an event without its %s", f.key)
		}
		if ok && json.Unmarshal(data, f.into) != nil {
			return e, fmt.Errorf("%s of an event is %.40s", f.key, data)
		}
	}
	if text := string(bytes.Trim(raw["timestamp"], `"`)); text != "" {
		ns, ok := wholeInstant(text)
		if !ok {
			var err error
			if ns, err = scaled(text, 9, 1); err != nil || ns < 0 {
				return e, fmt.Errorf("event %d: timestamp %.40q is neither a date nor seconds", e.id, text)
			}
		}
		e.ns = ns
	}
	for _, key := range sortedKeys(raw) {
		if strings.HasSuffix(key, "EventDetails") {
			if err := json.Unmarshal(raw[key], &e.details); err != nil {
				return e, fmt.Errorf("event %d: %s: %w", e.id, key, err)
			}
		}
	}
	return e, nil
}

// place is where in the state machine an event happened.
type place struct {
	visit  int // the state that it belongs to; -1: none
	around int // the Map or Parallel that the next state is in; -1: none
	index  *int32
}

// assembly makes an Execution of its events.
type assembly struct {
	*Execution
	places map[int64]place // by event
}

// assemble attributes events to states along the chain of their predecessors:
// ids are only globally ordered, and branches run at the same time.
func assemble(id string, events []historyEvent) *Execution {
	slices.SortStableFunc(events, func(a, b historyEvent) int { return cmp.Compare(a.id, b.id) })
	a := assembly{&Execution{ID: id, Events: len(events)}, make(map[int64]place, len(events))}
	for i := range events {
		e := &events[i]
		at, ok := a.places[e.previous]
		if !ok {
			at = place{visit: -1, around: -1}
			if e.previous != 0 && len(a.places) > 0 || e.id != 1 && i == 0 {
				a.Missing++
			}
		}
		a.places[e.id] = a.take(e, at)
	}
	return a.Execution
}

// take adds one event, which follows one at a place, and returns its own.
func (a *assembly) take(e *historyEvent, at place) place {
	if kind, ok := strings.CutSuffix(e.kind, "StateEntered"); ok {
		a.Visits = append(a.Visits, Visit{
			State: e.details.Name, Kind: kind, Around: at.around, After: at.visit, MapIndex: at.index, Entered: e.instant(),
		})
		v := &a.Visits[len(a.Visits)-1]
		if v.After >= 0 && v.After == v.Around {
			v.After = -1 // the first state of a branch or an iteration
		}
		at.visit = len(a.Visits) - 1
		return at
	}
	if strings.HasSuffix(e.kind, "StateExited") {
		at.visit = a.leave(e, at)
		if at.visit >= 0 {
			v := &a.Visits[at.visit]
			v.Exited = e.instant()
			at.around, at.index = v.Around, v.MapIndex
		}
		return at
	}
	switch e.kind {
	case "ExecutionStarted":
		a.StartNS = e.instant()
	case "ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted":
		a.EndNS, a.ErrorType = e.instant(), e.details.Error
		a.Status = map[string]string{
			"ExecutionSucceeded": "succeeded", "ExecutionFailed": "failed", "ExecutionTimedOut": "timed out", "ExecutionAborted": "aborted",
		}[e.kind]
	case "MapStateStarted":
		if at.visit >= 0 {
			a.Visits[at.visit].Width = e.details.Length.value
			at.around = at.visit
		}
	case "MapIterationStarted":
		at.visit = a.climb(at, "Map", e.details.Name)
		at.around = at.visit
		if n := e.details.Index.value; n != nil && *n >= 0 && *n < 1<<31 {
			index := int32(*n)
			at.index = &index
		}
	case "MapIterationSucceeded", "MapIterationFailed", "MapIterationAborted", "MapStateSucceeded", "MapStateFailed", "MapStateAborted":
		at.visit = a.climb(at, "Map", "")
		at.around = at.visit
	case "ParallelStateStarted":
		at.around = at.visit
	case "ParallelStateSucceeded", "ParallelStateFailed", "ParallelStateAborted":
		at.visit = a.climb(at, "Parallel", "")
	default:
		if at.visit >= 0 {
			a.Visits[at.visit].attempt(e)
		}
	}
	return at
}

// leave returns the state that an Exited event ends.
func (a *assembly) leave(e *historyEvent, at place) int {
	for v := at.visit; v >= 0; v = a.Visits[v].Around {
		if a.Visits[v].State == e.details.Name && a.Visits[v].Exited == nil {
			return v
		}
	}
	return at.visit
}

// climb returns the innermost state of a kind around a place, and with a name
// if there is one, that is not left.
func (a *assembly) climb(at place, kind, name string) int {
	for v := at.visit; v >= 0; v = a.Visits[v].Around {
		if x := &a.Visits[v]; x.Kind == kind && x.Exited == nil && (name == "" || x.State == name) {
			return v
		}
	}
	return at.around
}

// attempt adds an event of a Task.
func (v *Visit) attempt(e *historyEvent) {
	d := &e.details
	switch e.kind {
	case "LambdaFunctionScheduled", "ActivityScheduled":
		t := Attempt{Service: "lambda", Function: functionOf(d.Resource), Scheduled: e.instant(), BytesIn: whole(d.Input, d.InputDetails)}
		if e.kind == "ActivityScheduled" {
			t.Service, t.Function = "activity", ""
		}
		v.Attempts = append(v.Attempts, t)
		return
	case "TaskScheduled":
		t := Attempt{Service: d.ResourceType, Scheduled: e.instant()}
		if t.Service == "lambda" {
			var parameters struct {
				FunctionName string
				Payload      json.RawMessage
			}
			if json.Unmarshal([]byte(d.Parameters), &parameters) == nil {
				t.Function = functionOf(parameters.FunctionName)
				if n := int64(len(parameters.Payload)); n > 0 {
					t.BytesIn = &n
				}
			}
		}
		v.Attempts = append(v.Attempts, t)
		return
	}
	if len(v.Attempts) == 0 {
		return
	}
	t := &v.Attempts[len(v.Attempts)-1]
	switch e.kind {
	case "LambdaFunctionStarted", "TaskStarted", "ActivityStarted":
		t.Started = e.instant()
	case "LambdaFunctionSucceeded", "TaskSucceeded", "ActivitySucceeded":
		t.Ended, t.Status, t.BytesOut = e.instant(), "success", whole(d.Output, d.OutputDetails)
		if d.Output != nil && e.kind == "TaskSucceeded" {
			t.output(*d.Output)
		}
	case "LambdaFunctionFailed", "LambdaFunctionScheduleFailed", "LambdaFunctionStartFailed", "TaskFailed", "TaskStartFailed", "TaskSubmitFailed", "ActivityFailed", "ActivityScheduleFailed":
		t.Ended, t.Status, t.ErrorType = e.instant(), "failure", d.Error
	case "LambdaFunctionTimedOut", "TaskTimedOut", "ActivityTimedOut":
		t.Ended, t.Status, t.ErrorType = e.instant(), "timeout", d.Error
	}
}

// output reads what the integration of Lambda wraps around the output of a
// function: the request id, which the log of Lambda has too, and the payload.
func (t *Attempt) output(text string) {
	var wrapped struct {
		Payload             json.RawMessage
		SdkHTTPMetadata     struct{ HTTPHeaders map[string]json.RawMessage } `json:"SdkHttpMetadata"`
		SdkResponseMetadata struct {
			RequestID string `json:"RequestId"`
		}
	}
	if json.Unmarshal([]byte(text), &wrapped) != nil {
		return
	}
	t.RequestID = wrapped.SdkResponseMetadata.RequestID
	for _, key := range sortedKeys(wrapped.SdkHTTPMetadata.HTTPHeaders) {
		var id string
		if strings.EqualFold(key, "x-amzn-RequestId") && json.Unmarshal(wrapped.SdkHTTPMetadata.HTTPHeaders[key], &id) == nil {
			t.RequestID = id
		}
	}
	if n := int64(len(wrapped.Payload)); n > 0 {
		t.BytesOut = &n
	}
}

// whole returns the size of a text that was not cut.
func whole(text *string, cut truncation) *int64 {
	if text == nil || cut.Truncated {
		return nil
	}
	n := int64(len(*text))
	return &n
}

func (e *historyEvent) instant() *int64 {
	if e.ns == unknownNS {
		return nil
	}
	ns := e.ns
	return &ns
}
