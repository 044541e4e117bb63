package live_test

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"eevee/live"
	"eevee/live/emulator"
	"eevee/models"
	"eevee/traces"
)

// No test may leave a goroutine behind.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		removeProgram()
		os.Exit(code)
	}))
}

// lab is an emulated account with the functions of a workflow in it.
type lab struct {
	t        *testing.T
	emulator *emulator.Emulator
	def      *models.Definition
	targets  live.Targets
	dir      string
	arn      string // of its state machine; empty: none yet
	before   []functionState
}

// The workflow of the lab: two stages beside each other, and one that joins
// them.
const labWorkflow = `name: lab
price: aws-x86
stages:
  - {name: left}
  - {name: right, max_parallelism: 1}
  - {name: join, after: [left, right]}
spaces:
  - name: small
    stages:
      - {stage: left, choices: [{parallelism: [1, 2], memory_mb: [256, 512]}]}
      - {stage: right, choices: [{parallelism: [1], memory_mb: [256, 512]}]}
      - {stage: join, choices: [{parallelism: [1, 2], memory_mb: [512]}]}
    rules: [{stage: join, at_most: left}]
`

// run names the sessions of tests, so that handlers can be named before.
const (
	run   = "test"
	again = "again"
)

// newLab starts an emulator. work is what every function does.
func newLab(t *testing.T, o emulator.Options, work emulator.Handler) *lab {
	t.Helper()
	o.Handlers = make(map[string]emulator.Handler)
	for _, f := range []string{"left", "right", "join"} {
		o.Handlers["fn-"+f], o.Handlers["eevee-"+run+"-fn-"+f], o.Handlers["eevee-"+again+"-fn-"+f] = work, work, work
	}
	return newLabOf(t, o, "")
}

// newLabOf is newLab with a program as the code of every function; empty: some
// script, in whose place handlers run.
func newLabOf(t *testing.T, o emulator.Options, program string) *lab {
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
	l := &lab{t: t, emulator: e, dir: t.TempDir()}
	if l.def, err = models.ParseDefinition("lab", []byte(labWorkflow)); err != nil {
		t.Fatal(err)
	}
	template, err := live.ParseTemplate([]byte(`{"instance": "${instance}", "of": "${parallelism}", "left": "${parallelism.left}"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"left", "right", "join"} {
		l.targets = append(l.targets, live.Target{Function: "fn-" + f, Payload: template})
		create(t, l.sdk(), "fn-"+f, program)
	}
	l.before = l.functions()
	return l
}

// sdk is a client of the test's own.
func (l *lab) sdk() *lambda.Client {
	return lambda.New(lambda.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(l.emulator.URL()),
		Credentials:      credentials.NewStaticCredentialsProvider(emulator.AccessKey, emulator.Secret, ""),
		RetryMaxAttempts: 1, HTTPClient: plain{l.t},
	})
}

// create makes a function of 128 MB with variables in its environment, name and
// value by turns.
func create(t *testing.T, c *lambda.Client, name, program string, variables ...string) {
	t.Helper()
	environment := map[string]string{"SECRET": secret}
	for i := 0; i < len(variables); i += 2 {
		environment[variables[i]] = variables[i+1]
	}
	text := []byte("#!/bin/true " + name + "\n")
	if program != "" {
		var err error
		if text, err = os.ReadFile(program); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	f, err := w.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String("arn:aws:iam::123456789012:role/lab"), Runtime: types.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"), MemorySize: aws.Int32(128), Timeout: aws.Int32(1), Code: &types.FunctionCode{ZipFile: b.Bytes()},
		Environment: &types.Environment{Variables: environment},
	})
	if err != nil {
		t.Fatal(err)
	}
	waiter := lambda.NewFunctionActiveV2Waiter(c, func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = 2 * time.Millisecond })
	if err := waiter.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// secret is in the environment of every function. It must not get out.
const secret = "correct-horse-battery-staple"

// functionState is all that a session could leave changed.
type functionState struct {
	Name     string
	MemoryMB int32
	Code     string
	Versions []string
	Aliases  []string
	Tags     map[string]string
}

// functions lists the functions of the account.
func (l *lab) functions() []functionState {
	l.t.Helper()
	c, ctx := l.sdk(), context.Background()
	var states []functionState
	list, err := c.ListFunctions(ctx, &lambda.ListFunctionsInput{})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, f := range list.Functions {
		s := functionState{Name: *f.FunctionName, MemoryMB: *f.MemorySize, Code: *f.CodeSha256}
		versions, err := c.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{FunctionName: f.FunctionName})
		if err != nil {
			l.t.Fatal(err)
		}
		for _, v := range versions.Versions {
			s.Versions = append(s.Versions, *v.Version)
		}
		aliases, err := c.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: f.FunctionName})
		if err != nil {
			l.t.Fatal(err)
		}
		for _, a := range aliases.Aliases {
			s.Aliases = append(s.Aliases, *a.Name)
		}
		got, err := c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: f.FunctionName})
		if err != nil {
			l.t.Fatal(err)
		}
		s.Tags = got.Tags
		states = append(states, s)
	}
	slices.SortFunc(states, func(a, b functionState) int { return strings.Compare(a.Name, b.Name) })
	return states
}

// untouched fails the test unless the account is as it was.
func (l *lab) untouched() {
	l.t.Helper()
	if diff := cmp.Diff(l.before, l.functions()); diff != "" {
		l.t.Errorf("the account is not as it was (-before +after):\n%s", diff)
	}
}

// settings are those of tests: the emulator is near, and quick.
var settings = live.Settings{
	CallTimeout: 5 * time.Second, Attempts: 4, Backoff: time.Millisecond, Poll: 2 * time.Millisecond, InitTimeout: time.Millisecond, Concurrency: 100,
	Streams: models.Streams{Seed: 1},
}

// open opens the account. Many labs are open at a time, so that what points the
// SDK at each is not in the environment.
func (l *lab) open(s live.Settings) *live.Client {
	l.t.Helper()
	c, err := l.tryOpen(s)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(c.Close)
	return c
}

// tryOpen is open where it may fail.
func (l *lab) tryOpen(s live.Settings) (*live.Client, error) {
	s.Load = []func(*config.LoadOptions) error{
		config.WithRegion("us-east-1"), config.WithBaseEndpoint(l.emulator.URL()),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(emulator.AccessKey, emulator.Secret, "")),
		config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}),
	}
	return live.Open(l.t.Context(), s)
}

// request is a session over two configurations.
func (l *lab) request() live.Request {
	pick := func(left, of, right, join, width int) models.Config {
		return models.Config{l.def.StageConfig(left, of), l.def.StageConfig(right, 1), l.def.StageConfig(join, width)}
	}
	return live.Request{
		Workflow: l.def.Workflow, Targets: l.targets, Runs: 2, WarmUps: 1, MaxSpendUSD: 1, Run: run,
		Configs:  []models.Config{pick(256, 2, 512, 512, 1), pick(512, 1, 256, 512, 1)},
		Journals: filepath.Join(l.dir, "journals"), Output: filepath.Join(l.dir, "trace.parquet"),
	}
}

// rows reads the trace and checks that every row is valid.
func (l *lab) rows() []traces.Record {
	l.t.Helper()
	rows, meta, err := traces.Read(filepath.Join(l.dir, "trace.parquet"))
	if err != nil {
		l.t.Fatal(err)
	}
	if meta.Source != traces.Live || meta.Workflow != "lab" {
		l.t.Errorf("the trace is of %q, workflow %q", meta.Source, meta.Workflow)
	}
	for _, d := range traces.Validate(rows) {
		l.t.Error(d)
	}
	return rows
}
