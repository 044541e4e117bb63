package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"eevee/sim"
	"eevee/traces"
)

// loadSession has a configuration of ml and files that describe loads.
func loadSession(t *testing.T, name string) *session {
	t.Helper()
	withoutRecordings(t)
	s := newSession(t, name)
	for workflow, bound := range map[string]string{"ml": "--latency 40s", "video": "--latency 50s"} {
		command := "solve --workflow " + workflow + " " + bound + " --samples 800 --quiet -o " + s.path(workflow+".json")
		if code, _, stderr := runProgram(strings.Fields(command)...); code != 0 {
			t.Fatalf("%s: exit code %d: %s", command, code, stderr)
		}
	}
	for file, text := range map[string]string{
		"instants.csv": "at_s\n0\n2\n2.5\n60\n",
		"unsorted.csv": "at_s\n0\n2\n1.5\n",
		"counts.csv":   "HashFunction,Trigger,1,2\nabc,http,3,0\ndef,queue,1,5\n",
		"load.yaml": "workloads:\n" +
			"  - {workflow: ml, config: ml.json, arrivals: \"poisson:3/m\"}\n" +
			"  - {name: nightly, workflow: video, config: video.json, arrivals: \"file:instants.csv\"}\n" +
			"  - {name: online, workflow: ml, policy: stepconf, latency_s: 40, arrivals: \"minutes:counts.csv:row=def\"}\n",
		"crowded.yaml":  "extends: aws-lambda-x86\nname: crowded\nlimits: {account_concurrency: 100}\n",
		"negative.yaml": "extends: aws-lambda-x86\nname: negative\nprice: {usd_per_gb_s: -0.1}\n",
		"typo.yaml":     "extends: aws-lambda-x86\nname: typo\nlimits:\n  account_concurency: 100\n",
		"contradicts.yaml": "extends: aws-lambda-x86\nname: contradicts\nlimits: {account_concurrency: 100}\n" +
			"functions: [{workflow: ml, provisioned: 101}]\n",
		"forgets.yaml":  "extends: aws-lambda-x86\nname: forgets\ninstances: {keep_alive_s: -1}\n",
		"circle.yaml":   "name: circle\nstages: [{name: a, after: [b]}, {name: b, after: [a]}]\n",
		"noload.yaml":   "workloads: []\n",
		"badload.yaml":  "workloads:\n  - {workflow: ml, arrivals: \"poisson:1/s\"}\n  - {workflow: ml, policy: stepconf, arrivals: \"poisson:1/s\"}\n",
		"typoload.yaml": "workloads:\n  - {workflow: ml, arivals: \"poisson:1/s\"}\n",
		"twice.yaml":    "workloads:\n  - {workflow: ml, config: ml.json, arrivals: \"closed:1\"}\n  - {workflow: ml, config: ml.json, arrivals: \"closed:1\"}\n",
	} {
		s.write(file, []byte(text))
	}
	return s
}

func TestSimulateLoadGolden(t *testing.T) {
	s := loadSession(t, "simulate_load")
	const ml = "simulate --workflow ml --config $DIR/ml.json --quiet "
	s.run(ml + "--arrivals poisson:6/m --duration 1h --warm-up 5m --latency 36s --cost 0.007")
	s.run(ml + "--arrivals closed:2:think=1s --executions 40 --platform $DIR/crowded.yaml -o $DIR/runs.parquet --invocations --timeline $DIR/timeline.json")
	s.run("traces validate $DIR/runs.parquet --quiet")
	s.run(ml + "--arrivals gamma:1/s:cv=2 --precision 0.5% --warm-up 60s --platform aws-lambda-arm --replications 2")
	s.run("simulate --load $DIR/load.yaml --duration 5m --platform aws-stepfunctions-standard --quiet")
	s.run("simulate --workflow ml --policy stepconf --latency 40s --decision-latency 100ms --decision-cost 0.00001 --arrivals mmpp:1/m@10m,10/m@1m --executions 20 --price jolteon --quiet --json")
	s.compare()
}

func TestSimulateLoadBadInput(t *testing.T) {
	s := loadSession(t, "bad_simulate_load")
	const ml = "simulate --workflow ml --config $DIR/ml.json "
	for _, wrong := range []string{
		ml + "--duration 1h", ml + "--platform ideal", ml + "--arrivals poisson:1/s --runs 10 --duration 1h",
		ml + "--arrivals poisson:1/s", ml + "--arrivals poisson:1 --duration 1h", ml + "--arrivals uniform:1/s --duration 1h",
		ml + "--arrivals poisson:1/s --duration 0s", ml + "--arrivals poisson:1/s --executions 0", ml + "--arrivals poisson:1/s --precision 0%",
		ml + "--arrivals poisson:1/s --duration 1m --warm-up 2m",
		ml + "--arrivals file:$DIR/unsorted.csv", ml + "--arrivals file:$DIR/missing.csv", ml + "--arrivals minutes:$DIR/counts.csv:row=xyz",
		ml + "--arrivals poisson:1/s --duration 1h --platform nowhere", ml + "--arrivals poisson:1/s --duration 1h --platform $DIR/missing.yaml",
		ml + "--arrivals poisson:1/s --duration 1h --platform $DIR/negative.yaml", ml + "--arrivals poisson:1/s --duration 1h --platform $DIR/typo.yaml",
		ml + "--arrivals poisson:1/s --duration 1h --platform $DIR/contradicts.yaml", ml + "--arrivals poisson:1/s --duration 1h --platform $DIR/forgets.yaml",
		ml + "--arrivals poisson:1/s --duration 1h -o $DIR/nofolder/runs.parquet",
		"simulate --arrivals poisson:1/s --duration 1h", "simulate --workflow ml --arrivals poisson:1/s --duration 1h",
		"simulate --workflow $DIR/circle.yaml --config $DIR/ml.json --arrivals poisson:1/s --duration 1h",
		"simulate --load $DIR/load.yaml --workflow ml --duration 1h", "simulate --load $DIR/missing.yaml --duration 1h",
		"simulate --load $DIR/noload.yaml --duration 1h", "simulate --load $DIR/badload.yaml --duration 1h",
		"simulate --load $DIR/typoload.yaml --duration 1h", "simulate --load $DIR/twice.yaml --duration 1h",
	} {
		s.run(wrong)
	}
	s.compare()
}

func TestSimulateMatchesItsSchema(t *testing.T) {
	s := loadSession(t, "")
	for command, schema := range map[string]string{
		"simulate --workflow ml --config $DIR/ml.json --runs 50 --latency 30s --cost 0.01":                               "simulate",
		"simulate --workflow ml --policy stepconf --latency 36s --decision-latency 1s --runs 20":                         "simulate",
		"simulate --workflow ml --config $DIR/ml.json --arrivals poisson:1/s --executions 200 --latency 30s --cost 0.01": "simulate_load",
		"simulate --load $DIR/load.yaml --duration 5m --platform $DIR/crowded.yaml -o $DIR/r.parquet":                    "simulate_load",
	} {
		code, stdout, stderr := runProgram(strings.Fields(strings.ReplaceAll(command, "$DIR", s.dir) + " --json")...)
		if code != 0 {
			t.Fatalf("%s: exit code %d: %s", command, code, stderr)
		}
		matchesSchema(t, schema, []byte(stdout))
	}
}

// Same seed, same bytes, whatever the number of cores.
func TestSimulateLoadDoesNotDependOnCores(t *testing.T) {
	s := loadSession(t, "")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var answers [][]byte
	for _, cores := range []int{1, 2} {
		runtime.GOMAXPROCS(cores)
		for _, command := range []string{
			"simulate --workflow ml --config " + s.path("ml.json") + " --arrivals poisson:1/s --executions 200 --replications 3 --json",
			"simulate --load " + s.path("load.yaml") + " --duration 3m --json --timeline " + s.path("t.json") + " -o " + s.path("r.parquet"),
		} {
			code, stdout, stderr := runProgram(strings.Fields(command)...)
			if code != 0 {
				t.Fatalf("%s: exit code %d: %s", command, code, stderr)
			}
			answers = append(answers, []byte(stdout))
		}
		for _, name := range []string{"t.json", "r.parquet"} {
			text, err := os.ReadFile(s.path(name))
			if err != nil {
				t.Fatal(err)
			}
			answers = append(answers, text)
		}
	}
	for k, n := 0, len(answers)/2; k < n; k++ {
		if !bytes.Equal(answers[k], answers[k+n]) {
			t.Errorf("answer %d differs between one core and two", k)
		}
	}
}

// Ctrl-C ends a long simulation within a second, and what was simulated until
// then is reported; files are not written.
func TestSimulateLoadInterrupted(t *testing.T) {
	s := loadSession(t, "")
	ctx, cancel := context.WithCancel(context.Background())
	var stdout, stderr bytes.Buffer
	ended := make(chan int)
	go func() {
		ended <- Run(ctx, strings.Fields("simulate --workflow ml --config "+s.path("ml.json")+" --arrivals poisson:1/s --duration 10000h --json -o "+s.path("runs.parquet")), &stdout, &stderr)
	}()
	time.Sleep(time.Second)
	cancel()
	code := <-ended
	if code != exitInterrupted || !strings.Contains(stderr.String(), "eevee: interrupted\n") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	matchesSchema(t, "simulate_load", stdout.Bytes())
	var answer struct {
		Interrupted bool `json:"interrupted"`
		Ended       int  `json:"executions_ended"`
	}
	if err := json.Unmarshal(stdout.Bytes(), &answer); err != nil || !answer.Interrupted || answer.Ended == 0 {
		t.Errorf("after the interruption: %v, %+v", err, answer)
	}
	if _, err := os.Stat(s.path("runs.parquet")); !os.IsNotExist(err) {
		t.Errorf("a part of the trace was written: %v", err)
	}
}

// The rows of a load say what the summary says.
func TestSimulateLoadRows(t *testing.T) {
	s := loadSession(t, "")
	command := "simulate --workflow ml --config " + s.path("ml.json") + " --arrivals poisson:1/s --executions 100 --json --invocations -o " + s.path("runs.parquet")
	code, stdout, stderr := runProgram(strings.Fields(command)...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var answer struct {
		Functions []sim.LoadFunction `json:"functions"`
		Workloads []sim.LoadWorkload `json:"workloads"`
	}
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
		t.Fatal(err)
	}
	rows, meta, err := traces.Read(s.path("runs.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if meta.Workflow != "ml" || meta.Source != traces.Simulated {
		t.Errorf("meta %+v", meta)
	}
	invocations, cold := map[string]uint64{}, map[string]uint64{}
	var executions []string
	for _, r := range rows {
		if r.Statistic != traces.Invocation {
			continue
		}
		invocations[r.Stage]++
		if *r.ColdStart {
			cold[r.Stage]++
		}
		if !slices.Contains(executions, r.Execution) {
			executions = append(executions, r.Execution)
		}
	}
	if len(executions) != answer.Workloads[0].Executions {
		t.Errorf("%d executions in the rows, %d in the summary", len(executions), answer.Workloads[0].Executions)
	}
	for _, f := range answer.Functions {
		if f.Retries == 0 && (invocations[f.Function] != f.Invocations || cold[f.Function] != f.ColdStarts) {
			t.Errorf("%s: %d invocations and %d cold starts in the rows, %d and %d in the summary", f.Function, invocations[f.Function], cold[f.Function], f.Invocations, f.ColdStarts)
		}
	}
}

// A load that is exported and replayed one execution after the other, at the
// instants at which they came, gives the same rows but for what the platform
// did; replaying that gives them all again, and doing so twice the same bytes.
func TestSimulateLoadIsReplayed(t *testing.T) {
	s := loadSession(t, "")
	s.write("unbilled.yaml", []byte("extends: aws-lambda-x86\nname: unbilled\ncold_start: {billed_init: false}\n"))
	simulate := "simulate --quiet --invocations --workflow ml --config " + s.path("ml.json") + " "
	replay := func(from, to string) string {
		return simulate + "--platform ideal --world replay:sequential --trace " + s.path(from) + " --arrivals file:" + s.path(from) + " -o " + s.path(to)
	}
	for _, command := range []string{
		simulate + "--arrivals poisson:20/m --executions 30 --platform " + s.path("unbilled.yaml") + " -o " + s.path("a.parquet"),
		replay("a.parquet", "b.parquet"), replay("b.parquet", "c.parquet"), replay("b.parquet", "d.parquet"),
	} {
		if code, _, stderr := runProgram(strings.Fields(command)...); code != 0 {
			t.Fatalf("%s: exit code %d: %s", command, code, stderr)
		}
	}
	read := func(name string) []traces.Record {
		rows, _, err := traces.Read(s.path(name))
		if err != nil || len(rows) != 30*(8+1+8+4+1) {
			t.Fatalf("%s: %d rows, %v", name, len(rows), err)
		}
		return rows
	}
	a, b := read("a.parquet"), read("b.parquet")
	if diff := cmp.Diff(b, read("c.parquet")); diff != "" {
		t.Errorf("other rows (-replayed +replayed again):\n%.2000s", diff)
	}
	cold := 0
	for _, rows := range [][]traces.Record{a, b} {
		for k := range rows {
			if rows[k].InitUS != nil && *rows[k].InitUS > 0 {
				cold++
			}
			rows[k].Attempt, rows[k].ColdStart, rows[k].EnvironmentID, rows[k].InitUS = nil, nil, nil, nil
		}
	}
	if cold < 32 {
		t.Errorf("%d cold starts: the test shows nothing", cold)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("other rows (-simulated +replayed):\n%.2000s", diff)
	}
	first, errA := os.ReadFile(s.path("c.parquet"))
	again, errB := os.ReadFile(s.path("d.parquet"))
	if errA != nil || errB != nil || !bytes.Equal(first, again) {
		t.Errorf("replaying twice gives other bytes, %v, %v", errA, errB)
	}
}

// Instances that Orion starts ahead are mostly there when they are needed. Of
// executions that are too far apart to find warm ones everything starts cold if
// the schedule is taken away.
func TestSimulateLoadFollowsASchedule(t *testing.T) {
	s := loadSession(t, "")
	solve := "solve --workflow ml --model jolteon --latency 80s --rule plugin --samples 800 --method orion --quiet --json -o " + s.path("orion.json")
	code, stdout, stderr := runProgram(strings.Fields(solve)...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	matchesSchema(t, "solve", []byte(stdout))
	text, err := os.ReadFile(s.path("orion.json"))
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	if list, _ := answer["schedule"].([]any); len(list) == 0 {
		t.Fatalf("the answer has no schedule: %s", text)
	}
	delete(answer, "schedule")
	plain, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	s.write("plain.json", plain)
	s.write("far.csv", []byte("0\n1000\n2000\n3000\n"))
	coldStarts := func(config string) (cold, all uint64) {
		command := "simulate --workflow ml --off-space --config " + s.path(config) + " --arrivals file:" + s.path("far.csv") + " --json --quiet"
		code, stdout, stderr := runProgram(strings.Fields(command)...)
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		var load struct {
			Functions []sim.LoadFunction `json:"functions"`
		}
		if err := json.Unmarshal([]byte(stdout), &load); err != nil {
			t.Fatal(err)
		}
		for _, f := range load.Functions {
			cold, all = cold+f.ColdStarts, all+f.Invocations
		}
		return cold, all
	}
	if cold, all := coldStarts("plain.json"); cold != all {
		t.Errorf("%d of %d invocations are cold without a schedule", cold, all)
	}
	if cold, all := coldStarts("orion.json"); cold > all/2 {
		t.Errorf("%d of %d invocations are cold although instances are started ahead", cold, all)
	}
	if code, _, stderr := runProgram("simulate", "--workflow", "ml", "--off-space", "--config", s.path("orion.json"), "--runs", "10"); code != 0 || !strings.Contains(stderr, "has a schedule, which is followed under load only") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
