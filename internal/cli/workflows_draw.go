package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/google/renameio/v2"

	"eevee/experiments"
	"eevee/figures"
)

// drawing is the result of "eevee workflows show --format".
type drawing struct {
	Name   string `json:"name"`
	Format string `json:"format"`
	Output string `json:"output,omitempty"`
	Text   string `json:"text,omitempty"` // the drawing, where it did not go into a file
}

// drawingOf returns the graph of a workflow in any form.
func drawingOf(w *experiments.WorkflowFile, behaviour string) (figures.Diagram, error) {
	switch {
	case w.Machine != nil:
		b, err := behaviourOf(w.Machine, behaviour, nil, nil)
		if err != nil {
			return figures.Diagram{}, err
		}
		return figures.MachineDiagram(w.Machine, b), nil
	case behaviour != "":
		return figures.Diagram{}, usagef("--behaviour is for state machines, and %s is none", w.Name)
	case w.Definition != nil:
		return figures.WorkflowDiagram(w.Definition.Workflow), nil
	}
	workflow, err := w.Instance.Workflow(w.Name)
	if err != nil {
		return figures.Diagram{}, err
	}
	return figures.WorkflowDiagram(workflow), nil
}

// draw prints a diagram, or writes it to a file.
func (c *call) draw(name string, d figures.Diagram, format, output string) error {
	var b bytes.Buffer
	var err error
	switch format {
	case "text":
		err = d.WriteText(&b)
	case "dot":
		err = d.WriteDOT(&b)
	case "mermaid":
		err = d.WriteMermaid(&b)
	default:
		err = picture(&b, d, format)
	}
	if err != nil {
		return err
	}
	r := drawing{Name: name, Format: format, Output: output}
	if output == "" {
		r.Text = b.String()
		return c.result(r, func(w io.Writer) error { _, err := w.Write(b.Bytes()); return err })
	}
	if err := renameio.WriteFile(output, b.Bytes(), 0o644); err != nil {
		return err
	}
	return c.result(r, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %s drawn as %s\n", output, name, format)
		return err
	})
}

func picture(b *bytes.Buffer, d figures.Diagram, format string) error {
	g, err := d.Graph()
	if err != nil {
		return err
	}
	g.Title = d.Title
	draw := g.SVG
	if format == "png" {
		draw = g.PNG
	}
	image, err := draw()
	b.Write(image)
	return err
}

// machineDetails is the result of "eevee workflows show" for a state machine,
// and for an instance.
type machineDetails struct {
	Name     string         `json:"name"`
	Form     string         `json:"form"` // asl or wfformat
	Comment  string         `json:"comment,omitempty"`
	Language string         `json:"query_language,omitempty"`
	States   []stateDetails `json:"states"`
	Warnings []string       `json:"warnings"`
	Diagram  string         `json:"diagram"` // what comes after what, as text
}

type stateDetails struct {
	State    string   `json:"state"`
	Type     string   `json:"type"`
	Line     int      `json:"line,omitempty"`
	Function string   `json:"function,omitempty"`
	Resource string   `json:"resource,omitempty"`
	Next     []string `json:"next"`
	Retry    int      `json:"retriers,omitempty"`
	Catch    int      `json:"catchers,omitempty"`
}

// details is what "workflows show" prints.
type details interface{ write(w io.Writer) error }

func describe(w *experiments.WorkflowFile, d figures.Diagram) (details, error) {
	var text strings.Builder
	if err := d.WriteText(&text); err != nil {
		return nil, err
	}
	if w.Definition != nil {
		r := detailsOf(w.Definition)
		r.Diagram = text.String()
		return r, nil
	}
	r := machineDetails{Name: w.Name, Form: w.Form, Diagram: text.String(), Warnings: []string{}}
	if m := w.Machine; m != nil {
		r.Comment, r.Language = m.Comment, m.Language
		r.Warnings = append(r.Warnings, m.Warnings...)
		for _, s := range m.States() {
			row := stateDetails{State: s.ID, Type: string(s.Type), Line: s.Line, Function: s.Function, Resource: s.Resource, Retry: len(s.Retry), Catch: len(s.Catch)}
			for _, to := range s.Successors(false) {
				row.Next = append(row.Next, to.Name)
			}
			r.States = append(r.States, row)
		}
		return r, nil
	}
	workflow, err := w.Instance.Workflow(w.Name)
	if err != nil {
		return nil, err
	}
	for i := range workflow.Len() {
		row := stateDetails{State: workflow.Stage(i).Name, Type: "Task"}
		for _, child := range workflow.Children(i) {
			row.Next = append(row.Next, workflow.Stage(child).Name)
		}
		r.States = append(r.States, row)
	}
	return r, nil
}

func (d machineDetails) write(w io.Writer) error {
	fmt.Fprintf(w, "%s: ", d.Name)
	if d.Form == "asl" {
		fmt.Fprintf(w, "a state machine of %d states (%s)\n", len(d.States), d.Language)
	} else {
		fmt.Fprintf(w, "an instance of %d tasks\n", len(d.States))
	}
	if d.Comment != "" {
		fmt.Fprintf(w, "%s\n", d.Comment)
	}
	var rows [][]any
	for _, s := range d.States {
		next := "-"
		if len(s.Next) > 0 {
			next = strings.Join(s.Next, ", ")
		}
		rows = append(rows, []any{s.State, s.Type, s.Function, next})
	}
	fmt.Fprintf(w, "\n%s\n%s", textTable([]any{"state", "type", "function", "next"}, rows), d.Diagram)
	for _, warning := range d.Warnings {
		fmt.Fprintf(w, "\nwarning: %s\n", warning)
	}
	return nil // w is a buffer
}
