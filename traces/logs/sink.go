package logs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"eevee/traces"
)

// batchRows is how many rows are handed on at once. The last recentRows are
// held back, because a later line may say more about them.
const (
	batchRows  = 4096
	recentRows = 64
)

// sink takes what readers find, and counts it.
type sink struct {
	ctx     context.Context
	options *Options
	visit   func([]traces.Record) error
	batch   []traces.Record
	arena   arena

	report   *Report
	file     *FileReport
	samples  int // of the file
	ids      *idSet
	rules    tally
	statuses tally
	stages   tally
	seen     tally

	strict  bool   // an unusable row is an error, not counted
	stage   string // of rows that say no function
	stopped error  // why nothing more can be handed on
}

func newSink(ctx context.Context, o *Options, visit func([]traces.Record) error) *sink {
	return &sink{
		ctx: ctx, options: o, visit: visit, batch: make([]traces.Record, 0, batchRows+recentRows),
		report: &Report{Schema: ReportSchema, Workflow: o.Workflow, Files: []FileReport{}, Samples: []Sample{}},
		ids:    newIDSet(),
	}
}

// row returns a new row, which the reader fills. It must not call row again
// before it is done with it.
func (s *sink) row() (*traces.Record, error) {
	if len(s.batch) == cap(s.batch) {
		if err := s.flush(recentRows); err != nil {
			return nil, err
		}
	}
	s.batch = s.batch[:len(s.batch)+1]
	r := &s.batch[len(s.batch)-1]
	*r = traces.Record{
		Workflow: s.options.Workflow, Stage: s.stage, Statistic: traces.Invocation, Source: traces.Recorded,
		MemoryMB: s.options.MemoryMB,
	}
	s.file.Rows++
	return r, nil
}

// recent returns the last row with a request id, if it was not handed on yet.
func (s *sink) recent(requestID string) *traces.Record {
	for i := len(s.batch) - 1; i >= max(0, len(s.batch)-recentRows); i-- {
		if id := s.batch[i].RequestID; id != nil && *id == requestID {
			return &s.batch[i]
		}
	}
	return nil
}

// flush hands on all but the last keep rows.
func (s *sink) flush(keep int) error {
	if s.stopped = s.ctx.Err(); s.stopped != nil {
		return s.stopped
	}
	n := max(0, len(s.batch)-keep)
	if n == 0 {
		return nil
	}
	part := s.batch[:n]
	for i := range part {
		s.count(&part[i])
	}
	if err := s.check(part); err != nil {
		return err
	}
	if s.stopped = s.visit(part); s.stopped != nil {
		return s.stopped
	}
	left := copy(s.batch, s.batch[n:])
	clear(s.batch[left:])
	s.batch = s.batch[:left]
	return nil
}

// check finds what makes rows useless. What logs do not hold is none of it: it
// is counted and warned of.
func (s *sink) check(rows []traces.Record) error {
	var errs []error
	for _, d := range traces.Unusable(rows) {
		if !s.strict && d.Column == "memory_mb" {
			continue
		}
		at := fmt.Sprintf("row %d", d.Row)
		if line := rows[d.Row].SourceLine; line != nil {
			at = fmt.Sprintf("line %d", *line)
		}
		errs = append(errs, fmt.Errorf("logs: %s: %s, column %s: %s", s.file.Path, at, d.Column, d.Problem))
	}
	return errors.Join(errs...)
}

func (s *sink) count(r *traces.Record) {
	s.report.Rows++
	if r.RequestID == nil {
		s.report.NoRequestID++
	} else if s.ids.add(*r.RequestID) {
		s.report.RequestIDs++
	} else {
		s.report.Repeated++
	}
	if r.MemoryMB == 0 {
		s.report.NoMemory++
	}
	switch {
	case r.ColdStart == nil:
		s.report.ColdUnknown++
	case *r.ColdStart:
		s.report.Cold++
	default:
		s.report.Warm++
	}
	if r.InitUS != nil {
		s.report.WithInit++
	}
	if r.RestoreUS != nil {
		s.report.WithRestore++
	}
	rule, status := "unknown", ""
	if r.BilledRule != nil {
		rule = *r.BilledRule
	}
	if r.Status != nil {
		status = *r.Status
	}
	s.rules.add(rule, 1)
	s.statuses.add(status, 1)
	s.stages.add(r.Stage, 1)
}

// saw counts a line or an event by what it is.
func (s *sink) saw(what string) { s.seen.add(what, 1) }

// unknown counts a line or an event that gives no row because it was not
// understood, and keeps the first ones.
func (s *sink) unknown(line int64, problem, text string) {
	s.report.Unknown++
	s.file.Unknown++
	s.sample(line, problem, text)
}

// doubt counts something that the reader of the rows must know of, and keeps
// the first ones.
func (s *sink) doubt(line int64, problem, text string) {
	s.report.Doubts++
	s.sample(line, problem, text)
}

func (s *sink) sample(line int64, problem, text string) {
	if s.samples >= maxFileSamples || len(s.report.Samples) >= maxSamples {
		return
	}
	s.samples++
	text = strings.ToValidUTF8(text[:min(len(text), maxSampleText)], "?")
	if !s.options.KeepIdentifiers {
		problem, text = redact(problem), redact(text)
	}
	s.report.Samples = append(s.report.Samples, Sample{s.file.Path, line, problem, text})
}

// begin begins a file.
func (s *sink) begin(path, stage string) {
	s.report.Files = append(s.report.Files, FileReport{Path: path})
	s.file = &s.report.Files[len(s.report.Files)-1]
	s.samples, s.stage = 0, stage
}

// finish hands on what is left and returns the report.
func (s *sink) finish() (Report, error) {
	if err := s.flush(0); err != nil {
		return Report{}, err
	}
	r := s.report
	r.Rules, r.Statuses, r.Stages, r.Seen = s.rules.counts(), s.statuses.counts(), s.stages.counts(), s.seen.counts()
	r.Warnings = r.warnings()
	return *r, nil
}
