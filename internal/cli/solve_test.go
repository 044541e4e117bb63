package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"eevee/experiments"
	"eevee/internal/recordings"
	"eevee/solvers"
)

// withoutRecordings makes the program see no recordings but the bundled
// traces, wherever the test runs.
func withoutRecordings(t *testing.T) {
	t.Helper()
	t.Setenv("EEVEE_RECORDINGS", "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("EEVEE_CACHE", "")
}

func TestSolveGolden(t *testing.T) {
	withoutRecordings(t)
	s := newSession(t, "solve")
	s.run("solve --workflow ml --latency 40s --samples 2000")
	s.run("solve --workflow ml --cost 0.012 --percentile 90 --confidence 99 --samples 2000 --seed 7")
	s.run("solve --workflow video --latency 20 --rule plugin --samples 1000 --method jolteon")
	s.run("solve --workflow ml --latency 5s --samples 2000")
	s.run("solve --workflow ml --latency 30s@50 --latency 40s@p99 --samples 4000 --model jolteon")
	s.run("solve --workflow ml --latency 40s --cost 0.012 --joint --minimise cost --samples 2000 --model jolteon")
	s.run("solve --workflow ml --latency 40s@cvar95 --minimise cost@95 --samples 2000 --model jolteon")
	s.run("solve --workflow ml --latency 20s --cost 0.006 --minimise latency --samples 2000 --model jolteon")
	s.run("fit --workflow ml -o $DIR/model.json")
	s.run("solve --workflow ml --model-file $DIR/model.json --latency 40s --samples 2000 -o $DIR/config.json")
	s.run("simulate --workflow ml --config $DIR/config.json --runs 500 --latency 40s -o $DIR/runs.parquet --timeline $DIR/timeline.json --quiet")
	s.run("traces validate $DIR/runs.parquet")

	// What the model warns of is said of whatever is asked of it.
	s.write("two.yaml", []byte("name: two\nstages: [{name: a, max_parallelism: 1}, {name: b, after: [a]}]\nspaces: [{name: s, stages: [{stage: a, choices: [{parallelism: [1], memory_mb: [512, 1024]}]}, {stage: b, choices: [{parallelism: [2, 4], memory_mb: [512, 1024]}]}]}]\n"))
	s.write("two.csv", []byte("run,stage,mb,d,s\n1,a,512,1,2\n1,b,512,2,4\n2,a,1024,1,1.1\n2,b,1024,2,2.1\n3,a,1024,1,1\n3,b,512,4,2\n"))
	s.write("two-columns.yaml", []byte("schema: eevee.csv-mapping/1\ncolumns: [{column: run, meaning: workflow_execution_id}, {column: stage, meaning: stage}, {column: mb, unit: MB, meaning: memory_mb}, {column: d, meaning: parallelism}, {column: s, unit: s, meaning: compute_s}]\nvalues: {statistic: mean}\n"))
	s.run("traces import --quiet --workflow two --mapping $DIR/two-columns.yaml $DIR/two.csv -o $DIR/two.parquet")
	s.run("solve --quiet --workflow $DIR/two.yaml --trace $DIR/two.parquet --latency 5s --samples 600 -o $DIR/two.json")
	s.run("solve --quiet --workflow ml --trace $DIR/two.parquet --latency 5s")
	s.run("solve --quiet --workflow ml --trace $DIR/two.json --latency 5s")
	s.run("explain --quiet --workflow $DIR/two.yaml --trace $DIR/two.parquet $DIR/two.json")
	s.compare()
}

// Every line of bad input of these verbs: one clear line, the exit code, and
// nothing written.
func TestBadSolveInput(t *testing.T) {
	withoutRecordings(t)
	s := newSession(t, "bad_solve")
	s.write("notjson.json", []byte("{\"config\": [}"))
	s.write("unknown.json", []byte(`{"config":[{"stage":"stage9","memory_mb":1792,"parallelism":1}]}`))
	s.write("partial.json", []byte(`{"config":[{"stage":"stage0","memory_mb":1792,"parallelism":1}]}`))
	s.write("split.json", []byte(`{"config":[{"stage":"stage0","memory_mb":1792,"parallelism":2},{"stage":"stage1","memory_mb":1792,"parallelism":4},{"stage":"stage2","memory_mb":0,"parallelism":4},{"stage":"stage3","memory_mb":1792,"vcpu":3,"parallelism":1}]}`))
	s.write("odd.json", []byte(`{"config":[{"stage":"stage0","memory_mb":1792,"parallelism":1},{"stage":"stage1","memory_mb":1000,"parallelism":8},{"stage":"stage2","memory_mb":1792,"parallelism":4},{"stage":"stage3","memory_mb":1792,"parallelism":1}]}`))
	s.write("coupled.json", []byte(`{"config":[{"stage":"stage0","memory_mb":1792,"parallelism":1},{"stage":"stage1","memory_mb":1792,"parallelism":8},{"stage":"stage2","memory_mb":1792,"parallelism":16},{"stage":"stage3","memory_mb":1792,"parallelism":1}]}`))
	s.write("other.json", []byte(`{"workflow":"video","config":[{"stage":"stage0","memory_mb":1792,"parallelism":2}]}`))
	if err := os.Symlink("/dev/null", s.path("link.json")); err != nil {
		t.Fatal(err)
	}
	s.write("broken.parquet", []byte("PAR1 this is not a trace PAR1"))
	s.write("model.json", []byte(`{"schema":"eevee.model/1"}`))
	s.write("empty.yaml", nil)
	s.write("free.yaml", []byte("source: nobody\n"))
	for _, command := range []string{
		"solve", "solve --workflow ml", "solve --workflow ml --latency 40s --cost 1",
		"solve --workflow ml --latency 40s@", "solve --workflow ml --latency 40s@p100", "solve --workflow ml --latency 40s@cvar", "solve --workflow ml --latency @99",
		"solve --workflow ml --latency 40s --minimise mean", "solve --workflow ml --latency 40s --minimise cost@cvar95", "solve --workflow ml --latency 40s --minimise latency",
		"solve --workflow ml --cost 0.01 --minimise cost", "solve --workflow ml --latency 40s --joint", "solve --workflow ml --latency 40s@99 --cost 1 --joint --minimise cost",
		"solve --workflow ml --latency 40s@cvar95 --cost 1 --joint --minimise cost", "solve --workflow ml --latency 40s@cvar95 --rule verified",
		"solve --workflow ml --latency 40s@50 --latency 45s@99 --method jolteon", "solve --workflow ml --frontier --joint",
		"solve --workflow ml --latency 0", "solve --workflow ml --latency nan", "solve --workflow ml --latency -3s", "solve --workflow ml --cost 0",
		"solve --workflow ml --latency 40s --percentile 100", "solve --workflow ml --latency 40s --percentile 0", "solve --workflow ml --latency 40s --confidence 100",
		"solve --workflow ml --latency 40s --rule strict", "solve --workflow ml --latency 40s --method magic", "solve --workflow ml --latency 40s --samples 0",
		"solve --workflow ml --latency 40s@99.999999", "solve --workflow ml --latency 40s --memory 1..99999999",
		"solve --workflow ml --latency 40s --memory 128-1024", "solve --workflow ml --latency 40s --memory 128..10240 --parallelism 1..1000000000",
		"solve --workflow ml --latency 40s --samples 50", "solve --workflow ml --latency 40s --space tiny", "solve --workflow ml --latency 40s --price gold",
		"solve --workflow ml --latency 40s --percentile 0.95", "solve --workflow ml --latency 40s@0.99", "solve --workflow ml --latency 40s --confidence .999",
		"solve --workflow ml --latency 40s --price $DIR/empty.yaml", "solve --workflow ml --latency 40s --price $DIR/free.yaml",
		"solve --workflow ML --latency 40s", "solve --workflow $DIR --latency 40s", "solve --workflow $DIR/empty.yaml --latency 40s",
		"solve --workflow nope --latency 40s", "solve --workflow $DIR/nope.yaml --latency 40s",
		"solve --workflow ml --latency 40s --trace $DIR/missing.parquet", "solve --workflow ml --latency 40s --trace $DIR/broken.parquet",
		"solve --workflow ml --latency 40s --model-file $DIR/model.json", "solve --workflow ml --latency 40s --model-file $DIR/model.json --model jolteon",
		"solve --workflow ml --latency 40s --samples 1000 -o $DIR/nofolder/c.json", "solve --workflow ml --latency 40s --samples 1000 -o $DIR/link.json",
		"solve --workflow tpcds --latency 40s --samples 1000 --method exhaustive",
		"simulate --workflow ml", "simulate --workflow ml --config $DIR/missing.json", "simulate --workflow ml --config $DIR/notjson.json",
		"simulate --workflow ml --config $DIR/unknown.json", "simulate --workflow ml --config $DIR/partial.json",
		"simulate --workflow ml --config $DIR/split.json", "simulate --workflow ml --config $DIR/other.json",
		"simulate --workflow ml --config $DIR/partial.json --runs 0", "simulate --workflow ml --config $DIR/odd.json", "simulate --workflow ml --config $DIR/coupled.json",
		"fit --workflow ml", "fit --workflow ml -o $DIR/nofolder/m.json", "fit --workflow ml --model neural -o $DIR/m.json",
	} {
		s.run(command)
	}
	files, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 12 {
		t.Errorf("the folder holds %d files after bad input, want the 12 that were there", len(files))
	}
	// Whoever may write in /dev would lose a device.
	if _, err := checkOutput(os.DevNull); err == nil {
		t.Errorf("%s may be replaced by a file", os.DevNull)
	}
	s.compare()
}

// interrupter interrupts a run as soon as it prints some words.
type interrupter struct {
	bytes.Buffer
	words  string
	cancel context.CancelFunc
}

func (i *interrupter) Write(text []byte) (int, error) {
	if bytes.Contains(text, []byte(i.words)) {
		i.cancel()
	}
	return i.Buffer.Write(text)
}

// Ctrl-C ends a search that would take minutes with what it has: the
// configuration keeps the bound, and the gap is that to what is proved.
func TestSolveInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("searches for seconds")
	}
	withoutRecordings(t)
	defer func(was time.Duration) { searchPause = was }(searchPause)
	searchPause = 0 // it says every step
	config := filepath.Join(t.TempDir(), "config.json")
	ctx, cancel := context.WithCancel(t.Context())
	stderr := interrupter{words: "proved not below", cancel: cancel}
	var stdout bytes.Buffer
	start := time.Now()
	code := Run(ctx, strings.Fields("solve --workflow tpcds --latency 50s --memory 128..10240/256 --json -o "+config), &stdout, &stderr)
	if code != exitInterrupted || !strings.HasSuffix(stderr.String(), "\neevee: interrupted\n") || !strings.Contains(stderr.String(), "another Ctrl-C ends the program at once") {
		t.Fatalf("exit %d after %v: %s", code, time.Since(start), stderr.String())
	}
	matchesSchema(t, "solve", stdout.Bytes())
	var got experiments.Result
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Status != solvers.LimitHit || !got.Interrupted || len(got.Config) != 8 || !*got.Bound.Kept || got.Holdout == nil || got.Truth == nil {
		t.Errorf("the object is %s", stdout.String())
	}
	mean, below := *got.Objective.MeanUSD, *got.Certificate.LowerBoundUSD
	if gap := *got.Certificate.Gap; !(gap > 0) || math.Abs(gap-(mean-below)/mean) > 1e-9 {
		t.Errorf("gap %v, but the mean is %v and nothing is below %v", gap, mean, below)
	}
	// Both figures of the last line before the interruption still hold.
	lines := regexp.MustCompile(`mean cost (\S+) USD so far, proved not below (\S+) `).FindAllStringSubmatch(stderr.String(), -1)
	last := lines[len(lines)-1]
	said, proved := parseNumberIn(t, last[1]), parseNumberIn(t, last[2])
	if mean > said*1.001 || below < proved*0.999 {
		t.Errorf("mean %v and lower bound %v are worse than what was said before: %v and %v", mean, below, said, proved)
	}
	// The file is the same answer, which other verbs take.
	if code, _, stderr := runProgram("simulate", "--workflow", "tpcds", "--config", config, "--off-space", "--runs", "20"); code != exitDone {
		t.Errorf("the file is refused: exit %d, %s", code, stderr)
	}
}

func parseNumberIn(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// An interruption before anything is found prints an answer without a
// configuration; one during a frontier prints the points that are there.
func TestSolveInterruptedEarly(t *testing.T) {
	withoutRecordings(t)
	for command, words := range map[string]string{
		"solve --workflow ml --latency 40s --samples 1000 --json":                            "the search takes",
		"solve --workflow ml --frontier --tolerance 0 --samples 1000 --model jolteon --json": "the search takes",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		stderr := interrupter{words: words, cancel: cancel}
		var stdout bytes.Buffer
		code := Run(ctx, strings.Fields(command), &stdout, &stderr)
		if code != exitInterrupted || !strings.HasSuffix(stderr.String(), "\neevee: interrupted\n") {
			t.Errorf("%s: exit %d, %s", command, code, stderr.String())
		}
		if strings.Contains(command, "--frontier") {
			matchesSchema(t, "frontier", stdout.Bytes())
			if !strings.Contains(stderr.String(), "was cut short; points are missing") {
				t.Errorf("%s: nothing is said to be missing: %s", command, stderr.String())
			}
			continue
		}
		matchesSchema(t, "solve", stdout.Bytes())
		if !strings.Contains(stdout.String(), `"status": "limit-hit"`) || !strings.Contains(stdout.String(), `"interrupted": true`) {
			t.Errorf("%s: %s", command, stdout.String())
		}
	}
}

// The object of DESIGN.md section 4, on the recordings.
func TestSolvePrintsTheObject(t *testing.T) {
	dir := recordings.Dir(t)
	code, stdout, stderr := runProgram("solve", "--workflow", "ml", "--latency", "40s", "--json", "--recordings", dir)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"":            {"workflow", "method", "status", "seed", "trace", "model", "space_size", "bound", "config", "objective", "predicted", "certificate", "holdout", "samples", "evaluations", "runtime_ms", "warnings"},
		"trace":       {"source", "sha256"},
		"bound":       {"metric", "limit_s", "percentile", "confidence", "rule", "allowed_violations", "enforced_limit_s"},
		"objective":   {"metric", "mean_usd"},
		"predicted":   {"latency_s", "cost_usd"},
		"certificate": {"lower_bound_usd", "gap"},
		"holdout":     {"n", "violations", "risk_lo", "risk_hi", "confidence", "objective_mean_usd"},
		"runtime_ms":  {"fit", "sample", "solve"},
	}
	for field, keys := range want {
		object := got
		if field != "" {
			object, _ = got[field].(map[string]any)
		}
		for _, key := range keys {
			if v, ok := object[key]; !ok || v == nil {
				t.Errorf("%s.%s is missing", field, key)
			}
		}
	}
	if got["status"] != "optimal" || got["space_size"] != 23667.0 || got["trace"].(map[string]any)["source"] != "recorded" {
		t.Errorf("status %v, space_size %v, trace %v", got["status"], got["space_size"], got["trace"])
	}
	for _, stage := range got["config"].([]any) {
		for _, key := range []string{"stage", "memory_mb", "vcpu", "parallelism"} {
			if _, ok := stage.(map[string]any)[key]; !ok {
				t.Errorf("config: %s is missing in %v", key, stage)
			}
		}
	}
}

// Same seed, same bytes in every file, whatever the number of cores.
func TestFilesDoNotDependOnCores(t *testing.T) {
	withoutRecordings(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var files [][]byte
	for _, cores := range []int{1, 2} {
		runtime.GOMAXPROCS(cores)
		dir := t.TempDir()
		config, runs := filepath.Join(dir, "c.json"), filepath.Join(dir, "r.parquet")
		for _, command := range []string{
			"solve --workflow tpcds --latency 60s --samples 1200 -o " + config,
			"simulate --workflow tpcds --runs 300 -o " + runs + " --config " + config,
		} {
			if code, _, stderr := runProgram(strings.Fields(command)...); code != 0 {
				t.Fatalf("%s: exit code %d: %s", command, code, stderr)
			}
		}
		for _, path := range []string{config, runs} {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, text)
		}
	}
	for k, name := range []string{"configuration", "runs"} {
		if !slices.Equal(files[k], files[k+2]) {
			t.Errorf("the %s differ between one core and two", name)
		}
	}
	if strings.Contains(string(files[0]), "runtime_ms") {
		t.Error("the configuration holds timings")
	}
}

// What solve prints and writes is what its published schema says, judged by an
// implementation that is not ours.
func TestSolveMatchesItsSchema(t *testing.T) {
	if testing.Short() {
		t.Skip("solves under every rule")
	}
	withoutRecordings(t)
	file := filepath.Join(t.TempDir(), "c.json")
	for _, command := range []string{
		"solve --json --workflow ml --samples 800 --latency 40s -o " + file,
		"solve --json --workflow ml --samples 800 --cost 0.01 --method jolteon --rule plugin",
		"solve --json --workflow ml --samples 800 --latency 3s",
		"solve --json --workflow video --samples 800 --cost 0.0001",
		"solve --json --workflow ml --samples 800 --latency 3s --method jolteon --rule plugin",
		"solve --json --workflow ml --samples 4000 --latency 30s@50 --latency 40s@99 -o " + file,
		"solve --json --workflow ml --samples 800 --latency 40s --cost 0.012 --joint --minimise latency",
		"solve --json --workflow ml --samples 800 --latency 40s@cvar95 --cost 0.02@cvar90 --minimise cost@95",
		"solve --json --workflow ml --samples 800 --latency 20s --cost 0.006 --minimise cost",
		"solve --json --workflow ml --samples 800 --latency 3s@cvar95",
	} {
		_, stdout, _ := runProgram(strings.Fields(command)...)
		texts := []string{stdout}
		if strings.Contains(command, file) {
			written, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(written))
		}
		for _, text := range texts {
			matchesSchema(t, "solve", []byte(text))
		}
	}
}

// Both frontiers, printed, written and as JSON, against the published schema;
// and what does not go with --frontier.
func TestFrontier(t *testing.T) {
	if testing.Short() {
		t.Skip("solves whole frontiers")
	}
	withoutRecordings(t)
	s := newSession(t, "frontier")
	s.run("solve --workflow ml --frontier --tolerance 5 --samples 600 --rule plugin --quiet -o $DIR/out")
	for _, command := range []string{
		"solve --workflow ml --frontier --latency 40s", "solve --workflow ml --frontier --method jolteon", "solve --workflow ml --latency 40s --tolerance 1",
		"solve --workflow ml --frontier --rule verified --samples 600", "solve --workflow ml --frontier --tolerance -1", "solve --workflow ml --frontier --samples 20",
	} {
		s.run(command)
	}
	s.compare()
	_, stdout, _ := runProgram(strings.Fields("solve --json --quiet --workflow video --frontier --tolerance 10 --samples 600")...)
	written, err := os.ReadFile(s.path("out/frontier.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{stdout, string(written)} {
		matchesSchema(t, "frontier", []byte(text))
	}
}
