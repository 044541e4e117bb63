package cli

import (
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"eevee/experiments"
	"eevee/models"
)

// workflowDetails is the result of "eevee workflows show".
type workflowDetails struct {
	Name          string         `json:"name"`
	Title         string         `json:"title"`
	Source        string         `json:"source"`
	MBPerVCPU     float64        `json:"mb_per_vcpu"`
	Stages        []stageDetails `json:"stages"`
	Paths         [][]string     `json:"paths"`
	PathsComplete bool           `json:"paths_complete"` // false: there are more than are listed
	Spaces        []spaceDetails `json:"spaces"`
	Diagram       string         `json:"diagram"` // what comes after what, as text
}

type stageDetails struct {
	Name           string   `json:"name"`
	After          []string `json:"after"`
	MaxParallelism *int     `json:"max_parallelism"` // null: no limit
}

type spaceDetails struct {
	Name   string         `json:"name"`
	Source string         `json:"source"`
	Size   *big.Int       `json:"size"` // admissible configurations
	Stages []stageChoices `json:"stages"`
	Rules  []ruleDetails  `json:"rules"`
}

type stageChoices struct {
	Stage   string   `json:"stage"`
	Choices []choice `json:"choices"`
}

type choice struct {
	MemoryMB    int     `json:"memory_mb"`
	VCPU        float64 `json:"vcpu"`
	Parallelism int     `json:"parallelism"`
}

// ruleDetails couples two stages: the parallelism of Stage is at most, or
// exactly, Times that of Of.
type ruleDetails struct {
	Stage    string `json:"stage"`
	Relation string `json:"relation"` // at_most or equals
	Times    int    `json:"times"`
	Of       string `json:"of"`
}

func (r ruleDetails) String() string {
	sign, of := "<=", r.Of
	if r.Relation == "equals" {
		sign = "="
	}
	if r.Times != 1 {
		of = strconv.Itoa(r.Times) + " * " + r.Of
	}
	return r.Stage + " " + sign + " " + of
}

func showWorkflowVerb() verb {
	var format, output, behaviour string
	formats := []string{"text", "svg", "png", "dot", "mermaid"}
	return verb{
		name:    "show",
		summary: "show and draw a workflow or a state machine",
		shown: []string{
			"workflows show ml",
			"workflows show definition.asl.json --format svg -o app.svg",
		},
		detail: "NAME is a bundled workflow, FILE a workflow file (YAML), a state machine in the Amazon\n" +
			"States Language or an instance in WfFormat. Without --format a workflow's stages, paths,\n" +
			"admissible configurations and rules are shown, a state machine's states; with it only\n" +
			"the drawing.",
		args:   "NAME|FILE",
		offers: models.Bundled(),
		flags: flags{
			choiceFlag(&format, "format", "", "draw it as `FORMAT`: "+strings.Join(formats, ", "), formats),
			outputFlag(&output, "`FILE` for the drawing; default: standard output"),
			textFlag(&behaviour, "behaviour", "", "`FILE` whose odds and widths are drawn into a state machine"),
		},
		run: func(c *call) error {
			if format == "" && output != "" {
				return usagef("--output needs a --format")
			}
			if format == "png" && output == "" {
				return usagef("--format png needs an --output")
			}
			if output != "" {
				if _, err := checkOutput(output, c.args[0], behaviour); err != nil {
					return err
				}
			}
			w, err := experiments.OpenWorkflow(c.args[0])
			if err != nil {
				return err
			}
			d, err := drawingOf(w, behaviour)
			if err != nil {
				return err
			}
			if format != "" {
				return c.draw(w.Name, d, format, output)
			}
			details, err := describe(w, d)
			if err != nil {
				return err
			}
			return c.result(details, details.write)
		},
	}
}

func detailsOf(d *models.Definition) workflowDetails {
	w := d.Workflow
	details := workflowDetails{Name: w.Name(), Title: d.Title, Source: d.Source, MBPerVCPU: d.MBPerVCPU}
	for i := range w.Len() {
		s := w.Stage(i)
		stage := stageDetails{Name: s.Name, After: s.After}
		if s.MaxParallelism > 0 {
			stage.MaxParallelism = &s.MaxParallelism
		}
		details.Stages = append(details.Stages, stage)
	}
	paths, complete := w.Paths()
	details.PathsComplete = complete
	for _, p := range paths {
		var named []string
		for _, i := range p {
			named = append(named, w.Stage(i).Name)
		}
		details.Paths = append(details.Paths, named)
	}
	for _, s := range d.Spaces {
		details.Spaces = append(details.Spaces, spaceDetailsOf(s))
	}
	return details
}

func spaceDetailsOf(s models.NamedSpace) spaceDetails {
	w := s.Workflow
	details := spaceDetails{Name: s.Name, Source: s.Source, Size: s.Size()}
	for i := range w.Len() {
		stage := stageChoices{Stage: w.Stage(i).Name}
		for _, c := range s.Choices(i) {
			stage.Choices = append(stage.Choices, choice{c.Memory, c.VCPU, c.Parallelism})
		}
		details.Stages = append(details.Stages, stage)
	}
	for _, r := range s.Rules() {
		rule := ruleDetails{Stage: w.Stage(r.Stage).Name, Relation: "at_most", Times: r.Times, Of: w.Stage(r.Of).Name}
		if r.Equal {
			rule.Relation = "equals"
		}
		details.Rules = append(details.Rules, rule)
	}
	return details
}

func (d workflowDetails) write(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s\nsource: %s\n%g MB per vCPU\n\n", d.Name, d.Title, d.Source, d.MBPerVCPU)
	var rows [][]any
	for _, s := range d.Stages {
		limit := "-"
		if s.MaxParallelism != nil {
			limit = strconv.Itoa(*s.MaxParallelism)
		}
		after := "-"
		if len(s.After) > 0 {
			after = strings.Join(s.After, " ")
		}
		rows = append(rows, []any{s.Name, after, limit})
	}
	fmt.Fprintf(w, "%s\npaths\n", textTable([]any{"stage", "after", "max parallelism"}, rows))
	for _, p := range d.Paths {
		fmt.Fprintf(w, "  %s\n", strings.Join(p, " > "))
	}
	if !d.PathsComplete {
		fmt.Fprintln(w, "  and more")
	}
	fmt.Fprintf(w, "\ndrawn (--format svg, png, dot or mermaid draws better)\n\n%s", d.Diagram)
	for _, s := range d.Spaces {
		s.write(w)
	}
	return nil // w is a buffer
}

func (s spaceDetails) write(w io.Writer) {
	fmt.Fprintf(w, "\nspace %s: %v configurations\nsource: %s\n\n", s.Name, s.Size, s.Source)
	var rows [][]any
	for _, stage := range s.Stages {
		name := stage.Stage
		for _, g := range groups(stage.Choices) {
			rows = append(rows, []any{name, g.parallelism, g.memory})
			name = ""
		}
	}
	fmt.Fprint(w, textTable([]any{"stage", "parallelism", "memory MB"}, rows))
	if len(s.Rules) > 0 {
		fmt.Fprint(w, "\nrules on parallelism\n")
	}
	for _, r := range s.Rules {
		fmt.Fprintf(w, "  %v\n", r)
	}
}

// group is a set of choices: every parallelism with every memory.
type group struct{ parallelism, memory string }

// groups puts levels of parallelism that offer the same memory together.
func groups(choices []choice) []group {
	var levels []int
	memory := make(map[int][]string)
	for _, c := range choices {
		if !slices.Contains(levels, c.Parallelism) {
			levels = append(levels, c.Parallelism)
		}
		memory[c.Parallelism] = append(memory[c.Parallelism], strconv.Itoa(c.MemoryMB))
	}
	var all []group
	for _, d := range levels {
		m := strings.Join(memory[d], " ")
		if n := len(all); n > 0 && all[n-1].memory == m {
			all[n-1].parallelism += " " + strconv.Itoa(d)
		} else {
			all = append(all, group{strconv.Itoa(d), m})
		}
	}
	return all
}
