package figures

import (
	"fmt"

	"eevee/experiments"
)

// solveTimes draws time over the number of samples, one picture per workflow
// and bound.
func solveTimes(rows experiments.SolveTimes) []picture {
	var all []picture
	for _, p := range rows.Panels {
		c := Chart{
			Title: p.Workflow + ", " + p.Bound, Cast: methods,
			X: Axis{Label: "samples", Log: true}, Y: Axis{Label: "time to solve", Unit: "s", Log: true},
		}
		reported := Series{Name: reportedName, Line: true, Marker: true}
		for i, seconds := range p.Reported {
			reported.Points = append(reported.Points, Point{X: float64(p.Methods[0].Times[i].Samples), Y: seconds})
		}
		c.Series = append(c.Series, reported)
		for _, m := range p.Methods {
			c.Series = append(c.Series, timeSeries(m.Method, m.Times))
		}
		all = append(all, picture{
			name:    p.Name,
			caption: fmt.Sprintf("%s, bound on %s: time to solve over the number of samples; reported on 48 vCPU, ours on the machine of timings.json (CPU time, bar to the wall time)", p.Workflow, p.Bound),
			drawing: c,
		})
	}
	return all
}

// timeSeries are times with a bar between CPU and wall time.
func timeSeries(name string, times []experiments.SolveTime) Series {
	s := Series{Name: name, Line: true, Marker: true}
	for _, t := range times {
		p := Point{X: float64(t.Samples), Y: t.Seconds()}
		p.YLo, p.YHi = min(p.Y, t.Wall), max(p.Y, t.Wall)
		s.Points = append(s.Points, p)
	}
	return s
}
