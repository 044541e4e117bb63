package logs

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"eevee/internal/recordings"
	"eevee/traces"
)

// The statistics of Lithops, read in another way: every worker of every file is
// a row, and its times are the differences of what the file holds.
func TestLithopsRecordings(t *testing.T) {
	folder := filepath.Join(recordings.Dir(t), "lithops-benchmarks")
	files, err := filepath.Glob(filepath.Join(folder, "*", "*", "*.json.gz"))
	if err != nil || len(files) != 30 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	total, skewed := 0, 0
	for _, path := range files {
		var job struct {
			Workers []map[string]any `json:"worker_stats"`
		}
		decodeGzip(t, path, &job)
		rows, _, report, err := ImportAll(t.Context(), Options{Workflow: "bench"}, path)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != len(job.Workers) || report.Unknown != 0 {
			t.Fatalf("%s: %d rows of %d workers, %+v", path, len(rows), len(job.Workers), report.Samples)
		}
		total += len(rows)
		skewed += int(report.Doubts)
		for i, w := range job.Workers {
			number := func(names ...string) float64 {
				for _, name := range names {
					if v, ok := w[name].(float64); ok {
						return v
					}
				}
				return math.NaN()
			}
			r := rows[i]
			same := func(what string, got *float64, want float64) {
				if got == nil != (math.IsNaN(want) || want < 0) || got != nil && math.Abs(*got-want) > 1e-6 {
					t.Fatalf("%s: worker %d: %s is %v, want %v", path, i, what, got, want)
				}
			}
			start := number("worker_start_tstamp", "start_time")
			same("cold", r.Cold, start-number("host_submit_tstamp"))
			same("read", r.Read, number("worker_func_start_tstamp", "function_start_time")-start)
			same("compute", r.Compute, number("worker_func_exec_time", "function_elapsed_exec_time"))
			same("write", r.Write, number("worker_result_upload_time", "output_elapsed_upload_time"))
			cold, known := w["worker_cold_start"].(bool)
			if known != (r.ColdStart != nil) || known && *r.ColdStart != cold || *r.Parallelism != int32(len(rows)) {
				t.Fatalf("%s: worker %d: %+v", path, i, r)
			}
		}
	}
	if total != 16_459 || skewed != 6 {
		t.Errorf("%d workers, %d of them before they were submitted; want 16459 and 6", total, skewed)
	}
}

func decodeGzip(t *testing.T, path string, into any) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// The profiles of Ditto: what stands in a file is in the steps, but for tpost.
func TestDittoRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(recordings.Dir(t), "ditto-profiles", "profiles", "s3-1t", "*.profile"))
	if err != nil || len(files) != 37 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := 0.0
		words := strings.Fields(string(content))
		for i := 0; i < len(words); i += 2 {
			ms, err := strconv.ParseFloat(words[i+1], 64)
			if err != nil {
				t.Fatal(err)
			}
			if words[i] != "EffectTime.tpost" {
				want += ms / 1e3
			}
		}
		rows, _, _, err := ImportAll(t.Context(), Options{Workflow: "q", Parallelism: []int{10, 20, 30, 60, 120}}, path)
		if err != nil {
			t.Fatal(err)
		}
		got := 0.0
		for _, r := range rows {
			got += *r.Cold + *r.Read + *r.Compute + *r.Write
		}
		if len(rows)*16 != len(words) || math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: %d rows with %v s, want %d with %v s", path, len(rows), got, len(words)/16, want)
		}
	}
}

// A folder is read in the order of its names, what is hidden is no part of it,
// and what is of no known format is named.
func TestFolders(t *testing.T) {
	folder := t.TempDir()
	line := func(id string) []byte {
		return []byte("REPORT RequestId: " + id + "\tDuration: 1.5 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\t\n")
	}
	for name, content := range map[string][]byte{
		"b.log": line("b"), "a/z.log.gz": packed(line("z")), "a/aws-logs-write-test": []byte("Permission Check Successful"), ".hidden/x.log": line("x"), ".x.log": line("x"), "empty.log": nil,
	} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	rows, meta, report, err := ImportAll(t.Context(), Options{Workflow: "app"}, folder)
	if err != nil {
		t.Fatal(err)
	}
	skipped := ""
	for _, f := range report.Files {
		if f.Skipped != "" {
			skipped += filepath.Base(f.Path) + " "
		}
	}
	if len(rows) != 2 || *rows[0].RequestID != "z" || rows[0].Stage != "z" || *rows[1].RequestID != "b" || skipped != "aws-logs-write-test empty.log " || len(strings.Fields(meta.InputSHA256)) != 2 {
		t.Errorf("%d rows, skipped %q, %+v", len(rows), skipped, meta)
	}
	for _, bad := range []string{filepath.Join(folder, "empty.log"), filepath.Join(folder, "none"), t.TempDir()} {
		if _, _, _, err := ImportAll(t.Context(), Options{Workflow: "app"}, bad); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// An error of the receiver and an interrupted context end the import as they
// are.
func TestImportStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	if err := os.WriteFile(path, reportLines(20_000), 0o666); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	if _, err := Import(t.Context(), Options{Workflow: "app"}, []string{path}, func([]traces.Record) error { return full }); err != full {
		t.Errorf("got %v, want the error of the receiver", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	batches := 0
	_, err := Import(ctx, Options{Workflow: "app"}, []string{path}, func([]traces.Record) error {
		batches++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || batches != 1 {
		t.Errorf("%d batches and %v after the context was cancelled", batches, err)
	}
}

// repeated gives the same lines over and over.
type repeated struct {
	lines []byte
	left  int // bytes
	at    int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.left)], r.lines[r.at:])
	r.at = (r.at + n) % len(r.lines)
	r.left -= n
	return n, nil
}

// The memory that a log takes does not grow with it: what a million lines keep
// alive is what ten thousand do. The requests repeat, which leaves the set of
// their ids out; it is 90 MB for ten million.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a million lines")
	}
	lines := reportLines(10_000)
	peak := func(times int) (most uint64) {
		o := Options{Workflow: "app"}
		batches := 0
		out := newSink(t.Context(), &o, func([]traces.Record) error {
			if batches++; batches%16 == 1 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
			return nil
		})
		out.begin("x.log", "x")
		if err := readText(newInput("x.log", &repeated{lines: lines, left: times * len(lines)}), out); err != nil {
			t.Fatal(err)
		}
		if r, err := out.finish(); err != nil || r.Rows != int64(10_000*times) {
			t.Fatalf("%d rows, %v", r.Rows, err)
		}
		return most
	}
	small, large := peak(1), peak(100)
	if large > small+4<<20 {
		t.Errorf("%d bytes for 10,000 lines, %d for 1,000,000", small, large)
	}
}
