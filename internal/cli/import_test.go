package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
)

// importFixture writes a state machine with a choice and a loop, tables of
// what was recorded of 40 executions of it, and a profile.
func importFixture(s *session) {
	s.write("order.asl.json", []byte(`{
  "Comment": "an order", "StartAt": "check",
  "States": {
    "check": {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:Order_check", "Next": "ok?"},
    "ok?": {"Type": "Choice", "Choices": [{"Variable": "$.ok", "BooleanEquals": true, "Next": "pack"}], "Default": "check"},
    "pack": {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:Order_pack", "End": true}
  }
}
`))
	var calls, runs, costs, profile strings.Builder
	calls.WriteString("Function,Memory_Size,Max_Memory_Used,Duration,Billed_Duration,UTC_Timestamp,RequestId\n")
	profile.WriteString(calls.String())
	runs.WriteString("Start,End\n")
	costs.WriteString("Cost\n")
	request := 0
	call := func(to *strings.Builder, function string, memory int, ms float64, at float64) {
		request++
		fmt.Fprintf(to, "%s,%d,40,%.2f,%d,%.1f,r%d\n", function, memory, ms, int(ms)+1, float64(int(at)), request)
	}
	for i := range 40 {
		at := 1700000000 + 10*float64(i)
		begin, usd := at, 0.0
		checks := 1
		if i%4 == 0 {
			checks = 2
		}
		for range checks {
			ms := 100.5 + float64(i%7)
			at += ms/1e3 + 0.02
			call(&calls, "check", 512, ms, at)
			usd += float64(int(ms)+1)/1e3*0.5*16.6667 + 0.2
		}
		ms := 200.5 + float64(i%5)
		at += ms/1e3 + 0.02
		call(&calls, "pack", 1024, ms, at)
		usd += float64(int(ms)+1)/1e3*16.6667 + 0.2
		fmt.Fprintf(&runs, "%.3f,%.3f\n", begin, at)
		fmt.Fprintf(&costs, "%.9f\n", usd)
		for _, memory := range []int{512, 1024, 1769} {
			call(&profile, "check", memory, 51200/float64(memory)+float64(i%7), 0)
			call(&profile, "pack", memory, 204800/float64(memory)+float64(i%5), 0)
		}
	}
	for name, text := range map[string]string{"calls.csv": calls.String(), "runs.csv": runs.String(), "costs.csv": costs.String(), "profile.csv": profile.String()} {
		s.write(name, []byte(text))
	}
	s.write("table.csv", []byte("fn,ms\nf,1\n"))
	s.write("delay.csv", []byte("Duration\n20\n19\n21\n"))
}

func TestImportGolden(t *testing.T) {
	s := newSession(t, "import")
	importFixture(s)
	s.run("import $DIR/order.asl.json $DIR/calls.csv $DIR/runs.csv $DIR/costs.csv --mapping pacslab-costs -o $DIR/order")
	s.run("import $DIR/order.asl.json $DIR/calls.csv $DIR/runs.csv --profile $DIR/profile.csv --delays $DIR/delay.csv --mapping pacslab-delays -o $DIR/order --json --quiet")
	s.run("workflows execute $DIR/order --runs 2000 --quiet")
	s.run("workflows execute $DIR/order --runs 200 --quiet --memory Order_check=1769 --choice ok?:pack=1,check=0 --json -o $DIR/simulated.parquet")
	s.run("import $DIR/order.asl.json $DIR/simulated.parquet -o $DIR/again --quiet")
	s.run("workflows show $DIR/order/workflow.yaml --format text")
	s.write("config.json", []byte(`{"workflow": "order", "config": [{"stage": "check", "memory_mb": 512, "parallelism": 1}, {"stage": "check#2", "memory_mb": 1024, "parallelism": 1}, {"stage": "pack", "memory_mb": 1769, "parallelism": 1}]}`))
	s.run("workflows export $DIR/config.json --workflow $DIR/order/workflow.yaml")
	s.run("workflows export $DIR/config.json --workflow $DIR/order/workflow.yaml --machine $DIR/order --format sam --json --quiet")
	s.run("workflows export $DIR/config.json --workflow $DIR/order/workflow.yaml --machine $DIR/order.asl.json --format terraform -o $DIR/main.tf")
	s.run("workflows export $DIR/config.json --workflow $DIR/order/workflow.yaml --machine $DIR/order --format asl")
	s.run("workflows export $DIR/config.json --workflow ml")
	s.run("workflows export $DIR/config.json")
	s.run("workflows execute $DIR/order.asl.json")
	s.run("workflows execute $DIR/order.asl.json --trace $DIR/order/traces.parquet")
	s.run("workflows execute $DIR/order --memory Order_check=300")
	s.run("workflows execute $DIR/nope")
	s.run("workflows execute $DIR/order --choice ok?:pack=0.5,check=0.6 --runs 10")
	s.run("workflows execute $DIR/order --choice ok?")
	s.run("import $DIR/order.asl.json -o $DIR/x")
	s.run("import $DIR/order.asl.json $DIR/table.csv -o $DIR/x")
	s.run("import $DIR/order.asl.json $DIR/delay.csv -o $DIR/x")
	s.run("import $DIR/order.asl.json $DIR/runs.csv -o $DIR/x")
	s.run("import $DIR/order.asl.json $DIR/calls.csv -o $DIR")
	s.run("import $DIR/order.asl.json $DIR/calls.csv -o $DIR/nope/x")
	s.run("import $DIR/order.asl.json $DIR/nope.csv -o $DIR/x")
	s.run("import $DIR/order.asl.json $DIR/calls.csv -o $DIR/x --function check=Nope")
	s.run("import $DIR/order/workflow.yaml $DIR/calls.csv -o $DIR/x")
	s.compare()
}

// What is printed and written is what the published schemas say.
func TestImportSchemas(t *testing.T) {
	s := newSession(t, "")
	importFixture(s)
	read := func(path string) []byte {
		t.Helper()
		text, err := os.ReadFile(s.path(path))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	run := func(command string) []byte {
		t.Helper()
		code, stdout, stderr := runProgram(strings.Fields(strings.ReplaceAll(command, "$DIR", s.dir))...)
		if code != exitDone {
			t.Fatalf("eevee %s: exit code %d\n%s", command, code, stderr)
		}
		return []byte(stdout)
	}
	for _, command := range []string{
		"import $DIR/order.asl.json $DIR/calls.csv -o $DIR/a --json",
		"import $DIR/order.asl.json $DIR/calls.csv $DIR/runs.csv $DIR/costs.csv --profile $DIR/profile.csv --delays $DIR/delay.csv --mapping pacslab-delays --mapping pacslab-costs -o $DIR/b --json",
	} {
		matchesSchema(t, "workflow-import", run(command))
	}
	for _, dir := range []string{"a", "b"} {
		matchesSchema(t, "workflow-import", read(dir+"/report.json"))
		matchesSchema(t, "behaviour", read(dir+"/behaviour.json"))
	}
	matchesSchema(t, "execute", run("workflows execute $DIR/a --choice ok?:pack=0.5,check=0.5 --runs 50 --json"))
	matchesSchema(t, "execute", run("workflows execute $DIR/b --runs 500 --latency 0.4s --cost 5e-6 --json -o $DIR/x.parquet"))
	// What an import wrote is a workflow that the rest of the program takes.
	run("solve --workflow $DIR/b/workflow.yaml --model-file $DIR/b/model.json --latency 0.6s --samples 500 --rule plugin -o $DIR/config.json")
	if text := string(read("b/machine.asl.json")); strings.Contains(text, "123456789012") || !strings.Contains(text, "000000000000") {
		t.Errorf("the account number is left: %s", text)
	}
	run("import $DIR/order.asl.json $DIR/calls.csv -o $DIR/a --keep-identifiers")
	if text := string(read("a/machine.asl.json")); !strings.Contains(text, "123456789012") {
		t.Errorf("the account number is gone: %s", text)
	}
}

// An import that fails leaves what was there, and nothing else.
func TestImportIsWholeOrNotAtAll(t *testing.T) {
	s := newSession(t, "")
	importFixture(s)
	if code, _, stderr := runProgram("import", s.path("order.asl.json"), s.path("calls.csv"), "-o", s.path("a")); code != exitDone {
		t.Fatal(stderr)
	}
	before, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(s.path("a/report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if code, _, _ := runProgram("import", s.path("order.asl.json"), s.path("runs.csv"), "-o", s.path("a")); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := Run(ctx, []string{"import", s.path("order.asl.json"), s.path("calls.csv"), s.path("runs.csv"), "-o", s.path("a")}, &out, &errs); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
	after, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(before) != len(after) {
		t.Errorf("%d entries before, %d after", len(before), len(after))
	}
	if now, err := os.ReadFile(s.path("a/report.json")); err != nil || !bytes.Equal(old, now) {
		t.Errorf("the old import has changed: %v", err)
	}
}

// An instance in WfFormat becomes a workflow and a model that solve takes, and
// the answer is proved.
func TestImportInstanceGolden(t *testing.T) {
	s := newSession(t, "import_instance")
	instance, err := os.ReadFile("testdata/pictures.wf.json")
	if err != nil {
		t.Fatal(err)
	}
	broken := func(name, old, new string) {
		t.Helper()
		if !bytes.Contains(instance, []byte(old)) {
			t.Fatalf("the instance has no %s", old)
		}
		s.write(name, bytes.Replace(instance, []byte(old), []byte(new), 1))
	}
	s.write("pictures.json", instance)
	broken("untimed.json", `"runtimeInSeconds": 26.5,`, "")
	broken("negative.json", `"avgCPU": 35.0`, `"avgCPU": -3`)
	broken("huge.json", `"memoryInBytes": 1500000000`, `"memoryInBytes": 15000000000`)
	broken("text.json", `"runtimeInSeconds": 26.5`, `"runtimeInSeconds": "long"`)
	broken("stranger.json", `"parents": [
      "split"`, `"parents": [
      "splice"`)
	broken("slow.json", `"runtimeInSeconds": 40.0`, `"runtimeInSeconds": 4000`)
	s.write("order.asl.json", []byte(`{"StartAt": "a", "States": {"a": {"Type": "Pass", "End": true}}}`))
	const solve = " --workflow $DIR/pictures/workflow.yaml --model-file $DIR/pictures/model.json --latency 75s --quiet"
	s.run("import $DIR/pictures.json --dispersion 0.2 -o $DIR/pictures")
	s.run("solve" + solve)
	s.run("solve" + solve + " --method exhaustive --samples 1000 --memory 886..1769/883 --rule plugin")
	s.run("solve" + solve + " --method exact --samples 1000 --memory 886..1769/883 --rule plugin")
	s.run("solve" + solve + " --method jolteon")
	s.run("import $DIR/pictures.json --dispersion 0.3 --correlation 0.5 --parallel-fraction 0.9 --cpu-share 0.8 --speed 1.5 --start-delay 50ms --memory 1536,3008,6016 --name photos -o $DIR/pictures --json")
	s.run("import $DIR/slow.json --dispersion 0.2 -o $DIR/slow --quiet")
	s.run("import $DIR/pictures.json -o $DIR/x")
	s.run("import $DIR/pictures.json --dispersion 0 -o $DIR/x")
	s.run("import $DIR/pictures.json --dispersion 0.2 --parallel-fraction 2 -o $DIR/x")
	s.run("import $DIR/pictures.json --dispersion 0.2 --loop a=2 -o $DIR/x")
	s.run("import $DIR/pictures.json $DIR/slow.json --dispersion 0.2 -o $DIR/x")
	s.run("import $DIR/order.asl.json $DIR/slow.json --dispersion 0.2 -o $DIR/x")
	s.run("import $DIR/pictures.json --dispersion 0.2 -o $DIR")
	for _, name := range []string{"untimed", "negative", "huge", "text", "stranger", "nope"} {
		s.run("import $DIR/" + name + ".json --dispersion 0.2 -o $DIR/x")
	}
	s.compare()
	for _, name := range []string{"pictures", "slow"} {
		report, err := os.ReadFile(s.path(name + "/report.json"))
		if err != nil {
			t.Fatal(err)
		}
		matchesSchema(t, "instance-import", report)
	}
	if _, err := os.Stat(s.path("x")); err == nil {
		t.Error("a failed import left a folder")
	}
}
