package figures

import (
	"cmp"
	"fmt"
	"slices"

	"eevee/experiments"
)

// frontier draws latency over cost: one picture per workflow, and everything
// behind them as a list. Systems other than Jolteon, whose points are known as
// reported only, are in the list of reported points.
func frontier(id string, rows experiments.Frontier) []picture {
	var all []picture
	var answers []experiments.MethodAnswers
	reported := Table{Columns: []Column{{Name: "workflow"}, {Name: "system"}, {Name: "bound"}, {Name: "latency_s"}, {Name: "cost_usd"}}}
	for _, p := range rows.Panels {
		c := Chart{
			Title: onTrace(p.Workflow, p.Recorded), Cast: methods,
			X: Axis{Label: "latency, p50", Unit: "s"}, Y: Axis{Label: "cost per run, mean", Unit: "¢"},
		}
		jolteon := Series{Name: reportedName, Line: true, Marker: true}
		for _, r := range p.Reported {
			reported.Rows = append(reported.Rows, []any{p.Workflow, r.System, r.Bound, r.LatencyS, r.CostUSD})
			if r.System == "Jolteon" {
				jolteon.Points = append(jolteon.Points, Point{X: r.LatencyS, Y: r.CostUSD * cents})
			}
		}
		c.Series = append(c.Series, jolteon)
		for _, a := range inDrawingOrder(p.Answers) {
			s := methodSeries(a.Method)
			for _, r := range a.Results {
				if r.Answered() {
					s.Points = append(s.Points, Point{X: r.Executed.Latency.P50, Y: r.Executed.Cost.Mean * cents})
				}
			}
			slices.SortStableFunc(s.Points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
			c.Series = append(c.Series, s)
		}
		all = append(all, picture{
			name:    p.Name,
			caption: fmt.Sprintf("%s: median latency and mean cost of the configurations under the bounds of the published runs, reported and executed in the replay world", p.Workflow),
			drawing: c,
		})
		answers = append(answers, p.Answers...)
	}
	return append(all,
		picture{name: id + "-cells", caption: "every answer: configuration, status, predictions, executions", drawing: listing{cells(answers)}},
		picture{name: id + "-reported", caption: "the reported points, of the other systems too", drawing: listing{reported}},
	)
}
