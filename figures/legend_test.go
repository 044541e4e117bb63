package figures

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

// nearest returns the distance of a point from a rectangle, 0 inside.
func nearest(p vg.Point, r vg.Rectangle) float64 {
	return math.Hypot(
		float64(max(r.Min.X-p.X, 0, p.X-r.Max.X)),
		float64(max(r.Min.Y-p.Y, 0, p.Y-r.Max.Y)))
}

// drawnChart makes a chart with random points in the part of the unit square
// that free does not cover.
func drawnChart(t *rapid.T, free func(x, y float64) bool) Chart {
	c := Chart{Title: "random", X: Axis{Label: "x", Min: new(0.0), Max: new(1.0)}, Y: Axis{Label: "y", Min: new(0.0), Max: new(1.0)}}
	for i := range rapid.IntRange(1, 6).Draw(t, "series") {
		s := Series{Name: fmt.Sprint("series ", i), Marker: true}
		for range rapid.IntRange(1, 30).Draw(t, "points") {
			p := Point{X: rapid.Float64Range(0, 1).Draw(t, "x"), Y: rapid.Float64Range(0, 1).Draw(t, "y")}
			if free == nil || !free(p.X, p.Y) {
				s.Points = append(s.Points, p)
			}
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// Wherever the legend goes, it lies on the page and on no point or line.
func TestLegendCoversNoData(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawnChart(t, nil)
		for i := range c.Series {
			c.Series[i].Line = rapid.Bool().Draw(t, "line")
		}
		f, err := c.frame()
		if err != nil {
			t.Fatal(err)
		}
		l := f.arrange()
		at := func(p Point) vg.Point { // by hand: the axes run from 0 to 1
			size := l.area.Size()
			return vg.Point{X: l.area.Min.X + vg.Length(p.X)*size.X, Y: l.area.Min.Y + vg.Length(p.Y)*size.Y}
		}
		if !inside(l.legendAt, rectangle(0, 0, l.w, l.h)) {
			t.Fatalf("the legend %v leaves the page %v x %v", l.legendAt, l.w, l.h)
		}
		if !l.inside && overlap(l.legendAt, l.area) {
			t.Fatalf("the legend %v should lie outside the area %v", l.legendAt, l.area)
		}
		for _, s := range c.Series {
			for k, p := range s.Points {
				if d := nearest(at(p), l.legendAt); d < float64(c.radius()) {
					t.Fatalf("point %v is %.1f from the legend", p, d)
				}
				if s.Line && k > 0 {
					for i := range 101 {
						q := between(at(s.Points[k-1]), at(p), vg.Length(i)/100)
						if nearest(q, l.legendAt) == 0 {
							t.Fatalf("the line to point %v runs through the legend", p)
						}
					}
				}
			}
		}
	})
}

// Nor does it lie on a band, not even in the middle of a wide one.
func TestLegendCoversNoBand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Series{Name: "band", Band: true}
		for i := range rapid.IntRange(2, 8).Draw(t, "points") {
			lo := rapid.Float64Range(0, 1).Draw(t, "lo")
			s.Points = append(s.Points, Point{X: float64(i), Y: lo, YLo: lo, YHi: rapid.Float64Range(lo, 1).Draw(t, "hi")})
		}
		f, err := Chart{Y: Axis{Min: new(0.0), Max: new(1.0)}, Series: []Series{s}}.frame()
		if err != nil {
			t.Fatal(err)
		}
		l := f.arrange()
		for k := 1; k < len(s.Points); k++ {
			a, b := s.Points[k-1], s.Points[k]
			for i := range 31 {
				across := float64(i) / 30
				for j := range 11 {
					up := float64(j) / 10
					x := a.X + across*(b.X-a.X)
					y := (1-across)*(a.YLo+up*(a.YHi-a.YLo)) + across*(b.YLo+up*(b.YHi-b.YLo))
					if nearest(l.at(x, y), l.legendAt) == 0 {
						t.Fatalf("the legend %v lies on the band at %v, %v", l.legendAt, x, y)
					}
				}
			}
		}
	})
}

// With a quarter of the area free the legend of a few short names lies inside,
// in that quarter.
func TestLegendFindsTheFreeCorner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		right, high := rapid.Bool().Draw(t, "right"), rapid.Bool().Draw(t, "high")
		c := drawnChart(t, func(x, y float64) bool { return (x > 0.5) == right && (y > 0.5) == high })
		// Something in each other quarter, where the legend might go else.
		for i := range 25 {
			for k := range 25 {
				x, y := float64(i)/24, float64(k)/24
				if (x > 0.5) != right || (y > 0.5) != high {
					c.Series[0].Points = append(c.Series[0].Points, Point{X: x, Y: y})
				}
			}
		}
		f, err := c.frame()
		if err != nil {
			t.Fatal(err)
		}
		l := f.arrange()
		middle := vg.Point{X: (l.area.Min.X + l.area.Max.X) / 2, Y: (l.area.Min.Y + l.area.Max.Y) / 2}
		if !l.inside {
			t.Fatal("the legend is not inside")
		}
		if (l.legendAt.Min.X > middle.X) != right || (l.legendAt.Min.Y > middle.Y) != high {
			t.Fatalf("the legend %v is not in the free quarter of %v", l.legendAt, l.area)
		}
	})
}

func TestLegendGoesOutside(t *testing.T) {
	full := func(names ...string) layout {
		c := Chart{Title: "full"}
		for _, name := range names {
			s := Series{Name: name}
			for i := range 20 {
				for k := range 20 {
					s.Points = append(s.Points, Point{X: float64(i), Y: float64(k)})
				}
			}
			c.Series = append(c.Series, s)
		}
		f, err := c.frame()
		if err != nil {
			t.Fatal(err)
		}
		return f.arrange()
	}
	if l := full("a", "b", "c"); l.inside || l.legendAt.Min.X < l.area.Max.X {
		t.Errorf("a narrow legend at %v should be right of %v", l.legendAt, l.area)
	}
	l := full(longName, "b", unbroken)
	if l.inside || l.legendAt.Max.Y > l.area.Min.Y {
		t.Errorf("a wide legend at %v should be below %v", l.legendAt, l.area)
	}
	plain := full("")
	if got, want := l.area.Size().Y, plain.area.Size().Y; got != want {
		t.Errorf("the legend below leaves %v for the data, want %v", got, want)
	}
	names := make([]string, 40)
	for i := range names {
		names[i] = fmt.Sprint("series ", i)
	}
	if l := full(names...); l.inside || l.legend.rows == len(names) || l.legendAt.Max.Y > l.area.Min.Y {
		t.Errorf("a long legend should be below, in columns: %d rows at %v", l.legend.rows, l.legendAt)
	}
}

func TestEveryLegendEntryIsDrawnOnce(t *testing.T) {
	for n := 1; n <= 25; n++ {
		var entries []entry
		for i := range n {
			entries = append(entries, entry{name: fmt.Sprint("name ", i)})
		}
		for columns := 1; columns <= n; columns++ {
			l := setLegend(entries, columns, 0)
			seen := map[[2]int]bool{}
			for i := range entries {
				place := [2]int{i / l.rows, i % l.rows}
				if seen[place] || place[0] >= len(l.left) || place[1] >= len(l.top) {
					t.Fatalf("%d entries in %d columns: entry %d has no place of its own", n, columns, i)
				}
				seen[place] = true
			}
		}
	}
}
