package models

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// linearFit is an ordinary least-squares fit y = A*Params + noise.
type linearFit struct {
	Params []float64
	// Factor is a square root of the covariance of Params: Cov = Factor *
	// Factor^T, so that Params + Factor*z with standard normal z is a draw.
	Factor [][]float64
	SSR    float64 // sum of squared residuals
	Rank   int
}

// fitLinear solves min |A*x - y| through the singular value decomposition of
// the column-scaled A. The covariance is that of curve_fit of SciPy with
// absolute_sigma off: (A^T A)^-1 * SSR / (rows - columns). Where A has not full
// rank the solution of least norm is taken, and directions that the data do not
// determine get no spread.
func fitLinear(rows [][]float64, y []float64) (linearFit, error) {
	n, p := len(rows), len(rows[0])
	if n <= p {
		return linearFit{}, fmt.Errorf("%d observations do not determine %d parameters and their spread; record at least %d", n, p, p+1)
	}
	scale := make([]float64, p)
	a := mat.NewDense(n, p, nil)
	for j := range p {
		for _, r := range rows {
			scale[j] += r[j] * r[j]
		}
		scale[j] = math.Sqrt(scale[j])
		if scale[j] == 0 {
			scale[j] = 1
		}
		for i, r := range rows {
			a.Set(i, j, r[j]/scale[j])
		}
	}
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDThin) {
		return linearFit{}, fmt.Errorf("the singular value decomposition of a %dx%d system did not converge", n, p)
	}
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	s := svd.Values(nil)

	fit := linearFit{Params: make([]float64, p), Factor: make([][]float64, p)}
	for j := range fit.Factor {
		fit.Factor[j] = make([]float64, p)
	}
	for c := range p {
		if s[c] <= s[0]*1e-13 {
			continue
		}
		fit.Rank++
		dot := 0.0
		for i := range n {
			dot += u.At(i, c) * y[i]
		}
		for j := range p {
			fit.Params[j] += v.At(j, c) * dot / s[c] / scale[j]
			fit.Factor[j][c] = v.At(j, c) / s[c] / scale[j]
		}
	}
	for i, r := range rows {
		e := y[i] - fit.at(r)
		fit.SSR += e * e
	}
	sigma := math.Sqrt(fit.SSR / float64(n-p))
	for j := range fit.Factor {
		for c := range fit.Factor[j] {
			fit.Factor[j][c] *= sigma
		}
	}
	return fit, nil
}

func (f linearFit) at(row []float64) float64 { return dot(f.Params, row) }

func dot(a, b []float64) float64 {
	sum := 0.0
	for j, v := range a {
		sum += v * b[j]
	}
	return sum
}
