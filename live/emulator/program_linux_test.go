package emulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"eevee/live/emulator"
	"eevee/live/emulator/functions"
	"eevee/live/emulator/store"
	"eevee/traces/logs"
)

// deploy makes a function of one of the programs.
func deploy(t *testing.T, c *lambda.Client, program string, memory int32, variables map[string]string) *string {
	t.Helper()
	name := aws.String(fmt.Sprint(program, "-", memory))
	if _, err := c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: name, Role: aws.String(role), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), MemorySize: &memory,
		Timeout: aws.Int32(60), Code: &types.FunctionCode{ZipFile: function(t, program)}, Environment: &types.Environment{Variables: variables},
	}); err != nil {
		t.Fatal(err)
	}
	return name
}

// answered is what the functions return.
type answered struct {
	Instance int
	Digest   string
	Steps    struct {
		Read    float64 `json:"read_s"`
		Compute float64 `json:"compute_s"`
		Write   float64 `json:"write_s"`
	}
}

// The three functions: real programs with the Lambda library, which read and
// write objects, say how long their steps took and leave a report that the
// importer reads.
func TestPrograms(t *testing.T) {
	e := start(t, emulator.Options{})
	c := lambda.NewFromConfig(client(t, e))
	objects, err := store.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer objects.Close()
	for _, program := range []string{"hash", "exchange", "walk"} {
		name := deploy(t, c, program, 1769, map[string]string{"STORE_URL": objects.URL()})
		var digests []string
		for i := range 2 {
			out, text := invoke(t, c, *name, `{"instance":3,"parallelism":16}`)
			var a answered
			if err := json.Unmarshal(out.Payload, &a); err != nil || out.FunctionError != nil || a.Instance != 3 || len(a.Digest) != 8 {
				t.Fatalf("%s: %s %s\n%s", program, aws.ToString(out.FunctionError), out.Payload, text)
			}
			digests = append(digests, a.Digest)
			rows, err := logs.ReadLog(text)
			if err != nil || len(rows) != 1 {
				t.Fatalf("%s: %v\n%s", program, err, text)
			}
			r := rows[0]
			if cold := r.InitUS != nil; cold != (i == 0) || cold && *r.InitUS <= 0 {
				t.Errorf("%s, invocation %d: init %v", program, i, r.InitUS)
			}
			if steps, duration := a.Steps.Read+a.Steps.Compute+a.Steps.Write, float64(*r.DurationUS)/1e6; steps <= 0 || steps > duration+1e-5 {
				t.Errorf("%s: steps %+v add up to more than the duration, %v", program, a.Steps, duration)
			}
			if *r.MaxMemoryMB < 2 || *r.MaxMemoryMB > 1769 {
				t.Errorf("%s: used %d MB", program, *r.MaxMemoryMB)
			}
		}
		// What is read is what was written: only exchange changes it.
		if same := digests[0] == digests[1]; same != (program != "exchange") {
			t.Errorf("%s: digests %v", program, digests)
		}
	}
}

// A program that was packed wrongly, and one that misses what it needs.
func TestBrokenPrograms(t *testing.T) {
	e := start(t, emulator.Options{})
	c := lambda.NewFromConfig(client(t, e))
	out, text := invoke(t, c, *deploy(t, c, "exchange", 256, nil), `{}`)
	if aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), "STORE_URL is not set") || strings.Contains(text, "Status: ") {
		t.Errorf("%s %s\n%s", aws.ToString(out.FunctionError), out.Payload, text)
	}
	create(t, c, "true", 128) // a script that ends at once
	out, text = invoke(t, c, "true", `{}`)
	if !strings.Contains(string(out.Payload), `"errorType":"Runtime.ExitError"`) || !strings.Contains(text, "\tStatus: error\tError Type: Runtime.ExitError\n") {
		t.Errorf("%s\n%s", out.Payload, text)
	}
	if e.Environments("true") != 0 || e.Environments("exchange-256") != 1 {
		t.Errorf("left: %d and %d environments", e.Environments("true"), e.Environments("exchange-256"))
	}
}

// Sixteen programs side by side: as many environments, each with its own cold
// start, and no process afterwards.
func TestManyPrograms(t *testing.T) {
	n := 16
	if testing.Short() {
		n = 4
	}
	e, err := emulator.Start(emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := lambda.NewFromConfig(client(t, e))
	name := deploy(t, c, "hash", 512, nil)
	digests := make([]string, n)
	var work sync.WaitGroup
	for i := range n {
		work.Go(func() {
			out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: name, Payload: fmt.Appendf(nil, `{"instance":7,"parallelism":%d,"work":0.2}`, n)})
			if err != nil {
				t.Error(err)
				return
			}
			var a answered
			if err := json.Unmarshal(out.Payload, &a); err != nil || out.FunctionError != nil {
				t.Errorf("%s: %v", out.Payload, err)
			}
			digests[i] = a.Digest
		})
	}
	work.Wait()
	for _, d := range digests {
		if d != digests[0] || d == "" {
			t.Errorf("digests %v", digests)
		}
	}
	if bill := e.Bill(); len(bill.Invocations) != n {
		t.Errorf("billed %d of %d", len(bill.Invocations), n)
	}
	pids := children(t)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if len(pids) == 0 {
		t.Error("no process was seen while the environments lived")
	}
	if left := children(t); len(left) != 0 {
		t.Errorf("processes %v are left", left)
	}
}

// children returns the processes that this one has started and that are there.
func children(t *testing.T) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		if fields[1] == strconv.Itoa(os.Getpid()) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// An emulator that is closed while programs run breaks them off.
func TestCloseWhileRunning(t *testing.T) {
	e, err := emulator.Start(emulator.Options{MBPerVCPU: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	c := lambda.NewFromConfig(client(t, e))
	name := deploy(t, c, "hash", 128, nil)
	ended := make(chan error)
	go func() {
		_, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: name})
		ended <- err
	}()
	for len(children(t)) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("an answer of a closed emulator")
	}
	if left := children(t); len(left) != 0 {
		t.Errorf("processes %v are left", left)
	}
}

// The duration of the function that is bound by the CPU is inverse to the memory
// up to one CPU: its product with the share, in CPU seconds, is constant but for
// what else the machine does.
func BenchmarkHash(b *testing.B) {
	work := 1.0
	if testing.Short() {
		work = 0.05
	}
	code, err := functions.Package(b.Context(), "hash")
	if err != nil {
		b.Fatal(err)
	}
	for _, memory := range []int{128, 256, 512, 1024, 1769} {
		b.Run(fmt.Sprint(memory), func(b *testing.B) {
			e, err := emulator.Start(emulator.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			if err := e.Deploy(emulator.Deployment{Name: "hash", Zip: code, MemoryMB: memory, TimeoutS: 600}); err != nil {
				b.Fatal(err)
			}
			c := lambda.New(lambda.Options{
				Region: "us-east-1", BaseEndpoint: aws.String(e.URL()), HTTPClient: newTransport(),
				Credentials: credentials.NewStaticCredentialsProvider(emulator.AccessKey, emulator.Secret, ""),
			})
			var computed float64
			for b.Loop() {
				out, err := c.Invoke(b.Context(), &lambda.InvokeInput{FunctionName: aws.String("hash"), Payload: fmt.Appendf(nil, `{"work":%v}`, work)})
				if err != nil {
					b.Fatal(err)
				}
				var a answered
				if err := json.Unmarshal(out.Payload, &a); err != nil || out.FunctionError != nil {
					b.Fatalf("%s: %v", out.Payload, err)
				}
				computed += a.Steps.Compute
			}
			ms := computed * 1e3 / float64(b.N)
			b.ReportMetric(ms, "ms/op")
			b.ReportMetric(ms*float64(memory)/1769, "cpu-ms/op")
			b.ReportMetric(0, "ns/op")
		})
	}
}
