package figures

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// entry is one line of a legend: a name and a function that draws a sample of
// what has that name into a rectangle.
type entry struct {
	name   string
	narrow bool // the sample is a marker, which needs little room
	sample func(c draw.Canvas, r vg.Rectangle)
}

// The measures of a legend.
const (
	wideSample   = 20
	narrowSample = 8
	sampleGap    = 5  // between sample and name
	columnGap    = 12 // between columns
	rowGap       = 3
	legendPad    = 5 // between the entries and the legend's border
	legendInset  = 5 // between the border and the frame
)

var legendText = lettering{size: 8, color: black}

// legend is a legend whose lines have been broken and put into columns, filled
// one after the other.
type legend struct {
	entries []entry
	names   []block
	rows    int
	sample  vg.Length   // width of all samples
	left    []vg.Length // of every column
	top     []vg.Length // of every row, counted downwards
	w, h    vg.Length
}

// setLegend sets the entries in the given number of columns, every name no
// wider than limit; 0 means no limit.
func setLegend(entries []entry, columns int, limit vg.Length) legend {
	l := legend{entries: entries, rows: (len(entries) + columns - 1) / columns, sample: narrowSample}
	heights := make([]vg.Length, l.rows)
	var widths []vg.Length
	for i, e := range entries {
		if !e.narrow {
			l.sample = wideSample
		}
		b := legendText.set(e.name, limit)
		l.names = append(l.names, b)
		if i%l.rows == 0 {
			widths = append(widths, 0)
		}
		column := len(widths) - 1
		widths[column] = max(widths[column], b.w)
		heights[i%l.rows] = max(heights[i%l.rows], b.h)
	}
	l.w, l.h = legendPad, legendPad
	for i, w := range widths {
		if i > 0 {
			l.w += columnGap
		}
		l.left = append(l.left, l.w)
		l.w += l.sample + sampleGap + w
	}
	for i, h := range heights {
		if i > 0 {
			l.h += rowGap
		}
		l.top = append(l.top, l.h)
		l.h += h
	}
	l.w += legendPad
	l.h += legendPad
	return l
}

// setWide sets the entries in as few rows as fit into the width.
func setWide(entries []entry, width vg.Length) legend {
	for columns := len(entries); columns > 1; columns-- {
		if l := setLegend(entries, columns, 0); l.w <= width {
			// As many columns as those rows need.
			return setLegend(entries, (len(entries)+l.rows-1)/l.rows, 0)
		}
	}
	return setLegend(entries, 1, width-wideSample-sampleGap-2*legendPad)
}

// draw draws the legend with its upper left corner at pt.
func (l legend) draw(c draw.Canvas, pt vg.Point) {
	for i, e := range l.entries {
		name := l.names[i]
		x, y := pt.X+l.left[i/l.rows], pt.Y-l.top[i%l.rows]
		// The sample stands beside the first line of the name.
		height := name.size * (ascent + descent)
		e.sample(c, rectangle(x, y-height, x+l.sample, y))
		name.draw(c, anchor{vg.Point{X: x + l.sample + sampleGap, Y: y}, 0, 1})
	}
}

// inset looks for a place inside area where a legend covers nothing, nor
// touches it: corners before the middles of the sides, one column before
// several. It returns the legend and its rectangle.
func inset(entries []entry, area vg.Rectangle, taken *cover) (l legend, at vg.Rectangle, ok bool) {
	size := area.Size()
	for columns := 1; columns <= min(3, len(entries)); columns++ {
		l := setLegend(entries, columns, 0.4*size.X)
		if l.w > 0.7*size.X || l.h > 0.7*size.Y {
			continue
		}
		left, right := area.Min.X+legendInset, area.Max.X-legendInset-l.w
		low, high := area.Min.Y+legendInset, area.Max.Y-legendInset-l.h
		for _, p := range []vg.Point{
			{X: right, Y: high}, {X: left, Y: high}, {X: right, Y: low}, {X: left, Y: low},
			{X: (left + right) / 2, Y: high}, {X: (left + right) / 2, Y: low},
			{X: right, Y: (low + high) / 2}, {X: left, Y: (low + high) / 2},
		} {
			at := rectangle(p.X, p.Y, p.X+l.w, p.Y+l.h)
			if taken.hits(grown(at, 2)) == 0 {
				return l, at, true
			}
		}
	}
	return legend{}, vg.Rectangle{}, false
}
