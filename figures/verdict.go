package figures

import (
	"fmt"
	"slices"

	"eevee/experiments"
)

// Verdict draws what was predicted for a configuration and what real executions
// made of it, for latency and cost: the share of runs below every value, as
// predicted and as measured, and the bound. A bound far beyond both is named in
// the title, so that there is something to be seen.
func Verdict(v *experiments.Verdict) []Picture {
	var latency, cost []float64
	for _, p := range v.Points {
		latency, cost = append(latency, p.LatencyS), append(cost, p.CostUSD*Cents)
	}
	predicted := make([]float64, len(v.Samples.Cost))
	for k, x := range v.Samples.Cost {
		predicted[k] = x * Cents
	}
	var limitS, limitUSD *float64
	if v.Bound != nil {
		limitS, limitUSD = v.Bound.LimitS, v.Bound.LimitUSD
	}
	return []Picture{
		{"live-latency", "latency of every execution, as predicted and as measured", verdictChart(v, Axis{Label: "latency", Unit: "s"}, v.Samples.Latency, latency, limitS, 1)},
		{"live-cost", "cost of every execution, as predicted and as measured", verdictChart(v, Axis{Label: "cost per run", Unit: "¢"}, predicted, cost, limitUSD, Cents)},
	}
}

// curvePoints is how many points the curve of a prediction has. It ends half a
// point from either end: the last of ten thousand scenarios would make the axis
// so long that nothing is to be seen on it.
const curvePoints = 200

// mostMarked is how many runs have a mark each; more are a line.
const mostMarked = 40

// farBeyond is how many times the largest value a bound may be and still be drawn.
const farBeyond = 3

// verdictChart draws one metric. The limit, nil if the bound is on the other one,
// is in the unit of rows, of which scale makes that of the axis.
func verdictChart(v *experiments.Verdict, x Axis, predicted, measured []float64, limit *float64, scale float64) Chart {
	c := Chart{
		Title: fmt.Sprintf("%s, %d runs, model %s", v.Workflow, v.Runs, v.Model),
		X:     x,
		Y:     Axis{Label: "runs below it", Unit: "%", Min: new(0.0), Max: new(100.0)},
	}
	line := Series{Name: "predicted", Line: true}
	n := len(predicted) // ascending
	for k := range curvePoints {
		i := (2*k + 1) * n / (2 * curvePoints)
		line.Points = append(line.Points, Point{X: predicted[i], Y: 100 * (float64(i) + 0.5) / float64(n)})
	}
	points := Series{Name: "measured", Line: len(measured) > mostMarked}
	for k, x := range slices.Sorted(slices.Values(measured)) {
		points.Points = append(points.Points, Point{X: x, Y: 100 * (float64(k) + 0.5) / float64(len(measured))})
	}
	c.Series = []Series{line, points}
	if limit != nil && *limit*scale > farBeyond*max(line.Points[curvePoints-1].X, points.Points[len(points.Points)-1].X) {
		c.Title += fmt.Sprintf("; the bound, %.4g %s, lies beyond", *limit*scale, x.Unit)
		c.References = []Reference{{Kind: Horizontal, Value: v.Bound.Percentile, Text: fmt.Sprintf("p%v", v.Bound.Percentile)}}
	} else if limit != nil {
		c.References = []Reference{
			{Kind: Vertical, Value: *limit * scale, Text: "bound"},
			{Kind: Horizontal, Value: v.Bound.Percentile, Text: fmt.Sprintf("p%v", v.Bound.Percentile)},
		}
	}
	return c
}
