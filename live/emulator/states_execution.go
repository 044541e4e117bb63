package emulator

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"eevee/live/emulator/states"
)

// execution is an execution of a state machine. Emulator.mu guards it.
type execution struct {
	arn, name, input string
	machine          *machine
	start            time.Time
	end              time.Time // zero: it runs
	outcome          states.Outcome
	history          *states.History
	stop             context.CancelCauseFunc
}

func (x *execution) status() string {
	if x.end.IsZero() {
		return "RUNNING"
	}
	return string(x.outcome.Status)
}

// maxInput bounds the input of an execution (Step Functions quotas).
const maxInput = 256 << 10

// executionStart is what StartExecution takes.
type executionStart struct {
	machineInput
	Name  string `json:"name"`
	Input string `json:"input"`
}

func (e *Emulator) startExecution(in *request, m *machine, input executionStart) (reply, error) {
	text, err := jsonText(input.Input)
	if err != nil {
		return reply{}, err
	}
	if len(text) > maxInput {
		return reply{}, bad("InvalidExecutionInput", "Invalid State Machine Execution Input: it has more than %d bytes", maxInput)
	}
	if input.Name == "" {
		input.Name = uuid()
	}
	if !nameOfMachine.MatchString(input.Name) {
		return reply{}, bad("InvalidName", "Invalid Name: '%s'", input.Name)
	}
	arn := e.arn("states", "execution:"+m.name+":"+input.Name)
	if x := e.executions[arn]; x != nil {
		// The same call again, while it runs, is the same execution.
		if x.input != text || !x.end.IsZero() {
			return reply{}, bad("ExecutionAlreadyExists", "Execution Already Exists: '%s'", arn)
		}
		return answer(http.StatusOK, map[string]any{"executionArn": arn, "startDate": seconds(x.start)})
	}
	ctx, stop := context.WithCancelCause(e.ending)
	x := &execution{arn: arn, name: input.Name, input: text, machine: m, start: in.now, history: states.NewHistory(e.now), stop: stop}
	e.executions[arn] = x
	run := &states.Execution{
		ARN: arn, Name: x.name, Role: m.role, Machine: m.name, MachineARN: m.arn, Input: text, Start: x.start, History: x.history,
		Jitter: rand.New(rand.NewPCG(e.options.Seed, uint64(len(e.executions)))), Invoke: e.invokeTask,
	}
	program := m.program
	e.work.Go(func() {
		defer stop(nil)
		outcome := program.Run(ctx, run)
		e.mu.Lock()
		defer e.mu.Unlock()
		x.outcome, x.end = outcome, e.now()
		n := x.history.Transitions()
		e.bill.Transitions += n
		e.bill.TransitionsUSD += float64(n) * e.options.Services.Standard.USDPerTransition
	})
	return answer(http.StatusOK, map[string]any{"executionArn": arn, "startDate": seconds(x.start)})
}

// invokeTask invokes a function for a state machine.
func (e *Emulator) invokeTask(ctx context.Context, call states.Invocation) (states.Answer, *states.Failure) {
	id := uuid()
	in := &request{Context: ctx, id: id, path: map[string]string{"function": call.Function}, query: map[string][]string{}, now: e.now()}
	if call.Version != "" {
		in.query.Set("Qualifier", call.Version)
	}
	e.mu.Lock()
	v, err := e.admit(in)
	e.mu.Unlock()
	if err != nil {
		var refused *apiError
		errors.As(err, &refused)
		return states.Answer{}, &states.Failure{
			Error: "Lambda." + refused.Code,
			Cause: fmt.Sprintf("%s (Service: Lambda, Status Code: %d, Request ID: %s)", refused.Message, refused.Status, id),
		}
	}
	out, _ := e.run(ctx, v, id, call.Function, call.Payload, "")
	if out.functionError == "" {
		return states.Answer{Payload: out.payload, Version: v.number, RequestID: id}, nil
	}
	var said struct {
		Type string `json:"errorType"`
	}
	_ = json.Unmarshal(out.payload, &said) // what is no object has no type
	if said.Type == "" {
		said.Type = "Lambda.Unknown"
	}
	return states.Answer{}, &states.Failure{Error: said.Type, Cause: string(out.payload)}
}

// findExecution finds an execution. The caller holds e.mu.
func (e *Emulator) findExecution(arn string) (*execution, error) {
	if !strings.HasPrefix(arn, "arn:aws:states:") {
		return nil, bad("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: %s'", arn)
	}
	x := e.executions[arn]
	if x == nil {
		return nil, bad("ExecutionDoesNotExist", "Execution Does Not Exist: '%s'", arn)
	}
	return x, nil
}

// executionInput names an execution.
type executionInput struct {
	ARN string `json:"executionArn"`
}

func (in executionInput) arn() string { return in.ARN }

func (e *Emulator) describeExecution(in *request, x *execution, _ executionInput) (reply, error) {
	out := map[string]any{
		"executionArn": x.arn, "stateMachineArn": x.machine.arn, "name": x.name, "status": x.status(), "startDate": seconds(x.start),
		"input": x.input, "inputDetails": map[string]bool{"included": true}, "redriveCount": 0, "redriveStatus": "NOT_REDRIVABLE",
	}
	if !x.end.IsZero() {
		out["stopDate"] = seconds(x.end)
	}
	for name, value := range map[string]string{"output": x.outcome.Output, "error": x.outcome.Error, "cause": x.outcome.Cause} {
		if value != "" {
			out[name] = value
		}
	}
	if x.outcome.Output != "" {
		out["outputDetails"] = map[string]bool{"included": true}
	}
	return answer(http.StatusOK, out)
}

// executionStop is what StopExecution takes.
type executionStop struct {
	executionInput
	Error string `json:"error"`
	Cause string `json:"cause"`
}

func (e *Emulator) stopExecution(in *request, x *execution, input executionStop) (reply, error) {
	if !x.end.IsZero() {
		return answer(http.StatusOK, map[string]any{"stopDate": seconds(x.end)})
	}
	x.stop(&states.Stop{Name: input.Error, Cause: input.Cause})
	return answer(http.StatusOK, map[string]any{"stopDate": seconds(in.now)})
}

// executionFilter is what ListExecutions takes.
type executionFilter struct {
	machineInput
	Status string `json:"statusFilter"`
}

func (e *Emulator) listExecutions(in *request, _ *machine, input executionFilter) (reply, error) {
	found := []*execution{}
	for _, x := range e.executions {
		if x.machine.arn == input.ARN && (input.Status == "" || input.Status == x.status()) {
			found = append(found, x)
		}
	}
	// The latest first.
	slices.SortFunc(found, func(a, b *execution) int {
		if c := b.start.Compare(a.start); c != 0 {
			return c
		}
		return strings.Compare(a.arn, b.arn)
	})
	list := []map[string]any{}
	for _, x := range found {
		item := map[string]any{"executionArn": x.arn, "stateMachineArn": input.ARN, "name": x.name, "status": x.status(), "startDate": seconds(x.start)}
		if !x.end.IsZero() {
			item["stopDate"] = seconds(x.end)
		}
		list = append(list, item)
	}
	return answer(http.StatusOK, map[string]any{"executions": list})
}

// Events of a page of GetExecutionHistory: by default and at most.
const (
	eventsOfPage = 100
	maxEvents    = 1000
)

func (e *Emulator) getExecutionHistory(in *request) (reply, error) {
	var input struct {
		ARN     string `json:"executionArn"`
		Most    int    `json:"maxResults"`
		Reverse bool   `json:"reverseOrder"`
		Token   string `json:"nextToken"`
		Data    *bool  `json:"includeExecutionData"`
	}
	if err := in.read(&input); err != nil {
		return reply{}, err
	}
	if input.Most < 0 || input.Most > maxEvents {
		return reply{}, bad("ValidationException", "1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to %d", input.Most, maxEvents)
	}
	if input.Most == 0 {
		input.Most = eventsOfPage
	}
	from := 0
	if input.Token != "" {
		text, err := base64.RawURLEncoding.DecodeString(input.Token)
		if err == nil {
			from, err = strconv.Atoi(string(text))
		}
		if err != nil || from < 0 {
			return reply{}, bad("InvalidToken", "Invalid Token: 'Invalid token'")
		}
	}
	e.mu.Lock()
	x, err := e.findExecution(input.ARN)
	e.mu.Unlock()
	if err != nil {
		return reply{}, err
	}
	all := slices.Clone(x.history.Events())
	if input.Reverse {
		slices.Reverse(all)
	}
	from = min(from, len(all))
	to := min(len(all), from+input.Most)
	events := []map[string]any{}
	for _, v := range all[from:to] {
		events = append(events, wireEvent(v, input.Data == nil || *input.Data))
	}
	out := map[string]any{"events": events}
	if to < len(all) {
		out["nextToken"] = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return answer(http.StatusOK, out)
}

// wireEvent writes an event, without the data of the execution if they are not
// wanted.
func wireEvent(v states.Event, data bool) map[string]any {
	out := map[string]any{"id": v.ID, "previousEventId": v.Previous, "type": v.Type, "timestamp": seconds(v.At)}
	if v.Details == nil {
		return out
	}
	details := make(map[string]any, len(v.Details))
	for name, value := range v.Details {
		if data || !slices.Contains([]string{"input", "output", "parameters", "cause"}, name) {
			details[name] = value
		}
	}
	out[v.DetailsKey()] = details
	return out
}
