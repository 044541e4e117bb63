package figures

import (
	"fmt"

	"eevee/experiments"
)

// Frontier draws one trade-off between latency and cost: every point of it, the
// lower bound that is proved for each, and what lies between them.
func Frontier(f experiments.Frontiers, kind experiments.FrontierKind) Chart {
	percentile := fmt.Sprintf("p%v", f.Percentile)
	if kind.AllowedViolations != int(float64(f.Samples)*(100-f.Percentile)/100) {
		percentile += " with margin"
	}
	axis := func(metric, what string) (Axis, float64) {
		if metric == "latency" {
			return Axis{Label: "latency, " + what, Unit: "s", Log: true}, 1
		}
		return Axis{Label: "cost per run, " + what, Unit: "¢", Log: true}, Cents
	}
	x, xScale := axis(string(kind.PercentileOf), percentile)
	y, yScale := axis(string(kind.MeanOf), "mean")
	points := Series{Name: "frontier", Line: true, Marker: len(kind.Points) <= 60}
	proved := Series{Name: "proved lower bound", Line: true}
	for _, p := range kind.Points {
		at := amountOf(p.PercentileS, p.PercentileUSD) * xScale
		points.Points = append(points.Points, Point{X: at, Y: amountOf(p.MeanS, p.MeanUSD) * yScale})
		proved.Points = append(proved.Points, Point{X: at, Y: amountOf(p.LowerBoundS, p.LowerBoundUSD) * yScale})
	}
	title := fmt.Sprintf("%s, model %s, %s trace: %s of %s against mean %s", f.Workflow, f.Model, f.Trace.Source, percentile, kind.PercentileOf, kind.MeanOf)
	c := Chart{Title: title, X: x, Y: y, Series: []Series{points}}
	if f.Tolerance > 0 {
		c.Series = append(c.Series, proved)
	}
	return c
}

// amountOf returns the figure that is there.
func amountOf(s, usd *float64) float64 {
	if s != nil {
		return *s
	}
	return *usd
}
