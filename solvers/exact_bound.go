package solvers

import (
	"math"

	"eevee/models"
)

// guide fixes what the search is guided by: the order of the rows and the
// linear objective around a reference configuration, the multipliers and the
// branching order; and it drops what a first look from the root rules out.
func (s *search) guide(reference []int, multiplier float64) {
	cols := make([][]float64, len(reference))
	for i, c := range s.table.of(reference) {
		cols[i] = s.boundedOf(c)
	}
	s.table.sortRows(s.bounded(cols))
	s.linear = s.linearise(reference)
	if s.metric == Cost && s.joins {
		s.score = s.scores(min(s.hard, 2*(s.allowed+1)))
	}
	s.branch = s.branchOrder()
	clear(s.lists)
	if multiplier > 0 && !s.reach {
		root := s.root()
		if s.narrow(root) {
			s.multipliers = s.bestMultipliers(root, multiplier)
			s.probe(root)
		}
	}
}

// bestMultipliers climbs, from the given one, to the multiplier with the
// strongest relaxation at n, and returns it with its neighbours.
func (s *search) bestMultipliers(n *node, from float64) []float64 {
	const step = 1.6
	bounds := map[int]float64{}
	bound := func(e int) float64 {
		b, ok := bounds[e]
		if !ok {
			b = s.pricedBound(n, from*math.Pow(step, float64(e)))
			bounds[e] = b
		}
		return b
	}
	at := 0
	for range 40 {
		switch {
		case bound(at+1) > bound(at):
			at++
		case bound(at-1) > bound(at):
			at--
		}
	}
	var multipliers []float64
	for _, e := range []int{at, at + 1, at - 1} {
		multipliers = append(multipliers, from*math.Pow(step, float64(e)))
	}
	return multipliers
}

// pricedBound returns the lower bound of the objective below n that one
// multiplier proves: a configuration keeps the bound only if it spends at least
// (q - limit)/multiplier more than the best means, q being the order statistic
// of the priced relaxation. It is weaker than the best means alone where q is
// below the limit, and still says which way to go for a better multiplier.
func (s *search) pricedBound(n *node, multiplier float64) float64 {
	bound := 0.0
	cols := make([][]float64, len(n.pick))
	for i := range cols {
		if n.pick[i] >= 0 {
			bound += n.items[i].mean
			cols[i] = n.items[i].bounded
			continue
		}
		l := s.list(listKey{i, n.lo[i], n.hi[i], s.inputOf(n, i)})
		if len(l.items) == 0 {
			return math.Inf(1)
		}
		bound += l.items[0].mean
		cols[i] = l.price(multiplier, s.hard)
	}
	var values []float64
	for from := 0; from < s.hard; from += block {
		values = append(values, s.evaluate(cols, from, min(block, s.hard-from))...)
	}
	return bound + (OrderStatistic(values, s.allowed)-s.limit)/multiplier
}

// linearise returns the linear objective that is exact at the reference, for
// the choices that are left.
func (s *search) linearise(reference []int) [][]float64 {
	linear := make([][]float64, len(s.table.columns))
	onPath := s.longestPaths(reference)
	for i, cols := range s.table.columns {
		linear[i] = make([]float64, len(cols))
		for j := range cols {
			if s.dead[i][j%len(s.dead[i])] {
				continue
			}
			switch {
			case s.reach:
				linear[i][j] = mean(s.boundedOf(&cols[j]))
			case s.metric == Latency:
				linear[i][j] = cols[j].meanCost
			default:
				sum := 0.0
				for _, k := range onPath[i] {
					sum += cols[j].latency[k]
				}
				linear[i][j] = sum / float64(s.table.n)
			}
		}
	}
	return linear
}

// boundedOf returns the bounded metric of a column.
func (s *search) boundedOf(c *column) []float64 {
	if s.metric == Cost {
		return c.cost
	}
	return c.latency
}

// longestPaths returns, per stage, the rows in which it lies on the longest
// path under a configuration; every row has exactly one such path.
func (s *search) longestPaths(pick []int) [][]int32 {
	w := s.space.Workflow
	rows := make([][]int32, w.Len())
	if s.metric == Latency || s.reach {
		return rows
	}
	cols := s.table.of(pick)
	end := make([]float64, w.Len())
	from := make([]int, w.Len())
	for k := range s.table.n {
		for i, c := range cols {
			start := 0.0
			from[i] = -1
			for x, p := range s.parents[i] {
				if x == 0 || end[p] > start {
					start, from[i] = end[p], p
				}
			}
			end[i] = start + c.latency[k]
		}
		last := s.sinks[0]
		for _, i := range s.sinks[1:] {
			if end[i] > end[last] {
				last = i
			}
		}
		for i := last; i >= 0; i = from[i] {
			rows[i] = append(rows[i], int32(k))
		}
	}
	return rows
}

// probe marks the choices that the relaxations of a node rule out one by one.
func (s *search) probe(at *node) {
	if math.IsInf(s.best, 1) {
		return
	}
	for i := range s.dead {
		if at.pick[i] >= 0 {
			continue
		}
		for j, c := range s.space.Choices(i) {
			if s.ctx.Err() != nil {
				return
			}
			if s.dead[i][j] || c.Parallelism < at.lo[i] || c.Parallelism > at.hi[i] {
				continue
			}
			n := at.clone()
			it := s.item(i, j, s.inputOf(n, i))
			it.parallelism = c.Parallelism
			if !s.assign(n, i, it) {
				s.dead[i][j] = true
			} else if _, _, _, ok := s.relax(n); !ok {
				s.dead[i][j] = true
			}
		}
	}
	clear(s.lists) // they still hold what was dropped
}

// relax solves the relaxations of n. It returns the choices left to every open
// stage (nil for an assigned one), a lower bound of the objective, how many of
// the choices can still beat the incumbent, and whether anything below n can.
func (s *search) relax(n *node) (lists []*list, bound float64, left []int, ok bool) {
	lists = make([]*list, len(n.pick))
	for i := range lists {
		if n.pick[i] >= 0 {
			bound += n.items[i].mean
			continue
		}
		l := s.list(listKey{i, n.lo[i], n.hi[i], s.inputOf(n, i)})
		if len(l.items) == 0 {
			return nil, math.Inf(1), nil, false
		}
		lists[i] = l
		bound += l.items[0].mean
	}
	if s.reach {
		bound = math.Inf(-1)
	}
	if bound >= s.best {
		return nil, bound, nil, false
	}
	slack := s.best - bound
	left = make([]int, len(lists))
	cols := make([][]float64, len(lists))
	for i, l := range lists {
		if l == nil {
			cols[i] = n.items[i].bounded
			continue
		}
		left[i] = s.affordable(l, slack)
		cols[i] = l.floorOf(left[i])
	}
	if !s.keeps(cols, s.hard, s.limit) {
		return nil, bound, nil, false
	}
	if math.IsInf(slack, 1) {
		return lists, bound, left, true
	}
	// Any better configuration spends less than slack above the best means of
	// all open stages together. Pricing what it spends with a multiplier gives
	//
	//	bounded(x) >= sum or path of min(bounded + multiplier*extra) - multiplier*slack
	//
	// in every scenario, the Lagrangian relaxation of that budget (Geoffrion,
	// Mathematical Programming Study 2, 1974).
	for m, multiplier := range s.multipliers {
		for i, l := range lists {
			if l != nil {
				cols[i] = l.pricedBy(s.multipliers, m, s.hard)
			}
		}
		if !s.keeps(cols, s.hard, s.limit+multiplier*slack) {
			return nil, bound, nil, false
		}
	}
	return lists, bound, left, true
}

// affordable counts the leading items whose mean leaves the objective below
// the incumbent's.
func (s *search) affordable(l *list, slack float64) int {
	if s.reach || math.IsInf(slack, 1) {
		return len(l.items)
	}
	limit := l.items[0].mean + slack
	n := 1
	for n < len(l.items) && l.items[n].mean < limit {
		n++
	}
	return n
}

// pathScratch is room for longest.
type pathScratch struct{ head, tail, whole []float64 }

// longest returns, for every stage, the length of the longest path through it.
func (p *pathScratch) longest(w *models.Workflow, length []float64) []float64 {
	if p.head == nil {
		p.head, p.tail, p.whole = make([]float64, len(length)), make([]float64, len(length)), make([]float64, len(length))
	}
	for i, l := range length {
		start := 0.0
		for x, parent := range w.Parents(i) {
			if x == 0 || p.head[parent] > start {
				start = p.head[parent]
			}
		}
		p.head[i] = start + l
	}
	for i := len(length) - 1; i >= 0; i-- {
		rest := 0.0
		for x, child := range w.Children(i) {
			if x == 0 || p.tail[child]+length[child] > rest {
				rest = p.tail[child] + length[child]
			}
		}
		p.tail[i] = rest
		p.whole[i] = p.head[i] + rest
	}
	return p.whole
}
