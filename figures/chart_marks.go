package figures

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The measures of what a chart is made of.
const (
	chartHeight  = 230
	markerRadius = 2.9
	lineWidth    = 1.2
	barWidth     = 0.8 // of error bars
	capWidth     = 2.2 // half of the cap of an error bar
)

// marked reports whether the points of the series get markers.
func (s Series) marked() bool { return s.Marker || !s.Line && !s.Band }

// path returns the points of the series in the picture.
func (s Series) path(p projection) []vg.Point {
	all := make([]vg.Point, len(s.Points))
	for i, q := range s.Points {
		all[i] = p.at(q.X, q.Y)
	}
	return all
}

// edges returns the lower and the upper edge of a band.
func (s Series) edges(p projection) (low, high []vg.Point) {
	for _, q := range s.Points {
		low, high = append(low, p.at(q.X, q.YLo)), append(high, p.at(q.X, q.YHi))
	}
	return low, high
}

// errorBars returns the error bars of the series without their caps.
func (s Series) errorBars(p projection) (across, up [][]vg.Point) {
	for _, q := range s.Points {
		if q.hasX() {
			across = append(across, []vg.Point{p.at(q.XLo, q.Y), p.at(q.XHi, q.Y)})
		}
		if q.hasY() && !s.Band {
			up = append(up, []vg.Point{p.at(q.X, q.YLo), p.at(q.X, q.YHi)})
		}
	}
	return across, up
}

// cover says what the marks of the chart cover.
func (c Chart) cover(p projection) *cover {
	taken := &cover{}
	for _, s := range c.Series {
		if s.marked() {
			for _, q := range s.path(p) {
				taken.point(q, reach*c.radius())
			}
		}
		if s.Line {
			taken.line(s.path(p)...)
		}
		if s.Band {
			taken.strip(s.edges(p))
		}
		across, up := s.errorBars(p)
		for _, bar := range slices.Concat(across, up) {
			taken.line(bar...)
			taken.point(bar[0], capWidth)
			taken.point(bar[1], capWidth)
		}
	}
	for _, l := range c.References {
		taken.line(l.path(p)...)
	}
	return taken
}

// path returns the part of the line that lies in the area of the data, nothing
// if none does.
func (r Reference) path(p projection) []vg.Point {
	a := p.area
	switch r.Kind {
	case Horizontal:
		y := p.atY(r.Value)
		return []vg.Point{{X: a.Min.X, Y: y}, {X: a.Max.X, Y: y}}
	case Vertical:
		x := p.atX(r.Value)
		return []vg.Point{{X: x, Y: a.Min.Y}, {X: x, Y: a.Max.Y}}
	}
	lo, hi := max(p.x.lo, p.y.lo), min(p.x.hi, p.y.hi)
	if lo >= hi {
		return nil
	}
	if p.x.log == p.y.log {
		return []vg.Point{p.at(lo, lo), p.at(hi, hi)}
	}
	const parts = 100 // with one logarithmic axis the line is a curve
	var points []vg.Point
	for i := range parts + 1 {
		t := float64(i) / parts
		v := lo + t*(hi-lo)
		if lo > 0 {
			v = math.Exp(math.Log(lo) + t*(math.Log(hi)-math.Log(lo)))
		}
		v = min(max(v, lo), hi)
		points = append(points, p.at(v, v))
	}
	return points
}

// notes returns the texts beside lines and points.
func (c Chart) notes(p projection) []note {
	var notes []note
	for _, l := range c.References {
		path := l.path(p)
		if l.Text == "" || path == nil {
			continue
		}
		n := note{block: noteText.set(l.Text, 0.4*(p.area.Max.X-p.area.Min.X))}
		const gap = 2
		for _, t := range []vg.Length{0.99, 0.01, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1} {
			at := along(path, t)
			switch l.Kind {
			case Horizontal:
				n.anchors = append(n.anchors,
					anchor{vg.Point{X: at.X, Y: at.Y + gap}, t, 0},
					anchor{vg.Point{X: at.X, Y: at.Y - gap}, t, 1})
			case Vertical:
				n.anchors = append(n.anchors,
					anchor{vg.Point{X: at.X + 2*gap, Y: at.Y}, 0, t},
					anchor{vg.Point{X: at.X - 2*gap, Y: at.Y}, 1, t})
			default: // the line rises: above it is to the left
				n.anchors = append(n.anchors,
					anchor{vg.Point{X: at.X - gap, Y: at.Y}, 1, 0},
					anchor{vg.Point{X: at.X + gap, Y: at.Y}, 0, 1})
			}
		}
		notes = append(notes, n)
	}
	for _, s := range c.Series {
		for _, q := range s.Points {
			if q.Label == "" {
				continue
			}
			at := p.at(q.X, q.Y)
			n := note{block: noteText.set(q.Label, 90), point: &at}
			for _, gap := range []vg.Length{0, 2, 9, 16, 24, 34, 46} {
				d := gap + reach*c.radius()
				for _, side := range [][2]vg.Length{{1, 0}, {0, 1}, {0, -1}, {-1, 0}, {1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
					n.anchors = append(n.anchors, anchor{
						vg.Point{X: at.X + side[0]*d, Y: at.Y + side[1]*d},
						(1 - side[0]) / 2, (1 - side[1]) / 2,
					})
				}
			}
			notes = append(notes, n)
		}
	}
	return notes
}

// along returns the point at t of the way along a path, by its corners.
func along(path []vg.Point, t vg.Length) vg.Point {
	n := len(path) - 1
	i := min(int(t*vg.Length(n)), n-1)
	return between(path[i], path[i+1], t*vg.Length(n)-vg.Length(i))
}

// drawMarks draws areas first and markers last, so that nothing small lies
// under something large.
func (c Chart) drawMarks(d draw.Canvas, p projection, styles []Style) {
	for i, s := range c.Series {
		if s.Band && len(s.Points) > 0 {
			low, high := s.edges(p)
			slices.Reverse(high)
			d.FillPolygon(tint(styles[i].Color), slices.Concat(low, high))
		}
	}
	for _, l := range c.References {
		if path := l.path(p); path != nil {
			d.StrokeLines(draw.LineStyle{Color: midGrey, Width: 0.9, Dashes: []vg.Length{4, 2.5}}, path)
		}
	}
	for i, s := range c.Series {
		if s.Line && len(s.Points) > 1 {
			d.StrokeLines(styles[i].line(), s.path(p))
		}
	}
	for i, s := range c.Series {
		path := s.path(p)
		if s.marked() {
			for _, q := range path {
				styles[i].Marker.edge(d, q, c.radius())
			}
		}
		style := draw.LineStyle{Color: styles[i].Color, Width: barWidth}
		across, up := s.errorBars(p)
		for _, b := range across {
			drawBar(d, style, b, vg.Point{Y: capWidth})
		}
		for _, b := range up {
			drawBar(d, style, b, vg.Point{X: capWidth})
		}
		if s.marked() {
			for _, q := range path {
				styles[i].Marker.fill(d, q, c.radius(), styles[i].Color)
			}
		}
	}
}

// radius returns the size of the markers: that of markerRadius up to 100
// points, smaller the more there are, but never too small to be told apart.
func (c Chart) radius() vg.Length {
	n := 0
	for _, s := range c.Series {
		if s.marked() {
			n += len(s.Points)
		}
	}
	return markerRadius * vg.Length(min(1, max(0.55, math.Pow(100/float64(n), 0.3))))
}

// drawBar draws an error bar with caps that reach the given distance to both
// sides.
func drawBar(d draw.Canvas, style draw.LineStyle, bar []vg.Point, side vg.Point) {
	lines := [][]vg.Point{bar}
	for _, end := range bar {
		lines = append(lines, []vg.Point{end.Sub(side), end.Add(side)})
	}
	d.StrokeLines(style, lines...)
}

func (s Style) line() draw.LineStyle {
	return draw.LineStyle{Color: s.Color, Width: lineWidth, Dashes: s.Dashes}
}

// tint returns the colour of a band: translucent, so that two bands and the
// grid stay visible.
func tint(c color.NRGBA) color.NRGBA {
	c.A = 0x40
	return c
}

// drawSample draws the series' entry of the legend.
func (s Series) drawSample(d draw.Canvas, r vg.Rectangle, style Style) {
	middle := vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y + r.Max.Y) / 2}
	if s.Band {
		d.SetColor(tint(style.Color))
		d.Fill(rectangle(r.Min.X, middle.Y-3, r.Max.X, middle.Y+3).Path())
	}
	if s.Line {
		d.StrokeLine2(style.line(), r.Min.X, middle.Y, r.Max.X, middle.Y)
	}
	if s.marked() {
		style.Marker.edge(d, middle, markerRadius)
		style.Marker.fill(d, middle, markerRadius, style.Color)
	}
}
