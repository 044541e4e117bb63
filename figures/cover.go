package figures

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// cover is the part of a picture that something has been drawn on, so that
// texts and the legend can keep off it.
type cover struct {
	boxes    []vg.Rectangle
	segments [][2]vg.Point
}

// point adds the surroundings of a point.
func (c *cover) point(p vg.Point, radius vg.Length) {
	c.boxes = append(c.boxes, vg.Rectangle{
		Min: vg.Point{X: p.X - radius, Y: p.Y - radius},
		Max: vg.Point{X: p.X + radius, Y: p.Y + radius},
	})
}

// line adds the segments between successive points.
func (c *cover) line(points ...vg.Point) {
	for i := 1; i < len(points); i++ {
		c.segments = append(c.segments, [2]vg.Point{points[i-1], points[i]})
	}
}

// strip adds the area between two lines over the same places.
func (c *cover) strip(low, high []vg.Point) {
	const grain = 3
	for i := range low {
		c.line(low[i], high[i])
		if i == 0 {
			continue
		}
		n := math.Ceil(math.Abs(float64(low[i].X-low[i-1].X)) / grain)
		for k := 1.0; k < n; k++ {
			t := vg.Length(k / n)
			c.line(between(low[i-1], low[i], t), between(high[i-1], high[i], t))
		}
	}
	c.line(low...)
	c.line(high...)
}

// between returns the point at t of the way from p to q.
func between(p, q vg.Point, t vg.Length) vg.Point {
	return p.Add(q.Sub(p).Scale(t))
}

// hits counts what r would cover.
func (c *cover) hits(r vg.Rectangle) int {
	n := 0
	for _, b := range c.boxes {
		if overlap(b, r) {
			n++
		}
	}
	for _, s := range c.segments {
		if crosses(s, r) {
			n++
		}
	}
	return n
}

func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

// inside reports whether r lies within area.
func inside(r, area vg.Rectangle) bool {
	return area.Min.X <= r.Min.X && r.Max.X <= area.Max.X && area.Min.Y <= r.Min.Y && r.Max.Y <= area.Max.Y
}

// crosses reports whether a part of the segment lies in r: it clips the
// segment's parameter range at the four sides (Liang and Barsky 1984).
func crosses(s [2]vg.Point, r vg.Rectangle) bool {
	from, to := vg.Length(0), vg.Length(1)
	d := s[1].Sub(s[0])
	for _, side := range [4]struct{ slope, room vg.Length }{
		{-d.X, s[0].X - r.Min.X},
		{d.X, r.Max.X - s[0].X},
		{-d.Y, s[0].Y - r.Min.Y},
		{d.Y, r.Max.Y - s[0].Y},
	} {
		switch {
		case side.slope == 0 && side.room < 0:
			return false
		case side.slope < 0:
			from = max(from, side.room/side.slope)
		case side.slope > 0:
			to = min(to, side.room/side.slope)
		}
	}
	return from <= to
}

// grown returns r, larger by d on every side.
func grown(r vg.Rectangle, d vg.Length) vg.Rectangle {
	return vg.Rectangle{
		Min: vg.Point{X: r.Min.X - d, Y: r.Min.Y - d},
		Max: vg.Point{X: r.Max.X + d, Y: r.Max.Y + d},
	}
}

// rectangle returns the rectangle between two opposite corners.
func rectangle(x0, y0, x1, y1 vg.Length) vg.Rectangle {
	return vg.Rectangle{
		Min: vg.Point{X: min(x0, x1), Y: min(y0, y1)},
		Max: vg.Point{X: max(x0, x1), Y: max(y0, y1)},
	}
}
