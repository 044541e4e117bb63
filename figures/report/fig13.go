package report

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"

	"eevee/experiments/papers"
	"eevee/figures"
)

// solveTimes draws time over the number of samples, one picture per workflow
// and bound, and lists how times grow. What was measured stands in files whose
// names say so, and not in captions.
func solveTimes(rows papers.SolveTimes) []figures.Picture {
	var all []figures.Picture
	for _, p := range rows.Panels {
		c := figures.Chart{
			Title: p.Workflow + ", " + p.Bound, Cast: figures.Methods,
			X: figures.Axis{Label: "samples", Log: true}, Y: figures.Axis{Label: "time to solve", Unit: "s", Log: true},
		}
		reported := figures.Series{Name: figures.ReportedName, Line: true, Marker: true}
		for i, seconds := range p.Reported {
			reported.Points = append(reported.Points, figures.Point{X: float64(p.Methods[0].Times[i].Samples), Y: seconds})
		}
		c.Series = append(c.Series, reported)
		for _, m := range p.Methods {
			c.Series = append(c.Series, timeSeries(m.Method, m.Times))
		}
		all = append(all, figures.Picture{
			Name:    p.Name,
			Caption: fmt.Sprintf("%s, bound on %s: time to solve over the number of samples; reported on 48 vCPU, ours on the machine of timings.json (CPU time, bar to the wall time)", p.Workflow, p.Bound),
			Drawing: c,
		})
	}
	if grown := growth(rows.Panels); len(grown.Rows) > 0 {
		all = append(all, figures.Picture{
			Name:    "fig13-growth" + timingsSuffix,
			Caption: fmt.Sprintf("with which power of the number of samples times grow, from %d samples on", growingFrom),
			Drawing: grown,
		})
	}
	return all
}

// growingFrom is the number of samples from which growth is read off: below, what
// does not depend on the samples takes most of the time.
const growingFrom = 1000

// growth lists with which power of the number of samples times grow, by least
// squares of their logarithms, where there are three or more.
func growth(panels []papers.SolveTimePanel) figures.Table {
	table := figures.Table{Columns: []figures.Column{{Name: "workflow"}, {Name: "bound"}, {Name: "method"}, {Name: "power", Decimals: 2}}}
	for _, p := range panels {
		for _, m := range p.Methods {
			var x, y []float64
			for _, t := range m.Times {
				if t.Samples >= growingFrom && t.Seconds() > 0 {
					x, y = append(x, math.Log(float64(t.Samples))), append(y, math.Log(t.Seconds()))
				}
			}
			if len(x) >= 3 {
				_, power := stat.LinearRegression(x, y, nil, false)
				table.Rows = append(table.Rows, []any{p.Workflow, p.Bound, m.Method, power})
			}
		}
	}
	return table
}

// timeSeries are times with a bar between CPU and wall time.
func timeSeries(name string, times []papers.SolveTime) figures.Series {
	s := figures.Series{Name: name, Line: true, Marker: true}
	for _, t := range times {
		p := figures.Point{X: float64(t.Samples), Y: t.Seconds()}
		p.YLo, p.YHi = min(p.Y, t.Wall), max(p.Y, t.Wall)
		s.Points = append(s.Points, p)
	}
	return s
}
