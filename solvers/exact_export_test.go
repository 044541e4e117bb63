package solvers

import (
	"context"
	"fmt"
)

// Zoom makes small spaces count as fine ones. It returns what ends that.
func Zoom() (restore func()) {
	f, l, s := fine, zoomLevels, zoomSizes
	fine, zoomLevels, zoomSizes = 0, 2, 2
	return func() { fine, zoomLevels, zoomSizes = f, l, s }
}

// Shrink makes small problems take the ways of large ones: few scenarios stand
// for all, and the search is best first. It returns what ends that.
func Shrink() (restore func()) {
	n, l := thinnest, largeSpace
	thinnest, largeSpace = 8, 0
	return func() { thinnest, largeSpace = n, l }
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
