package asl_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/models/asl"
)

func parse(t *testing.T, text string) *asl.Machine {
	t.Helper()
	m, err := asl.Parse("m.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// every has one state of every type, and most fields.
const every = `{
  "Comment": "every type", "StartAt": "a", "TimeoutSeconds": 60,
  "States": {
    "a": {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:first:live", "Next": "b",
      "TimeoutSeconds": 5, "HeartbeatSeconds": 2,
      "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 1.5, "MaxDelaySeconds": 5, "JitterStrategy": "FULL"}, {"ErrorEquals": ["States.ALL"]}],
      "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "z"}]},
    "b": {"Type": "Parallel", "Next": "c", "Branches": [
      {"StartAt": "x", "States": {"x": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "Parameters": {"FunctionName": "${Handler}:$LATEST"}, "End": true}}},
      {"StartAt": "x", "States": {"x": {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "End": true}}}]},
    "c": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "d"}, {"Condition": "{% $n %}", "Next": "a"}], "Default": "d"},
    "d": {"Type": "Map", "Next": "w", "MaxConcurrency": 5, "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
      "StartAt": "y", "States": {"y": {"Type": "Pass", "End": true}}}, "ItemBatcher": {"MaxItemsPerBatch": 10}},
    "w": {"Type": "Wait", "Seconds": 1.5, "Next": "v"},
    "v": {"Type": "Wait", "TimestampPath": "$.t", "Next": "s"},
    "s": {"Type": "Succeed"},
    "z": {"Type": "Fail", "Error": "Custom"}
  }
}`

func TestEveryType(t *testing.T) {
	m := parse(t, every)
	state := func(id string) *asl.State {
		s, ok := m.Lookup(id)
		if !ok {
			t.Fatalf("no state %q", id)
		}
		return s
	}
	a := state("a")
	want := []asl.Retrier{
		{Errors: []string{"E"}, IntervalS: 2, MaxAttempts: 4, Backoff: 1.5, MaxDelayS: 5, FullJitter: true},
		{Errors: []string{"States.ALL"}, IntervalS: 1, MaxAttempts: 3, Backoff: 2},
	}
	if diff := cmp.Diff(want, a.Retry); diff != "" {
		t.Errorf("Retry (-want +got):\n%s", diff)
	}
	if a.Function != "first" || !a.Lambda || a.TimeoutS != 5 || a.Heartbeat != 2 || a.Catch[0].To != state("z") || a.Line != 4 {
		t.Errorf("state a is %+v", a)
	}
	if strings.Contains(a.Resource, "123456789012") {
		t.Errorf("%s still has the account", a.Resource)
	}
	x1, x2 := state("b/1/x"), state("b/2/x")
	if x1.Function != "${Handler}" || !x1.Callback || x2.Lambda || x2.Function != "" {
		t.Errorf("the states x are %+v and %+v", x1, x2)
	}
	if next := state("c").Successors(false); len(next) != 2 || next[0].Name != "d" || next[1].Name != "a" {
		t.Errorf("c leads to %d states", len(next))
	}
	d := state("d").Items
	if !d.Distributed || d.Concurrency() != 5 || d.Batch != 10 || d.Known != -1 || d.Processor.Start != state("y") {
		t.Errorf("Map d is %+v", d)
	}
	if w, v := state("w"), state("v"); w.WaitS != 1.5 || w.Dynamic || !v.Dynamic {
		t.Errorf("waits are %+v and %+v", w, v)
	}
	if m.TimeoutS != 60 || m.Comment != "every type" || m.Start != a || state("z").Error != "Custom" || len(m.Warnings) > 0 {
		t.Errorf("machine %+v", m)
	}
}

// What the AWS command line prints of a state machine holds its definition.
func TestDescribedMachine(t *testing.T) {
	m := parse(t, `{"stateMachineArn": "arn", "name": "n", "definition": "{\"StartAt\":\"a\",\"States\":{\"a\":{\"Type\":\"Succeed\"}}}"}`)
	if m.Name != "n" || m.Start.Name != "a" {
		t.Errorf("read %q starting at %q", m.Name, m.Start.Name)
	}
}

func TestRefusals(t *testing.T) {
	task := func(body string) string {
		return `{"StartAt": "a", "States": {"a": {"Type": "Task", "Resource": "f", "End": true` + body + "}}}"
	}
	for _, c := range []struct{ text, want string }{
		{"{\n\"a\": }", "m.json:2: not valid JSON: invalid character '}' looking for beginning of value"},
		{"", "m.json:1: not valid JSON: unexpected end of JSON input"},
		{"[]", "m.json:1: a state machine is an object with StartAt and States, not a list"},
		{"{}", "m.json:1: the state machine has no States; is this a definition in the Amazon States Language?"},
		{`{"States": {"a": {"Type": "Succeed"}}}`, "m.json:1: the state machine has no StartAt"},
		{`{"StartAt": "b", "States": {"a": {"Type": "Succeed"}}}`, `m.json:1: StartAt of the state machine names "b", which is not one of its states`},
		{`{"StartAt": "a", "States": {"a": {"Type": "Taks"}}}`, `m.json:1: state "a" has Type "Taks"; the language knows Task, Parallel, Map, Choice, Wait, Pass, Succeed and Fail`},
		{`{"StartAt": "a", "States": {"a": {"Type": "Pass"}}}`, `m.json:1: state "a" has neither Next nor "End": true`},
		{"{\"StartAt\": \"a\", \"States\": {\n\"a\": {\"Type\": \"Pass\",\n\"Next\": \"b\"}}}", `m.json:3: state "a": Next names "b", which is not a state beside it`},
		{`{"StartAt": "a", "States": {"a": {"Type": "Succeed"}, "a": {"Type": "Succeed"}}}`, `m.json:1: there are two states "a" in the state machine; rename one`},
		{`{"StartAt": "a", "States": {"a": {"Type": "Task", "End": true}}}`, `m.json:1: state "a" is a Task but has no Resource`},
		{`{"StartAt": "a", "States": {"a": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}}`, `m.json:1: state "a" invokes a Lambda function, but neither Parameters nor Arguments has a FunctionName`},
		{`{"StartAt": "a", "States": {"a": {"Type": "Wait", "End": true}}}`, `m.json:1: state "a" is a Wait but has none of Seconds, SecondsPath, Timestamp and TimestampPath`},
		{`{"StartAt": "a", "States": {"a": {"Type": "Wait", "Seconds": -1, "End": true}}}`, `m.json:1: state "a" waits -1 s`},
		{`{"StartAt": "a", "States": {"a": {"Type": "Choice", "Choices": []}}}`, `m.json:1: state "a" is a Choice but has no list of Choices`},
		{`{"StartAt": "a", "States": {"a": {"Type": "Choice", "Choices": [{}]}}}`, `m.json:1: state "a": rule 1 has no Next`},
		{`{"StartAt": "a", "States": {"a": {"Type": "Map", "End": true}}}`, `m.json:1: state "a" is a Map but has no ItemProcessor (or Iterator)`},
		{`{"StartAt": "a", "States": {"a": {"Type": "Map", "End": true, "Iterator": 1}}}`, `m.json:1: the processor of state "a" is a number, not an object with StartAt and States`},
		{`{"StartAt": "a", "States": {"a": {"Type": "Parallel", "End": true}}}`, `m.json:1: state "a" is Parallel but has no list of Branches`},
		{task(`, "TimeoutSeconds": 0`), `m.json:1: state "a": TimeoutSeconds is not a number above 0, and at most 99999999`},
		{task(`, "Retry": {}`), `m.json:1: state "a": Retry is an object, not a list`},
		{task(`, "Retry": [{}]`), `m.json:1: state "a": rule 1 of Retry has no list ErrorEquals`},
		{task(`, "Retry": [{"ErrorEquals": ["E"], "BackoffRate": 0.5}]`), `m.json:1: state "a": rule 1 of Retry: BackoffRate is not a number of at least 1`},
		{task(`, "Catch": [{"ErrorEquals": ["E"]}]`), `m.json:1: state "a": rule 1 of Catch has no Next`},
		{`{"StartAt": "a", "QueryLanguage": "SQL", "States": {"a": {"Type": "Succeed"}}}`, `m.json:1: QueryLanguage "SQL" is neither JSONPath nor JSONata`},
		{strings.Repeat("[", 250) + strings.Repeat("]", 250), "m.json:1: values lie more than 200 deep inside each other"},
		// All defects are reported.
		{`{"StartAt": "b", "States": {"a": {"Type": "Pass"}, "c": 1}}`, "m.json:1: state \"c\" is a number, not an object\n" +
			"m.json:1: StartAt of the state machine names \"b\", which is not one of its states\nm.json:1: state \"a\" has neither Next nor \"End\": true"},
	} {
		_, err := asl.Parse("m.json", []byte(c.text))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestUnreachable(t *testing.T) {
	m := parse(t, `{"StartAt": "a", "States": {"a": {"Type": "Succeed"}, "b": {"Type": "Succeed"}}}`)
	if want := []string{`m.json:1: nothing leads to state "b"`}; !cmp.Equal(want, m.Warnings) {
		t.Errorf("warnings %q, want %q", m.Warnings, want)
	}
}

func TestFunctionName(t *testing.T) {
	for text, want := range map[string]string{
		"f":         "f",
		"f:$LATEST": "f",
		"f:7":       "f",
		"arn:aws:lambda:us-east-2:123456789012:function:Structures_f1:$LATEST": "Structures_f1",
		"arn:aws-cn:lambda:cn-north-1:123456789012:function:f":                 "f",
		"123456789012:function:f":                                              "f",
		"${Handler}":                                                           "${Handler}",
		"${Handler}:live":                                                      "${Handler}",
		"${a:b}":                                                               "${a:b}",
		"arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${Name}": "${Name}",
		"$.function": "$.function",
	} {
		if got := asl.FunctionName(text); got != want {
			t.Errorf("%s is function %q, want %q", text, got, want)
		}
	}
}

// The delays are those of the example in the language's specification: 3, 4.5
// and 6.75 s for an interval of 3 s and a rate of 1.5.
func TestDelay(t *testing.T) {
	r := asl.Retrier{IntervalS: 3, Backoff: 1.5}
	capped := asl.Retrier{IntervalS: 3, Backoff: 1.5, MaxDelayS: 5}
	for k, want := range []float64{3, 4.5, 6.75} {
		if got := r.Delay(k + 1); got != want {
			t.Errorf("retry %d after %v s, want %v", k+1, got, want)
		}
		if got := capped.Delay(k + 1); got != min(want, 5) {
			t.Errorf("retry %d after %v s, want %v", k+1, got, min(want, 5))
		}
	}
	if got := capped.Delay(1_000_000_000); got != 5 {
		t.Errorf("the delay grows to %v s", got)
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		named, err string
		want       bool
	}{
		{"A", "A", true}, {"A", "B", false}, {"States.ALL", "A", true}, {"States.ALL", "States.Timeout", true},
		{"States.ALL", "States.Runtime", false}, {"States.ALL", "States.DataLimitExceeded", false},
		{"States.TaskFailed", "A", true}, {"States.TaskFailed", "States.Timeout", false}, {"States.Timeout", "States.Timeout", true},
	} {
		if got := asl.Matches([]string{c.named}, c.err); got != c.want {
			t.Errorf("%s matches %s: %v", c.named, c.err, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(every))
	f.Add([]byte(`{"definition": "{\"StartAt\":\"a\"}", "stateMachineArn": ""}`))
	f.Add([]byte(`{"StartAt":"a","States":{"a":{"Type":"Choice","Choices":[{"Next":"a"},{"Next":"b"}]},"b":{"Type":"Task","Resource":"${F}","Next":"a"}}}`))
	f.Add([]byte("\xef\xbb\xbf{\"StartAt\":\"a\",\"States\":{\"a\":{\"Type\":\"Map\",\"Items\":[1,2],\"Iterator\":{\"StartAt\":\"a\",\"States\":{\"a\":{\"Type\":\"Fail\"}}},\"End\":true}}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := asl.Parse("x", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x") {
				t.Fatalf("the error does not say where: %v", err)
			}
			return
		}
		for _, s := range m.States() {
			if found, ok := m.Lookup(s.ID); !ok || found != s {
				t.Fatalf("state %q is not found by its ID", s.ID)
			}
			for _, to := range s.Successors(true) {
				if to == nil {
					t.Fatalf("state %q leads nowhere", s.ID)
				}
			}
		}
		o := asl.LowerOptions{Loops: map[string]int{}}
		b := &asl.Behaviour{Widths: map[string]asl.Widths{}}
		for _, s := range m.States() {
			o.Loops[s.ID] = 2
			if s.Type == asl.Map {
				b.Widths[s.ID] = asl.Widths{Items: []int{1, 3}, P: []float64{0.5, 0.5}}
			}
		}
		if l, err := asl.Lower(m, b, o); err == nil && l.Workflow.Len() != len(l.Stages) {
			t.Fatal("stages without their origin")
		}
	})
}

func FuzzParseBehaviour(f *testing.F) {
	m, err := asl.Parse("m", []byte(every))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"schema":"eevee.behaviour/1","choices":{"c":{"to":["d","a"],"p":[[0.5,0.5]],"n":[4]}},"widths":{"d":{"items":[1,2],"p":[0.25,0.75]}},"waits_s":{"v":2}}`))
	f.Add([]byte(`{"schema":"eevee.behaviour/1","choices":{},"widths":{},"delays":{"start_s":{"n":2,"values":[0,1]}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if b, err := asl.ParseBehaviour("x", text, m); err == nil {
			if _, err := asl.Lower(m, b, asl.LowerOptions{}); err != nil && !strings.Contains(err.Error(), "state") {
				t.Fatal(err)
			}
		}
	})
}
