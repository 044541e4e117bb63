package solvers

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// stretchNodes is how many nodes the search for the best reachable limits looks
// at under an aim with several bounds: that they cannot be kept is proved by
// then.
const stretchNodes = 20_000

// aimed is the search under an aim with more in it than one percentile of one
// metric. It is led by one chance constraint on the metric that is not minimised,
// with all the relaxations of a plain problem: by a bound of the aim, by the part
// of a joint bound on that metric, or by the percentile that a bound on CVaR
// implies. The rest of the aim stands beside it.
type aimed struct {
	ctx     context.Context
	problem *Problem
	demands []Demand
	room    *room
	states  int
}

// lead is a chance constraint on the metric that is not minimised.
type lead struct {
	limit   float64
	allowed int
	plain   int // the demand that it stands for as a whole; -1: it is only implied
}

func (a *aimed) leads() []lead {
	var list []lead
	m := a.problem.Bound.Metric
	for k, d := range a.demands {
		limit := d.limitOn(m)
		if limit == 0 {
			continue
		}
		l := lead{limit, d.Allowed, -1}
		if d.Also == 0 && d.Measure == Quantile {
			l.plain = k
		}
		list = append(list, l)
	}
	return list
}

// search returns a search led by l with everything else of the aim beside it.
func (a *aimed) search(l lead) *search {
	s := a.plain(l.allowed, l.limit)
	s.beside = &beside{}
	for k, d := range a.demands {
		if k != l.plain {
			s.beside.demands = append(s.beside.demands, d)
		}
	}
	return s
}

// plain returns a search without it.
func (a *aimed) plain(allowed int, limit float64) *search {
	s := newSearch(a.ctx, a.problem, allowed, limit)
	s.table.room = a.room
	return s
}

func (a *aimed) solve() Solution {
	s := a.bestLed()
	solution := Solution{Status: LimitHit, Objective: math.NaN(), LowerBound: math.Inf(-1), Reachable: math.NaN(), Enforced: a.problem.Bound.Limit}
	complete := false
	if a.problem.Percentile == 0 {
		complete = s.run()
		solution.LowerBound = s.proved(complete)
	} else if s.incumbent == nil {
		complete = s.run() // any answer, or the proof that there is none
	}
	a.states += s.nodes
	if a.problem.Percentile != 0 && (s.incumbent != nil || complete) {
		complete = a.percentile(s, &solution)
	}
	switch {
	case solution.Config != nil:
	case s.incumbent != nil:
		solution.Config, solution.Objective = a.problem.Space.Config(s.incumbent), s.best
		if complete && a.problem.Percentile == 0 {
			solution.prove(s)
		}
	case complete:
		solution.Status, solution.LowerBound = Infeasible, math.Inf(1)
		a.stretch(s, &solution)
	}
	solution.States = a.states
	return solution
}

// bestLed returns a search, ready to run, led by the bound that proves most.
func (a *aimed) bestLed() *search {
	var best *search
	for _, l := range a.leads() {
		s := a.search(l)
		s.start()
		if s.incumbent == nil && !s.done() {
			if pick := a.tightened(l); pick != nil {
				s.release()
				s = a.search(l)
				s.best, s.incumbent = math.Inf(1), pick
				s.scale()
				s.best = s.objective(pick)
				s.start()
			}
		}
		a.ready(s)
		clear(s.lists)
		if best == nil {
			best = s
			continue
		}
		switch {
		case s.incumbent != nil && s.best < best.best && best.floor >= s.floor:
			best.best, best.incumbent = s.best, s.incumbent
		case s.floor > best.floor:
			if best.best < s.best {
				s.best, s.incumbent = best.best, best.incumbent
			}
			best, s = s, best
		}
		s.release()
	}
	return best
}

// ready prepares what stands beside the lead of a search that was started.
func (a *aimed) ready(s *search) {
	if s.done() || s.mixture == nil || s.floor >= s.settled() {
		return
	}
	by := s.incumbent
	if by == nil {
		by = s.mixture.parts[0].pick
	}
	b := s.beside
	b.prepare(s, by)
	for _, d := range b.demands {
		if d.Measure == CVaR && d.Metric == s.metric && b.cut == nil {
			if b.cut = newTailCut(s, d, by); b.cut != nil {
				s.floor = max(s.floor, min(s.goal(), b.cut.bound-precision*math.Abs(b.cut.bound)))
			}
		}
	}
	if s.mixture.flow != nil {
		b.pairUp(s, a.demands, by, s.mixture.flow)
	}
	s.screenBeside()
}

// screenBeside prices the pairings, and drops what they and the cut rule out
// from the root, until nothing more goes.
func (s *search) screenBeside() {
	b := s.beside
	clear(s.lists)
	for first := true; !s.done() && s.leftOpen(); first = false {
		root := s.root()
		if !s.narrow(root) {
			return
		}
		lists := make([]*list, len(s.dead))
		for i := range lists {
			if _, lists[i] = s.partOf(root, i); len(lists[i].items) == 0 {
				return
			}
		}
		dropped := 0
		for k := range b.pairings {
			p := &b.pairings[k]
			if first {
				if bound := p.price(s, b.factor(s), root, lists); p.minimised != "" {
					s.floor = max(s.floor, bound)
				}
			}
			dropped += p.screen(s, k, b.factor(s), root, lists)
		}
		if b.cut != nil && !math.IsInf(s.best, 1) {
			dropped += b.cut.screen(s, root, lists)
		}
		clear(s.lists)
		if dropped == 0 && !first {
			return
		}
	}
}

// tightened looks for a first configuration that keeps the aim: the answer to the
// leading bound alone, whose limit is lowered by as much as that misses the
// aim.
func (a *aimed) tightened(l lead) []int {
	limit := l.limit
	for range 8 {
		s := a.plain(l.allowed, limit)
		s.start()
		if s.done() || s.incumbent == nil {
			s.release()
			return nil
		}
		latency, cost := s.outcomes(s.incumbent)
		worst := 0.0
		for _, d := range a.demands {
			worst = max(worst, d.Reach(latency, cost)/d.Limit)
		}
		s.release()
		if keepsAll(a.demands, latency, cost) {
			return s.incumbent
		}
		limit /= max(1.001, worst*1.002)
	}
	return nil
}

// percentile minimises a percentile of the objective, from the best
// configuration that a search for the mean has found. Where that has found none
// there may still be one whose mean is infinite. It reports whether the search
// was completed.
func (a *aimed) percentile(mean *search, solution *Solution) bool {
	rank := a.problem.objectiveRank(a.problem.Scenarios.Len())
	mean.release()
	s := a.plain(rank, math.Inf(1))
	s.metric, s.reach = a.problem.Objective(), true
	s.beside = &beside{demands: a.demands}
	s.scale()
	s.linear = s.mean[s.metric]
	by := mean.incumbent
	if by == nil {
		by = make([]int, len(s.dead))
	}
	s.order(by)
	if mean.incumbent != nil {
		s.offer(by)
		s.improve()
		by = s.incumbent
	}
	s.branch = mean.branch
	if s.branch == nil {
		s.branch = s.branchOrder(s.linear, s.mean[s.metric.Other()])
	}
	if by == nil { // the percentile of what was found is infinite
		by = mean.incumbent
	}
	s.beside.prepare(s, by)
	if mean.mixture != nil && mean.mixture.flow != nil {
		s.beside.pairUp(s, a.demands, by, mean.mixture.flow)
	}
	s.screenBeside()
	complete := s.run()
	a.states += s.nodes
	solution.LowerBound = min(s.limit, s.floor)
	if s.incumbent == nil {
		return complete
	}
	solution.Config, solution.Objective = a.problem.Space.Config(s.incumbent), s.limit
	if complete {
		solution.prove(s)
	}
	return complete
}

// improve changes one stage of the incumbent at a time, as long as that lowers
// the limit that is minimised.
func (s *search) improve() {
	for improved := s.incumbent != nil; improved; {
		improved = false
		for i := range s.dead {
			for j := range s.table.stages[i].choices {
				if s.done() {
					return
				}
				pick := slices.Clone(s.incumbent)
				before := s.limit
				if pick[i] = j; s.dead[i][j] || !s.admits(pick) {
					continue
				}
				s.offer(pick)
				improved = improved || s.limit < before
			}
		}
	}
}

// stretch finds out how far all limits would have to be moved, in proportion,
// for the aim to be in reach.
func (a *aimed) stretch(of *search, solution *Solution) {
	l := a.leads()[0]
	of.release()
	s := a.search(l)
	s.reach, s.limit, s.patience = true, math.Inf(1), stretchNodes
	s.beside.stretch = l.limit
	s.start()
	between := s.copyShape(s.mean[Cost])
	lo, hi := priceRange(s.mean[s.metric.Other()], s.mean[s.metric])
	s.bisect(lo, hi, 20, func(lambda float64) bool {
		s.combine(between, s.mean[s.metric.Other()], s.mean[s.metric], lambda)
		pick, total := s.minimise(between)
		before := s.limit
		if !math.IsInf(total, 1) {
			s.offer(pick)
		}
		return s.limit < before
	})
	complete := false
	if !s.done() {
		s.improve()
		by := s.incumbent
		if by == nil {
			by = make([]int, len(s.dead))
		}
		s.beside.prepare(s, by)
		if of.mixture != nil && of.mixture.flow != nil {
			s.beside.pairUp(s, a.demands, by, of.mixture.flow)
		}
		s.screenBeside()
		complete = s.run()
	}
	a.states += s.nodes
	if s.incumbent != nil {
		solution.Config = a.problem.Space.Config(s.incumbent)
		solution.Objective = a.problem.value(s.outcomes(s.incumbent))
	}
	if complete {
		solution.Reachable = s.limit / l.limit * a.problem.Bound.Limit
		return
	}
	text := "the search for the best reachable limits was cut short"
	if s.incumbent != nil {
		text += fmt.Sprintf("; %.4g times all limits are in reach", s.limit/l.limit)
	}
	solution.Warnings = append(solution.Warnings, text)
}
