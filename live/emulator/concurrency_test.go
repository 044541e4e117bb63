package emulator_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"eevee/live/emulator"
)

// A thousand invocations that all run at the same time: none can end before the
// last has begun.
func TestThousandInvocations(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 200
	}
	var begun sync.WaitGroup
	begun.Add(n)
	e := start(t, emulator.Options{Handlers: map[string]emulator.Handler{"f": func(_ context.Context, p []byte) ([]byte, error) {
		begun.Done()
		begun.Wait()
		return p, nil
	}}})
	c := lambda.NewFromConfig(client(t, e))
	name := "f"
	if _, err := c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{FunctionName: &name, Role: aws.String(role), Runtime: "provided.al2023", Handler: aws.String("b"),
		Timeout: aws.Int32(300), Code: &types.FunctionCode{ZipFile: pack(t, "b", "")}}); err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	for i := range n {
		work.Go(func() {
			out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: fmt.Append(nil, i)})
			if err != nil || string(out.Payload) != fmt.Sprint(i) {
				t.Errorf("invocation %d: %v", i, err)
			}
		})
	}
	work.Wait()
	cold := 0
	for _, charge := range e.Bill().Invocations {
		if charge.Cold {
			cold++
		}
	}
	if cold != n || e.Environments(name) != n {
		t.Errorf("%d cold starts, %d environments, want %d of both", cold, e.Environments(name), n)
	}
}
