package emulator_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"eevee/live/emulator"
)

// Every kind of fault as the SDK sees it, and whether the emulator acted.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		kind  emulator.Kind
		codes string // in REST-JSON; JSON; query
		acted bool
	}{
		{emulator.Throttle, "TooManyRequestsException ThrottlingException Throttling", false},
		{emulator.ServerError, "ServiceException InternalFailure InternalFailure", false},
		{emulator.AccessDenied, "AccessDeniedException AccessDeniedException AccessDenied", false},
		{emulator.Expired, "ExpiredTokenException ExpiredTokenException ExpiredToken", false},
		{emulator.Timeout, "", false},
		{emulator.LateTimeout, "", true},
		{emulator.Reset, "", false},
		{emulator.LateReset, "", true},
	} {
		e := start(t, emulator.Options{Faults: []emulator.Fault{{Kind: c.kind, Every: 1}}})
		cfg := client(t, e)
		for protocol, call := range services {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			if strings.Contains(string(c.kind), "timeout") {
				ctx, cancel = context.WithTimeout(t.Context(), 30*time.Millisecond)
			}
			err := call(ctx, cfg)
			cancel()
			switch {
			case c.codes != "":
				codes := strings.Fields(c.codes)
				want := codes[1]
				switch protocol {
				case "rest":
					want = codes[0]
				case "query":
					want = codes[2]
				}
				if code(err) != want {
					t.Errorf("%s, %s: %v, want %s", c.kind, protocol, err, want)
				}
			case strings.Contains(string(c.kind), "timeout"):
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s, %s: %v", c.kind, protocol, err)
				}
			default:
				if !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("%s, %s: %v, want a reset", c.kind, protocol, err)
				}
			}
		}
		for _, call := range e.Calls() {
			if call.Fault != c.kind || call.Acted != c.acted {
				t.Errorf("%s: noted %+v", c.kind, call)
			}
		}
		e.Heal()
		if err := services["rest"](t.Context(), cfg); err != nil {
			t.Errorf("%s, healed: %v", c.kind, err)
		}
	}
	if len(emulator.Kinds()) != 8 {
		t.Errorf("kinds: %v", emulator.Kinds())
	}
}

// The nasty case: the function is there, and its maker got no answer.
func TestLateReset(t *testing.T) {
	e := start(t, emulator.Options{Faults: []emulator.Fault{{Operation: "PublishVersion", Kind: emulator.LateReset}}})
	c := lambda.NewFromConfig(client(t, e))
	create(t, c, "f", 128)
	if _, err := c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("f")}); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	if got := len(e.Snapshots()["f"].Versions); got != 1 {
		t.Errorf("%d versions were published, want 1", got)
	}
}

// Which calls a rule meets.
func TestFaultRules(t *testing.T) {
	for _, c := range []struct {
		fault emulator.Fault
		want  string // one letter per call: x fails
	}{
		{emulator.Fault{}, "x......"},
		{emulator.Fault{Nth: 3}, "..x...."},
		{emulator.Fault{Nth: 2, Every: 3}, ".x..x.."},
		{emulator.Fault{Nth: 4, Every: 1}, "...xxxx"},
		{emulator.Fault{Operation: "ListFunctions", Every: 1}, "xxxxxxx"},
		{emulator.Fault{Operation: "GetFunction", Every: 1}, "......."},
	} {
		c.fault.Kind = emulator.AccessDenied
		e := start(t, emulator.Options{Faults: []emulator.Fault{c.fault}})
		cfg := client(t, e)
		var got strings.Builder
		for range len(c.want) {
			if services["rest"](t.Context(), cfg) != nil {
				got.WriteByte('x')
			} else {
				got.WriteByte('.')
			}
		}
		if got.String() != c.want {
			t.Errorf("%+v: %s, want %s", c.fault, got.String(), c.want)
		}
	}
}

// The journal of calls, and the hooks before and after each.
func TestCalls(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	note := func(when string) func(emulator.Call) {
		return func(c emulator.Call) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, when+" "+c.Operation)
		}
	}
	e := start(t, emulator.Options{OnCall: note("before"), AfterCall: note("after"), Handlers: map[string]emulator.Handler{"f": echo}})
	c := lambda.NewFromConfig(client(t, e))
	create(t, c, "f", 128)
	ctx := t.Context()
	if _, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("f:$LATEST"), Payload: []byte(`"secret payload"`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("a")}); err == nil {
		t.Error("an alias that is not there")
	}
	if _, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("f"), Qualifier: aws.String("$LATEST")}); err != nil {
		t.Fatal(err)
	}
	type brief struct {
		N, Nth                                  int
		Service, Operation, Resource, Qualifier string
		Status                                  int
		Error                                   string
	}
	var got []brief
	for _, v := range e.Calls() {
		if !v.Acted || v.RequestID == "" || v.At.IsZero() || v.Fault != "" {
			t.Errorf("call %+v", v)
		}
		got = append(got, brief{v.N, v.Nth, v.Service, v.Operation, v.Resource, v.Qualifier, v.Status, v.Error})
	}
	if diff := cmp.Diff([]brief{
		{1, 1, "lambda", "CreateFunction", "", "", 201, ""},
		{2, 1, "lambda", "GetFunction", "f", "", 200, ""},
		{3, 1, "lambda", "Invoke", "f", "$LATEST", 200, ""},
		{4, 1, "lambda", "GetAlias", "f", "a", 404, "ResourceNotFoundException"},
		{5, 2, "lambda", "Invoke", "f", "$LATEST", 200, ""},
	}, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"before CreateFunction", "after CreateFunction", "before GetFunction"}; !slices.Equal(seen[:3], want) || len(seen) != 10 {
		t.Errorf("hooks: %v", seen)
	}
}
