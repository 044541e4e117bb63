package figures

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Chart is a picture of series of points over two axes of numbers, and the
// data of that picture.
type Chart struct {
	Title      string
	X, Y       Axis
	Series     []Series
	References []Reference
	Cast       Cast // fixes the looks of named series
}

// Series is a set of points that belong together. It is drawn with markers
// unless Line or Band is set.
type Series struct {
	Name   string
	Points []Point
	Line   bool   // the points are joined in their order
	Marker bool   // the points are marked
	Band   bool   // the area between YLo and YHi is filled, in the order of the points
	Like   string // the series whose colour this one has, as a model has that of its data; empty: its own
}

// Point is one point of a series. Bounds that are both 0 mean that there are
// none; others are drawn as an error bar, or make the area of a Band.
type Point struct {
	X, Y     float64
	XLo, XHi float64
	YLo, YHi float64
	Label    string // written beside the point
}

func (p Point) hasX() bool { return p.XLo != 0 || p.XHi != 0 }
func (p Point) hasY() bool { return p.YLo != 0 || p.YHi != 0 }

// Reference is a line to compare with. The axes reach out for horizontal and
// vertical ones; of the diagonal only what passes through the area of the data
// is drawn. It does not count as data: the CSV file does not hold it.
type Reference struct {
	Kind  ReferenceKind
	Value float64 // of Horizontal and Vertical
	Text  string  // written along the line
}

// ReferenceKind says which line a Reference is.
type ReferenceKind int

// The kinds of references.
const (
	Diagonal   ReferenceKind = iota // y = x
	Horizontal                      // y = Value
	Vertical                        // x = Value
)

// defect returns an error about a series.
func defect(i int, s Series, format string, args ...any) error {
	return fmt.Errorf("series %d (%q): "+format, append([]any{i, s.Name}, args...)...)
}

// check reports the first defect of every series.
func (c Chart) check() error {
	var errs []error
	seen := map[string]int{}
	for i, s := range c.Series {
		if k, twice := seen[s.Name]; twice {
			errs = append(errs, defect(i, s, "series %d has the same name", k))
		}
		seen[s.Name] = i
		if s.Like != "" && !slices.ContainsFunc(c.Series, func(o Series) bool { return o.Name == s.Like }) {
			errs = append(errs, defect(i, s, "is like %q, which there is not", s.Like))
		}
		if err := c.checkPoints(s); err != nil {
			errs = append(errs, defect(i, s, "%w", err))
		}
	}
	for i, l := range c.References {
		if l.Kind < Diagonal || l.Kind > Vertical {
			errs = append(errs, fmt.Errorf("reference %d: unknown kind %d", i, l.Kind))
			continue
		}
		if l.Kind != Diagonal {
			if err := checkNumber(l.Value, l.Kind == Horizontal && c.Y.Log || l.Kind == Vertical && c.X.Log); err != nil {
				errs = append(errs, fmt.Errorf("reference %d (%q): %w", i, l.Text, err))
			}
		}
	}
	return errors.Join(errs...)
}

func (c Chart) checkPoints(s Series) error {
	for i, p := range s.Points {
		type number struct {
			name  string
			value float64
			log   bool
		}
		numbers := []number{{"x", p.X, c.X.Log}, {"y", p.Y, c.Y.Log}}
		if p.hasX() {
			numbers = append(numbers, number{"lower bound of x", p.XLo, c.X.Log}, number{"upper bound of x", p.XHi, c.X.Log})
		}
		if p.hasY() || s.Band {
			numbers = append(numbers, number{"lower bound of y", p.YLo, c.Y.Log}, number{"upper bound of y", p.YHi, c.Y.Log})
		}
		for _, n := range numbers {
			if err := checkNumber(n.value, n.log); err != nil {
				return fmt.Errorf("point %d: %s: %w", i, n.name, err)
			}
		}
		switch {
		case p.XLo > p.XHi:
			return fmt.Errorf("point %d: bounds of x: %v is above %v", i, p.XLo, p.XHi)
		case p.YLo > p.YHi:
			return fmt.Errorf("point %d: bounds of y: %v is above %v", i, p.YLo, p.YHi)
		}
	}
	return nil
}

func (c Chart) formats(r Resolution) ([]format, error) { return formatsOf(c, r) }

// WriteCSV writes the numbers that the chart shows, one row per point: series,
// x, y, their bounds (empty where there are none) and the label. Every number
// reads back as the same float64.
func (c Chart) WriteCSV(w io.Writer) error {
	rows := [][]string{{"series", heading("x", c.X), heading("y", c.Y), "x_lo", "x_hi", "y_lo", "y_hi", "label"}}
	for _, s := range c.Series {
		for _, p := range s.Points {
			row := []string{s.Name, exact(p.X), exact(p.Y), "", "", "", "", p.Label}
			if p.hasX() {
				row[3], row[4] = exact(p.XLo), exact(p.XHi)
			}
			if p.hasY() || s.Band {
				row[5], row[6] = exact(p.YLo), exact(p.YHi)
			}
			rows = append(rows, row)
		}
	}
	return writeRows(w, rows)
}

// heading names a column of numbers after its axis.
func heading(name string, a Axis) string {
	if title := a.title(); title != "" {
		return name + ": " + title
	}
	return name
}

func (c Chart) frame() (frame, error) {
	if err := c.check(); err != nil {
		return frame{}, err
	}
	var xs, ys []float64
	var names []string
	for _, s := range c.Series {
		names = append(names, s.Name)
		for _, p := range s.Points {
			xs, ys = append(xs, p.X), append(ys, p.Y)
			if p.hasX() {
				xs = append(xs, p.XLo, p.XHi)
			}
			if p.hasY() || s.Band {
				ys = append(ys, p.YLo, p.YHi)
			}
		}
	}
	for _, r := range c.References {
		switch r.Kind {
		case Horizontal:
			ys = append(ys, r.Value)
		case Vertical:
			xs = append(xs, r.Value)
		}
	}
	x, err := c.X.scale(xs)
	if err != nil {
		return frame{}, fmt.Errorf("x axis: %w", err)
	}
	y, err := c.Y.scale(ys)
	if err != nil {
		return frame{}, fmt.Errorf("y axis: %w", err)
	}
	styles := c.Cast.Styles(names)
	for i, s := range c.Series {
		if s.Like != "" {
			styles[i].Color = styles[slices.Index(names, s.Like)].Color
		}
	}
	f := frame{
		title:  c.Title,
		x:      guide{scale: x, title: c.X.title()},
		y:      guide{scale: y, title: c.Y.title()},
		height: chartHeight,
		cover:  c.cover,
		marks:  func(d draw.Canvas, p projection) { c.drawMarks(d, p, styles) },
		notes:  c.notes,
	}
	for i, s := range c.Series {
		if s.Name != "" {
			f.legend = append(f.legend, entry{s.Name, !s.Line && !s.Band, func(d draw.Canvas, r vg.Rectangle) {
				s.drawSample(d, r, styles[i])
			}})
		}
	}
	return f, nil
}
