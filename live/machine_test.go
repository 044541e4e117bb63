package live_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"eevee/live"
	"eevee/live/emulator"
	"eevee/models"
	"eevee/traces"
)

// labMachine executes the workflow of the lab: left in a Map through the
// integration of Lambda, right and join by the names of their functions.
const labMachine = `{
  "StartAt": "both",
  "States": {
    "both": {
      "Type": "Parallel", "Next": "join", "ResultPath": null,
      "Branches": [
        {"StartAt": "each", "States": {"each": {"Type": "Map", "ItemsPath": "$.parts", "End": true, "ItemProcessor": {"StartAt": "left", "States": {
          "left": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "fn-left", "Payload.$": "$"}, "End": true}}}}}},
        {"StartAt": "right", "States": {"right": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:fn-right", "InputPath": "$.parts[0]", "End": true}}}
      ]
    },
    "join": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:fn-join", "InputPath": "$.parts[0]", "End": true}
  }
}`

// steps is a client of the test's own for Step Functions.
func (l *lab) steps() *sfn.Client {
	return sfn.New(sfn.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(l.emulator.URL()), HTTPClient: plain{l.t},
		Credentials: credentials.NewStaticCredentialsProvider(emulator.AccessKey, emulator.Secret, ""),
	})
}

// machine makes the state machine of the lab.
func (l *lab) machine(definition string) string {
	l.t.Helper()
	out, err := l.steps().CreateStateMachine(l.t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("lab"), Definition: &definition, RoleArn: aws.String("arn:aws:iam::123456789012:role/states"),
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return *out.StateMachineArn
}

// machines lists the state machines of the account.
func (l *lab) machines() []string {
	l.t.Helper()
	out, err := l.steps().ListStateMachines(l.t.Context(), &sfn.ListStateMachinesInput{})
	if err != nil {
		l.t.Fatal(err)
	}
	var names []string
	for _, m := range out.StateMachines {
		names = append(names, *m.Name)
	}
	return names
}

// byMachine is the request of the lab by its state machine, whose input has an
// item for every instance of left.
func (l *lab) byMachine(arn, input string) live.Request {
	l.t.Helper()
	r := l.request()
	template, err := live.ParseTemplate([]byte(input))
	if err != nil {
		l.t.Fatal(err)
	}
	r.Targets, r.Machine = nil, &live.Machine{ARN: arn, Input: template}
	at := func(right int) models.Config {
		return models.Config{l.def.StageConfig(256, 2), l.def.StageConfig(right, 1), l.def.StageConfig(512, 1)}
	}
	r.Configs = []models.Config{at(256), at(512)}
	return r
}

const twoParts = `{"parts": [{"Instance": 0}, {"Instance": 1}]}`

// Executions of a state machine give the same rows as direct ones, the same
// bill with its transitions, and leave nothing behind.
func TestProfileByStateMachine(t *testing.T) {
	for _, inPlace := range []bool{false, true} {
		t.Run(fmt.Sprint("in place ", inPlace), func(t *testing.T) {
			l := newLab(t, emulator.Options{Settle: 2 * time.Millisecond}, steady)
			r := l.byMachine(l.machine(labMachine), twoParts)
			r.InPlace = inPlace
			out, err := execute(t, l.open(settings), r)
			if err != nil {
				t.Fatalf("%v\n%+v", err, out)
			}
			l.untouched()
			if names := l.machines(); len(names) != 1 || names[0] != "lab" {
				t.Errorf("state machines %q are left", names)
			}
			bill := l.emulator.Bill()
			if got, want := out.Spend.BilledUSD, bill.USD(); math.Abs(got-want) > 1e-12 {
				t.Errorf("spent %v USD, the account was charged %v (%d transitions)", got, want, bill.Transitions)
			}
			invocations := 0
			for _, row := range l.rows() {
				if row.Statistic == traces.Run {
					continue
				}
				invocations++
				if row.Cold == nil || row.BilledMS == nil || *row.DurationUS != 40_000 || row.StateName == nil {
					t.Errorf("row %+v", row)
				}
				if reports := row.Read != nil; reports != (row.Stage == "left") {
					t.Errorf("stage %s: steps reported: %v; only the integration of Lambda tells whose answer it is", row.Stage, reports)
				}
			}
			if want := 2 * 3 * 4; invocations != want || len(bill.Invocations) != want {
				t.Errorf("%d rows of invocations, %d charged, want %d", invocations, len(bill.Invocations), want)
			}
		})
	}
}

// An execution that is given more items than its configuration says is stopped,
// and ends the session.
func TestWideMapIsStopped(t *testing.T) {
	l := newLab(t, emulator.Options{}, steady)
	items, err := json.Marshal(make([]struct{}, 30))
	if err != nil {
		t.Fatal(err)
	}
	slow := strings.Replace(labMachine, `"StartAt": "left", "States": {`, `"StartAt": "pause", "States": {"pause": {"Type": "Wait", "Seconds": 20, "Next": "left"},`, 1)
	out, err := execute(t, l.open(settings), l.byMachine(l.machine(slow), `{"parts": `+string(items)+`}`))
	if err == nil || !strings.Contains(err.Error(), `Map "each" was given 30 items, the configuration says 2`) {
		t.Errorf("error %v", err)
	}
	if len(out.Executions) != 1 {
		t.Errorf("%d executions", len(out.Executions))
	}
	l.untouched()
	if names := l.machines(); len(names) != 1 {
		t.Errorf("state machines %q are left", names)
	}
}

// What could cost more than can be said before is refused before anything is
// changed.
func TestMachinesThatAreRefused(t *testing.T) {
	l := newLab(t, emulator.Options{}, steady)
	loop := strings.Replace(labMachine, `fn-join", "InputPath": "$.parts[0]", "End": true`, `fn-join", "Next": "again"}, "again": {"Type": "Choice", "Choices": [{"Variable": "$.x", "BooleanEquals": true, "Next": "both"}], "Default": "end"}, "end": {"Type": "Succeed"`, 1)
	dynamic := strings.Replace(labMachine, `"FunctionName": "fn-left"`, `"FunctionName.$": "$.name"`, 1)
	extra := strings.Replace(labMachine, `fn-join", "InputPath": "$.parts[0]", "End": true`, `fn-join", "Next": "more"}, "more": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:fn-join", "End": true`, 1)
	for definition, want := range map[string]string{
		loop: "is in a loop", dynamic: "is known only when it runs", extra: `state "more" invokes function "fn-join", but the workflow has no such stage`,
	} {
		arn := l.machine(definition)
		_, err := live.Prepare(t.Context(), l.open(settings), l.byMachine(arn, twoParts))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if _, err := l.steps().DeleteStateMachine(t.Context(), &sfn.DeleteStateMachineInput{StateMachineArn: &arn}); err != nil {
			t.Fatal(err)
		}
	}
	l.untouched()
}
