package report

import (
	"fmt"

	"eevee/experiments/papers"
	"eevee/figures"
)

// panels draws each panel by the data that it has.
func panels(rows papers.Panels) []figures.Picture {
	var all []figures.Picture
	for _, p := range rows {
		all = append(all, figures.Picture{Name: p.Name, Caption: p.Caption, Drawing: panel(p)})
	}
	return all
}

func panel(p papers.Panel) figures.Drawing {
	title := figures.OnTrace(p.Title, !p.Generated)
	switch {
	case p.Curves != nil:
		return curves(title, *p.Curves)
	case p.Fields != nil:
		d := p.Fields
		return figures.Heat{Title: title, X: d.X, Y: d.Y, Names: d.Names, Value: axis(d.Value), Values: d.Values}
	case p.Spreads != nil:
		d := p.Spreads
		b := figures.Boxes{Title: title, X: d.X, Groups: d.Groups, Y: axis(d.Y), Limits: d.Limits, Limit: d.Limit, Cast: figures.Methods}
		for _, s := range d.Series {
			series := figures.BoxSeries{Name: s.Name}
			for _, f := range s.Five {
				series.Boxes = append(series.Boxes, figures.Box{Lo: f[0], Q1: f[1], Median: f[2], Q3: f[3], Hi: f[4]})
			}
			b.Series = append(b.Series, series)
		}
		return b
	case p.Levels != nil:
		d := p.Levels
		b := figures.Bars{Title: title, X: d.X, Groups: d.Groups, Y: axis(d.Y), Cast: figures.Methods}
		for _, s := range d.Series {
			series := figures.BarSeries{Name: s.Name, Like: s.Like}
			for _, v := range s.Values {
				series.Bars = append(series.Bars, bar(v))
			}
			b.Series = append(b.Series, series)
		}
		return b
	}
	panic(fmt.Sprintf("report: panel %s has no data", p.Name))
}

func axis(q papers.Quantity) figures.Axis {
	return figures.Axis{Label: q.Label, Unit: q.Unit, Log: q.Log}
}

func curves(title string, d papers.Curves) figures.Chart {
	c := figures.Chart{Title: title, Cast: d.Cast, X: axis(d.X), Y: axis(d.Y)}
	if c.Cast == nil {
		c.Cast = figures.Methods
	}
	for _, m := range d.Marks {
		kind := figures.Horizontal
		switch {
		case m.Diagonal:
			kind = figures.Diagonal
		case m.Vertical:
			kind = figures.Vertical
		}
		c.References = append(c.References, figures.Reference{Kind: kind, Value: m.At, Text: m.Text})
	}
	for _, s := range d.Curves {
		series := figures.Series{Name: s.Name, Line: s.Line, Marker: s.Marker, Like: s.Like}
		for _, p := range s.Points {
			series.Points = append(series.Points, figures.Point{X: p.X, Y: p.Y, YLo: p.Lo, YHi: p.Hi})
		}
		c.Series = append(c.Series, series)
	}
	return c
}
