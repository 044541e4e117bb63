package figures

import (
	"errors"
	"fmt"
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Boxes is a picture of distributions as grouped boxes, and the data of that
// picture: a box from the first to the third quartile with a line at the median,
// and whiskers (Tukey, Exploratory Data Analysis, 1977).
type Boxes struct {
	Title  string
	X      string   // what the groups are
	Groups []string // names of the groups, from left to right
	Y      Axis
	Series []BoxSeries // one box in every group
	Limits []float64   // a line across every group; nil: none
	Limit  string      // what the lines are, for the legend
	Cast   Cast        // fixes the looks of named series
}

// BoxSeries is the boxes of one colour, one for every group.
type BoxSeries struct {
	Name  string
	Boxes []Box
}

// Box is one distribution. How far whiskers reach, the caption says.
type Box struct {
	Lo, Q1, Median, Q3, Hi float64
	Missing                bool // nothing is known; the place stays free
}

func (b Box) numbers() [5]float64 { return [5]float64{b.Lo, b.Q1, b.Median, b.Q3, b.Hi} }

var boxNames = [5]string{"lower whisker", "first quartile", "median", "third quartile", "upper whisker"}

func (b Boxes) groups() groups {
	g := groups{title: b.Title, x: b.X, names: b.Groups}
	for _, s := range b.Series {
		g.series = append(g.series, s.Name)
	}
	return g
}

func (b Boxes) check() error {
	errs := []error{b.groups().check("box", "boxes",
		func(i int) int { return len(b.Series[i].Boxes) },
		func(i, k int) error { return b.Series[i].Boxes[k].check(b.Y.Log) })}
	if b.Limits != nil && len(b.Limits) != len(b.Groups) {
		errs = append(errs, fmt.Errorf("%d limits for %d groups", len(b.Limits), len(b.Groups)))
	}
	for k, v := range b.Limits {
		if err := checkNumber(v, b.Y.Log); err != nil {
			errs = append(errs, fmt.Errorf("limit %d: %w", k, err))
		}
	}
	return errors.Join(errs...)
}

func (b Box) check(log bool) error {
	numbers := b.numbers()
	if b.Missing {
		if numbers != ([5]float64{}) {
			return errors.New("is missing and has values")
		}
		return nil
	}
	for i, v := range numbers {
		if err := checkNumber(v, log); err != nil {
			return fmt.Errorf("%s: %w", boxNames[i], err)
		}
		if i > 0 && v < numbers[i-1] {
			return fmt.Errorf("%s: %v is below the %s, %v", boxNames[i], v, boxNames[i-1], numbers[i-1])
		}
	}
	return nil
}

func (b Boxes) formats(r Resolution) ([]format, error) { return formatsOf(b, r) }

// WriteCSV writes one row per box: group, series, its five numbers, which are
// empty for a missing box, and the group's limit, if any. Every number reads back
// as the same float64.
func (b Boxes) WriteCSV(w io.Writer) error {
	rows := [][]string{{"group", "series", "lo", "q1", heading("median", b.Y), "q3", "hi", "limit"}}
	for k, group := range b.Groups {
		for _, s := range b.Series {
			row := []string{group, s.Name, "", "", "", "", "", ""}
			if box := s.Boxes[k]; !box.Missing {
				for i, v := range box.numbers() {
					row[2+i] = exact(v)
				}
			}
			if b.Limits != nil {
				row[7] = exact(b.Limits[k])
			}
			rows = append(rows, row)
		}
	}
	return writeRows(w, rows)
}

func (b Boxes) frame() (frame, error) {
	if err := b.check(); err != nil {
		return frame{}, err
	}
	values := append([]float64(nil), b.Limits...)
	for _, s := range b.Series {
		for _, box := range s.Boxes {
			if !box.Missing {
				values = append(values, box.Lo, box.Hi)
			}
		}
	}
	y, err := b.Y.scale(values)
	if err != nil {
		return frame{}, fmt.Errorf("y axis: %w", err)
	}
	g := b.groups()
	styles := b.Cast.Styles(g.series)
	f := g.frame(guide{scale: y, title: b.Y.title()}, styles, func(c draw.Canvas, r vg.Rectangle, s Style) { s.box(c, r) })
	f.cover = b.cover
	f.marks = func(c draw.Canvas, p projection) { b.draw(c, p, styles) }
	if b.Limits != nil && b.Limit != "" {
		f.legend = append(f.legend, entry{b.Limit, false, func(c draw.Canvas, r vg.Rectangle) {
			middle := (r.Min.Y + r.Max.Y) / 2
			c.StrokeLine2(limitLine, r.Min.X, middle, r.Max.X, middle)
		}})
	}
	return f, nil
}

var limitLine = draw.LineStyle{Color: darkGrey, Width: 1, Dashes: []vg.Length{4, 2.5}}

// drawnBox is a box at its place.
type drawnBox struct {
	series  int
	body    vg.Rectangle
	median  vg.Length
	whisker [2][]vg.Point // from the body outwards
}

func (b Boxes) drawn(p projection) (all []drawnBox) {
	g := b.groups()
	for i, s := range b.Series {
		for k, box := range s.Boxes {
			if box.Missing {
				continue
			}
			left, right := g.place(p, i, k)
			gap := min(3, 0.12*(right-left))
			middle := (left + right) / 2
			all = append(all, drawnBox{
				series: i,
				body:   rectangle(left+gap, p.atY(box.Q1), right-gap, p.atY(box.Q3)),
				median: p.atY(box.Median),
				whisker: [2][]vg.Point{
					{{X: middle, Y: p.atY(box.Q1)}, {X: middle, Y: p.atY(box.Lo)}},
					{{X: middle, Y: p.atY(box.Q3)}, {X: middle, Y: p.atY(box.Hi)}},
				},
			})
		}
	}
	return all
}

// limit returns the line of group k.
func (b Boxes) limit(p projection, k int) []vg.Point {
	y := p.atY(b.Limits[k])
	return []vg.Point{{X: p.atX(float64(k) - 0.47), Y: y}, {X: p.atX(float64(k) + 0.47), Y: y}}
}

func (b Boxes) cover(p projection) *cover {
	taken := &cover{}
	for _, box := range b.drawn(p) {
		taken.boxes = append(taken.boxes, box.body)
		for _, w := range box.whisker {
			taken.line(w...)
			taken.point(w[1], capWidth)
		}
	}
	for k := range b.Limits {
		taken.line(b.limit(p, k)...)
	}
	return taken
}

func (b Boxes) draw(c draw.Canvas, p projection, styles []Style) {
	for k := range b.Limits {
		c.StrokeLines(limitLine, b.limit(p, k))
	}
	edge := draw.LineStyle{Color: darkGrey, Width: 0.7}
	for _, box := range b.drawn(p) {
		side := vg.Point{X: min(2*capWidth, 0.3*(box.body.Max.X-box.body.Min.X))}
		for _, w := range box.whisker {
			c.StrokeLines(edge, w, []vg.Point{w[1].Sub(side), w[1].Add(side)})
		}
		styles[box.series].box(c, box.body)
		// A white edge keeps the median visible on any colour.
		for _, line := range []draw.LineStyle{{Color: white, Width: 2.6}, {Color: black, Width: 1.2}} {
			c.StrokeLine2(line, box.body.Min.X, box.median, box.body.Max.X, box.median)
		}
	}
}

// box draws the body of a box.
func (s Style) box(c draw.Canvas, r vg.Rectangle) {
	s.Hatch.fill(c, r, s.Color)
	c.SetLineStyle(draw.LineStyle{Color: darkGrey, Width: 0.7})
	c.Stroke(r.Path())
}
