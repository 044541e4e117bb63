package report

import (
	"fmt"

	"eevee/experiments/papers"
	"eevee/figures"
)

// timelines draws simulated runs.
func timelines(rows papers.Timelines) []figures.Picture {
	var all []figures.Picture
	for _, p := range rows.Panels {
		g := figures.Gantt{Title: figures.OnTrace(p.Workflow+", exact under "+p.Bound, p.Recorded), Lanes: p.Stages, Critical: p.Critical}
		for _, s := range p.Spans {
			g.Spans = append(g.Spans, figures.Span{Lane: s.Stage, Row: s.Instance, Kind: s.Kind, Start: s.Start, End: s.End})
		}
		all = append(all, figures.Picture{Name: p.Name, Caption: fmt.Sprintf("%s: one simulated run under the answer of exact to a bound on %s", p.Workflow, p.Bound), Drawing: g})
	}
	return all
}

// loadTimeline draws a simulation under load.
func loadTimeline(rows papers.LoadTimeline) []figures.Picture {
	g := figures.Gantt{Title: figures.OnTrace(rows.Workflow+", "+rows.Load, rows.Recorded), Lanes: rows.Stages}
	for _, s := range rows.Spans {
		g.Spans = append(g.Spans, figures.Span{Lane: s.Stage, Row: s.Instance, Kind: s.Kind, Start: s.Start, End: s.End})
	}
	return []figures.Picture{{Name: rows.Name, Caption: fmt.Sprintf("%s under load (%s): one row per instance, under the answer of exact to a bound on %s", rows.Workflow, rows.Load, rows.Bound), Drawing: g}}
}
