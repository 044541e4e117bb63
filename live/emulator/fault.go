package emulator

import (
	"net"
	"net/http"

	"eevee/live/emulator/sigv4"
)

// Kind is a way for a call to fail.
type Kind string

// The kinds of faults. Those before the call leave everything as it was; those
// after it are the nasty ones: the emulator has acted, and the client does not
// know.
const (
	Throttle     Kind = "throttle"      // 429 or 400 with the service's own throttling error
	ServerError  Kind = "server-error"  // 500
	Timeout      Kind = "timeout"       // not acted on, and no answer until the client gives up
	LateTimeout  Kind = "late-timeout"  // acted on, and no answer until the client gives up
	Reset        Kind = "reset"         // the connection is reset before the call is acted on
	LateReset    Kind = "late-reset"    // the connection is reset after the call was acted on
	AccessDenied Kind = "access-denied" // the caller may not
	Expired      Kind = "expired"       // the caller's session has expired
)

// Kinds returns all kinds of faults.
func Kinds() []Kind {
	return []Kind{Throttle, ServerError, Timeout, LateTimeout, Reset, LateReset, AccessDenied, Expired}
}

// Fault is a rule by which calls fail. A call fails by the first rule that it
// meets.
type Fault struct {
	Operation string // as GetFunction; empty: any
	Nth       int    // the Nth matching call since the rule was injected, from 1; 0: the first
	Every     int    // and then every so many calls; 0: only that one; 1: all from then on
	Kind      Kind
}

// armedFault counts the calls that a rule has met.
type armedFault struct {
	Fault
	met int
}

// Inject adds rules.
func (e *Emulator) Inject(faults ...Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range faults {
		e.faults = append(e.faults, &armedFault{Fault: f})
	}
}

// Heal removes all rules.
func (e *Emulator) Heal() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = nil
}

// faultFor returns the rule that a call fails by, nil if none. Every rule counts
// every call that it matches.
func (e *Emulator) faultFor(c Call) *Fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	var hit *Fault
	for _, f := range e.faults {
		if f.Operation != "" && f.Operation != c.Operation {
			continue
		}
		f.met++
		past := f.met - max(f.Nth, 1)
		if hit == nil && (past == 0 || past > 0 && f.Every > 0 && past%f.Every == 0) {
			fault := f.Fault
			hit = &fault
			e.calls[c.N-1].Fault = f.Kind
		}
	}
	return hit
}

// before does what a fault does to a call that must not be acted on, and reports
// whether there is nothing left to do.
func (f *Fault) before(e *Emulator, w http.ResponseWriter, r *http.Request) bool {
	switch {
	case f == nil:
		return false
	case f.Kind == Timeout:
		e.hang(r)
		panic(http.ErrAbortHandler)
	case f.Kind == Reset:
		reset(w)
		return true
	}
	return false
}

// after does what a fault does to a call that was acted on.
func (f *Fault) after(e *Emulator, w http.ResponseWriter, r *http.Request) bool {
	switch {
	case f == nil:
		return false
	case f.Kind == LateTimeout:
		e.hang(r)
		panic(http.ErrAbortHandler)
	case f.Kind == LateReset:
		reset(w)
		return true
	}
	return false
}

// refuse returns the error that a fault is.
func (f *Fault) refuse(op operation, caller Credentials, e *Emulator) error {
	if f == nil {
		return nil
	}
	switch f.Kind {
	case Throttle:
		switch op.protocol {
		case restJSON:
			return throttled("CallerRateLimitExceeded", "Rate exceeded")
		case query:
			return failure(http.StatusBadRequest, "Throttling", "Rate exceeded")
		default:
			return failure(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
		}
	case ServerError:
		code := map[protocol]string{restJSON: "ServiceException"}[op.protocol]
		if code == "" {
			code = "InternalFailure"
		}
		return &apiError{Code: code, Status: http.StatusInternalServerError, Message: "An error occurred and the request cannot be processed.", Server: true}
	case AccessDenied:
		action := op.service + ":" + op.name
		if op.name == "Invoke" {
			action = "lambda:InvokeFunction"
		}
		return forProtocol(op, "AccessDeniedException", "AccessDenied",
			"User: "+e.callerARN(caller)+" is not authorized to perform: "+action+" because no identity-based policy allows the "+action+" action")
	case Expired:
		return refusal(&sigv4.Error{Reason: sigv4.ExpiredToken, Message: "The security token included in the request is expired"}, op)
	}
	return nil
}

// hang waits until the client gives up or the emulator ends.
func (e *Emulator) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-e.ending.Done():
	}
}

// reset ends a connection with a TCP reset.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
