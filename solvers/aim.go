package solvers

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
)

// Aim is what is asked of a configuration: to keep bounds, and to make one
// figure small.
//
// The metric that the first bound is not on is the one to minimise, so that the
// simplest aim is a Bound alone: a percentile of one metric, and the mean of the
// other. Only methods that say so in Supports can do with more.
type Aim struct {
	Bound   Bound
	Further []Bound // to be kept as well, on either metric, under the rule and confidence of the first

	// Percentile of the metric that is minimised, the (floor(n*(1 -
	// Percentile/100))+1)-th largest value on the sample; 0: its mean. Either is
	// an estimate: guarantees are for bounds.
	Percentile float64
}

// Objective returns the metric that is minimised.
func (a Aim) Objective() Metric { return a.Bound.Metric.Other() }

// Bounds returns all bounds, the first one first.
func (a Aim) Bounds() []Bound { return append([]Bound{a.Bound}, a.Further...) }

// Check reports what is wrong with the aim.
func (a Aim) Check() error {
	for _, b := range a.Bounds() {
		if err := b.Check(); err != nil {
			return err
		}
		if b.Rule != a.Bound.Rule || b.Confidence != a.Bound.Confidence {
			return fmt.Errorf("bounds: all are judged together, not one by rule %s with confidence %v and another by %s with %v",
				a.Bound.Rule, a.Bound.Confidence, b.Rule, b.Confidence)
		}
	}
	if a.Percentile != 0 && !(a.Percentile > 0 && a.Percentile < 100) {
		return fmt.Errorf("objective: percentile %v is not above 0 and below 100", a.Percentile)
	}
	return nil
}

// Plain says why a method that keeps one percentile of one metric, and
// minimises the mean of the other, cannot handle the aim; nil if it can.
func (a Aim) Plain() error {
	var more []string
	if len(a.Further) > 0 {
		more = append(more, fmt.Sprintf("%d bounds", 1+len(a.Further)))
	}
	for _, b := range a.Bounds() {
		if b.Also > 0 {
			more = append(more, "a joint bound on latency and cost")
		}
		if b.Measure == CVaR {
			more = append(more, "a bound on CVaR")
		}
	}
	if a.Percentile != 0 {
		more = append(more, fmt.Sprintf("p%v of %s to be minimised", a.Percentile, a.Objective()))
	}
	if more == nil {
		return nil
	}
	return errors.New("it keeps one percentile of one metric and minimises the mean of the other; here is " + strings.Join(more, ", "))
}

// Demand is a Bound as it is judged on a sample.
type Demand struct {
	Bound
	Allowed int // how many scenarios may break it; see Bound.Allowed
}

// Demands returns what the bounds demand of n scenarios, for configurations out
// of a space of the given size. Under the rule certified all chance constraints
// hold at once with the confidence asked for: each of the m has an m-th of the
// error (Bonferroni), as if the space were m times as large. A joint bound counts
// once: a scenario breaks it, or does not (Luedtke and Ahmed 2008, whose constraint is a vector).
// CVaR has no guarantee to share in.
func (a Aim) Demands(n int, size *big.Int) ([]Demand, error) {
	size = a.counted(size)
	var list []Demand
	for _, b := range a.Bounds() {
		k, err := b.Allowed(n, size)
		if err != nil {
			return nil, err
		}
		list = append(list, Demand{b, k})
	}
	return list, nil
}

// counted returns how many statements a guarantee has to hold for: one for every
// configuration and chance constraint.
func (a Aim) counted(size *big.Int) *big.Int {
	chances := int64(0)
	for _, b := range a.Bounds() {
		if b.Measure != CVaR {
			chances++
		}
	}
	return new(big.Int).Mul(size, big.NewInt(max(1, chances)))
}

// DefaultSamples returns the number of scenarios to use where the user names
// none: what the bound that needs most does; see Bound.DefaultSamples.
func (a Aim) DefaultSamples(size *big.Int) int {
	n := 0
	for _, b := range a.Bounds() {
		n = max(n, b.DefaultSamples(a.counted(size)))
	}
	return n
}

// value returns the figure to minimise of what a configuration does.
func (a Aim) value(latency, cost []float64) float64 {
	values := latency
	if a.Objective() == Cost {
		values = cost
	}
	if a.Percentile == 0 {
		return Mean(values)
	}
	return OrderStatistic(values, a.objectiveRank(len(values)))
}

// objectiveRank returns how many of n values are above the percentile that is
// minimised.
func (a Aim) objectiveRank(n int) int {
	_, whole := tailSize(n, a.Percentile)
	return min(whole, n-1)
}

// Violations counts the scenarios that exceed a limit of the bound. One without
// a number does.
func (b Bound) Violations(latency, cost []float64) int {
	first, second := latency, cost
	if b.Metric == Cost {
		first, second = cost, latency
	}
	over := 0
	for i, v := range first {
		// Not "v > limit": a scenario without a number counts as violated.
		if !(v <= b.Limit) || b.Also > 0 && !(second[i] <= b.Also) {
			over++
		}
	}
	return over
}

// Keeps reports whether the demand is met.
func (d Demand) Keeps(latency, cost []float64) bool {
	if d.Measure == CVaR {
		return d.Reach(latency, cost) <= d.Limit
	}
	return d.Violations(latency, cost) <= d.Allowed
}

// Reach returns the smallest limit under which the demand would be met; that on
// the other metric of a joint one goes with it in proportion.
func (d Demand) Reach(latency, cost []float64) float64 {
	first, second := latency, cost
	if d.Metric == Cost {
		first, second = cost, latency
	}
	if d.Measure == CVaR {
		return TailMean(first, d.Percentile)
	}
	values := make([]float64, len(first))
	for i, v := range first {
		if d.Also > 0 {
			v = max(v, second[i]*(d.Limit/d.Also)) // NaN if either is
		}
		if v != v {
			v = math.Inf(1)
		}
		values[i] = v
	}
	return OrderStatistic(values, min(d.Allowed, len(values)-1))
}

// reach returns the smallest limit of the first demand under which all are met,
// all limits going with it in proportion.
func reach(demands []Demand, latency, cost []float64) float64 {
	at := demands[0].Reach(latency, cost)
	for _, d := range demands[1:] {
		at = max(at, d.Reach(latency, cost)/d.Limit*demands[0].Limit)
	}
	return at
}

// keepsAll reports whether all demands are met.
func keepsAll(demands []Demand, latency, cost []float64) bool {
	for _, d := range demands {
		if !d.Keeps(latency, cost) {
			return false
		}
	}
	return true
}

// breach says how an outcome misses the demand.
func (d Demand) breach(o Outcome) string {
	if d.Measure == CVaR {
		return fmt.Sprintf("CVaR of %s is %.6g %s", d.Metric, d.Reach(o.Latency, o.Cost), d.Metric.Unit())
	}
	return fmt.Sprintf("%d of %d scenarios exceed it, %d may", d.Violations(o.Latency, o.Cost), len(o.Latency), d.Allowed)
}
