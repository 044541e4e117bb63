package report

import (
	"eevee/experiments/papers"
	"eevee/figures"
)

// coldStarts draws the share of cold starts over the rate, with a bar from the
// least to the most over seeds.
func coldStarts(rows papers.ColdStarts) []figures.Picture {
	c := figures.Chart{
		Title: "Cold starts of one function, " + rows.Title, Cast: figures.Cast{"most-recent", "random", "longest-idle"},
		X: figures.Axis{Label: "arrivals per second", Log: true}, Y: figures.Axis{Label: "share of cold starts", Log: true},
	}
	for _, rule := range rows.Rules {
		s := figures.Series{Name: rule.Rule, Line: true, Marker: true}
		for _, p := range rule.Points {
			if p.Share > 0 {
				s.Points = append(s.Points, figures.Point{X: p.Rate, Y: p.Share, YLo: p.Lo, YHi: p.Hi})
			}
		}
		c.Series = append(c.Series, s)
	}
	return []figures.Picture{{Name: rows.Name, Caption: "the share of invocations that start cold over their rate, by the rule by which an idle instance is chosen (mean over seeds, bar from the least to the most)", Drawing: c}}
}
