package models

import "math"

// ridge keeps the normal equations of nonNegative regular, relative to their
// diagonal: columns that the data cannot tell apart share the coefficient.
const ridge = 1e-6

// nonNegative solves min sum w*(y - A*x)^2 over x >= 0 by the active-set method
// of Lawson and Hanson (Solving Least Squares Problems, 1974, chapter 23) on
// the normal equations of the column-scaled A. There are few columns, so that
// every step is the solution of a small system.
func nonNegative(rows [][]float64, y, w []float64) []float64 {
	p := len(rows[0])
	scale := make([]float64, p)
	for i, r := range rows {
		for j, v := range r {
			scale[j] += w[i] * v * v
		}
	}
	for j := range scale {
		scale[j] = math.Sqrt(scale[j])
		if scale[j] == 0 {
			scale[j] = 1
		}
	}
	gram, right := make([][]float64, p), make([]float64, p)
	for a := range gram {
		gram[a] = make([]float64, p)
	}
	for i, r := range rows {
		for a := range p {
			va := w[i] * r[a] / scale[a]
			right[a] += va * y[i]
			for b := range a + 1 {
				gram[a][b] += va * r[b] / scale[b]
			}
		}
	}
	for a := range p {
		for b := range a {
			gram[b][a] = gram[a][b]
		}
		gram[a][a] += ridge
	}

	x := make([]float64, p)
	free := make([]bool, p)
	slack := func(j int) float64 { return right[j] - dot(gram[j], x) }
	largest := 0.0
	for _, v := range right {
		largest = max(largest, math.Abs(v))
	}
	tolerance := 1e-10 * largest
	for range 3 * p {
		enter := -1
		for j := range p {
			if !free[j] && slack(j) > tolerance && (enter < 0 || slack(j) > slack(enter)) {
				enter = j
			}
		}
		if enter < 0 {
			break
		}
		free[enter] = true
		for {
			target := solveFree(gram, right, free)
			step, leaves := 1.0, -1
			for j := range p {
				if free[j] && target[j] <= 0 {
					if s := x[j] / (x[j] - target[j]); s < step {
						step, leaves = s, j
					}
				}
			}
			for j := range p {
				x[j] += step * (target[j] - x[j])
			}
			if leaves < 0 {
				break
			}
			x[leaves], free[leaves] = 0, false
		}
	}
	for j := range x {
		x[j] = max(0, x[j]) / scale[j]
	}
	return x
}

// solveFree solves the normal equations over the free variables, the others
// being zero.
func solveFree(gram [][]float64, right []float64, free []bool) []float64 {
	var at []int
	for j, f := range free {
		if f {
			at = append(at, j)
		}
	}
	a, b := make([][]float64, len(at)), make([]float64, len(at))
	for r, j := range at {
		b[r] = right[j]
		a[r] = make([]float64, r+1)
		for c := range a[r] {
			a[r][c] = gram[j][at[c]]
		}
	}
	l, ok := factorise(a)
	if !ok {
		panic("models: normal equations with a ridge are not positive definite")
	}
	l.solve(b)
	x := make([]float64, len(right))
	for r, j := range at {
		x[j] = b[r]
	}
	return x
}
