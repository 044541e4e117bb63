package live

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"eevee/traces"
	"eevee/traces/logs"
)

// task is one invocation to be made.
type task struct {
	name      string // of the function that is invoked
	qualifier string
	memoryMB  int
	limit     time.Duration // after which no answer can come any more
	payload   []byte
}

// answer is what came of a task.
type answer struct {
	row      traces.Record // what the platform reported; times and places are the caller's
	output   json.RawMessage
	attempts int
	sent     time.Time
	received time.Time
	billed   bool // whether the row says what was billed
	fault    fault
	warning  string // about a row that can be used
	err      error
}

// invoke invokes a function once and waits for it. It is never made again where
// it may have run.
func (c *Client) invoke(ctx context.Context, t task) answer {
	ctx, cancel := context.WithTimeout(ctx, t.limit)
	defer cancel()
	a := answer{sent: time.Now(), attempts: 1}
	out, err := c.invoker.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &t.name, Qualifier: &t.qualifier, Payload: t.payload,
		InvocationType: types.InvocationTypeRequestResponse, LogType: types.LogTypeTail,
	})
	a.received = time.Now()
	if err != nil {
		a.fault, a.err = faultOf(err), explain("function "+t.name+" cannot be invoked", err)
		if a.fault == lost {
			a.err = fmt.Errorf("live: no answer of function %s; it may have run, and is not invoked again: %w", t.name, err)
		}
		return a
	}
	if r, ok := retry.GetAttemptResults(out.ResultMetadata); ok {
		a.attempts = len(r.Results)
	}
	a.fault = refused // what follows is certain
	log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err == nil {
		var rows []traces.Record
		if rows, err = logs.ReadLog(string(log)); err == nil && len(rows) > 0 {
			a.row, a.billed = rows[len(rows)-1], rows[len(rows)-1].BilledMS != nil
		}
	}
	a.output = out.Payload
	switch {
	case out.FunctionError != nil:
		// What the function says may hold data of the user.
		a.err = fmt.Errorf("live: function %s failed (%s)", t.name, errorType(out.Payload, *out.FunctionError))
	case err != nil || !a.billed:
		a.err = fmt.Errorf("live: function %s: its log has no REPORT: is its system log level WARN?", t.name)
	case int(a.row.MemoryMB) != t.memoryMB:
		a.err = fmt.Errorf("live: function %s ran with %d MB, not the %d MB that it was published with", t.name, a.row.MemoryMB, t.memoryMB)
	}
	if a.err == nil {
		a.warning = a.steps()
	}
	return a
}

// errorType returns what kind of error a function ended with.
func errorType(payload []byte, kind string) string {
	var e struct {
		Type string `json:"errorType"`
	}
	if json.Unmarshal(payload, &e) == nil && e.Type != "" && !strings.ContainsAny(e.Type, " \n") {
		return e.Type
	}
	return strings.ToLower(kind)
}

// reported is what a function may say about its steps, in its answer.
type reported struct {
	Steps *struct {
		Read    float64 `json:"read_s"`
		Compute float64 `json:"compute_s"`
		Write   float64 `json:"write_s"`
	} `json:"steps"`
}

// stepSlack is by how much the steps that a function reports may exceed the
// duration that the platform reports, in seconds: clocks tick in milliseconds.
const stepSlack = 2e-3

// steps reads the steps that the function reports. What of its duration is in
// none of them is computing, so that the steps make up what is billed.
func (a *answer) steps() (warning string) {
	var r reported
	if json.Unmarshal(a.output, &r) != nil || r.Steps == nil || a.row.DurationUS == nil {
		return ""
	}
	s, duration := r.Steps, float64(*a.row.DurationUS)/1e6
	rest := duration - s.Read - s.Compute - s.Write
	if !(s.Read >= 0 && s.Compute >= 0 && s.Write >= 0 && rest >= -stepSlack) || math.IsInf(rest, 0) {
		return "its answer reports steps that are negative or longer than its duration; they are left out"
	}
	compute := max(0, s.Compute+rest)
	a.row.Read, a.row.Compute, a.row.Write = &s.Read, &compute, &s.Write
	return ""
}

// errInterrupted is why an invocation was not made.
var errInterrupted = errors.New("live: interrupted")
