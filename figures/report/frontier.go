package report

import (
	"eevee/experiments/papers"
	"eevee/figures"
)

// provedFrontiers draws frontiers with the answers of all systems.
func provedFrontiers(rows papers.ProvedFrontiers) []figures.Picture {
	var all []figures.Picture
	for _, p := range rows.Panels {
		c := figures.Chart{
			Title: figures.OnTrace(p.Workflow, p.Recorded), Cast: figures.Methods,
			X: figures.Axis{Label: "latency, p95", Unit: "s"}, Y: figures.Axis{Label: "cost per run, mean", Unit: "¢"},
		}
		for _, s := range p.Systems {
			if s.System == "exact" {
				continue // lies on the frontier
			}
			series := figures.Series{Name: seriesName(s.System)}
			for _, q := range s.Points {
				series.Points = append(series.Points, figures.Point{X: q.LatencyS, Y: q.CostUSD * figures.Cents})
			}
			if len(series.Points) > 0 {
				c.Series = append(c.Series, series)
			}
		}
		frontier := figures.Series{Name: "exact", Line: true}
		for _, q := range p.Points {
			frontier.Points = append(frontier.Points, figures.Point{X: q.LatencyS, Y: q.CostUSD * figures.Cents})
		}
		c.Series = append(c.Series, frontier)
		all = append(all, figures.Picture{Name: p.Name, Caption: p.Workflow + ": the proved frontier of the 95th percentile of latency and the mean cost, and the answers of all systems to bounds on latency, on one sample", Drawing: c})
	}
	return all
}
