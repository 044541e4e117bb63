package solvers

import (
	"context"
	"fmt"
	"math"
)

// Zoom makes small spaces count as fine ones. It returns what ends that.
func Zoom() (restore func()) {
	f, l, s := fine, zoomLevels, zoomSizes
	fine, zoomLevels, zoomSizes = 0, 2, 2
	return func() { fine, zoomLevels, zoomSizes = f, l, s }
}

// Shrink makes small problems take the ways of large ones: few scenarios stand
// for all, and the search divides the space, or is best first. It returns what ends that.
func Shrink() (restore func()) {
	n, l, s := thinnest, largeSpace, smallPart
	thinnest, largeSpace, smallPart = 8, 0, 0
	return func() { thinnest, largeSpace, smallPart = n, l, s }
}

// Kept returns how many numbers the columns of the search under an aim keep, how
// many Memory counts for that one search, and how many there would be on the
// sample alone.
func Kept(p *Problem) (kept, counted, sample int64, err error) {
	demands, err := p.Demands()
	if err != nil {
		return 0, 0, 0, err
	}
	a := &aimed{ctx: context.Background(), problem: p, demands: demands, room: &room{maxBytes / 8}}
	s := a.bestLed()
	s.run()
	for _, v := range s.table.views {
		kept += int64(slab * v.n * len(v.slabs))
	}
	if left := int64(maxBytes/8 - a.room.left); left != kept {
		return 0, 0, 0, fmt.Errorf("%d numbers are taken, %d of them by the search that is left", left, kept)
	}
	e := extent{problem: p, n: s.table.n, stages: p.Workflow().Len(), searches: 1}
	e.count(demands)
	e.searches = 1
	return kept, e.tables(), 2 * int64(e.columns) * int64(e.n), nil
}

// Near is what a rounding finds of a problem without an incumbent.
type Near struct {
	Found   []int   // the best that it finds; nil: nothing
	AtLeast float64 // the lower bound of its objective
	Bounded func(pick []int) float64
	Whole   bool // it has looked at everything
}

// Round looks for the best configuration whose bounded function is at most that
// of another one. It reports false where there is no price to look with.
func Round(p *Problem, as []int) (Near, bool) {
	demands, err := p.Demands()
	if err != nil {
		return Near{}, false
	}
	s := newSearch(context.Background(), p, demands[0].Allowed, p.Bound.Limit)
	s.scale()
	s.order(as)
	r := newMixture(s)
	r.solve(as, 5)
	if !(r.lambda > 0) {
		return Near{}, false
	}
	s.best, s.incumbent = math.Inf(1), nil
	v := newRounding(s, r)
	n := Near{Bounded: func(pick []int) float64 { return s.table.total(r.bounded(), pick) }}
	v.look(n.Bounded(as))
	n.Whole = v.steps <= roundSteps
	if len(v.found) > 0 {
		n.Found, n.AtLeast = v.found[0].pick, v.found[0].objective
	}
	return n, true
}

// Move returns the shares of a mixture after its move to the choices that are not
// dead, and whether there are any.
func Move(p *Problem, share [][]float64, dead [][]bool) ([][]float64, bool) {
	s := newSearch(context.Background(), p, 0, p.Bound.Limit)
	s.scale()
	r := &mixture{s: s, share: s.copyOf(share)}
	s.dead = dead
	ok := (&divider{s: s, r: r}).move()
	return r.share, ok
}
