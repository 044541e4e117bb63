package solvers

import (
	"cmp"
	"math"
	"slices"
)

// start finds a first incumbent and what the search is guided by. It solves
// the continuous relaxation: every stage may mix its choices, and the bound
// holds on average over the hardest scenarios. Where latency is the objective
// or bounded, it is the convex maximum over paths, linearised at the current
// mixture (Frank and Wolfe, Naval Research Logistics Quarterly 3, 1956); what
// is then linear in the mixture is minimised with the bound priced in. The
// prices are bisected, and every whole configuration that comes up on the way
// is offered as incumbent.
func (s *search) start() {
	s.scale()
	if s.done() || s.unbound() || s.done() {
		return
	}
	first := s.typical()
	if s.done() {
		return
	}
	s.order(first)
	s.mixture = newMixture(s)
	if s.reach {
		s.mixture.reachable()
	} else {
		limit := rounds
		if s.large() && s.metric == Cost {
			limit = roundsLarge
		}
		s.mixture.solve(first, limit)
		if s.incumbent != nil {
			s.order(s.incumbent)
			s.mixture.restart()
		}
	}
	if s.large() && !s.done() {
		s.exchange(s.mixture.fixed)
	} else if !s.reach {
		s.round(s.mixture)
	}
	if !s.done() {
		s.guide(s.mixture)
	}
}

// unbound settles a problem whose bound does not bind: the configuration that is
// best without it keeps it. For cost that is the sum of the best choices; for
// latency it is if it cannot be improved where latency is linearised at it.
func (s *search) unbound() bool {
	if s.reach {
		return false
	}
	objective := s.mean[s.metric.Other()]
	pick, total := s.minimise(s.copyOf(objective))
	if math.IsInf(total, 1) {
		return false
	}
	if s.keepsMean(pick) {
		s.offer(pick)
	}
	if s.metric == Cost && s.joins {
		_, total = s.minimise(s.tangent(pick))
	}
	if bound := total - precision*math.Abs(total); bound > s.floor && !s.done() {
		s.floor = min(s.goal(), bound)
	}
	return s.floor >= s.settled()
}

// keepsMean reports whether the mean of the bounded metric keeps the limit, as
// far as the means of stages say: a quick look before the scenarios.
func (s *search) keepsMean(pick []int) bool {
	return s.table.meanUnder(s.eval, s.metric, s.mean, pick) <= s.limit
}

// tangent returns mean latency linearised at a configuration.
func (s *search) tangent(pick []int) [][]float64 {
	t := s.table.all.weigh(Latency, s.onLongest(pick))
	s.cut(s.copyOf(t))
	return t
}

// onLongest returns the share of every stage and scenario that lies on the
// longest path under a configuration.
func (s *search) onLongest(pick []int) [][]float64 {
	all := s.table.all
	weight := make([][]float64, len(pick))
	for i := range weight {
		weight[i] = make([]float64, all.n)
	}
	s.eval.criticality(all.under(Latency, pick), weight, 1/float64(all.n))
	return weight
}

// order puts the scenarios first that are hard for a configuration.
func (s *search) order(pick []int) {
	for i := range s.overInputs {
		clear(s.overInputs[i])
	}
	s.table.order(s.eval.values(s.metric, s.table.all.under(s.metric, pick), s.table.n), s.tail())
}

// rounds is how many linearisations are made at most, and for mean latency where
// the search is large.
const (
	rounds      = 60
	roundsLarge = 300
)

// large reports whether so much is left that the search may not end: then its
// time is better spent on the relaxation first.
func (s *search) large() bool { return s.logLeft() > largeSpace }

// scale computes the means, and drops choices that no solution can use.
func (s *search) scale() {
	s.mean = map[Metric][][]float64{}
	for _, m := range []Metric{Latency, Cost} {
		s.mean[m] = s.table.all.weigh(m, nil)
	}
	if s.table.problem.Percentile != 0 && s.reach {
		return // the means do not matter
	}
	for i, values := range s.mean[s.table.problem.Objective()] {
		choices := len(s.table.stages[i].choices)
		for j := range choices {
			finite := false
			for c := j; c < len(values); c += choices {
				finite = finite || !math.IsInf(values[c], 0) && !math.IsNaN(values[c])
			}
			if !finite {
				s.dead[i][j] = true
			}
		}
	}
}

// typical returns a configuration whose mean of the bounded metric is near the
// limit, so that the scenarios that are hard for it are hard for the solution.
func (s *search) typical() []int {
	if s.reach {
		pick, _ := s.minimise(s.mean[s.metric])
		return pick
	}
	objective, bounded := s.mean[s.metric.Other()], s.mean[s.metric]
	priced := s.copyShape(objective)
	var best []int
	lo, hi := priceRange(objective, bounded)
	s.bisect(lo, hi, 12, func(lambda float64) bool {
		s.combine(priced, objective, bounded, lambda)
		pick, total := s.minimise(priced)
		if math.IsInf(total, 1) {
			return true
		}
		best = pick
		return s.keepsMean(pick)
	})
	if best == nil {
		best = make([]int, len(s.dead))
	}
	return best
}

// meanUnder returns the sum, or the longest path, of the stages' means.
func (t *columns) meanUnder(e *evaluator, m Metric, mean map[Metric][][]float64, pick []int) float64 {
	cols := make([][]float64, len(pick))
	for i := range pick {
		cols[i] = []float64{mean[m][i][t.columnOf(i, pick)]}
	}
	return e.at(m, cols, 0, 1)[0]
}

// priceRange returns the range that a price of the bound is looked for in: around
// the exchange rate between the typical sizes of both functions.
func priceRange(objective, bounded [][]float64) (lo, hi float64) {
	rate := typicalSize(objective) / typicalSize(bounded)
	if !(rate > 0) || math.IsInf(rate, 1) {
		rate = 1
	}
	return 1e-4 * rate, 1e4 * rate
}

// bisect halves the logarithm of a price for the given number of steps: lower
// while keeps, higher while not.
func (s *search) bisect(lo, hi float64, steps int, keeps func(lambda float64) bool) float64 {
	for range steps {
		if s.done() {
			break
		}
		mid := math.Sqrt(lo * hi)
		if keeps(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// typicalSize is the sum over stages of the median finite value.
func typicalSize(values [][]float64) float64 {
	sum := 0.0
	for _, v := range values {
		v = slices.DeleteFunc(slices.Clone(v), func(x float64) bool { return math.IsInf(x, 0) || math.IsNaN(x) })
		if len(v) > 0 {
			slices.Sort(v)
			sum += math.Abs(v[len(v)/2])
		}
	}
	return sum
}

// minimise returns the configuration of the smallest sum of values among the
// choices that are left.
func (s *search) minimise(values [][]float64) ([]int, float64) {
	for i, dead := range s.dead {
		for j, d := range dead {
			for c := j; d && c < len(values[i]); c += len(dead) {
				values[i][c] = math.Inf(1)
			}
		}
	}
	return s.elimination.Minimise(values)
}

func (s *search) copyShape(values [][]float64) [][]float64 {
	out := make([][]float64, len(values))
	for i := range out {
		out[i] = make([]float64, len(values[i]))
	}
	return out
}

// combine sets out to a + factor*b.
func (s *search) combine(out, a, b [][]float64, factor float64) {
	for i := range out {
		for c := range out[i] {
			out[i][c] = a[i][c] + factor*b[i][c]
			if out[i][c] != out[i][c] {
				out[i][c] = math.Inf(1)
			}
		}
	}
}

// descend improves one stage at a time from a feasible configuration, guided by
// a linear objective.
func (s *search) descend(from []int, objective [][]float64) {
	pick := slices.Clone(from)
	for improved := true; improved; {
		improved = false
		for i := range pick {
			was := pick[i]
			at := s.table.columnOf(i, pick)
			below := objective[i][at]
			offset := at - was
			var better []int
			for j := range s.table.stages[i].choices {
				if !s.dead[i][j] && objective[i][offset+j] < below {
					better = append(better, j)
				}
			}
			slices.SortStableFunc(better, func(a, b int) int { return cmp.Compare(objective[i][offset+a], objective[i][offset+b]) })
			for _, j := range better {
				if s.done() {
					return
				}
				pick[i] = j
				before := s.best
				if s.admits(pick) && s.offer(pick) < before {
					improved, was = true, j
					break
				}
			}
			pick[i] = was
		}
	}
}
