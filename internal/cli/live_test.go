package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eevee/live/emulator"
	"eevee/live/emulator/functions"
)

// account starts an emulated account with two functions in it, and points the
// default chain of the SDK at it. The functions are stubs: what they take is
// fixed, so that what is printed is too.
func account(t *testing.T) *emulator.Emulator {
	t.Helper()
	work := func(ctx context.Context, _ []byte) ([]byte, error) {
		i := emulator.InvocationOf(ctx)
		i.Duration = 20*time.Millisecond + time.Duration(i.MemoryMB%7)*time.Millisecond
		return []byte(`{"steps": {"read_s": 0.004, "compute_s": 0.01, "write_s": 0.002}}`), nil
	}
	handlers := make(map[string]emulator.Handler)
	for _, f := range []string{"one", "two"} {
		for _, name := range []string{"golden", "need", "check"} {
			handlers["eevee-"+name+"-"+f] = work
		}
	}
	e, err := emulator.Start(emulator.Options{Handlers: handlers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	zip, err := functions.Zip("bootstrap", []byte("#!/bin/true\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"one", "two"} {
		if err := e.Deploy(emulator.Deployment{Name: f, Zip: zip, MemoryMB: 128, TimeoutS: 2}); err != nil {
			t.Fatal(err)
		}
	}
	for _, pair := range e.Env() {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	t.Setenv("AWS_CONFIG_FILE", "none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	return e
}

const liveWorkflow = `name: pair
stages: [{name: a}, {name: b, after: [a]}]
spaces:
  - name: small
    stages:
      - {stage: a, choices: [{parallelism: [1, 2], memory_mb: [256, 512]}]}
      - {stage: b, choices: [{parallelism: [1], memory_mb: [256, 512]}]}
`

func liveSession(t *testing.T, name string) *session {
	s := newSession(t, name)
	s.write("pair.yaml", []byte(liveWorkflow))
	s.write("functions.yaml", []byte("functions:\n  a: {function: one, payload: {n: \"${instance}\"}}\n  b: {function: two}\n"))
	s.write("config.json", []byte(`{"workflow": "pair", "config": [{"stage": "a", "memory_mb": 256, "parallelism": 2}, {"stage": "b", "memory_mb": 512, "parallelism": 1}]}`))
	return s
}

const liveCommon = " --workflow $DIR/pair.yaml --functions $DIR/functions.yaml --name golden"

// underName is a command line under another name: one is used once.
func underName(name, command string) string {
	return strings.Replace(command, "--name golden", "--name "+name, 1)
}

// What is refused, and why: nothing is done without the three flags, in another
// account, for more than the cap, or where nobody can be asked.
func TestLiveRefuses(t *testing.T) {
	e := account(t)
	s := liveSession(t, "bad_live")
	on := " --live --account 123456789012 --max-spend 0.01 --yes"
	s.run("live")
	s.run("live profile" + liveCommon + " -o $DIR/t.parquet")
	s.run("live profile" + liveCommon + " -o $DIR/t.parquet --live --account 123456789012")
	s.run("live profile" + liveCommon + " -o $DIR/t.parquet --live --max-spend 1")
	s.run("live profile" + liveCommon + " -o $DIR/t.parquet --live --max-spend 1 --account 210987654321 --yes")
	s.run("live profile" + liveCommon + " -o $DIR/t.parquet --live --max-spend 1 --account 123456789012")
	s.run("live profile" + liveCommon + " -o $DIR/t.parquet --live --max-spend 0.0000001 --account 123456789012 --yes")
	s.run("live profile" + liveCommon + " -o $DIR/t.parquet --concurrency 1" + on)
	s.run("live profile" + liveCommon + " -o $DIR/t.parquet --memory 999" + on)
	s.run("live profile" + liveCommon + " -o $DIR/t.parquet --timeout 1.5s" + on)
	s.run("live profile" + liveCommon + " -o $DIR/t.parquet --timeout 5s --in-place" + on)
	s.run("live profile" + liveCommon + " -o $DIR/t.parquet --need $DIR/config.json" + on)
	s.run("live profile" + liveCommon + " -o $DIR/t.parquet --price jolteon" + on)
	s.run("live profile --workflow $DIR/pair.yaml -o $DIR/t.parquet" + on)
	s.run("live profile --workflow ml --functions $DIR/functions.yaml -o $DIR/t.parquet" + on)
	s.run("live validate" + liveCommon + " --config $DIR/none.json" + on)
	s.run("live restore $DIR/none.journal")
	s.run("live restore")
	for _, c := range e.Calls() {
		switch c.Operation {
		case "GetCallerIdentity", "GetFunction":
		default:
			t.Errorf("a refused command called %s", c.Operation)
		}
	}
	s.compare()
}

// The loop in one process: every object that is printed is what its published
// schema says.
func TestLiveLoop(t *testing.T) {
	e := account(t)
	s := liveSession(t, "live")
	run := func(command string) []byte {
		t.Helper()
		var args []string
		for _, word := range strings.Fields(command + " --json --quiet") {
			args = append(args, strings.ReplaceAll(word, "$DIR", s.dir))
		}
		code, stdout, stderr := runProgram(args...)
		if code != 0 {
			t.Fatalf("eevee %s: exit %d\n%s", command, code, stderr)
		}
		return []byte(stdout)
	}
	on := liveCommon + " --live --account 123456789012 --max-spend 0.1 --yes"
	matchesSchema(t, "live-profile", run("live profile"+liveCommon+" -o $DIR/t.parquet --dry-run"))
	if _, err := os.Stat(s.path("t.parquet")); err == nil {
		t.Error("a dry run wrote a trace")
	}
	var profile struct {
		Plan       json.RawMessage
		Executions []struct{ Status string }
		Spend      struct {
			Billed float64 `json:"billed_usd"`
		}
	}
	text := run("live profile" + on + " --runs 4 -o $DIR/t.parquet")
	matchesSchema(t, "live-profile", text)
	if err := json.Unmarshal(text, &profile); err != nil {
		t.Fatal(err)
	}
	matchesSchema(t, "live-plan", profile.Plan)
	if len(profile.Executions) != 4*5 || profile.Spend.Billed != e.Bill().USD() {
		t.Errorf("%d executions for %v USD; the account was charged %v", len(profile.Executions), profile.Spend.Billed, e.Bill().USD())
	}
	run("fit --workflow $DIR/pair.yaml --trace $DIR/t.parquet -o $DIR/model.json")
	run("solve --workflow $DIR/pair.yaml --trace $DIR/t.parquet --latency 30 -o $DIR/best.json")

	need := run("fit --workflow $DIR/pair.yaml --trace $DIR/t.parquet --need --config $DIR/best.json")
	s.write("need.json", need)
	matchesSchema(t, "live-profile", run(underName("need", "live profile"+on)+" --runs 1 --warm-ups 1 --need $DIR/need.json -o $DIR/t.parquet"))

	text = run(underName("check", "live validate"+on) + " --trace $DIR/t.parquet --config $DIR/best.json --runs 60 -o $DIR/t.parquet --report $DIR/report")
	matchesSchema(t, "live-verdict", text)
	var verdict struct {
		Verdict struct {
			Runs  int
			Bound struct{ Verdict string }
		}
		Files []string
	}
	if err := json.Unmarshal(text, &verdict); err != nil {
		t.Fatal(err)
	}
	// 30 s are far from what two stubs take, and 60 executions without a
	// violation are one more than p95 needs at 95 %.
	if v := verdict.Verdict; v.Runs != 60 || v.Bound.Verdict != "kept" || len(verdict.Files) != 8 {
		t.Errorf("%+v, files %q", v, verdict.Files)
	}
	matchesSchema(t, "live-verdict", run("live validate"+liveCommon+" --model-file $DIR/model.json --config $DIR/best.json --dry-run"))
	matchesSchema(t, "live-restore", run("live restore"))
	if text := run("traces validate $DIR/t.parquet"); !strings.Contains(string(text), `"valid": true`) && !strings.Contains(string(text), `"defects": []`) {
		t.Errorf("the trace is not valid: %s", text)
	}
	if left, _ := filepath.Glob(s.path("*.lock")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
