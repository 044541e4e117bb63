package cli

import (
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"

	"eevee/experiments"
	"eevee/models/asl"
)

// importedWorkflow is the result of "eevee workflows import".
type importedWorkflow struct {
	Workflow string           `json:"workflow"`
	Form     string           `json:"form"` // definition, asl or wfformat
	Input    string           `json:"input"`
	Output   string           `json:"output"`
	Replaced bool             `json:"replaced"` // whether there was a file of that name
	States   int              `json:"states"`   // of a state machine; tasks of an instance
	Stages   []importedStage  `json:"stages"`
	Edges    int              `json:"edges"`
	Loops    map[string]int   `json:"loops,omitempty"`  // as given
	Widths   map[string]int   `json:"widths,omitempty"` // as given
	Lost     []string         `json:"lost"`
	Warnings []string         `json:"warnings"`
	Recorded *recordedRuntime `json:"recorded,omitempty"` // of an instance
}

type importedStage struct {
	Stage    string   `json:"stage"`
	After    []string `json:"after"`
	Function string   `json:"function,omitempty"`
	Width    int      `json:"width"`
	Visits   *float64 `json:"expected_visits,omitempty"` // per execution, of the state; absent: not known
}

type recordedRuntime struct {
	MakespanS float64 `json:"makespan_s"`
	TaskS     float64 `json:"tasks_s"` // summed
}

func importWorkflowVerb() verb {
	var output, name, behaviour string
	var memory []int
	var loops, widths map[string]int
	var choices map[string]asl.Odds
	return verb{
		name:    "import",
		summary: "turn a state machine or a WfCommons instance into a workflow file",
		shown:   []string{"workflows import definition.asl.json -o workflow.yaml --width Map=8 --loop Check=3"},
		detail: "FILE is a state machine in the Amazon States Language, what \"aws stepfunctions\n" +
			"describe-state-machine\" prints, or an instance in WfFormat 1.3 to 1.5; gzipped or not.\n" +
			"What a workflow of stages cannot say is listed. Loops and Maps need a number: from\n" +
			"--behaviour, which \"eevee import\" estimates from logs, or from --choice, --loop and --width.",
		args: "FILE",
		flags: flags{
			outputFlag(&output, "workflow `FILE` to write (YAML)"),
			textFlag(&name, "name", "", "`NAME` of the workflow; default: that of the state machine, file or folder"),
			flagOf(&memory, "memory", "", "admissible `SIZES` of every stage in MB, separated by commas; default: 128 MB to 4 vCPU", parseSizes),
			textFlag(&behaviour, "behaviour", "", "`FILE` that says how often choices, loops and maps do what"),
			flagOf(&loops, "loop", "", "how often loops run, as `STATE=N,...`, the state being one in the loop", parseNumbered),
			flagOf(&choices, "choice", "", "odds of choices, as `STATE:TO=P,...;...`", parseOdds),
			flagOf(&widths, "width", "", "how many items Maps get, as `STATE=N,...`", parseNumbered),
		},
		need: []string{"output"},
		run: func(c *call) error {
			replaces, err := checkOutput(output, c.args[0])
			if err != nil {
				return err
			}
			w, err := experiments.OpenWorkflow(c.args[0])
			if err != nil {
				return err
			}
			o := experiments.DefineOptions{Memory: memory, Lower: asl.LowerOptions{Name: name, Loops: loops}}
			if w.Machine == nil && (behaviour != "" || len(loops)+len(widths)+len(choices) > 0) {
				return usagef("--behaviour, --choice, --loop and --width are for state machines, and %s is none", c.args[0])
			}
			if w.Machine != nil {
				if o.Behaviour, err = behaviourOf(w.Machine, behaviour, choices, widths); err != nil {
					return err
				}
			}
			if name != "" {
				w.Name = name
			}
			d, err := w.Define(o)
			if err != nil {
				return fmt.Errorf("%s: %w", c.args[0], err)
			}
			r := importedWorkflow{Workflow: d.Definition.Workflow.Name(), Form: w.Form, Input: c.args[0], Output: output, Replaced: replaces, Loops: loops, Widths: widths, Lost: d.Lost, Warnings: []string{}}
			r.fill(w, d)
			text, err := d.Definition.Text()
			if err != nil {
				return err
			}
			if err := c.ctx.Err(); err != nil {
				return err
			}
			if replaces {
				c.remark("%s exists and is replaced", output)
			}
			if err := renameio.WriteFile(output, text, 0o644); err != nil {
				return err
			}
			for _, w := range r.Warnings {
				c.warn("%s", w)
			}
			return c.result(r, r.write)
		},
	}
}

func (r *importedWorkflow) fill(w *experiments.WorkflowFile, d *experiments.Defined) {
	if w.Machine != nil {
		r.States = len(w.Machine.States())
		r.Warnings = append(r.Warnings, w.Machine.Warnings...)
	}
	if w.Instance != nil {
		r.States = len(w.Instance.Tasks)
		r.Recorded = &recordedRuntime{MakespanS: w.Instance.MakespanS}
		for _, t := range w.Instance.Tasks {
			r.Recorded.TaskS += t.RuntimeS
		}
	}
	workflow := d.Definition.Workflow
	for i := range workflow.Len() {
		s := importedStage{Stage: workflow.Stage(i).Name, After: workflow.Stage(i).After, Width: 1}
		if d.Stages != nil {
			s.Function, s.Width = d.Stages[i].Function, d.Stages[i].Width
			if v := d.Stages[i].Visits; v > 0 {
				s.Visits = &v
			}
		}
		r.Edges += len(s.After)
		r.Stages = append(r.Stages, s)
	}
}

func (r importedWorkflow) write(w io.Writer) error {
	fmt.Fprintf(w, "%s: workflow %s, %d stages and %d edges from %d %s\n", r.Output, r.Workflow, len(r.Stages), r.Edges, r.States,
		map[string]string{"asl": "states", "wfformat": "tasks", "definition": "stages"}[r.Form])
	if len(r.Lost) > 0 {
		fmt.Fprintln(w, "\nwhat the workflow does not say:")
	}
	for _, l := range r.Lost {
		fmt.Fprintf(w, "  %s\n", l)
	}
	return nil // w is a buffer
}

// behaviourOf reads the behaviour of a machine, and sets the odds and widths
// that were given.
func behaviourOf(m *asl.Machine, path string, choices map[string]asl.Odds, widths map[string]int) (*asl.Behaviour, error) {
	b := &asl.Behaviour{Schema: asl.BehaviourSchema, Choices: map[string]asl.Odds{}, Widths: map[string]asl.Widths{}}
	if path != "" {
		var err error
		if b, err = asl.LoadBehaviour(path, m); err != nil {
			return nil, err
		}
	}
	if b.Widths == nil {
		b.Widths = map[string]asl.Widths{}
	}
	for id, n := range widths {
		b.Widths[id] = asl.Widths{Items: []int{n}, P: []float64{1}}
	}
	if b.Choices == nil {
		b.Choices = map[string]asl.Odds{}
	}
	maps.Copy(b.Choices, choices)
	if err := b.Check(m); err != nil {
		return nil, err
	}
	return b, nil
}

// parseSizes reads sizes in MB, separated by commas.
func parseSizes(s string) ([]int, error) {
	var list []int
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is not a size in MB; write 512,1024,1769", part)
		}
		list = append(list, n)
	}
	return list, nil
}

// parseNumbered reads numbers of states, as "Map=4,Loop=2".
func parseNumbered(s string) (map[string]int, error) {
	all := make(map[string]int)
	for part := range strings.SplitSeq(s, ",") {
		i := strings.LastIndexByte(part, '=')
		if i < 1 {
			return nil, fmt.Errorf("%q is not STATE=N", part)
		}
		n, err := parseCount(strings.TrimSpace(part[i+1:]))
		if err != nil {
			return nil, fmt.Errorf("%q: %w", part, err)
		}
		all[strings.TrimSpace(part[:i])] = n
	}
	return all, nil
}
