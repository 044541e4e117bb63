package report

import (
	"fmt"

	"eevee/experiments/papers"
	"eevee/figures"
)

// solveTimes draws time over the number of samples, one picture per workflow
// and bound.
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
	return all
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
