package emulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"eevee/live/emulator"
	"eevee/traces/logs"
)

const (
	role     = "arn:aws:iam::123456789012:role/test"
	workflow = `{"StartAt":"Split","States":{
		"Split":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:split:live","Next":"Each"},
		"Each":{"Type":"Map","MaxConcurrency":3,"ItemProcessor":{"StartAt":"Work","States":{
			"Work":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"work","Payload.$":"$"},"ResultSelector":{"n.$":"$.Payload.n"},"End":true}}},"Next":"Both"},
		"Both":{"Type":"Parallel","Branches":[{"StartAt":"Left","States":{"Left":{"Type":"Pass","End":true}}},{"StartAt":"Right","States":{"Right":{"Type":"Pass","End":true}}}],"End":true}}}`
)

// recorder keeps the bodies of answers.
type recorder struct {
	http.RoundTripper
	bodies []string
}

func (r *recorder) RoundTrip(q *http.Request) (*http.Response, error) {
	answer, err := r.RoundTripper.RoundTrip(q)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	r.bodies = append(r.bodies, string(body))
	answer.Body = io.NopCloser(strings.NewReader(string(body)))
	return answer, err
}

// finish waits for the end of an execution.
func finish(t *testing.T, c *sfn.Client, arn *string) *sfn.DescribeExecutionOutput {
	t.Helper()
	for {
		out, err := c.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: arn})
		if err != nil {
			t.Fatal(err)
		}
		if out.Status != types.ExecutionStatusRunning {
			return out
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// An execution of a state machine, its history page by page, and what the
// importer of histories makes of the very bytes that went over the wire.
func TestExecution(t *testing.T) {
	e := start(t, emulator.Options{Handlers: map[string]emulator.Handler{
		"split": func(context.Context, []byte) ([]byte, error) { return []byte(`[{"n":1},{"n":2},{"n":3}]`), nil },
		"work": func(ctx context.Context, payload []byte) ([]byte, error) {
			emulator.InvocationOf(ctx).Duration = 1500 * time.Microsecond
			return payload, nil
		},
	}})
	cfg := client(t, e)
	l, c := lambda.NewFromConfig(cfg), sfn.NewFromConfig(cfg)
	create(t, l, "split", 128)
	create(t, l, "work", 1024)
	if _, err := l.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("split"), Name: aws.String("live"), FunctionVersion: aws.String("$LATEST")}); err != nil {
		t.Fatal(err)
	}
	machine, err := c.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("m"), Definition: aws.String(workflow), RoleArn: aws.String(role), Tags: []types.Tag{{Key: aws.String("by"), Value: aws.String("us")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: machine.StateMachineArn, Name: aws.String("run-1"), Input: aws.String(`{"x":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	out := finish(t, c, run.ExecutionArn)
	const want = `[[{"n":1},{"n":2},{"n":3}],[{"n":1},{"n":2},{"n":3}]]`
	if out.Status != types.ExecutionStatusSucceeded || aws.ToString(out.Output) != want || out.StopDate.Before(*out.StartDate) {
		t.Fatalf("%s %s, want %s", out.Status, aws.ToString(out.Output), want)
	}

	wire := &recorder{RoundTripper: newTransport().Transport}
	pages := sfn.NewGetExecutionHistoryPaginator(sfn.NewFromConfig(cfg, func(o *sfn.Options) { o.HTTPClient = &http.Client{Transport: wire} }),
		&sfn.GetExecutionHistoryInput{ExecutionArn: run.ExecutionArn, MaxResults: 7})
	var events []types.HistoryEvent
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, page.Events...)
	}
	wire.RoundTripper.(*http.Transport).CloseIdleConnections()
	if n := (len(events) + 6) / 7; len(wire.bodies) != n {
		t.Errorf("%d events on %d pages of 7", len(events), len(wire.bodies))
	}
	count := make(map[types.HistoryEventType]int)
	for i, v := range events {
		if v.Id != int64(i+1) || v.PreviousEventId >= v.Id || v.Timestamp == nil {
			t.Errorf("event %d: %+v", i+1, v)
		}
		count[v.Type]++
		if v.Type == types.HistoryEventTypeTaskSucceeded {
			var o struct {
				ExecutedVersion string
				SdkHttpMetadata struct{ HttpHeaders map[string]string }
			}
			if err := json.Unmarshal([]byte(*v.TaskSucceededEventDetails.Output), &o); err != nil || o.ExecutedVersion != "$LATEST" || o.SdkHttpMetadata.HttpHeaders["x-amzn-RequestId"] == "" {
				t.Errorf("output of a task: %s", *v.TaskSucceededEventDetails.Output)
			}
		}
		if !slices.Contains(v.Type.Values(), v.Type) {
			t.Errorf("the SDK does not know events %s", v.Type)
		}
	}
	if diff := cmp.Diff(map[types.HistoryEventType]int{
		"ExecutionStarted": 1, "TaskStateEntered": 4, "LambdaFunctionScheduled": 1, "LambdaFunctionStarted": 1, "LambdaFunctionSucceeded": 1, "TaskStateExited": 4,
		"MapStateEntered": 1, "MapStateStarted": 1, "MapIterationStarted": 3, "TaskScheduled": 3, "TaskStarted": 3, "TaskSucceeded": 3, "MapIterationSucceeded": 3,
		"MapStateSucceeded": 1, "MapStateExited": 1, "ParallelStateEntered": 1, "ParallelStateStarted": 1, "PassStateEntered": 2, "PassStateExited": 2,
		"ParallelStateSucceeded": 1, "ParallelStateExited": 1, "ExecutionSucceeded": 1,
	}, count); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}

	var read *logs.Execution
	if err := logs.ReadHistory(strings.NewReader(strings.Join(wire.bodies, "\n")), "run-1.json", func(x *logs.Execution) error {
		read = x
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var visits []string
	for _, v := range read.Visits {
		visits = append(visits, fmt.Sprintf("%s %s in %d, %d attempts", v.Kind, v.State, v.Around, len(v.Attempts)))
		if v.Exited == nil || *v.Exited < *v.Entered {
			t.Errorf("state %s: entered %v, left %v", v.State, v.Entered, v.Exited)
		}
	}
	slices.Sort(visits)
	if diff := cmp.Diff([]string{
		"Map Each in -1, 0 attempts", "Parallel Both in -1, 0 attempts", "Pass Left in 5, 0 attempts", "Pass Right in 5, 0 attempts",
		"Task Split in -1, 1 attempts", "Task Work in 1, 1 attempts", "Task Work in 1, 1 attempts", "Task Work in 1, 1 attempts",
	}, visits); diff != "" {
		t.Errorf("visits (-want +got):\n%s", diff)
	}
	if read.Missing != 0 || read.Status != "succeeded" || read.Events != len(events) {
		t.Errorf("the importer read %+v", read)
	}
	// The request ids of the history are those of the bill.
	billed := make(map[string]bool)
	bill := e.Bill()
	for _, charge := range bill.Invocations {
		billed[charge.RequestID] = true
	}
	for _, v := range read.Visits {
		if v.State == "Work" && (!billed[v.Attempts[0].RequestID] || v.Attempts[0].Function != "work") {
			t.Errorf("attempt %+v is on no bill", v.Attempts[0])
		}
	}
	// Split, Each, three times Work, Both, Left and Right.
	if bill.Transitions != 8 || bill.TransitionsUSD != 8*0.000025 {
		t.Errorf("billed %d transitions, %v USD", bill.Transitions, bill.TransitionsUSD)
	}
}

func TestStateMachines(t *testing.T) {
	e := start(t, emulator.Options{})
	c := sfn.NewFromConfig(client(t, e))
	ctx := t.Context()
	definition := aws.String(`{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3600,"End":true}}}`)
	machine, err := c.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: aws.String("m"), Definition: definition, RoleArn: aws.String(role)})
	if err != nil {
		t.Fatal(err)
	}
	arn := machine.StateMachineArn
	if again, err := c.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: aws.String("m"), Definition: definition, RoleArn: aws.String(role)}); err != nil || *again.StateMachineArn != *arn {
		t.Errorf("the same again: %v", err)
	}
	var exists *types.StateMachineAlreadyExists
	if _, err := c.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: aws.String("m"), Definition: aws.String(workflow), RoleArn: aws.String(role)}); !errors.As(err, &exists) {
		t.Errorf("another of the same name: %v", err)
	}
	var wrong *types.InvalidDefinition
	if _, err := c.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: aws.String("n"), Definition: aws.String(`{"StartAt":"A","States":{}}`), RoleArn: aws.String(role)}); !errors.As(err, &wrong) {
		t.Errorf("a bad definition: %v", err)
	}
	if out, err := c.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: arn}); err != nil || *out.Definition != *definition || out.Status != types.StateMachineStatusActive {
		t.Errorf("described: %+v %v", out, err)
	}

	// Tags.
	if _, err := c.TagResource(ctx, &sfn.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UntagResource(ctx, &sfn.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	if tags, err := c.ListTagsForResource(ctx, &sfn.ListTagsForResourceInput{ResourceArn: arn}); err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "b" {
		t.Errorf("tags: %+v %v", tags, err)
	}

	// Executions with a name are idempotent while they run.
	begin := func(input string) (*sfn.StartExecutionOutput, error) {
		return c.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: arn, Name: aws.String("x"), Input: &input})
	}
	first, err := begin(`{"a":1}`)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := begin(`{"a":1}`); err != nil || *again.ExecutionArn != *first.ExecutionArn || !again.StartDate.Equal(*first.StartDate) {
		t.Errorf("the same execution again: %+v %v", again, err)
	}
	var already *types.ExecutionAlreadyExists
	if _, err := begin(`{"a":2}`); !errors.As(err, &already) {
		t.Errorf("with another input: %v", err)
	}
	var notJSON *types.InvalidExecutionInput
	if _, err := c.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: arn, Input: aws.String("{")}); !errors.As(err, &notJSON) {
		t.Errorf("with no JSON: %v", err)
	}
	if _, err := c.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: first.ExecutionArn, Error: aws.String("Enough"), Cause: aws.String("of it")}); err != nil {
		t.Fatal(err)
	}
	if out := finish(t, c, first.ExecutionArn); out.Status != types.ExecutionStatusAborted || aws.ToString(out.Error) != "Enough" {
		t.Errorf("stopped: %+v", out)
	}
	if _, err := begin(`{"a":1}`); !errors.As(err, &already) {
		t.Errorf("after its end: %v", err)
	}
	if list, err := c.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: arn, StatusFilter: types.ExecutionStatusAborted}); err != nil || len(list.Executions) != 1 {
		t.Errorf("listed: %+v %v", list, err)
	}

	// What is not there.
	if _, err := c.UpdateStateMachine(ctx, &sfn.UpdateStateMachineInput{StateMachineArn: arn, Definition: aws.String(workflow)}); err != nil {
		t.Error(err)
	}
	if _, err := c.DeleteStateMachine(ctx, &sfn.DeleteStateMachineInput{StateMachineArn: arn}); err != nil {
		t.Error(err)
	}
	var noMachine *types.StateMachineDoesNotExist
	if _, err := c.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: arn}); !errors.As(err, &noMachine) {
		t.Errorf("a deleted machine: %v", err)
	}
	var noExecution *types.ExecutionDoesNotExist
	if _, err := c.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: aws.String(*first.ExecutionArn + "y")}); !errors.As(err, &noExecution) {
		t.Errorf("no execution: %v", err)
	}
	var invalid *types.InvalidArn
	if _, err := c.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: aws.String("x")}); !errors.As(err, &invalid) {
		t.Errorf("no ARN: %v", err)
	}
	var token *types.InvalidToken
	if _, err := c.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: first.ExecutionArn, NextToken: aws.String("!")}); !errors.As(err, &token) {
		t.Errorf("no token: %v", err)
	}
}

// A function that fails, is not there or is throttled fails its task with the
// error that Step Functions names.
func TestTaskErrors(t *testing.T) {
	e := start(t, emulator.Options{Handlers: map[string]emulator.Handler{
		"bad": func(context.Context, []byte) ([]byte, error) {
			return nil, &emulator.FunctionError{Type: "Mine", Message: "no"}
		},
		"busy": func(_ context.Context, p []byte) ([]byte, error) { return p, nil },
	}})
	cfg := client(t, e)
	l, c := lambda.NewFromConfig(cfg), sfn.NewFromConfig(cfg)
	create(t, l, "bad", 128)
	create(t, l, "busy", 128)
	if _, err := l.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("busy"), ReservedConcurrentExecutions: aws.Int32(0)}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"bad": "Mine", "none": "Lambda.ResourceNotFoundException", "busy": "Lambda.TooManyRequestsException"} {
		m, err := c.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{Name: &name, RoleArn: aws.String(role), Definition: aws.String(
			`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"` + name + `"},"End":true}}}`)})
		if err != nil {
			t.Fatal(err)
		}
		x, err := c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: m.StateMachineArn})
		if err != nil {
			t.Fatal(err)
		}
		if out := finish(t, c, x.ExecutionArn); out.Status != types.ExecutionStatusFailed || aws.ToString(out.Error) != want {
			t.Errorf("%s: %s %s (%s), want %s", name, out.Status, aws.ToString(out.Error), aws.ToString(out.Cause), want)
		}
	}
}
