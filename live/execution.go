package live

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"eevee/models/asl"
	"eevee/traces"
	"eevee/traces/logs"
)

// logTime is how long the REPORT of an invocation may take to appear in its log
// group.
const logTime = time.Minute

// copyMachine makes the copy of the state machine that executes configuration k.
func (s *stand) copyMachine(ctx context.Context, of *Session, k int) (arn string, err error) {
	m, run := of.machine, s.journal.begin.Run
	name := m.machineName(run, k+1)
	c := of.request.Configs[k]
	text, err := m.definition(c, func(i int) string {
		f := of.functions[of.at[i]]
		return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s:%s", m.partition, s.client.Region, s.client.Account, s.name(f), s.qualifiers[of.at[i]][c[i].Memory])
	})
	if err != nil {
		return "", err
	}
	arn = fmt.Sprintf("arn:%s:states:%s:%s:stateMachine:%s", m.partition, s.client.Region, s.client.Account, name)
	if err := s.note(ctx, change{Kind: createMachine, ARN: arn}); err != nil {
		return "", err
	}
	_, err = s.client.states.CreateStateMachine(context.WithoutCancel(ctx), &sfn.CreateStateMachineInput{
		Name: &name, Definition: &text, RoleArn: &m.role, Type: types.StateMachineTypeStandard,
		Tags: []types.Tag{{Key: aws.String(tagRun), Value: &run}, {Key: aws.String(tagCreator), Value: aws.String(creator)}},
	})
	if err != nil {
		return "", explain("state machine "+m.name+" cannot be copied to "+name, err)
	}
	return arn, nil
}

// byMachine executes the workflow by the copy of the state machine.
func (x *execution) byMachine(ctx context.Context, reserved float64) error {
	arn := executionARN(x.machineARN, x.name)
	input, err := x.session.request.Machine.Input.Fill(func(place string) any { return x.value(place, 0, 0, nil) })
	if err != nil {
		x.bill.Settle(reserved, 0)
		return fatalError{err}
	}
	started, err := x.stand.journal.record(change{Kind: startExecution, ARN: arn})
	if err != nil {
		x.bill.Settle(reserved, 0)
		return fatalError{err}
	}
	// A name is used once: to start it again does nothing.
	_, err = x.client.states.StartExecution(context.WithoutCancel(ctx), &sfn.StartExecutionInput{
		StateMachineArn: &x.machineARN, Name: &x.name, Input: aws.String(string(input)),
	})
	if err != nil && !hasCode(err, codeExecuted) {
		if faultOf(err) == lost {
			x.bill.Lose(reserved)
			return explain("whether execution "+x.name+" was started is not known", err)
		}
		x.bill.Settle(reserved, 0)
		return fatalError{explain("execution "+x.name+" cannot be started", err)}
	}
	usd, err := x.follow(ctx, arn)
	if err != nil {
		// What it did is not known, and so is what it costs.
		x.bill.Lose(reserved)
		return err
	}
	x.bill.Settle(reserved, usd)
	x.usd = usd
	if err := x.stand.journal.strike(started.Number); err != nil {
		return fatalError{err}
	}
	return errors.Join(x.errs...)
}

// executionARN names an execution of a state machine.
func executionARN(machine, name string) string {
	return strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + name
}

// follow waits until an execution has ended and gathers what it did. usd is what
// it was billed.
func (x *execution) follow(ctx context.Context, arn string) (usd float64, err error) {
	c := x.client
	for {
		now, err := c.states.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
		if err == nil && now.Status != types.ExecutionStatusRunning {
			if now.Status != types.ExecutionStatusSucceeded {
				x.errs = append(x.errs, fmt.Errorf("live: execution %s: %s (%s)", x.name, now.Status, aws.ToString(now.Error)))
			}
			break
		}
		if err == nil {
			err = x.checkWidths(ctx, arn)
		}
		if err == nil {
			err = sleep(ctx, c.settings.Poll)
		}
		if err != nil {
			c.stop(ctx, arn)
			return 0, explain("execution "+x.name+" cannot be followed", err)
		}
	}
	events, err := c.history(ctx, arn, true)
	if err != nil {
		return 0, explain("the history of execution "+x.name+" cannot be read", err)
	}
	run, err := readHistory(events)
	if err != nil {
		return 0, err
	}
	if run.StartNS == nil || run.EndNS == nil {
		return 0, fmt.Errorf("live: execution %s: its history does not say when it began and ended", x.name)
	}
	x.began, x.ended = time.Unix(0, *run.StartNS), time.Unix(0, *run.EndNS)
	tried, err := x.attempts(ctx, run)
	if err != nil {
		return 0, err
	}
	transitions := 0 // states entered, and retries
	for _, v := range run.Visits {
		transitions += max(1, len(v.Attempts))
	}
	usd = float64(transitions) * x.session.transitionUSD
	answers := answersOf(events)
	for _, a := range tried {
		f, memory := x.session.functions[x.session.at[a.stage]], x.config[a.stage].Memory
		cost := f.cost(memory, float64(*a.row.BilledMS)/1e3)
		usd += cost
		x.row(a, answers[*a.row.RequestID], cost)
	}
	x.runner.mu.Lock()
	x.out.Invocations += len(tried)
	x.runner.mu.Unlock()
	return usd, nil
}

// checkWidths finds that a Map of an execution got more items than what is
// reserved for the execution pays for.
func (x *execution) checkWidths(ctx context.Context, arn string) error {
	events, err := x.client.history(ctx, arn, false)
	if err != nil {
		return err
	}
	run, err := readHistory(events)
	if err != nil {
		return nil // it is not complete yet
	}
	m := x.session.machine
	for _, v := range run.Visits {
		for _, around := range m.around {
			if around == nil || around.Name != v.State || v.Width == nil {
				continue
			}
			if most := m.width(around, x.config); *v.Width > int64(most) {
				return fatalError{fmt.Errorf("live: Map %q was given %d items, the configuration says %d; its input decides that: see ${parallelism.STAGE} in --input", v.State, *v.Width, most)}
			}
		}
	}
	return nil
}

// stop stops an execution whose session ends.
func (c *Client) stop(ctx context.Context, arn string) {
	// If that fails, the journal has it still.
	_, _ = c.states.StopExecution(context.WithoutCancel(ctx), &sfn.StopExecutionInput{ExecutionArn: &arn, Cause: aws.String("stopped by eevee")})
}

// history reads the events of an execution.
func (c *Client) history(ctx context.Context, arn string, data bool) ([]types.HistoryEvent, error) {
	var events []types.HistoryEvent
	pages := sfn.NewGetExecutionHistoryPaginator(c.states, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, IncludeExecutionData: &data, MaxResults: 1000})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		events = append(events, page.Events...)
	}
	return events, nil
}

// readHistory hands events to the reader of histories, in the form in which the
// command line of AWS prints them.
func readHistory(events []types.HistoryEvent) (*logs.Execution, error) {
	text, err := historyJSON(events)
	if err != nil {
		return nil, err
	}
	var run *logs.Execution
	err = logs.ReadHistory(bytes.NewReader(text), "history.json", func(x *logs.Execution) error {
		run = x
		return nil
	})
	if err == nil && run == nil {
		err = errors.New("live: the history is empty")
	}
	return run, err
}

// tried is one invocation of an execution.
type tried struct {
	stage    int
	mapIndex *int32
	attempt  int
	ready    int64 // ns
	started  *int64
	ended    *int64
	ok       bool
	row      traces.Record
}

// attempts joins the tries of the history with the REPORTs in the log groups of
// their functions.
func (x *execution) attempts(ctx context.Context, run *logs.Execution) ([]tried, error) {
	m := x.session.machine
	var all []tried
	byFunction := make(map[int][]int)
	for _, v := range run.Visits {
		i := slices.IndexFunc(m.states, func(s *asl.State) bool { return s.Name == v.State })
		if i < 0 {
			continue
		}
		ready := v.Entered
		if v.Around >= 0 && run.Visits[v.Around].Kind == "Map" {
			ready = run.Visits[v.Around].Entered
		}
		if ready == nil {
			return nil, fmt.Errorf("live: execution %s: its history does not say when state %q was entered", x.name, v.State)
		}
		for k, a := range v.Attempts {
			if a.Started == nil {
				continue // it never ran
			}
			t := tried{stage: i, mapIndex: v.MapIndex, attempt: k, ready: *ready, started: a.Started, ended: a.Ended, ok: a.Status == "success"}
			if a.RequestID != "" {
				t.row.RequestID = new(a.RequestID)
			}
			byFunction[x.session.at[i]] = append(byFunction[x.session.at[i]], len(all))
			all = append(all, t)
		}
	}
	for k := range x.session.functions {
		if err := x.reports(ctx, x.session.functions[k], *run.StartNS, all, byFunction[k]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// reports fills in the rows of the invocations of a function.
func (x *execution) reports(ctx context.Context, f *function, since int64, all []tried, mine []int) error {
	group := "/aws/lambda/" + x.stand.name(f)
	if l := f.config.LoggingConfig; x.stand.inPlace && l != nil && l.LogGroup != nil {
		group = *l.LogGroup
	}
	deadline := time.Now().Add(logTime)
	for len(mine) > 0 {
		rows, err := x.client.reports(ctx, group, since)
		if err != nil && !hasCode(err, codeNotFound) {
			return explain("log group "+group+" cannot be read", err)
		}
		rows = slices.DeleteFunc(rows, func(r traces.Record) bool { return x.claimed[*r.RequestID] })
		if join(all, mine, rows) {
			for _, k := range mine {
				x.claimed[*all[k].row.RequestID] = true
			}
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("live: execution %s: log group %s does not have the REPORT of all %d invocations; is the system log level WARN?", x.name, group, len(mine))
		}
		if err := sleep(ctx, x.client.settings.Poll); err != nil {
			return err
		}
	}
	return nil
}

// join finds the REPORT of every invocation: by its request, or, where the
// history does not name it, in the order in which they ended. It reports
// whether all have one.
func join(all []tried, mine []int, rows []traces.Record) bool {
	byID := make(map[string]traces.Record)
	for _, r := range rows {
		byID[*r.RequestID] = r
	}
	var nameless []int
	for _, k := range mine {
		id := all[k].row.RequestID
		if id == nil {
			nameless = append(nameless, k)
			continue
		}
		r, ok := byID[*id]
		if !ok || r.BilledMS == nil {
			return false
		}
		all[k].row = r
		delete(byID, *id)
	}
	if len(nameless) == 0 {
		return true
	}
	var rest []traces.Record
	for _, r := range rows {
		if _, ok := byID[*r.RequestID]; ok && r.BilledMS != nil {
			rest = append(rest, r)
		}
	}
	if len(rest) != len(nameless) {
		return false
	}
	slices.SortFunc(rest, func(a, b traces.Record) int { return cmp.Compare(*a.EndNS, *b.EndNS) })
	slices.SortFunc(nameless, func(a, b int) int { return cmp.Compare(instant(all[a].ended), instant(all[b].ended)) })
	for n, k := range nameless {
		all[k].row = rest[n]
	}
	return true
}

func instant(ns *int64) int64 {
	if ns == nil {
		return 0
	}
	return *ns
}

// reports reads the REPORTs in a log group since an instant in ns.
func (c *Client) reports(ctx context.Context, group string, since int64) ([]traces.Record, error) {
	var rows []traces.Record
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(c.logs, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: &group, StartTime: aws.Int64(since/1e6 - 1000), FilterPattern: aws.String(`?"REPORT RequestId" ?"platform.report"`),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			found, err := logs.ReadLog(aws.ToString(e.Message))
			if err != nil {
				return nil, err
			}
			for _, r := range found {
				if r.RequestID == nil {
					continue
				}
				r.EndNS, r.EnvironmentID = new(aws.ToInt64(e.Timestamp)*1e6), e.LogStreamName
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}

// row adds the row of an invocation.
func (x *execution) row(a tried, output json.RawMessage, usd float64) {
	if !a.ok {
		x.warn("stage %q: an invocation failed and was tried again by the state machine", x.session.request.Workflow.Stage(a.stage).Name)
		return
	}
	r := a.row
	x.place(&r, a.stage)
	if output != nil {
		from := answer{row: r, output: output}
		if warning := from.steps(); warning != "" {
			x.warn("function %s: %s", *r.Function, warning)
		}
		r = from.row
	}
	r.MapIndex, r.Attempt, r.StateName = a.mapIndex, new(int32(a.attempt)), new(x.session.machine.states[a.stage].Name)
	r.ScheduledNS, r.StartNS, r.EndNS = &a.ready, a.started, a.ended
	r.TimePrecisionUS = new(int64(1000))
	if a.ended != nil {
		r.Cold = new(max(0, float64(*a.ended-a.ready)/1e9-running(&r)))
	}
	r.CostUSD = &usd
	x.rows = append(x.rows, r)
}
