package figures

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Gantt is a picture of what ran when, and the data of that picture: a lane
// for every stage and in it a row for every instance.
type Gantt struct {
	Title    string
	Spans    []Span
	Lanes    []string // from the top down; empty: in the order in which Spans have them
	Critical []string // lanes on the critical path, which are marked
}

// Span is a piece of time that one instance of a stage spent on one thing.
type Span struct {
	Lane       string  // the stage
	Row        int     // the instance, from 0
	Kind       string  // one of the Kind constants
	Start, End float64 // s
}

// The kinds of a Span, in the order in which an instance goes through them.
const (
	KindWait    = "wait"
	KindCold    = "cold"
	KindRead    = "read"
	KindCompute = "compute"
	KindWrite   = "write"
)

// kinds is the order of the legend. The colours differ in lightness, so that
// the picture reads in grey.
var kinds = []struct {
	name  string
	color color.NRGBA
}{
	{KindWait, lightGrey},
	{KindCold, orange},
	{KindRead, green},
	{KindCompute, blue},
	{KindWrite, black},
}

func kindColor(name string) (color.NRGBA, bool) {
	for _, k := range kinds {
		if k.name == name {
			return k.color, true
		}
	}
	return color.NRGBA{}, false
}

// The measures of a Gantt chart, in points. Rows share the height that lanes
// leave, as far as they stay as high and as thin as this.
const (
	rowHeight     = 9
	rowsHeight    = 380 // of all rows together, at most
	thinnestRow   = 0.6
	laneGap       = 7
	mostRows      = 10_000
	criticalReach = 2 // of the mark of a critical lane beyond its rows
)

// lane is a lane with its place, counted downwards from the top.
type lane struct {
	name       string
	rows       int
	top        vg.Length
	height     vg.Length
	row        vg.Length // height of a row
	first      vg.Length // top of the first row
	start, end float64   // of its spans
	critical   bool
}

// lanes checks the spans and lays the lanes out.
func (g Gantt) lanes() ([]lane, error) {
	var errs []error
	var lanes []lane
	at := map[string]int{}
	add := func(name string) int {
		i, ok := at[name]
		if !ok {
			i = len(lanes)
			at[name] = i
			lanes = append(lanes, lane{name: name})
		}
		return i
	}
	for i, name := range g.Lanes {
		if _, twice := at[name]; twice {
			errs = append(errs, fmt.Errorf("lane %d (%q) is listed twice", i, name))
		}
		add(name)
	}
	for i, s := range g.Spans {
		k, known := at[s.Lane]
		switch {
		case !known && len(g.Lanes) > 0:
			errs = append(errs, fmt.Errorf("span %d: lane %q is not one of the lanes %q", i, s.Lane, g.Lanes))
			continue
		case !known:
			k = add(s.Lane)
		}
		if err := s.check(); err != nil {
			errs = append(errs, fmt.Errorf("span %d (lane %q): %w", i, s.Lane, err))
			continue
		}
		l := &lanes[k]
		if l.rows == 0 {
			l.start, l.end = s.Start, s.End
		}
		l.rows = max(l.rows, s.Row+1)
		l.start, l.end = min(l.start, s.Start), max(l.end, s.End)
	}
	for _, name := range g.Critical {
		k, known := at[name]
		if !known {
			errs = append(errs, fmt.Errorf("critical lane %q does not exist", name))
			continue
		}
		lanes[k].critical = true
	}
	const shown = 5
	if len(errs) > shown {
		errs = append(errs[:shown], fmt.Errorf("and %d more defects", len(errs)-shown))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return lanes, placeLanes(lanes)
}

// placeLanes gives every lane its place and its rows their height.
func placeLanes(lanes []lane) error {
	rows := 0
	for _, l := range lanes {
		rows += max(1, l.rows)
	}
	if rows > mostRows {
		return fmt.Errorf("%d rows are more than a picture can show; draw some of the instances, at most %d", rows, mostRows)
	}
	row := min(rowHeight, max(thinnestRow, rowsHeight/vg.Length(rows)))
	top := vg.Length(laneGap)
	for i := range lanes {
		l := &lanes[i]
		l.row, l.top = row, top
		text := tickText
		text.bold = l.critical
		l.height = max(text.set(l.name, nameWidth).h, row*vg.Length(max(1, l.rows)))
		// A lane whose name is higher than its rows spreads them, and has them
		// in its middle if they are as high as rows get.
		l.row = min(rowHeight, l.height/vg.Length(max(1, l.rows)))
		l.first = top + (l.height-l.row*vg.Length(l.rows))/2
		top += l.height + laneGap
	}
	return nil
}

func (s Span) check() error {
	for _, n := range []struct {
		name  string
		value float64
	}{{"start", s.Start}, {"end", s.End}} {
		if err := checkNumber(n.value, false); err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
	}
	_, known := kindColor(s.Kind)
	switch {
	case s.End < s.Start:
		return fmt.Errorf("ends at %v s, before it starts at %v s", s.End, s.Start)
	case !known:
		return fmt.Errorf("unknown kind %q; there are wait, cold, read, compute and write", s.Kind)
	case s.Row < 0 || s.Row >= mostRows:
		return fmt.Errorf("row %d is not between 0 and %d", s.Row, mostRows-1)
	}
	return nil
}

func (g Gantt) formats(r Resolution) ([]format, error) { return formatsOf(g, r) }

// WriteCSV writes one row per span: lane, row, kind, start and end in seconds
// and whether the lane is on the critical path. Every number reads back as the
// same float64.
func (g Gantt) WriteCSV(w io.Writer) error {
	rows := [][]string{{"lane", "row", "kind", "start_s", "end_s", "critical"}}
	for _, s := range g.Spans {
		rows = append(rows, []string{s.Lane, strconv.Itoa(s.Row), s.Kind, exact(s.Start), exact(s.End),
			strconv.FormatBool(slices.Contains(g.Critical, s.Lane))})
	}
	return writeRows(w, rows)
}

func (g Gantt) frame() (frame, error) {
	lanes, err := g.lanes()
	if err != nil {
		return frame{}, err
	}
	var times []float64
	for _, s := range g.Spans {
		times = append(times, s.Start, s.End)
	}
	x, err := Axis{Label: "time", Unit: "s", IncludeZero: true}.scale(times)
	if err != nil {
		return frame{}, fmt.Errorf("time axis: %w", err)
	}
	height := vg.Length(60) // of an empty chart
	if n := len(lanes); n > 0 {
		height = lanes[n-1].top + lanes[n-1].height + laneGap
	}
	y := guide{scale: scale{lo: 0, hi: float64(height)}, names: []name{}}
	for _, l := range lanes {
		y.names = append(y.names, name{text: l.name, at: float64(height - l.top - l.height/2), bold: l.critical})
	}
	return frame{
		title:  g.Title,
		x:      guide{scale: x, title: "time (s)"},
		y:      y,
		height: height,
		legend: g.legend(),
		aside:  true,
		cover:  func(projection) *cover { return &cover{} },
		marks:  func(c draw.Canvas, p projection) { g.draw(c, p, lanes) },
	}, nil
}

// legend lists the kinds that occur.
func (g Gantt) legend() []entry {
	var entries []entry
	for _, k := range kinds {
		if slices.ContainsFunc(g.Spans, func(s Span) bool { return s.Kind == k.name }) {
			entries = append(entries, entry{k.name, false, func(c draw.Canvas, r vg.Rectangle) {
				c.SetColor(k.color)
				c.Fill(rectangle(r.Min.X+2, r.Min.Y+1, r.Max.X-2, r.Max.Y-1).Path())
			}})
		}
	}
	if len(g.Critical) > 0 {
		entries = append(entries, entry{"critical path", false, func(c draw.Canvas, r vg.Rectangle) {
			drawCritical(c, rectangle(r.Min.X+2, r.Min.Y+1, r.Max.X-2, r.Max.Y-1))
		}})
	}
	return entries
}

func drawCritical(c draw.Canvas, r vg.Rectangle) {
	c.SetLineStyle(draw.LineStyle{Color: vermilion, Width: 1.1})
	c.Stroke(r.Path())
}

func (g Gantt) draw(c draw.Canvas, p projection, lanes []lane) {
	at := map[string]lane{}
	for i, l := range lanes {
		at[l.name] = l
		if i > 0 {
			y := p.area.Max.Y - l.top + laneGap/2
			c.StrokeLine2(draw.LineStyle{Color: paleGrey, Width: 0.5}, p.area.Min.X, y, p.area.Max.X, y)
		}
	}
	for _, s := range g.Spans {
		l := at[s.Lane]
		// Thin rows touch each other; higher ones leave a little room.
		inset := max(0, min(1, l.row*0.12-0.1))
		low := p.area.Max.Y - l.first - l.row*vg.Length(s.Row+1)
		fill, _ := kindColor(s.Kind)
		c.SetColor(fill)
		c.Fill(rectangle(p.atX(s.Start), low+inset, p.atX(s.End), low+l.row-inset).Path())
	}
	for _, l := range lanes {
		if l.critical && l.rows > 0 {
			top := p.area.Max.Y - l.first
			bottom := top - l.row*vg.Length(l.rows)
			drawCritical(c, grown(rectangle(p.atX(l.start), bottom, p.atX(l.end), top), criticalReach))
		}
	}
}
