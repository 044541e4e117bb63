package solvers

import (
	"math"
	"slices"
)

// pairing relaxes two limits, one on latency and one on cost, at once. Row r is
// a scenario for the one and a scenario for the other. A configuration that
// keeps both limits in row r has, for every flow w of shares from sources to
// sinks and every price m,
//
//	sum over i of w(i) latency(i) + m cost(i) <= limit of latency + m * limit of cost,
//
// and at most spare rows may break it: as many as the scenarios that may exceed
// the first limit and those that may exceed the second, since a scenario is in
// one row at most; for a joint bound, whose rows are single scenarios, as many as
// may break the bound. The sum is at least that of the minima over what is left
// to every stage (Geoffrion 1974, see the package documentation).
//
// Scenarios that are hard for latency are paired with ones that are easy for
// cost among the hard ones, so that no row is much easier than the others.
type pairing struct {
	latency, cost *view
	latencyLimit  float64
	costLimit     float64
	minimised     Metric // whose limit is that of the search; else ""
	spare         int
	flow          []float64
	prices        []float64 // s per USD
}

// pairUp adds the pairings that the demands, and a percentile that is minimised,
// allow for. The scenarios are ordered by what a configuration does.
func (b *beside) pairUp(s *search, demands []Demand, pick []int, flow []float64) {
	latency, cost := s.outcomes(pick)
	add := func(p pairing) {
		p.flow = flow
		b.pairings = append(b.pairings, p)
	}
	for k, d := range b.demands {
		if d.Also > 0 {
			rows := b.sides[k].rows
			add(pairing{latency: rows, cost: rows, latencyLimit: d.limitOn(Latency), costLimit: d.limitOn(Cost), spare: d.Allowed})
		}
	}
	chance := map[Metric]*Demand{} // what a bound on CVaR implies is one as well
	for k, d := range demands {
		if chance[d.Metric] == nil && d.Also == 0 {
			chance[d.Metric] = &demands[k]
		}
	}
	between := func(latencyRank, costRank int, latencyLimit, costLimit float64, minimised Metric) {
		spare := latencyRank + costRank
		n := pairRows(s.table.n, spare)
		byLatency, byCost := largest(latency, n), largest(cost, n)
		slices.Reverse(byCost)
		add(pairing{latency: s.viewOf(byLatency), cost: s.viewOf(byCost),
			latencyLimit: latencyLimit, costLimit: costLimit, minimised: minimised, spare: spare})
	}
	switch {
	case s.reach && b.stretch == 0: // a percentile is minimised
		for _, d := range demands {
			if limit := d.limitOn(s.metric.Other()); limit > 0 && s.metric == Cost {
				between(d.Allowed, s.allowed, limit, 0, Cost)
			} else if limit > 0 {
				between(s.allowed, d.Allowed, 0, limit, Latency)
			}
		}
	case chance[Latency] != nil && chance[Cost] != nil:
		between(chance[Latency].Allowed, chance[Cost].Allowed, chance[Latency].Limit, chance[Cost].Limit, "")
	}
}

// pairRows returns how many rows a pairing of n scenarios has, of which spare may
// break it.
func pairRows(n, spare int) int { return min(n, spare+1+spare/8) }

// limits returns both limits as they are now.
func (p *pairing) limits(s *search, factor float64) (latency, cost float64) {
	latency, cost = p.latencyLimit*factor, p.costLimit*factor
	switch p.minimised {
	case Latency:
		latency = s.limit
	case Cost:
		cost = s.limit
	}
	return latency, cost
}

// own returns what a stage adds at least under price m, over the given items.
func (p *pairing) own(s *search, m float64, stage, input int, choices []int) []float64 {
	out := slices.Repeat([]float64{math.Inf(1)}, p.latency.n)
	for _, choice := range choices {
		s.eachColumn(stage, input, choice, func(c int) {
			cost := p.cost.of(Cost, stage, c)
			share := p.flow[stage]
			if share == 0 {
				for k, v := range cost {
					if v *= m; v < out[k] {
						out[k] = v
					}
				}
				return
			}
			for k, v := range p.latency.of(Latency, stage, c) {
				if v = share*v + m*cost[k]; v < out[k] {
					out[k] = v
				}
			}
		})
	}
	return out
}

// pairedKey names what a list adds to the relaxation of a pairing.
type pairedKey struct {
	pairing, price int
}

// stageOf returns what a stage adds at least below a node.
func (p *pairing) stageOf(s *search, k, price int, n *node, lists []*list, i int) []float64 {
	if lists[i] == nil {
		return p.own(s, p.prices[price], i, s.inputOf(n, i), []int{n.pick[i]})
	}
	l := lists[i]
	if l.paired == nil {
		l.paired = map[pairedKey][]float64{}
	}
	if l.paired[pairedKey{k, price}] == nil {
		l.paired[pairedKey{k, price}] = p.own(s, p.prices[price], i, s.inputOf(n, i), choicesOf(l.items))
		s.kept += p.latency.n
	}
	return l.paired[pairedKey{k, price}]
}

func choicesOf(items []item) []int {
	list := make([]int, len(items))
	for j, it := range items {
		list[j] = it.choice
	}
	return list
}

// possible reports whether enough rows may keep both limits below a node.
func (p *pairing) possible(s *search, k int, factor float64, n *node, lists []*list) bool {
	latency, cost := p.limits(s, factor)
	if math.IsInf(latency, 1) || math.IsInf(cost, 1) {
		return true
	}
	for price, m := range p.prices {
		limit := latency + m*cost
		limit += precision * limit
		sum := p.sum(s, k, price, n, lists)
		over := 0
		for _, v := range sum {
			if v > limit {
				over++
			}
		}
		if over > p.spare {
			return false
		}
	}
	return true
}

func (p *pairing) sum(s *search, k, price int, n *node, lists []*list) []float64 {
	sum := make([]float64, p.latency.n)
	for i := range lists {
		for r, v := range p.stageOf(s, k, price, n, lists, i) {
			sum[r] += v
		}
	}
	return sum
}

// price finds the prices that prove most at a node without assigned stages, and
// returns the lower bound of the limit that is minimised; -Inf where none is.
func (p *pairing) price(s *search, factor float64, root *node, lists []*list) float64 {
	latency, cost := p.limits(s, factor)
	rate := 1.0
	if latency > 0 && cost > 0 && !math.IsInf(latency, 1) && !math.IsInf(cost, 1) {
		rate = latency / cost
	}
	bound := math.Inf(-1)
	try := func(m float64) float64 {
		sum := make([]float64, p.latency.n)
		for i, l := range lists {
			for r, v := range p.own(s, m, i, s.inputOf(root, i), choicesOf(l.items)) {
				sum[r] += v
			}
		}
		q := OrderStatistic(sum, min(p.spare, len(sum)-1))
		if len(sum) <= p.spare {
			return math.Inf(-1)
		}
		switch p.minimised {
		case Cost:
			bound = max(bound, (q-latency)/m)
		case Latency:
			bound = max(bound, q-m*cost)
		}
		return q / (latency + m*cost)
	}
	best, at := math.Inf(-1), rate
	for _, step := range []float64{4, 1.5, 1.15} {
		for _, direction := range []float64{step, 1 / step} {
			for range 6 {
				m := at * direction
				if v := try(m); v > best {
					best, at = v, m
					continue
				}
				break
			}
		}
	}
	p.prices = []float64{at, at * 1.3, at / 1.3}
	return bound - precision*math.Abs(bound)
}

// screen drops the choices that a pairing rules out one by one, and reports how
// many.
func (p *pairing) screen(s *search, k int, factor float64, root *node, lists []*list) (dropped int) {
	latency, cost := p.limits(s, factor)
	if math.IsInf(latency, 1) || math.IsInf(cost, 1) {
		return 0
	}
	for price, m := range p.prices {
		limit := latency + m*cost
		limit += precision * limit
		for i, l := range lists {
			rest := make([]float64, p.latency.n)
			for other := range lists {
				if other == i {
					continue
				}
				for r, v := range p.stageOf(s, k, price, root, lists, other) {
					rest[r] += v
				}
			}
			for _, it := range l.items {
				if s.dead[i][it.choice] {
					continue
				}
				over := 0
				for r, v := range p.own(s, m, i, s.inputOf(root, i), []int{it.choice}) {
					if rest[r]+v > limit {
						over++
					}
				}
				if over > p.spare {
					s.dead[i][it.choice] = true
					dropped++
				}
			}
			if s.done() {
				return dropped
			}
		}
	}
	return dropped
}
