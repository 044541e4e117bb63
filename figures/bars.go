package figures

import (
	"errors"
	"fmt"
	"io"

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

const (
	barsHeight = 210
	groupWidth = 0.8 // of the distance between two groups
)

func (b Bars) check() error {
	var errs []error
	if b.Y.Log {
		errs = append(errs, errors.New("y axis: bars stand on zero, which a logarithmic axis does not have; draw a Chart instead"))
	}
	seen := map[string]int{}
	for i, s := range b.Series {
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("series %d (%q): "+format, append([]any{i, s.Name}, args...)...))
		}
		if k, twice := seen[s.Name]; twice {
			bad("series %d has the same name", k)
		}
		seen[s.Name] = i
		if len(s.Bars) != len(b.Groups) {
			bad("%d bars for %d groups", len(s.Bars), len(b.Groups))
			continue
		}
		for k, bar := range s.Bars {
			if err := bar.check(); err != nil {
				bad("bar %d (%q): %w", k, b.Groups[k], err)
				break
			}
		}
	}
	return errors.Join(errs...)
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

// Save writes the bars as NAME.png, NAME.svg and NAME.pdf and their data as
// NAME.csv into dir, as Chart.Save does.
func (b Bars) Save(dir, name string) ([]string, error) {
	f, err := b.frame()
	if err != nil {
		return nil, fmt.Errorf("figures: %s: %w", name, err)
	}
	return f.sheet().save(dir, name, b.WriteCSV)
}

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
	var names []string
	for _, s := range b.Series {
		names = append(names, s.Name)
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
	x := guide{scale: scale{lo: -0.5, hi: max(0.5, float64(len(b.Groups))-0.5)}, title: b.X, names: []name{}}
	for i, group := range b.Groups {
		x.names = append(x.names, name{text: group, at: float64(i)})
	}
	styles := b.Cast.Styles(names)
	f := frame{
		title:  b.Title,
		x:      x,
		y:      guide{scale: y, title: b.Y.title()},
		height: barsHeight,
		cover:  b.cover,
		marks:  func(c draw.Canvas, p projection) { b.draw(c, p, styles) },
	}
	for i, s := range b.Series {
		if s.Name != "" {
			f.legend = append(f.legend, entry{s.Name, false, func(c draw.Canvas, r vg.Rectangle) {
				styles[i].Hatch.fill(c, rectangle(r.Min.X+2, r.Min.Y+1, r.Max.X-2, r.Max.Y-1), styles[i].Color)
			}})
		}
	}
	return f, nil
}

// span returns the left and right edge of the bar of series i in group k.
func (b Bars) span(p projection, i, k int) (left, right vg.Length) {
	width := groupWidth / float64(len(b.Series))
	from := float64(k) - groupWidth/2 + float64(i)*width
	gap := min(1, 0.06*(p.atX(from+width)-p.atX(from)))
	return p.atX(from) + gap, p.atX(from+width) - gap
}

// each calls f for every bar with its rectangle and its error bar, if any.
func (b Bars) each(p projection, f func(series int, r vg.Rectangle, errorBar []vg.Point)) {
	for i, s := range b.Series {
		for k, bar := range s.Bars {
			if bar.Missing {
				continue
			}
			left, right := b.span(p, i, k)
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
		styles[i].Hatch.fill(c, r, styles[i].Color)
		if errorBar != nil {
			// A white edge keeps the error bar visible on its own bar.
			side := vg.Point{X: min(capWidth, 0.3*(r.Max.X-r.Min.X))}
			drawBar(c, draw.LineStyle{Color: white, Width: barWidth + 1.2}, errorBar, side)
			drawBar(c, draw.LineStyle{Color: darkGrey, Width: barWidth}, errorBar, side)
		}
	})
	c.StrokeLine2(draw.LineStyle{Color: darkGrey, Width: 0.7}, p.area.Min.X, p.atY(0), p.area.Max.X, p.atY(0))
}
