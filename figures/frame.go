package figures

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The measures of a picture, in points. A picture is as wide as a column and a
// half of a paper; what does not fit makes it higher, never wider, and never
// makes the area of the data smaller.
const (
	pageWidth  = 400
	margin     = 6
	titleGap   = 7
	tickLength = 3
	tickGap    = 2.5 // between a tick and its label
	nameGap    = 4   // between tick labels and the title of the axis
	nameWidth  = 100 // of names beside the vertical axis
	legendGap  = 4
)

// guide is an axis of a frame: a scale with either numbers or names along it.
type guide struct {
	scale
	title string
	names []name
}

// name is a name at a place of a scale.
type name struct {
	text string
	at   float64
	bold bool
}

// mark is a tick that has been placed.
type mark struct {
	at    vg.Length // along the axis, 0 to 1
	label block     // no lines: a minor tick
	named bool      // of a name: neither tick nor grid line
}

// note is a text beside something; the first free anchor is taken. Where that
// is not close to the point it belongs to, a thin line leads there.
type note struct {
	block
	anchors []anchor
	point   *vg.Point // nil: never such a line
}

// frame is a picture with two axes, laid out before it is drawn.
type frame struct {
	title  string
	x, y   guide
	height vg.Length // of the area of the data
	legend []entry
	aside  bool // the legend is never put inside
	cover  func(projection) *cover
	marks  func(draw.Canvas, projection)
	notes  func(projection) []note
}

// projection maps numbers to points of the picture.
type projection struct {
	area vg.Rectangle
	x, y scale
}

func (p projection) at(x, y float64) vg.Point { return vg.Point{X: p.atX(x), Y: p.atY(y)} }

func (p projection) atX(x float64) vg.Length {
	return p.area.Min.X + p.x.at(x)*(p.area.Max.X-p.area.Min.X)
}

func (p projection) atY(y float64) vg.Length {
	return p.area.Min.Y + p.y.at(y)*(p.area.Max.Y-p.area.Min.Y)
}

// layout is a frame with a place for everything.
type layout struct {
	projection
	w, h           vg.Length
	title          block
	xTitle, yTitle block
	xMarks, yMarks []mark
	legend         legend
	legendAt       vg.Rectangle
	inside         bool // the legend lies in the area of the data
	notes          []placedNote
}

// placedNote is a note at its place.
type placedNote struct {
	note
	anchor
}

// arrange finds a place for everything: for the legend one inside where it
// covers no data, else one to the right if it is narrow, else below.
func (f frame) arrange() layout {
	l := f.place(0, 0)
	taken := f.cover(l.projection)
	if len(f.legend) > 0 {
		in, at, ok := legend{}, vg.Rectangle{}, false
		if !f.aside {
			in, at, ok = inset(f.legend, l.area, taken)
		}
		side := setLegend(f.legend, 1, 0)
		switch {
		case ok:
			l.legend, l.legendAt, l.inside = in, at, true
		case !f.aside && side.h <= f.height && side.w <= 0.3*pageWidth:
			l = f.place(side.w+legendGap, 0)
			taken = f.cover(l.projection)
			x := l.w - margin - side.w
			l.legend, l.legendAt = side, rectangle(x, l.area.Max.Y-side.h, x+side.w, l.area.Max.Y)
		default:
			wide := setWide(f.legend, pageWidth-2*margin)
			l = f.place(0, wide.h)
			taken = f.cover(l.projection)
			x := (l.area.Min.X+l.area.Max.X)/2 - wide.w/2
			x = max(margin, min(x, l.w-margin-wide.w))
			l.legend, l.legendAt = wide, rectangle(x, margin, x+wide.w, margin+wide.h)
		}
	}
	if f.notes != nil {
		l.placeNotes(f.notes(l.projection), taken)
	}
	return l
}

// place lays out everything but the legend and the notes, for which it leaves
// room at the right and below.
func (f frame) place(right, below vg.Length) layout {
	l := layout{w: pageWidth}
	l.title = titleText.set(f.title, pageWidth-2*margin)
	l.yTitle = labelText.set(f.y.title, f.height)
	l.yMarks = f.y.vertical(f.height)
	left := vg.Length(margin)
	if l.yTitle.h > 0 {
		left += l.yTitle.h + nameGap
	}
	widest := vg.Length(0)
	for _, m := range l.yMarks {
		widest = max(widest, m.label.w)
	}
	left += widest + tickGap + tickLength
	right += margin

	// The outer labels of the horizontal axis may stick out; what they need is
	// known only once they are placed, and placing depends on it.
	for range 3 {
		width := pageWidth - left - right
		l.xMarks = f.x.horizontal(width)
		over := vg.Length(0)
		for _, m := range l.xMarks {
			left = max(left, margin+m.label.w/2-m.at*width)
			over = max(over, m.label.w/2-(1-m.at)*width)
		}
		if over <= right-margin {
			break
		}
		right = over + margin
	}
	width := pageWidth - left - right
	l.xTitle = labelText.set(f.x.title, width)
	bottom := margin + below + tickLength + tickGap
	if below > 0 {
		bottom += legendGap
	}
	highest := vg.Length(0)
	for _, m := range l.xMarks {
		highest = max(highest, m.label.h)
	}
	bottom += highest
	if l.xTitle.h > 0 {
		bottom += l.xTitle.h + nameGap
	}
	top := vg.Length(margin)
	if l.title.h > 0 {
		top += l.title.h + titleGap
	}
	l.h = bottom + f.height + top
	l.projection = projection{rectangle(left, bottom, left+width, bottom+f.height), f.x.scale, f.y.scale}
	return l
}

// vertical returns the marks of a vertical axis of the given length.
func (g guide) vertical(length vg.Length) []mark {
	if g.names != nil {
		return g.named(nameWidth)
	}
	target := int(length/36) + 1
	for {
		marks := g.numbered(target)
		if target <= minTicks || apart(marks, length, func(b block) vg.Length { return b.h }) {
			return marks
		}
		target--
	}
}

// horizontal returns the marks of a horizontal axis of the given length.
func (g guide) horizontal(length vg.Length) []mark {
	if g.names != nil {
		// Names stand at distance 1; a letter always fits.
		return g.named(max(8, length/vg.Length(g.hi-g.lo)-4))
	}
	target := int(length/50) + 1
	for {
		marks := g.numbered(target)
		if target <= minTicks || apart(marks, length, func(b block) vg.Length { return b.w + 6 }) {
			return marks
		}
		target--
	}
}

func (g guide) numbered(target int) []mark {
	var marks []mark
	for _, t := range g.ticks(min(target, maxTicks)) {
		marks = append(marks, mark{at: g.at(t.Value), label: tickText.set(t.Label, 0)})
	}
	return marks
}

func (g guide) named(limit vg.Length) []mark {
	var marks []mark
	for _, n := range g.names {
		text := tickText
		text.bold = n.bold
		marks = append(marks, mark{at: g.at(n.at), label: text.set(n.text, limit), named: true})
	}
	return marks
}

// apart reports whether no label touches its neighbour.
func apart(marks []mark, length vg.Length, extent func(block) vg.Length) bool {
	end := vg.Length(math.Inf(-1))
	for _, m := range marks {
		if m.label.lines == nil {
			continue
		}
		half := extent(m.label) / 2
		if m.at*length-half < end {
			return false
		}
		end = m.at*length + half
	}
	return true
}

// placeNotes gives every note the first of its anchors where it covers
// nothing, else the one where it does least harm: a text over a text is worse
// than one over a line.
func (l *layout) placeNotes(notes []note, taken *cover) {
	texts := &cover{}
	if l.inside {
		texts.boxes = append(texts.boxes, l.legendAt)
	}
	for _, n := range notes {
		var best placedNote
		least := math.MaxInt
		for _, a := range n.anchors {
			p := placedNote{n, a}
			box := p.box(a)
			harm := taken.hits(box) + 20*texts.hits(box)
			if !inside(box, l.area) {
				harm += 1000
			}
			if line, ok := p.leader(); ok {
				for _, b := range slices.Concat(taken.boxes, texts.boxes) {
					if crosses(line, b) && !overlap(b, rectangle(n.point.X-1, n.point.Y-1, n.point.X+1, n.point.Y+1)) {
						harm += 5
					}
				}
			}
			if harm < least {
				best, least = p, harm
			}
		}
		l.notes = append(l.notes, best)
		texts.boxes = append(texts.boxes, best.box(best.anchor))
	}
}

// leader returns the line from the note's point to the note, if it needs one.
func (n placedNote) leader() (line [2]vg.Point, ok bool) {
	if n.point == nil {
		return line, false
	}
	box := n.box(n.anchor)
	end := vg.Point{
		X: min(max(n.point.X, box.Min.X), box.Max.X),
		Y: min(max(n.point.Y, box.Min.Y), box.Max.Y),
	}
	d := end.Sub(*n.point)
	const close, clear = 10, 4 // no line for less; room around the point
	far := math.Hypot(float64(d.X), float64(d.Y))
	return [2]vg.Point{between(*n.point, end, clear/vg.Length(far)), end}, far > close
}

// draw draws the note on a veil that dims the grid below it.
func (n placedNote) draw(c draw.Canvas) {
	if line, ok := n.leader(); ok {
		c.StrokeLines(draw.LineStyle{Color: midGrey, Width: 0.4}, line[:])
	}
	c.SetColor(veil)
	c.Fill(n.box(n.anchor).Path())
	n.block.draw(c, n.anchor)
}

// sheet lays the frame out, once for all formats.
func (f frame) sheet() sheet {
	l := f.arrange()
	return sheet{l.w, l.h, func(c draw.Canvas) { f.draw(c, l) }}
}

func (f frame) draw(c draw.Canvas, l layout) {
	l.drawGrid(c)
	l.drawAxes(c)
	f.marks(c, l.projection)
	for _, n := range l.notes {
		n.draw(c)
	}
	if len(l.legend.entries) > 0 {
		if l.inside {
			c.SetColor(white)
			c.Fill(l.legendAt.Path())
			c.SetLineStyle(draw.LineStyle{Color: lightGrey, Width: 0.5})
			c.Stroke(l.legendAt.Path())
		}
		l.legend.draw(c, vg.Point{X: l.legendAt.Min.X, Y: l.legendAt.Max.Y})
	}
}

func (l layout) drawGrid(c draw.Canvas) {
	line := draw.LineStyle{Color: paleGrey, Width: 0.5}
	a := l.area
	for _, m := range l.xMarks {
		if m.label.lines != nil && !m.named {
			x := a.Min.X + m.at*(a.Max.X-a.Min.X)
			c.StrokeLine2(line, x, a.Min.Y, x, a.Max.Y)
		}
	}
	for _, m := range l.yMarks {
		if m.label.lines != nil && !m.named {
			y := a.Min.Y + m.at*(a.Max.Y-a.Min.Y)
			c.StrokeLine2(line, a.Min.X, y, a.Max.X, y)
		}
	}
}

func (l layout) drawAxes(c draw.Canvas) {
	a := l.area
	line := draw.LineStyle{Color: darkGrey, Width: 0.7}
	c.StrokeLines(line, []vg.Point{{X: a.Min.X, Y: a.Max.Y}, a.Min, {X: a.Max.X, Y: a.Min.Y}})
	long := func(m mark) vg.Length {
		switch {
		case m.named:
			return 0
		case m.label.lines == nil:
			return tickLength * 0.6
		}
		return tickLength
	}
	for _, m := range l.xMarks {
		x := a.Min.X + m.at*(a.Max.X-a.Min.X)
		c.StrokeLine2(line, x, a.Min.Y, x, a.Min.Y-long(m))
		m.label.draw(c, anchor{vg.Point{X: x, Y: a.Min.Y - tickLength - tickGap}, 0.5, 1})
	}
	for _, m := range l.yMarks {
		y := a.Min.Y + m.at*(a.Max.Y-a.Min.Y)
		c.StrokeLine2(line, a.Min.X, y, a.Min.X-long(m), y)
		m.label.draw(c, anchor{vg.Point{X: a.Min.X - tickLength - tickGap, Y: y}, 1, 0.5})
	}
	highest := vg.Length(0)
	for _, m := range l.xMarks {
		highest = max(highest, m.label.h)
	}
	middle := vg.Point{X: (a.Min.X + a.Max.X) / 2, Y: (a.Min.Y + a.Max.Y) / 2}
	l.xTitle.draw(c, anchor{vg.Point{X: middle.X, Y: a.Min.Y - tickLength - tickGap - highest - nameGap}, 0.5, 1})
	l.yTitle.drawUpwards(c, vg.Point{X: margin + l.yTitle.h/2, Y: middle.Y})
	l.title.draw(c, anchor{vg.Point{X: l.w / 2, Y: l.h - margin}, 0.5, 1})
}
