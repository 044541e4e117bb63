package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// session is a sequence of command lines and what the program answered, as a
// golden file holds it.
type session struct {
	t    *testing.T
	name string
	dir  string // what $DIR in a command line stands for
	log  strings.Builder
}

func newSession(t *testing.T, name string) *session {
	return &session{t: t, name: name, dir: t.TempDir()}
}

// path returns the path of a file in the session's folder.
func (s *session) path(name string) string { return filepath.Join(s.dir, name) }

// write makes a file in the session's folder.
func (s *session) write(name string, content []byte) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), content, 0o666); err != nil {
		s.t.Fatal(err)
	}
}

var anySHA256 = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// run runs a command line, whose words are separated by blanks, and notes it
// down with its exit code and all it prints. Checksums of files are left out:
// they change with every version of the compressor.
func (s *session) run(command string) {
	s.t.Helper()
	var args []string
	for _, word := range strings.Fields(command) {
		args = append(args, strings.ReplaceAll(word, "$DIR", s.dir))
	}
	code, stdout, stderr := runProgram(args...)
	neutral := func(text string) string {
		return anySHA256.ReplaceAllString(strings.ReplaceAll(text, s.dir, "$DIR"), "SHA256")
	}
	fmt.Fprintf(&s.log, "$ eevee %s\n%s", command, neutral(stdout))
	for line := range strings.Lines(neutral(stderr)) {
		s.log.WriteString("2> " + line)
	}
	fmt.Fprintf(&s.log, "exit %d\n\n", code)
}

// compare compares the session with its golden file.
func (s *session) compare() {
	s.t.Helper()
	path := filepath.Join("testdata", s.name+".golden")
	got := s.log.String()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		s.t.Errorf("%s (-want +got; go test -update rewrites it):\n%s", path, diff)
	}
}

// runProgram runs the program as main does.
func runProgram(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = Run(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestHelp(t *testing.T) {
	s := newSession(t, "help")
	s.run("help")
	s.run("help traces")
	s.run("traces import --help")
	s.run("traces fetch -h")
	s.run("help workflows show")
	s.run("workflows --nonsense show --help")
	s.compare()
}

func TestWrongUsage(t *testing.T) {
	s := newSession(t, "usage")
	for _, command := range []string{
		"", "trace", "frobnicate", "--json", "traces", "traces imprt", "help trace",
		"--version", "--frobnicate version", "version --jsn", "version --frobnicate", "version extra", "--workflow ml traces", "version -1",
		"version --json --json", "version --json=maybe", "version --seed", "version --seed --json", "version --seed x", "version --seed -1",
		"version --seed 1.5", "version --seed 18446744073709551616",
		"workflows show", "workflows show ml video", "workflows show --json",
		"traces import", "traces import x.json", "traces import x.json -o t.parquet --workflow ml",
		"traces import x.json -o t.parquet --workflow ml --format", "traces import x.json -o --workflow ml --format jolteon-profile",
		"traces import x.json -o t.parquet --workflow ml --format jolteon-profil", "traces import x.json -o t.parquet --workflow= --format csv",
		"traces import -o t.parquet --workflow ml --format jolteon-profile", "traces import x.json -o a -o b",
		"traces import x.json --output a -o b", "traces inspect", "traces inspect a b", "traces validate", "traces fetch", "traces fetch jolteon --form x",
	} {
		s.run(command)
	}
	s.compare()
}

func TestWorkflowsGolden(t *testing.T) {
	s := newSession(t, "workflows")
	s.write("chain.yaml", []byte(`name: chain
title: two stages in a row
source: made up for this test
stages:
  - {name: first, max_parallelism: 1}
  - {name: second, after: [first]}
spaces:
  - name: small
    stages:
      - stage: first
        choices: [{parallelism: [1], memory_mb: [128, 256]}]
      - stage: second
        choices: [{parallelism: [2, 4], memory_mb: [512]}]
    rules: [{stage: second, at_most: first, times: 2}]
`))
	s.write("cycle.yaml", []byte("name: cycle\nstages: [{name: a, after: [b]}, {name: b, after: [a]}]\n"))
	s.write("typo.yaml", []byte("name: typo\nstagse: []\n"))
	s.run("workflows list")
	s.run("workflows list --json")
	s.run("workflows show ml")
	s.run("workflows show tpcds")
	s.run("workflows show $DIR/chain.yaml --json")
	s.run("workflows show nope")
	s.run("workflows show $DIR/nope.yaml")
	s.run("workflows show $DIR/cycle.yaml")
	s.run("workflows show $DIR/typo.yaml")
	s.compare()
}

func TestWorkflowsImportGolden(t *testing.T) {
	s := newSession(t, "workflows_import")
	s.write("order.asl.json", []byte(`{
  "Comment": "an order", "StartAt": "check",
  "States": {
    "check": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "arn:aws:lambda:eu-west-1:123456789012:function:Check:$LATEST"}, "Next": "ok?"},
    "ok?": {"Type": "Choice", "Choices": [{"Variable": "$.ok", "BooleanEquals": true, "Next": "each"}], "Default": "again"},
    "again": {"Type": "Wait", "Seconds": 2, "Next": "check"},
    "each": {"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "pack", "States": {"pack": {"Type": "Task", "Resource": "${PackFunctionArn}", "End": true}}}}
  }
}
`))
	s.write("bad.asl.json", []byte("{\n  \"StartAt\": \"a\",\n  \"States\": {\n    \"a\": {\"Type\": \"Task\", \"Next\": \"b\"}\n  }\n}\n"))
	s.write("wf.json", []byte(`{"name": "two", "schemaVersion": "1.4", "workflow": {"makespanInSeconds": 3, "tasks": [{"name": "a", "runtimeInSeconds": 1}, {"name": "b", "parents": ["a"], "runtimeInSeconds": 2}]}}`))
	s.write("behaviour.json", []byte(`{"schema": "eevee.behaviour/1", "choices": {"ok?": {"to": ["each", "again"], "p": [[0.8, 0.2]]}}, "widths": {"each": {"items": [1, 3], "p": [0.5, 0.5]}}}`))
	s.run("workflows show $DIR/order.asl.json")
	s.run("workflows show $DIR/order.asl.json --json")
	s.run("workflows show $DIR/order.asl.json --format mermaid --behaviour $DIR/behaviour.json")
	s.run("workflows show ml --format dot")
	s.run("workflows show ml --format svg -o $DIR/ml.svg")
	s.run("workflows show $DIR/wf.json --format text --json")
	s.run("workflows show ml --format png")
	s.run("workflows show ml -o $DIR/ml.svg")
	s.run("workflows show ml --behaviour $DIR/behaviour.json")
	s.run("workflows import $DIR/order.asl.json -o $DIR/w.yaml")
	s.run("workflows import $DIR/order.asl.json -o $DIR/w.yaml --behaviour $DIR/behaviour.json --memory 512,1024 --json")
	s.run("workflows show $DIR/w.yaml")
	s.run("workflows import $DIR/order.asl.json -o $DIR/w.yaml --loop check=2 --width each=4 --name order2")
	s.run("workflows import $DIR/wf.json -o $DIR/wf.yaml")
	s.run("workflows import $DIR/wf.json -o $DIR/wf.yaml --json --quiet")
	s.run("workflows import $DIR/bad.asl.json -o $DIR/bad.yaml")
	s.run("workflows import $DIR/order.asl.json -o $DIR/order.asl.json")
	s.run("workflows import $DIR/order.asl.json -o $DIR/w2.yaml --loop x=2")
	s.run("workflows import $DIR/order.asl.json -o $DIR/w2.yaml --width each=0")
	s.run("workflows import $DIR/order.asl.json -o $DIR/w2.yaml --memory 64 --loop check=1 --width each=1")
	s.run("workflows import $DIR/wf.json -o $DIR/w2.yaml --loop check=1")
	s.run("workflows import ml")
	s.compare()
}
