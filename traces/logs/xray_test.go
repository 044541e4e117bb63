package logs

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"eevee/internal/recordings"
)

// phases returns the instants t1 to t13 of the breakdown that was published
// with the traces of the thumbnail generator, and the cold flags of its two
// functions. Their meaning was established from the traces themselves:
//
//	t1   the API gateway begins the request (its segment is the root)
//	t2   the service of Lambda begins to invoke the first function, upload
//	t3   upload prepares the picture (part "Upload Preparation")
//	t4   upload begins its write (part "Upload S3 PUT Operation")
//	t5   the call of S3 PutObject begins, within t4
//	t6   that call ends
//	t7   the service of Lambda takes the event of S3 for create-thumbnail
//	t8   create-thumbnail begins its read (part "CreateThumbnail Read Operation")
//	t9   the call of S3 GetObject begins, within t8
//	t10  that call ends
//	t11  create-thumbnail begins its write (part "CreateThumbnail S3 PUT Operation")
//	t12  the call of S3 PutObject begins, within t11
//	t13  that call ends
//
// A function is cold if its segment has a part "Initialization".
func phases(t *Trace) (instants [13]*int64, cold [2]bool, err error) {
	invocations, refusals, doubts := t.Invocations()
	if len(invocations) != 2 || len(refusals)+len(doubts) > 0 {
		return instants, cold, fmt.Errorf("%d invocations, %q, %q", len(invocations), refusals, doubts)
	}
	slices.SortFunc(invocations, func(a, b Invocation) int { return int(*a.Service.StartNS/1000 - *b.Service.StartNS/1000) })
	named := func(s *Segment, name string) (found *Segment) {
		s.Walk(func(p *Segment) {
			if p.Name == name && found == nil {
				found = p
			}
		})
		if found == nil {
			err = fmt.Errorf("no part %q", name)
			return &Segment{}
		}
		return found
	}
	for i := range t.Segments {
		if t.Segments[i].ParentID == "" {
			instants[0] = t.Segments[i].StartNS
		}
	}
	for i, f := range invocations {
		cold[i] = f.Init != nil
	}
	upload, create := invocations[0], invocations[1]
	put := named(upload.Runtime, "Upload S3 PUT Operation")
	read, write := named(create.Runtime, "CreateThumbnail Read Operation"), named(create.Runtime, "CreateThumbnail S3 PUT Operation")
	putCall, readCall, writeCall := named(put, "S3"), named(read, "S3"), named(write, "S3")
	copy(instants[1:], []*int64{
		upload.Service.StartNS, named(upload.Runtime, "Upload Preparation").StartNS, put.StartNS, putCall.StartNS, putCall.EndNS,
		create.Service.StartNS, read.StartNS, readCall.StartNS, readCall.EndNS, write.StartNS, writeCall.StartNS, writeCall.EndNS,
	})
	return instants, cold, err
}

// breakdownZone is the zone of the published instants, which do not name it: an
// hour ahead of UTC, which the traces are in.
var breakdownZone = time.FixedZone("CET", 3600)

// The published breakdown of 1,790 traces: every instant, so every duration
// between two, and every cold flag.
func TestXRayEqualsBreakdown(t *testing.T) {
	runs, err := filepath.Glob(filepath.Join(recordings.Dir(t), "serverless-crossfit-xray", "data", "AWS", "*", "traces.json.gz"))
	if err != nil || len(runs) != 6 {
		t.Fatalf("%d runs (%v)", len(runs), err)
	}
	read, colds, instants, differences := 0, 0, 0, 0
	for _, run := range runs {
		want := breakdown(t, filepath.Join(filepath.Dir(run), "trace_breakdown.csv"))
		file, err := os.Open(run)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bufio.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		err = ReadXRay(z, func(trace *Trace) error {
			row := want[trace.ID]
			if row == nil {
				return fmt.Errorf("trace %s is not in the breakdown", trace.ID)
			}
			delete(want, trace.ID)
			got, cold, err := phases(trace)
			if err != nil {
				return fmt.Errorf("trace %s: %w", trace.ID, err)
			}
			read++
			for i, ns := range got {
				published, err := time.ParseInLocation("2006-01-02 15:04:05.999999", row[i+1], breakdownZone)
				if err != nil {
					return err
				}
				instants++
				// Both sides round seconds since 1970 in a float64 to 1e-6.
				if d := *ns - published.UnixNano(); d < -1000 || d > 1000 {
					differences++
					t.Errorf("trace %s: t%d is %d ns off", trace.ID, i+1, d)
				}
			}
			for i, c := range cold {
				if c {
					colds++
				}
				if c != (row[14+i] == "1") {
					t.Errorf("trace %s: function %d: cold %t, published %s", trace.ID, i+1, c, row[14+i])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for id := range want {
			t.Errorf("trace %s of the breakdown was not read", id)
		}
		file.Close()
	}
	if read != 1790 || colds != 226 || instants != 13*1790 || differences != 0 {
		t.Errorf("%d traces, %d cold starts, %d instants, %d differences; want 1790, 226, 23270, 0", read, colds, instants, differences)
	}
}

// breakdown reads the rows of a published breakdown, by trace.
func breakdown(t *testing.T, path string) map[string][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string][]string)
	for _, row := range rows[1:] {
		want[row[0]] = row
	}
	return want
}

// The rows of the same traces.
func TestXRayRows(t *testing.T) {
	rows, _, report, err := ImportAll(t.Context(), Options{Workflow: "thumbnails"}, filepath.Join(recordings.Dir(t), "serverless-crossfit-xray", "data", "AWS"))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2*1790 || report.Cold != 226 || report.Warm != 2*1790-226 || report.Unknown != 0 || report.Doubts != 0 {
		t.Fatalf("%d rows, %d cold, %d warm, %d not understood, %d doubts", len(rows), report.Cold, report.Warm, report.Unknown, report.Doubts)
	}
	for _, r := range rows {
		if r.StartNS == nil || *r.EndNS <= *r.StartNS || r.ScheduledNS == nil || r.RequestID == nil || *r.ColdStart != (r.InitUS != nil) ||
			r.MemoryMB != 0 || r.DurationUS != nil {
			t.Fatalf("%+v", r)
		}
	}
}

// What each of the fixtures of edge cases gives: the rows, and what is said of
// the rest.
func TestXRayEdgeCases(t *testing.T) {
	folder := filepath.Join(recordings.Dir(t), "servibench-xray-fixtures", "aws_trace_analyzer")
	cases := []struct {
		fixture          string
		rows, cold       int
		failed           string // status other than success, of the first row that has one
		unknown, doubted string // what the report says, in part
	}{
		{fixture: "event_processing_app", rows: 3}, // and a part of it in a second file
		{fixture: "event_processing_memory_leak", rows: 2, doubted: `function "event-processing-dev-ingest" sent no segment|holds 2 invocations`},
		{fixture: "hello_retail_app_error", rows: 1},
		{fixture: "image_processing_app_error", rows: 2, failed: "error"},
		{fixture: "matrix_app", rows: 9, cold: 9},
		{fixture: "matrix_app_same_end_time", rows: 9},
		{fixture: "model_training_app", rows: 1},
		{fixture: "realworld_app", rows: 1},
		{fixture: "realworld_app_margin", rows: 1},
		{fixture: "realworld_app_missing_coldstart", rows: 1, cold: 1},
		{fixture: "realworld_app_missing_coldstart2", rows: 1, cold: 1},
		{fixture: "thumbnail_app", rows: 2, cold: 2},
		{fixture: "thumbnail_app_error_fault_throttle", rows: 1, failed: "error"},
		{fixture: "thumbnail_app_fault", unknown: "no function ran: the invocation was refused"},
		{fixture: "thumbnail_app_in_progress", rows: 2, doubted: `"Dwell Time" is in progress`},
		{fixture: "thumbnail_app_missing_root", rows: 2, doubted: `no segment is the root|the parent of segment "thumbnail-generator-dev-upload" is missing`},
		{fixture: "thumbnail_app_warm", rows: 2, cold: 1},
		{fixture: "todo_app", rows: 1},
	}
	if len(cases) != 18 {
		t.Fatalf("%d fixtures, want 18", len(cases))
	}
	for _, c := range cases {
		files, err := filepath.Glob(filepath.Join(folder, c.fixture, "traces*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no file (%v)", c.fixture, err)
		}
		rows, _, report, err := ImportAll(t.Context(), Options{Workflow: "app"}, files...)
		if err != nil {
			t.Errorf("%s: %v", c.fixture, err)
			continue
		}
		failed, said := "", ""
		for _, r := range rows {
			if r.Status != nil && *r.Status != "success" && failed == "" {
				failed = *r.Status
			}
		}
		for _, s := range report.Samples {
			said += s.Problem + "\n"
		}
		if len(rows) != c.rows || report.Cold != int64(c.cold) || failed != c.failed {
			t.Errorf("%s: %d rows, %d cold, failure %q; want %d, %d, %q", c.fixture, len(rows), report.Cold, failed, c.rows, c.cold, c.failed)
		}
		parts := strings.Split(c.unknown+c.doubted, "|")
		for _, part := range parts {
			if !strings.Contains(said, part) {
				t.Errorf("%s: the report does not say %q, but %q", c.fixture, part, said)
			}
		}
		if wanted := strings.Count(said, "\n"); c.unknown+c.doubted == "" && wanted > 0 || c.unknown+c.doubted != "" && wanted != len(parts) {
			t.Errorf("%s: the report says %q", c.fixture, said)
		}
	}
}
