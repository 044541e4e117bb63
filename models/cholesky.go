package models

import "math"

// cholesky is the lower triangular square root of a small symmetric positive
// definite matrix, one row after the other. The fits solve some ten thousand
// systems of a few dozen equations; gonum's factorisation estimates a condition
// number for each, which takes longer than all the rest.
type cholesky [][]float64

// factorise overwrites the lower triangle a with its square root. It is false
// where a is not positive definite.
func factorise(a [][]float64) (cholesky, bool) {
	for i := range a {
		for j := range i + 1 {
			v := a[i][j] - dot(a[i][:j], a[j])
			if i != j {
				a[i][j] = v / a[j][j]
				continue
			}
			if !(v > 0) {
				return nil, false
			}
			a[i][i] = math.Sqrt(v)
		}
	}
	return a, true
}

// lower overwrites b with the solution of L*x = b.
func (l cholesky) lower(b []float64) {
	for i := range b {
		b[i] = (b[i] - dot(l[i][:i], b)) / l[i][i]
	}
}

// solve overwrites b with the solution of L*L^T*x = b.
func (l cholesky) solve(b []float64) {
	l.lower(b)
	for i := len(b) - 1; i >= 0; i-- {
		b[i] /= l[i][i]
		for j, v := range l[i][:i] {
			b[j] -= v * b[i]
		}
	}
}

// logDet returns the logarithm of the determinant of L*L^T.
func (l cholesky) logDet() float64 {
	sum := 0.0
	for i := range l {
		sum += 2 * math.Log(l[i][i])
	}
	return sum
}
