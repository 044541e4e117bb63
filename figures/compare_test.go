package figures

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/experiments"
)

// The plane shows every answer with the intervals of its execution, says which
// break the bound, and leaves out what has no answer.
func TestPlane(t *testing.T) {
	cell := func(name string, violations int, p95, cost float64) experiments.Compared {
		c := experiments.Compared{Result: experiments.Result{
			Workflow: "ml", Method: name, Status: "done",
			Bound:     experiments.ResultBound{Metric: "latency", Percentile: 95, AllowedViolations: 5, Violations: &violations, Kept: new(violations <= 5), LimitS: new(40.)},
			Objective: experiments.ResultMean{Metric: "cost", MeanUSD: &cost},
			Predicted: &experiments.Predicted{Latency: experiments.Percentiles{P95: p95}, Cost: experiments.Percentiles{Mean: cost}},
		}}
		return c
	}
	simulated := cell("orion", 3, 38, 0.01)
	simulated.Simulated = &experiments.Simulated{
		LatencyS: experiments.SimPoint{P95: 39, Lo: new(38.5), Hi: new(39.75)}, CostUSD: experiments.SimPoint{Mean: 0.0125, MeanLo: new(0.0120), MeanHi: new(0.0130)},
	}
	chart := Plane(experiments.Comparison{Cells: []experiments.Compared{
		cell("caerus", 9, 50, 0.005), simulated, {Unsupported: "it takes no bound", Result: experiments.Result{Method: "powertuning"}},
		{Result: experiments.Result{Method: "slam", Status: "limit-hit"}}, cell("exact", 5, 37, 0.0075),
	}})
	want := []Series{
		{Name: "exact", Marker: true, Points: []Point{{X: 37, Y: 0.75}}},
		{Name: "orion", Marker: true, Points: []Point{{X: 39, Y: 1.25, XLo: 38.5, XHi: 39.75, YLo: 1.2, YHi: 1.3}}},
		{Name: "caerus, breaks it by the model", Marker: true, Points: []Point{{X: 50, Y: 0.5}}},
	}
	if d := cmp.Diff(want, chart.Series); d != "" {
		t.Errorf("series (-want +got):\n%s", d)
	}
	if !strings.Contains(chart.Title, "ml, latency at most 40 s at p95") || len(chart.References) != 1 || chart.References[0].Value != 40 {
		t.Errorf("title %q, references %+v", chart.Title, chart.References)
	}
}
