package solvers

import (
	"context"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"eevee/models"
)

// Frontier is the trade-off between a percentile of the bounded metric and the
// mean of the other one.
type Frontier struct {
	Points    []FrontierPoint // the percentile falling, the mean rising; none is as good as another in both
	Allowed   int             // k: scenarios that may exceed a point's percentile
	Tolerance float64         // relative, as asked for
	Complete  bool            // nothing was cut short: every configuration is within the tolerance of a point
}

// FrontierPoint is one configuration of a Frontier.
type FrontierPoint struct {
	Config     models.Config
	Percentile float64 // the (k+1)-th largest value of the bounded metric
	Objective  float64 // sample mean of the other metric
	LowerBound float64 // no configuration with at most this percentile has a lower mean
	Outcome    Outcome
}

// frontierParts is into how many parts, equal on a logarithmic scale, the range
// of the percentile is divided. They are searched apart, so that their number is
// fixed.
const frontierParts = 8

// Frontier returns the whole frontier under the rule and percentile of p's
// bound, whose limit does not matter; what is infinite in either figure is no
// part of it. With tolerance 0 it holds every point; else for every configuration
// of the space there is one whose percentile and mean are both at most 1+tolerance
// times as large. Under the rule certified the guarantee holds for all points at
// once: it does not depend on the limit.
//
// Part by part the limit is lowered below the percentile of the point found
// last, and the problem solved again. Columns, scenario order, the continuous
// relaxation and its price are those of the point before. done, which may be
// nil, is told the share of the range that is behind, from several goroutines.
func (Exact) Frontier(ctx context.Context, p *Problem, tolerance float64, done func(share float64)) (Frontier, error) {
	allowed, err := p.Allowed()
	if err != nil {
		return Frontier{}, err
	}
	f := Frontier{Allowed: allowed, Tolerance: tolerance}
	best := newSearch(ctx, p, allowed, math.MaxFloat64/4)
	best.start()
	if !best.run() || best.incumbent == nil {
		f.Complete = !best.stopped // then nothing is finite in both
		return f, nil
	}
	fastest := newSearch(ctx, p, allowed, math.Inf(1))
	fastest.reach = true
	fastest.start()
	if !fastest.run() {
		return f, nil
	}
	high, low := best.percentile(best.incumbent), fastest.limit
	parts := make([][]FrontierPoint, frontierParts)
	complete := make([]bool, frontierParts)
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i := range parts {
		work.Go(func() error {
			from, to := cutAt(high, low, i), cutAt(high, low, i+1)
			s := &sweep{search: newSearch(ctx, p, allowed, from), to: to}
			s.search.tolerance = tolerance / 2
			parts[i], complete[i] = s.run(tolerance, func(share float64) {
				if done != nil {
					done(share / frontierParts)
				}
			})
			return nil
		})
	}
	work.Wait() // no part fails
	f.Complete = !slices.Contains(complete, false)
	f.Points = undominatedPoints(slices.Concat(parts...))
	for i := range f.Points {
		f.Points[i].Outcome = p.evaluateOn(p.Scenarios, f.Points[i].Config)
	}
	return f, nil
}

// cutAt returns the limit at which part i of a frontier begins.
func cutAt(high, low float64, i int) float64 {
	switch {
	case i == 0:
		return high
	case i == frontierParts:
		return low
	case low > 0:
		return high * math.Pow(low/high, float64(i)/frontierParts)
	}
	return high + (low-high)*float64(i)/frontierParts
}

// undominatedPoints drops the points that others are at least as good as.
func undominatedPoints(points []FrontierPoint) []FrontierPoint {
	slices.SortStableFunc(points, func(a, b FrontierPoint) int {
		if a.Percentile != b.Percentile {
			return compareDown(a.Percentile, b.Percentile)
		}
		return compareDown(a.Objective, b.Objective)
	})
	var kept []FrontierPoint
	least := math.Inf(1)
	for _, p := range slices.Backward(points) {
		if p.Objective < least-precision*math.Abs(least) || len(kept) == 0 {
			kept = append(kept, p)
			least = p.Objective
		}
	}
	slices.Reverse(kept)
	return kept
}

func compareDown(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// sweep is a search whose limit is lowered from point to point.
type sweep struct {
	search  *search
	to      float64
	ordered float64 // the limit at which the scenarios were ordered last
}

// run returns the points of the part, and whether none is missing.
func (w *sweep) run(tolerance float64, done func(share float64)) (points []FrontierPoint, complete bool) {
	s := w.search
	from, told := s.limit, 0.0
	tell := func(limit float64) {
		if share := (from - limit) / (from - w.to); share > told && share <= 1 {
			done(share - told)
			told = share
		}
	}
	defer func() { done(1 - told) }()
	s.start()
	w.ordered = s.limit
	for {
		ok := s.run()
		if s.incumbent == nil {
			return points, ok
		}
		q := s.percentile(s.incumbent)
		points = append(points, FrontierPoint{
			Config: s.space.Config(s.incumbent), Percentile: q, Objective: s.best, LowerBound: s.proved(ok),
		})
		if !ok {
			return points, false
		}
		next := math.Nextafter(q, math.Inf(-1))
		if tolerance > 0 && q > 0 {
			next = min(next, q/(1+tolerance))
		}
		if next < w.to {
			if q <= w.to || tolerance == 0 {
				return points, true
			}
			next = w.to
		}
		tell(next)
		w.lower(next)
	}
}

// reorder is by how much the limit may fall before the scenarios are ordered
// anew.
const reorder = 0.02

// lower begins a new search under a lower limit, with what is known from the
// last one. The lower bound of the objective stays: it can only rise.
func (w *sweep) lower(limit float64) {
	s := w.search
	last, by := s.incumbent, limit-s.limit
	s.floor, s.limit = s.proved(true), limit
	s.best, s.incumbent, s.open = math.Inf(1), nil, math.Inf(1)
	for i := range s.dead {
		clear(s.dead[i])
	}
	clear(s.lists)
	s.linear, s.prices, s.kept = nil, nil, 0
	r := s.mixture
	if r == nil || r.lambda == 0 || len(r.parts) == 0 {
		s.start()
		w.ordered = limit
		return
	}
	r.target += by
	r.trim()
	r.addUp()
	r.mix()
	if w.ordered-limit > reorder*math.Abs(w.ordered) {
		s.order(last)
		w.ordered = limit
		r.restart()
	}
	r.roundNear(4, 7, true, 0.15)
	if s.done() {
		return
	}
	if s.incumbent == nil {
		s.start()
		w.ordered = limit
		return
	}
	r.linearise()
	s.guide(r)
}

// percentile returns the order statistic of the bounded metric.
func (s *search) percentile(pick []int) float64 {
	return OrderStatistic(s.eval.values(s.metric, s.table.all.under(s.metric, pick), s.table.n), s.allowed)
}
