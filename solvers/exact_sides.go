package solvers

import (
	"math"
	"slices"
)

// beside is what an aim asks of a search beside the one bound, or the one
// percentile, that leads it. It answers two questions: whether a configuration
// keeps everything, and whether anything below a node still can.
type beside struct {
	demands []Demand
	stretch float64 // the limit of the leading bound, with which all limits go in proportion where it is minimised; else 0

	// What follows is there once the search knows a configuration to go by.
	sides    []side
	pairings []pairing
	cut      *tailCut
}

// factor returns by what limits are multiplied.
func (b *beside) factor(s *search) float64 {
	if b.stretch == 0 {
		return 1
	}
	return s.limit / b.stretch
}

// side is a demand with the scenarios that are hard for it. Counting the broken
// ones among some of the scenarios is enough to close a node.
type side struct {
	Demand
	rows  *view
	worst float64 // of CVaR: how many of all scenarios are its tail
	whole int
}

// hardest returns a view of the given number of scenarios with the largest
// values.
func (s *search) hardest(values []float64, n int) *view {
	return s.viewOf(largest(values, min(n, len(values))))
}

func (s *search) viewOf(order []int32) *view {
	return s.table.view(s.table.problem.Scenarios.Select(order))
}

// largest returns the positions of the n largest values, the largest first.
func largest(values []float64, n int) []int32 {
	order := make([]int32, len(values))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return compareDown(values[a], values[b]) })
	return order[:n]
}

// metrics returns those that a demand looks at.
func (d Demand) metrics() []Metric {
	if d.Also > 0 {
		return []Metric{d.Metric, d.Metric.Other()}
	}
	return []Metric{d.Metric}
}

// limitOn returns the limit of a demand on a metric, 0 for none.
func (d Demand) limitOn(m Metric) float64 {
	if d.Metric == m {
		return d.Limit
	}
	return d.Also
}

// prepare finds the scenarios that are hard for a configuration, and by the two
// kinds of relaxation that join metrics or scenarios what they prove.
func (b *beside) prepare(s *search, pick []int) {
	latency, cost := s.outcomes(pick)
	for _, d := range b.demands {
		hard := make([]float64, s.table.n)
		for k := range hard {
			for _, m := range d.metrics() {
				v := latency[k]
				if m == Cost {
					v = cost[k]
				}
				hard[k] = max(hard[k], v/d.limitOn(m))
			}
			if hard[k] != hard[k] {
				hard[k] = math.Inf(1)
			}
		}
		side := side{Demand: d}
		side.worst, side.whole = tailSize(s.table.n, d.Percentile)
		side.rows = s.hardest(hard, hardRows(s.table.n, d.Allowed))
		b.sides = append(b.sides, side)
	}
}

// outcomes returns both metrics of a configuration in every scenario, in the
// order of the search.
func (s *search) outcomes(pick []int) (latency, cost []float64) {
	n := s.table.n
	return s.eval.values(Latency, s.table.all.under(Latency, pick), n), s.eval.values(Cost, s.table.all.under(Cost, pick), n)
}

// keeps reports whether a configuration keeps every demand.
func (b *beside) keeps(s *search, pick []int) bool {
	for k := range b.sides {
		if !b.sides[k].possible(s, b.factor(s), func(m Metric, i int) []float64 {
			return b.sides[k].rows.of(m, i, s.table.columnOf(i, pick))
		}) {
			return false
		}
	}
	latency, cost := s.outcomes(pick)
	return keepsAll(b.demands, latency, cost)
}

// reach returns the smallest limit of the leading bound under which a
// configuration keeps every demand, all limits going with it.
func (b *beside) reach(s *search, pick []int) float64 {
	latency, cost := s.outcomes(pick)
	at := 0.0
	for _, d := range b.demands {
		at = max(at, d.Reach(latency, cost)/d.Limit*b.stretch)
	}
	return at
}

// open reports whether something below a node may keep every demand. Every open
// stage takes, scenario by scenario and metric by metric, the best of what is
// left to it.
func (b *beside) open(s *search, n *node, lists []*list, left []int) bool {
	for k := range b.sides {
		if !b.sides[k].possible(s, b.factor(s), func(m Metric, i int) []float64 {
			if lists[i] == nil {
				return b.sides[k].rows.of(m, i, s.inputOf(n, i)*len(s.dead[i])+n.pick[i])
			}
			return s.sideFloor(k, m, i, s.inputOf(n, i), lists[i], left[i])
		}) {
			return false
		}
	}
	for k := range b.pairings {
		if !b.pairings[k].possible(s, k, b.factor(s), n, lists) {
			return false
		}
	}
	return b.cut == nil || b.cut.possible(s, n, lists)
}

// possible reports whether the demand can be met by what has the given columns,
// or more, in the rows. The mean over the worst of some of the scenarios is at
// most that over the worst of all.
func (d *side) possible(s *search, factor float64, column func(m Metric, i int) []float64) bool {
	cols := map[Metric][][]float64{}
	for _, m := range d.metrics() {
		cols[m] = make([][]float64, len(s.dead))
		for i := range s.dead {
			cols[m][i] = column(m, i)
		}
	}
	limit := d.Limit * factor
	if factor != 1 {
		limit += precision * limit
	}
	if d.Measure == CVaR {
		values := s.eval.values(d.Metric, cols[d.Metric], d.rows.n)
		return tailMean(values, d.worst, min(d.whole, len(values)-1)) <= limit+precision*limit
	}
	if d.Also == 0 {
		return s.eval.over(d.Metric, cols[d.Metric], 0, d.rows.n, limit, d.Allowed) <= d.Allowed
	}
	also, over := d.Also*factor, 0
	if factor != 1 {
		also += precision * also
	}
	first := make([]float64, block)
	for from := 0; from < d.rows.n && over <= d.Allowed; from += block {
		size := min(block, d.rows.n-from)
		copy(first, s.eval.at(d.Metric, cols[d.Metric], from, size))
		for k, v := range s.eval.at(d.Metric.Other(), cols[d.Metric.Other()], from, size) {
			if !(first[k] <= limit) || !(v <= also) {
				over++
			}
		}
	}
	return over <= d.Allowed
}

// floorKey names a floor of a list in the rows of a side.
type floorKey struct {
	side   int
	metric Metric
	items  int
}

// sideFloor returns the best of a metric over the first j items of a stage's
// list, scenario by scenario in the rows of a side.
func (s *search) sideFloor(k int, m Metric, stage, input int, l *list, j int) []float64 {
	if l.beside == nil {
		l.beside = map[floorKey][]float64{}
	}
	if floor := l.beside[floorKey{k, m, j}]; floor != nil {
		return floor
	}
	from := j - 1
	for from > 0 && l.beside[floorKey{k, m, from}] == nil {
		from--
	}
	rows := s.beside.sides[k].rows
	var out []float64
	if from > 0 {
		out = slices.Clone(l.beside[floorKey{k, m, from}])
	} else {
		out = slices.Repeat([]float64{math.Inf(1)}, rows.n)
	}
	for _, it := range l.items[max(0, from):j] {
		s.eachColumn(stage, input, it.choice, func(c int) {
			for x, v := range rows.of(m, stage, c) {
				if v < out[x] {
					out[x] = v
				}
			}
		})
	}
	l.beside[floorKey{k, m, j}] = out
	s.kept += len(out)
	return out
}

// eachColumn calls f with the columns that a choice of a stage has: the one under
// an input, or with input -1 all of them.
func (s *search) eachColumn(stage, input, choice int, f func(c int)) {
	t := &s.table.stages[stage]
	if input >= 0 {
		f(input*len(t.choices) + choice)
		return
	}
	for k := range t.inputs {
		f(k*len(t.choices) + choice)
	}
}
