package solvers

import (
	"container/heap"
	"math"
	"slices"
)

// divider searches a large space for the smallest mean latency part by part. A
// part is not divided choice by choice, but at the stage whose latency its
// relaxation spreads most: into the choices that are faster than the mixture, and
// the others. In each half the relaxation is solved anew, from where it was, and
// latency linearised at what comes out, which no mixture of both halves weakens.
// So every division raises what is proved.
type divider struct {
	s     *search
	r     *mixture
	ratio float64 // of the multiplier that proved most last to that of the relaxation
	most  int     // parts that are open at a time
	open  divisions
}

// division is a part of the space.
type division struct {
	dead   [][]bool
	share  [][]float64 // of the choices in its relaxation
	lambda float64
	bound  float64 // of the objective
	stage  int     // where it is divided
	faster []bool  // and how: the choices of one half
}

// divisions are the open ones, the one with the smallest bound first.
type divisions []*division

func (d divisions) Len() int           { return len(d) }
func (d divisions) Less(i, j int) bool { return d[i].bound < d[j].bound }
func (d divisions) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *divisions) Push(x any)        { *d = append(*d, x.(*division)) }
func (d *divisions) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	*d = (*d)[:last]
	return x
}

// A half is near the part that it was cut from: a few rounds of the relaxation, as
// short as after many, are enough. They are on every scenario: a mixture that fits
// a few of them proves less.
const (
	dividedRounds = 4
	dividedBefore = 60 // rounds that the length of a step counts as taken
)

// divides reports whether the space is better divided: it was large, something is
// left of it, and the relaxation has proved something.
func (s *search) divides() bool {
	return s.vast && s.metric == Cost && s.joins && !s.reach && s.beside == nil && s.incumbent != nil &&
		len(s.prices) > 0 && s.mixture.lambda > 0 && s.logLeft() > smallPart
}

// divide searches the whole space. It reports whether nothing is left of it.
func (s *search) divide() bool {
	d := &divider{s: s, r: s.mixture, ratio: s.prices[0].multiplier * s.mixture.lambda, most: s.openParts()}
	d.look(s.floor)
	for len(d.open) > 0 && !s.done() {
		at := heap.Pop(&d.open).(*division)
		if at.bound >= s.settled() {
			return true
		}
		if at.bound > s.floor {
			s.floor = at.bound
			s.tell()
		}
		for _, half := range []bool{true, false} {
			d.enter(at, half)
			s.count()
			d.look(at.bound)
		}
	}
	if s.done() {
		s.open = s.floor
	}
	return !s.done()
}

// enter goes to one half of a part.
func (d *divider) enter(at *division, half bool) {
	for i, dead := range at.dead {
		copy(d.s.dead[i], dead)
		copy(d.r.share[i], at.share[i])
	}
	for j, faster := range at.faster {
		if faster != half {
			d.s.dead[at.stage][j] = true
		}
	}
	d.r.lambda = at.lambda
	d.r.parts = []part{{d.s.incumbent, 1}} // the shares alone count
}

// look solves the relaxation of the part that the search is in, from that of the
// one that it was cut from, whose bound is given. It keeps the part to be divided,
// or searches it where it is small, unless nothing in it is better.
func (d *divider) look(bound float64) {
	s, r := d.s, d.r
	if !d.move() {
		return
	}
	r.look(s.table.all)
	for round := range dividedRounds {
		r.linearise()
		if s.done() || !r.roundNear(4, 7, false, 2/float64(round+dividedBefore)) {
			break
		}
	}
	r.linearise()
	s.linear = r.objective()
	s.shift()
	clear(s.lists)
	root := s.root()
	if s.done() || !s.narrow(root) {
		return
	}
	own := d.price(root)
	if math.IsInf(own, 1) { // a stage has nothing left
		return
	}
	if own -= precision * math.Abs(own); own > bound {
		bound = own
	}
	if s.done() || bound >= s.settled() {
		return
	}
	s.screen(root, 0)
	s.shift()
	clear(s.lists)
	stage, faster := d.where()
	if faster != nil && s.logLeft() > smallPart && len(d.open) < d.most {
		heap.Push(&d.open, &division{copyDead(s.dead), s.copyOf(r.share), r.lambda, bound, stage, faster})
		return
	}
	s.branch = s.branchOrder(s.linear, r.bounded())
	s.visit(root, 0)
}

// move makes the mixture one of choices that are left: those that are not give way
// to the ones with the nearest mean latency, or the fastest ones where they never
// end. It reports false where a stage has none that ends.
func (d *divider) move() bool {
	for i, dead := range d.s.dead {
		mean := d.s.mean[Latency][i]
		if !slices.Contains(dead, false) {
			return false
		}
		for c, w := range d.r.share[i] {
			if w == 0 || !dead[c%len(dead)] {
				continue
			}
			near := mean[c]
			if math.IsInf(near, 1) {
				near = 0
			}
			nearest, distance := -1, math.Inf(1)
			for k, m := range mean {
				if by := math.Abs(m - near); !dead[k%len(dead)] && by < distance {
					nearest, distance = k, by
				}
			}
			if nearest < 0 {
				return false // what is left never ends
			}
			d.r.share[i][c] = 0
			d.r.share[i][nearest] += w
		}
	}
	return true
}

// price finds the multiplier that proves most, from the one that did last, and
// returns the bound.
func (d *divider) price(root *node) float64 {
	s, flow := d.s, d.s.sums(d.r.flow)
	bound := func(ratio float64) float64 { return s.pricedBound(root, price{ratio / d.r.lambda, flow}) }
	best := bound(d.ratio)
	for _, step := range []float64{1.2, 1 / 1.2} {
		moved := false
		for range 8 {
			b := bound(d.ratio * step)
			if !(b > best) {
				break
			}
			best, d.ratio, moved = b, d.ratio*step, true
		}
		if moved {
			break // on the other side it is worse
		}
	}
	s.prices = []price{{d.ratio / d.r.lambda, flow}}
	s.forgetPrices()
	return best
}

// where returns the stage whose latency the mixture spreads most, and which of its
// choices are faster than the mixture; nil where no stage can be divided.
func (d *divider) where() (stage int, faster []bool) {
	most := -1.0
	for i := range d.s.dead {
		if half, spread := d.halves(i); half != nil && spread > most {
			most, stage, faster = spread, i, half
		}
	}
	return stage, faster
}

// halves divides the choices of a stage at the mean latency of the mixture, nil
// where that cannot be, and returns how far the mixture spreads it.
func (d *divider) halves(i int) (faster []bool, spread float64) {
	dead := d.s.dead[i]
	latency, share := slices.Repeat([]float64{math.Inf(1)}, len(dead)), make([]float64, len(dead))
	for c, m := range d.s.mean[Latency][i] {
		latency[c%len(dead)] = min(latency[c%len(dead)], m)
		share[c%len(dead)] += d.r.share[i][c]
	}
	mean, lo, hi := 0.0, math.Inf(1), math.Inf(-1)
	for j, l := range latency {
		if !dead[j] {
			lo, hi = min(lo, l), max(hi, l)
		}
		if share[j] > 0 {
			mean += share[j] * l
		}
	}
	if !(hi > lo) {
		return nil, 0
	}
	if !(mean >= lo && mean < hi) {
		mean = lo
	}
	for j, l := range latency {
		if share[j] > 0 {
			spread += share[j] * math.Abs(l-mean)
		}
		faster = append(faster, l <= mean)
	}
	return faster, spread
}

func copyDead(dead [][]bool) [][]bool {
	out := make([][]bool, len(dead))
	for i := range out {
		out[i] = slices.Clone(dead[i])
	}
	return out
}
