package models

import (
	"math"
	"slices"
)

// QuantileR7 returns the p-quantile of values, 0 <= p <= 1, by linear
// interpolation between order statistics (type 7 of Hyndman and Fan, The
// American Statistician 50(4), 1996; the default of R and NumPy). It is NaN
// for no values.
func QuantileR7(values []float64, p float64) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return SortedQuantileR7(sorted, p)
}

// SortedQuantileR7 is QuantileR7 for values in ascending order.
func SortedQuantileR7(sorted []float64, p float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	h := p * float64(n-1)
	low := int(math.Floor(h))
	if low+1 >= n {
		return sorted[n-1]
	}
	return sorted[low] + (h-float64(low))*(sorted[low+1]-sorted[low])
}
