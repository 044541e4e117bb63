package figures

import (
	"fmt"

	"eevee/experiments"
)

// Plane draws the answers of several methods to one problem: mean cost over
// the p95 of the latency, as the simulator executes them with the intervals of
// both, or where nothing was simulated as the model predicts them.
// Methods that do not keep the bound on the sample say so in their name.
func Plane(c experiments.Comparison) Chart {
	chart := Chart{
		Cast: Methods,
		X:    Axis{Label: "latency, p95", Unit: "s"}, Y: Axis{Label: "cost per run, mean", Unit: "¢"},
	}
	for _, i := range c.Ranked() {
		cell := c.Cells[i]
		if !cell.Answered() {
			continue
		}
		if chart.Title == "" {
			chart.Title = fmt.Sprintf("%s, %s at most %s at p%v", cell.Workflow, cell.Bound.Metric, limitText(cell.Bound), cell.Bound.Percentile)
			if cell.Simulated != nil {
				chart.Title += fmt.Sprintf(", simulated in the world of the %s trace", cell.Trace.Source)
			}
			if cell.Bound.LimitS != nil {
				chart.References = append(chart.References, Reference{Kind: Vertical, Value: *cell.Bound.LimitS, Text: "bound"})
			}
		}
		s := Series{Name: cell.Method, Marker: true}
		if !cell.Keeps() {
			s.Name += ", breaks it by the model"
		}
		p := Point{X: cell.Predicted.Latency.P95, Y: cell.Predicted.Cost.Mean * Cents}
		if sim := cell.Simulated; sim != nil {
			p.X, p.Y = sim.LatencyS.P95, sim.CostUSD.Mean*Cents
			if sim.LatencyS.Lo != nil {
				p.XLo, p.XHi = *sim.LatencyS.Lo, *sim.LatencyS.Hi
			}
			if sim.CostUSD.MeanLo != nil {
				p.YLo, p.YHi = *sim.CostUSD.MeanLo*Cents, *sim.CostUSD.MeanHi*Cents
			}
		}
		s.Points = append(s.Points, p)
		chart.Series = append(chart.Series, s)
	}
	return chart
}

// limitText returns the limit of a bound with its unit.
func limitText(b experiments.ResultBound) string {
	if b.LimitS != nil {
		return fmt.Sprintf("%v s", *b.LimitS)
	}
	return fmt.Sprintf("%v ¢", *b.LimitUSD*Cents)
}
