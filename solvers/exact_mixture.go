package solvers

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// mixture is the continuous relaxation of the problem, in which every stage
// mixes its choices. It is solved by linearising latency at the mixture; see
// search.start.
type mixture struct {
	gap  float64 // what the last step promised, relatively
	s    *search
	view *view // the scenarios that latency is linearised on

	parts   []part      // the mixture, as configurations with weights
	share   [][]float64 // the same per stage and column
	weight  [][]float64 // per stage and scenario: share on the longest path
	mixed   [][]float64 // per stage and scenario: latency of the mixture
	fixed   [][]float64 // the linear metric: mean cost, or mean cost of the hardest scenarios
	latency [][]float64 // latency linearised at the mixture
	priced  [][]float64
	lambda  float64 // price of the bound in units of the objective
	target  float64 // of the linearised bound, so that configurations at it just keep the bound
	flow    []float64
}

type part struct {
	pick   []int
	weight float64
}

// tail is how many of the leading scenarios stand for the hardest ones.
func (s *search) tail() int { return min(s.table.n, max(block, 2*(s.allowed+1))) }

func newMixture(s *search) *mixture {
	r := &mixture{s: s, target: s.limit, share: s.copyShape(s.mean[Cost])}
	r.prepare()
	r.priced = s.copyShape(r.fixed)
	return r
}

// prepare takes what depends on the order of the scenarios. Latency that is
// bounded counts in the hardest ones; the objective's is looked for in a few of
// all scenarios.
func (r *mixture) prepare() {
	if t := r.s.table; r.s.metric == Latency {
		r.fixed = r.s.mean[Cost]
		r.look(t.tail)
	} else {
		r.fixed = t.tail.weigh(Cost, nil)
		r.look(t.thin)
	}
}

// look linearises latency on other scenarios from now on.
func (r *mixture) look(v *view) {
	r.view = v
	if r.weight == nil || len(r.weight[0]) != v.n {
		r.weight, r.mixed = make([][]float64, len(r.s.dead)), make([][]float64, len(r.s.dead))
		for i := range r.weight {
			r.weight[i], r.mixed[i] = make([]float64, v.n), make([]float64, v.n)
		}
	}
	r.mix()
}

// restart takes what depends on a new order of the scenarios.
func (r *mixture) restart() {
	if r.s.metric == Cost { // latency is linearised on every scenario
		r.fixed = r.s.table.tail.weigh(Cost, nil)
		return
	}
	r.prepare()
	r.settle()
}

// settle linearises latency for good. Where it is the objective that has to be
// done on every scenario, or nothing would be proved.
func (r *mixture) settle() {
	if r.s.metric == Cost && r.view != r.s.table.all {
		r.trim()
		r.look(r.s.table.all)
	}
	r.linearise()
}

// addUp computes the shares of the choices from the parts of the mixture.
func (r *mixture) addUp() {
	for i := range r.share {
		clear(r.share[i])
	}
	for _, p := range r.parts {
		for i := range p.pick {
			r.share[i][r.s.table.columnOf(i, p.pick)] += p.weight
		}
	}
}

// mix computes the latency of the mixture from the shares.
func (r *mixture) mix() {
	for i, shares := range r.share {
		clear(r.mixed[i])
		for c, w := range shares {
			if w > 0 {
				floats.AddScaled(r.mixed[i], w, r.view.of(Latency, i, c))
			}
		}
	}
}

// add moves the mixture towards a configuration.
func (r *mixture) add(pick []int, weight float64) {
	if len(r.parts) == 0 {
		weight = 1
	}
	kept := r.parts[:0]
	for _, p := range r.parts {
		if p.weight *= 1 - weight; p.weight > 0 {
			kept = append(kept, p)
		}
	}
	r.parts = append(kept, part{slices.Clone(pick), weight})
	for i := range pick {
		floats.Scale(1-weight, r.share[i])
		r.share[i][r.s.table.columnOf(i, pick)] += weight
	}
	for i, col := range r.view.under(Latency, pick) {
		floats.Scale(1-weight, r.mixed[i])
		floats.AddScaled(r.mixed[i], weight, col)
	}
}

// linearise makes the linear latency that is exact at the mixture.
func (r *mixture) linearise() {
	r.s.eval.criticality(r.mixed, r.weight, 1/float64(r.view.n))
	r.latency = r.view.weigh(Latency, r.weight)
	r.flow = make([]float64, len(r.weight))
	for i, w := range r.weight {
		r.flow[i] = floats.Sum(w)
	}
	if r.s.metric == Cost && r.view == r.s.table.all {
		r.s.cut(r.latency)
	}
}

// objective and bounded return the two linear functions.
func (r *mixture) objective() [][]float64 {
	if r.s.metric == Latency {
		return r.fixed
	}
	return r.latency
}

func (r *mixture) bounded() [][]float64 {
	if r.s.metric == Latency {
		return r.latency
	}
	return r.fixed
}

// solve takes the given number of rounds from a configuration. In the first two
// the price is that of the cheapest configuration found that keeps the bound.
func (r *mixture) solve(from []int, rounds int) {
	tolerated := converged
	if r.s.large() && r.s.metric == Cost {
		tolerated = convergedLarge
	}
	r.add(from, 1)
	for round := range rounds {
		r.linearise()
		lo, hi := priceRange(r.objective(), r.bounded())
		if !r.round(lo, hi, 14, round < 2 || r.s.incumbent == nil, 2/float64(round+3)) {
			r.settle()
			return
		}
		if round >= fewestRounds && r.gap < max(tolerated, r.distance()/8) {
			break
		}
	}
	r.settle()
	r.finish(len(r.parts))
	if !r.s.done() {
		// The price is by now about right, and the linearisation good: what is
		// cheapest and keeps the bound is a better incumbent.
		r.roundNear(8, 10, true, 0.1)
		r.linearise()
	}
}

// distance returns how far the mixture is below the incumbent, relatively, where
// that is a mean latency; 0 where the search is large and the relaxation itself
// has to prove what it can.
func (r *mixture) distance() float64 {
	s := r.s
	if s.metric == Latency || s.incumbent == nil || s.large() {
		return 0
	}
	return 1 - r.mixedTotal(r.latency)/s.thinMean()
}

// again solves the relaxation among the choices that are left.
func (r *mixture) again() {
	r.parts = slices.DeleteFunc(r.parts, func(p part) bool {
		for i, j := range p.pick {
			if r.s.dead[i][j] {
				return true
			}
		}
		return false
	})
	r.normalise()
	r.look(r.s.table.thin)
	if len(r.parts) == 0 {
		r.add(r.s.incumbent, 1)
	}
	for round := range roundsAgain {
		r.linearise()
		if r.s.done() || !r.roundNear(4, 7, false, 2/float64(round+6)) || r.gap < convergedLarge {
			break
		}
	}
	r.settle()
	r.finish(roundsAgain)
}

// finish takes the last rounds, on every scenario.
func (r *mixture) finish(before int) {
	if r.s.metric != Cost || r.s.table.thin == r.s.table.all {
		return
	}
	for round := range polish {
		if r.s.done() || !r.roundNear(4, 7, false, 2/float64(before+round+3)) {
			return
		}
		r.linearise()
	}
}

// The relaxation is taken as solved once another step promises less than this,
// relatively, or less than an eighth of what the incumbent is above it, but not
// before some rounds.
const (
	converged      = 2e-3
	convergedLarge = 5e-4
	fewestRounds   = 5
	polish         = 3   // rounds on all scenarios after those on a few
	roundsAgain    = 100 // rounds among what is left
)

// mixedTotal adds up a linear function of the latency linearised, or of the
// fixed metric, over the mixture.
func (r *mixture) mixedTotal(values [][]float64) float64 {
	sum := 0.0
	for i, shares := range r.share {
		for c, w := range shares {
			if w > 0 {
				sum += w * values[i][c]
			}
		}
	}
	return sum
}

// round bisects the price within a range and moves the mixture a step towards
// what the price makes best. With whole it is whole configurations that must
// keep the bound; else the mixture has to meet the target. It reports false
// where nothing can be done.
func (r *mixture) round(lo, hi float64, steps int, whole bool, step float64) bool {
	s := r.s
	objective, bounded := r.objective(), r.bounded()
	var best, below []int
	hi = s.bisect(lo, hi, steps, func(lambda float64) bool {
		s.combine(r.priced, objective, bounded, lambda)
		pick, total := s.minimise(r.priced)
		if math.IsInf(total, 1) {
			return true
		}
		keeps := s.table.total(bounded, pick) <= r.target
		if whole {
			if keeps = s.seemsFeasible(pick); keeps {
				s.offer(pick)
			}
		}
		if keeps {
			best = pick
		} else {
			below = pick
		}
		return keeps
	})
	if s.done() || best == nil && below == nil {
		return false
	}
	r.lambda = hi
	if s.incumbent == nil {
		r.rescue()
	}
	if !whole && best != nil && s.promising(best) {
		s.offer(best)
	}
	if best != nil {
		s.combine(r.priced, objective, bounded, hi)
		at := r.mixedTotal(r.priced)
		r.gap = (at - s.table.total(r.priced, best)) / math.Abs(r.mixedTotal(objective))
	}
	if whole && best != nil {
		s.descend(best, objective)
		r.calibrate()
	}
	switch {
	case best == nil:
		r.add(below, step)
	case below == nil:
		r.add(best, step)
	default:
		// Both together meet the target.
		a, b := s.table.total(bounded, best), s.table.total(bounded, below)
		share := 1.0
		if b > a {
			share = min(1, max(0, (b-r.target)/(b-a)))
		}
		r.add(best, step*share)
		r.add(below, step*(1-share))
	}
	return true
}

// roundNear is round for prices around the last one. They stay in the range that
// prices are looked for in: where the bound does not bind they would sink to 0.
func (r *mixture) roundNear(factor float64, steps int, whole bool, step float64) bool {
	lo, hi := priceRange(r.objective(), r.bounded())
	return r.round(min(max(r.lambda/factor, lo), hi/factor), max(min(r.lambda*factor, hi), lo*factor), steps, whole, step)
}

// rescue looks for a first incumbent where what the prices make best breaks the
// bound, as it does while stages off the linearised paths count for nothing:
// every stage takes the part of the mixture, or else the choice, with the best
// mean of the bounded metric.
func (r *mixture) rescue() {
	s := r.s
	mean := s.mean[s.metric]
	pick := slices.Clone(r.parts[0].pick)
	for i := range pick {
		for _, p := range r.parts {
			if p.weight > 0.02 && mean[i][s.table.columnOf(i, p.pick)] < mean[i][s.table.columnOf(i, pick)] {
				pick[i] = p.pick[i]
			}
		}
	}
	if s.admits(pick) && s.offer(pick) < math.Inf(1) {
		s.descend(pick, r.objective())
		return
	}
	if pick, total := s.minimise(s.copyOf(mean)); !math.IsInf(total, 1) && s.offer(pick) < math.Inf(1) {
		s.descend(pick, r.objective())
	}
}

// calibrate sets the target to what the incumbent would have if it used the
// limit up.
func (r *mixture) calibrate() {
	s := r.s
	if s.incumbent == nil {
		return
	}
	cols := s.table.leading.under(s.metric, s.incumbent)
	values := s.eval.values(s.metric, cols, s.table.hard)
	tail := Mean(values[:s.tail()])
	if q := OrderStatistic(values, min(s.allowed, len(values)-1)); !math.IsInf(tail, 0) {
		r.target = tail + s.limit - q
	}
}

// reachable offers configurations with a small bounded metric.
func (r *mixture) reachable() {
	s := r.s
	pick, _ := s.minimise(s.copyOf(s.mean[s.metric]))
	s.offer(pick)
	if s.metric == Cost {
		pick, _ = s.minimise(s.copyOf(r.fixed))
		s.offer(pick)
		r.latency = s.mean[Latency]
		return
	}
	r.add(pick, 1)
	for round := range 4 {
		r.linearise()
		if pick, total := s.minimise(s.copyOf(r.latency)); !math.IsInf(total, 1) {
			s.offer(pick)
			r.add(pick, 2/float64(round+3))
		}
	}
}

func (s *search) copyOf(values [][]float64) [][]float64 {
	out := make([][]float64, len(values))
	for i := range out {
		out[i] = slices.Clone(values[i])
	}
	return out
}

// trim drops the parts of the mixture that hardly count.
func (r *mixture) trim() {
	most := 12
	if r.s.large() {
		most = 100
	}
	if len(r.parts) <= most {
		return
	}
	slices.SortStableFunc(r.parts, func(a, b part) int { return compareDown(a.weight, b.weight) })
	r.parts = r.parts[:most]
	r.normalise()
}

// normalise makes the weights add up to 1 again, and the shares with them.
func (r *mixture) normalise() {
	total := 0.0
	for _, p := range r.parts {
		total += p.weight
	}
	for i := range r.parts {
		r.parts[i].weight /= total
	}
	r.addUp()
}
