package logs

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"eevee/traces"
)

// field is a column of a trace that a mapping can fill.
type field struct {
	name  string // as in the trace, with its unit
	kind  kind
	base  string // unit of the trace; empty for a text, a flag and a count
	text  func(*traces.Record, string)
	whole func(*traces.Record, int64) // in the unit of the trace
	real  func(*traces.Record, float64)
	flag  func(*traces.Record, bool)
}

// kind is what values of a field are, and so the units they can have.
type kind int

const (
	text kind = iota
	flag
	count
	duration
	instant
	memory
	size
	money
)

// unit says that a value times factor times ten to the power of shift is in
// the unit of the trace.
type unit struct {
	factor int64
	shift  int
}

// units of each kind, relative to the unit in which the trace holds it: us,
// ms or s for a duration (which the field names), ns, MB, byte and USD.
var units = map[kind]map[string]unit{
	duration: {"ns": {1, -9}, "us": {1, -6}, "ms": {1, -3}, "s": {1, 0}, "min": {60, 0}, "h": {3600, 0}},
	instant:  {"ns": {1, 0}, "us": {1, 3}, "ms": {1, 6}, "s": {1, 9}},
	// Logs print bytes as 1,000,000 to the MB and sizes of memory as 1,024 MB
	// to the GB.
	memory: {"B": {1, -6}, "MB": {1, 0}, "GB": {1024, 0}},
	size:   {"B": {1, 0}, "KB": {1, 3}, "MB": {1, 6}, "GB": {1, 9}, "KiB": {1 << 10, 0}, "MiB": {1 << 20, 0}, "GiB": {1 << 30, 0}},
	money:  {"USD": {1, 0}, "mUSD": {1, -3}, "uUSD": {1, -6}},
}

// datetime is the unit of an instant that is written as a date and a time.
const datetime = "datetime"

// layouts of a datetime. Without a zone it is UTC.
var layouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"}

// fields are the columns of a trace that a mapping can fill, by name.
var fields = []field{
	{name: "workflow_execution_id", text: func(r *traces.Record, v string) { r.Execution = v }},
	{name: "stage", text: func(r *traces.Record, v string) { r.Stage = v }},
	{name: "epoch", kind: count, whole: int32At(func(r *traces.Record) **int32 { return &r.Epoch })},
	{name: "statistic", text: func(r *traces.Record, v string) { r.Statistic = traces.Statistic(v) }},
	{name: "memory_mb", kind: memory, base: "MB", whole: func(r *traces.Record, v int64) { r.MemoryMB = int32(v) }},
	{name: "parallelism", kind: count, whole: int32At(func(r *traces.Record) **int32 { return &r.Parallelism })},
	{name: "cold_s", kind: duration, base: "s", real: realAt(func(r *traces.Record) **float64 { return &r.Cold })},
	{name: "read_s", kind: duration, base: "s", real: realAt(func(r *traces.Record) **float64 { return &r.Read })},
	{name: "compute_s", kind: duration, base: "s", real: realAt(func(r *traces.Record) **float64 { return &r.Compute })},
	{name: "write_s", kind: duration, base: "s", real: realAt(func(r *traces.Record) **float64 { return &r.Write })},
	{name: "trace_id", text: textAt(func(r *traces.Record) **string { return &r.TraceID })},
	{name: "state_name", text: textAt(func(r *traces.Record) **string { return &r.StateName })},
	{name: "map_index", kind: count, whole: int32At(func(r *traces.Record) **int32 { return &r.MapIndex })},
	{name: "attempt", kind: count, whole: int32At(func(r *traces.Record) **int32 { return &r.Attempt })},
	{name: "function", text: textAt(func(r *traces.Record) **string { return &r.Function })},
	{name: "request_id", text: textAt(func(r *traces.Record) **string { return &r.RequestID })},
	{name: "environment_id", text: textAt(func(r *traces.Record) **string { return &r.EnvironmentID })},
	{name: "scheduled_ns", kind: instant, base: "ns", whole: int64At(func(r *traces.Record) **int64 { return &r.ScheduledNS })},
	{name: "start_ns", kind: instant, base: "ns", whole: int64At(func(r *traces.Record) **int64 { return &r.StartNS })},
	{name: "end_ns", kind: instant, base: "ns", whole: int64At(func(r *traces.Record) **int64 { return &r.EndNS })},
	{name: "duration_us", kind: duration, base: "us", whole: int64At(func(r *traces.Record) **int64 { return &r.DurationUS })},
	{name: "init_us", kind: duration, base: "us", whole: int64At(func(r *traces.Record) **int64 { return &r.InitUS })},
	{name: "restore_us", kind: duration, base: "us", whole: int64At(func(r *traces.Record) **int64 { return &r.RestoreUS })},
	{name: "billed_ms", kind: duration, base: "ms", whole: int64At(func(r *traces.Record) **int64 { return &r.BilledMS })},
	{name: "billed_restore_ms", kind: duration, base: "ms", whole: int64At(func(r *traces.Record) **int64 { return &r.BilledRestoreMS })},
	{name: "max_memory_mb", kind: memory, base: "MB", whole: int32At(func(r *traces.Record) **int32 { return &r.MaxMemoryMB })},
	{name: "arch", text: textAt(func(r *traces.Record) **string { return &r.Arch })},
	{name: "runtime", text: textAt(func(r *traces.Record) **string { return &r.Runtime })},
	{name: "cold", kind: flag, flag: func(r *traces.Record, v bool) { r.ColdStart = &v }},
	{name: "status", text: textAt(func(r *traces.Record) **string { return &r.Status })},
	{name: "error_type", text: textAt(func(r *traces.Record) **string { return &r.ErrorType })},
	{name: "bytes_in", kind: size, base: "B", whole: int64At(func(r *traces.Record) **int64 { return &r.BytesIn })},
	{name: "bytes_out", kind: size, base: "B", whole: int64At(func(r *traces.Record) **int64 { return &r.BytesOut })},
	{name: "cost_usd", kind: money, base: "USD", real: realAt(func(r *traces.Record) **float64 { return &r.CostUSD })},
	{name: "time_precision_us", kind: duration, base: "us", whole: int64At(func(r *traces.Record) **int64 { return &r.TimePrecisionUS })},
}

func textAt(at func(*traces.Record) **string) func(*traces.Record, string) {
	return func(r *traces.Record, v string) { *at(r) = &v }
}

func int64At(at func(*traces.Record) **int64) func(*traces.Record, int64) {
	return func(r *traces.Record, v int64) { *at(r) = &v }
}

func int32At(at func(*traces.Record) **int32) func(*traces.Record, int64) {
	return func(r *traces.Record, v int64) {
		n := int32(v)
		*at(r) = &n
	}
}

func realAt(at func(*traces.Record) **float64) func(*traces.Record, float64) {
	return func(r *traces.Record, v float64) { *at(r) = &v }
}

// narrow reports whether the trace holds the field in 32 bits.
func (f field) narrow() bool { return f.kind == count || f.kind == memory }

func fieldNames() []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	return names
}

func findField(name string) (field, error) {
	for _, f := range fields {
		if f.name == name {
			return f, nil
		}
	}
	return field{}, fmt.Errorf("unknown meaning %q, must be none or one of: %s", name, strings.Join(fieldNames(), ", "))
}

// unitNames returns the units that values of a kind can have.
func unitNames(k kind) []string {
	var names []string
	for name := range units[k] {
		names = append(names, name)
	}
	slices.Sort(names)
	if k == instant {
		names = append(names, datetime)
	}
	return names
}

// setter returns what sets the field to a value that is written in the given
// unit.
func (f field) setter(name string) (func(r *traces.Record, value string) error, error) {
	allowed := unitNames(f.kind)
	switch {
	case len(allowed) == 0 && name != "":
		return nil, fmt.Errorf("%s has no unit, not %q", f.name, name)
	case len(allowed) > 0 && !slices.Contains(allowed, name):
		return nil, fmt.Errorf("unit of %s is %q, must be one of: %s", f.name, name, strings.Join(allowed, ", "))
	case f.kind == text:
		return func(r *traces.Record, value string) error {
			f.text(r, value)
			return nil
		}, nil
	case f.kind == flag:
		return f.setFlag, nil
	case name == datetime:
		return f.setDatetime, nil
	}
	from := unit{factor: 1}
	if f.kind != count {
		to := units[f.kind][f.base]
		from = units[f.kind][name]
		from.shift -= to.shift
	}
	if f.real != nil {
		return f.setReal(from), nil
	}
	return f.setWhole(from), nil
}

func (f field) setFlag(r *traces.Record, value string) error {
	v, err := strconv.ParseBool(value)
	if err != nil {
		return errors.New("is neither true nor false")
	}
	f.flag(r, v)
	return nil
}

func (f field) setDatetime(r *traces.Record, value string) error {
	for _, layout := range layouts {
		t, err := time.Parse(layout, value)
		if err != nil {
			continue
		}
		if t.Year() < 1970 || t.Year() > 2261 {
			return errors.New("is not between the years 1970 and 2261")
		}
		f.whole(r, t.UnixNano())
		return nil
	}
	return errors.New("is not a date and time such as 2026-10-08T14:05:27.768Z")
}

func (f field) setWhole(from unit) func(*traces.Record, string) error {
	return func(r *traces.Record, value string) error {
		n, err := scaled(value, from.shift, from.factor)
		if err != nil {
			return err
		}
		if f.narrow() && (n > math.MaxInt32 || n < math.MinInt32) {
			return errTooLarge
		}
		f.whole(r, n)
		return nil
	}
}

func (f field) setReal(from unit) func(*traces.Record, string) error {
	// One division or multiplication by an exact power of ten rounds once.
	power := math.Pow10(max(from.shift, -from.shift))
	return func(r *traces.Record, value string) error {
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return errNotNumber
		}
		v *= float64(from.factor)
		if from.shift < 0 {
			v /= power
		} else {
			v *= power
		}
		f.real(r, v)
		return nil
	}
}
