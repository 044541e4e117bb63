package figures

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bars is a picture of grouped bars, and the data of that picture. The bars
// stand on zero, so the axis cannot be logarithmic.
type Bars struct {
	Title  string
	X      string   // what the groups are
	Groups []string // names of the groups, from left to right
	Y      Axis
	Series []BarSeries // one bar in every group
	Cast   Cast        // fixes the looks of named series
}

// BarSeries is the bars of one colour, one for every group.
type BarSeries struct {
	Name string
	Like string // the series whose colour this one has, in outline, as what is reported has that of what came out here; empty: its own
	Bars []Bar
}

// Bar is one bar. Bounds that are both 0 mean that there are none; others are
// drawn as an error bar.
type Bar struct {
	Value   float64
	Lo, Hi  float64
	Missing bool // nothing is known; the place stays free
}

func (b Bar) bounded() bool { return b.Lo != 0 || b.Hi != 0 }

func (b Bars) groups() groups {
	g := groups{title: b.Title, x: b.X, names: b.Groups}
	for _, s := range b.Series {
		g.series = append(g.series, s.Name)
	}
	return g
}

func (b Bars) check() error {
	var err error
	if b.Y.Log {
		err = errors.New("y axis: bars stand on zero, which a logarithmic axis does not have; draw a Chart instead")
	}
	for i, s := range b.Series {
		if s.Like != "" && !slices.ContainsFunc(b.Series, func(o BarSeries) bool { return o.Name == s.Like && o.Like == "" }) {
			err = errors.Join(err, fmt.Errorf("series %d (%q): is like %q, which there is not with a colour of its own", i, s.Name, s.Like))
		}
	}
	return errors.Join(err, b.groups().check("bar", "bars",
		func(i int) int { return len(b.Series[i].Bars) },
		func(i, k int) error { return b.Series[i].Bars[k].check() }))
}

func (b Bar) check() error {
	if b.Missing {
		if b.Value != 0 || b.bounded() {
			return errors.New("is missing and has a value")
		}
		return nil
	}
	for _, n := range []struct {
		name  string
		value float64
	}{{"value", b.Value}, {"lower bound", b.Lo}, {"upper bound", b.Hi}} {
		if err := checkNumber(n.value, false); err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
	}
	if b.Lo > b.Hi {
		return fmt.Errorf("bounds: %v is above %v", b.Lo, b.Hi)
	}
	return nil
}

func (b Bars) formats(r Resolution) ([]format, error) { return formatsOf(b, r) }

// WriteCSV writes one row per bar: group, series, value and bounds, which are
// empty where there are none; so is the value of a missing bar. Every number
// reads back as the same float64.
func (b Bars) WriteCSV(w io.Writer) error {
	rows := [][]string{{"group", "series", heading("value", b.Y), "lo", "hi"}}
	for i, group := range b.Groups {
		for _, s := range b.Series {
			row := []string{group, s.Name, "", "", ""}
			if bar := s.Bars[i]; !bar.Missing {
				row[2] = exact(bar.Value)
				if bar.bounded() {
					row[3], row[4] = exact(bar.Lo), exact(bar.Hi)
				}
			}
			rows = append(rows, row)
		}
	}
	return writeRows(w, rows)
}

func (b Bars) frame() (frame, error) {
	if err := b.check(); err != nil {
		return frame{}, err
	}
	var values []float64
	for _, s := range b.Series {
		for _, bar := range s.Bars {
			values = append(values, bar.Value)
			if bar.bounded() {
				values = append(values, bar.Lo, bar.Hi)
			}
		}
	}
	b.Y.IncludeZero = true
	y, err := b.Y.scale(values)
	if err != nil {
		return frame{}, fmt.Errorf("y axis: %w", err)
	}
	g := b.groups()
	styles := b.styles()
	f := g.frame(guide{scale: y, title: b.Y.title()}, styles, func(c draw.Canvas, r vg.Rectangle, s Style) { s.fill(c, r) })
	f.cover = b.cover
	f.marks = func(c draw.Canvas, p projection) { b.draw(c, p, styles) }
	return f, nil
}

// styles returns the style of every series.
func (b Bars) styles() []Style {
	var own []string
	for _, s := range b.Series {
		if s.Like == "" {
			own = append(own, s.Name)
		}
	}
	drawn := b.Cast.Styles(own)
	styles := make([]Style, len(b.Series))
	for i, s := range b.Series {
		if s.Like == "" {
			styles[i] = drawn[slices.Index(own, s.Name)]
			continue
		}
		styles[i] = drawn[slices.Index(own, s.Like)]
		styles[i].Hollow = true
	}
	return styles
}

// each calls f for every bar with its rectangle and its error bar, if any.
func (b Bars) each(p projection, f func(series int, r vg.Rectangle, errorBar []vg.Point)) {
	g := b.groups()
	for i, s := range b.Series {
		for k, bar := range s.Bars {
			if bar.Missing {
				continue
			}
			left, right := g.place(p, i, k)
			gap := min(1, 0.06*(right-left))
			left, right = left+gap, right-gap
			var errorBar []vg.Point
			if bar.bounded() {
				middle := (left + right) / 2
				errorBar = []vg.Point{{X: middle, Y: p.atY(bar.Lo)}, {X: middle, Y: p.atY(bar.Hi)}}
			}
			f(i, rectangle(left, p.atY(0), right, p.atY(bar.Value)), errorBar)
		}
	}
}

func (b Bars) cover(p projection) *cover {
	taken := &cover{}
	b.each(p, func(_ int, r vg.Rectangle, errorBar []vg.Point) {
		taken.boxes = append(taken.boxes, r)
		taken.line(errorBar...)
	})
	return taken
}

func (b Bars) draw(c draw.Canvas, p projection, styles []Style) {
	b.each(p, func(i int, r vg.Rectangle, errorBar []vg.Point) {
		styles[i].fill(c, r)
		if errorBar != nil {
			// A white edge keeps the error bar visible on its own bar.
			side := vg.Point{X: min(capWidth, 0.3*(r.Max.X-r.Min.X))}
			drawBar(c, draw.LineStyle{Color: white, Width: barWidth + 1.2}, errorBar, side)
			drawBar(c, draw.LineStyle{Color: darkGrey, Width: barWidth}, errorBar, side)
		}
	})
	c.StrokeLine2(draw.LineStyle{Color: darkGrey, Width: 0.7}, p.area.Min.X, p.atY(0), p.area.Max.X, p.atY(0))
}
