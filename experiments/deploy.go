package experiments

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"eevee/internal/spelling"
	"eevee/models"
	"eevee/models/asl"
)

// Deployment is a configuration as what is to be set on the platform: memory
// belongs to functions, parallelism to stages.
type Deployment struct {
	Workflow  string             `json:"workflow"`
	Functions []DeployedFunction `json:"functions"` // in the order of their first stages
	Stages    []DeployedStage    `json:"stages"`
	Warnings  []string           `json:"warnings"`
}

// DeployedFunction is a function with its memory.
type DeployedFunction struct {
	Function string   `json:"function"`
	MemoryMB int      `json:"memory_mb"`
	Stages   []string `json:"stages"` // that run it
}

// DeployedStage is a stage with its parallelism.
type DeployedStage struct {
	Stage       string `json:"stage"`
	State       string `json:"state"`         // of the state machine; the stage's name where there is none
	Map         string `json:"map,omitempty"` // the Map around the state; empty: none
	Parallelism int    `json:"parallelism"`
}

// Deploy says what a configuration sets. Without a machine a function has the
// name of its stage. Where several stages run one function it gets the largest
// of their sizes, which no stage finds too small.
func Deploy(w *models.Workflow, c models.Config, m *asl.Machine) (*Deployment, error) {
	d := &Deployment{Workflow: w.Name(), Warnings: []string{}}
	around := make(map[*asl.State]string)
	if m != nil {
		innermostMaps(&m.Graph, "", around)
	}
	at := make(map[string]int)
	for i := range w.Len() {
		stage := w.Stage(i).Name
		out := DeployedStage{Stage: stage, State: stage, Parallelism: c[i].Parallelism}
		function := stage
		if m != nil {
			s, ok := m.OfStage(stage)
			if !ok {
				return nil, fmt.Errorf("stage %q is no state of machine %s; was the workflow imported from it?", stage, m.Name)
			}
			out.State, out.Map, function = s.ID, around[s], s.Function
		}
		d.Stages = append(d.Stages, out)
		k, known := at[function]
		if !known {
			k = len(d.Functions)
			at[function] = k
			d.Functions = append(d.Functions, DeployedFunction{Function: function})
		}
		f := &d.Functions[k]
		if known && f.MemoryMB != c[i].Memory {
			d.Warnings = append(d.Warnings, fmt.Sprintf("function %s runs in stages of %d and %d MB; it gets the larger size", function, f.MemoryMB, c[i].Memory))
		}
		f.MemoryMB = max(f.MemoryMB, c[i].Memory)
		f.Stages = append(f.Stages, stage)
	}
	return d, nil
}

// innermostMaps finds the Map that every state is in.
func innermostMaps(g *asl.Graph, within string, around map[*asl.State]string) {
	for _, s := range g.Nodes {
		around[s] = within
		inner := within
		if s.Type == asl.Map {
			inner = s.ID
		}
		for _, graph := range s.Graphs() {
			innermostMaps(graph, inner, around)
		}
	}
}

// DeployForms are the forms in which a Deployment can be written.
func DeployForms() []string { return []string{"cli", "sam", "terraform", "asl"} }

// Write writes the deployment: as commands of the AWS command line, as
// resources of an AWS SAM template or of Terraform, or as the fields that
// states of a state machine get.
func (d *Deployment) Write(w io.Writer, form string) error {
	var b strings.Builder
	switch form {
	case "cli":
		for _, f := range d.Functions {
			fmt.Fprintf(&b, "aws lambda update-function-configuration --function-name %s --memory-size %d\n", shellQuoted(f.Function), f.MemoryMB)
		}
	case "sam":
		b.WriteString("Resources:\n")
		for i, name := range d.resources(samName) {
			fmt.Fprintf(&b, "  %s:\n    Type: AWS::Serverless::Function\n    Properties:\n      FunctionName: %s\n      MemorySize: %d\n", name, strconv.Quote(d.Functions[i].Function), d.Functions[i].MemoryMB)
		}
	case "terraform":
		for i, name := range d.resources(terraformName) {
			function := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", "$${", "%{", "%%{").Replace(d.Functions[i].Function)
			fmt.Fprintf(&b, "resource \"aws_lambda_function\" %q {\n  function_name = \"%s\"\n  memory_size   = %d\n}\n", name, function, d.Functions[i].MemoryMB)
		}
	case "asl":
		return d.writeASL(w)
	default:
		return spelling.Unknown("form", form, DeployForms())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeASL writes the fields that states get, to be merged into a definition:
// the concurrency of a Map, and, for a stage that is in none, its parallelism
// in the payload of the function, which has to split the work itself. Memory
// is no matter of the state machine.
func (d *Deployment) writeASL(w io.Writer) error {
	states := make(map[string]map[string]any)
	for _, s := range d.Stages {
		if s.Map != "" {
			before, _ := states[s.Map]["MaxConcurrency"].(int)
			states[s.Map] = map[string]any{"MaxConcurrency": max(before, s.Parallelism)}
			continue
		}
		states[s.State] = map[string]any{"Parameters": map[string]any{"Payload": map[string]any{"parallelism": s.Parallelism}}}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"States": states})
}

// resources returns names for the functions, each once.
func (d *Deployment) resources(name func(string) string) []string {
	var names []string
	for _, f := range d.Functions {
		base := name(f.Function)
		unique := base
		for k := 2; slices.Contains(names, unique); k++ {
			unique = base + strconv.Itoa(k)
		}
		names = append(names, unique)
	}
	return names
}

var (
	notAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9]+`)
	notWord         = regexp.MustCompile(`[^A-Za-z0-9_]+`)
)

// samName makes a logical ID of a name: letters and digits.
func samName(function string) string {
	name := notAlphanumeric.ReplaceAllString(function, "")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "Function" + name
	}
	return name
}

// terraformName makes an identifier of a name.
func terraformName(function string) string {
	name := strings.Trim(notWord.ReplaceAllString(function, "_"), "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "function_" + name
	}
	return name
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=-]+$`)

// shellQuoted quotes a word for a POSIX shell where it needs it.
func shellQuoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
