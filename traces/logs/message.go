package logs

import (
	"encoding/json"
	"errors"
	"hash/maphash"
	"strings"
)

// message is one event of a log group, whatever brought it here.
type message struct {
	line     int64  // in the file; of JSON the number of the event
	ns       int64  // since the epoch; unknownNS
	stream   string // name of the log stream; empty: unknown
	function string // empty: unknown
	text     string
	partial  bool // that there is no init time says nothing
	coarse   bool // ns has whole seconds
}

const unknownNS = -1

// logPrecisionUS is the precision of the times of CloudWatch, and secondUS that
// of its short form.
const (
	logPrecisionUS = 1000
	secondUS       = 1_000_000
)

// messages reads the events of one file of Lambda or Step Functions, in the
// order of the log.
type messages struct {
	out      *sink
	seed     maphash.Seed
	report   reportLine
	seen     [len(messageKinds)]int64
	started  map[uint64]int64   // by request: when, for what has no REPORT yet
	failed   map[uint64]failure // by request: what came before its REPORT
	runtimes map[string]string  // by stream
	function string             // that the last event named
	history  *stateLog          // of Step Functions; nil: none yet
	after    bool               // the last message was a REPORT
	tail     bool               // only the end of a log: its first line may be cut
}

// failure is what a line of its own says about an invocation that failed.
type failure struct{ status, errorType string }

// What messages are. The names stand in Report.Seen.
const (
	seenReport = iota
	seenStart
	seenEnd
	seenInitStart
	seenInitReport
	seenRestoreStart
	seenRestoreReport
	seenFailure
	seenApplication
	seenBlank
	seenPlatform
	seenState
)

var messageKinds = [...]string{
	"REPORT", "START", "END", "INIT_START", "INIT_REPORT", "RESTORE_START", "RESTORE_REPORT", "failure", "application", "blank",
	"platform event", "state event",
}

// maxPending bounds what is remembered of invocations whose REPORT is still to
// come. A log without REPORT lines would fill the memory otherwise.
const maxPending = 1 << 16

func newMessages(out *sink) *messages {
	return &messages{
		out: out, seed: maphash.MakeSeed(), started: make(map[uint64]int64),
		failed: make(map[uint64]failure), runtimes: make(map[string]string),
	}
}

// finish ends the file.
func (m *messages) finish() error {
	for i, n := range m.seen {
		if n > 0 {
			m.out.seen.add(messageKinds[i], n)
		}
	}
	if m.history != nil {
		return m.history.finish()
	}
	return nil
}

// take reads one event. It fails only if the rows cannot be handed on.
func (m *messages) take(e message) error {
	after := m.after
	m.after = false
	switch {
	case strings.HasPrefix(e.text, "REPORT "):
		m.after = true
		return m.takeReport(e)
	case strings.HasPrefix(e.text, "START RequestId: "):
		m.seen[seenStart]++
		id, _ := cutWord(e.text[len("START RequestId: "):])
		m.start(id, e.ns)
	case strings.HasPrefix(e.text, "END RequestId: "):
		m.seen[seenEnd]++
	case strings.HasPrefix(e.text, "INIT_START "):
		m.seen[seenInitStart]++
		if _, version, ok := strings.Cut(e.text, "Runtime Version: "); ok {
			version, _ = cutWord(version)
			m.runtime(e.stream, version)
		}
	case strings.HasPrefix(e.text, "INIT_REPORT "):
		m.other(e, seenInitReport)
	case strings.HasPrefix(e.text, "RESTORE_START "):
		m.seen[seenRestoreStart]++
	case strings.HasPrefix(e.text, "RESTORE_REPORT "):
		m.other(e, seenRestoreReport)
	case strings.HasPrefix(e.text, "{"):
		return m.takeJSON(e)
	case strings.TrimSpace(e.text) == "":
		m.seen[seenBlank]++
		m.after = after
	case after && strings.HasPrefix(e.text, "XRAY TraceId: "):
		m.takeTrace(e)
	default:
		m.takeText(e)
	}
	return nil
}

// takeReport makes the row of an invocation.
func (m *messages) takeReport(e message) error {
	p := &m.report
	understood := p.parse(e.text[len("REPORT "):])
	if p.requestID == "" || p.durationUS < 0 || !understood && !p.complete() {
		m.out.unknown(e.line, "a REPORT line that is cut or of an unknown form", e.text)
		return nil
	}
	if !understood {
		m.out.doubt(e.line, "a REPORT line with a field of an unknown form; the others are read", e.text)
	}
	m.seen[seenReport]++
	return m.emit(e, p)
}

// emit makes the row of an invocation from what its REPORT says.
func (m *messages) emit(e message, p *reportLine) error {
	r, err := m.out.row()
	if err != nil {
		return err
	}
	a := &m.out.arena
	if e.function != "" {
		r.Stage = e.function
	}
	r.Function = a.text(r.Stage)
	r.RequestID = a.text(p.requestID)
	r.DurationUS = a.int64(p.durationUS)
	if p.billedMS >= 0 {
		r.BilledMS = a.int64(p.billedMS)
	}
	if p.memoryMB > 0 {
		r.MemoryMB = int32(p.memoryMB)
	}
	if p.maxMemoryMB >= 0 {
		r.MaxMemoryMB = a.int32(int32(p.maxMemoryMB))
	}
	if p.initUS >= 0 {
		r.InitUS = a.int64(p.initUS)
	}
	if p.restoreUS >= 0 {
		r.RestoreUS = a.int64(p.restoreUS)
	}
	if p.billedRestoreMS >= 0 {
		r.BilledRestoreMS = a.int64(p.billedRestoreMS)
	}
	switch {
	case p.initUS >= 0 || p.restoreUS >= 0:
		r.ColdStart = &yes
	case p.complete() && !e.partial:
		// Lambda prints the init time of every instance that it starts for an
		// invocation, so that a whole line without one is a warm start.
		r.ColdStart = &no
	}
	if p.traceID != "" {
		r.TraceID = a.text(p.traceID)
	}
	if e.stream != "" {
		r.EnvironmentID = a.text(e.stream)
	}
	if v, ok := m.runtimes[e.stream]; ok {
		r.Runtime = a.text(v)
	}
	r.BilledRule = BilledRule(r)
	if e.ns != unknownNS {
		r.EndNS = a.int64(e.ns)
		precision := int64(logPrecisionUS)
		if e.coarse {
			precision = secondUS
		}
		r.TimePrecisionUS = a.int64(precision)
	}
	r.SourceLine = a.int64(e.line)
	if len(m.started) > 0 || len(m.failed) > 0 {
		key := maphash.String(m.seed, p.requestID)
		if ns, ok := m.started[key]; ok {
			delete(m.started, key)
			if ns != unknownNS && e.ns != unknownNS && ns <= e.ns {
				r.StartNS = a.int64(ns)
			}
		}
		if f, ok := m.failed[key]; ok && p.status == "" {
			delete(m.failed, key)
			r.Status = a.text(f.status)
			if f.errorType != "" {
				r.ErrorType = a.text(f.errorType)
			}
		}
	}
	if p.status != "" {
		r.Status = a.text(p.status)
	}
	if p.errorType != "" {
		r.ErrorType = a.text(p.errorType)
	}
	return nil
}

// other checks a line about an instance that belongs to no invocation, such as
// an init that failed or that was provisioned.
func (m *messages) other(e message, kind int) {
	_, fields, _ := strings.Cut(e.text, " ")
	if !m.report.parse(fields) {
		m.out.unknown(e.line, "a "+messageKinds[kind]+" line of an unknown form", e.text)
		return
	}
	m.seen[kind]++
}

// takeTrace reads what a REPORT says on a line of its own.
func (m *messages) takeTrace(e message) {
	var p reportLine
	if !p.parse(e.text) || len(m.out.batch) == 0 {
		m.takeText(e)
		return
	}
	m.after = true
	r := &m.out.batch[len(m.out.batch)-1]
	if p.traceID != "" {
		r.TraceID = m.out.arena.text(p.traceID)
	}
	if p.status != "" {
		r.Status = m.out.arena.text(p.status)
	}
	if p.errorType != "" {
		r.ErrorType = m.out.arena.text(p.errorType)
	}
}

// takeText reads a line that is not of a known form as a whole: the end of a
// failed invocation, or what the application prints.
func (m *messages) takeText(e message) {
	_, text, _ := cutInstant(e.text)
	if id, rest := cutWord(text); strings.HasPrefix(rest, " Task timed out after ") {
		m.seen[seenFailure]++
		m.fail(id, failure{status: "timeout"})
		return
	}
	if rest, ok := strings.CutPrefix(text, "RequestId: "); ok {
		if id, rest := cutWord(rest); strings.HasPrefix(rest, " Error: ") {
			m.seen[seenFailure]++
			f := failure{status: "error"}
			if strings.Contains(rest, "Runtime exited") {
				f.errorType = "Runtime.ExitError"
			}
			m.fail(id, f)
			return
		}
	}
	if len(m.started) > 0 {
		m.seen[seenApplication]++
		return
	}
	if m.tail && m.total() == 0 {
		m.seen[seenApplication]++ // the line that the tail begins in
		return
	}
	m.out.unknown(e.line, "not a line of a log of Lambda, and outside of an invocation", e.text)
}

func (m *messages) total() (n int64) {
	for _, k := range m.seen {
		n += k
	}
	return n
}

// start remembers an invocation until its REPORT.
func (m *messages) start(requestID string, ns int64) {
	if len(m.started) >= maxPending {
		clear(m.started)
	}
	m.started[maphash.String(m.seed, requestID)] = ns
}

// fail sets the status of an invocation, whose REPORT may come before or after.
func (m *messages) fail(requestID string, f failure) {
	r := m.out.recent(requestID)
	if r == nil {
		if len(m.failed) >= maxPending {
			clear(m.failed)
		}
		m.failed[maphash.String(m.seed, requestID)] = f
		return
	}
	if r.Status == nil {
		r.Status = m.out.arena.text(f.status)
	}
	if f.errorType != "" && r.ErrorType == nil {
		r.ErrorType = m.out.arena.text(f.errorType)
	}
}

func (m *messages) runtime(stream, version string) {
	if len(m.runtimes) >= maxPending {
		clear(m.runtimes)
	}
	m.runtimes[strings.Clone(stream)] = strings.Clone(version)
}

// takeJSON reads an event of the platform in JSON, or a line of the
// application.
func (m *messages) takeJSON(e message) error {
	var line struct {
		platformEvent
		stateEvent
		Type string `json:"type"`
	}
	if err := json.Unmarshal([]byte(e.text), &line); err != nil {
		var kind *json.UnmarshalTypeError
		if !errors.As(err, &kind) || strings.Contains(e.text, `"platform.`) {
			m.out.unknown(e.line, "broken JSON: "+err.Error(), e.text)
			return nil
		}
	}
	switch {
	case strings.HasPrefix(line.Type, "platform."):
		return m.takePlatform(e, line.Type, &line.platformEvent)
	case line.ExecutionARN != "" && line.ID != "":
		m.seen[seenState]++
		if m.history == nil {
			m.history = newStateLog(m.out)
		}
		return m.history.take(e.line, line.Type, &line.stateEvent)
	}
	m.seen[seenApplication]++
	return nil
}
