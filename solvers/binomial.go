package solvers

import "gonum.org/v1/gonum/mathext"

// BinomialInterval returns the exact two-sided interval of Clopper and Pearson
// (Biometrika 26, 1934) for the success probability after x successes in n
// trials, at the given confidence in percent.
func BinomialInterval(x, n int, confidence float64) (lo, hi float64) {
	tail, _ := complement(confidence).Float64()
	tail /= 2
	lo, hi = 0, 1
	if x > 0 {
		lo = mathext.InvRegIncBeta(float64(x), float64(n-x+1), tail)
	}
	if x < n {
		hi = mathext.InvRegIncBeta(float64(x+1), float64(n-x), 1-tail)
	}
	return lo, hi
}

// BinomialUpper returns the exact one-sided upper limit of Clopper and Pearson
// for the success probability after x successes in n trials, at the given
// confidence in percent.
func BinomialUpper(x, n int, confidence float64) float64 {
	if x >= n {
		return 1
	}
	tail, _ := complement(confidence).Float64()
	return mathext.InvRegIncBeta(float64(x+1), float64(n-x), 1-tail)
}
