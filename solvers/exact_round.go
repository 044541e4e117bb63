package solvers

import (
	"cmp"
	"math"
	"slices"

	"eevee/models"
)

// rounding looks for whole configurations near the relaxation. Its prices make
// best only what is on the convex hull of the two linear functions; of what lies
// behind that, rounding finds what is better than the incumbent in the one and
// keeps the bound, about, in the other. It does so depth first, by sums of single
// numbers, and tries the best of what it finds on the scenarios. What is told of
// the bounded metric by its linear function is learnt from those.
type rounding struct {
	s       *search
	lambda  float64
	bounded [][]float64
	order   []int          // of the stages
	lists   [][][]int      // per stage and input: choices worth a look, the best priced first
	own     [3][][]float64 // per function, stage and column
	rest    [3][]float64   // per function and depth: the least that the stages from there on add

	limit [3]float64 // per function
	pick  []int
	ends  []float64 // scratch of path
	steps int
	found []rounded // the best in the objective
	tried [][]int
}

// rounded is a configuration, with a lower bound of its objective.
type rounded struct {
	pick      []int
	objective float64
}

// The functions of a rounding.
const (
	roundObjective = iota
	roundBounded
	roundPriced
)

// How many choices are looked at in one round, how many configurations are then
// tried, and how many rounds there are.
const (
	roundSteps = 5_000
	roundTries = 16
	roundMost  = 12
)

// round improves the incumbent by configurations near the relaxation. The target
// of the linear function is bisected: where nothing that is found keeps the bound
// it is lowered, where nothing is found it is raised. A search that may miss the
// optimum by a tolerance has no use for it.
func (s *search) round(r *mixture) {
	if s.done() || s.tolerance > 0 || s.incumbent == nil || !(r.lambda > 0) || math.IsInf(r.lambda, 1) {
		return
	}
	r.calibrate()
	v := newRounding(s, r)
	target, high, low := r.target, r.target, math.Inf(-1)
	for range roundMost {
		v.look(target)
		improved, offset := v.try()
		if s.done() {
			return
		}
		switch {
		case improved:
			continue // as long as that helps
		case len(v.found) > 0:
			high = target
			target = max(s.limit+offset, (low+high)/2)
		case math.IsInf(low, -1) && target == high:
			return // not even there
		default:
			low = target
			target = (low + high) / 2
		}
	}
}

func newRounding(s *search, r *mixture) *rounding {
	v := &rounding{s: s, lambda: r.lambda, bounded: r.bounded(), pick: make([]int, len(s.dead)), ends: make([]float64, len(s.dead))}
	objective, bounded := r.objective(), r.bounded()
	priced := s.copyShape(objective)
	s.combine(priced, objective, bounded, v.lambda)
	v.own = [3][][]float64{s.shifted(objective), s.shifted(bounded), s.shifted(priced)}
	v.order = s.branchOrder(objective, bounded)
	v.lists = make([][][]int, len(v.order))
	for i := range v.lists {
		for in := range s.table.stages[i].inputs {
			v.lists[i] = append(v.lists[i], v.list(i, in*len(s.dead[i])))
		}
	}
	for f := range v.rest {
		v.rest[f] = make([]float64, len(v.order)+1)
		for d := len(v.order) - 1; d >= 0; d-- {
			least := math.Inf(1)
			for in, list := range v.lists[v.order[d]] {
				for _, j := range list {
					least = min(least, v.own[f][v.order[d]][in*len(s.dead[v.order[d]])+j])
				}
			}
			v.rest[f][d] = v.rest[f][d+1] + least
		}
	}
	return v
}

// list returns the choices of a stage, the best priced first, without those that
// another one is not worse than in both functions: of the same parallelism, or of
// any where nothing depends on that.
func (v *rounding) list(i, base int) []int {
	s := v.s
	choices := s.table.stages[i].choices
	objective, bounded, priced := v.own[roundObjective][i][base:], v.own[roundBounded][i][base:], v.own[roundPriced][i][base:]
	free := len(s.readers[i]) == 0 && !slices.ContainsFunc(s.space.Rules(), func(r models.Rule) bool { return r.Stage == i || r.Of == i })
	var list []int
	for j, dead := range s.dead[i] {
		if !dead {
			list = append(list, j)
		}
	}
	level := func(j int) int {
		if free {
			return 0
		}
		return choices[j].Parallelism
	}
	slices.SortStableFunc(list, func(a, b int) int {
		return cmp.Or(level(a)-level(b), cmp.Compare(objective[a], objective[b]), cmp.Compare(bounded[a], bounded[b]))
	})
	kept := list[:0]
	for _, j := range list {
		if k := len(kept) - 1; k >= 0 && level(kept[k]) == level(j) && bounded[kept[k]] <= bounded[j] {
			continue
		}
		kept = append(kept, j)
	}
	slices.SortStableFunc(kept, func(a, b int) int { return cmp.Compare(priced[a], priced[b]) })
	return kept
}

// look finds configurations whose bounded function is at most the target.
func (v *rounding) look(target float64) {
	v.limit = [3]float64{v.s.best, target, v.s.best + v.lambda*target}
	v.steps, v.found = 0, v.found[:0]
	v.visit(0, [3]float64{})
}

// visit looks at what the first depth stages leave open, given what they add to
// every function.
func (v *rounding) visit(depth int, sums [3]float64) {
	if depth == len(v.order) {
		v.keep(sums[roundObjective])
		return
	}
	s, i := v.s, v.order[depth]
	input := 0
	if parent := s.table.stages[i].parent; parent >= 0 {
		input = s.table.input(i, s.table.stages[parent].choices[v.pick[parent]].Parallelism)
	}
	for _, j := range v.lists[i][input] {
		if v.steps++; v.steps > roundSteps {
			return
		}
		with := sums
		for f := range with {
			with[f] += v.own[f][i][input*len(s.dead[i])+j]
		}
		if with[roundPriced]+v.rest[roundPriced][depth+1] > v.limit[roundPriced] {
			return // those that follow are not better
		}
		if with[roundObjective]+v.rest[roundObjective][depth+1] >= v.limit[roundObjective] ||
			with[roundBounded]+v.rest[roundBounded][depth+1] > v.limit[roundBounded] {
			continue
		}
		if v.pick[i] = j; v.admits(depth) {
			v.visit(depth+1, with)
		}
	}
}

// admits reports whether the rules between the stages up to a depth are kept.
func (v *rounding) admits(depth int) bool {
	s, i := v.s, v.order[depth]
	for _, r := range s.space.Rules() {
		if r.Stage != i && r.Of != i {
			continue
		}
		if slices.Contains(v.order[:depth+1], r.Stage) && slices.Contains(v.order[:depth+1], r.Of) &&
			!r.Admits(s.space.Choices(r.Stage)[v.pick[r.Stage]].Parallelism, s.space.Choices(r.Of)[v.pick[r.Of]].Parallelism) {
			return false
		}
	}
	return true
}

// keep remembers a configuration if it is among the best ones.
func (v *rounding) keep(objective float64) {
	s := v.s
	if objective = max(objective, s.atLeast(v.pick)); s.metric == Cost {
		objective = max(objective, v.path())
	}
	if !(objective < v.limit[roundObjective]) || slices.ContainsFunc(v.tried, func(p []int) bool { return slices.Equal(p, v.pick) }) {
		return
	}
	at, _ := slices.BinarySearchFunc(v.found, objective, func(c rounded, o float64) int { return cmp.Compare(c.objective, o) })
	if len(v.found) == roundTries {
		v.found = v.found[:roundTries-1]
	}
	v.found = slices.Insert(v.found, at, rounded{slices.Clone(v.pick), objective})
	if len(v.found) == roundTries {
		v.limit[roundObjective] = v.found[roundTries-1].objective
	}
}

// path returns the longest path of the stages' mean latencies, which is at most
// the mean of the longest paths (Jensen).
func (v *rounding) path() float64 {
	s := v.s
	longest := 0.0
	for i := range v.ends {
		start := 0.0
		for _, p := range s.eval.parents[i] {
			start = max(start, v.ends[p])
		}
		v.ends[i] = start + s.mean[Latency][i][s.table.columnOf(i, v.pick)]
		longest = max(longest, v.ends[i])
	}
	return longest
}

// try offers what was found. It reports whether something was better, and by how
// much the linear function was above the percentile of what was tried, on
// average; -Inf where that cannot be told.
func (v *rounding) try() (improved bool, offset float64) {
	s := v.s
	sum, count := 0.0, 0.0
	for _, c := range v.found {
		if s.done() || c.objective >= s.best {
			break
		}
		v.tried = append(v.tried, c.pick)
		values := s.eval.values(s.metric, s.table.leading.under(s.metric, c.pick), s.table.hard)
		q := OrderStatistic(values, min(s.allowed, len(values)-1))
		if by := s.table.total(v.bounded, c.pick) - q; !math.IsInf(by, 0) && !math.IsNaN(by) {
			sum, count = sum+by, count+1
		}
		before := s.best
		improved = q <= s.limit && s.promising(c.pick) && s.offer(c.pick) < before || improved
	}
	if count == 0 {
		return improved, math.Inf(-1)
	}
	return improved, sum / count
}
