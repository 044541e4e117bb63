package figures

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Heat is a picture of numbers over two lists of names, and the data of that
// picture: a field for every pair, the darker the larger its number, which
// stands in it.
type Heat struct {
	Title  string
	X, Y   string      // what the columns and rows are
	Names  [2][]string // of the columns from left to right, of the rows from the bottom up
	Value  Axis        // what the numbers are; only Label and Unit
	Values [][]float64 // per row, per column; NaN: nothing is known
}

const fieldHeight = 24 // of a row, in points

func (h Heat) check() error {
	var errs []error
	if len(h.Names[0]) == 0 || len(h.Names[1]) == 0 {
		errs = append(errs, errors.New("there are no rows or no columns"))
	}
	if len(h.Values) != len(h.Names[1]) {
		errs = append(errs, fmt.Errorf("%d rows of numbers for %d names", len(h.Values), len(h.Names[1])))
	}
	for i, row := range h.Values {
		if len(row) != len(h.Names[0]) {
			errs = append(errs, fmt.Errorf("row %d: %d numbers for %d columns", i, len(row), len(h.Names[0])))
		}
		for k, v := range row {
			if math.IsInf(v, 0) {
				errs = append(errs, fmt.Errorf("row %d, column %d: is %v", i, k, v))
			}
		}
	}
	return errors.Join(errs...)
}

func (h Heat) formats(r Resolution) ([]format, error) { return formatsOf(h, r) }

// WriteCSV writes one row per field: row, column and value, which is empty
// where nothing is known. Every number reads back as the same float64.
func (h Heat) WriteCSV(w io.Writer) error {
	rows := [][]string{{h.Y, h.X, heading("value", h.Value)}}
	for i, row := range h.Values {
		for k, v := range row {
			text := ""
			if !math.IsNaN(v) {
				text = exact(v)
			}
			rows = append(rows, []string{h.Names[1][i], h.Names[0][k], text})
		}
	}
	return writeRows(w, rows)
}

func (h Heat) frame() (frame, error) {
	if err := h.check(); err != nil {
		return frame{}, err
	}
	guideOf := func(title string, names []string) guide {
		g := guide{scale: scale{lo: -0.5, hi: float64(len(names)) - 0.5}, title: title, names: []name{}}
		for i, n := range names {
			g.names = append(g.names, name{text: n, at: float64(i)})
		}
		return g
	}
	return frame{
		title:  h.Title,
		x:      guideOf(h.X, h.Names[0]),
		y:      guideOf(h.Y, h.Names[1]),
		height: vg.Length(fieldHeight * max(2, len(h.Names[1]))),
		cover:  func(projection) *cover { return &cover{} },
		marks:  h.draw,
	}, nil
}

// lightest and darkest are the ends of the scale of a field's colour: one hue,
// so that it reads in grey, and no field as pale as the paper, which is what
// stands for nothing known.
var (
	lightest = color.NRGBA{0xe3, 0xee, 0xf6, 0xff}
	darkest  = color.NRGBA{0x00, 0x3f, 0x6b, 0xff}
)

func (h Heat) draw(c draw.Canvas, p projection) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, row := range h.Values {
		for _, v := range row {
			if !math.IsNaN(v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	for i, row := range h.Values {
		for k, v := range row {
			r := rectangle(p.atX(float64(k)-0.5)+0.5, p.atY(float64(i)-0.5)+0.5, p.atX(float64(k)+0.5)-0.5, p.atY(float64(i)+0.5)-0.5)
			middle := anchor{vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y + r.Max.Y) / 2}, 0.5, 0.5}
			if math.IsNaN(v) {
				noteText.set("–", 0).draw(c, middle)
				continue
			}
			t := 0.0
			if hi > lo {
				t = (v - lo) / (hi - lo)
			}
			c.SetColor(mixed(lightest, darkest, t))
			c.Fill(r.Path())
			text := tickText
			if t > 0.5 {
				text.color = white
			}
			text.set(fmt.Sprintf("%.3g", v), 0).draw(c, middle)
		}
	}
}

// mixed returns the colour at t of the way from a to b.
func mixed(a, b color.NRGBA, t float64) color.NRGBA {
	mix := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + t*(float64(y)-float64(x)))) }
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}
