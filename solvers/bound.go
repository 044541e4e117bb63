package solvers

import (
	"fmt"
	"math"
	"math/big"
	"strconv"

	"gonum.org/v1/gonum/mathext"
)

// Metric is one of the two figures of a workflow run.
type Metric string

// The metrics. A bound on one makes the mean of the other the objective.
const (
	Latency Metric = "latency" // seconds
	Cost    Metric = "cost"    // USD
)

// Other returns the metric that is minimised under a bound on m.
func (m Metric) Other() Metric {
	if m == Latency {
		return Cost
	}
	return Latency
}

// Unit returns the unit of the metric, as it ends the name of a JSON field.
func (m Metric) Unit() string {
	if m == Latency {
		return "s"
	}
	return "usd"
}

// Rule says how the chance constraint is judged on a sample of scenarios; see
// Bound.Allowed.
type Rule string

// The rules.
const (
	Certified Rule = "certified" // finite-sample guarantee over the whole space
	Plugin    Rule = "plugin"    // the share of the sample; no guarantee
	Verified  Rule = "verified"  // plug-in with a margin, accepted on a fresh holdout
)

// Measure is the figure of a metric that a Bound limits.
type Measure string

// The measures.
const (
	// Quantile is the percentile of the metric: a chance constraint.
	Quantile Measure = ""

	// CVaR is the mean of the metric over the worst 1 - Percentile/100 of the
	// runs, its conditional value at risk (Rockafellar and Uryasev, J. Risk
	// 2(3), 2000). It is judged by its value on the sample, TailMean, under
	// every rule, and has no finite-sample guarantee.
	CVaR Measure = "cvar"
)

// Bound is the chance constraint P(metric > Limit) <= 1 - Percentile/100, to
// hold with the given confidence over the draw of the sample. With Also it is
// joint: P(metric > Limit or other metric > Also) <= 1 - Percentile/100. With
// the measure CVaR it is instead CVaR(metric) <= Limit at that percentile.
type Bound struct {
	Metric     Metric
	Limit      float64 // seconds or USD
	Also       float64 // limit on the other metric, seconds or USD; 0: none
	Measure    Measure
	Percentile float64 // percent, above 0 and below 100
	Confidence float64 // percent, above 0 and below 100
	Rule       Rule

	// Margin is how many scenarios fewer than the plug-in's may exceed the
	// limit under the rule verified; Solve raises it as it has to.
	Margin int
}

// Risk returns 1 - Percentile/100.
func (b Bound) Risk() float64 {
	r, _ := complement(b.Percentile).Float64()
	return r
}

// complement returns (100 - percent)/100 of the decimal that percent prints
// as, so that floor(n*risk) is that of the number the user wrote: 1 - 0.95
// in binary is a little more than 0.05.
func complement(percent float64) *big.Rat {
	p, ok := new(big.Rat).SetString(strconv.FormatFloat(percent, 'f', -1, 64))
	if !ok {
		panic(fmt.Sprintf("solvers: percentage %v is not a number", percent))
	}
	r := new(big.Rat).Sub(big.NewRat(100, 1), p)
	return r.Quo(r, big.NewRat(100, 1))
}

// leastRisk is the smallest risk of a bound.
const leastRisk = 1e-9

// Check reports what is wrong with the bound.
func (b Bound) Check() error {
	switch {
	case b.Metric != Latency && b.Metric != Cost:
		return fmt.Errorf("bound: metric %q is neither %q nor %q", b.Metric, Latency, Cost)
	case !(b.Limit > 0) || math.IsInf(b.Limit, 0):
		return fmt.Errorf("bound: %s limit %v is not a positive number", b.Metric, b.Limit)
	case !(b.Percentile > 0 && b.Percentile < 100):
		return fmt.Errorf("bound: percentile %v is not above 0 and below 100", b.Percentile)
	case b.Risk() < leastRisk:
		return fmt.Errorf("bound: percentile %v leaves a risk of %.2g; below %v no sample that can be drawn tells anything", b.Percentile, b.Risk(), leastRisk)
	case !(b.Confidence > 0 && b.Confidence < 100):
		return fmt.Errorf("bound: confidence %v is not above 0 and below 100", b.Confidence)
	}
	switch b.Rule {
	case Certified, Plugin, Verified:
	default:
		return fmt.Errorf("bound: rule %q is none of %q, %q, %q", b.Rule, Certified, Plugin, Verified)
	}
	switch {
	case !(b.Also >= 0) || math.IsInf(b.Also, 0):
		return fmt.Errorf("bound: %s limit %v is not a positive number", b.Metric.Other(), b.Also)
	case b.Measure != Quantile && b.Measure != CVaR:
		return fmt.Errorf("bound: measure %q is neither a percentile nor %q", b.Measure, CVaR)
	case b.Measure == CVaR && b.Also > 0:
		return fmt.Errorf("bound: %s looks at one metric; a joint bound on both takes a percentile", CVaR)
	case b.Measure == CVaR && b.Rule == Verified:
		return fmt.Errorf("bound: the rule %s tests a share of the holdout and has no test for %s; use %s or %s", Verified, CVaR, Certified, Plugin)
	}
	return nil
}

// Allowed returns k, the number of n scenarios that may exceed the limit for a
// configuration out of a space of the given size to count as feasible.
//
// Certified: the largest k with
//
//	size * P(Bin(n, risk) <= k) <= 1 - confidence.
//
// Every feasible configuration then has true risk <= risk, all at once, with
// that confidence over the draw of the sample and under the fitted model
// (Luedtke and Ahmed, SIAM J. Optim. 19(2), 2008, Theorem 5, with the exact
// binomial tail in place of Hoeffding's bound). Where not even k = 0 is
// admissible the error names the n that is needed.
//
// Plugin and Verified: k = floor(n * risk), in decimal arithmetic; Verified
// takes Margin off, down to 0. CVaR is not judged by a number of scenarios; k is
// then that of Plugin, and the (k+1)-th largest value is at most the CVaR.
func (b Bound) Allowed(n int, size *big.Int) (int, error) {
	if b.Rule != Certified || b.Measure == CVaR {
		k := new(big.Rat).Mul(big.NewRat(int64(n), 1), complement(b.Percentile))
		plugin := int(new(big.Int).Quo(k.Num(), k.Denom()).Int64())
		if b.Rule == Verified {
			return max(0, plugin-b.Margin), nil
		}
		return plugin, nil
	}
	k := b.certified(n, size)
	if k < 0 {
		return 0, fmt.Errorf("bound: %d scenarios cannot certify percentile %v with confidence %v over %v configurations; at least %d are needed",
			n, b.Percentile, b.Confidence, size, b.Needed(size))
	}
	return k, nil
}

// Needed returns the smallest sample for which the certified rule has a k, the
// one where a single violation is already too much:
//
//	n >= ln(size / (1 - confidence)) / -ln(1 - risk).
func (b Bound) Needed(size *big.Int) int {
	n := int(math.Ceil(b.logTail(size) / math.Log1p(-b.Risk())))
	for n > 1 && b.certified(n-1, size) >= 0 {
		n--
	}
	for b.certified(n, size) < 0 {
		n++
	}
	return n
}

// DefaultSamples returns the number of scenarios to use where the user names
// none: the larger of 10,000 and what the certified rule needs. More
// scenarios buy less conservatism.
func (b Bound) DefaultSamples(size *big.Int) int {
	if b.Rule != Certified || b.Measure == CVaR {
		return 10_000
	}
	return max(10_000, b.Needed(size))
}

// logTail returns ln((1 - confidence) / size), which is finite for any size.
func (b Bound) logTail(size *big.Int) float64 {
	beta, _ := complement(b.Confidence).Float64()
	return math.Log(beta) - logInt(size)
}

// certified returns the largest k of the certified rule, -1 where there is none.
func (b Bound) certified(n int, size *big.Int) int {
	limit := b.logTail(size)
	lo, hi := -1, n // P(Bin <= n) = 1 is never small enough
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		if logBinomialCDF(mid, n, b.Risk()) <= limit {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// logInt returns ln(x) for x >= 1 of any size.
func logInt(x *big.Int) float64 {
	shift := max(0, x.BitLen()-60)
	f, _ := new(big.Float).SetInt(new(big.Int).Rsh(x, uint(shift))).Float64()
	return math.Log(f) + float64(shift)*math.Ln2
}

// logBinomialCDF returns ln P(Bin(n, p) <= k) for 0 < p < 1. The regularised
// incomplete beta function gives it directly; below its range the sum is
// taken downward from its largest term, in logarithms.
func logBinomialCDF(k, n int, p float64) float64 {
	switch {
	case k < 0:
		return math.Inf(-1)
	case k >= n:
		return 0
	}
	if cdf := mathext.RegIncBeta(float64(n-k), float64(k+1), 1-p); cdf > 1e-280 {
		return math.Log(cdf)
	}
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	largest := lg(n) - lg(k) - lg(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p)
	sum, term := 1.0, 1.0
	for j := k; j > 0 && term > 1e-17*sum; j-- {
		term *= float64(j) * (1 - p) / (float64(n-j+1) * p)
		sum += term
	}
	return largest + math.Log(sum)
}
