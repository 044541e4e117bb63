package main

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output tells when something was written.
type output struct {
	bytes.Buffer
	written chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Buffer.Write(p)
	if strings.Contains(o.String(), "AWS_EC2_METADATA_DISABLED") {
		select {
		case <-o.written:
		default:
			close(o.written)
		}
	}
	return n, err
}

// What it prints can be loaded by a shell, and it ends when it is told to.
func TestServe(t *testing.T) {
	if testing.Short() {
		t.Skip("builds three programs")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, said := &output{written: make(chan struct{})}, &bytes.Buffer{}
	ended := make(chan error)
	go func() { ended <- run(ctx, []string{"-memory", "256"}, out, said) }()
	select {
	case <-out.written:
	case err := <-ended:
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	shell := exec.Command("sh", "-c", out.String()+`echo "$AWS_ENDPOINT_URL $AWS_REGION $AWS_SECRET_ACCESS_KEY"`)
	got, err := shell.Output()
	if err != nil || !strings.HasPrefix(string(got), "http://127.0.0.1:") || !strings.Contains(string(got), " us-east-1 emulator/secret") {
		t.Errorf("a shell reads %q: %v", got, err)
	}
	if !strings.Contains(said.String(), "0 invocations") || !strings.Contains(said.String(), "stateMachine:demo") {
		t.Errorf("said %s", said)
	}
}

func TestServeUsage(t *testing.T) {
	for _, args := range [][]string{{"-memory", "x"}, {"more"}, {"-address", "nowhere:x"}} {
		if err := run(t.Context(), args, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}
