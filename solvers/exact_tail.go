package solvers

import "math"

// tailCut is what a bound on CVaR proves about a linear objective f. The CVaR is
// the largest weighted mean over scenarios whose weights u add up to 1, none of
// them above 1/(n*r) (Rockafellar and Uryasev, J. Banking & Finance 26, 2002), and
// the longest path is at least every mixture of paths. So for weights u, shares
// w of paths and every price m a configuration that keeps the bound has
//
//	f(x) >= sum over i of (f(i,x) + m * sum over s of u(s) w(i,s) t(i,x,s)) - m*limit,
//
// a sum over stages. Weights and shares are those at the optimum of the continuous
// relaxation, which Frank and Wolfe's method finds as it does for one scenario.
type tailCut struct {
	values [][]float64 // per stage and column: f + price * weighted metric
	spent  float64     // price * limit
	bound  float64     // of the objective, at the root
}

// tailRounds is how often the CVaR is linearised.
const tailRounds = 24

// newTailCut returns the cut of a bound on CVaR of the leading metric, nil if
// there is none.
func newTailCut(s *search, d Demand, pick []int) *tailCut {
	n := s.table.n
	worst, whole := tailSize(n, d.Percentile)
	mixed, weight := make([][]float64, len(pick)), make([][]float64, len(pick))
	for i, col := range s.table.all.under(d.Metric, pick) {
		mixed[i], weight[i] = append([]float64(nil), col...), make([]float64, n)
	}
	priced := s.copyShape(s.linear)
	lo, hi := priceRange(s.linear, s.mean[d.Metric])
	var best *tailCut
	for round := range tailRounds {
		if s.done() {
			return best
		}
		s.weighTail(d.Metric, mixed, weight, worst, min(whole, n-1))
		bounded := s.table.all.weigh(d.Metric, weight)
		var keeps, breaks []int
		at := s.bisect(lo, hi, 16, func(lambda float64) bool {
			s.combine(priced, s.linear, bounded, lambda)
			pick, total := s.minimise(priced)
			if math.IsInf(total, 1) || math.IsNaN(total) {
				return true
			}
			if bound := total - lambda*d.Limit; best == nil || bound > best.bound {
				best = &tailCut{values: s.copyOf(priced), spent: lambda * d.Limit, bound: bound}
			}
			if s.table.total(bounded, pick) <= d.Limit {
				keeps = pick
				return true
			}
			breaks = pick
			return false
		})
		lo, hi = at/16, at*16
		step := 2 / float64(round+3)
		share := 1.0
		if keeps != nil && breaks != nil {
			a, b := s.table.total(bounded, keeps), s.table.total(bounded, breaks)
			share = min(1, max(0, (b-d.Limit)/(b-a)))
		} else if keeps == nil {
			share = 0
		}
		s.mixInto(d.Metric, mixed, keeps, step*share)
		s.mixInto(d.Metric, mixed, breaks, step*(1-share))
	}
	return best
}

// mixInto moves a mixture towards a configuration.
func (s *search) mixInto(m Metric, mixed [][]float64, pick []int, weight float64) {
	if pick == nil || weight == 0 {
		return
	}
	for i, col := range s.table.all.under(m, pick) {
		for k, v := range col {
			mixed[i][k] += weight * (v - mixed[i][k])
		}
	}
}

// weighTail writes what every stage and scenario counts in the CVaR of a mixture.
func (s *search) weighTail(m Metric, mixed, weight [][]float64, worst float64, whole int) {
	n := s.table.n
	values := s.eval.values(m, mixed, n)
	t := OrderStatistic(values, whole)
	above := 0
	for _, v := range values {
		if v > t {
			above++
		}
	}
	rest := max(0, 1-float64(above)/worst)
	if m == Latency {
		s.eval.criticality(mixed, weight, 1)
	} else {
		for i := range weight {
			for k := range weight[i] {
				weight[i][k] = 1
			}
		}
	}
	for k, v := range values {
		u := 0.0
		switch {
		case v > t:
			u = 1 / worst
		case v == t:
			u = min(rest, 1/worst)
			rest -= u
		}
		for i := range weight {
			weight[i][k] *= u
		}
	}
}

// possible reports whether something below a node may be better than the
// incumbent.
func (c *tailCut) possible(s *search, n *node, lists []*list) bool {
	sum := 0.0
	for i, l := range lists {
		if l == nil {
			sum += c.values[i][s.inputOf(n, i)*len(s.dead[i])+n.pick[i]]
			continue
		}
		if !l.isCut {
			l.cut, l.isCut = math.Inf(1), true
			for _, it := range l.items {
				s.eachColumn(i, s.inputOf(n, i), it.choice, func(col int) { l.cut = min(l.cut, c.values[i][col]) })
			}
		}
		sum += l.cut
	}
	goal := s.goal() + c.spent
	return !(sum > goal+precision*math.Abs(goal))
}

// screen drops the choices that the cut rules out one by one, and reports how
// many.
func (c *tailCut) screen(s *search, root *node, lists []*list) (dropped int) {
	least := make([]float64, len(lists))
	sum := 0.0
	for i, l := range lists {
		least[i] = math.Inf(1)
		for _, it := range l.items {
			s.eachColumn(i, s.inputOf(root, i), it.choice, func(col int) { least[i] = min(least[i], c.values[i][col]) })
		}
		sum += least[i]
	}
	goal := s.goal() + c.spent
	for i, l := range lists {
		for _, it := range l.items {
			own := math.Inf(1)
			s.eachColumn(i, s.inputOf(root, i), it.choice, func(col int) { own = min(own, c.values[i][col]) })
			if sum-least[i]+own > goal+2*precision*math.Abs(goal) {
				s.dead[i][it.choice] = true
				dropped++
			}
		}
	}
	return dropped
}
