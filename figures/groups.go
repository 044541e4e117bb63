package figures

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// groups is what pictures of grouped marks share: groups along x, and series with
// one mark in each of them, side by side.
type groups struct {
	title  string
	x      string   // what the groups are
	names  []string // from left to right
	series []string
}

const (
	groupsHeight = 210
	groupWidth   = 0.8 // of the distance between two groups
)

// check returns what is wrong with the series, whose marks are called mark and
// marks: how many series i has, and what is wrong with the one in group k.
func (g groups) check(mark, marks string, count func(i int) int, wrong func(i, k int) error) error {
	var errs []error
	seen := map[string]int{}
	for i, name := range g.series {
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("series %d (%q): "+format, append([]any{i, name}, args...)...))
		}
		if k, twice := seen[name]; twice {
			bad("series %d has the same name", k)
		}
		seen[name] = i
		if count(i) != len(g.names) {
			bad("%d %s for %d groups", count(i), marks, len(g.names))
			continue
		}
		for k, group := range g.names {
			if err := wrong(i, k); err != nil {
				bad("%s %d (%q): %w", mark, k, group, err)
				break
			}
		}
	}
	return errors.Join(errs...)
}

// frame returns the frame without its marks. swatch draws what stands for a
// series in the legend.
func (g groups) frame(y guide, styles []Style, swatch func(c draw.Canvas, r vg.Rectangle, s Style)) frame {
	f := frame{
		title:  g.title,
		x:      guide{scale: scale{lo: -0.5, hi: max(0.5, float64(len(g.names))-0.5)}, title: g.x, names: []name{}},
		y:      y,
		height: groupsHeight,
	}
	for i, group := range g.names {
		f.x.names = append(f.x.names, name{text: group, at: float64(i)})
	}
	for i, name := range g.series {
		if name != "" {
			f.legend = append(f.legend, entry{name, false, func(c draw.Canvas, r vg.Rectangle) {
				swatch(c, rectangle(r.Min.X+2, r.Min.Y+1, r.Max.X-2, r.Max.Y-1), styles[i])
			}})
		}
	}
	return f
}

// place returns the left and right edge of what series i has in group k.
func (g groups) place(p projection, i, k int) (left, right vg.Length) {
	width := groupWidth / float64(len(g.series))
	from := float64(k) - groupWidth/2 + float64(i)*width
	return p.atX(from), p.atX(from + width)
}
