package experiments_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"eevee/experiments"
)

// historyOf writes what "aws stepfunctions get-execution-history" prints of an
// execution of the machine a > q > (a | b) that went through the loop so many
// times, and the REPORT lines of its functions. A task takes 30 ms longer than
// its function; 4 ms pass before the first is scheduled, 2 ms before each
// later one, and 1 ms after the last.
func historyOf(t *testing.T, dir, name string, start float64, rounds int) (history, log string) {
	t.Helper()
	var events, lines strings.Builder
	id := 0
	at := start
	add := func(kind, details string) {
		if id > 0 {
			events.WriteString(",\n")
		}
		id++
		fmt.Fprintf(&events, `{"timestamp": %.3f, "type": %q, "id": %d, "previousEventId": %d%s}`, at, kind, id, id-1, details)
	}
	task := func(state string, wait float64) {
		at += wait
		request := fmt.Sprintf("00000000-0000-4000-8000-%012d", int(start)%1000*1000+id)
		add("TaskStateEntered", fmt.Sprintf(`, "stateEnteredEventDetails": {"name": %q, "input": "{}"}`, state))
		add("TaskScheduled", fmt.Sprintf(`, "taskScheduledEventDetails": {"resourceType": "lambda", "resource": "invoke", "region": "eu-west-1", "parameters": "{\"FunctionName\":\"arn:aws:lambda:eu-west-1:123456789012:function:App_%s\"}"}`, state))
		add("TaskStarted", `, "taskStartedEventDetails": {"resourceType": "lambda", "resource": "invoke"}`)
		at += 0.13
		add("TaskSucceeded", fmt.Sprintf(`, "taskSucceededEventDetails": {"resourceType": "lambda", "resource": "invoke", "output": "{\"SdkHttpMetadata\":{\"HttpHeaders\":{\"x-amzn-RequestId\":\"%s\"}}}"}`, request))
		add("TaskStateExited", fmt.Sprintf(`, "stateExitedEventDetails": {"name": %q}`, state))
		if state == "a" {
			fmt.Fprintf(&lines, "REPORT RequestId: %s\tDuration: 100.00 ms\tBilled Duration: 100 ms\tMemory Size: 512 MB\tMax Memory Used: 40 MB\t\n", request)
		}
	}
	add("ExecutionStarted", `, "executionStartedEventDetails": {"input": "{}"}`)
	wait := 0.004
	for range rounds {
		task("a", wait)
		add("ChoiceStateEntered", `, "stateEnteredEventDetails": {"name": "q"}`)
		add("ChoiceStateExited", `, "stateExitedEventDetails": {"name": "q"}`)
		wait = 0.002
	}
	task("b", wait)
	at += 0.001
	add("ExecutionSucceeded", `, "executionSucceededEventDetails": {"output": "{}"}`)
	history = filepath.Join(dir, name+".json")
	if err := os.WriteFile(history, []byte(`{"events": [`+events.String()+`]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	return history, lines.String()
}

// Histories of Step Functions and the logs of functions go together by request:
// ways, delays and times are those that were recorded. A function without a log
// counts as the orchestrator saw it, and a warning says so.
func TestImportOfHistories(t *testing.T) {
	dir := t.TempDir()
	machine := filepath.Join(dir, "app.asl.json")
	err := os.WriteFile(machine, []byte(`{"StartAt": "a", "States": {
		"a": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "App_a"}, "Next": "q"},
		"q": {"Type": "Choice", "Choices": [{"Variable": "$.more", "BooleanEquals": true, "Next": "a"}], "Default": "b"},
		"b": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "App_b"}, "End": true}}}`), 0o666)
	if err != nil {
		t.Fatal(err)
	}
	q := experiments.ImportRequest{Machine: machine}
	var lines strings.Builder
	for i := range 8 {
		rounds := 1
		if i < 2 {
			rounds = 3
		}
		history, log := historyOf(t, dir, fmt.Sprintf("run%d", i), 1_700_000_000+float64(10*i), rounds)
		q.Logs = append(q.Logs, history)
		lines.WriteString(log)
	}
	log := filepath.Join(dir, "App_a.log")
	if err := os.WriteFile(log, []byte(lines.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	q.Logs = append(q.Logs, log)
	im, err := experiments.Import(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if j := im.Report.Join; j.Executions != 8 || j.ByID != 12+8 || j.Share != 1 {
		t.Errorf("joined %+v", j)
	}
	// 8 first visits, of which 2 lead back, twice.
	o := im.Behaviour.Choices["q"]
	if p := o.Pooled(); len(p) != 2 || p[0] != 4.0/12 || im.Report.Learned.Inconsistent != 0 {
		t.Errorf("odds %+v", o)
	}
	d := im.Behaviour.Delays
	if d == nil {
		t.Fatal("no delays")
	}
	for _, c := range []struct {
		name string
		got  float64
		n    int
		want float64
		all  int
	}{
		{"start", d.Start.Quantile(0.5), d.Start.N, 0.004, 8},
		{"transition", d.Transition.Quantile(0.5), d.Transition.N, 0.002, 12},
		{"invoke", d.Invoke.Quantile(0.5), d.Invoke.N, 0.03, 12},
		{"end", d.End.Quantile(0.5), d.End.N, 0.001, 8},
	} {
		if c.n != c.all || c.got < c.want-1e-3 || c.got > c.want+1e-3 {
			t.Errorf("delay %s: %v s from %d, want %v from %d", c.name, c.got, c.n, c.want, c.all)
		}
	}
	if !strings.Contains(strings.Join(im.Report.Warnings, "\n"), "no log of function App_b: its 8 invocations count as long as Step Functions saw them") {
		t.Errorf("warnings %q", im.Report.Warnings)
	}
}
