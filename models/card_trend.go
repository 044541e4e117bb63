package models

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// cardLevels are the quantiles that a card holds: two more towards each end
// than quartiles, so that one outlier of fifty is not spread over the tail.
var cardLevels = []float64{0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 1}

// The significant digits of a card. Parameters can cancel each other, so they
// have more.
const (
	paramDigits = 8
	cardDigits  = 4
)

// newCardTrend measures y over x.
func newCardTrend(x, y []float64) CardTrend {
	a, b := medianLine(x, y)
	t := CardTrend{Intercept: significant(a, cardDigits), Slope: significant(b, cardDigits)}
	deviations := make([]float64, len(y))
	for k := range y {
		deviations[k] = y[k] - (t.Intercept + t.Slope*x[k])
	}
	t.Deviation = cardQuantiles(deviations)
	return t
}

// medianLine returns the line a + b*x of least absolute deviations: unlike
// least squares it does not follow single outliers. One of the optimal lines
// goes through two of the points (Bloomfield and Steiger, Least Absolute
// Deviations, 1983), so all pairs are tried; of several, the flattest is
// taken. Where all x are equal it is their median.
func medianLine(x, y []float64) (a, b float64) {
	type line struct{ a, b, sum float64 }
	best := line{a: QuantileR7(y, 0.5)}
	for k := range y {
		best.sum += math.Abs(y[k] - best.a)
	}
	found := []line{best}
	for i := range x {
		for j := range i {
			if x[i] == x[j] {
				continue
			}
			l := line{b: (y[i] - y[j]) / (x[i] - x[j])}
			l.a = y[i] - l.b*x[i]
			for k := range x {
				l.sum += math.Abs(y[k] - (l.a + l.b*x[k]))
			}
			found = append(found, l)
			if l.sum < best.sum {
				best = l
			}
		}
	}
	tied := slices.DeleteFunc(found, func(l line) bool { return l.sum > best.sum*(1+1e-12) })
	best = slices.MinFunc(tied, func(a, b line) int {
		return cmp.Or(cmp.Compare(math.Abs(a.b), math.Abs(b.b)), cmp.Compare(a.a, b.a))
	})
	return best.a, best.b
}

func cardQuantiles(values []float64) []float64 {
	sorted := slices.Sorted(slices.Values(values))
	q := make([]float64, len(cardLevels))
	for k, p := range cardLevels {
		q[k] = significant(SortedQuantileR7(sorted, p), cardDigits)
	}
	return q
}

// significant rounds x to so many significant digits.
func significant(x float64, digits int) float64 {
	v, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', digits-1, 64), 64)
	if err != nil {
		panic(err) // FormatFloat writes what ParseFloat reads
	}
	return v
}
