package papers

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"eevee/sim"
)

// LoadTimeline is what ran when in a simulation under load.
type LoadTimeline struct {
	Name     string // of the picture
	Workflow string // title
	Recorded bool
	Load     string // arrivals and platform
	Bound    string // of the configuration, as BoundText
	Stages   []string
	Spans    []TimelineSpan // by stage, instance and time; kinds as sim.Span
}

func (LoadTimeline) rows() {}

// ganttLoad simulates one workflow under load.
type ganttLoad struct {
	About    Statement `yaml:",inline"`
	Name     string    `yaml:"name"`
	Workflow string    `yaml:"workflow"`
	Bound    boundFact `yaml:",inline"`
	Arrivals string    `yaml:"arrivals"`
	Duration float64   `yaml:"duration_s"`
	Platform string    `yaml:"platform"`
}

func newGanttLoad() Experiment { return mustFacts[ganttLoad]("data/gantt_load.yaml") }

func (g *ganttLoad) Statement() Statement { return g.About }

func (g *ganttLoad) cell() Cell { return g.Bound.cell(g.Workflow, ganttMethod) }

func (g *ganttLoad) Cells(bool) []Cell { return []Cell{g.cell()} }

func (g *ganttLoad) Find(ctx context.Context, lab *Lab) (Finding, error) {
	b, err := lab.bench(g.Workflow)
	if err != nil {
		return Finding{}, err
	}
	r := lab.Result(g.cell())
	if !r.Answered() {
		return Finding{}, fmt.Errorf("%v: no configuration was found", r.Cell)
	}
	arrivals, err := sim.ParseArrivals(g.Arrivals)
	if err != nil {
		return Finding{}, err
	}
	platform, err := sim.LoadPlatform(g.Platform)
	if err != nil {
		return Finding{}, err
	}
	w := b.setup.Definition.Workflow
	rows := LoadTimeline{
		Name: g.Name, Workflow: shortTitle(b.setup.Definition), Recorded: b.recorded(), Bound: r.BoundText(),
		Load: fmt.Sprintf("%s on %s", g.Arrivals, g.Platform),
	}
	for i := range w.Len() {
		rows.Stages = append(rows.Stages, w.Stage(i).Name)
	}
	var spans []sim.Span
	summary, err := sim.Load(ctx, []sim.Workload{{World: b.world, Config: r.Config, Arrivals: arrivals}},
		sim.LoadSettings{Platform: platform, Seed: lab.options.Seed, Duration: g.Duration, Keep: sim.KeepRequests},
		func(run *sim.Run) error {
			spans = append(spans, run.Spans()...)
			return nil
		})
	if err != nil {
		return Finding{}, err
	}
	stage := func(s sim.Span) int { return slices.Index(rows.Stages, s.Stage) }
	slices.SortFunc(spans, func(a, b sim.Span) int {
		return cmp.Or(cmp.Compare(stage(a), stage(b)), cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Start, b.Start))
	})
	for k, s := range spans {
		if k > 0 {
			if last := spans[k-1]; last.Stage == s.Stage && last.Instance == s.Instance && s.Start < last.End {
				return Finding{}, fmt.Errorf("instance %d of %s does two things at %v s", s.Instance, s.Stage, s.Start)
			}
		}
		rows.Spans = append(rows.Spans, TimelineSpan{s.Stage, s.Instance, string(s.Kind), s.Start, s.End})
	}
	tasks, cold := uint64(0), uint64(0)
	for _, f := range summary.Functions {
		tasks, cold = tasks+f.Invocations, cold+f.ColdStarts
	}
	return Finding{Rows: rows, Notes: []string{
		fmt.Sprintf("%d executions, %d invocations, of which %d started cold", summary.Ended, tasks, cold),
		"cold is the start of a new instance; the delay of warm ones, which the recordings hold, is the room before read",
	}}, nil
}
