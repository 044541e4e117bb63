package emulator_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"eevee/live/emulator"
	"eevee/models"
	"eevee/traces/logs"
)

// invoke invokes a function and returns the answer and the end of its log.
func invoke(t *testing.T, c *lambda.Client, name, payload string) (*lambda.InvokeOutput, string) {
	t.Helper()
	out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(payload), LogType: types.LogTypeTail})
	if err != nil {
		t.Fatal(err)
	}
	text, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil {
		t.Fatal(err)
	}
	return out, string(text)
}

// id is how Lambda writes the id of a request.
const id = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`

// The log of an invocation, in the form of recorded logs, and what the importer
// reads of it; and the bill, by the price list.
func TestReport(t *testing.T) {
	e := start(t, emulator.Options{Handlers: map[string]emulator.Handler{
		"f": func(ctx context.Context, payload []byte) ([]byte, error) {
			i := emulator.InvocationOf(ctx)
			i.Duration, i.Init, i.MaxMemoryMB = 1234567*time.Nanosecond, 31_450*time.Microsecond, 77
			i.Log("hello " + i.Function + " " + i.Version)
			return payload, nil
		},
	}})
	c := lambda.NewFromConfig(client(t, e))
	create(t, c, "f", 512)
	_, cold := invoke(t, c, "f", `{}`)
	_, warm := invoke(t, c, "f", `{}`)
	for _, x := range []struct{ text, want string }{
		{cold, `^INIT_START Runtime Version: provided:al2023\.v\d+\tRuntime Version ARN: arn:aws:lambda:[^\n]*\nSTART RequestId: (` + id + `) Version: \$LATEST\nhello f \$LATEST\nEND RequestId: (` + id +
			`)\nREPORT RequestId: (` + id + `)\tDuration: 1\.23 ms\tBilled Duration: 33 ms\tMemory Size: 512 MB\tMax Memory Used: 77 MB\tInit Duration: 31\.45 ms\t\n$`},
		{warm, `^START RequestId: (` + id + `) Version: \$LATEST\nhello f \$LATEST\nEND RequestId: (` + id +
			`)\nREPORT RequestId: (` + id + `)\tDuration: 1\.23 ms\tBilled Duration: 2 ms\tMemory Size: 512 MB\tMax Memory Used: 77 MB\t\n$`},
	} {
		m := regexp.MustCompile(x.want).FindStringSubmatch(x.text)
		if m == nil || m[1] != m[2] || m[1] != m[3] {
			t.Errorf("log %q, want %s", x.text, x.want)
		}
	}
	rows, err := logs.ReadLog(cold + warm)
	if err != nil || len(rows) != 2 {
		t.Fatalf("%v: %+v", err, rows)
	}
	for i, want := range []struct {
		billedMS, durationUS int64
		initUS               int64
		rule                 string
	}{{33, 1230, 31450, logs.BilledInit}, {2, 1230, -1, logs.BilledDuration}} {
		r := rows[i]
		init := int64(-1)
		if r.InitUS != nil {
			init = *r.InitUS
		}
		if *r.BilledMS != want.billedMS || *r.DurationUS != want.durationUS || init != want.initUS || *r.BilledRule != want.rule {
			t.Errorf("row %d: billed %d, duration %d, init %d, rule %s; want %+v", i, *r.BilledMS, *r.DurationUS, init, *r.BilledRule, want)
		}
	}
	// 0.5 GB at 1.66667e-5 USD, and 2e-7 USD per request: AWS Price List,
	// us-east-1, 2025-10-28.
	bill := e.Bill()
	want := 0.5*0.0000166667*0.033 + 0.5*0.0000166667*0.002 + 2*2e-7
	if len(bill.Invocations) != 2 || math.Abs(bill.USD()-want) > 1e-15 || bill.Invocations[0].Billed != 33*time.Millisecond || !bill.Invocations[0].Cold {
		t.Errorf("bill %+v, want %v", bill, want)
	}
}

// A tail is the last 4 KB.
func TestTail(t *testing.T) {
	e := start(t, emulator.Options{Handlers: map[string]emulator.Handler{
		"f": func(ctx context.Context, payload []byte) ([]byte, error) {
			emulator.InvocationOf(ctx).Log(strings.Repeat("x", 10_000))
			return payload, nil
		},
	}})
	c := lambda.NewFromConfig(client(t, e))
	create(t, c, "f", 128)
	_, text := invoke(t, c, "f", `{}`)
	if len(text) != 4096 || !strings.HasPrefix(text, "xxx") || !strings.Contains(text, "REPORT RequestId: ") {
		t.Errorf("a tail of %d bytes: %.40q", len(text), text)
	}
	if out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")}); err != nil || out.LogResult != nil {
		t.Errorf("a tail that was not asked for: %v", err)
	}
}

// Failures of functions, in the words of Lambda.
func TestFunctionErrors(t *testing.T) {
	e := start(t, emulator.Options{Handlers: map[string]emulator.Handler{
		"error": func(context.Context, []byte) ([]byte, error) { return nil, errors.New("broken") },
		"handled": func(context.Context, []byte) ([]byte, error) {
			return nil, &emulator.FunctionError{Handled: true, Type: "Mine", Message: "m"}
		},
		"panic": func(context.Context, []byte) ([]byte, error) { panic("out of luck") },
		"slow": func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"large": func(context.Context, []byte) ([]byte, error) { return make([]byte, 6<<20+200), nil },
	}})
	c := lambda.NewFromConfig(client(t, e))
	for name, x := range map[string]struct{ kind, payload, log string }{
		"error":   {"Unhandled", `^{"errorMessage":"broken","errorType":"errorString"}$`, `REPORT`},
		"handled": {"Handled", `^{"errorMessage":"m","errorType":"Mine"}$`, `REPORT`},
		"panic":   {"Unhandled", `^{"errorMessage":"out of luck","errorType":"panic"}$`, `REPORT`},
		"slow":    {"Unhandled", `^{"errorMessage":"RequestId: ` + id + ` Error: Task timed out after 1.00 seconds","errorType":"Sandbox.Timedout"}$`, id + ` Task timed out after 1\.00 seconds\n\nEND RequestId: ` + id + `\nREPORT RequestId: ` + id + `\tDuration: 1000\.\d\d ms\tBilled Duration: 100[01] ms\tMemory Size: 128 MB\tMax Memory Used: 1 MB\tStatus: timeout\n$`},
		"large":   {"Unhandled", `"Function.ResponseSizeTooLarge"`, `REPORT`},
	} {
		if name == "slow" && testing.Short() {
			continue
		}
		if _, err := c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{FunctionName: &name, Role: aws.String(role), Runtime: types.RuntimeProvidedal2023,
			Handler: aws.String("b"), Timeout: aws.Int32(1), Code: &types.FunctionCode{ZipFile: pack(t, "b", "")}}); err != nil {
			t.Fatal(err)
		}
		out, text := invoke(t, c, name, `{}`)
		if aws.ToString(out.FunctionError) != x.kind || !regexp.MustCompile(x.payload).Match(out.Payload) || !regexp.MustCompile(x.log).MatchString(text) {
			t.Errorf("%s: %s %.200s\n%.900s", name, aws.ToString(out.FunctionError), out.Payload, text)
		}
		if got, _ := middleware.GetRequestIDMetadata(out.ResultMetadata); !regexp.MustCompile("^"+id+"$").MatchString(got) || !strings.Contains(text, got) {
			t.Errorf("%s: request id %q is not in the log", name, got)
		}
	}
}

// Event and DryRun answer at once.
func TestInvocationTypes(t *testing.T) {
	ran := make(chan string, 1)
	e := start(t, emulator.Options{Handlers: map[string]emulator.Handler{"f": func(_ context.Context, p []byte) ([]byte, error) {
		ran <- string(p)
		return p, nil
	}}})
	c := lambda.NewFromConfig(client(t, e))
	create(t, c, "f", 128)
	name := aws.String("f")
	dry, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: name, InvocationType: types.InvocationTypeDryRun})
	if err != nil || dry.StatusCode != 204 || len(e.Bill().Invocations) != 0 {
		t.Errorf("dry run: %+v %v", dry, err)
	}
	event, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: name, InvocationType: types.InvocationTypeEvent, Payload: []byte(`"later"`)})
	if err != nil || event.StatusCode != 202 || len(event.Payload) != 0 {
		t.Errorf("event: %+v %v", event, err)
	}
	if got := <-ran; got != `"later"` {
		t.Errorf("ran with %s", got)
	}
}

// What is beyond the concurrency of a function or of the account is throttled.
func TestConcurrencyLimits(t *testing.T) {
	busy, free := make(chan struct{}), make(chan struct{})
	e := start(t, emulator.Options{Concurrency: 3, Handlers: map[string]emulator.Handler{
		"f": func(_ context.Context, p []byte) ([]byte, error) {
			busy <- struct{}{}
			<-free
			return p, nil
		},
		"g": func(_ context.Context, p []byte) ([]byte, error) {
			busy <- struct{}{}
			<-free
			return p, nil
		},
	}})
	c := lambda.NewFromConfig(client(t, e))
	create(t, c, "f", 128)
	create(t, c, "g", 128)
	if _, err := c.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("f"), ReservedConcurrentExecutions: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	call := func(name string) {
		_, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name})
		ended <- err
	}
	for _, name := range []string{"f", "g", "g"} {
		go call(name)
		<-busy
	}
	for name, reason := range map[string]types.ThrottleReason{
		"f": types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded, "g": types.ThrottleReasonConcurrentInvocationLimitExceeded,
	} {
		_, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name})
		var throttled *types.TooManyRequestsException
		if !errors.As(err, &throttled) || throttled.Reason != reason || aws.ToString(throttled.RetryAfterSeconds) == "" {
			t.Errorf("%s: %v, want %s", name, err, reason)
		}
	}
	close(free)
	for range 3 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// An alias with weights sends so many invocations to the other version.
func TestWeightedAlias(t *testing.T) {
	e := start(t, emulator.Options{Handlers: map[string]emulator.Handler{"f": echo}, Seed: 7})
	c, ctx := lambda.NewFromConfig(client(t, e)), t.Context()
	create(t, c, "f", 128)
	for _, memory := range []int32{128, 256} {
		if _, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), MemorySize: &memory}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String("f")}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("a"), FunctionVersion: aws.String("1"),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.3}}}); err != nil {
		t.Fatal(err)
	}
	const n = 300
	for range n {
		if out, _ := invoke(t, c, "f:a", `{}`); aws.ToString(out.ExecutedVersion) != "1" && aws.ToString(out.ExecutedVersion) != "2" {
			t.Fatalf("executed %s", aws.ToString(out.ExecutedVersion))
		}
	}
	other := 0
	for _, charge := range e.Bill().Invocations {
		if charge.Version == "2" {
			other++
		}
	}
	// Five standard deviations of Bin(300, 0.3).
	if math.Abs(float64(other)-0.3*n) > 5*math.Sqrt(n*0.3*0.7) {
		t.Errorf("%d of %d went to version 2, whose weight is 0.3", other, n)
	}
}

// The log group of a function: by time, by term, by stream, page by page.
func TestFilterLogEvents(t *testing.T) {
	clock := newClock()
	e := start(t, emulator.Options{Now: clock.now, Handlers: map[string]emulator.Handler{"f": echo}})
	cfg := client(t, e)
	c, l, ctx := lambda.NewFromConfig(cfg), cloudwatchlogs.NewFromConfig(cfg), t.Context()
	create(t, c, "f", 128)
	var middle int64
	for i := range 10 {
		if i == 5 {
			stop := clock.tick(time.Minute)
			clock.now()
			stop()
			middle = clock.now().UnixMilli()
		}
		invoke(t, c, "f", `{}`)
	}
	group := aws.String("/aws/lambda/f")
	read := func(in *cloudwatchlogs.FilterLogEventsInput) (messages []string, pages int) {
		t.Helper()
		in.LogGroupName = group
		for p := cloudwatchlogs.NewFilterLogEventsPaginator(l, in); p.HasMorePages(); pages++ {
			page, err := p.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range page.Events {
				if v.Timestamp == nil || v.IngestionTime == nil || !regexp.MustCompile(`^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`).MatchString(aws.ToString(v.LogStreamName)) {
					t.Errorf("event %+v", v)
				}
				messages = append(messages, aws.ToString(v.Message))
			}
		}
		return messages, pages
	}
	if all, pages := read(&cloudwatchlogs.FilterLogEventsInput{Limit: aws.Int32(4)}); len(all) != 31 || pages != 8 {
		t.Errorf("%d events on %d pages; ten invocations and a cold start are 31", len(all), pages)
	}
	if reports, _ := read(&cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String(`"REPORT RequestId"`)}); len(reports) != 10 {
		t.Errorf("%d reports", len(reports))
	}
	if late, _ := read(&cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("REPORT"), StartTime: &middle}); len(late) != 5 {
		t.Errorf("%d reports since the middle", len(late))
	}
	if early, _ := read(&cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("REPORT"), EndTime: &middle}); len(early) != 5 {
		t.Errorf("%d reports before the middle", len(early))
	}
	if others, _ := read(&cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("RequestId -START -END")}); len(others) != 10 {
		t.Errorf("%d events with RequestId that are neither START nor END", len(others))
	}
	if either, _ := read(&cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("?START ?END")}); len(either) != 21 {
		t.Errorf("%d events with START or END; INIT_START is one", len(either))
	}
	if none, _ := read(&cloudwatchlogs.FilterLogEventsInput{LogStreamNamePrefix: aws.String("1999")}); len(none) != 0 {
		t.Errorf("%d events of other streams", len(none))
	}
	if _, err := l.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/g")}); code(err) != "ResourceNotFoundException" {
		t.Errorf("no such group: %v", err)
	}
	if _, err := l.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, FilterPattern: aws.String("{ $.a = 1 }")}); code(err) != "InvalidParameterException" {
		t.Errorf("a pattern on JSON: %v", err)
	}
}

// An environment is kept for the next invocation, for a while, and for as long
// as its settings hold.
func TestEnvironments(t *testing.T) {
	e := start(t, emulator.Options{KeepAlive: 50 * time.Millisecond, Handlers: map[string]emulator.Handler{
		"f": func(ctx context.Context, _ []byte) ([]byte, error) {
			return fmt.Append(nil, emulator.InvocationOf(ctx).Cold), nil
		},
	}})
	c := lambda.NewFromConfig(client(t, e))
	create(t, c, "f", 128)
	cold := func() string {
		out, _ := invoke(t, c, "f", `{}`)
		return string(out.Payload)
	}
	if got := cold(); got != "true" {
		t.Errorf("the first is cold: %s", got)
	}
	if _, err := c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), MemorySize: aws.Int32(256)}); err != nil {
		t.Fatal(err)
	}
	if got := cold(); got != "true" {
		t.Errorf("after a change the first is cold: %s", got)
	}
	for deadline := time.Now().Add(20 * time.Second); e.Environments("f") > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("an idle environment is not reaped")
		}
	}
	if got := cold(); got != "true" {
		t.Errorf("after its time an environment is gone: %s", got)
	}
}

// The price of an invocation is that of package models for the same seconds.
func TestBillIsThePriceBook(t *testing.T) {
	e := start(t, emulator.Options{Price: models.MustPrice("aws-arm"), Handlers: map[string]emulator.Handler{
		"f": func(ctx context.Context, p []byte) ([]byte, error) {
			emulator.InvocationOf(ctx).Duration = 99_001 * time.Microsecond
			return p, nil
		},
	}})
	c := lambda.NewFromConfig(client(t, e))
	create(t, c, "f", 1792)
	invoke(t, c, "f", `{}`)
	want := models.MustPrice("aws-arm").Invocation(models.StageConfig{Memory: 1792, Parallelism: 1}, 0.1)
	if got := e.Bill().USD(); math.Abs(got-want) > 1e-15 {
		t.Errorf("billed %v, want %v", got, want)
	}
}
