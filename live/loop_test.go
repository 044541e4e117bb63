package live_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eevee/live/emulator"
	"eevee/live/emulator/store"
	"eevee/traces"
)

// demo is where "make demo-live" wants the loop to be shown.
var demo = flag.String("demo", "", "show the whole loop, with enough executions to say something, and leave what it writes in this `folder`")

// The loop is that of a user: the files are what one would write, the commands
// what one would type.
const (
	loopWorkflow = `name: demo
title: fetch, then hash and walk beside each other, then store
stages:
  - {name: fetch}
  - {name: hash, after: [fetch]}
  - {name: walk, after: [fetch]}
  - {name: store, after: [hash, walk], max_parallelism: 1}
spaces:
  - name: small
    stages:
      - {stage: fetch, choices: [{parallelism: [1, 2], memory_mb: [512, 1024]}]}
      - {stage: hash, choices: [{parallelism: [1, 2, 4], memory_mb: [512, 1024, 1769]}]}
      - {stage: walk, choices: [{parallelism: [1, 2], memory_mb: [512, 1024, 1769]}]}
      - {stage: store, choices: [{parallelism: [1], memory_mb: [512, 1024]}]}
`
	loopFunctions = `functions:
  fetch: {function: exchange, payload: &task {instance: "${instance}", parallelism: "${parallelism}", work: %[1]v}}
  hash: {function: hash, payload: *task}
  walk: {function: walk, payload: *task}
  store: {function: exchange, payload: *task}
`
	onAWS = " --live --account 123456789012 --max-spend 0.5 --timeout 60s --yes"
)

// loopCommands are the loop: profile, fit, solve, validate.
func loopCommands(runs, validations int, limit string) []string {
	return []string{
		fmt.Sprintf("live profile --workflow workflow.yaml --functions functions.yaml -o trace.parquet --runs %d", runs) + onAWS,
		"fit --workflow workflow.yaml --trace trace.parquet -o model.json",
		"solve --workflow workflow.yaml --trace trace.parquet -o config.json --latency " + limit,
		fmt.Sprintf("live validate --workflow workflow.yaml --functions functions.yaml --trace trace.parquet --config config.json -o trace.parquet --report report --runs %d", validations) + onAWS,
	}
}

// Three real functions, bound by the CPU, by memory and by an object store, are
// profiled, fitted, solved for and validated. How good the prediction is depends
// on the machine and is reported only.
func TestLoop(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs programs")
	}
	// A limit that any machine keeps, however busy: the test is not about time.
	runs, validations, work, limit, dir := 2, 3, 0.1, "1h", t.TempDir()
	show := io.Discard
	if *demo != "" {
		runs, validations, work, limit, dir, show = 5, 80, 0.5, "15s", *demo, os.Stdout
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		// What another machine or load gave is not added to.
		os.Remove(filepath.Join(dir, "trace.parquet"))
		os.Remove(filepath.Join(dir, "trace.parquet.sha256"))
	}
	eevee, err := program()
	if err != nil {
		t.Fatal(err)
	}
	l := newLoop(t)
	for name, text := range map[string]string{"workflow.yaml": loopWorkflow, "functions.yaml": fmt.Sprintf(loopFunctions, work)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var last []byte
	for _, line := range loopCommands(runs, validations, limit) {
		fmt.Fprintf(show, "\n$ eevee %s\n\n", line)
		c := exec.Command(eevee, strings.Fields(line)...)
		var stdout, stderr bytes.Buffer
		c.Dir, c.Stdout, c.Stderr = dir, io.MultiWriter(&stdout, show), io.MultiWriter(&stderr, show)
		if *demo == "" {
			c.Args = append(c.Args, "--json")
		}
		c.Env = append(os.Environ(), append(l.emulator.Env(), "XDG_STATE_HOME="+dir, "AWS_CONFIG_FILE=none", "AWS_SHARED_CREDENTIALS_FILE=none")...)
		if err := c.Run(); err != nil {
			t.Fatalf("eevee %s: %v\n%s", line, err, stderr.String())
		}
		l.untouched()
		last = stdout.Bytes()
	}
	bill := l.emulator.Bill()
	fmt.Fprintf(show, "\nthe emulated account was charged %.4g USD for %d invocations; what was written lies in %s\n", bill.USD(), len(bill.Invocations), dir)
	checkLoopTrace(t, filepath.Join(dir, "trace.parquet"), bill)
	for _, name := range []string{"live-latency", "live-cost"} {
		for _, ext := range []string{"png", "svg", "pdf", "csv"} {
			if info, err := os.Stat(filepath.Join(dir, "report", name+"."+ext)); err != nil || info.Size() == 0 {
				t.Errorf("%s.%s: %v", name, ext, err)
			}
		}
	}
	if *demo == "" {
		reportLoop(t, last, validations)
	}
}

// newLoop deploys the functions.
func newLoop(t *testing.T) *lab {
	t.Helper()
	e, err := emulator.Start(emulator.Options{Settle: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	l := &lab{t: t, emulator: e}
	for _, name := range []string{"exchange", "hash", "walk"} {
		path := filepath.Join(t.TempDir(), "bootstrap")
		build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "eevee/live/emulator/functions/"+name)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		create(t, l.sdk(), name, path, "STORE_URL", s.URL())
	}
	l.before = l.functions()
	return l
}

// checkLoopTrace compares the trace with the bill of the account: every
// invocation that was charged is in it, at what it was charged.
func checkLoopTrace(t *testing.T, path string, bill emulator.Bill) {
	t.Helper()
	rows, _, err := traces.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range traces.Validate(rows) {
		t.Error(d)
	}
	charged := make(map[string]float64)
	for _, c := range bill.Invocations {
		charged[c.RequestID] = c.USD
	}
	for _, r := range rows {
		if r.Statistic == traces.Run {
			continue
		}
		if usd, ok := charged[*r.RequestID]; !ok || math.Abs(usd-*r.CostUSD) > 1e-12 {
			t.Errorf("request %s cost %v USD by its row, %v by the bill", *r.RequestID, *r.CostUSD, usd)
		}
		delete(charged, *r.RequestID)
		if r.Read == nil || r.Compute == nil || r.Write == nil || r.Cold == nil {
			t.Errorf("stage %s: not all steps are there", r.Stage)
		}
	}
	if len(charged) > 0 {
		t.Errorf("%d invocations were charged and are not in the trace", len(charged))
	}
}

// reportLoop says how good the prediction was.
func reportLoop(t *testing.T, text []byte, validations int) {
	t.Helper()
	var r struct {
		Verdict struct {
			Runs    int `json:"runs"`
			Latency struct {
				Predicted struct{ P50, P95 float64 }
				Measured  struct{ P50, P95 struct{ Value float64 } }
				P95       float64 `json:"error_p95"`
			} `json:"latency_s"`
			Bound struct{ Verdict string }
		}
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	v := r.Verdict
	if v.Runs != validations || v.Bound.Verdict == "" {
		t.Errorf("%d runs, verdict %q", v.Runs, v.Bound.Verdict)
	}
	t.Logf("latency p95: predicted %.3f s, measured %.3f s over %d runs (%+.0f %%); bound %s", v.Latency.Predicted.P95, v.Latency.Measured.P95.Value, v.Runs, 100*v.Latency.P95, v.Bound.Verdict)
}
