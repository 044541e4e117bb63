package logs

import (
	"encoding/json"
	"slices"
	"strconv"
)

// stateEvent is an event of Step Functions as its log in CloudWatch has it: ids
// and times are texts.
type stateEvent struct {
	ID           string          `json:"id"`
	Details      json.RawMessage `json:"details"`
	Previous     string          `json:"previous_event_id"`
	Timestamp    string          `json:"event_timestamp"` // ms
	ExecutionARN string          `json:"execution_arn"`
}

// stateLog gathers the events of executions whose lines are mixed. An execution
// is complete when its last event is there and none is missing before it.
type stateLog struct {
	out    *sink
	open   map[string]*openExecution
	order  []string // the open ones, as they began
	events int      // of the open ones
}

type openExecution struct {
	events []historyEvent
	line   int64 // of the first event
	last   int64 // id of the last event; 0: not seen yet
}

// maxOpenEvents bounds what is remembered of executions that have no end yet.
const maxOpenEvents = 1 << 18

func newStateLog(out *sink) *stateLog {
	return &stateLog{out: out, open: make(map[string]*openExecution)}
}

// take adds an event that stands in a line.
func (s *stateLog) take(line int64, kind string, e *stateEvent) error {
	event := historyEvent{ns: unknownNS, kind: kind}
	var err error
	if event.id, err = strconv.ParseInt(e.ID, 10, 64); err != nil || event.id < 1 {
		s.out.unknown(line, "an event of Step Functions whose id is no number", e.ID)
		return nil
	}
	if e.Previous != "" {
		if event.previous, err = strconv.ParseInt(e.Previous, 10, 64); err != nil {
			s.out.unknown(line, "an event of Step Functions whose predecessor is no number", e.Previous)
			return nil
		}
	}
	if ms, err := strconv.ParseInt(e.Timestamp, 10, 64); err == nil {
		event.ns = nanoseconds(&ms)
	}
	if len(e.Details) > 0 {
		if err := json.Unmarshal(e.Details, &event.details); err != nil {
			s.out.unknown(line, "an event of Step Functions with unknown details: "+err.Error(), string(e.Details))
			return nil
		}
	}
	x := s.open[e.ExecutionARN]
	if x == nil {
		x = &openExecution{line: line}
		s.open[e.ExecutionARN] = x
		s.order = append(s.order, e.ExecutionARN)
	}
	x.events = append(x.events, event)
	s.events++
	switch kind {
	case "ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted":
		x.last = event.id
	}
	if x.last > 0 && int64(len(x.events)) >= x.last {
		return s.close(e.ExecutionARN)
	}
	for s.events > maxOpenEvents {
		if err := s.close(s.order[0]); err != nil {
			return err
		}
	}
	return nil
}

// close ends an execution, complete or not.
func (s *stateLog) close(arn string) error {
	x := s.open[arn]
	delete(s.open, arn)
	i := slices.Index(s.order, arn)
	s.order = slices.Delete(s.order, i, i+1)
	s.events -= len(x.events)
	id := arn
	if !s.out.options.KeepIdentifiers {
		id = executionOf(arn)
	}
	return assemble(id, x.events).rows(s.out, x.line)
}

// finish ends the executions that are still open.
func (s *stateLog) finish() error {
	for len(s.order) > 0 {
		if err := s.close(s.order[0]); err != nil {
			return err
		}
	}
	return nil
}
