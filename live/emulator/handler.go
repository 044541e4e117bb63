package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"sync"
	"time"
)

// Handler is a function that runs in the process of the emulator. Its error
// becomes a function error: its type and message are what the caller gets,
// unless it is a *FunctionError.
type Handler func(ctx context.Context, payload []byte) ([]byte, error)

// FunctionError is a failure of a function in the caller's own words.
type FunctionError struct {
	Handled bool   // the header says Handled instead of Unhandled
	Type    string // errorType
	Message string // errorMessage
}

// Error returns type and message.
func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// Invocation is what a Handler may know of the invocation that it answers, and
// what it may say in place of measurements. It is valid until the Handler
// returns.
type Invocation struct {
	RequestID string
	Function  string
	Version   string
	MemoryMB  int
	Cold      bool
	Deadline  time.Time

	Duration    time.Duration // that is reported and billed; 0: what was measured
	Init        time.Duration // of a cold start, which did not really happen; 0: none is reported
	MaxMemoryMB int           // 0: 1

	mu  sync.Mutex
	log []string
}

// Log adds a line to the log of the invocation.
func (i *Invocation) Log(line string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.log = append(i.log, line)
}

type invocationKey struct{}

// InvocationOf returns the invocation that a Handler was called for.
func InvocationOf(ctx context.Context) *Invocation {
	i, _ := ctx.Value(invocationKey{}).(*Invocation)
	return i
}

// Handle makes h the function of a name, in place of the program that was
// uploaded, from the next cold start on.
func (e *Emulator) Handle(name string, h Handler) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.handlers[name] = h
}

// stub is an execution environment in this process.
type stub struct{ handler Handler }

func (s stub) close() {}

func (s stub) serve(ctx context.Context, job job) outcome {
	i := &Invocation{
		RequestID: job.id, Function: job.version.of.name, Version: job.version.number, MemoryMB: job.settings.Memory,
		Cold: job.cold, Deadline: job.deadline,
	}
	ctx, cancel := context.WithDeadline(context.WithValue(ctx, invocationKey{}, i), job.deadline)
	defer cancel()
	start := time.Now()
	type result struct {
		payload []byte
		err     error
		trace   string // of a panic
	}
	done := make(chan result, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- result{err: &FunctionError{Type: "panic", Message: fmt.Sprint(p)}, trace: string(debug.Stack())}
			}
		}()
		payload, err := s.handler(ctx, job.payload)
		done <- result{payload: payload, err: err}
	}()
	// A handler that heeds its context answers in time; one that does not is
	// waited for all the same, so that nothing is left behind.
	r := <-done
	if ctx.Err() == context.DeadlineExceeded {
		return outcome{duration: time.Duration(job.settings.Timeout) * time.Second, maxMemory: 1, failure: timedOut, log: i.lines(), gone: true}
	}
	out := outcome{payload: r.payload, duration: time.Since(start), maxMemory: max(i.MaxMemoryMB, 1), log: i.lines()}
	if i.Duration > 0 {
		out.duration = i.Duration
	}
	if job.cold {
		out.init = i.Init
	}
	if r.err != nil {
		out.payload, out.functionError = failurePayload(r.err)
	}
	if r.trace != "" {
		out.log = append(out.log, r.trace)
	}
	return out
}

func (i *Invocation) lines() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.log
}

// failurePayload returns the payload and the kind of a function's error.
func failurePayload(err error) ([]byte, string) {
	kind := "Unhandled"
	f := &FunctionError{Type: reflect.TypeOf(err).String(), Message: err.Error()}
	if t := reflect.TypeOf(err); t.Kind() == reflect.Pointer {
		f.Type = t.Elem().Name()
	}
	if errors.As(err, &f) && f.Handled {
		kind = "Handled"
	}
	payload, err := json.Marshal(struct {
		ErrorMessage string `json:"errorMessage"`
		ErrorType    string `json:"errorType"`
	}{f.Message, f.Type})
	if err != nil {
		panic(err) // two texts
	}
	return payload, kind
}
