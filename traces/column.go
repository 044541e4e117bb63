package traces

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// column is one field of a Record, as a column of the file.
type column interface {
	title() string

	// fill sets the field of rows[i] to values[i]. The field is null where
	// the value is, and shares no memory with the values.
	fill(rows []Record, values []parquet.Value, seen interned)

	// tally returns an empty summary of the column.
	tally() tally
}

// tally gathers what Inspect says about one column.
type tally interface {
	add(r *Record)
	summary() ColumnSummary
}

// columns are the fields of a Record in the order of the file. A test compares
// them with the schema that parquet-go derives from the type.
var columns = []column{
	textColumn{"workflow", func(r *Record) *string { return &r.Workflow }},
	textColumn{"workflow_execution_id", func(r *Record) *string { return &r.Execution }},
	textColumn{"stage", func(r *Record) *string { return &r.Stage }},
	integer("epoch", func(r *Record) **int32 { return &r.Epoch }),
	textColumn{"statistic", func(r *Record) *string { return (*string)(&r.Statistic) }},

	memoryColumn{},
	integer("parallelism", func(r *Record) **int32 { return &r.Parallelism }),

	float("cold_s", func(r *Record) **float64 { return &r.Cold }),
	float("read_s", func(r *Record) **float64 { return &r.Read }),
	float("compute_s", func(r *Record) **float64 { return &r.Compute }),
	float("write_s", func(r *Record) **float64 { return &r.Write }),

	optionalTextColumn{"trace_id", func(r *Record) **string { return &r.TraceID }},
	optionalTextColumn{"state_name", func(r *Record) **string { return &r.StateName }},
	integer("map_index", func(r *Record) **int32 { return &r.MapIndex }),
	integer("attempt", func(r *Record) **int32 { return &r.Attempt }),
	optionalTextColumn{"function", func(r *Record) **string { return &r.Function }},
	optionalTextColumn{"request_id", func(r *Record) **string { return &r.RequestID }},
	optionalTextColumn{"environment_id", func(r *Record) **string { return &r.EnvironmentID }},
	long("scheduled_ns", func(r *Record) **int64 { return &r.ScheduledNS }),
	long("start_ns", func(r *Record) **int64 { return &r.StartNS }),
	long("end_ns", func(r *Record) **int64 { return &r.EndNS }),
	long("duration_us", func(r *Record) **int64 { return &r.DurationUS }),
	long("init_us", func(r *Record) **int64 { return &r.InitUS }),
	long("restore_us", func(r *Record) **int64 { return &r.RestoreUS }),
	long("billed_ms", func(r *Record) **int64 { return &r.BilledMS }),
	long("billed_restore_ms", func(r *Record) **int64 { return &r.BilledRestoreMS }),
	optionalTextColumn{"billed_rule", func(r *Record) **string { return &r.BilledRule }},
	integer("max_memory_mb", func(r *Record) **int32 { return &r.MaxMemoryMB }),
	optionalTextColumn{"arch", func(r *Record) **string { return &r.Arch }},
	optionalTextColumn{"runtime", func(r *Record) **string { return &r.Runtime }},
	flagColumn{"cold", func(r *Record) **bool { return &r.ColdStart }},
	optionalTextColumn{"status", func(r *Record) **string { return &r.Status }},
	optionalTextColumn{"error_type", func(r *Record) **string { return &r.ErrorType }},
	long("bytes_in", func(r *Record) **int64 { return &r.BytesIn }),
	long("bytes_out", func(r *Record) **int64 { return &r.BytesOut }),
	float("cost_usd", func(r *Record) **float64 { return &r.CostUSD }),

	textColumn{"source", func(r *Record) *string { return &r.Source }},
	long("source_line", func(r *Record) **int64 { return &r.SourceLine }),
	long("time_precision_us", func(r *Record) **int64 { return &r.TimePrecisionUS }),
}

// Columns returns the names of the columns of a trace, in the order of the
// file.
func Columns() []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.title()
	}
	return names
}

// StepColumns returns the columns that a model of the stages is fitted to, and
// no others: where a row belongs, its configuration and its four steps.
func StepColumns() []string {
	return []string{
		"workflow_execution_id", "stage", "epoch", "statistic", "memory_mb", "parallelism",
		"cold_s", "read_s", "compute_s", "write_s",
	}
}

// interned holds one copy of every text of a column that was read so far: most
// columns of text repeat a few values in every row.
type interned map[string]string

// maxInterned bounds the memory of interned; a column with more values than
// that repeats none of them often enough to matter.
const maxInterned = 1 << 16

func (seen interned) text(v parquet.Value) string {
	b := v.ByteArray()
	if s, ok := seen[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(seen) < maxInterned {
		seen[s] = s
	}
	return s
}

// textColumn is text that every row has; where it is empty it is missing.
type textColumn struct {
	name string
	at   func(*Record) *string
}

func (c textColumn) title() string { return c.name }

func (c textColumn) fill(rows []Record, values []parquet.Value, seen interned) {
	for i, v := range values {
		*c.at(&rows[i]) = seen.text(v)
	}
}

func (c textColumn) tally() tally {
	return &presence{name: c.name, known: func(r *Record) bool { return *c.at(r) != "" }}
}

// optionalTextColumn is text that may be unknown.
type optionalTextColumn struct {
	name string
	at   func(*Record) **string
}

func (c optionalTextColumn) title() string { return c.name }

func (c optionalTextColumn) fill(rows []Record, values []parquet.Value, seen interned) {
	texts := make([]string, known(values))
	for i, v := range values {
		if !v.IsNull() {
			texts[0] = seen.text(v)
			*c.at(&rows[i]), texts = &texts[0], texts[1:]
		}
	}
}

func (c optionalTextColumn) tally() tally {
	return &presence{name: c.name, known: func(r *Record) bool { return *c.at(r) != nil }}
}

// flagColumn is a truth value that may be unknown.
type flagColumn struct {
	name string
	at   func(*Record) **bool
}

func (c flagColumn) title() string { return c.name }

func (c flagColumn) fill(rows []Record, values []parquet.Value, _ interned) {
	flags := make([]bool, known(values))
	for i, v := range values {
		if !v.IsNull() {
			flags[0] = v.Boolean()
			*c.at(&rows[i]), flags = &flags[0], flags[1:]
		}
	}
}

func (c flagColumn) tally() tally {
	return &presence{name: c.name, known: func(r *Record) bool { return *c.at(r) != nil }}
}

// memoryColumn is the one number that every row has; 0 is missing.
type memoryColumn struct{}

func (memoryColumn) title() string { return "memory_mb" }

func (memoryColumn) fill(rows []Record, values []parquet.Value, _ interned) {
	for i, v := range values {
		rows[i].MemoryMB = v.Int32()
	}
}

func (memoryColumn) tally() tally {
	return &span[int32]{name: "memory_mb", at: func(r *Record) *int32 {
		if r.MemoryMB == 0 {
			return nil
		}
		return &r.MemoryMB
	}}
}

// numberColumn is a number that may be unknown.
type numberColumn[T number] struct {
	name   string
	at     func(*Record) **T
	decode func(parquet.Value) T
}

type number interface{ int32 | int64 | float64 }

func integer(name string, at func(*Record) **int32) column {
	return numberColumn[int32]{name, at, parquet.Value.Int32}
}

func long(name string, at func(*Record) **int64) column {
	return numberColumn[int64]{name, at, parquet.Value.Int64}
}

func float(name string, at func(*Record) **float64) column {
	return numberColumn[float64]{name, at, parquet.Value.Double}
}

func (c numberColumn[T]) title() string { return c.name }

func (c numberColumn[T]) fill(rows []Record, values []parquet.Value, _ interned) {
	numbers := make([]T, known(values))
	for i, v := range values {
		if !v.IsNull() {
			numbers[0] = c.decode(v)
			*c.at(&rows[i]), numbers = &numbers[0], numbers[1:]
		}
	}
}

func (c numberColumn[T]) tally() tally {
	return &span[T]{name: c.name, at: func(r *Record) *T { return *c.at(r) }}
}

// known returns how many of the values are not null.
func known(values []parquet.Value) int {
	n := 0
	for i := range values {
		if !values[i].IsNull() {
			n++
		}
	}
	return n
}

// presence counts the rows that have a value.
type presence struct {
	name       string
	known      func(*Record) bool
	have, lack int
}

func (p *presence) add(r *Record) {
	if p.known(r) {
		p.have++
	} else {
		p.lack++
	}
}

func (p *presence) summary() ColumnSummary {
	return ColumnSummary{Column: p.name, Known: p.have, Missing: p.lack}
}

// span counts the rows that have a number and keeps the smallest and the
// largest. Numbers that are not finite are counted apart.
type span[T number] struct {
	name                 string
	at                   func(*Record) *T
	have, lack, infinite int
	low, high            T
}

func (s *span[T]) add(r *Record) {
	p := s.at(r)
	if p == nil {
		s.lack++
		return
	}
	s.have++
	v := *p
	if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
		s.infinite++
		return
	}
	if s.have-s.infinite == 1 {
		s.low, s.high = v, v
	}
	s.low, s.high = min(s.low, v), max(s.high, v)
}

func (s *span[T]) summary() ColumnSummary {
	c := ColumnSummary{Column: s.name, Known: s.have, Missing: s.lack, NotFinite: s.infinite}
	if s.have > s.infinite {
		c.Range = &Range{Min: literal(s.low), Max: literal(s.high)}
	}
	return c
}

// literal writes a number with every digit it has: an instant in nanoseconds
// does not fit a float64.
func literal[T number](v T) json.Number {
	if f := float64(v); f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
	}
	return json.Number(strconv.FormatInt(int64(v), 10))
}

// pick returns the columns with the given names in the order of the file, all
// of them where no name is given. It also returns the names that are none.
func pick(names []string) (picked []column, unknown []string) {
	if len(names) == 0 {
		return columns, nil
	}
	for _, c := range columns {
		if slices.Contains(names, c.title()) {
			picked = append(picked, c)
		}
	}
	all := Columns()
	for _, name := range names {
		if !slices.Contains(all, name) {
			unknown = append(unknown, name)
		}
	}
	return picked, unknown
}
