package papers

import (
	"context"
	"fmt"

	"eevee/experiments"
)

// Timelines are what ran when in one simulated run of each workflow.
type Timelines struct{ Panels []TimelinePanel }

func (Timelines) rows() {}

// TimelinePanel is one run.
type TimelinePanel struct {
	Name     string // of the picture
	Workflow string // title
	Recorded bool
	Bound    string // as BoundText
	Stages   []string
	Critical []string // stages on the path that the run waited for
	Spans    []TimelineSpan
	LatencyS float64 // s
}

// TimelineSpan is one step of one task; times are s since the start of the run.
type TimelineSpan struct {
	Stage      string
	Instance   int    // from 0
	Kind       string // cold, read, compute or write
	Start, End float64
}

// gantt simulates one run of each workflow.
type gantt struct {
	About  Statement `yaml:",inline"`
	Panels []struct {
		Name     string    `yaml:"name"`
		Workflow string    `yaml:"workflow"`
		Bound    boundFact `yaml:",inline"`
	} `yaml:"panels"`
}

func newGantt() Experiment { return mustFacts[gantt]("data/gantt.yaml") }

func (g *gantt) Statement() Statement { return g.About }

const ganttMethod = "exact"

func (g *gantt) Cells(bool) []Cell {
	var cells []Cell
	for _, p := range g.Panels {
		cells = append(cells, p.Bound.cell(p.Workflow, ganttMethod))
	}
	return cells
}

func (g *gantt) Find(ctx context.Context, lab *Lab) (Finding, error) {
	var rows Timelines
	for _, p := range g.Panels {
		b, err := lab.bench(p.Workflow)
		if err != nil {
			return Finding{}, err
		}
		r := lab.Result(p.Bound.cell(p.Workflow, ganttMethod))
		if !r.Answered() {
			return Finding{}, fmt.Errorf("%v: no configuration was found", r.Cell)
		}
		spans, err := experiments.Timeline(ctx, b.world, r.Config, lab.settings(b))
		if err != nil {
			return Finding{}, err
		}
		w := b.setup.Definition.Workflow
		panel := TimelinePanel{Name: p.Name, Workflow: shortTitle(b.setup.Definition), Recorded: b.recorded(), Bound: r.BoundText()}
		ends := make([]float64, w.Len())
		for _, s := range spans {
			panel.Spans = append(panel.Spans, TimelineSpan{s.Stage, s.Instance, string(s.Kind), s.Start, s.End})
			i, _ := w.Index(s.Stage)
			ends[i] = max(ends[i], s.End)
		}
		for i := range w.Len() {
			panel.Stages = append(panel.Stages, w.Stage(i).Name)
		}
		// From the stage that ended last back to the parent that it waited for.
		at := latest(w.Sinks(), ends)
		panel.LatencyS = ends[at]
		for at >= 0 {
			panel.Critical = append([]string{w.Stage(at).Name}, panel.Critical...)
			at = latest(w.Parents(at), ends)
		}
		rows.Panels = append(rows.Panels, panel)
	}
	return Finding{Rows: rows, Notes: []string{"cold is the delay from the stage being ready to its function running; it holds what a recorded stage took beyond its slowest instance"}}, nil
}

// latest returns the stage that ends last, -1 for none.
func latest(stages []int, ends []float64) int {
	at := -1
	for _, i := range stages {
		if at < 0 || ends[i] > ends[at] {
			at = i
		}
	}
	return at
}
