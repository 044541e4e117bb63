package logs

import (
	"fmt"
	"strings"
)

// The origins of the two segments that Lambda sends of an invocation: of the
// service, which queues and starts it, and of the function.
const (
	originLambda   = "AWS::Lambda"
	originFunction = "AWS::Lambda::Function"
)

// Invocation is what a trace of X-Ray tells of one invocation of Lambda.
type Invocation struct {
	Function  string
	RequestID string
	Attempt   int // of an asynchronous invocation, from 0
	// Service is the segment of the service, Runtime that of the function;
	// either may be nil, and both the same where Lambda sends only one.
	Service, Runtime *Segment
	// Try is the part of Service that Runtime belongs to where Lambda retries;
	// nil: none.
	Try *Segment
	// Init, Restore, Run and Overhead are parts of Runtime: how a new instance
	// starts, the handler, and what follows it. nil: there is none.
	Init, Restore, Run, Overhead *Segment
}

// Invocations returns the invocations of Lambda of a trace, in the order of its
// segments, why others are none, and what makes the trace doubtful.
func (t *Trace) Invocations() (invocations []Invocation, refusals, problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if t.LimitExceeded {
		problem("segments are missing: the trace exceeded the limit of X-Ray")
	}
	known, root := make(map[string]bool), false
	functions := make(map[string][]*Segment) // by parent
	for i := range t.Segments {
		s := &t.Segments[i]
		s.Walk(func(p *Segment) { known[p.ID] = true })
		root = root || s.ParentID == ""
		if s.Origin == originFunction {
			functions[s.ParentID] = append(functions[s.ParentID], s)
		}
	}
	if !root {
		problem("no segment is the root: the beginning of the request is missing")
	}
	for i := range t.Segments {
		s := &t.Segments[i]
		if s.ParentID != "" && !known[s.ParentID] {
			problem("the parent of segment %q is missing", s.Name)
		}
		s.Walk(func(p *Segment) {
			if p.InProgress || p.EndNS == nil {
				problem("%q is in progress: its end is not known", p.Name)
			}
		})
	}
	paired := make(map[*Segment]bool)
	for i := range t.Segments {
		s := &t.Segments[i]
		if s.Origin != originLambda {
			continue
		}
		before := len(invocations)
		add := func(try *Segment, parent string) {
			for _, f := range functions[parent] {
				paired[f] = true
				invocations = append(invocations, newInvocation(s, try, f, len(invocations)-before))
			}
		}
		add(nil, s.ID)
		for k := range s.Parts {
			add(&s.Parts[k], s.Parts[k].ID)
		}
		if len(invocations) > before {
			continue
		}
		if s.Part("Invocation") != nil { // one segment for both
			invocations = append(invocations, newInvocation(s, nil, s, 0))
			continue
		}
		if s.RequestID == "" || s.Function == "" {
			refusals = append(refusals, "no function ran: the invocation was refused"+failing(s))
			continue
		}
		problem("function %q sent no segment: when it ran and whether it was cold is not known", s.Function)
		invocations = append(invocations, Invocation{Function: s.Function, RequestID: s.RequestID, Service: s})
	}
	for i := range t.Segments {
		if s := &t.Segments[i]; s.Origin == originFunction && !paired[s] {
			problem("the segment of the service is missing for function %q", s.Name)
			invocations = append(invocations, newInvocation(nil, nil, s, 0))
		}
	}
	for i := range invocations {
		x := &invocations[i]
		if x.Runtime == nil {
			continue
		}
		runs := 0
		for k := range x.Runtime.Parts {
			if x.Runtime.Parts[k].Name == "Invocation" {
				runs++
			}
		}
		if runs > 1 {
			problem("the segment of function %q holds %d invocations: parts of another one are in it", x.Function, runs)
		}
	}
	return invocations, refusals, problems
}

func newInvocation(service, try, runtime *Segment, attempt int) Invocation {
	x := Invocation{Function: runtime.Function, Attempt: attempt, Service: service, Runtime: runtime, Try: try}
	if x.Function == "" {
		x.Function = runtime.Name
	}
	if service != nil {
		x.RequestID = service.RequestID
	}
	if x.RequestID == "" {
		x.RequestID = runtime.RequestID
	}
	x.Init, x.Restore = runtime.Part("Initialization"), runtime.Part("Restore")
	x.Overhead = runtime.Part("Overhead")
	// Of several, the last one is its own: what came before is left over.
	for i := range runtime.Parts {
		if runtime.Parts[i].Name == "Invocation" {
			x.Run = &runtime.Parts[i]
		}
	}
	return x
}

// failing describes how a segment failed.
func failing(s *Segment) string {
	var how []string
	for _, f := range []struct {
		is   bool
		name string
	}{{s.Throttle, "throttle"}, {s.Fault, "fault"}, {s.Error, "error"}} {
		if f.is {
			how = append(how, f.name)
		}
	}
	if len(how) == 0 {
		return ""
	}
	return ": " + strings.Join(how, ", ")
}

// rows adds a row for every invocation of a trace to the sink.
func (t *Trace) rows(out *sink, number int64) error {
	out.saw("trace")
	invocations, refusals, problems := t.Invocations()
	for _, problem := range problems {
		out.doubt(number, problem, t.ID)
	}
	for _, refusal := range refusals {
		out.unknown(number, refusal, t.ID)
	}
	for i := range t.Segments {
		origin := t.Segments[i].Origin
		if origin == "" {
			origin = "segment"
		}
		out.saw(origin)
	}
	for i := range invocations {
		if err := invocations[i].row(out, t, number); err != nil {
			return err
		}
	}
	return nil
}

// row adds the row of an invocation. A new instance shows as the part in which
// it initialises; a segment of the function without one is a warm start.
func (x *Invocation) row(out *sink, t *Trace, number int64) error {
	r, err := out.row()
	if err != nil {
		return err
	}
	a := &out.arena
	r.Execution, r.TraceID = t.ID, a.text(t.ID)
	r.Stage, r.Function = x.Function, a.text(x.Function)
	r.SourceLine, r.TimePrecisionUS = a.int64(number), a.int64(logPrecisionUS)
	if x.RequestID != "" {
		r.RequestID = a.text(x.RequestID)
	}
	r.Attempt = a.int32(int32(x.Attempt))
	switch {
	case x.Attempt > 0 && x.Try != nil:
		r.ScheduledNS = x.Try.StartNS // the first one waits from the beginning
	case x.Service != nil && x.Service != x.Runtime:
		r.ScheduledNS = x.Service.StartNS
	}
	status := "success"
	for _, s := range []*Segment{x.Service, x.Runtime} {
		switch {
		case s == nil:
		case s.Throttle:
			status = "throttle"
		case s.Fault:
			status = "fault"
		case s.Error:
			status = "error"
		}
	}
	if x.Runtime == nil {
		if status != "success" {
			r.Status = a.text(status)
		}
		return nil
	}
	r.Status = a.text(status)
	r.StartNS, r.EndNS = x.Runtime.StartNS, x.Runtime.EndNS
	if d := span(x.Init); d != nil {
		r.InitUS = a.int64(*d / 1000)
	}
	if d := span(x.Restore); d != nil {
		r.RestoreUS = a.int64(*d / 1000)
	}
	switch {
	case x.Init != nil || x.Restore != nil:
		r.ColdStart = &yes
	case !x.Runtime.InProgress:
		r.ColdStart = &no
	}
	return nil
}

// span returns how long a segment took in ns, nil where that is not known.
func span(s *Segment) *int64 {
	if s == nil || s.StartNS == nil || s.EndNS == nil || *s.EndNS < *s.StartNS {
		return nil
	}
	d := *s.EndNS - *s.StartNS
	return &d
}
