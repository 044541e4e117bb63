package states

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"eevee/models/asl"
)

// task invokes the function of a Task.
func (v *visit) task(ctx context.Context, input any, last int64) (any, int64, *Failure) {
	call := Invocation{Function: v.Target, Payload: []byte(encode(input))}
	kind, about := "LambdaFunction", map[string]any{"resource": v.Target, "input": string(call.Payload), "inputDetails": whole}
	integration := v.Target == invokeResource
	if integration {
		var parameters struct {
			FunctionName, Qualifier, InvocationType string
			Payload                                 json.RawMessage
		}
		if err := json.Unmarshal(call.Payload, &parameters); err != nil {
			return nil, last, failed("States.Runtime", "Parameters: %v", err)
		}
		if t := parameters.InvocationType; t != "" && t != "RequestResponse" {
			return nil, last, failed("States.Runtime", "the emulator does not know InvocationType %s", t)
		}
		kind = "Task"
		region := "us-east-1"
		if parts := strings.Split(v.ARN, ":"); len(parts) > 3 {
			region = parts[3]
		}
		about = map[string]any{"resourceType": "lambda", "resource": "invoke", "region": region, "parameters": string(call.Payload)}
		call = Invocation{Function: parameters.FunctionName, Version: parameters.Qualifier, Payload: parameters.Payload}
		if call.Payload == nil {
			call.Payload = []byte("{}")
		}
	}
	if v.TimeoutS > 0 {
		about["timeoutInSeconds"] = int64(v.TimeoutS)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(v.TimeoutS*float64(time.Second)), errTaskTimeout)
		defer cancel()
	}
	// What later events of the integration repeat.
	service := func(more map[string]any) map[string]any {
		if integration {
			more["resourceType"], more["resource"] = "lambda", "invoke"
		}
		if len(more) == 0 {
			return nil
		}
		return more
	}
	last = v.History.add(last, kind+"Scheduled", about)
	last = v.History.add(last, kind+"Started", service(map[string]any{}))
	answer, failure := v.Invoke(ctx, call)
	if failure != nil {
		if context.Cause(ctx) == errTaskTimeout {
			return nil, v.History.add(last, kind+"TimedOut", service(map[string]any{"error": asl.ErrorTimeout})), &Failure{Error: asl.ErrorTimeout}
		}
		return nil, v.History.add(last, kind+"Failed", service(named(failure.Error, failure.Cause))), failure
	}
	output, err := decode(answer.Payload)
	if err != nil {
		f := failed("States.Runtime", "the answer of the function is not JSON: %v", err)
		return nil, v.History.add(last, kind+"Failed", service(named(f.Error, f.Cause))), f
	}
	if integration {
		output = wrapped(answer, output, v.History.now())
	}
	return output, v.History.add(last, kind+"Succeeded", service(map[string]any{"output": encode(output), "outputDetails": whole})), nil
}

// errTaskTimeout is the cause of a Task's own timeout.
var errTaskTimeout = &Stop{Name: asl.ErrorTimeout, Cause: "task"}

// wrapped is the answer of a function with what the integration says of it.
func wrapped(a Answer, payload any, now time.Time) any {
	headers := map[string]any{
		"Connection": "keep-alive", "Content-Length": json.Number(jsonInt(len(a.Payload))).String(), "Content-Type": "application/json",
		"Date": now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), "X-Amz-Executed-Version": a.Version, "x-amzn-RequestId": a.RequestID,
	}
	all := make(map[string]any, len(headers))
	for name, value := range headers {
		all[name] = []any{value}
	}
	return map[string]any{
		"ExecutedVersion": a.Version, "Payload": payload, "StatusCode": json.Number("200"),
		"SdkHttpMetadata":     map[string]any{"AllHttpHeaders": all, "HttpHeaders": headers, "HttpStatusCode": json.Number("200")},
		"SdkResponseMetadata": map[string]any{"RequestId": a.RequestID},
	}
}
