package figures

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ink is a canvas that only notes where something is drawn.
type ink struct {
	matrix [6]float64 // x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5
	stack  [][6]float64
	width  vg.Length
	texts  []inkText
	shapes []vg.Rectangle
}

type inkText struct {
	text string
	box  vg.Rectangle
}

func newInk() *ink { return &ink{matrix: [6]float64{1, 0, 0, 0, 1, 0}} }

func (c *ink) SetLineWidth(w vg.Length)           { c.width = w }
func (c *ink) SetLineDash([]vg.Length, vg.Length) {}
func (c *ink) SetColor(color.Color)               {}
func (c *ink) Push()                              { c.stack = append(c.stack, c.matrix) }
func (c *ink) Pop() {
	c.matrix = c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
}
func (c *ink) Rotate(t float64) {
	sin, cos := math.Sincos(t)
	m := c.matrix
	c.matrix = [6]float64{m[0]*cos + m[1]*sin, -m[0]*sin + m[1]*cos, m[2], m[3]*cos + m[4]*sin, -m[3]*sin + m[4]*cos, m[5]}
}
func (c *ink) Translate(vg.Point)                         { panic("not used") }
func (c *ink) Scale(float64, float64)                     { panic("not used") }
func (c *ink) DrawImage(rect vg.Rectangle, _ image.Image) { panic("not used") }

func (c *ink) bounds(points ...vg.Point) vg.Rectangle {
	inf := vg.Length(math.Inf(1))
	r := vg.Rectangle{Min: vg.Point{X: inf, Y: inf}, Max: vg.Point{X: -inf, Y: -inf}}
	for _, p := range points {
		x := vg.Length(c.matrix[0]*float64(p.X) + c.matrix[1]*float64(p.Y) + c.matrix[2])
		y := vg.Length(c.matrix[3]*float64(p.X) + c.matrix[4]*float64(p.Y) + c.matrix[5])
		r.Min.X, r.Min.Y = min(r.Min.X, x), min(r.Min.Y, y)
		r.Max.X, r.Max.Y = max(r.Max.X, x), max(r.Max.Y, y)
	}
	return r
}

func (c *ink) path(p vg.Path, around vg.Length) {
	var points []vg.Point
	for _, comp := range p {
		switch comp.Type {
		case vg.MoveComp, vg.LineComp:
			points = append(points, comp.Pos)
		case vg.CurveComp:
			points = append(append(points, comp.Pos), comp.Control...)
		case vg.ArcComp:
			panic("not used")
		}
	}
	if len(points) > 0 {
		c.shapes = append(c.shapes, grown(c.bounds(points...), around))
	}
}

func (c *ink) Stroke(p vg.Path) { c.path(p, c.width/2) }
func (c *ink) Fill(p vg.Path)   { c.path(p, 0) }

// FillString notes the box of what the letters really cover: most of them are
// lower than the ascent of the font.
func (c *ink) FillString(face font.Face, pt vg.Point, text string) {
	w, size := max(face.Width(text), advance(face, text)), face.Font.Size
	c.texts = append(c.texts, inkText{text, c.bounds(
		vg.Point{X: pt.X, Y: pt.Y - 0.2*size}, vg.Point{X: pt.X + w, Y: pt.Y + 0.75*size})})
}

func inkOf(s sheet) *ink {
	c := newInk()
	s.draw(draw.NewCanvas(c, s.w, s.h))
	return c
}

// specimen is a picture with its layout.
type specimen struct {
	name string
	Drawing
	sheet sheet
}

func of(t testing.TB, name string, p Drawing) specimen {
	t.Helper()
	s := specimen{name: name, Drawing: p}
	var err error
	var f frame
	switch p := p.(type) {
	case Chart:
		f, err = p.frame()
	case Bars:
		f, err = p.frame()
	case Gantt:
		f, err = p.frame()
	case Graph:
		if err = p.check(); err == nil {
			s.sheet = p.plan().sheet()
		}
		return s
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	s.sheet = f.sheet()
	return s
}

const longName = "a very long name that goes on and on, past every border that a picture may have, until nobody remembers how it began"
const unbroken = "a_very_long_name_without_any_space_in_it-that.goes/on:and,onandonandonandonandonandonandonandonandon"

// specimens are pictures of every kind, the ordinary ones of the papers and
// ones that are hard to draw.
func specimens(t testing.TB) []specimen {
	latency, cost := Axis{Label: "latency", Unit: "s"}, Axis{Label: "cost per run", Unit: "¢"}
	charts := map[string]Chart{
		"empty": {Title: "Nothing", X: latency, Y: cost},
		"bare":  {},
		"one":   {X: latency, Y: cost, Series: []Series{{Name: "one", Points: []Point{{X: 3, Y: 7, Label: "the only point"}}}}},
		"equal": {X: latency, Y: cost, Series: []Series{{Name: "equal", Line: true, Marker: true, Points: points(5, 5, 5, 5, 5, 5)}}},
		"zeros": {X: latency, Y: Axis{Label: "zero", IncludeZero: true}, Series: []Series{{Name: "zeros", Points: points(0, 0, 0, 0)}}},
		// claims J6: Fig. 9a of Jolteon (NSDI'24).
		"frontier": {Title: "TPC-DS Q95", X: latency, Y: cost, Series: []Series{
			{Name: "Jolteon", Line: true, Marker: true, Points: points(19.8, 2.10, 21.4, 2.05, 23.1, 1.98, 26.4, 1.76, 38.8, 1.70, 57.2, 1.68, 65.3, 1.66)},
			{Name: "Orion", Line: true, Marker: true, Points: points(32.0, 2.045, 32.4, 1.873, 39.0, 1.72, 53.4, 1.718, 59.9, 1.703)},
			{Name: "Caerus", Points: points(46.9, 1.70)}, {Name: "Ditto-L", Points: points(18.9, 2.16)}, {Name: "Jointλ ≤ 2 ¢", Points: points(67, 1.68)}}},
		"bounds": {Title: "Bounds", X: latency, Y: latency, References: []Reference{{Text: "y = x"}, {Kind: Vertical, Value: 80, Text: "limit"}},
			Series: []Series{{Name: "p95", Points: []Point{{X: 23, Y: 21.8, YLo: 20, YHi: 24}, {X: 40, Y: 40.3, XLo: 38, XHi: 43}, {X: 75, Y: 65.3, YLo: 60, YHi: 70}}}}},
		"logarithmic": {Title: "Time and samples", X: Axis{Label: "samples", Log: true}, Y: Axis{Label: "time", Unit: "s", Log: true},
			References: []Reference{{Kind: Horizontal, Value: 0.5, Text: "0.5 s"}, {Kind: Diagonal, Text: "far away"}},
			Series:     []Series{{Name: "TPC-DS", Line: true, Marker: true, Points: points(10, .0108, 100, .0136, 1000, .1585, 5000, .473, 10000, 1.555)}}},
		"wide range": {Title: "Twelve powers of ten", X: Axis{Label: "linear"}, Y: Axis{Label: "logarithmic", Log: true},
			Series: []Series{{Name: "range", Line: true, Points: points(1e-6, 1e-6, 1, 1, 1e6, 1e6)}}},
		"tiny": {X: Axis{Label: "tiny"}, Y: Axis{Label: "huge and negative"},
			Series: []Series{{Name: "range", Points: points(1e-6, -1e6, 2e-6, -9e9)}}},
		"wide labels": {X: Axis{Label: "many digits"}, Y: Axis{Label: "many digits"},
			Series: []Series{{Name: "range", Points: points(1234567.001, -1234567.001, 1234567.0093, -1234567.009)}}},
		"limits": {Title: "At the limits", X: Axis{Min: new(0.0), Max: new(1.0)}, Y: Axis{Min: new(0.0), Max: new(1.0)},
			Series: []Series{{Name: "corners", Points: points(0, 0, 0, 1, 1, 0, 1, 1)}}},
		"band": {Title: "Band", X: Axis{Label: "vCPU"}, Y: Axis{Label: "time", Unit: "s", IncludeZero: true},
			Series: []Series{{Name: "predicted", Band: true, Line: true, Points: []Point{{X: 1, Y: 20, YLo: 16, YHi: 27}, {X: 8, Y: 4, YLo: 3, YHi: 5}, {X: 48, Y: 2, YLo: 1, YHi: 3}}}}},
		"long names": {Title: longName, X: Axis{Label: longName, Unit: "s"}, Y: Axis{Label: longName, Unit: "¢"},
			References: []Reference{{Kind: Horizontal, Value: 1, Text: longName}},
			Series:     []Series{{Name: longName, Points: points(1, 1, 2, 2)}, {Name: unbroken, Points: []Point{{X: 1.5, Y: 1.2, Label: unbroken}}}}},
	}
	twelve, cloud := Chart{Title: "Twelve series", X: latency, Y: cost}, Series{Name: "cloud"}
	for i := range 12 {
		s := Series{Name: fmt.Sprint("method ", i), Line: true, Marker: true}
		for k := range 9 {
			s.Points = append(s.Points, Point{X: float64(k), Y: float64(i) + math.Sin(float64(k+i))})
		}
		twelve.Series = append(twelve.Series, s)
	}
	for i := range 1000 {
		cloud.Points = append(cloud.Points, Point{X: math.Mod(float64(i)*0.618, 1), Y: math.Mod(float64(i)*0.755, 1)})
	}
	charts["twelve"] = twelve
	charts["thousand"] = Chart{Title: "Thousand points", X: latency, Y: cost, Series: []Series{cloud}}

	var all []specimen
	for _, name := range sortedKeys(charts) {
		all = append(all, of(t, name, charts[name]))
	}
	all = append(all,
		of(t, "bars", Bars{Title: "Job completion time", X: "query", Groups: []string{"Q1", "Q16", longName, unbroken}, Y: Axis{Label: "time", Unit: "s"},
			Series: []BarSeries{{Name: "Ditto", Bars: []Bar{{Value: 222.26, Lo: 210, Hi: 230}, {Value: 567.3}, {Value: -3}, {Missing: true}}},
				{Name: "NIMBLE", Bars: []Bar{{Value: 279.75}, {Value: 824.9, Lo: 800, Hi: 1000}, {Value: 459.83}, {Value: 403.4}}}}}),
		of(t, "no bars", Bars{Title: "No bars"}),
		of(t, "gantt", ganttOf(8, 48)),
		of(t, "gantt of one", ganttOf(1, 1)),
		of(t, "gantt long names", Gantt{Title: longName, Lanes: []string{longName, unbroken, "empty"}, Critical: []string{longName},
			Spans: []Span{{longName, 0, KindCold, 0, 1}, {longName, 0, KindCompute, 1, 3.5}, {unbroken, 1, KindWrite, 3.5, 4}}}),
		of(t, "no spans", Gantt{Title: "No spans"}),
		of(t, "graph", Graph{Title: "Workflow", Workflow: layered(t, 32, 4, 3), Notes: notesOf(32)}),
		of(t, "graph of one", Graph{Title: longName, Workflow: layered(t, 1, 1, 1), Notes: []string{unbroken}}),
	)
	return all
}

func TestNothingLeavesThePage(t *testing.T) {
	for _, s := range specimens(t) {
		page := rectangle(0, 0, s.sheet.w, s.sheet.h)
		c := inkOf(s.sheet)
		for _, text := range c.texts {
			if !inside(text.box, page) {
				t.Errorf("%s: text %q at %v leaves the page %v", s.name, text.text, text.box, page.Max)
			}
		}
		for _, r := range c.shapes {
			if !inside(r, page) {
				t.Errorf("%s: a shape at %v leaves the page %v", s.name, r, page.Max)
			}
		}
	}
}

func TestTextsKeepOffEachOther(t *testing.T) {
	for _, s := range specimens(t) {
		c := inkOf(s.sheet)
		if s.name != "bare" && len(c.texts) == 0 {
			t.Errorf("%s: no text at all", s.name)
		}
		for i, a := range c.texts {
			for _, b := range c.texts[:i] {
				if overlap(grown(a.box, -0.15), grown(b.box, -0.15)) {
					t.Errorf("%s: %q lies over %q", s.name, a.text, b.text)
				}
			}
		}
	}
}

// The border of every rendered picture is background, four pixels of it: what
// was cut off would show there. All pictures are wide enough for slides.
func TestBorderIsBackground(t *testing.T) {
	for _, s := range specimens(t) {
		img := rendered(s.sheet)
		b := img.Bounds()
		if b.Dx() < 1600 {
			t.Errorf("%s: %d pixels wide, want 1600", s.name, b.Dx())
		}
		const border = 4
		dark := 0
		for y := range b.Dy() {
			for x := range b.Dx() {
				if x < border || y < border || x >= b.Dx()-border || y >= b.Dy()-border {
					if img.At(x, y) != (color.RGBA{0xff, 0xff, 0xff, 0xff}) {
						dark++
					}
				}
			}
		}
		if dark > 0 {
			t.Errorf("%s: %d pixels of the border are not background", s.name, dark)
		}
	}
}
