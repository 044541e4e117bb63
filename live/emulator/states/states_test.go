package states

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const function = "arn:aws:lambda:us-east-1:123456789012:function:"

// invoked answers tasks: double doubles a number, say returns its input, fail
// fails, flaky fails twice, slow waits for the end of its context.
func invoker(t *testing.T) func(context.Context, Invocation) (Answer, *Failure) {
	var calls atomic.Int64
	return func(ctx context.Context, c Invocation) (Answer, *Failure) {
		name := c.Function[strings.LastIndex(c.Function, ":")+1:]
		a := Answer{Payload: c.Payload, Version: "$LATEST", RequestID: "r-" + name}
		switch name {
		case "double":
			var n float64
			if err := json.Unmarshal(c.Payload, &n); err != nil {
				t.Errorf("double: %s: %v", c.Payload, err)
			}
			a.Payload = fmt.Append(nil, 2*n)
		case "fail":
			return a, &Failure{Error: "Mine", Cause: `{"errorType":"Mine"}`}
		case "flaky":
			if calls.Add(1) <= 2 {
				return a, &Failure{Error: "Lambda.TooManyRequestsException"}
			}
		case "slow":
			<-ctx.Done()
			return a, &Failure{Error: "gone"}
		}
		return a, nil
	}
}

func execute(t *testing.T, definition, input string) (Outcome, []Event) {
	t.Helper()
	return executeUnder(t, t.Context(), definition, input)
}

func executeUnder(t *testing.T, ctx context.Context, definition, input string) (Outcome, []Event) {
	t.Helper()
	m, err := Parse(definition)
	if err != nil {
		t.Fatal(err)
	}
	h := NewHistory(time.Now)
	out := m.Run(ctx, &Execution{
		ARN: "arn:aws:states:us-east-1:123456789012:execution:m:x", Name: "x", Role: "arn:aws:iam::123456789012:role/r", Machine: "m",
		Input: input, Start: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Invoke: invoker(t), History: h, Jitter: rand.New(rand.NewPCG(1, 1)),
	})
	return out, h.Events()
}

// one makes a machine of one state.
func one(members string) string {
	return `{"StartAt":"A","States":{"A":{` + members + `,"End":true}}}`
}

// What a state makes of its input, by the rules of the language.
func TestData(t *testing.T) {
	for name, c := range map[string]struct{ definition, input, output string }{
		"task":              {one(`"Type":"Task","Resource":"` + function + `double"`), `21`, `42`},
		"input path":        {one(`"Type":"Task","Resource":"` + function + `double","InputPath":"$.a[1]"`), `{"a":[1,4]}`, `8`},
		"parameters":        {one(`"Type":"Task","Resource":"` + function + `say","Parameters":{"x.$":"$.a","y":{"z.$":"$$.State.Name"},"k":1}`), `{"a":[1]}`, `{"k":1,"x":[1],"y":{"z":"A"}}`},
		"result path":       {one(`"Type":"Task","Resource":"` + function + `double","InputPath":"$.n","ResultPath":"$.m.twice"`), `{"n":3}`, `{"m":{"twice":6},"n":3}`},
		"result dropped":    {one(`"Type":"Task","Resource":"` + function + `double","InputPath":"$.n","ResultPath":null`), `{"n":3}`, `{"n":3}`},
		"output path":       {one(`"Type":"Task","Resource":"` + function + `say","OutputPath":"$.b"`), `{"a":1,"b":2}`, `2`},
		"no output":         {one(`"Type":"Pass","OutputPath":null`), `{"a":1}`, `{}`},
		"selector":          {one(`"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"say","Payload.$":"$"},"ResultSelector":{"p.$":"$.Payload.a","s.$":"$.StatusCode","r.$":"$.SdkResponseMetadata.RequestId"}`), `{"a":1}`, `{"p":1,"r":"r-say","s":200}`},
		"pass":              {one(`"Type":"Pass","Result":{"x":1},"ResultPath":"$.p"`), `{"a":1}`, `{"a":1,"p":{"x":1}}`},
		"pass parameters":   {one(`"Type":"Pass","Parameters":{"b.$":"$.a"}`), `{"a":1}`, `{"b":1}`},
		"large numbers":     {one(`"Type":"Pass"`), `{"a":12345678901234567890}`, `{"a":12345678901234567890}`},
		"markup":            {one(`"Type":"Pass"`), `"<a>&"`, `"<a>&"`},
		"wait":              {one(`"Type":"Wait","SecondsPath":"$.s"`), `{"s":0.01}`, `{"s":0.01}`},
		"wait for the past": {one(`"Type":"Wait","Timestamp":"2020-01-01T00:00:00Z"`), `1`, `1`},
		"succeed":           {`{"StartAt":"A","States":{"A":{"Type":"Succeed","InputPath":"$.a"}}}`, `{"a":7}`, `7`},
		"format":            {one(`"Type":"Pass","Parameters":{"s.$":"States.Format('a {} of {}, it\\'s {}', $.n, $.l[0], States.MathAdd($.n, 1))"}`), `{"n":1,"l":["x"]}`, `{"s":"a 1 of x, it's 2"}`},
		"arrays":            {one(`"Type":"Pass","Parameters":{"r.$":"States.ArrayRange(0, 3, 1)","n.$":"States.ArrayLength($.l)","g.$":"States.ArrayGetItem($.l, 1)","a.$":"States.Array($.l[0], 'b', null, true)"}`), `{"l":[5,6]}`, `{"a":[5,"b",null,true],"g":6,"n":2,"r":[0,1,2,3]}`},
		"text and json":     {one(`"Type":"Pass","Parameters":{"j.$":"States.StringToJson($.t)","t.$":"States.JsonToString($.t)"}`), `{"t":"{\"a\":1}"}`, `{"j":{"a":1},"t":"\"{\\\"a\\\":1}\""}`},
		"all items":         {one(`"Type":"Pass","Parameters":{"x.$":"$.l[*].a"}`), `{"l":[{"a":1},{"b":2},{"a":3}]}`, `{"x":[1,3]}`},
		"parallel": {one(`"Type":"Parallel","Branches":[{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"` + function + `double","End":true}}},{"StartAt":"C","States":{"C":{"Type":"Pass","End":true}}}]`),
			`3`, `[6,3]`},
		"map": {one(`"Type":"Map","ItemsPath":"$.l","MaxConcurrency":2,"ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"` + function + `double","End":true}}}`),
			`{"l":[1,2,3,4,5]}`, `[2,4,6,8,10]`},
		"map with a selector": {one(`"Type":"Map","ItemsPath":"$.l","ItemSelector":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value","k.$":"$.k"},"ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Pass","End":true}}},"ResultPath":"$.l"`),
			`{"k":"x","l":[8,9]}`, `{"k":"x","l":[{"i":0,"k":"x","v":8},{"i":1,"k":"x","v":9}]}`},
		"map of nothing": {one(`"Type":"Map","Iterator":{"StartAt":"B","States":{"B":{"Type":"Pass","End":true}}}`), `[]`, `[]`},
	} {
		out, _ := execute(t, c.definition, c.input)
		if out.Status != Succeeded || out.Output != c.output {
			t.Errorf("%s: %s %s (%s: %s), want %s", name, out.Status, out.Output, out.Error, out.Cause, c.output)
		}
	}
}

// The comparisons of a Choice, and what they do with values of other kinds.
func TestChoice(t *testing.T) {
	for rule, inputs := range map[string]map[string]bool{
		`"Variable":"$.x","NumericEquals":1`:                                                             {`{"x":1.0}`: true, `{"x":2}`: false, `{"x":"1"}`: false},
		`"Variable":"$.x","NumericGreaterThanEquals":1`:                                                  {`{"x":1}`: true, `{"x":0.5}`: false},
		`"Variable":"$.x","NumericLessThanPath":"$.y"`:                                                   {`{"x":1,"y":2}`: true, `{"x":2,"y":1}`: false},
		`"Variable":"$.x","StringLessThan":"b"`:                                                          {`{"x":"a"}`: true, `{"x":"b"}`: false},
		`"Variable":"$.x","StringMatches":"log-*.txt"`:                                                   {`{"x":"log-/a?.txt"}`: true, `{"x":"log-a.csv"}`: false},
		`"Variable":"$.x","StringMatches":"a\\*"`:                                                        {`{"x":"a*"}`: true, `{"x":"ab"}`: false},
		`"Variable":"$.x","BooleanEquals":true`:                                                          {`{"x":true}`: true, `{"x":false}`: false, `{"x":1}`: false},
		`"Variable":"$.x","TimestampLessThan":"2026-01-02T00:00:00Z"`:                                    {`{"x":"2026-01-02T00:00:00+01:00"}`: true, `{"x":"2026-01-03T00:00:00Z"}`: false},
		`"Variable":"$.x","IsPresent":true`:                                                              {`{"x":null}`: true, `{}`: false},
		`"Variable":"$.x","IsNull":true`:                                                                 {`{"x":null}`: true, `{"x":0}`: false},
		`"Variable":"$.x","IsNumeric":false`:                                                             {`{"x":"a"}`: true, `{"x":1}`: false},
		`"And":[{"Variable":"$.x","NumericGreaterThan":0},{"Not":{"Variable":"$.x","NumericEquals":5}}]`: {`{"x":1}`: true, `{"x":5}`: false, `{"x":-1}`: false},
		`"Or":[{"Variable":"$.x","NumericLessThan":0},{"Variable":"$.x","NumericGreaterThan":9}]`:        {`{"x":-1}`: true, `{"x":10}`: true, `{"x":5}`: false},
	} {
		definition := `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{` + rule + `,"Next":"Y"}],"Default":"N"},"Y":{"Type":"Pass","Result":true,"End":true},"N":{"Type":"Pass","Result":false,"End":true}}}`
		for input, want := range inputs {
			if out, _ := execute(t, definition, input); out.Output != fmt.Sprint(want) {
				t.Errorf("%s of %s: %+v, want %v", rule, input, out, want)
			}
		}
	}
	out, _ := execute(t, `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.x","IsNull":true,"Next":"Y"}]},"Y":{"Type":"Succeed"}}}`, `{"x":1}`)
	if out.Error != "States.NoChoiceMatched" {
		t.Errorf("without a default: %+v", out)
	}
}

// types are the types of events, with the id of the one that each follows.
func types(events []Event) []string {
	var list []string
	for _, e := range events {
		list = append(list, fmt.Sprintf("%d<%d %s", e.ID, e.Previous, e.Type))
	}
	return list
}

// The chains of events are those that the Step Functions API reference and the
// recordings of package traces/logs have.
func TestHistories(t *testing.T) {
	retry := `"Retry":[{"ErrorEquals":["Lambda.TooManyRequestsException"],"IntervalSeconds":0,"MaxAttempts":5}]`
	for name, c := range map[string]struct {
		definition string
		status     Status
		want       []string
	}{
		"retry": {one(`"Type":"Task","Resource":"` + function + `flaky",` + retry), Succeeded, []string{
			"1<0 ExecutionStarted", "2<1 TaskStateEntered", "3<2 LambdaFunctionScheduled", "4<3 LambdaFunctionStarted", "5<4 LambdaFunctionFailed",
			"6<5 LambdaFunctionScheduled", "7<6 LambdaFunctionStarted", "8<7 LambdaFunctionFailed", "9<8 LambdaFunctionScheduled",
			"10<9 LambdaFunctionStarted", "11<10 LambdaFunctionSucceeded", "12<11 TaskStateExited", "13<12 ExecutionSucceeded",
		}},
		"failure": {one(`"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"fail"}`), Failed, []string{
			"1<0 ExecutionStarted", "2<1 TaskStateEntered", "3<2 TaskScheduled", "4<3 TaskStarted", "5<4 TaskFailed", "6<5 ExecutionFailed",
		}},
		"catch": {`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"` + function + `fail","Catch":[{"ErrorEquals":["States.TaskFailed"],"Next":"B"}],"End":true},"B":{"Type":"Succeed"}}}`, Succeeded, []string{
			"1<0 ExecutionStarted", "2<1 TaskStateEntered", "3<2 LambdaFunctionScheduled", "4<3 LambdaFunctionStarted", "5<4 LambdaFunctionFailed",
			"6<5 TaskStateExited", "7<6 SucceedStateEntered", "8<7 SucceedStateExited", "9<8 ExecutionSucceeded",
		}},
		"fail": {`{"StartAt":"A","States":{"A":{"Type":"Fail","Error":"E","Cause":"C"}}}`, Failed, []string{
			"1<0 ExecutionStarted", "2<1 FailStateEntered", "3<2 ExecutionFailed",
		}},
		"map, one at a time": {one(`"Type":"Map","MaxConcurrency":1,"ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Pass","End":true}}}`), Succeeded, []string{
			"1<0 ExecutionStarted", "2<1 MapStateEntered", "3<2 MapStateStarted", "4<3 MapIterationStarted", "5<4 PassStateEntered", "6<5 PassStateExited",
			"7<6 MapIterationSucceeded", "8<3 MapIterationStarted", "9<8 PassStateEntered", "10<9 PassStateExited", "11<10 MapIterationSucceeded",
			"12<11 MapStateSucceeded", "13<12 MapStateExited", "14<13 ExecutionSucceeded",
		}},
		"timeout of a task": {one(`"Type":"Task","Resource":"` + function + `slow","TimeoutSeconds":0.02`), Failed, []string{
			"1<0 ExecutionStarted", "2<1 TaskStateEntered", "3<2 LambdaFunctionScheduled", "4<3 LambdaFunctionStarted", "5<4 LambdaFunctionTimedOut", "6<5 ExecutionFailed",
		}},
		"timeout of the machine": {`{"TimeoutSeconds":0.02,"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":60,"End":true}}}`, TimedOut, []string{
			"1<0 ExecutionStarted", "2<1 WaitStateEntered", "3<2 ExecutionTimedOut",
		}},
		"a branch fails": {one(`"Type":"Parallel","Branches":[{"StartAt":"B","States":{"B":{"Type":"Fail","Error":"E"}}}]`), Failed, []string{
			"1<0 ExecutionStarted", "2<1 ParallelStateEntered", "3<2 ParallelStateStarted", "4<3 FailStateEntered", "5<4 ParallelStateFailed", "6<5 ExecutionFailed",
		}},
	} {
		out, events := execute(t, c.definition, `[1,2]`)
		if diff := cmp.Diff(c.want, types(events)); out.Status != c.status || diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", name, out.Status, diff)
		}
	}
}

// What is billed: every state that is entered, and every retry.
func TestTransitions(t *testing.T) {
	m, err := Parse(one(`"Type":"Map","ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"` + function + `flaky","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":0}],"End":true}}}`))
	if err != nil {
		t.Fatal(err)
	}
	h := NewHistory(time.Now)
	m.Run(t.Context(), &Execution{Input: `[1,2,3]`, Invoke: invoker(t), History: h})
	if got := h.Transitions(); got != 1+3+2 {
		t.Errorf("%d transitions; a Map, three tasks and two retries are 6", got)
	}
}

func TestStop(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { stop(&Stop{"Why", "because"}) })
	out, events := executeUnder(t, ctx, one(`"Type":"Map","ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Wait","Seconds":60,"End":true}}}`), `[1,2]`)
	if out.Status != Aborted || out.Error != "Why" || out.Cause != "because" || events[len(events)-1].Type != "ExecutionAborted" {
		t.Errorf("%+v\n%v", out, types(events))
	}
}

func TestRefused(t *testing.T) {
	for definition, want := range map[string]string{
		`{`: "", `{"StartAt":"A","States":{"A":{"Type":"Pass"}}}`: "",
		`{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Succeed"}}}`:                                                  "JSONata",
		one(`"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage"`):                                                             "sqs",
		one(`"Type":"Map","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED"},"StartAt":"B","States":{"B":{"Type":"Succeed"}}}`): "distributed",
		one(`"Type":"Pass","InputPath":"$.a[?(@.b)]"`):                                                                                 "[*]",
		`{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.x","Similar":1,"Next":"C"}]}}}`:                       "Similar",
	} {
		if _, err := Parse(definition); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", definition, err, want)
		}
	}
	out, _ := execute(t, one(`"Type":"Pass","InputPath":"$.nothing"`), `{}`)
	if out.Status != Failed || out.Error != "States.Runtime" || !strings.Contains(out.Cause, "$.nothing") {
		t.Errorf("a path that leads nowhere: %+v", out)
	}
}
