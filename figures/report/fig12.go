package report

import (
	"fmt"

	"eevee/experiments/papers"
	"eevee/figures"
)

// stepBands draws predicted bands of step times with the recorded times.
func stepBands(rows papers.StepBands) []figures.Picture {
	var all []figures.Picture
	for _, p := range rows.Panels {
		c := figures.Chart{
			Title: figures.OnTrace(fmt.Sprintf("%s: %s of %s", p.Workflow, p.Step, p.Stage), p.Recorded), Cast: figures.Cast{"predicted, least to most", "predicted mean", "recorded"},
			X: figures.Axis{Label: "vCPU of all instances", Log: true}, Y: figures.Axis{Label: "time of the step", Unit: "s"},
		}
		band := figures.Series{Name: c.Cast[0], Band: true}
		mean := figures.Series{Name: c.Cast[1], Line: true}
		dots := figures.Series{Name: c.Cast[2]}
		for _, q := range p.Points {
			band.Points = append(band.Points, figures.Point{X: q.VCPU, Y: q.Mean, YLo: q.Min, YHi: q.Max})
			mean.Points = append(mean.Points, figures.Point{X: q.VCPU, Y: q.Mean})
			for _, t := range q.Times {
				dots.Points = append(dots.Points, figures.Point{X: q.VCPU, Y: t})
			}
		}
		c.Series = []figures.Series{band, mean, dots}
		all = append(all, figures.Picture{
			Name: p.Name, Drawing: c,
			Caption: fmt.Sprintf("%s, %s of %s: least, mean and most of %d draws of the fitted parameters, with the warm runs of the recorded profile", p.Workflow, p.Step, p.Stage, p.Draws),
		})
	}
	return all
}
