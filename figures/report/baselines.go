package report

import (
	"fmt"

	"eevee/experiments/papers"
	"eevee/figures"
)

// baselinePoints draws what the systems that Jolteon is compared with were
// reported to reach, and what their configurations do in the replay world: one
// picture and one list per workflow. A label names the system and, where it
// answers a bound, the bound.
func baselinePoints(rows papers.BaselinePanels) []figures.Picture {
	var all []figures.Picture
	for _, p := range rows.Panels {
		c := figures.Chart{
			Title: figures.OnTrace(p.Workflow, p.Recorded), Cast: figures.Cast{"executed", "reported"},
			X: figures.Axis{Label: "latency, p50", Unit: "s"}, Y: figures.Axis{Label: "cost per run, mean", Unit: "¢"},
		}
		reported, executed := figures.Series{Name: "reported"}, figures.Series{Name: "executed"}
		list := figures.Table{Columns: []figures.Column{
			{Name: "system"}, {Name: "bound"}, {Name: "method"}, {Name: "listed"}, {Name: "config"},
			{Name: "replayed_p50_latency_s"}, {Name: "replayed_p95_latency_s"}, {Name: "predicted_mean_cost_usd"},
			{Name: "executed_p50_latency_s"}, {Name: "executed_mean_cost_usd"},
			{Name: "reported_latency_s"}, {Name: "reported_cost_usd"},
		}}
		for _, r := range p.Points {
			a := r.Answer
			reported.Points = append(reported.Points, figures.Point{X: r.Reported.LatencyS, Y: r.Reported.CostUSD * figures.Cents, Label: r.System})
			row := []any{r.System, a.BoundText(), a.Method, r.Listed.String()}
			if a.Answered() {
				executed.Points = append(executed.Points, figures.Point{X: a.Executed.Latency.P50, Y: a.Executed.Cost.Mean * figures.Cents})
				row = append(row, a.Config.String(), r.Replayed.P50, r.Replayed.P95, a.Cost.Mean, a.Executed.Latency.P50, a.Executed.Cost.Mean)
			} else {
				row = append(row, "", nil, nil, nil, nil, nil)
			}
			list.Rows = append(list.Rows, append(row, r.Reported.LatencyS, r.Reported.CostUSD))
		}
		c.Series = []figures.Series{reported, executed}
		all = append(all,
			figures.Picture{Name: p.Name, Caption: fmt.Sprintf("%s: median latency and mean cost of Orion, Caerus and Ditto, reported and executed in the replay world", p.Workflow), Drawing: c},
			figures.Picture{Name: p.Name + "-cells", Caption: fmt.Sprintf("%s: the configurations, listed and found, with all figures", p.Workflow), Drawing: figures.Listing{Table: list}},
		)
	}
	return all
}
