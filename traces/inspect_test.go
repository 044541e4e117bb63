package traces

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInspectPublishedProfile(t *testing.T) {
	path, data := published(t, "video")
	rows, meta, err := Import("jolteon-profile", "video", path)
	if err != nil {
		t.Fatal(err)
	}
	s := Inspect(rows, meta)
	if s.Rows != 576 || s.Executions != 72 || len(s.Stages) != 4 || len(s.Configs) != 24 || s.Meta.InputSHA256 != meta.InputSHA256 {
		t.Errorf("%d rows, %d executions, %d stages, %d configurations", s.Rows, s.Executions, len(s.Stages), len(s.Configs))
	}
	if diff := cmp.Diff([]Count{{"mean", 288}, {"p95", 288}}, s.Statistics); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Count{{"0", 192}, {"1", 192}, {"2", 192}}, s.Epochs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Count{{Recorded, 576}}, s.Sources); diff != "" {
		t.Error(diff)
	}
	for i, stage := range s.Stages {
		if stage.Stage != numbered(4)[i] || stage.Rows != 144 || len(stage.Configs) != 24 {
			t.Errorf("stage %d: %+v", i, stage)
		}
	}
	for i, config := range s.Configs {
		want := grid([]int32{1792, 3584, 5120, 6144, 7168, 8960}, 4, 8, 16, 32)[i]
		if config.MemoryMB != want.MemoryMB || *config.Parallelism != want.Parallelism || config.Rows != 4*3*2 {
			t.Errorf("configuration %d: %+v", i, config)
		}
	}

	// Ranges and residuals, counted on the file itself.
	var raw rawProfile
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatal(err)
	}
	low, high, negative, least := math.Inf(1), math.Inf(-1), 0, 0.
	for _, steps := range raw {
		for _, epoch := range steps["cold"] {
			for _, pair := range epoch {
				low, high = min(low, pair[0], pair[1]), max(high, pair[0], pair[1])
				if pair[1] < 0 {
					negative++
					least = min(least, pair[1])
				}
			}
		}
	}
	if s.NegativeCold.Rows != negative || *s.NegativeCold.Min != least || negative != 15 {
		t.Errorf("negative cold residuals %+v, in the file %d down to %v", s.NegativeCold, negative, least)
	}
	for _, c := range s.Columns {
		switch c.Column {
		case "cold_s":
			gotLow, _ := c.Range.Min.Float64()
			gotHigh, _ := c.Range.Max.Float64()
			if gotLow != low || gotHigh != high || c.Known != 576 || c.Missing != 0 {
				t.Errorf("cold_s: %+v, in the file %v to %v", c, low, high)
			}
		case "request_id", "start_ns", "init_us", "cold", "cost_usd":
			if c.Known != 0 || c.Missing != 576 || c.Range != nil {
				t.Errorf("%s is not in a profile: %+v", c.Column, c)
			}
		}
	}
	if len(s.Columns) != len(Columns()) {
		t.Errorf("%d columns of %d", len(s.Columns), len(Columns()))
	}
}

func TestInspectCountsWhatIsMissing(t *testing.T) {
	instant := int64(1_700_000_000_123_456_789)
	rows := []Record{
		{Workflow: "w", Execution: "1", Stage: "a", Statistic: Invocation, MemoryMB: 128, StartNS: &instant, Read: ptr(math.NaN()), Source: Simulated},
		{Workflow: "w", Execution: "1", Stage: "b", Statistic: P95, MemoryMB: 128, Epoch: ptr(int32(10)), Cold: ptr(-2.), Read: ptr(3.5), Source: Simulated},
		{Workflow: "v", Execution: "1", Stage: "a", Statistic: P95, MemoryMB: 0, Epoch: ptr(int32(9)), Cold: ptr(-3.), Read: ptr(2.), ColdStart: ptr(false), Source: Live},
	}
	s := Inspect(rows, Meta{})
	if s.Executions != 2 || len(s.Stages) != 3 {
		t.Errorf("the same names in two workflows are two runs and two stages: %d, %d", s.Executions, len(s.Stages))
	}
	if diff := cmp.Diff([]Count{{"", 1}, {"9", 1}, {"10", 1}}, s.Epochs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]ConfigCount{{0, nil, 1}, {128, nil, 2}}, s.Configs); diff != "" {
		t.Error(diff)
	}
	if s.NegativeCold.Rows != 2 || *s.NegativeCold.Min != -3 {
		t.Errorf("%+v", s.NegativeCold)
	}
	want := map[string]ColumnSummary{
		"start_ns":  {Column: "start_ns", Known: 1, Missing: 2, Range: &Range{"1700000000123456789", "1700000000123456789"}},
		"read_s":    {Column: "read_s", Known: 3, NotFinite: 1, Range: &Range{"2", "3.5"}},
		"memory_mb": {Column: "memory_mb", Known: 2, Missing: 1, Range: &Range{"128", "128"}},
		"cold":      {Column: "cold", Known: 1, Missing: 2},
		"epoch":     {Column: "epoch", Known: 2, Missing: 1, Range: &Range{"9", "10"}},
		"stage":     {Column: "stage", Known: 3},
	}
	for _, c := range s.Columns {
		if w, ok := want[c.Column]; ok {
			if diff := cmp.Diff(w, c); diff != "" {
				t.Error(diff)
			}
			delete(want, c.Column)
		}
	}
	for column := range want {
		t.Errorf("column %s has no summary", column)
	}
}

func TestSummaryAsJSON(t *testing.T) {
	for _, rows := range [][]Record{nil, syntheticRows(100), {{Read: ptr(math.NaN()), Compute: ptr(math.MaxFloat64), Write: ptr(1e-300), BytesIn: ptr(int64(math.MinInt64))}}} {
		data, err := json.Marshal(Inspect(rows, Meta{Source: Synthetic, Extra: map[string]string{"a": "b"}}))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`"([^"]*)":`).FindAllSubmatch(data, -1) {
			if key := string(match[1]); strings.ToLower(key) != key || strings.ContainsAny(key, " -") {
				t.Errorf("key %q is not in snake case", key)
			}
		}
		var back Summary
		if err := json.Unmarshal(data, &back); err != nil {
			t.Errorf("%v in %s", err, data)
		}
	}
}

func TestSummaryAsText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	rows := syntheticRows(rowsPerBatch + 100)
	rows[0].Statistic, rows[0].Cold, rows[0].Read = P95, ptr(-0.5), ptr(math.Inf(1))
	if err := Write(path, rows, Meta{Source: Synthetic, Workflow: "ml", Extra: map[string]string{"seed": "7"}}); err != nil {
		t.Fatal(err)
	}
	s, err := InspectFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Inspect(rows, s.Meta), s); diff != "" {
		t.Errorf("the file and its rows (-rows +file):\n%s", diff)
	}
	var b bytes.Buffer
	if err := s.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`(?m)^rows +4196$`, `(?m)^executions +263$`, `(?m)^seed +7$`, `(?m)^rows by epoch +\(none\) 4196$`,
		`(?m)^rows by statistic +p95 1, invocation 4195$`, `(?m)^negative cold residuals +1, down to -0.5 s$`,
		`(?m)^stage0 +1052 +p95 1, invocation 1051 +23 +1024 1792 3584 5120 6144 7168 +4 8 16 32$`,
		`(?m)^request_id +0 +4196`, `(?m)^memory_mb +4196 +0 +1024 +7168$`, `(?m)^read_s, not finite +1`,
	} {
		if !regexp.MustCompile(want).Match(b.Bytes()) {
			t.Errorf("no %s in:\n%s", want, b.Bytes())
		}
	}
	if err := s.WriteText(brokenWriter{}); err == nil {
		t.Error("an error of the writer is lost")
	}
	if _, err := InspectFile(path + "x"); err == nil {
		t.Error("a missing file has a summary")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errShort }
