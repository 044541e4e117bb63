package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/models"
	"eevee/models/asl"
	"eevee/traces"
)

// taking returns rows of functions that take the given times in ms, each at
// 1024 MB.
func taking(ms map[string][]float64) []traces.Record {
	var rows []traces.Record
	for _, name := range []string{"a", "b", "c", "d"} {
		for _, d := range ms[name] {
			us := int64(math.Round(d * 1000))
			rows = append(rows, traces.Record{Function: &name, Stage: name, Statistic: traces.Invocation, MemoryMB: 1024, DurationUS: &us, Source: traces.Recorded})
		}
	}
	return rows
}

func machineOf(t *testing.T, text string, b *asl.Behaviour, rows []traces.Record) *Machine {
	t.Helper()
	m, err := asl.Parse("m", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if b == nil {
		b = &asl.Behaviour{}
	}
	w, err := NewMachine(m, b, rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func simulateMachine(t *testing.T, w *Machine, runs int, each func(*MachineRun) error) *MachineSummary {
	t.Helper()
	s, err := SimulateMachine(context.Background(), w, runs, Settings{Seed: 1, Keep: KeepTasks}, each)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func taskState(name, more string) string {
	return fmt.Sprintf(`%q: {"Type": "Task", "Resource": "arn:aws:lambda:r:1:function:%s", %s}`, name, name, more)
}

const isEnd = `"End": true`

func nextState(name string) string { return fmt.Sprintf(`"Next": %q`, name) }

// With functions that always take the same time, an execution takes what the
// states say, to the nanosecond.
func TestMachineTimes(t *testing.T) {
	ms := map[string][]float64{"a": {100}, "b": {250}, "c": {40}, "d": {7}}
	fixed := func(s float64) asl.Sample { return asl.Sample{N: 1, Values: []float64{s}} }
	delays := &asl.Delays{Start: fixed(0.004), Dispatch: fixed(0.008), Redispatch: fixed(0.001), Invoke: fixed(0.014), Transition: fixed(0.002), End: fixed(0.003)}
	for _, c := range []struct {
		name, text string
		b          *asl.Behaviour
		latency    float64 // s
		tasks      int
		moves      int
	}{
		{"a row", `{"StartAt": "a", "States": {` + taskState("a", nextState("b")) + "," + taskState("b", isEnd) + `}}`, nil, 0.350, 2, 2},
		{"delays", `{"StartAt": "a", "States": {` + taskState("a", nextState("b")) + "," + taskState("b", isEnd) + `}}`, &asl.Behaviour{Delays: delays},
			0.004 + 0.008 + 0.114 + 0.002 + 0.001 + 0.264 + 0.003, 2, 2},
		{"branches", `{"StartAt": "p", "States": {"p": {"Type": "Parallel", "Next": "d", "Branches": [{"StartAt": "a", "States": {` + taskState("a", nextState("c")) + "," + taskState("c", isEnd) +
			`}}, {"StartAt": "b", "States": {` + taskState("b", isEnd) + `}}]}, ` + taskState("d", isEnd) + `}}`, nil, 0.257, 4, 5},
		{"first tasks of branches are all first", `{"StartAt": "p", "States": {"p": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "a", "States": {` + taskState("a", isEnd) +
			`}}, {"StartAt": "b", "States": {` + taskState("b", isEnd) + `}}]}}}`, &asl.Behaviour{Delays: delays}, 0.004 + 0.008 + 0.264 + 0.003, 2, 3},
		{"a wait", `{"StartAt": "w", "States": {"w": {"Type": "Wait", "Seconds": 1.5, "Next": "a"}, ` + taskState("a", nextState("s")) + `, "s": {"Type": "Succeed"}}}`, nil, 1.6, 1, 3},
		{"waits of the behaviour", `{"StartAt": "w", "States": {"w": {"Type": "Wait", "SecondsPath": "$.s", "Next": "q"}, "q": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Next": "a"}, ` + taskState("a", isEnd) + `}}`,
			&asl.Behaviour{Waits: map[string]float64{"w": 2, "q": 0.5}}, 2.6, 1, 3},
		// Seven items on three slots: three rounds of 100 ms.
		{"a map", `{"StartAt": "m", "States": {"m": {"Type": "Map", "MaxConcurrency": 3, "End": true, "ItemProcessor": {"StartAt": "a", "States": {` + taskState("a", isEnd) + `}}}}}`,
			&asl.Behaviour{Widths: map[string]asl.Widths{"m": {Items: []int{7}, P: []float64{1}}}}, 0.3, 7, 8},
		{"a map over 81 items runs 40 at a time", `{"StartAt": "m", "States": {"m": {"Type": "Map", "End": true, "Iterator": {"StartAt": "a", "States": {` + taskState("a", isEnd) + `}}}}}`,
			&asl.Behaviour{Widths: map[string]asl.Widths{"m": {Items: []int{81}, P: []float64{1}}}}, 0.3, 81, 82},
		{"an empty map", `{"StartAt": "m", "States": {"m": {"Type": "Map", "Items": [], "Next": "d", "Iterator": {"StartAt": "a", "States": {` + taskState("a", isEnd) + `}}}, ` + taskState("d", isEnd) + `}}`, nil, 0.007, 1, 2},
		{"batches", `{"StartAt": "m", "States": {"m": {"Type": "Map", "Items": [1,2,3,4,5], "ItemBatcher": {"MaxItemsPerBatch": 2}, "MaxConcurrency": 2, "End": true, "ItemProcessor": {"StartAt": "a", "States": {` + taskState("a", isEnd) + `}}}}}`, nil, 0.2, 3, 4},
		{"a loop that runs three times", `{"StartAt": "a", "States": {` + taskState("a", nextState("q")) + `, "q": {"Type": "Choice", "Choices": [{"Next": "a"}], "Default": "b"}, ` + taskState("b", isEnd) + `}}`,
			&asl.Behaviour{Choices: map[string]asl.Odds{"q": {To: []string{"a", "b"}, P: [][]float64{{1, 0}, {1, 0}, {0, 1}}}}}, 0.55, 4, 7},
	} {
		w := machineOf(t, c.text, c.b, taking(ms))
		s := simulateMachine(t, w, 3, func(r *MachineRun) error {
			if math.Abs(r.Latency-c.latency) > 1e-9 || len(r.Tasks) != c.tasks || r.Transitions != c.moves || r.Error != "" {
				t.Errorf("%s: %v s, %d tasks, %d transitions, error %q; want %v s, %d and %d", c.name, r.Latency, len(r.Tasks), r.Transitions, r.Error, c.latency, c.tasks, c.moves)
			}
			return nil
		})
		if s.Failed != 0 || s.Runs != 3 {
			t.Errorf("%s: %d of %d runs failed", c.name, s.Failed, s.Runs)
		}
	}
}

// A task that fails is retried after the delays of its retrier, each attempt is
// billed, and then it is caught or the execution fails.
func TestMachineFailures(t *testing.T) {
	failing := func(ms float64, errorType string) []traces.Record {
		rows := taking(map[string][]float64{"a": {ms}, "b": {20}})
		status := "failure"
		rows[0].Status, rows[0].ErrorType = &status, &errorType
		return rows
	}
	retry := `"Retry": [{"ErrorEquals": ["Custom"], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 2, "MaxDelaySeconds": 5}], `
	catch := `"Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "b"}], `
	for _, c := range []struct {
		name, body string
		err        string
		latency    float64 // s
		tasks      int
		failed     string
	}{
		{"fails", isEnd, "Custom", 0.1, 1, "Custom"},
		{"is retried, in vain", retry + isEnd, "Custom", 4*0.1 + 2 + 4 + 5, 4, "Custom"},
		{"has a retrier for something else", retry + isEnd, "Other", 0.1, 1, "Other"},
		{"is caught", catch + isEnd, "Custom", 0.12, 2, ""},
		{"is retried and caught", retry + catch + isEnd, "Custom", 4*0.1 + 11 + 0.02, 5, ""},
		{"takes longer than it may", `"TimeoutSeconds": 0.05, ` + isEnd, "", 0.05, 1, "States.Timeout"},
		{"is no failed task when it times out", `"TimeoutSeconds": 0.05, ` + catch + isEnd, "", 0.05, 1, "States.Timeout"},
	} {
		rows := taking(map[string][]float64{"a": {100}, "b": {20}})
		if c.err != "" {
			rows = failing(100, c.err)
		}
		w := machineOf(t, `{"StartAt": "a", "States": {`+taskState("a", c.body)+", "+taskState("b", isEnd)+`}}`, nil, rows)
		var billed float64
		_, err := SimulateMachine(context.Background(), w, 1, Settings{Seed: 1, Keep: KeepTasks}, func(r *MachineRun) error {
			for _, task := range r.Tasks {
				billed += task.Billed
			}
			if math.Abs(r.Latency-c.latency) > 1e-9 || len(r.Tasks) != c.tasks || r.Error != c.failed {
				t.Errorf("a task that %s: %v s, %d tasks, error %q; want %v s, %d and %q", c.name, r.Latency, len(r.Tasks), r.Error, c.latency, c.tasks, c.failed)
			}
			return nil
		})
		if (err != nil) != (c.failed != "") {
			t.Errorf("a task that %s: error %v", c.name, err)
		}
		if billed <= 0 {
			t.Errorf("a task that %s: nothing was billed", c.name)
		}
	}
}

// A branch that fails isEnd the Parallel at once, and what runs beside it is
// paid for all the same.
func TestMachineBranchFails(t *testing.T) {
	rows := taking(map[string][]float64{"a": {100}, "b": {300}})
	status := "timeout"
	rows[0].Status = &status
	w := machineOf(t, `{"StartAt": "p", "States": {"p": {"Type": "Parallel", "Next": "s", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "s"}], "Branches": [
		{"StartAt": "a", "States": {`+taskState("a", isEnd)+`}}, {"StartAt": "b", "States": {`+taskState("b", isEnd)+`}}]}, "s": {"Type": "Succeed"}}}`, nil, rows)
	price := models.MustPrice(models.PriceAWS)
	size := models.StageConfig{Memory: 1024, Parallelism: 1}
	want := price.Invocation(size, 0.1) + price.Invocation(size, 0.3)
	simulateMachine(t, w, 1, func(r *MachineRun) error {
		if r.Latency != 0.1 || math.Abs(r.Cost-want) > 1e-12 {
			t.Errorf("%v s and %v USD, want 0.1 s and %v USD", r.Latency, r.Cost, want)
		}
		return nil
	})
}

// A loop left with probability p takes a geometric number of rounds: mean 1/p
// and, for the share of executions with more than k rounds, (1-p)^k. Widths and
// odds come out as they were put in. Bounds are four standard errors.
func TestMachineFollowsItsOdds(t *testing.T) {
	const p, runs = 0.4, 20_000
	b := &asl.Behaviour{
		Choices: map[string]asl.Odds{"q": {To: []string{"a", "m"}, P: [][]float64{{1 - p, p}}}},
		Widths:  map[string]asl.Widths{"m": {Items: []int{1, 4}, P: []float64{0.3, 0.7}}},
	}
	w := machineOf(t, `{"StartAt": "a", "States": {`+taskState("a", nextState("q"))+`, "q": {"Type": "Choice", "Choices": [{"Next": "a"}], "Default": "m"},
		"m": {"Type": "Map", "End": true, "Iterator": {"StartAt": "b", "States": {`+taskState("b", isEnd)+`}}}}}`, b, taking(map[string][]float64{"a": {1}, "b": {1}}))
	rounds, more, wide := 0, 0, 0
	simulateMachine(t, w, runs, func(r *MachineRun) error {
		n, items := 0, 0
		for _, task := range r.Tasks {
			if task.Item < 0 {
				n++
			} else {
				items++
			}
		}
		rounds += n
		if n > 3 {
			more++
		}
		if items == 4 {
			wide++
		}
		return nil
	})
	within := func(what string, got, want, deviation float64) {
		if math.Abs(got-want) > 4*deviation/math.Sqrt(runs) {
			t.Errorf("%s %v, want %v", what, got, want)
		}
	}
	tailShare := math.Pow(1-p, 3)
	within("mean rounds", float64(rounds)/runs, 1/p, math.Sqrt(1-p)/p)
	within("share of more than 3 rounds", float64(more)/runs, tailShare, math.Sqrt(tailShare*(1-tailShare)))
	within("share of wide maps", float64(wide)/runs, 0.7, math.Sqrt(0.7*0.3))
}

// The same seed gives the same executions, whatever the number of cores, and
// what is recorded of them teaches the odds they came from.
func TestMachineIsReproducibleAndRecorded(t *testing.T) {
	b := &asl.Behaviour{Choices: map[string]asl.Odds{"q": {To: []string{"a", "b"}, P: [][]float64{{0.3, 0.7}}}}}
	m, err := asl.Parse("m", []byte(`{"StartAt": "a", "States": {`+taskState("a", nextState("q"))+`, "q": {"Type": "Choice", "Choices": [{"Next": "a"}], "Default": "b"}, `+taskState("b", isEnd)+`}}`))
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewMachine(m, b, taking(map[string][]float64{"a": {1, 2, 3}, "b": {4, 5}}), map[string]int{"a": 1024})
	if err != nil {
		t.Fatal(err)
	}
	var all [2][]traces.Record
	for k, cores := range []int{1, 7} {
		_, err := SimulateMachine(context.Background(), w, 2000, Settings{Seed: 5, Keep: KeepTasks, Cores: cores}, func(r *MachineRun) error {
			all[k] = r.Records(all[k], "m", fmt.Sprint(r.Replication), int64(r.Replication)*1e10)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(all[0], all[1]); diff != "" {
		t.Errorf("one core and seven:\n%s", diff)
	}
	counts := make(map[string]asl.Counts)
	var executions []asl.Counts
	for _, r := range all[0] {
		if r.Statistic == traces.Run {
			executions = append(executions, counts[r.Execution])
			continue
		}
		if counts[r.Execution].Functions == nil {
			counts[r.Execution] = asl.Counts{Functions: map[string]int{}}
		}
		counts[r.Execution].Functions[*r.Function]++
	}
	learned := asl.Learn(m, executions)
	got := learned.Choices["q"].Pooled()[0]
	n := 2000 / 0.7 // visits
	if learned.Inconsistent != 0 || math.Abs(got-0.3) > 4*math.Sqrt(0.3*0.7/n) {
		t.Errorf("learned %v from %d executions, %d inconsistent", got, learned.Executions, learned.Inconsistent)
	}
	for _, d := range traces.Validate(all[0]) {
		t.Errorf("%v", d)
		break
	}
}

// What is missing is named, all of it.
func TestMachineNeeds(t *testing.T) {
	m, err := asl.Parse("m", []byte(`{"StartAt": "a", "States": {`+taskState("a", nextState("q"))+`, "q": {"Type": "Choice", "Choices": [{"Next": "a"}], "Default": "m"},
		"m": {"Type": "Map", "Next": "w", "Iterator": {"StartAt": "b", "States": {`+taskState("b", isEnd)+`}}}, "w": {"Type": "Wait", "TimestampPath": "$.t", "Next": "t"},
		"t": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true}}}`))
	if err != nil {
		t.Fatal(err)
	}
	m.Name = "m"
	_, err = NewMachine(m, &asl.Behaviour{}, taking(map[string][]float64{"a": {1}}), map[string]int{"a": 512, "z": 1})
	want := []string{
		`machine m: the behaviour does not say how often Choice "q" takes which way (choices)`,
		`the behaviour does not say how many items Map "m" gets (widths)`,
		`the behaviour does not say how long Wait "w" takes (waits_s)`,
		`the behaviour does not say how long Task "t" takes, which invokes no function (waits_s)`,
		`function "a" was not recorded at 512 MB; it was at [1024] (states a)`,
		`no recorded invocation of function "b" (states b)`,
		`a size is given for function "z", which the machine does not invoke`,
	}
	if diff := cmp.Diff(want, strings.Split(fmt.Sprint(err), "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A loop that never isEnd fails, and a simulation that is interrupted says so.
func TestMachineEnds(t *testing.T) {
	w := machineOf(t, `{"StartAt": "a", "States": {`+taskState("a", nextState("a"))+`}}`, nil, taking(map[string][]float64{"a": {1}}))
	_, err := SimulateMachine(context.Background(), w, 2, Settings{}, nil)
	if err == nil || !strings.Contains(err.Error(), "every run failed: [{States.ExceedHistory 2}]") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := SimulateMachine(ctx, w, 2, Settings{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func BenchmarkMachine(b *testing.B) {
	m, err := asl.Parse("m", []byte(`{"StartAt": "a", "States": {`+taskState("a", nextState("q"))+`, "q": {"Type": "Choice", "Choices": [{"Next": "a"}], "Default": "b"}, `+taskState("b", isEnd)+`}}`))
	if err != nil {
		b.Fatal(err)
	}
	w, err := NewMachine(m, &asl.Behaviour{Choices: map[string]asl.Odds{"q": {To: []string{"a", "b"}, P: [][]float64{{0.3, 0.7}}}}}, taking(map[string][]float64{"a": {1, 2, 3}, "b": {4, 5}}), nil)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := SimulateMachine(context.Background(), w, b.N, Settings{Cores: 1}, nil); err != nil {
		b.Fatal(err)
	}
}
