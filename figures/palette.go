package figures

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The colours of Okabe and Ito, "Color Universal Design (CUD): how to make
// figures and presentations that are friendly to colorblind people", 2008, as
// recommended by Wong, "Points of view: color blindness", Nature Methods 8
// (2011) 441. Their yellow is left out: on white it has too little contrast
// for lines and markers.
var (
	black     = color.NRGBA{0x00, 0x00, 0x00, 0xff}
	orange    = color.NRGBA{0xe6, 0x9f, 0x00, 0xff}
	skyBlue   = color.NRGBA{0x56, 0xb4, 0xe9, 0xff}
	green     = color.NRGBA{0x00, 0x9e, 0x73, 0xff}
	blue      = color.NRGBA{0x00, 0x72, 0xb2, 0xff}
	vermilion = color.NRGBA{0xd5, 0x5e, 0x00, 0xff}
	purple    = color.NRGBA{0xcc, 0x79, 0xa7, 0xff}
)

// Greys, for what is not data.
var (
	white     = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	paleGrey  = color.NRGBA{0xe6, 0xe6, 0xe6, 0xff}
	midGrey   = color.NRGBA{0x8c, 0x8c, 0x8c, 0xff}
	darkGrey  = color.NRGBA{0x40, 0x40, 0x40, 0xff}
	lightGrey = color.NRGBA{0xd4, 0xd4, 0xd4, 0xff}
	veil      = color.NRGBA{0xff, 0xff, 0xff, 0xcc} // lets grid lines below a text shine through
)

// colors is the order in which series get their colours: those of the first
// four have different greys.
var colors = []color.NRGBA{blue, orange, green, black, vermilion, skyBlue, purple}

// Style is how a series looks. Every slot of the palette has a marker and a
// dash pattern of its own besides the colour, so that a picture also reads in
// grey; the numbers of colours, markers and dash patterns share no divisor, so
// that 280 slots differ in at least one.
type Style struct {
	Color  color.NRGBA
	Marker Marker
	Dashes []vg.Length // empty: a solid line
	Hatch  Hatch
	Hollow bool // areas are drawn by their edge and a tint
}

var dashes = [][]vg.Length{nil, {5, 2}, {1.2, 1.6}, {6, 2, 1.2, 2}, {9, 3}}

// slot returns the style of place i of the palette.
func slot(i int) Style {
	return Style{
		Color:  colors[i%len(colors)],
		Marker: Marker(i % int(markers)),
		Dashes: dashes[i%len(dashes)],
		Hatch:  Hatch(i % int(hatches)),
	}
}

// Cast fixes the looks of named series: a name has the style of its place in
// the Cast in every picture that is given the same Cast. Names that are not in
// it get the free places behind it, in the order in which a picture has them.
type Cast []string

// Styles returns the style of every name.
func (c Cast) Styles(names []string) []Style {
	styles := make([]Style, len(names))
	next := len(c)
	for i, name := range names {
		k := slices.Index(c, name)
		if k < 0 {
			k = next
			next++
		}
		styles[i] = slot(k)
	}
	return styles
}

// Marker is the shape of a point.
type Marker int

// The markers, in the order in which slots of the palette get them.
const (
	Circle Marker = iota
	Square
	Triangle
	Diamond
	Cross
	TriangleDown
	Plus
	Star

	markers
)

// outline returns the shape as a closed path around pt. All shapes have about
// the area of a circle of the given radius.
func (m Marker) outline(pt vg.Point, radius vg.Length) vg.Path {
	switch m {
	case Circle:
		return disc(pt, radius)
	case Square:
		return polygon(pt, radius*1.25, 4, math.Pi/4, 1)
	case Diamond:
		return polygon(pt, radius*1.35, 4, 0, 1)
	case Triangle:
		return polygon(pt, radius*1.45, 3, math.Pi/2, 1)
	case TriangleDown:
		return polygon(pt, radius*1.45, 3, -math.Pi/2, 1)
	case Plus:
		return crossedBars(pt, radius*1.35, 0)
	case Cross:
		return crossedBars(pt, radius*1.35, math.Pi/4)
	case Star:
		return polygon(pt, radius*1.65, 10, math.Pi/2, 0.45)
	default:
		panic("figures: no such marker")
	}
}

// reach is the distance from the middle of a marker of radius 1 to its
// farthest corner.
const reach = 1.65

// polygon returns corners on a circle, every second of them at waist of the
// radius.
func polygon(pt vg.Point, radius vg.Length, corners int, start float64, waist vg.Length) vg.Path {
	var p vg.Path
	for i := range corners {
		r := radius
		if i%2 == 1 {
			r *= waist
		}
		sin, cos := math.Sincos(start + 2*math.Pi*float64(i)/float64(corners))
		corner := vg.Point{X: pt.X + r*vg.Length(cos), Y: pt.Y + r*vg.Length(sin)}
		if i == 0 {
			p.Move(corner)
		} else {
			p.Line(corner)
		}
	}
	p.Close()
	return p
}

// crossedBars returns the outline of two bars, turned by the given angle.
func crossedBars(pt vg.Point, radius vg.Length, angle float64) vg.Path {
	const half = 0.28 // of a bar's width
	sin, cos := math.Sincos(angle)
	var p vg.Path
	for i, q := range [][2]float64{
		{1, -half}, {1, half}, {half, half}, {half, 1}, {-half, 1}, {-half, half},
		{-1, half}, {-1, -half}, {-half, -half}, {-half, -1}, {half, -1}, {half, -half},
	} {
		corner := vg.Point{
			X: pt.X + radius*vg.Length(q[0]*cos-q[1]*sin),
			Y: pt.Y + radius*vg.Length(q[0]*sin+q[1]*cos),
		}
		if i == 0 {
			p.Move(corner)
		} else {
			p.Line(corner)
		}
	}
	p.Close()
	return p
}

// disc returns a circle as four cubic curves, which every format draws alike.
func disc(pt vg.Point, radius vg.Length) vg.Path {
	const kappa = 0.5522847498 // 4/3 (sqrt 2 - 1)
	at := func(x, y vg.Length) vg.Point {
		return vg.Point{X: pt.X + radius*x, Y: pt.Y + radius*y}
	}
	var p vg.Path
	p.Move(at(1, 0))
	p.CubeTo(at(1, kappa), at(kappa, 1), at(0, 1))
	p.CubeTo(at(-kappa, 1), at(-1, kappa), at(-1, 0))
	p.CubeTo(at(-1, -kappa), at(-kappa, -1), at(0, -1))
	p.CubeTo(at(kappa, -1), at(1, -kappa), at(1, 0))
	p.Close()
	return p
}

// edge draws the white edge of the marker, which keeps it apart from the line
// through it and from markers below.
func (m Marker) edge(c draw.Canvas, pt vg.Point, radius vg.Length) {
	c.SetLineStyle(draw.LineStyle{Color: white, Width: 0.9})
	c.Stroke(m.outline(pt, radius))
}

// fill draws the marker without its edge.
func (m Marker) fill(c draw.Canvas, pt vg.Point, radius vg.Length, fill color.Color) {
	c.SetColor(fill)
	c.Fill(m.outline(pt, radius))
}

// Hatch is the pattern of a filled area.
type Hatch int

// The hatches, in the order in which slots of the palette get them.
const (
	Solid Hatch = iota
	Rising
	Falling
	Level
	Checked

	hatches
)

// fill fills a rectangle in the style.
func (s Style) fill(c draw.Canvas, r vg.Rectangle) {
	if !s.Hollow {
		s.Hatch.fill(c, r, s.Color)
		return
	}
	const edge = 1.4
	c.SetColor(s.Color)
	c.Fill(r.Path())
	size := r.Size()
	if size.X > 2*edge && size.Y > 2*edge {
		inside := rectangle(r.Min.X+edge, r.Min.Y+edge, r.Max.X-edge, r.Max.Y-edge)
		for _, fill := range []color.Color{white, tint(s.Color)} {
			c.SetColor(fill)
			c.Fill(inside.Path())
		}
	}
}

// fill fills a rectangle with a colour and white hatching.
func (h Hatch) fill(c draw.Canvas, r vg.Rectangle, fill color.Color) {
	c.SetColor(fill)
	c.Fill(r.Path())
	const gap = 4.5
	var lines [][]vg.Point
	size := r.Size()
	add := func(x0, y0, x1, y1 vg.Length) {
		lines = append(lines, []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y1}})
	}
	if h == Rising || h == Checked {
		for d := -size.Y + gap/2; d < size.X; d += gap {
			add(r.Min.X+d, r.Min.Y, r.Min.X+d+size.Y, r.Max.Y)
		}
	}
	if h == Falling || h == Checked {
		for d := vg.Length(gap / 2); d < size.X+size.Y; d += gap {
			add(r.Min.X+d, r.Min.Y, r.Min.X+d-size.Y, r.Max.Y)
		}
	}
	if h == Level {
		for d := vg.Length(gap / 2); d < size.Y; d += gap {
			add(r.Min.X, r.Min.Y+d, r.Max.X, r.Min.Y+d)
		}
	}
	area := draw.Canvas{Canvas: c.Canvas, Rectangle: r}
	area.StrokeLines(draw.LineStyle{Color: white, Width: 0.6}, area.ClipLinesXY(lines...)...)
}
