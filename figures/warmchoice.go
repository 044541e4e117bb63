package figures

import "eevee/experiments"

// coldStarts draws the share of cold starts over the rate, with a bar from the
// least to the most over seeds.
func coldStarts(rows experiments.ColdStarts) []picture {
	c := Chart{
		Title: "Cold starts of one function, " + rows.Title, Cast: Cast{"most-recent", "random", "longest-idle"},
		X: Axis{Label: "arrivals per second", Log: true}, Y: Axis{Label: "share of cold starts", Log: true},
	}
	for _, rule := range rows.Rules {
		s := Series{Name: rule.Rule, Line: true, Marker: true}
		for _, p := range rule.Points {
			if p.Share > 0 {
				s.Points = append(s.Points, Point{X: p.Rate, Y: p.Share, YLo: p.Lo, YHi: p.Hi})
			}
		}
		c.Series = append(c.Series, s)
	}
	return []picture{{rows.Name, "the share of invocations that start cold over their rate, by the rule by which an idle instance is chosen (mean over seeds, bar from the least to the most)", c}}
}
