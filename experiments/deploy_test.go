package experiments

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"eevee/models"
	"eevee/models/asl"
)

const deployMachine = `{"StartAt": "a", "States": {
	"a": {"Type": "Task", "Resource": "${It's a \"token\"}", "Next": "q"},
	"q": {"Type": "Choice", "Choices": [{"Next": "a"}], "Default": "m"},
	"m": {"Type": "Map", "End": true, "Items": [1, 2, 3], "ItemProcessor": {"StartAt": "b", "States": {"b": {"Type": "Task", "Resource": "arn:aws:lambda:r:1:function:my-fn:live", "End": true}}}}}}`

func deployment(t *testing.T) *Deployment {
	t.Helper()
	m, err := asl.Parse("m", []byte(deployMachine))
	if err != nil {
		t.Fatal(err)
	}
	l, err := asl.Lower(m, nil, asl.LowerOptions{Loops: map[string]int{"a": 2}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := Deploy(l.Workflow, models.Config{{Memory: 512, Parallelism: 1}, {Memory: 1024, Parallelism: 1}, {Memory: 1769, Parallelism: 3}}, m)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func written(t *testing.T, d *Deployment, form string) string {
	t.Helper()
	var b strings.Builder
	if err := d.Write(&b, form); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDeploy(t *testing.T) {
	d := deployment(t)
	want := []DeployedFunction{{`${It's a "token"}`, 1024, []string{"a", "a#2"}}, {"my-fn", 1769, []string{"b"}}}
	if diff := cmp.Diff(want, d.Functions); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if want := []string{`function ${It's a "token"} runs in stages of 512 and 1024 MB; it gets the larger size`}; !cmp.Equal(want, d.Warnings) {
		t.Errorf("warnings %q", d.Warnings)
	}
	// Each form is read back by what it is meant for, or by a reader of its
	// syntax.
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				FunctionName string `yaml:"FunctionName"`
				MemorySize   int    `yaml:"MemorySize"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(written(t, d, "sam")), &template); err != nil {
		t.Fatal(err)
	}
	if f := template.Resources["myfn"].Properties; len(template.Resources) != 2 || f.FunctionName != "my-fn" || f.MemorySize != 1769 || template.Resources["Itsatoken"].Properties.FunctionName != `${It's a "token"}` {
		t.Errorf("SAM: %+v", template)
	}
	var states struct {
		States map[string]map[string]any
	}
	if err := json.Unmarshal([]byte(written(t, d, "asl")), &states); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]map[string]any{
		"a": {"Parameters": map[string]any{"Payload": map[string]any{"parallelism": 1.0}}},
		"m": {"MaxConcurrency": 3.0},
	}, states.States); diff != "" {
		t.Errorf("ASL (-want +got):\n%s", diff)
	}
	want2 := "resource \"aws_lambda_function\" \"It_s_a_token\" {\n  function_name = \"$${It's a \\\"token\\\"}\"\n  memory_size   = 1024\n}\n" +
		"resource \"aws_lambda_function\" \"my_fn\" {\n  function_name = \"my-fn\"\n  memory_size   = 1769\n}\n"
	if diff := cmp.Diff(want2, written(t, d, "terraform")); diff != "" {
		t.Errorf("Terraform (-want +got):\n%s", diff)
	}
	// The shell sees the names as they are.
	script := strings.ReplaceAll(written(t, d, "cli"), "aws lambda", "printf '%s|'") + "echo"
	out, err := exec.Command("sh", "-c", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := "update-function-configuration|--function-name|${It's a \"token\"}|--memory-size|1024|update-function-configuration|--function-name|my-fn|--memory-size|1769|\n"; string(out) != want {
		t.Errorf("the shell sees %s", out)
	}
}

func TestDeployNeedsItsMachine(t *testing.T) {
	m, err := asl.Parse("m", []byte(deployMachine))
	if err != nil {
		t.Fatal(err)
	}
	d, err := models.Load("ml")
	if err != nil {
		t.Fatal(err)
	}
	c := models.Config{{Memory: 1, Parallelism: 1}, {Memory: 1, Parallelism: 1}, {Memory: 1, Parallelism: 1}, {Memory: 1, Parallelism: 1}}
	if _, err := Deploy(d.Workflow, c, m); err == nil || !strings.Contains(err.Error(), `stage "stage0" is no state of machine`) {
		t.Errorf("error %v", err)
	}
	if err := deployment(t).Write(&strings.Builder{}, "bicep"); err == nil {
		t.Error("an unknown form was written")
	}
}
