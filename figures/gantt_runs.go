package figures

import (
	"fmt"

	"eevee/experiments"
)

// timelines draws simulated runs.
func timelines(rows experiments.Timelines) []picture {
	var all []picture
	for _, p := range rows.Panels {
		g := Gantt{Title: onTrace(p.Workflow+", exact under "+p.Bound, p.Recorded), Lanes: p.Stages, Critical: p.Critical}
		for _, s := range p.Spans {
			g.Spans = append(g.Spans, Span{Lane: s.Stage, Row: s.Instance, Kind: s.Kind, Start: s.Start, End: s.End})
		}
		all = append(all, picture{p.Name, fmt.Sprintf("%s: one simulated run under the answer of exact to a bound on %s", p.Workflow, p.Bound), g})
	}
	return all
}

// loadTimeline draws a simulation under load.
func loadTimeline(rows experiments.LoadTimeline) []picture {
	g := Gantt{Title: onTrace(rows.Workflow+", "+rows.Load, rows.Recorded), Lanes: rows.Stages}
	for _, s := range rows.Spans {
		g.Spans = append(g.Spans, Span{Lane: s.Stage, Row: s.Instance, Kind: s.Kind, Start: s.Start, End: s.End})
	}
	return []picture{{rows.Name, fmt.Sprintf("%s under load (%s): one row per instance, under the answer of exact to a bound on %s", rows.Workflow, rows.Load, rows.Bound), g}}
}
