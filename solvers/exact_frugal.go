package solvers

import (
	"cmp"
	"math"
	"slices"
)

// frugal looks for configurations as good as the proved one that spend less of
// the metric that is not minimised, on average: a stage that is on the longest
// path of no scenario can as well be small. It changes one stage at a time, as
// long as that helps, and keeps all bounds.
type frugal struct {
	s     *search
	pick  []int
	best  float64 // the objective may not be above it
	value func(pick []int) float64

	// Where the objective is mean latency: that linearised at the configuration
	// that was proved, a lower bound; the stages that count for nothing in it,
	// and its mean in a few scenarios. A change of such a stage is faster in no
	// scenario.
	tangent [][]float64
	aside   []bool
	thin    float64
}

// economise exchanges the incumbent of a completed search for the most frugal
// one that is as good, as far as changes of single stages lead to it, and
// returns its objective.
func (s *search) economise() float64 {
	f := &frugal{s: s, pick: slices.Clone(s.incumbent)}
	switch {
	case s.reach: // a percentile is minimised
		f.best, f.value = s.limit, s.percentile
	default:
		f.best, f.value = s.best, s.objective
	}
	// Half of what counts as equal, so that rounding does not make it more.
	f.best += precision / 2 * math.Abs(f.best)
	if s.table.problem.Objective() == Latency && !s.reach {
		f.linearise()
	}
	for changed := true; changed; {
		changed = false
		for i := range f.pick {
			changed = f.improve(i) || changed
		}
	}
	s.incumbent = f.pick
	return f.value(f.pick)
}

// linearise takes the tangent.
func (f *frugal) linearise() {
	s, all := f.s, f.s.table.all
	weight := s.onLongest(f.pick)
	f.tangent = all.weigh(Latency, weight)
	for _, w := range weight {
		f.aside = append(f.aside, slices.Max(w) == 0)
	}
	f.thin = s.eval.mean(Latency, s.table.thin.under(Latency, f.pick), s.table.thin.n)
}

// spends returns the mean of the metric that is not minimised.
func (f *frugal) spends(pick []int) float64 {
	s := f.s
	if s.table.problem.Objective() == Latency {
		return s.table.total(s.mean[Cost], pick)
	}
	return s.eval.mean(Latency, s.table.all.under(Latency, pick), s.table.n)
}

// improve changes stage i to the choice that spends least among those that are as
// good, and reports whether it is another one.
func (f *frugal) improve(i int) bool {
	s := f.s
	type change struct {
		pick   []int
		spends float64
	}
	var list []change
	for j := range s.table.stages[i].choices {
		to := slices.Clone(f.pick)
		if to[i] = j; j != f.pick[i] && !s.done() && s.admits(to) && !f.worse(i, to) {
			list = append(list, change{to, f.spends(to)})
		}
	}
	if len(list) == 0 {
		return false
	}
	now := f.spends(f.pick)
	if !math.IsInf(now, 0) {
		now -= precision * math.Abs(now)
	}
	list = slices.DeleteFunc(list, func(c change) bool { return !(c.spends < now) })
	slices.SortStableFunc(list, func(a, b change) int { return cmp.Compare(a.spends, b.spends) })
	for _, c := range list {
		if !s.done() && !f.slower(i, c.pick) && f.value(c.pick) <= f.best && s.keepsEverything(c.pick) {
			f.pick = c.pick
			return true
		}
	}
	return false
}

// worse reports whether the means of stages tell that a change of stage i is not
// as good.
func (f *frugal) worse(i int, to []int) bool {
	s := f.s
	switch {
	case s.reach:
		return false
	case f.tangent != nil:
		return !(s.table.total(f.tangent, to) <= f.best)
	}
	return !(s.table.total(s.mean[Cost], to) <= f.best)
}

// slower reports whether a few scenarios tell that a change of stage i is not as
// good: where nothing is faster they only have to show that something is slower.
func (f *frugal) slower(i int, to []int) bool {
	if f.tangent == nil || !f.aside[i] {
		return false
	}
	s, thin := f.s, f.s.table.thin
	above := s.eval.mean(Latency, thin.under(Latency, to), thin.n) - f.thin
	return above*float64(thin.n) > precision*math.Abs(f.best)*float64(s.table.n)
}

// keepsEverything reports whether a configuration keeps all that the search does,
// apart from what it minimises.
func (s *search) keepsEverything(pick []int) bool {
	if s.reach {
		return s.finite(pick) && s.beside.keeps(s, pick)
	}
	return s.feasible(pick)
}
