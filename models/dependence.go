package models

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// series is one quantity by execution, centred within its configuration.
type series map[string]float64

// dependence returns the correlations between quantities of one run, of which
// there are few recorded ones: those of the normal scores of their ranks
// (van der Waerden), which stragglers do not dominate, and only where they are
// significant at 5 % over all pairs together (Bonferroni); the others are 0.
// freedom is the number of runs less that of configurations they are centred
// on. The result is positive definite.
func dependence(list []series, freedom []float64) [][]float64 {
	n := len(list)
	c := identity(n)
	pairs := float64(n * (n - 1) / 2)
	for i := range n {
		for j := range i {
			var common []string
			for run := range list[i] {
				if _, ok := list[j][run]; ok {
					common = append(common, run)
				}
			}
			slices.Sort(common)
			free := min(freedom[i], freedom[j], float64(len(common)))
			if free <= 5 {
				continue
			}
			r := correlation(normalScores(list[i], common), normalScores(list[j], common))
			// Fisher's transformation has variance 1/(freedom - 2) after
			// the means.
			z := math.Atanh(min(max(r, -0.999), 0.999)) * math.Sqrt(free-2)
			if 2*distuv.UnitNormal.CDF(-math.Abs(z))*pairs < 0.05 {
				c[i][j], c[j][i] = r, r
			}
		}
	}
	return shrinkToDefinite(c)
}

func identity(n int) [][]float64 {
	c := make([][]float64, n)
	for i := range c {
		c[i] = make([]float64, n)
		c[i][i] = 1
	}
	return c
}

// normalScores returns the normal scores of the ranks of the given runs.
func normalScores(of series, runs []string) []float64 {
	order := make([]int, len(runs))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(of[runs[a]], of[runs[b]]) })
	scores := make([]float64, len(runs))
	for rank, k := range order {
		scores[k] = distuv.UnitNormal.Quantile((float64(rank) + 1) / (float64(len(runs)) + 1))
	}
	return scores
}

func correlation(a, b []float64) float64 {
	var aa, bb, ab float64
	for k := range a { // normal scores have mean 0
		aa += a[k] * a[k]
		bb += b[k] * b[k]
		ab += a[k] * b[k]
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// leastEigenvalue is what a correlation matrix keeps of every direction.
const leastEigenvalue = 1e-3

// shrinkToDefinite shrinks the correlations until the matrix is positive
// definite.
func shrinkToDefinite(c [][]float64) [][]float64 {
	n := len(c)
	m := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			m.SetSym(i, j, c[i][j])
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(m, false) {
		return identity(n)
	}
	least := eigen.Values(nil)[0]
	if least >= leastEigenvalue {
		return c
	}
	keep := (1 - leastEigenvalue) / (1 - least)
	for i := range c {
		for j := range c[i] {
			if i != j {
				c[i][j] *= keep
			}
		}
	}
	return c
}

// lowerFactor returns the lower triangular square root of a correlation matrix,
// nil where all quantities are independent.
func lowerFactor(c [][]float64) [][]float64 {
	n := len(c)
	m := mat.NewSymDense(n, nil)
	related := false
	for i := range n {
		for j := range i + 1 {
			m.SetSym(i, j, c[i][j])
			related = related || i != j && c[i][j] != 0
		}
	}
	if !related {
		return nil
	}
	var chol mat.Cholesky
	if !chol.Factorize(m) {
		panic("models: a correlation matrix is not positive definite")
	}
	var l mat.TriDense
	chol.LTo(&l)
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, n)
		for j := range i + 1 {
			rows[i][j] = l.At(i, j)
		}
	}
	return rows
}
