package emulator

import (
	"slices"
	"time"
)

// Call is one request that the emulator got. It holds neither payload nor
// credentials.
type Call struct {
	N         int       // from 1, in the order of arrival
	Nth       int       // of the same operation, from 1
	Service   string    // lambda, sts, logs or states
	Operation string    // as GetFunction
	Resource  string    // function, state machine or execution that it names; empty: none
	Qualifier string    // version or alias that it names
	RequestID string    // that the answer has
	At        time.Time // of arrival

	Fault  Kind   // that was injected; empty: none
	Acted  bool   // the emulator did what was asked, or refused it for a reason of its own
	Status int    // of the answer, if it was sent
	Error  string // its code; empty: none
}

// Calls returns the calls so far, in the order of arrival.
func (e *Emulator) Calls() []Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

// record adds a call to the journal.
func (e *Emulator) record(op operation, in *request) Call {
	name, qualifier := in.path["function"], in.query.Get("Qualifier")
	if name == "" {
		name = in.path["resource"]
	}
	if name != "" {
		var err error
		var inName string
		if name, inName, err = e.functionName(name); err == nil && qualifier == "" {
			qualifier = inName
		}
	}
	if alias := in.path["alias"]; alias != "" {
		qualifier = alias
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	of := op.service + " " + op.name
	e.seen[of]++
	c := Call{N: len(e.calls) + 1, Nth: e.seen[of], Service: op.service, Operation: op.name, Resource: name, Qualifier: qualifier, RequestID: in.id, At: in.now}
	e.calls = append(e.calls, c)
	return c
}

// finish notes what became of a call.
func (e *Emulator) finish(c Call, status int, refused *apiError) Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	noted := &e.calls[c.N-1]
	noted.Status = max(status, 200)
	noted.Acted = noted.Fault == "" || noted.Fault == LateReset || noted.Fault == LateTimeout
	if refused != nil {
		noted.Error = refused.Code
	}
	return *noted
}
