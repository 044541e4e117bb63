package report

import (
	"cmp"
	"fmt"
	"slices"

	"eevee/experiments/papers"
	"eevee/figures"
)

// frontier draws latency over cost: one picture per workflow, and everything
// behind them as a list. Systems other than Jolteon, whose points are known as
// reported only, are in the list of reported points.
func frontier(id string, rows papers.Frontier) []figures.Picture {
	var all []figures.Picture
	var answers []papers.MethodAnswers
	reported := figures.Table{Columns: []figures.Column{{Name: "workflow"}, {Name: "system"}, {Name: "bound"}, {Name: "latency_s"}, {Name: "cost_usd"}}}
	for _, p := range rows.Panels {
		c := figures.Chart{
			Title: figures.OnTrace(p.Workflow, p.Recorded), Cast: figures.Methods,
			X: figures.Axis{Label: "latency, p50", Unit: "s"}, Y: figures.Axis{Label: "cost per run, mean", Unit: "¢"},
		}
		jolteon := figures.Series{Name: figures.ReportedName, Line: true, Marker: true}
		for _, r := range p.Reported {
			reported.Rows = append(reported.Rows, []any{p.Workflow, r.System, r.Bound, r.LatencyS, r.CostUSD})
			if r.System == "Jolteon" {
				jolteon.Points = append(jolteon.Points, figures.Point{X: r.LatencyS, Y: r.CostUSD * figures.Cents})
			}
		}
		c.Series = append(c.Series, jolteon)
		for _, a := range inDrawingOrder(p.Answers) {
			s := methodSeries(a.Method)
			for _, r := range a.Results {
				if r.Answered() {
					s.Points = append(s.Points, figures.Point{X: r.Executed.Latency.P50, Y: r.Executed.Cost.Mean * figures.Cents})
				}
			}
			slices.SortStableFunc(s.Points, func(a, b figures.Point) int { return cmp.Compare(a.X, b.X) })
			c.Series = append(c.Series, s)
		}
		all = append(all, figures.Picture{
			Name:    p.Name,
			Caption: fmt.Sprintf("%s: median latency and mean cost of the configurations under the bounds of the published runs, reported and executed in the replay world", p.Workflow),
			Drawing: c,
		})
		answers = append(answers, p.Answers...)
	}
	return append(all,
		figures.Picture{Name: id + "-cells", Caption: "every answer: configuration, status, predictions, executions", Drawing: figures.Listing{Table: cells(answers)}},
		figures.Picture{Name: id + "-reported", Caption: "the reported points, of the other systems too", Drawing: figures.Listing{Table: reported}},
	)
}
