package sim

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The ranks of the interval of a quantile agree with plain sums of binomial
// probabilities, and with the published ranks for the median of 100 values (40
// and 61 at 95 %; Conover, Practical Nonparametric Statistics, section 3.2).
func TestRanksOfQuantileIntervals(t *testing.T) {
	ranks := func(n int) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(i + 1)
		}
		return values
	}
	if q := quantile(ranks(100), 0.5, 95); q.Interval == nil || *q.Interval != (Interval{40, 61}) || q.Value != 50.5 {
		t.Errorf("median of 100: %+v, interval %v", q, q.Interval)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "n")
		p := rapid.SampledFrom([]float64{0.5, 0.95, 0.99}).Draw(t, "p")
		confidence := rapid.SampledFrom([]float64{80, 95, 99.9}).Draw(t, "confidence")
		a := (1 - confidence/100) / 2
		lower, upper := 0, 0 // ranks from 1; 0: none
		below := 0.0         // P(Bin(n, p) < rank)
		for rank := 1; rank <= n; rank++ {
			below += binomial(n, rank-1, p)
			if below <= a {
				lower = rank
			}
			if upper == 0 && below >= 1-a {
				upper = rank
			}
		}
		q := quantile(ranks(n), p, confidence)
		if lower == 0 || upper == 0 {
			if q.Interval != nil || q.Needs <= n {
				t.Fatalf("%+v, interval %v, but %d values have none", q, q.Interval, n)
			}
			return
		}
		if q.Interval == nil || *q.Interval != (Interval{float64(lower), float64(upper)}) || q.Needs != 0 {
			t.Fatalf("%+v, interval %v, want ranks %d and %d", q, q.Interval, lower, upper)
		}
	})
}

func binomial(n, k int, p float64) float64 {
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	return math.Exp(lg(n) - lg(k) - lg(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log(1-p))
}

// At its ends, the exact interval of a share leaves the tail probability on
// either side.
func TestShareIntervals(t *testing.T) {
	for _, test := range []struct{ n, k int }{{59, 0}, {100, 10}, {100, 100}, {1000, 1}, {7, 3}} {
		values := make([]float64, test.n)
		for i := range test.k {
			values[i] = 2
		}
		v := violations(values, 1, 90)
		if v.Count != test.k {
			t.Errorf("%+v: counted %d", test, v.Count)
		}
		least, most := 0.0, 0.0 // P(Bin(n, lo) >= k), P(Bin(n, hi) <= k)
		for k := 0; k <= test.n; k++ {
			if k >= test.k {
				least += binomial(test.n, k, v.Risk.Lo)
			}
			if k <= test.k {
				most += binomial(test.n, k, v.Risk.Hi)
			}
		}
		if test.k == 0 && v.Risk.Lo != 0 || test.k > 0 && math.Abs(least-0.05) > 1e-6 {
			t.Errorf("%+v: lower limit %v leaves %v", test, v.Risk.Lo, least)
		}
		if test.k == test.n && v.Risk.Hi != 1 || test.k < test.n && math.Abs(most-0.05) > 1e-6 {
			t.Errorf("%+v: upper limit %v leaves %v", test, v.Risk.Hi, most)
		}
	}
	// A limit that is met is not violated.
	if v := violations([]float64{1, 1}, 1, 95); v.Count != 0 {
		t.Errorf("%d runs at the limit count as violations", v.Count)
	}
}
