package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"eevee/internal/recordings"
	"eevee/traces"
)

// profile makes a profile in the format of the Jolteon artifact, with times
// that are those of no recording: profile[stage][step][epoch][config] is the
// pair of mean and p95 in seconds.
func profile(t *testing.T, workflow string, change func(map[string]map[string][][][2]float64)) []byte {
	t.Helper()
	layout, ok := traces.JolteonLayout(workflow)
	if !ok {
		t.Fatalf("no layout of %s", workflow)
	}
	p := make(map[string]map[string][][][2]float64)
	for i, stage := range layout.Stages {
		p[stage] = make(map[string][][][2]float64)
		for k, step := range []string{"cold", "read", "compute", "write"} {
			for epoch := range layout.Epochs {
				var runs [][2]float64
				for c := range layout.Grid {
					mean := 0.25*float64(i+1) + 0.5*float64(k) + 0.125*float64(epoch) + float64(c)/64
					runs = append(runs, [2]float64{mean, mean * 1.5})
				}
				p[stage][step] = append(p[stage][step], runs)
			}
		}
	}
	if change != nil {
		change(p)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTracesGolden(t *testing.T) {
	s := newSession(t, "traces")
	const as = " --format jolteon-profile --workflow ml "
	good := profile(t, "ml", nil)
	s.write("ml.json", good)
	s.run("traces import" + as + "$DIR/ml.json -o $DIR/t.parquet")
	s.run("traces import" + as + "$DIR/ml.json -o $DIR/t.parquet")
	s.run("traces import" + as + "$DIR/ml.json -o $DIR/t.parquet --quiet --json")
	s.run("traces inspect $DIR/t.parquet")
	s.run("traces validate $DIR/t.parquet")
	s.run("traces validate $DIR/t.parquet --json")
	s.compare()
}

// The cases of bad input: one clear line each that names file and place, and
// nothing half-written.
func TestBadTraceInput(t *testing.T) {
	s := newSession(t, "bad_traces")
	const as = " --format jolteon-profile --workflow ml -o $DIR/out.parquet "
	good := profile(t, "ml", nil)
	at := func(stage, step string, epoch, config, k int, v float64) []byte {
		return profile(t, "ml", func(p map[string]map[string][][][2]float64) { p[stage][step][epoch][config][k] = v })
	}
	s.write("ml.json", good)
	s.write("text.json", []byte("stage0 1.5 seconds\n"))
	s.write("truncated.json", good[:len(good)/2])
	s.write("negative.json", at("stage2", "read", 1, 4, 0, -0.5))
	s.write("residual.json", at("stage2", "cold", 1, 4, 1, -0.5))
	s.write("nan.json", bytes.Replace(at("stage1", "write", 0, 0, 0, 123456), []byte("123456"), []byte("NaN"), 1))
	s.write("stage.json", profile(t, "ml", func(p map[string]map[string][][][2]float64) {
		p["stage9"] = p["stage3"]
		delete(p, "stage3")
	}))
	s.write("short.json", profile(t, "ml", func(p map[string]map[string][][][2]float64) {
		p["stage0"]["read"] = p["stage0"]["read"][:2]
	}))
	before := files(t, s.dir)
	for _, name := range []string{"missing", "text", "truncated", "negative", "nan", "stage", "short"} {
		s.run("traces import" + as + "$DIR/" + name + ".json")
	}
	s.run("traces import" + as + "$DIR")
	s.run("traces import --format jolteon-profile --workflow video -o $DIR/out.parquet $DIR/ml.json")
	s.run("traces import --format jolteon-profile --workflow nope -o $DIR/out.parquet $DIR/ml.json")
	s.run("traces import --format jolteon-profile --workflow ml -o $DIR/ml.json $DIR/ml.json")
	s.run("traces import --format jolteon-profile --workflow ml -o $DIR $DIR/ml.json")
	s.run("traces import --format jolteon-profile --workflow ml -o $DIR/none/out.parquet $DIR/ml.json")
	if after := files(t, s.dir); !slices.Equal(before, after) {
		t.Errorf("failed imports left files behind: %q, before %q", after, before)
	}

	s.run("traces import" + as + "$DIR/residual.json")
	trace, err := os.ReadFile(s.path("out.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("truncated.parquet", trace[:len(trace)*2/3])
	flipped := bytes.Clone(trace)
	flipped[len(flipped)/2] ^= 0xff
	s.write("out.parquet", flipped) // beside the checksum of what it was
	s.write("empty.parquet", nil)
	for _, verb := range []string{"inspect", "validate"} {
		for _, name := range []string{"missing.parquet", "ml.json", "empty.parquet", "truncated.parquet", "out.parquet"} {
			s.run("traces " + verb + " $DIR/" + name)
		}
	}
	s.run("traces fetch nope --cache $DIR/cache")
	s.run("traces fetch jolteon --cache $DIR/cache --from $DIR/none")
	s.compare()
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A trace may hold rows that cannot be used; validate lists them all.
func TestValidateListsEveryDefect(t *testing.T) {
	s := newSession(t, "validate")
	var rows []traces.Record
	for i := range 6 {
		second := 1.0
		rows = append(rows, traces.Record{
			Workflow: "w", Execution: fmt.Sprint("run", i), Stage: "s", Statistic: traces.Mean, MemoryMB: 1024, Read: &second, Source: traces.Recorded,
		})
	}
	negative, nan := -0.5, math.NaN()
	rows[1].Read = &negative
	rows[2].Compute = &nan
	rows[3].Stage = ""
	rows[4].MemoryMB = 64
	rows[5].Execution = rows[0].Execution
	if err := traces.Write(s.path("t.parquet"), rows, traces.Meta{Source: traces.Recorded, Workflow: "w"}); err != nil {
		t.Fatal(err)
	}
	s.run("traces validate $DIR/t.parquet")
	s.run("traces validate $DIR/t.parquet --json")
	s.compare()
}

// Lines are bounded, JSON is not.
func TestValidateBoundsLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	var rows []traces.Record
	for i := range 3 * maxDefectLines {
		rows = append(rows, traces.Record{
			Workflow: "w", Execution: fmt.Sprint("run", i), Stage: "s", Statistic: "median", MemoryMB: 64, Source: traces.Recorded,
		})
	}
	if err := traces.Write(path, rows, traces.Meta{}); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runProgram("traces", "validate", path, "--json")
	var got validatedTrace
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if code != exitFailed || got.Errors != len(rows) || got.Warnings != len(rows) || len(got.Defects) != 2*len(rows) {
		t.Errorf("exit %d, %d errors, %d warnings, %d defects; want 1, %d, %[5]d, %d", code, got.Errors, got.Warnings, len(got.Defects), len(rows), 2*len(rows))
	}
	if n := bytes.Count([]byte(stderr), []byte("\n")); n != 2*(maxDefectLines+1) {
		t.Errorf("%d lines, want %d", n, 2*(maxDefectLines+1))
	}
}

// The row counts of the published profiles: stages x 3 epochs x
// configurations x {mean, p95}.
func TestImportOfRecordings(t *testing.T) {
	folder := filepath.Join(recordings.Dir(t), "jolteon")
	for workflow, want := range map[string]struct {
		file string
		rows int
	}{
		"ml":    {"ML-Pipeline_profile.json", 552},
		"video": {"Video-Analytics_profile.json", 576},
		"tpcds": {"tpcds-dsq95_profile.json", 1488},
	} {
		input, output := filepath.Join(folder, want.file), filepath.Join(t.TempDir(), "t.parquet")
		code, stdout, stderr := runProgram("traces", "import", "--format", "jolteon-profile", "--workflow", workflow, input, "-o", output, "--json")
		if code != exitDone || stderr != "" {
			t.Fatalf("%s: exit %d: %s", workflow, code, stderr)
		}
		var got importedTrace
		if err := json.Unmarshal([]byte(stdout), &got); err != nil {
			t.Fatal(err)
		}
		if got.Rows != int64(want.rows) || got.SHA256 != sum(t, output) || got.InputSHA256 != sum(t, input) || got.Replaced {
			t.Errorf("%s: %+v, want %d rows", workflow, got, want.rows)
		}
		code, stdout, stderr = runProgram("traces", "inspect", output, "--json")
		var s traces.Summary
		if err := json.Unmarshal([]byte(stdout), &s); err != nil || code != exitDone {
			t.Fatalf("%s: inspect: exit %d: %v %s", workflow, code, err, stderr)
		}
		if s.Rows != want.rows || s.Meta.Workflow != workflow {
			t.Errorf("%s: inspect counts %d rows of %s, want %d", workflow, s.Rows, s.Meta.Workflow, want.rows)
		}
		if code, _, stderr := runProgram("traces", "validate", output); code != exitDone {
			t.Errorf("%s: validate: exit %d: %s", workflow, code, stderr)
		}
	}
}

// A local copy serves as well as the network.
func TestFetchFromRecordings(t *testing.T) {
	cache := t.TempDir()
	code, stdout, stderr := runProgram("traces", "fetch", "jolteon", "--from", recordings.Dir(t), "--cache", cache, "--json", "--quiet")
	if code != exitDone || stderr != "" {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var got fetchedTraces
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{"ml": 552, "video": 576, "tpcds": 1488}
	if len(got.Traces) != len(rows) {
		t.Fatalf("fetched %+v", got.Traces)
	}
	for _, f := range got.Traces {
		s, err := traces.InspectFile(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if s.Rows != rows[f.Workflow] || s.Meta.InputSHA256 != f.InputSHA256 {
			t.Errorf("%s: %d rows of input %s, want %d of %s", f.Path, s.Rows, s.Meta.InputSHA256, rows[f.Workflow], f.InputSHA256)
		}
	}
}

func sum(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256(content)
	return hex.EncodeToString(h[:])
}
