package solvers

import (
	"math"
	"math/big"
	"slices"
)

// TailMean returns the conditional value at risk of a sample at a percentile:
// the mean of the worst share r = 1 - percentile/100 of the values, of which
// the last counts in part where n*r is not whole. It is
//
//	min over t of t + 1/(n*r) * sum of max(x - t, 0),
//
// whose minimum is at the (floor(n*r)+1)-th largest value (Rockafellar and
// Uryasev, J. Risk 2(3), 2000, equation 9). Where n*r is below 1 it is the
// largest value. The order of the values does not matter. A scenario without a
// number counts as infinite.
func TailMean(values []float64, percentile float64) float64 {
	worst, whole := tailSize(len(values), percentile)
	x := values
	if slices.ContainsFunc(x, math.IsNaN) {
		x = slices.Clone(x)
		for i, v := range x {
			if v != v {
				x[i] = math.Inf(1)
			}
		}
	}
	return tailMean(x, worst, min(whole, len(x)-1))
}

// tailMean is TailMean of some of the values: the larger ones of them, at least
// whole+1, where worst counts all.
func tailMean(x []float64, worst float64, whole int) float64 {
	t := OrderStatistic(x, whole)
	if math.IsInf(t, 0) {
		return t
	}
	above := make([]float64, 0, whole+1)
	for _, v := range x {
		if v > t {
			above = append(above, v-t)
		}
	}
	if len(above) == 0 {
		return t
	}
	slices.Sort(above) // the sum is then that of a set
	return t + Mean(above)*float64(len(above))/worst
}

// tailSize returns the number n*r of worst values of a sample, and its whole
// part, in decimal arithmetic. The number is at least 1: a tail holds a value.
func tailSize(n int, percentile float64) (worst float64, whole int) {
	k := new(big.Rat).Mul(big.NewRat(int64(n), 1), complement(percentile))
	worst, _ = k.Float64()
	return max(1, worst), int(new(big.Int).Quo(k.Num(), k.Denom()).Int64())
}

// TailInterval returns an asymptotic interval for the conditional value at risk
// behind a sample, at the given confidence in percent: by the normal limit of
// the mean of t + max(x - t, 0)/r with t the percentile of the sample (Trindade,
// Uryasev, Shapiro and Zrazhevsky, J. Banking & Finance 31, 2007). It is no
// finite-sample guarantee, and too narrow where the tail is heavy.
func TailInterval(values []float64, percentile, confidence float64) (lo, hi float64) {
	n := float64(len(values))
	r, _ := complement(percentile).Float64()
	_, whole := tailSize(len(values), percentile)
	at := TailMean(values, percentile)
	t := OrderStatistic(values, min(whole, len(values)-1))
	var first, second float64
	for _, v := range values {
		if v > t {
			first += (v - t) / r
			second += (v - t) / r * (v - t) / r
		}
	}
	first, second = first/n, second/n
	tail, _ := complement(confidence).Float64()
	half := math.Sqrt2 * math.Erfinv(1-tail) * math.Sqrt(max(0, second-first*first)/n)
	return at - half, at + half
}
