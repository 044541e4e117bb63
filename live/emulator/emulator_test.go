package emulator_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"go.uber.org/goleak"

	"eevee/live/emulator"
	"eevee/live/emulator/functions"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts an emulator that ends with the test.
func start(t *testing.T, o emulator.Options) *emulator.Emulator {
	t.Helper()
	e, err := emulator.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// client is what the SDK needs to talk to an emulator.
func client(t *testing.T, e *emulator.Emulator) aws.Config {
	t.Helper()
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(e.URL()), HTTPClient: transport,
		Credentials:      credentials.NewStaticCredentialsProvider(emulator.AccessKey, emulator.Secret, ""),
		RetryMaxAttempts: 1,
	}
}

// pack makes a package of one file, which may be executed.
func pack(t *testing.T, name, content string) []byte {
	t.Helper()
	data, err := functions.Zip(name, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// create makes a function of the given name and memory and waits for it.
func create(t *testing.T, c *lambda.Client, name string, memory int32) *lambda.CreateFunctionOutput {
	t.Helper()
	out, err := c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String("arn:aws:iam::123456789012:role/test"), Runtime: types.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"), MemorySize: &memory, Code: &types.FunctionCode{ZipFile: pack(t, "bootstrap", "#!/bin/true\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	waiter := lambda.NewFunctionActiveV2Waiter(c, func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = 5 * time.Millisecond })
	if err := waiter.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestInvokeStub(t *testing.T) {
	e := start(t, emulator.Options{Handlers: map[string]emulator.Handler{
		"echo": func(_ context.Context, payload []byte) ([]byte, error) { return payload, nil },
	}})
	cfg := client(t, e)
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if err != nil || aws.ToString(who.Account) != "123456789012" {
		t.Fatal(who, err)
	}
	c := lambda.NewFromConfig(cfg)
	create(t, c, "echo", 256)
	out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("echo"), Payload: []byte(`{"a":1}`), LogType: types.LogTypeTail})
	if err != nil {
		t.Fatal(err)
	}
	if string(out.Payload) != `{"a":1}` || aws.ToString(out.ExecutedVersion) != "$LATEST" {
		t.Errorf("answered %s by %v", out.Payload, aws.ToString(out.ExecutedVersion))
	}
	text, _ := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if !strings.Contains(string(text), "\tMemory Size: 256 MB\tMax Memory Used: ") {
		t.Errorf("the log is %q", text)
	}
	if b := e.Bill(); len(b.Invocations) != 1 || b.USD() <= 0 {
		t.Errorf("the bill is %+v", b)
	}
}
