package logs

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/traces"
)

// happened is one event of a history of our own.
type happened struct {
	id, previous int64
	ms           int64
	kind         string
	details      map[string]any
}

const epochMS = 1791468327000

// story is an execution with a Task that is retried and asks Lambda by its
// integration, a Map of two iterations that run at the same time, a Parallel
// with a Choice in one branch, and a call that is not of Lambda. The events of
// branches are mixed: only their predecessors tell them apart.
func story() []happened {
	var events []happened
	add := func(previous int64, kind string, details map[string]any) int64 {
		id := int64(len(events) + 1)
		events = append(events, happened{id, previous, epochMS + 10*id, kind, details})
		return id
	}
	type d = map[string]any
	task := d{"resourceType": "lambda", "resource": "invoke", "region": "eu-west-1", "parameters": `{"FunctionName":"arn:aws:lambda:eu-west-1:123456789012:function:resize:$LATEST","Payload":{"n":1}}`}
	e := add(0, "ExecutionStarted", d{"input": "{}", "roleArn": "arn:aws:iam::123456789012:role/r"})
	e = add(e, "TaskStateEntered", d{"name": "Resize", "input": "{}"})
	e = add(e, "TaskScheduled", task)
	e = add(e, "TaskStarted", d{"resourceType": "lambda", "resource": "invoke"})
	e = add(e, "TaskFailed", d{"resourceType": "lambda", "resource": "invoke", "error": "Lambda.TooManyRequestsException", "cause": "x"})
	e = add(e, "TaskScheduled", task)
	e = add(e, "TaskStarted", d{"resourceType": "lambda", "resource": "invoke"})
	e = add(e, "TaskSucceeded", d{"resourceType": "lambda", "resource": "invoke",
		"output": `{"ExecutedVersion":"$LATEST","Payload":{"ok":true},"SdkHttpMetadata":{"HttpHeaders":{"x-amzn-RequestId":"` + requestA + `"}},"SdkResponseMetadata":{"RequestId":"` + requestA + `"}}`})
	e = add(e, "TaskStateExited", d{"name": "Resize", "output": "{}"})
	e = add(e, "MapStateEntered", d{"name": "Each", "input": "[1,2]"})
	started := add(e, "MapStateStarted", d{"length": 2})
	i0 := add(started, "MapIterationStarted", d{"name": "Each", "index": 0})
	i1 := add(started, "MapIterationStarted", d{"name": "Each", "index": 1})
	a := add(i0, "TaskStateEntered", d{"name": "Work", "input": "1"})
	b := add(i1, "TaskStateEntered", d{"name": "Work", "input": "2"})
	lambda := d{"resource": "arn:aws:lambda:eu-west-1:123456789012:function:work", "input": "12345"}
	b = add(b, "LambdaFunctionScheduled", lambda)
	a = add(a, "LambdaFunctionScheduled", lambda)
	a = add(a, "LambdaFunctionStarted", nil)
	b = add(b, "LambdaFunctionStarted", nil)
	b = add(b, "LambdaFunctionSucceeded", d{"output": "22"})
	a = add(a, "LambdaFunctionTimedOut", d{"error": "States.Timeout"})
	b = add(b, "TaskStateExited", d{"name": "Work", "output": "22"})
	a = add(a, "TaskStateExited", d{"name": "Work", "output": "{}"})
	add(b, "MapIterationSucceeded", d{"name": "Each", "index": 1})
	a = add(a, "MapIterationSucceeded", d{"name": "Each", "index": 0})
	e = add(a, "MapStateSucceeded", nil)
	e = add(e, "MapStateExited", d{"name": "Each", "output": "[]"})
	e = add(e, "ParallelStateEntered", d{"name": "Both", "input": "[]"})
	both := add(e, "ParallelStateStarted", nil)
	a = add(both, "ChoiceStateEntered", d{"name": "Which", "input": "[]"})
	b = add(both, "TaskStateEntered", d{"name": "Store", "input": "[]"})
	a = add(a, "ChoiceStateExited", d{"name": "Which", "output": "[]"})
	b = add(b, "TaskScheduled", d{"resourceType": "dynamodb", "resource": "putItem", "parameters": "{}"})
	a = add(a, "PassStateEntered", d{"name": "Right", "input": "[]"})
	b = add(b, "TaskStarted", d{"resourceType": "dynamodb", "resource": "putItem"})
	add(a, "PassStateExited", d{"name": "Right", "output": "[]"})
	b = add(b, "TaskSucceeded", d{"resourceType": "dynamodb", "resource": "putItem", "output": "{}"})
	b = add(b, "TaskStateExited", d{"name": "Store", "output": "{}"})
	e = add(b, "ParallelStateSucceeded", nil)
	e = add(e, "ParallelStateExited", d{"name": "Both", "output": "[]"})
	add(e, "ExecutionSucceeded", d{"output": "[]"})
	return events
}

// apiHistory is the story as the API has it, on pages of the given size. The
// times are in seconds, or dates.
func apiHistory(events []happened, page int, dates bool) string {
	var b strings.Builder
	for part := range slices.Chunk(events, page) {
		var list []any
		for _, e := range part {
			object := map[string]any{"id": e.id, "previousEventId": e.previous, "type": e.kind}
			object["timestamp"] = json.Number(fmt.Sprintf("%d.%03d", e.ms/1000, e.ms%1000))
			if dates {
				object["timestamp"] = fmt.Sprintf("2026-10-08T16:%02d:%02d.%03d000+02:00", 5+(e.ms-epochMS+27000)/60000, (e.ms-epochMS+27000)/1000%60, e.ms%1000)
			}
			if e.details != nil {
				key := strings.ToLower(e.kind[:1]) + e.kind[1:] + "EventDetails"
				if strings.HasSuffix(e.kind, "StateEntered") {
					key = "stateEnteredEventDetails"
				}
				if strings.HasSuffix(e.kind, "StateExited") {
					key = "stateExitedEventDetails"
				}
				object[key] = e.details
			}
			list = append(list, object)
		}
		b.WriteString(encoded(map[string]any{"events": list, "nextToken": "x"}) + "\n")
	}
	return b.String()
}

const machine = "arn:aws:states:eu-west-1:123456789012:execution:app:"

// logHistory is the story as its log group has it, line by line.
func logHistory(events []happened, execution string) []string {
	var lines []string
	for _, e := range events {
		details := map[string]any{}
		for key, v := range e.details {
			if n, ok := v.(int); ok {
				v = strconv.Itoa(n)
			}
			details[key] = v
		}
		lines = append(lines, encoded(map[string]any{
			"id": strconv.FormatInt(e.id, 10), "type": e.kind, "details": details, "previous_event_id": strconv.FormatInt(e.previous, 10),
			"event_timestamp": strconv.FormatInt(e.ms, 10), "execution_arn": machine + execution, "redrive_count": "0",
		}))
	}
	return lines
}

// What the story tells of states: which is in which, what follows what, the
// width of the Map and what the Choice chose.
func TestHistoryVisits(t *testing.T) {
	for name, content := range map[string]string{
		"one page": apiHistory(story(), 1000, false), "pages": apiHistory(story(), 7, false), "dates": apiHistory(story(), 1000, true),
	} {
		var got *Execution
		if err := ReadHistory(strings.NewReader(content), "run1.json", func(x *Execution) error {
			got = x
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		at := func(id int64) int64 { return (epochMS + 10*id) * 1_000_000 }
		if got.ID != "run1" || got.Status != "succeeded" || *got.StartNS != at(1) || *got.EndNS != at(41) || got.Missing != 0 || got.Events != 41 {
			t.Errorf("%s: %+v", name, got)
		}
		var tree []string
		for _, v := range got.Visits {
			index := "-"
			if v.MapIndex != nil {
				index = fmt.Sprint(*v.MapIndex)
			}
			tree = append(tree, fmt.Sprintf("%s %s around %d after %d index %s %d to %d", v.Kind, v.State, v.Around, v.After, index, (*v.Entered-at(0))/1e7, (*v.Exited-at(0))/1e7))
		}
		want := []string{
			"Task Resize around -1 after -1 index - 2 to 9",
			"Map Each around -1 after 0 index - 10 to 27",
			"Task Work around 1 after -1 index 0 14 to 23",
			"Task Work around 1 after -1 index 1 15 to 22",
			"Parallel Both around -1 after 1 index - 28 to 40",
			"Choice Which around 4 after -1 index - 30 to 32",
			"Task Store around 4 after -1 index - 31 to 38",
			"Pass Right around 4 after 5 index - 34 to 36",
		}
		if diff := cmp.Diff(want, tree); diff != "" {
			t.Errorf("%s: visits (-want +got):\n%s", name, diff)
		}
		if w := got.Visits[1].Width; w == nil || *w != 2 {
			t.Errorf("%s: the Map has width %v, want 2", name, w)
		}
	}
}

// The API and the log group tell the same story; the log mixes executions and
// hides the account.
func TestHistoryRows(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	read := func(path, format string) []traces.Record {
		rows, _, report, err := ImportAll(t.Context(), Options{Workflow: "app"}, path)
		if err != nil {
			t.Fatal(err)
		}
		if report.Files[0].Format != format || report.Unknown+report.Doubts != 0 || countOf(report.Seen, "task of dynamodb") != int64(len(rows)/4) {
			t.Errorf("%s: read as %s, %+v, %+v", path, report.Files[0].Format, report.Samples, report.Seen)
		}
		return rows
	}
	row := func(execution, state, function string, attempt int32, scheduled, started, ended int64, status string) traces.Record {
		at := func(id int64) *int64 { return ptr((epochMS + 10*id) * 1_000_000) }
		return traces.Record{
			Workflow: "app", Execution: execution, Stage: state, StateName: &state, Function: &function, Statistic: traces.Invocation, Source: traces.Recorded,
			Attempt: &attempt, ScheduledNS: at(scheduled), StartNS: at(started), EndNS: at(ended), Status: &status, TimePrecisionUS: ptr(int64(1000)),
		}
	}
	want := func(execution string) []traces.Record {
		rows := []traces.Record{
			row(execution, "Resize", "resize", 0, 3, 4, 5, "failure"), row(execution, "Resize", "resize", 1, 6, 7, 8, "success"),
			row(execution, "Work", "work", 0, 17, 18, 21, "timeout"), row(execution, "Work", "work", 0, 16, 19, 20, "success"),
		}
		rows[0].ErrorType, rows[0].BytesIn = ptr("Lambda.TooManyRequestsException"), ptr(int64(len(`{"n":1}`)))
		rows[1].RequestID, rows[1].BytesIn, rows[1].BytesOut = ptr(requestA), ptr(int64(len(`{"n":1}`))), ptr(int64(len(`{"ok":true}`)))
		rows[2].ErrorType, rows[2].BytesIn, rows[2].MapIndex = ptr("States.Timeout"), ptr(int64(5)), ptr(int32(0))
		rows[3].BytesIn, rows[3].BytesOut, rows[3].MapIndex = ptr(int64(5)), ptr(int64(2)), ptr(int32(1))
		return rows
	}
	compare := func(what string, want, got []traces.Record) {
		for i := range got {
			got[i].SourceLine = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	twice := apiHistory(story(), 9, false) + apiHistory(story(), 9, true)
	compare("two executions of the API", append(want("run1"), want("run1#2")...), read(write("run1.json", twice), "stepfunctions-history"))

	first, second := logHistory(story(), "one"), logHistory(story(), "two")
	var mixed []string
	for i := range first {
		mixed = append(mixed, first[i], second[len(second)-1-i]) // the second one backwards
	}
	lines := write("states.log", strings.Join(mixed, "\n")+"\n")
	got := read(lines, "cloudwatch-text")
	if len(got) != 8 {
		t.Fatalf("%d rows", len(got))
	}
	slices.SortStableFunc(got, func(a, b traces.Record) int { return strings.Compare(a.Execution, b.Execution) })
	compare("executions of the log", append(want("app:one"), want("app:two")...), got)

	var events []any
	for i, line := range first {
		events = append(events, map[string]any{"logStreamName": "states/app/2026-10-08-14-05/x", "timestamp": epochMS + i, "message": line})
	}
	compare("log by filter-log-events", want("app:one"), read(write("events.json", encoded(map[string]any{"events": events})), "cloudwatch-events"))
}

// A history that lacks events is read as far as it goes, and said to be so.
func TestHistoryWithGaps(t *testing.T) {
	events := story()
	for _, c := range []struct {
		name   string
		events []happened
		rows   int
	}{
		{"without its end", events[:25], 4},
		{"without its beginning", events[9:], 2},
		{"without the middle", slices.Concat(events[:9], events[20:]), 2},
	} {
		var visits, attempts int
		var missing int
		var end *int64
		if err := ReadHistory(strings.NewReader(apiHistory(c.events, 1000, false)), "x", func(x *Execution) error {
			visits, missing, end = len(x.Visits), x.Missing, x.EndNS
			for _, v := range x.Visits {
				for _, a := range v.Attempts {
					if a.Service == "lambda" {
						attempts++
					}
				}
			}
			return nil
		}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if attempts != c.rows || (missing > 0) != (c.name != "without its end") || (end == nil) != (c.name == "without its end") {
			t.Errorf("%s: %d visits, %d attempts, %d missing, end %v", c.name, visits, attempts, missing, end)
		}
	}
}
