package report

import (
	"math"
	"slices"
	"strings"

	"eevee/experiments/papers"
	"eevee/figures"
)

// sideBySide draws groups of bars, one picture per panel.
func sideBySide(rows papers.SideBySide) []figures.Picture {
	var all []figures.Picture
	for _, p := range rows.Panels {
		b := figures.Bars{
			Title: figures.OnTrace(p.Title, p.Recorded), X: p.By, Groups: p.Groups, Y: figures.Axis{Label: p.Quantity, Unit: p.Unit}, Cast: figures.Methods,
		}
		if slices.Contains(figures.Schedulers, p.Series[0].Name) {
			b.Cast = figures.Schedulers
		}
		for _, s := range p.Series {
			series := figures.BarSeries{Name: seriesName(s.Name)}
			if of, reported := strings.CutSuffix(s.Name, ", reported"); reported && slices.ContainsFunc(p.Series, func(o papers.SideBySideSeries) bool { return o.Name == of }) {
				series.Like = of
			}
			for _, v := range s.Values {
				series.Bars = append(series.Bars, bar(v))
			}
			b.Series = append(b.Series, series)
		}
		all = append(all, figures.Picture{Name: p.Name, Caption: p.Caption, Drawing: b})
	}
	return all
}

// bar is the bar of a value, which is missing where it is no number.
func bar(v float64) figures.Bar {
	if math.IsNaN(v) {
		return figures.Bar{Missing: true}
	}
	return figures.Bar{Value: v}
}

// seriesName is what a series is called in pictures.
func seriesName(name string) string {
	switch name {
	case papers.MethodArtifact:
		return figures.ArtifactName
	case papers.JolteonReported:
		return figures.ReportedName
	}
	return name
}
