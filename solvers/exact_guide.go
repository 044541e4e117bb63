package solvers

import (
	"math"
	"slices"
)

// guide takes from the relaxation what the search is guided by, and drops what
// a first look from the root rules out. Where latency is the objective it does
// so again: the linear objective at the relaxed optimum proves most about the
// whole. Where much is left the relaxation of that is solved, which proves more
// as long as it drops choices; else one that is nearly exact around the
// incumbent proves most.
func (s *search) guide(r *mixture) {
	s.adopt(r)
	if s.reach || s.incumbent == nil || !(r.lambda > 0) || math.IsInf(1/r.lambda, 1) {
		return
	}
	root := s.root()
	if !s.narrow(root) {
		return
	}
	s.lookAhead(root, r)
	for s.metric == Cost && s.joins && s.large() && !s.done() && s.floor < s.settled() {
		before, linear, prices := s.floor, s.linear, s.prices
		r.again()
		s.adopt(r)
		s.lookAhead(root, r)
		if s.done() {
			break // nothing was priced to the end
		}
		if s.pricedBound(root, s.prices[0]) < before { // the ones before prove more
			s.linear, s.prices = linear, prices
			s.shift()
		}
		clear(s.lists)
		if s.floor-before < worthwhile*math.Abs(before) {
			break
		}
	}
	if s.metric == Cost && s.joins && !s.large() && !s.done() && s.floor < s.settled() && s.leftOpen() {
		r.add(s.incumbent, 0.5)
		r.linearise()
		s.adopt(r)
		s.lookAhead(root, r)
	}
}

// worthwhile is by how much, relatively, another relaxation has to raise the
// lower bound for the next one.
const worthwhile = 1e-3

// adopt makes the linear objective of the relaxation that of the search.
func (s *search) adopt(r *mixture) {
	s.linear = r.objective()
	if s.reach {
		s.linear = s.mean[s.metric]
	}
	s.shift()
	clear(s.lists)
	s.branch = s.branchOrder(s.linear, r.bounded())
}

// lookAhead prices the bound and probes.
func (s *search) lookAhead(root *node, r *mixture) {
	// The price of the relaxation is about right: what it rules out need not be
	// looked at for a better one.
	s.prices = []price{{1 / r.lambda, s.sums(r.flow)}}
	s.forgetPrices()
	if s.screen(root, 0) > 0 {
		s.shift()
	}
	s.prices = s.bestPrices(root, 1/r.lambda, r.flow)
	if s.done() {
		return
	}
	s.forgetPrices()
	if s.floor >= s.settled() {
		return // nothing better is left
	}
	for s.screen(root, 0) > 0 && s.leftOpen() {
		s.shift()
	}
	s.shift()
	clear(s.lists)
	s.branch = s.branchOrder(s.linear, r.bounded())
}

// leftOpen reports whether a stage has more than one choice left, and none has
// no choice.
func (s *search) leftOpen() bool {
	open := false
	for _, dead := range s.dead {
		left := 0
		for _, d := range dead {
			if !d {
				left++
			}
		}
		if left == 0 {
			return false
		}
		open = open || left > 1
	}
	return open
}

// logLeft returns the logarithm of the number of configurations left, rules
// apart.
func (s *search) logLeft() float64 {
	sum := 0.0
	for _, dead := range s.dead {
		left := 0
		for _, d := range dead {
			if !d {
				left++
			}
		}
		sum += math.Log(float64(left))
	}
	return sum
}

// shift moves what a stage adds at least to the objective, under each value of
// the parallelism that it reads, to the choices of the stage that it reads it
// from. The linear objective of a configuration stays the same; the best means
// of single stages then add up to more.
func (s *search) shift() { s.linear = s.shifted(s.linear) }

// shifted does that to any function of the columns.
func (s *search) shifted(values [][]float64) [][]float64 {
	linear := s.copyOf(values)
	for i := len(linear) - 1; i >= 0; i-- {
		stage := &s.table.stages[i]
		if stage.parent < 0 {
			continue
		}
		to := linear[stage.parent]
		from := s.table.stages[stage.parent].choices
		for k, parallelism := range stage.inputs {
			own := linear[i][k*len(stage.choices) : (k+1)*len(stage.choices)]
			least := math.Inf(1)
			for j, v := range own {
				if !s.dead[i][j] {
					least = min(least, v)
				}
			}
			if math.IsInf(least, 0) || math.IsNaN(least) {
				continue
			}
			for j := range own {
				own[j] -= least
			}
			for c := range to {
				if from[c%len(from)].Parallelism == parallelism {
					to[c] += least
				}
			}
		}
	}
	return linear
}

// sums returns the shares with which the bounded metric is a sum over stages, or
// a lower bound of it.
func (s *search) sums(flow []float64) []float64 {
	if s.metric == Cost {
		return slices.Repeat([]float64{1}, len(s.dead))
	}
	return flow
}

// bestPrices returns the relaxations that the nodes below n are checked with:
// the given multiplier, or a neighbour that proves more.
func (s *search) bestPrices(n *node, multiplier float64, flow []float64) []price {
	const step = 1.5
	flows := [][]float64{s.sums(flow)}
	if s.metric == Latency && s.joins {
		flows = append(flows, nil)
	}
	var prices []price
	for _, f := range flows {
		best, bound := price{multiplier, f}, s.pricedBound(n, price{multiplier, f})
		for _, factor := range []float64{step, 1 / step} {
			moved := false
			for range 4 {
				p := price{best.multiplier * factor, f}
				b := s.pricedBound(n, p)
				if !(b > bound) {
					break
				}
				best, bound, moved = p, b, true
			}
			if moved {
				break // on the other side it is worse
			}
		}
		if s.done() { // what is linear may be unfinished
			return nil
		}
		s.floor = max(s.floor, min(s.goal(), bound-precision*math.Abs(bound)))
		s.tell()
		prices = append(prices, best)
	}
	for _, factor := range []float64{step * step, 1 / step / step} {
		prices = append(prices, price{prices[0].multiplier * factor, prices[0].flow})
	}
	return prices
}

// pricedBound returns the lower bound of the objective below n that one price
// proves: a configuration keeps the bound only if it spends at least
// (q - limit)/multiplier more than the best means, q being the order statistic
// of the priced relaxation. It is weaker than the best means alone where q is
// below the limit, and still says which way to go for a better multiplier.
// Choices that were dropped do not matter below the incumbent.
func (s *search) pricedBound(n *node, p price) float64 {
	was := s.prices
	s.prices = []price{p}
	defer func() { s.prices = was }()
	s.forgetPrices()
	for i := range n.pick {
		if _, l := s.partOf(n, i); l != nil && len(l.items) == 0 {
			return math.Inf(1)
		}
	}
	cols, bound := s.pricedColumns(n, 0)
	values := s.eval.values(s.priced(p), cols, s.table.hard)
	return bound + (OrderStatistic(values, min(s.allowed, len(values)-1))-s.limit)/p.multiplier
}

// forgetPrices drops what lists hold for other prices.
func (s *search) forgetPrices() {
	for _, l := range s.lists {
		l.priced = nil
	}
}

// pricedColumns returns what every stage adds to the relaxation of price m, nil
// where nothing is added, and the sum of means that those are relative to.
func (s *search) pricedColumns(n *node, m int) (cols [][]float64, bound float64) {
	p := s.prices[m]
	cols = make([][]float64, len(n.pick))
	absorbed := make([]bool, len(n.pick)) // in the column of the stage whose parallelism is read
	for i := range cols {
		parent := s.table.stages[i].parent
		absorbed[i] = parent >= 0 && s.priced(p) == Cost && (n.pick[parent] < 0 || absorbed[parent])
		switch {
		case absorbed[i]:
			bound += s.openMean(i)
		case n.pick[i] >= 0:
			bound += n.items[i].mean
			cols[i] = s.shared(s.boundedOf(i, n.items[i]), p, i)
		default:
			key := listKey{i, n.lo[i], n.hi[i], s.inputOf(n, i)}
			bound += s.list(key).items[0].mean
			cols[i] = s.pricedBy(key, m)
		}
	}
	return cols, bound
}

// priced says how the stages of a priced relaxation add up.
func (s *search) priced(p price) Metric {
	if p.flow != nil {
		return Cost // a sum
	}
	return s.metric
}

// partOf returns the item of an assigned stage, the list of an open one.
func (s *search) partOf(n *node, i int) (item, *list) {
	if n.pick[i] >= 0 {
		return n.items[i], nil
	}
	return item{}, s.list(listKey{i, n.lo[i], n.hi[i], s.inputOf(n, i)})
}

// shared returns what counts of an assigned stage's column in a relaxation.
func (s *search) shared(bounded []float64, p price, i int) []float64 {
	switch {
	case p.flow == nil || p.flow[i] == 1:
		return bounded
	case p.flow[i] == 0:
		return nil
	}
	out := make([]float64, len(bounded))
	for k, v := range bounded {
		out[k] = v * p.flow[i]
	}
	return out
}

// relax solves the relaxations of n. It returns the choices left to every open
// stage (nil for an assigned one), a lower bound of the objective, how many of
// the choices can still beat the incumbent, and whether anything below n can.
func (s *search) relax(n *node) (lists []*list, bound float64, left []int, ok bool) {
	lists = make([]*list, len(n.pick))
	for i := range lists {
		it, l := s.partOf(n, i)
		if l == nil {
			bound += it.mean
			continue
		}
		if len(l.items) == 0 {
			return nil, math.Inf(1), nil, false
		}
		lists[i] = l
		bound += l.items[0].mean
	}
	if s.reach {
		bound = math.Inf(-1)
	}
	goal := s.goal()
	if bound >= goal {
		return nil, bound, nil, false
	}
	slack := goal - bound
	left = make([]int, len(lists))
	cols := make([][]float64, len(lists))
	for i, l := range lists {
		if l == nil {
			cols[i] = s.boundedOf(i, n.items[i])
			continue
		}
		left[i] = s.affordable(l, slack)
		cols[i] = s.floorOf(i, l, left[i])
	}
	if !s.keeps(s.metric, cols, s.limit) {
		return nil, bound, nil, false
	}
	if s.beside != nil && !s.beside.open(s, n, lists, left) {
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
	for m, p := range s.prices {
		cols, from := s.pricedColumns(n, m)
		limit := s.limit + p.multiplier*(goal-from)
		if !s.keeps(s.priced(p), cols, limit+precision*math.Abs(limit)) {
			return nil, bound, nil, false
		}
	}
	return lists, bound, left, true
}

// keeps reports whether at most the allowed number of the leading scenarios
// exceed the limit, or reach it where the limit is minimised.
func (s *search) keeps(m Metric, cols [][]float64, limit float64) bool {
	if s.reach {
		return s.eval.reaching(m, cols, 0, s.table.hard, limit, s.allowed) <= s.allowed
	}
	return s.eval.over(m, cols, 0, s.table.hard, limit, s.allowed) <= s.allowed
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

// tooSlow reports whether nothing below n is better even where every open stage
// takes, in each scenario apart, the best latency among the choices that can
// still beat the incumbent: a lower bound that knows all paths, but no budget.
// A few scenarios tell whether to look at all.
func (s *search) tooSlow(n *node, lists []*list, left []int) bool {
	if s.incumbent == nil {
		return false
	}
	t := s.table
	if t.thin != t.all && s.fastest(t.thin, n, lists, left) < (1-hopeless)*s.goal()/s.best*s.thinMean() {
		return false
	}
	return s.fastest(t.all, n, lists, left) >= s.settled()
}

// hopeless is how far below the incumbent, relatively, the mean over a few
// scenarios has to be for that over all not to reach it. In the same scenarios
// both are off by about the same.
const hopeless = 5e-4

// fastest returns the mean of that latency over a view.
func (s *search) fastest(of *view, n *node, lists []*list, left []int) float64 {
	cols := make([][]float64, len(lists))
	for i, l := range lists {
		switch {
		case l != nil:
			cols[i] = s.latencyFloor(of, l, i, s.inputOf(n, i), left[i])
		default:
			cols[i] = of.of(Latency, i, s.inputOf(n, i)*len(s.dead[i])+n.pick[i])
		}
	}
	return s.eval.mean(Latency, cols, of.n)
}

// latencyFloor returns the best latency of the first j items, scenario by
// scenario.
func (s *search) latencyFloor(of *view, l *list, stage, input, j int) []float64 {
	floors := &l.latency
	if of == s.table.thin {
		floors = &l.thin
	}
	if *floors == nil {
		*floors = make([][]float64, len(l.items)+1)
	}
	known := *floors
	from := j
	for from > 0 && known[from] == nil {
		from--
	}
	if from == j {
		return known[j]
	}
	t := &s.table.stages[stage]
	inputs := []int{input}
	if input < 0 {
		inputs = inputs[:0]
		for k := range t.inputs {
			inputs = append(inputs, k)
		}
	}
	var out []float64
	if from > 0 {
		out = slices.Clone(known[from])
	}
	for _, it := range l.items[from:j] {
		for _, in := range inputs {
			col := of.of(Latency, stage, in*len(t.choices)+it.choice)
			if out == nil {
				out = slices.Clone(col)
				continue
			}
			for k, v := range col {
				if v < out[k] {
					out[k] = v
				}
			}
		}
	}
	known[j] = out
	s.kept += len(out)
	return out
}
