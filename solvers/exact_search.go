package solvers

import (
	"context"
	"math"
	"slices"

	"eevee/models"
)

// search is one run of branch and bound.
type search struct {
	ctx     context.Context
	table   *table
	space   *models.Space
	metric  Metric // the bounded one
	allowed int
	limit   float64
	reach   bool // minimise the limit itself, whatever the objective

	parents [][]int
	sinks   []int
	joins   bool     // whether several paths compete for the longest
	read    []bool   // whether some stage reads this one's parallelism
	dead    [][]bool // choices per stage that no better configuration uses
	branch  []int    // the order in which stages are assigned
	lists   map[listKey]*list

	// linear holds, per stage and column of the table, what the choice adds to
	// the objective. For cost that is its mean. For latency it is the mean over
	// the scenarios in which the stage lay on the longest path under a
	// reference configuration: the longest path is at least as long as that
	// path, so the sum over stages is a lower bound of the mean latency, and
	// exact at the reference.
	linear      [][]float64
	multipliers []float64   // prices of the objective in units of the bounded metric
	hard        int         // leading rows that relaxations are checked on
	score       [][]float64 // per stage and column: mean of the bounded metric over the hardest rows; where cuts are mixed
	refinedAt   int         // depth of the node that the linear objective was made for; 0: the root

	best      float64
	incumbent []int
	nodes     int
	stopped   bool
	open      float64 // smallest lower bound among the nodes that were not searched

	ends    [][]float64 // scratch of one block of scenarios, per stage
	through pathScratch
}

// block is how many scenarios are evaluated at a time: few enough for the
// cache, and for stopping early.
const block = 64

func newSearch(ctx context.Context, t *table, allowed int, limit float64) *search {
	w := t.problem.Workflow()
	s := &search{
		ctx: ctx, table: t, space: t.problem.Space, metric: t.problem.Bound.Metric,
		allowed: allowed, limit: limit,
		sinks: w.Sinks(), read: make([]bool, w.Len()), lists: make(map[listKey]*list),
		best: math.Inf(1), open: math.Inf(1),
	}
	s.hard = min(t.n, (4*(allowed+1)+block-1)/block*block)
	for i := range w.Len() {
		s.parents = append(s.parents, w.Parents(i))
		s.joins = s.joins || len(w.Parents(i)) > 1 || len(w.Sinks()) > 1
		s.dead = append(s.dead, make([]bool, len(s.space.Choices(i))))
		s.ends = append(s.ends, make([]float64, block))
		if t.inputs[i] != nil {
			s.read[w.InputParent(i)] = true
		}
	}
	return s
}

// branchOrder puts first the stages whose choice moves the objective most; a
// stage that reads its input's parallelism comes after that one.
func (s *search) branchOrder() []int {
	w := s.space.Workflow
	spread := make([]float64, w.Len())
	for i, linear := range s.linear {
		spread[i] = slices.Max(linear) - slices.Min(linear)
		for _, r := range s.space.Rules() {
			if r.Equal && (r.Stage == i || r.Of == i) {
				spread[i] = math.Inf(1)
			}
		}
	}
	var order []int
	for len(order) < w.Len() {
		next := -1
		for i := range spread {
			if slices.Contains(order, i) || s.table.inputs[i] != nil && !slices.Contains(order, w.InputParent(i)) {
				continue
			}
			if next < 0 || spread[i] > spread[next] {
				next = i
			}
		}
		order = append(order, next)
	}
	return order
}

// node is a partial assignment.
type node struct {
	pick   []int // choice per stage, -1 while open
	lo, hi []int // interval of the parallelism per stage
	items  []item
}

func (s *search) root() *node {
	n := s.space.Workflow.Len()
	root := &node{pick: make([]int, n), lo: make([]int, n), hi: make([]int, n), items: make([]item, n)}
	for i := range n {
		d := parallelisms(s.space.Choices(i))
		root.pick[i], root.lo[i], root.hi[i] = -1, d[0], d[len(d)-1]
	}
	return root
}

func (n *node) clone() *node {
	return &node{slices.Clone(n.pick), slices.Clone(n.lo), slices.Clone(n.hi), slices.Clone(n.items)}
}

// assign gives stage i the item and narrows the others by the rules. It
// reports false where a stage is left without parallelism.
func (s *search) assign(n *node, i int, it item) bool {
	n.pick[i], n.items[i] = it.choice, it
	n.lo[i], n.hi[i] = it.parallelism, it.parallelism
	return s.narrow(n)
}

// narrow applies the coupling rules to the intervals until nothing changes.
func (s *search) narrow(n *node) bool {
	for changed := true; changed; {
		changed = false
		atMost := func(x *int, limit int) {
			if *x > limit {
				*x, changed = limit, true
			}
		}
		atLeast := func(x *int, limit int) {
			if *x < limit {
				*x, changed = limit, true
			}
		}
		for _, r := range s.space.Rules() {
			atMost(&n.hi[r.Stage], r.Times*n.hi[r.Of])
			atLeast(&n.lo[r.Of], (n.lo[r.Stage]+r.Times-1)/r.Times)
			if r.Equal {
				atLeast(&n.lo[r.Stage], r.Times*n.lo[r.Of])
				atMost(&n.hi[r.Of], n.hi[r.Stage]/r.Times)
			}
			if n.lo[r.Stage] > n.hi[r.Stage] || n.lo[r.Of] > n.hi[r.Of] {
				return false
			}
		}
	}
	return true
}

// run searches the whole tree and reports whether it was completed.
func (s *search) run() bool {
	root := s.root()
	if s.narrow(root) {
		s.visit(root, 0)
	}
	return !s.stopped
}

// proved returns the lower bound that the search has shown.
func (s *search) proved(complete bool) float64 {
	if complete {
		return s.best
	}
	return min(s.best, s.open)
}

// visit searches below n, of which the first depth stages of the branching
// order are assigned.
func (s *search) visit(n *node, depth int) {
	s.nodes++
	if s.nodes%32 == 0 && s.ctx.Err() != nil {
		s.stopped = true
	}
	lists, bound, left, ok := s.relax(n)
	if s.stopped {
		s.open = min(s.open, bound)
		return
	}
	if !ok {
		return
	}
	if s.complete(n, lists, bound) || depth == len(s.branch) {
		return
	}

	if s.worthRefining(depth) {
		s.refine(n, depth)
		return
	}
	i := s.branch[depth]
	for j := range left[i] {
		it := lists[i].items[j]
		below := bound + it.mean - lists[i].items[0].mean
		if s.stopped {
			s.open = min(s.open, below)
			return
		}
		if !s.reach && below >= s.best {
			return
		}
		child := n.clone()
		if s.assign(child, i, it) {
			s.visit(child, depth+1)
		}
	}
}

// worthRefining reports whether a node of the given depth gets a linear
// objective of its own: every second level, where latency is the objective,
// unless there is only one path or too few stages are open for it to pay.
func (s *search) worthRefining(depth int) bool {
	return s.metric == Cost && !s.reach && s.joins && len(s.multipliers) > 0 &&
		depth > s.refinedAt && depth%2 == 0 && depth <= len(s.branch)-2
}

// inputOf returns the index of the input parallelism of open stage i, -1 while
// it is open itself.
func (s *search) inputOf(n *node, i int) int {
	if s.table.inputs[i] == nil {
		return 0
	}
	parent := s.space.Workflow.InputParent(i)
	if n.pick[parent] < 0 {
		return -1
	}
	return s.table.input(i, n.lo[parent])
}

// keeps reports whether at most the allowed number of the first n rows exceed
// the limit when stage i takes cols[i].
func (s *search) keeps(cols [][]float64, n int, limit float64) bool {
	over := 0
	for from := 0; from < n; from += block {
		values := s.evaluate(cols, from, min(block, n-from))
		if s.reach {
			for _, v := range values {
				if !(v < limit) {
					over++
				}
			}
		} else {
			for _, v := range values {
				if !(v <= limit) {
					over++
				}
			}
		}
		if over > s.allowed {
			return false
		}
	}
	return true
}

// evaluate returns the bounded metric of size scenarios.
func (s *search) evaluate(cols [][]float64, from, size int) []float64 {
	if s.metric == Cost {
		sum := s.ends[0][:size]
		copy(sum, cols[0][from:])
		for _, c := range cols[1:] {
			for k, v := range c[from : from+size] {
				sum[k] += v
			}
		}
		return sum
	}
	return s.latest(cols, from, size)
}

// latest returns the latency of size scenarios.
func (s *search) latest(cols [][]float64, from, size int) []float64 {
	for i, c := range cols {
		c, end := c[from:from+size], s.ends[i][:size]
		switch parents := s.parents[i]; len(parents) {
		case 0:
			copy(end, c)
		case 1:
			start := s.ends[parents[0]][:size]
			for k, v := range c {
				end[k] = v + start[k]
			}
		default:
			copy(end, s.ends[parents[0]][:size])
			for _, p := range parents[1:] {
				for k, v := range s.ends[p][:size] {
					end[k] = max(end[k], v)
				}
			}
			for k, v := range c {
				end[k] = v + end[k]
			}
		}
	}
	last := s.ends[s.sinks[0]][:size]
	for _, i := range s.sinks[1:] {
		for k, v := range s.ends[i][:size] {
			last[k] = max(last[k], v)
		}
	}
	return last
}

// complete tries the configuration in which every open stage takes its best
// mean. It reports whether that settles the node: nothing below it is better.
func (s *search) complete(n *node, lists []*list, bound float64) bool {
	c := n.clone()
	for i, l := range lists {
		if l != nil {
			c.pick[i], c.items[i] = l.items[0].choice, l.items[0]
		}
	}
	if _, err := s.space.Locate(s.space.Config(c.pick)); err != nil {
		return false
	}
	return s.offer(c.pick) <= bound
}

// offer makes the configuration the incumbent if it is feasible and better. It
// returns its objective, +Inf where it is not feasible.
func (s *search) offer(pick []int) float64 {
	cols := make([][]float64, len(pick))
	for i, c := range s.table.of(pick) {
		cols[i] = s.boundedOf(c)
	}
	if !s.keeps(cols, s.table.n, s.limit) {
		return math.Inf(1)
	}
	if s.reach {
		s.limit = OrderStatistic(s.bounded(cols), s.allowed)
		s.incumbent = slices.Clone(pick)
		return math.Inf(1)
	}
	objective := s.objective(pick)
	if objective < s.best {
		s.best, s.incumbent = objective, slices.Clone(pick)
	}
	return objective
}

// bounded returns the bounded metric of every scenario.
func (s *search) bounded(cols [][]float64) []float64 {
	var values []float64
	for from := 0; from < s.table.n; from += block {
		values = append(values, s.evaluate(cols, from, min(block, s.table.n-from))...)
	}
	return values
}

// objective returns the mean of the objective's metric under a configuration.
func (s *search) objective(pick []int) float64 {
	cols := s.table.of(pick)
	if s.metric == Latency {
		sum := 0.0
		for _, c := range cols {
			sum += c.meanCost
		}
		return sum
	}
	latency := make([][]float64, len(cols))
	for i, c := range cols {
		latency[i] = c.latency
	}
	var values []float64
	for from := 0; from < s.table.n; from += block {
		values = append(values, s.latest(latency, from, min(block, s.table.n-from))...)
	}
	return mean(values)
}
