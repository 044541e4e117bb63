package traces

import (
	"fmt"
	"hash/maphash"
	"math"
	"slices"
)

// Severity says what a Defect means for the trace.
type Severity string

// The severities of a Defect.
const (
	Error   Severity = "error"   // the row cannot be used
	Warning Severity = "warning" // the row can be used, but its reader should know
)

// Defect is something wrong with one row.
type Defect struct {
	Row      int      `json:"row"` // from 0
	Column   string   `json:"column"`
	Problem  string   `json:"problem"`
	Severity Severity `json:"severity"`
}

// String gives the defect as "row 3, column read_s: negative: -0.5".
func (d Defect) String() string {
	text := fmt.Sprintf("row %d, column %s: %s", d.Row, d.Column, d.Problem)
	if d.Severity == Warning {
		text += " (warning)"
	}
	return text
}

// Memory that AWS Lambda offers, in MB (formats.md section 6).
const (
	minLambdaMB = 128
	maxLambdaMB = 10240
)

// Validate returns every defect of the rows, by row and column: values that
// are missing, negative, not finite or unknown where they must not be, and
// rows that are there twice. A negative cold step of a p95 row is none, it is
// a residual.
func Validate(rows []Record) []Defect {
	v := newValidation()
	v.add(rows)
	return v.defects
}

// Unusable returns the defects that make a row useless and that it has by
// itself: those of Validate without the warnings and the rows that are there
// twice. It takes little time and memory, for rows that come by the million.
func Unusable(rows []Record) []Defect {
	v := validation{errorsOnly: true}
	for i := range rows {
		v.alone(&rows[i])
		v.row++
	}
	return v.defects
}

// ValidateFile returns every defect of a trace of any size.
func ValidateFile(path string) ([]Defect, error) {
	v := newValidation()
	_, err := Scan(path, nil, func(rows []Record) error {
		v.add(rows)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v.defects, nil
}

// validation gathers defects row by row.
type validation struct {
	row     int
	seeds   [2]maphash.Seed
	seen    map[[2]uint64]int // the first row whose identity has this hash
	defects []Defect

	errorsOnly bool
}

// identity is what no two rows have in common. Absent numbers are absent, not
// 0. Only 128 bits of hash are kept of it, so that a trace of ten million rows
// can be validated in some hundred MB; at that size two rows share them by
// chance with a probability below 1e-24.
type identity struct {
	workflow, execution, stage string
	statistic                  Statistic
	epoch, mapIndex, attempt   int64
	start                      int64
	request                    string
}

const absent = math.MinInt64

func newValidation() *validation {
	return &validation{
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		seen:  make(map[[2]uint64]int),
	}
}

func (v *validation) add(rows []Record) {
	for i := range rows {
		v.alone(&rows[i])
		v.twice(&rows[i])
		v.row++
	}
}

// alone finds the defects that a row has by itself.
func (v *validation) alone(r *Record) {
	v.texts(r)
	v.configuration(r)
	v.times(r)
	v.platform(r)
}

func (v *validation) defect(severity Severity, column, format string, args ...any) {
	if v.errorsOnly && severity != Error {
		return
	}
	v.defects = append(v.defects, Defect{v.row, column, fmt.Sprintf(format, args...), severity})
}

func (v *validation) texts(r *Record) {
	if r.Workflow == "" {
		v.defect(Error, "workflow", "missing")
	}
	if r.Execution == "" {
		v.defect(Warning, "workflow_execution_id", "missing: the row cannot be joined with the other stages of its run")
	}
	if r.Stage == "" && r.Statistic != Run {
		v.defect(Error, "stage", "missing")
	}
	v.oneOf("statistic", string(r.Statistic), statistics)
	v.oneOf("source", r.Source, sources)
}

var (
	statistics = []string{string(Invocation), string(Mean), string(P95), string(Run)}
	sources    = []string{Recorded, Synthetic, Simulated, Live}
)

func (v *validation) oneOf(column, value string, allowed []string) {
	switch {
	case value == "":
		v.defect(Error, column, "missing")
	case !slices.Contains(allowed, value):
		v.defect(Error, column, "unknown: %q is none of %q", value, allowed)
	}
}

func (v *validation) configuration(r *Record) {
	switch {
	case r.MemoryMB == 0 && r.Statistic == Run:
	case r.MemoryMB == 0:
		v.defect(Error, "memory_mb", "missing")
	case r.MemoryMB < 0:
		v.defect(Error, "memory_mb", "negative: %d", r.MemoryMB)
	case r.MemoryMB < minLambdaMB || r.MemoryMB > maxLambdaMB:
		v.defect(Warning, "memory_mb", "%d is not among the %d to %d MB of AWS Lambda", r.MemoryMB, minLambdaMB, maxLambdaMB)
	}
	atLeast(v, "parallelism", r.Parallelism, 1)
	atLeast(v, "epoch", r.Epoch, 0)
}

func (v *validation) times(r *Record) {
	v.duration("cold_s", r.Cold, r.Statistic == P95)
	v.duration("read_s", r.Read, false)
	v.duration("compute_s", r.Compute, false)
	v.duration("write_s", r.Write, false)
	v.duration("cost_usd", r.CostUSD, false)

	atLeast(v, "scheduled_ns", r.ScheduledNS, 0)
	atLeast(v, "start_ns", r.StartNS, 0)
	atLeast(v, "end_ns", r.EndNS, 0)
	if r.StartNS != nil && r.EndNS != nil && *r.EndNS < *r.StartNS {
		v.defect(Error, "end_ns", "%d ns before start_ns", *r.StartNS-*r.EndNS)
	}
	if r.ScheduledNS != nil && r.StartNS != nil && *r.StartNS < *r.ScheduledNS {
		// Two clocks: formats.md section 8.
		v.defect(Warning, "start_ns", "%d ns before scheduled_ns; the clocks differ", *r.ScheduledNS-*r.StartNS)
	}
}

// duration checks a number that is finite and, unless it is a residual, not
// negative.
func (v *validation) duration(column string, value *float64, residual bool) {
	switch {
	case value == nil:
	case math.IsNaN(*value) || math.IsInf(*value, 0):
		v.defect(Error, column, "not a finite number: %v", *value)
	case *value < 0 && !residual:
		v.defect(Error, column, "negative: %v", *value)
	}
}

func (v *validation) platform(r *Record) {
	atLeast(v, "map_index", r.MapIndex, 0)
	atLeast(v, "attempt", r.Attempt, 0)
	atLeast(v, "duration_us", r.DurationUS, 0)
	atLeast(v, "init_us", r.InitUS, 0)
	atLeast(v, "restore_us", r.RestoreUS, 0)
	atLeast(v, "billed_ms", r.BilledMS, 0)
	atLeast(v, "billed_restore_ms", r.BilledRestoreMS, 0)
	atLeast(v, "max_memory_mb", r.MaxMemoryMB, 0)
	atLeast(v, "bytes_in", r.BytesIn, 0)
	atLeast(v, "bytes_out", r.BytesOut, 0)
	atLeast(v, "source_line", r.SourceLine, 1)
	atLeast(v, "time_precision_us", r.TimePrecisionUS, 0)
}

func atLeast[T int32 | int64](v *validation, column string, value *T, least T) {
	switch {
	case value == nil || *value >= least:
	case *value < 0:
		v.defect(Error, column, "negative: %d", *value)
	default:
		v.defect(Error, column, "%d is below %d", *value, least)
	}
}

// twice reports a row whose identity an earlier row has.
func (v *validation) twice(r *Record) {
	if !identifiable(r) {
		return
	}
	id := identity{
		workflow: r.Workflow, execution: r.Execution, stage: r.Stage, statistic: r.Statistic,
		epoch: orAbsent(r.Epoch), mapIndex: orAbsent(r.MapIndex), attempt: orAbsent(r.Attempt), start: orAbsent(r.StartNS),
	}
	if r.RequestID != nil {
		id.request = *r.RequestID
	}
	key := [2]uint64{maphash.Comparable(v.seeds[0], id), maphash.Comparable(v.seeds[1], id)}
	if first, ok := v.seen[key]; ok {
		v.defect(Error, "workflow_execution_id", "the same execution, stage, statistic, map index, attempt and request as row %d", first)
		return
	}
	v.seen[key] = v.row
}

// identifiable reports whether a row holds enough to be told from others: one
// of several parallel invocations needs a name or a time of its own.
func identifiable(r *Record) bool {
	if r.RequestID != nil {
		return true
	}
	if r.Execution == "" {
		return false
	}
	return r.Statistic != Invocation || r.MapIndex != nil || r.StartNS != nil ||
		r.Parallelism != nil && *r.Parallelism == 1
}

func orAbsent[T int32 | int64](p *T) int64 {
	if p == nil {
		return absent
	}
	return int64(*p)
}
