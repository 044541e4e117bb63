package solvers

import (
	"context"
	"math"
	"slices"

	"eevee/models"
)

// search is one run of branch and bound.
type search struct {
	ctx         context.Context
	table       *columns
	space       *models.Space
	eval        *evaluator
	elimination *models.Elimination
	metric      Metric // the bounded one
	allowed     int
	limit       float64
	reach       bool    // minimise the limit itself, whatever the objective
	beside      *beside // what else has to be kept; nil: nothing
	patience    int     // end after so many nodes; 0: never

	vast    bool     // whether the space is large before anything of it is dropped
	joins   bool     // whether several paths compete for the longest
	readers [][]int  // the stages that read this one's parallelism
	lo, hi  []int    // interval of the parallelism per stage, at the root
	dead    [][]bool // choices per stage that no better configuration uses
	branch  []int    // the order in which stages are assigned
	lists   map[listKey]*list

	nothing []float64 // zeros, of the leading scenarios; see counted

	overInputs [][][]float64 // per stage and choice: the best bounded value over all inputs, in the leading scenarios; made when first asked for

	mean map[Metric][][]float64 // per stage and column

	// linear holds, per stage and column of the table, what the choice adds to
	// the objective. For cost that is its mean. For latency it is the mean over
	// the scenarios in which the stage lies on the longest path of a mixture of
	// configurations: the longest path is at least as long as that path, so
	// the sum over stages is a lower bound of the mean latency.
	linear  [][]float64
	cuts    [][][]float64 // other functions of that kind, where latency is the objective
	prices  []price
	mixture *mixture // the relaxation that they come from

	tolerance float64 // what the incumbent may be worse than the optimum, relatively
	best      float64
	incumbent []int
	thinPick  []int   // the configuration that thinBest is of
	thinBest  float64 // mean latency in the thin view
	nodes     int
	stopped   bool
	open      float64 // smallest lower bound among the nodes that were not searched
	floor     float64 // lower bound proved at the root
	kept      int     // numbers that lists hold
	most      int     // that they may
	show      func(Progress)
}

// price is one Lagrangian relaxation of the bound; see search.relax.
type price struct {
	multiplier float64   // of the objective, in units of the bounded metric
	flow       []float64 // per stage: share of the bounded metric that counts; nil: the longest path
}

func newSearch(ctx context.Context, p *Problem, allowed int, limit float64) *search {
	w := p.Workflow()
	n := p.Scenarios.Len()
	s := &search{
		ctx: ctx, show: progressOf(ctx), space: p.Space, metric: p.Bound.Metric, eval: newEvaluator(w),
		table:   newColumns(p, hardRows(n, allowed)),
		allowed: allowed, limit: limit,
		elimination: p.Space.Elimination(p.Scenarios.ReadsInput),
		readers:     make([][]int, w.Len()), lists: make(map[listKey]*list),
		best: math.Inf(1), open: math.Inf(1), floor: math.Inf(-1),
	}
	s.table.stop = s.done
	s.most = keptOf(numbers(p), n)
	for i := range w.Len() {
		s.joins = s.joins || len(w.Parents(i)) > 1 || len(w.Sinks()) > 1
		choices := p.Space.Choices(i) // by parallelism
		s.dead = append(s.dead, make([]bool, len(choices)))
		s.overInputs = append(s.overInputs, make([][]float64, len(choices)))
		s.lo, s.hi = append(s.lo, choices[0].Parallelism), append(s.hi, choices[len(choices)-1].Parallelism)
		if parent := s.table.stages[i].parent; parent >= 0 {
			s.readers[parent] = append(s.readers[parent], i)
		}
	}
	s.vast = s.large()
	return s
}

// done reports whether the search has to end.
func (s *search) done() bool {
	if !s.stopped && s.ctx.Err() != nil {
		s.stopped = true
	}
	return s.stopped
}

// branchOrder puts first the stages whose choice moves both the objective and
// the bounded metric most; where one of them stays as it is there is little to
// decide. A stage that reads its input's parallelism comes after that one.
func (s *search) branchOrder(objective, bounded [][]float64) []int {
	spread := make([]float64, len(s.dead))
	for i := range s.dead {
		spread[i] = s.spread(i, objective[i]) * s.spread(i, bounded[i])
		for _, r := range s.space.Rules() {
			if r.Equal && (r.Stage == i || r.Of == i) && spread[i] > 0 {
				spread[i] = math.Inf(1)
			}
		}
	}
	for i := len(spread) - 1; i >= 0; i-- {
		for _, reader := range s.readers[i] {
			spread[i] = max(spread[i], spread[reader])
		}
	}
	var order []int
	for len(order) < len(spread) {
		next := -1
		for i := range spread {
			if slices.Contains(order, i) || s.table.stages[i].parent >= 0 && !slices.Contains(order, s.table.stages[i].parent) {
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

// spread returns how far apart the finite values of the choices that are left
// to a stage lie.
func (s *search) spread(i int, values []float64) float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for c, v := range values {
		if !s.dead[i][c%len(s.dead[i])] && !math.IsInf(v, 0) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return max(0, hi-lo)
}

// node is a partial assignment.
type node struct {
	pick   []int // choice per stage, -1 while open
	lo, hi []int // interval of the parallelism per stage
	items  []item
}

func (s *search) root() *node {
	n := len(s.dead)
	return &node{slices.Repeat([]int{-1}, n), slices.Clone(s.lo), slices.Clone(s.hi), make([]item, n)}
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

// admits reports whether a configuration keeps the rules.
func (s *search) admits(pick []int) bool {
	for _, r := range s.space.Rules() {
		if !r.Admits(s.space.Choices(r.Stage)[pick[r.Stage]].Parallelism, s.space.Choices(r.Of)[pick[r.Of]].Parallelism) {
			return false
		}
	}
	return true
}

// run searches the whole tree and reports whether it was completed.
func (s *search) run() bool {
	if s.done() {
		s.open = math.Inf(-1)
		return false
	}
	if s.floor >= s.settled() {
		return true
	}
	root := s.root()
	if !s.narrow(root) {
		return true
	}
	if s.divides() {
		return s.divide()
	}
	if s.reach || len(s.prices) == 0 || !s.large() {
		s.visit(root, 0)
		return !s.stopped
	}
	q := s.raise(root)
	for _, at := range q {
		if s.stopped {
			s.open = min(s.open, at.bound)
			continue
		}
		s.visit(at.node, at.depth)
	}
	return !s.stopped
}

// goal returns what a configuration must be below to be worth finding.
func (s *search) goal() float64 {
	if s.tolerance == 0 || math.IsInf(s.best, 1) {
		return s.best
	}
	return s.best - s.tolerance*math.Abs(s.best)
}

// settled is what a lower bound must reach for nothing better to be left.
func (s *search) settled() float64 {
	goal := s.goal()
	if math.IsInf(goal, 1) {
		return goal
	}
	return goal - 2*precision*math.Abs(goal)
}

// proved returns the lower bound that the search has shown.
func (s *search) proved(complete bool) float64 {
	if complete {
		return s.goal()
	}
	return min(s.goal(), max(s.open, s.floor))
}

// visit searches below n, of which the first depth stages of the branching
// order are assigned.
func (s *search) visit(n *node, depth int) {
	s.count()
	lists, bound, left, ok := s.relax(n)
	if s.done() {
		s.open = min(s.open, bound)
		return
	}
	if !ok {
		return
	}
	if s.complete(n, lists, bound) || depth == len(s.branch) {
		return
	}
	if s.metric == Cost && !s.reach && s.joins && depth > 0 && s.tooSlow(n, lists, left) {
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
		if !s.reach && below >= s.goal() {
			return
		}
		child := n.clone()
		if s.assign(child, i, it) {
			s.visit(child, depth+1)
		}
	}
}

// count begins a node: it tells the progress, ends a search that has lost its
// patience, and forgets the lists when they hold too much.
func (s *search) count() {
	s.nodes++
	if s.nodes%progressNodes == 0 {
		s.tell()
	}
	if s.nodes == s.patience {
		s.stopped = true
	}
	if s.kept > s.most {
		clear(s.lists)
		s.kept = 0
	}
}

// inputOf returns the position of the input parallelism of open stage i, -1
// while it is open itself.
func (s *search) inputOf(n *node, i int) int {
	parent := s.table.stages[i].parent
	switch {
	case parent < 0:
		return 0
	case n.pick[parent] < 0:
		return -1
	}
	return s.table.input(i, n.lo[parent])
}

// complete tries the configuration in which every open stage takes its best
// mean. It reports whether that settles the node: nothing below it is better.
func (s *search) complete(n *node, lists []*list, bound float64) bool {
	pick := slices.Clone(n.pick)
	open := false
	for i, l := range lists {
		if l != nil {
			pick[i], open = l.items[0].choice, true
		}
	}
	if !s.admits(pick) {
		return false
	}
	// The bound is not exact where paths join: it settles nothing there.
	if open && s.metric == Cost && s.joins && !s.reach && !s.promising(pick) {
		return false
	}
	objective := s.offer(pick)
	return !math.IsInf(objective, 1) && objective-bound <= precision*math.Abs(objective)
}

// precision is the relative difference between two sums of the same numbers in
// another order. Configurations that differ by less count as equally good.
const precision = 1e-12

// offer makes the configuration the incumbent if it is feasible and better. It
// returns the objective, or a lower bound of it that shows that it is not
// better; +Inf where it is not feasible.
func (s *search) offer(pick []int) float64 {
	if s.reach {
		s.offerLimit(pick)
		return math.Inf(1)
	}
	if bound := s.atLeast(pick); bound >= s.best {
		return bound
	}
	if !s.feasible(pick) {
		return math.Inf(1)
	}
	objective := s.objective(pick)
	if objective < s.best {
		s.best, s.incumbent = objective, slices.Clone(pick)
		s.tell()
	}
	return objective
}

// atLeast returns a lower bound of the objective of a configuration: what is
// quick to tell of it.
func (s *search) atLeast(pick []int) float64 {
	if s.metric == Latency {
		return s.table.total(s.mean[Cost], pick)
	}
	bound := math.Inf(-1)
	for _, cut := range s.cuts {
		bound = max(bound, s.table.total(cut, pick))
	}
	return bound
}

// promising reports whether a configuration may be better than the incumbent, as
// far as a few scenarios tell.
func (s *search) promising(pick []int) bool {
	if s.atLeast(pick) >= s.best {
		return false
	}
	thin := s.table.thin
	return s.metric == Latency || s.incumbent == nil || thin == s.table.all ||
		s.eval.mean(Latency, thin.under(Latency, pick), thin.n) < s.thinMean()
}

// thinMean returns the mean latency of the incumbent in the scenarios that stand
// for all.
func (s *search) thinMean() float64 {
	if !slices.Equal(s.thinPick, s.incumbent) {
		thin := s.table.thin
		s.thinPick, s.thinBest = s.incumbent, s.eval.mean(Latency, thin.under(Latency, s.incumbent), thin.n)
	}
	return s.thinBest
}

// cut keeps a linear lower bound of the objective for atLeast, the newest ones
// only.
func (s *search) cut(linear [][]float64) {
	const most = 8
	if len(s.cuts) == most {
		s.cuts = slices.Delete(s.cuts, 0, 1)
	}
	s.cuts = append(s.cuts, linear)
}

// progressNodes is after how many nodes progress is told.
const progressNodes = 500

// tell shows the progress. What is proved while the search is under way is what
// was proved at the root.
func (s *search) tell() {
	if s.show != nil && !s.reach {
		s.show(Progress{Objective: s.best, LowerBound: min(s.best, s.floor), Nodes: s.nodes})
	}
}

// feasible reports whether a configuration keeps the bound. Most of those that
// do not are found out on the leading scenarios.
func (s *search) feasible(pick []int) bool {
	t := s.table
	return s.seemsFeasible(pick) && s.eval.over(s.metric, t.all.under(s.metric, pick), 0, t.n, s.limit, s.allowed) <= s.allowed &&
		(s.beside == nil || s.beside.keeps(s, pick))
}

// seemsFeasible is feasible as far as the leading scenarios tell.
func (s *search) seemsFeasible(pick []int) bool {
	t := s.table
	return t.leading == nil || s.eval.over(s.metric, t.leading.under(s.metric, pick), 0, t.hard, s.limit, s.allowed) <= s.allowed
}

// offerLimit is offer where the limit is minimised.
func (s *search) offerLimit(pick []int) {
	t := s.table
	if s.eval.reaching(s.metric, t.leading.under(s.metric, pick), 0, t.hard, s.limit, s.allowed) > s.allowed {
		return
	}
	if !s.admits(pick) || !s.finite(pick) {
		return
	}
	q := OrderStatistic(s.eval.values(s.metric, t.all.under(s.metric, pick), t.n), s.allowed)
	switch {
	case s.beside == nil:
	case s.beside.stretch > 0:
		q = max(q, s.beside.reach(s, pick))
	case !s.beside.keeps(s, pick):
		return
	}
	if q < s.limit || s.incumbent == nil {
		s.limit, s.incumbent = q, slices.Clone(pick)
	}
}

// finite reports whether the objective of a configuration is.
func (s *search) finite(pick []int) bool {
	p := s.table.problem
	if p.Percentile != 0 {
		return !math.IsInf(p.value(s.outcomes(pick)), 1)
	}
	return !math.IsInf(s.table.total(s.mean[p.Objective()], pick), 1) // as that of any of its stages
}

// objective returns the mean of the objective's metric under a configuration.
func (s *search) objective(pick []int) float64 {
	if s.metric == Latency {
		return s.table.total(s.mean[Cost], pick)
	}
	return Mean(s.eval.values(Latency, s.table.all.under(Latency, pick), s.table.n))
}
