package models

import "math"

// ridge keeps the normal equations of nonNegative regular, relative to their
// diagonal: columns that the data cannot tell apart share the coefficient.
const ridge = 1e-6

// nonNegative solves min sum w*(y - A*x)^2 over x >= 0 by the active-set method
// of Lawson and Hanson (Solving Least Squares Problems, 1974, chapter 23) on
// the normal equations of the column-scaled A. There are few columns, so that
// every step is the solution of a small system. It holds room for p columns,
// since a validation solves hundreds of thousands of these.
type nonNegative struct {
	scale, right []float64
	gram         [][]float64
	scaled       []float64 // one row of A
	free         []bool
	at           []int       // the free columns
	lower        [][]float64 // their part of gram, then its square root
	part         []float64   // their part of right, then of the solution
	target       []float64
}

func newNonNegative(p int) *nonNegative {
	return &nonNegative{
		scale: make([]float64, p), right: make([]float64, p), gram: matrix(p, p), scaled: make([]float64, p),
		free: make([]bool, p), at: make([]int, 0, p), lower: matrix(p, p), part: make([]float64, p), target: make([]float64, p),
	}
}

// matrix returns a matrix whose rows lie one after the other.
func matrix(rows, columns int) [][]float64 {
	m, all := make([][]float64, rows), make([]float64, rows*columns)
	for i := range m {
		m[i] = all[i*columns : (i+1)*columns : (i+1)*columns]
	}
	return m
}

// solve returns the solution for the rows of A.
func (n *nonNegative) solve(rows [][]float64, y, w []float64) []float64 {
	n.accumulate(rows, y, w)
	p := len(n.scale)
	x := make([]float64, p)
	clear(n.free)
	slack := func(j int) float64 { return n.right[j] - dot(n.gram[j], x) }
	largest := 0.0
	for _, v := range n.right {
		largest = max(largest, math.Abs(v))
	}
	tolerance := 1e-10 * largest
	for range 3 * p {
		enter, most := -1, tolerance
		for j := range p {
			if n.free[j] {
				continue
			}
			if s := slack(j); s > most {
				enter, most = j, s
			}
		}
		if enter < 0 {
			break
		}
		n.free[enter] = true
		for {
			n.solveFree()
			step, leaves := 1.0, -1
			for _, j := range n.at {
				if n.target[j] <= 0 {
					if s := x[j] / (x[j] - n.target[j]); s < step {
						step, leaves = s, j
					}
				}
			}
			for j := range p {
				x[j] += step * (n.target[j] - x[j])
			}
			if leaves < 0 {
				break
			}
			x[leaves], n.free[leaves] = 0, false
		}
	}
	for j := range x {
		x[j] = max(0, x[j]) / n.scale[j]
	}
	return x
}

// accumulate makes the normal equations, with columns of length 1.
func (n *nonNegative) accumulate(rows [][]float64, y, w []float64) {
	clear(n.scale)
	clear(n.right)
	for i, r := range rows {
		for j, v := range r {
			n.scale[j] += w[i] * v * v
		}
	}
	for j := range n.scale {
		n.scale[j] = math.Sqrt(n.scale[j])
		if n.scale[j] == 0 {
			n.scale[j] = 1
		}
		clear(n.gram[j])
	}
	for i, r := range rows {
		for j, v := range r {
			n.scaled[j] = v / n.scale[j]
		}
		for a, v := range n.scaled {
			va := w[i] * v
			n.right[a] += va * y[i]
			row := n.gram[a]
			for b, u := range n.scaled[:a+1] {
				row[b] += va * u
			}
		}
	}
	for a := range n.gram {
		for b := range a {
			n.gram[b][a] = n.gram[a][b]
		}
		n.gram[a][a] += ridge
	}
}

// solveFree solves the normal equations over the free variables, the others
// being zero, into target.
func (n *nonNegative) solveFree() {
	n.at = n.at[:0]
	for j, f := range n.free {
		if f {
			n.at = append(n.at, j)
		}
	}
	lower, part := n.lower[:len(n.at)], n.part[:len(n.at)]
	for r, j := range n.at {
		part[r] = n.right[j]
		for c := range r + 1 {
			lower[r][c] = n.gram[j][n.at[c]]
		}
	}
	l, ok := factorise(lower)
	if !ok {
		panic("models: normal equations with a ridge are not positive definite")
	}
	l.solve(part)
	clear(n.target)
	for r, j := range n.at {
		n.target[j] = part[r]
	}
}
