package figures

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"eevee/models"
)

// Graph is a drawing of a workflow: a box for every stage and an arrow from
// every parent to its child.
type Graph struct {
	Title    string
	Workflow *models.Workflow
	Notes    []string // second line of every stage, as "8 × 1792 MB", in the workflow's order; empty: none
}

// The measures of a graph, in points.
const (
	boxPadX     = 7
	boxPadY     = 5
	boxText     = 110 // widest text of a box
	boxGap      = 12  // between boxes of a layer
	layerGap    = 30  // between layers, plus steepness of the way across
	steepness   = 0.12
	longestGap  = 90
	bendExtent  = 5
	arrowLength = 5.5
	arrowWidth  = 4.4
	pageHeight  = 540 // of a page that a high graph has to fit on
)

var (
	stageText = lettering{size: 8.5, bold: true, color: black}
	boxFill   = color.NRGBA{0xe9, 0xf2, 0xf8, 0xff}
)

func (g Graph) formats(r Resolution) ([]format, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	return g.plan().sheet().formats(r, g.WriteCSV), nil
}

func (g Graph) check() error {
	switch {
	case g.Workflow == nil:
		return errors.New("the graph has no workflow")
	case len(g.Notes) > 0 && len(g.Notes) != g.Workflow.Len():
		return fmt.Errorf("%d notes for %d stages of workflow %s", len(g.Notes), g.Workflow.Len(), g.Workflow.Name())
	}
	return nil
}

// WriteCSV writes one row per stage: its name, its parents joined by
// semicolons, and its note.
func (g Graph) WriteCSV(w io.Writer) error {
	if err := g.check(); err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	rows := [][]string{{"stage", "after", "note"}}
	for i := range g.Workflow.Len() {
		s := g.Workflow.Stage(i)
		row := []string{s.Name, strings.Join(s.After, ";"), ""}
		if len(g.Notes) > 0 {
			row[2] = g.Notes[i]
		}
		rows = append(rows, row)
	}
	return writeRows(w, rows)
}

// plan is a graph with a place for everything. Places are given along the
// layers and across them, and turned into x and y only at the end: a plan
// runs to the right or down.
type plan struct {
	*layering
	title        block
	names, notes []block
	wide, high   vg.Length   // of a box
	downwards    bool        // layers follow each other downwards
	start        []vg.Length // where every layer begins, along
	thick        vg.Length   // of a layer, along
	across       []vg.Length // middle of every node
	w, h         vg.Length   // of the page
	corner       vg.Point    // upper left corner of the drawing
}

// plan lays the graph out to the right and downwards and takes what has to be
// shrunk less to fit on a page.
func (g Graph) plan() plan {
	parents := make([][]int, g.Workflow.Len())
	for i := range parents {
		parents[i] = g.Workflow.Parents(i)
	}
	p := plan{layering: newLayering(parents), title: titleText.set(g.Title, pageWidth-2*margin)}
	for i := range parents {
		p.names = append(p.names, stageText.set(g.Workflow.Stage(i).Name, boxText))
		note := block{}
		if len(g.Notes) > 0 {
			note = noteText.set(g.Notes[i], boxText)
		}
		p.notes = append(p.notes, note)
		p.wide = max(p.wide, p.names[i].w+2*boxPadX, note.w+2*boxPadX)
		p.high = max(p.high, p.names[i].h+note.h+2*boxPadY)
	}
	right, down := p, p
	down.downwards = true
	right.place()
	down.place()
	fit := func(p plan) vg.Length { return min(1, pageWidth/p.w, pageHeight/p.h) }
	if fit(down) > fit(right) {
		return down
	}
	return right
}

func (p *plan) place() {
	extent := make([]vg.Length, len(p.layer))
	p.thick = p.wide
	side := p.high
	if p.downwards {
		p.thick, side = p.high, p.wide
	}
	for i := range extent {
		extent[i] = bendExtent
		if i < p.stages {
			extent[i] = side
		}
	}
	p.across = p.positions(extent, boxGap)
	breadth := vg.Length(0)
	for i, at := range p.across {
		breadth = max(breadth, at+extent[i]/2)
	}
	// The further an arrow leads to the side, the more room it gets.
	length := vg.Length(0)
	for k, nodes := range p.order {
		p.start = append(p.start, length)
		length += p.thick
		if k == len(p.order)-1 {
			break
		}
		aside := vg.Length(0)
		for _, n := range nodes {
			for _, m := range p.down[n] {
				aside = max(aside, p.across[m]-p.across[n], p.across[n]-p.across[m])
			}
		}
		length += min(longestGap, layerGap+steepness*aside)
	}
	w, h := length, breadth
	if p.downwards {
		w, h = breadth, length
	}
	top := vg.Length(margin)
	if p.title.h > 0 {
		top += p.title.h + titleGap
	}
	p.w, p.h = max(pageWidth, w+2*margin), h+top+margin
	p.corner = vg.Point{X: (p.w - w) / 2, Y: p.h - top}
}

// at turns a place along and across the layers into a point.
func (p plan) at(along, across vg.Length) vg.Point {
	if p.downwards {
		return vg.Point{X: p.corner.X + across, Y: p.corner.Y - along}
	}
	return vg.Point{X: p.corner.X + along, Y: p.corner.Y - across}
}

// box returns the box of a stage.
func (p plan) box(i int) vg.Rectangle {
	c := p.at(p.start[p.layer[i]]+p.thick/2, p.across[i])
	return rectangle(c.X-p.wide/2, c.Y-p.high/2, c.X+p.wide/2, c.Y+p.high/2)
}

// port returns how far from the middle of a box the edge to or from a
// neighbour ends: the edges of one side stand in the order of what they lead
// to.
func (p plan) port(neighbours []int, neighbour int) vg.Length {
	n := len(neighbours)
	sorted := slices.Clone(neighbours)
	slices.SortStableFunc(sorted, func(a, b int) int {
		switch {
		case p.across[a] < p.across[b]:
			return -1
		case p.across[a] > p.across[b]:
			return 1
		}
		return 0
	})
	side := p.high
	if p.downwards {
		side = p.wide
	}
	step := min(8, 0.7*side/vg.Length(n))
	return step * (vg.Length(slices.Index(sorted, neighbour)) - vg.Length(n-1)/2)
}

// curve returns the way of an edge: curves between layers, straight through
// them, its last point at the border of the child's box.
func (p plan) curve(r route) (path vg.Path, end vg.Point) {
	stops := append(append([]int{r.from}, r.bends...), r.to)
	across := p.across[r.from] + p.port(p.down[r.from], stops[1])
	along := p.start[p.layer[r.from]] + p.thick
	path.Move(p.at(along, across))
	for i := 1; i < len(stops); i++ {
		n := stops[i]
		next, to := p.across[n], p.start[p.layer[n]]
		if i == len(stops)-1 {
			next += p.port(p.up[n], stops[i-1])
			end = p.at(to, next)
			to -= arrowLength * 0.8 // the line ends inside the arrowhead
		}
		middle := (along + to) / 2
		path.CubeTo(p.at(middle, across), p.at(middle, next), p.at(to, next))
		across, along = next, to
		if i < len(stops)-1 {
			along += p.thick
			path.Line(p.at(along, across))
		}
	}
	return path, end
}

// arrowhead returns the tip of an arrow that ends at pt.
func (p plan) arrowhead(pt vg.Point) vg.Path {
	back, side := vg.Point{X: -arrowLength}, vg.Point{Y: arrowWidth / 2}
	if p.downwards {
		back, side = vg.Point{Y: arrowLength}, vg.Point{X: arrowWidth / 2}
	}
	var path vg.Path
	path.Move(pt)
	path.Line(pt.Add(back).Add(side))
	path.Line(pt.Add(back).Sub(side))
	path.Close()
	return path
}

func (p plan) sheet() sheet { return sheet{p.w, p.h, p.draw} }

func (p plan) draw(c draw.Canvas) {
	p.title.draw(c, anchor{vg.Point{X: p.w / 2, Y: p.h - margin}, 0.5, 1})
	for _, r := range p.routes {
		path, end := p.curve(r)
		c.SetLineStyle(draw.LineStyle{Color: darkGrey, Width: 0.8})
		c.Stroke(path)
		c.SetColor(darkGrey)
		c.Fill(p.arrowhead(end))
	}
	for i := range p.stages {
		r := p.box(i)
		outline := rounded(r, 3)
		c.SetColor(boxFill)
		c.Fill(outline)
		c.SetLineStyle(draw.LineStyle{Color: blue, Width: 0.9})
		c.Stroke(outline)
		name, note := p.names[i], p.notes[i]
		middle := vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y+r.Max.Y)/2 + (name.h+note.h)/2}
		name.draw(c, anchor{middle, 0.5, 1})
		note.draw(c, anchor{vg.Point{X: middle.X, Y: middle.Y - name.h}, 0.5, 1})
	}
}

// rounded returns a rectangle with rounded corners.
func rounded(r vg.Rectangle, radius vg.Length) vg.Path {
	const kappa = 0.4477 // 1 - 4/3 (sqrt 2 - 1)
	k := radius * kappa
	x0, y0, x1, y1 := r.Min.X, r.Min.Y, r.Max.X, r.Max.Y
	pt := func(x, y vg.Length) vg.Point { return vg.Point{X: x, Y: y} }
	var p vg.Path
	p.Move(pt(x0+radius, y0))
	p.Line(pt(x1-radius, y0))
	p.CubeTo(pt(x1-k, y0), pt(x1, y0+k), pt(x1, y0+radius))
	p.Line(pt(x1, y1-radius))
	p.CubeTo(pt(x1, y1-k), pt(x1-k, y1), pt(x1-radius, y1))
	p.Line(pt(x0+radius, y1))
	p.CubeTo(pt(x0+k, y1), pt(x0, y1-k), pt(x0, y1-radius))
	p.Line(pt(x0, y0+radius))
	p.CubeTo(pt(x0, y0+k), pt(x0+k, y0), pt(x0+radius, y0))
	p.Close()
	return p
}

// SVG returns the graph as an SVG document.
func (g Graph) SVG() ([]byte, error) {
	if err := g.check(); err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	return g.plan().sheet().svg()
}

// PNG returns the graph as a PNG image.
func (g Graph) PNG() ([]byte, error) {
	if err := g.check(); err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	return g.plan().sheet().png(Print)
}
