package emulator

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// job is one invocation as an environment gets it.
type job struct {
	id       string
	version  *version
	settings *settings
	arn      string // that the function was invoked by
	payload  []byte
	context  string // of the client, in base64
	trace    string // X-Amzn-Trace-Id
	deadline time.Time
	cold     bool
}

// Ways in which an environment ends an invocation itself.
const (
	timedOut = "Sandbox.Timedout"
	exited   = "Runtime.ExitError"
	noMemory = "Runtime.OutOfMemory"
)

// outcome is how an invocation ended.
type outcome struct {
	payload       []byte
	functionError string // Handled or Unhandled; empty: none
	failure       string // timedOut, exited or noMemory; empty: none
	detail        string // of the failure
	duration      time.Duration
	init          time.Duration // of a cold start; 0: none
	maxMemory     int           // MB
	log           []string      // lines of the function, without line breaks
	initLog       []string      // those of its start
	gone          bool          // the environment cannot be used again
}

// worker is what runs a function, one invocation at a time.
type worker interface {
	serve(context.Context, job) outcome
	close()
}

// environment is an execution environment.
type environment struct {
	worker
	version  *version
	settings *settings
	stream   string // of its log
	used     bool   // it has had its cold start
	reaper   *time.Timer
}

// acquire returns an idle environment of a version, the one that was used last,
// or a new one. The caller holds e.mu.
func (e *Emulator) acquire(v *version, s *settings, now time.Time) *environment {
	for n := len(v.idle); n > 0; n = len(v.idle) {
		x := v.idle[n-1]
		v.idle = v.idle[:n-1]
		x.reaper.Stop()
		if x.settings == s {
			return x
		}
		e.discard(x) // of settings that have been changed
	}
	x := &environment{version: v, settings: s, stream: streamName(v.number, now)}
	if h := e.handlers[v.of.name]; h != nil {
		x.worker = stub{h}
	} else {
		x.worker = e.newProgram(x)
	}
	return x
}

// release makes an environment idle, or ends it. The caller holds e.mu.
func (e *Emulator) release(x *environment, gone bool, now time.Time) {
	if gone || e.ending.Err() != nil || x.version.effective(now) != x.settings || x.version.deleted {
		e.discard(x)
		return
	}
	x.version.idle = append(x.version.idle, x)
	x.reaper = time.AfterFunc(e.options.KeepAlive, func() { e.reap(x) })
}

// reap ends an environment that has been idle for too long.
func (e *Emulator) reap(x *environment) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, y := range x.version.idle {
		if x == y {
			x.version.idle = append(x.version.idle[:i], x.version.idle[i+1:]...)
			e.discard(x)
			return
		}
	}
}

// discard ends an environment, whose process may take a moment. The caller
// holds e.mu.
func (e *Emulator) discard(x *environment) { e.work.Go(x.close) }

// closePools ends the idle environments of versions. The caller holds e.mu.
func (e *Emulator) closePools(versions ...*version) {
	for _, v := range versions {
		v.deleted = true
		for _, x := range v.idle {
			x.reaper.Stop()
			e.discard(x)
		}
		v.idle = nil
	}
}

// closeEnvironments ends all idle environments.
func (e *Emulator) closeEnvironments() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.functions {
		e.closePools(append([]*version{f.latest}, f.versions...)...)
	}
}

// Environments returns how many idle execution environments of a function there
// are, over all its versions.
func (e *Emulator) Environments(name string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	if f := e.functions[name]; f != nil {
		for _, v := range append([]*version{f.latest}, f.versions...) {
			n += len(v.idle)
		}
	}
	return n
}

// streamName names a log stream as Lambda does, which identifies its
// environment.
func streamName(version string, now time.Time) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%s/[%s]%s", now.UTC().Format("2006/01/02"), version, hex.EncodeToString(b[:]))
}
