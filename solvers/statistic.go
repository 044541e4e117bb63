package solvers

import (
	"cmp"
	"math"
	"slices"
)

// OrderStatistic returns the (k+1)-th largest of values: the smallest limit
// that at most k of them exceed. NaN counts as smaller than any number. It
// selects (Hoare, Comm. ACM 4(7), 1961) instead of sorting.
func OrderStatistic(values []float64, k int) float64 {
	x := slices.Clone(values)
	at := len(x) - 1 - k
	for lo, hi := 0, len(x)-1; ; {
		if hi-lo < 12 {
			slices.Sort(x[lo : hi+1])
			return x[at]
		}
		a, b, c := x[lo], x[lo+(hi-lo)/2], x[hi]
		pivot := max(min(a, b), min(max(a, b), c)) // the median
		if pivot != pivot {
			slices.Sort(x[lo : hi+1])
			return x[at]
		}
		i, j := lo, hi
		for i <= j {
			for cmp.Less(x[i], pivot) {
				i++
			}
			for cmp.Less(pivot, x[j]) {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		switch {
		case at <= j:
			hi = j
		case at >= i:
			lo = i
		default:
			return x[at]
		}
	}
}

// Mean returns the mean of values, NaN for none, summed with compensation (Neumaier 1974) so that
// the order of summation does not decide between two configurations.
func Mean(values []float64) float64 {
	var sum, lost float64
	for _, v := range values {
		t := sum + v
		if math.Abs(sum) >= math.Abs(v) {
			lost += (sum - t) + v
		} else {
			lost += (v - t) + sum
		}
		sum = t
	}
	if math.IsInf(sum, 0) {
		return sum // what was lost is no number then
	}
	return (sum + lost) / float64(len(values))
}

// Exceeding counts the values above a limit. One that is no number counts too.
func Exceeding(values []float64, limit float64) int {
	n := 0
	for _, v := range values {
		if !(v <= limit) { // not "v > limit", which no NaN is
			n++
		}
	}
	return n
}
