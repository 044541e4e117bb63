package traces

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// soundRow is an invocation with every number known and none of them wrong.
func soundRow() Record {
	return Record{
		Workflow: "w", Execution: "w/1", Stage: "a", Epoch: ptr(int32(0)), Statistic: Invocation,
		MemoryMB: 1792, Parallelism: ptr(int32(4)),
		Cold: ptr(0.), Read: ptr(0.5), Compute: ptr(1.), Write: ptr(0.),
		MapIndex: ptr(int32(0)), Attempt: ptr(int32(0)), RequestID: ptr("r"),
		ScheduledNS: ptr(int64(1)), StartNS: ptr(int64(2)), EndNS: ptr(int64(3)),
		DurationUS: ptr(int64(1)), InitUS: ptr(int64(0)), RestoreUS: ptr(int64(0)), BilledMS: ptr(int64(1)), BilledRestoreMS: ptr(int64(0)),
		MaxMemoryMB: ptr(int32(100)), BytesIn: ptr(int64(0)), BytesOut: ptr(int64(0)), CostUSD: ptr(0.),
		Source: Recorded, SourceLine: ptr(int64(1)), TimePrecisionUS: ptr(int64(1)),
	}
}

func TestValidateNamesTheColumn(t *testing.T) {
	type wrong struct {
		change   func(*Record)
		column   string
		problem  string
		severity Severity
	}
	cases := []wrong{
		{func(r *Record) { r.Workflow = "" }, "workflow", "missing", Error},
		{func(r *Record) { r.Execution = "" }, "workflow_execution_id", "missing", Warning},
		{func(r *Record) { r.Stage = "" }, "stage", "missing", Error},
		{func(r *Record) { r.Statistic = "" }, "statistic", "missing", Error},
		{func(r *Record) { r.Statistic = "p99" }, "statistic", "unknown", Error},
		{func(r *Record) { r.Source = "" }, "source", "missing", Error},
		{func(r *Record) { r.Source = "guessed" }, "source", "unknown", Error},
		{func(r *Record) { r.MemoryMB = 0 }, "memory_mb", "missing", Error},
		{func(r *Record) { r.MemoryMB = -1 }, "memory_mb", "negative", Error},
		{func(r *Record) { r.MemoryMB = 127 }, "memory_mb", "AWS Lambda", Warning},
		{func(r *Record) { r.MemoryMB = 10241 }, "memory_mb", "AWS Lambda", Warning},
		{func(r *Record) { *r.Parallelism = 0 }, "parallelism", "below 1", Error},
		{func(r *Record) { *r.SourceLine = 0 }, "source_line", "below 1", Error},
		{func(r *Record) { *r.EndNS = 1 }, "end_ns", "1 ns before start_ns", Error},
		{func(r *Record) { *r.ScheduledNS = 3 }, "start_ns", "1 ns before scheduled_ns", Warning},
	}
	for column, at := range map[string]func(*Record) *int32{
		"epoch":         func(r *Record) *int32 { return r.Epoch },
		"parallelism":   func(r *Record) *int32 { return r.Parallelism },
		"map_index":     func(r *Record) *int32 { return r.MapIndex },
		"attempt":       func(r *Record) *int32 { return r.Attempt },
		"max_memory_mb": func(r *Record) *int32 { return r.MaxMemoryMB },
	} {
		cases = append(cases, wrong{func(r *Record) { *at(r) = math.MinInt32 }, column, "negative", Error})
	}
	for column, at := range map[string]func(*Record) *int64{
		"scheduled_ns":      func(r *Record) *int64 { return r.ScheduledNS },
		"duration_us":       func(r *Record) *int64 { return r.DurationUS },
		"init_us":           func(r *Record) *int64 { return r.InitUS },
		"restore_us":        func(r *Record) *int64 { return r.RestoreUS },
		"billed_ms":         func(r *Record) *int64 { return r.BilledMS },
		"billed_restore_ms": func(r *Record) *int64 { return r.BilledRestoreMS },
		"bytes_in":          func(r *Record) *int64 { return r.BytesIn },
		"bytes_out":         func(r *Record) *int64 { return r.BytesOut },
		"source_line":       func(r *Record) *int64 { return r.SourceLine },
		"time_precision_us": func(r *Record) *int64 { return r.TimePrecisionUS },
	} {
		cases = append(cases, wrong{func(r *Record) { *at(r) = -1 }, column, "negative", Error})
	}
	for column, at := range map[string]func(*Record) *float64{
		"cold_s":    func(r *Record) *float64 { return r.Cold },
		"read_s":    func(r *Record) *float64 { return r.Read },
		"compute_s": func(r *Record) *float64 { return r.Compute },
		"write_s":   func(r *Record) *float64 { return r.Write },
		"cost_usd":  func(r *Record) *float64 { return r.CostUSD },
	} {
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			cases = append(cases, wrong{func(r *Record) { *at(r) = v }, column, "not a finite number", Error})
			cases = append(cases, wrong{func(r *Record) { r.Statistic, *at(r) = P95, v }, column, "not a finite number", Error})
		}
		for _, s := range []Statistic{Invocation, Mean, P95} {
			if s != P95 || column != "cold_s" {
				cases = append(cases, wrong{func(r *Record) { r.Statistic, *at(r) = s, -1e-9 }, column, "negative", Error})
			}
		}
	}
	for _, c := range cases {
		row := soundRow()
		c.change(&row)
		defects := Validate([]Record{soundRow(), row})
		// The row is otherwise the same as the first one.
		for i, d := range defects {
			if strings.Contains(d.Problem, "as row 0") {
				defects = append(defects[:i], defects[i+1:]...)
				break
			}
		}
		if len(defects) != 1 || defects[0].Row != 1 || defects[0].Column != c.column ||
			!strings.Contains(defects[0].Problem, c.problem) || defects[0].Severity != c.severity {
			t.Errorf("%s, %s: %v", c.column, c.problem, defects)
		}
	}
}

func TestValidateAcceptsWhatIsSound(t *testing.T) {
	residual := Record{
		Workflow: "w", Execution: "w/1", Stage: "a", Statistic: P95, MemoryMB: 128, Cold: ptr(-0.86), Source: Recorded,
	}
	unknown := Record{Workflow: "w", Execution: "w/1", Stage: "a", Statistic: Mean, MemoryMB: 10240, Source: Live}
	if defects := Validate([]Record{soundRow(), residual, unknown}); len(defects) > 0 {
		t.Error(defects)
	}
	if defects := Validate(nil); len(defects) > 0 {
		t.Error(defects)
	}
}

// Every defect of a row and of all rows is reported, in their order.
func TestValidateReportsEverything(t *testing.T) {
	a, b := soundRow(), soundRow()
	*a.Read, *a.Write, a.Stage = -1, math.NaN(), ""
	b.Source, *b.BilledMS = "x", -5
	var got []string
	for _, d := range Validate([]Record{a, soundRow(), b}) {
		got = append(got, d.String())
	}
	if diff := cmp.Diff([]string{
		"row 0, column stage: missing",
		"row 0, column read_s: negative: -1",
		"row 0, column write_s: not a finite number: NaN",
		`row 2, column source: unknown: "x" is none of ["recorded" "synthetic" "simulated" "live"]`,
		"row 2, column billed_ms: negative: -5",
		"row 2, column workflow_execution_id: the same execution, stage, statistic, map index, attempt and request as row 1",
	}, got); diff != "" {
		t.Error(diff)
	}
}

func TestValidateFindsRowsThatAreThereTwice(t *testing.T) {
	invocation := func(change func(*Record)) Record {
		r := Record{Workflow: "w", Execution: "w/1", Stage: "a", Statistic: Invocation, MemoryMB: 128, Source: Recorded}
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		a, b  func(*Record)
		twice bool
	}{
		"same aggregate":          {func(r *Record) { r.Statistic = Mean }, func(r *Record) { r.Statistic = Mean }, true},
		"mean and p95":            {func(r *Record) { r.Statistic = Mean }, func(r *Record) { r.Statistic = P95 }, false},
		"two epochs":              {func(r *Record) { r.Statistic, r.Epoch = Mean, ptr(int32(0)) }, func(r *Record) { r.Statistic, r.Epoch = Mean, ptr(int32(1)) }, false},
		"same request":            {func(r *Record) { r.RequestID = ptr("q") }, func(r *Record) { r.RequestID = ptr("q") }, true},
		"same request, no run":    {func(r *Record) { r.RequestID, r.Execution = ptr("q"), "" }, func(r *Record) { r.RequestID, r.Execution = ptr("q"), "" }, true},
		"two requests":            {func(r *Record) { r.RequestID = ptr("q") }, func(r *Record) { r.RequestID = ptr("p") }, false},
		"same map index":          {func(r *Record) { r.MapIndex = ptr(int32(0)) }, func(r *Record) { r.MapIndex = ptr(int32(0)) }, true},
		"null and 0":              {func(r *Record) { r.MapIndex, r.StartNS = nil, ptr(int64(5)) }, func(r *Record) { r.MapIndex, r.StartNS = ptr(int32(0)), ptr(int64(5)) }, false},
		"retry":                   {func(r *Record) { r.MapIndex, r.Attempt = ptr(int32(0)), ptr(int32(0)) }, func(r *Record) { r.MapIndex, r.Attempt = ptr(int32(0)), ptr(int32(1)) }, false},
		"same start":              {func(r *Record) { r.StartNS = ptr(int64(5)) }, func(r *Record) { r.StartNS = ptr(int64(5)) }, true},
		"two stages":              {func(r *Record) { r.MapIndex = ptr(int32(0)) }, func(r *Record) { r.MapIndex, r.Stage = ptr(int32(0)), "b" }, false},
		"two workflows":           {func(r *Record) { r.MapIndex = ptr(int32(0)) }, func(r *Record) { r.MapIndex, r.Workflow = ptr(int32(0)), "v" }, false},
		"not split":               {func(r *Record) { r.Parallelism = ptr(int32(1)) }, func(r *Record) { r.Parallelism = ptr(int32(1)) }, true},
		"nothing to tell them by": {func(r *Record) { r.Parallelism = ptr(int32(2)) }, func(r *Record) { r.Parallelism = ptr(int32(2)) }, false},
	} {
		found := 0
		for _, d := range Validate([]Record{invocation(c.a), soundRow(), invocation(c.b)}) {
			if strings.HasSuffix(d.Problem, "as row 0") && d.Row == 2 && d.Severity == Error {
				found++
			}
		}
		if (found == 1) != c.twice {
			t.Errorf("%s: found %d times", name, found)
		}
	}
}

// A trace larger than one batch is validated as its rows are.
func TestValidateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	rows := syntheticRows(2*rowsPerBatch + 5)
	*rows[3].Read = -1
	*rows[rowsPerBatch+7].Cold = math.Inf(1)
	rows[2*rowsPerBatch+1] = rows[1]
	if err := Write(path, rows, Meta{}); err != nil {
		t.Fatal(err)
	}
	defects, err := ValidateFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range defects {
		got = append(got, fmt.Sprintf("%d %s", d.Row, d.Column))
	}
	if diff := cmp.Diff([]string{"3 read_s", "4103 cold_s", "8193 workflow_execution_id"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Validate(rows), defects); diff != "" {
		t.Error(diff)
	}
	if _, err := ValidateFile(path + "x"); err == nil {
		t.Error("a missing file is valid")
	}
}
