package solvers

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// constraintID names one sampled constraint: a scenario and, where the bounded
// metric is latency, a path. Coupling rules have negative scenarios.
type constraintID struct{ scenario, path int }

// cut is a constraint, linearised: value + gradient . step <= 0.
type cut struct {
	id       constraintID
	value    float64
	gradient []float64
}

// elastic is the quadratic program of one step p of sqp, whose constraints may
// be exceeded by t at a price:
//
//	minimise  g.p + p'Bp/2 + penalty*t
//	such that value + gradient.p <= t  for every cut,  t >= 0,  lo <= p <= hi
//
// It always has a solution, and a unique p where B is positive definite.
type elastic struct {
	ctx      context.Context // ends the search early
	hessian  *mat.SymDense
	gradient []float64
	cuts     []cut
	lo, hi   []float64
	penalty  float64
}

// step is the solution of an elastic program.
type step struct {
	p           []float64
	t           float64
	multipliers []float64 // one per cut, at least 0
	ok          bool      // false where rounding error or the context ended the search early
}

// The interior point method ends when residuals and complementarity, relative
// to the size of the data, are below qpTolerance.
const (
	qpTolerance  = 1e-10
	qpIterations = 80
)

// solve runs the primal-dual interior point method with Mehrotra's predictor
// and corrector (SIAM J. Optim. 2(4), 1992) on the program written as
//
//	minimise q.z + z'Qz/2  such that  Gz + s = h, s >= 0,  z = (p, t),
//
// with the rows of G in the order cuts, t >= 0, upper bounds, lower bounds. It
// copes with what sampling makes: many constraints that nearly coincide. It
// works in the memory of st.
func (e *elastic) solve(st *interior) step {
	st.pose(e)
	st.start()
	scale := 1.0
	for _, g := range e.gradient {
		scale = max(scale, math.Abs(g))
	}
	z, s, lambda := st.z, st.s, st.lambda
	rp, rc, ds, dl := st.rp, st.rc, st.ds, st.dl
	out := step{}
	for range qpIterations {
		if e.ctx.Err() != nil {
			break
		}
		st.times(z, st.gz)
		st.dualResidual()
		mu, worst := 0.0, 0.0
		for r := range rp {
			rp[r] = st.limits[r] - st.gz[r] - s[r]
			worst = max(worst, math.Abs(rp[r]))
			mu += s[r] * lambda[r]
		}
		mu /= float64(st.m)
		dual := 0.0
		for _, v := range st.rd {
			dual = max(dual, math.Abs(v))
		}
		if mu <= qpTolerance*scale && dual <= qpTolerance*scale && worst <= qpTolerance {
			out.ok = true
			break
		}
		st.weigh()
		factor, ok := lapack64.Potrf(st.normal)
		if !ok {
			break
		}
		// Predictor: straight at complementarity zero.
		for r := range rc {
			rc[r] = -s[r] * lambda[r]
		}
		if !st.direction(factor) {
			break
		}
		alpha := min(toBoundary(s, ds), toBoundary(lambda, dl))
		after := 0.0
		for r := range s {
			after += (s[r] + alpha*ds[r]) * (lambda[r] + alpha*dl[r])
		}
		after /= float64(st.m)
		centre := math.Pow(after/mu, 3) * mu
		// Corrector: second order, towards the centre as far as the predictor
		// was blocked.
		for r := range rc {
			rc[r] = centre - s[r]*lambda[r] - ds[r]*dl[r]
		}
		if !st.direction(factor) {
			break
		}
		alpha = min(1, 0.995*min(toBoundary(s, ds), toBoundary(lambda, dl)))
		for j := range z {
			z[j] += alpha * st.dz[j]
		}
		for r := range s {
			s[r] += alpha * ds[r]
			lambda[r] += alpha * dl[r]
		}
	}
	out.p, out.t, out.multipliers = slices.Clone(z[:st.n]), max(0, z[st.n]), slices.Clone(lambda[:st.cuts])
	for j := range out.p {
		out.p[j] = min(max(out.p[j], e.lo[j]), e.hi[j])
	}
	return out
}

// toBoundary returns the longest step, at most 1, that keeps x + step*dx from
// becoming negative.
func toBoundary(x, dx []float64) float64 {
	alpha := 1.0
	for r, d := range dx {
		if d < 0 {
			alpha = min(alpha, -x[r]/d)
		}
	}
	return alpha
}

// interior holds a program in the form of the interior point method, and the
// vectors that it works with. One is used for many programs: hundreds are
// solved on the way to one configuration, each of some dozens of rows.
type interior struct {
	*elastic
	n, cuts, m int
	gradients  []float64 // of the cuts, one row of n each: the first rows of G but for t
	limits     []float64 // h

	z, dz, rd     []float64 // n+1
	s, ds, rp, rc []float64 // m
	lambda, dl    []float64
	gz, gdz       []float64
	normal        blas64.Symmetric
	memory        []float64 // of all these
}

// pose takes a program over and makes room for it.
func (st *interior) pose(e *elastic) {
	st.elastic, st.n, st.cuts = e, len(e.gradient), len(e.cuts)
	st.m = st.cuts + 1 + 2*st.n
	n, m := st.n, st.m
	if need := st.cuts*n + 3*(n+1) + 9*m + (n+1)*(n+1); cap(st.memory) < need {
		st.memory = make([]float64, 2*need)
	}
	rest := st.memory[:cap(st.memory)]
	take := func(size int) []float64 {
		v := rest[:size:size]
		rest = rest[size:]
		return v
	}
	st.gradients, st.limits = take(st.cuts*n), take(m)
	st.z, st.dz, st.rd = take(n+1), take(n+1), take(n+1)
	st.s, st.ds, st.rp, st.rc = take(m), take(m), take(m), take(m)
	st.lambda, st.dl, st.gz, st.gdz = take(m), take(m), take(m), take(m)
	st.normal = blas64.Symmetric{N: n + 1, Stride: n + 1, Uplo: blas.Upper, Data: take((n + 1) * (n + 1))}
	for r, c := range e.cuts {
		copy(st.gradients[r*n:], c.gradient)
		st.limits[r] = -c.value
	}
	st.limits[st.cuts] = 0
	for j := range n {
		st.limits[st.cuts+1+j], st.limits[st.cuts+1+n+j] = e.hi[j], -e.lo[j]
	}
}

// start sets the first point: in the middle of the box, with slack.
func (st *interior) start() {
	n := st.n
	for j := range n {
		st.z[j] = (st.lo[j] + st.hi[j]) / 2
	}
	st.z[n] = 0
	st.times(st.z, st.gz)
	for r := range st.cuts {
		st.z[n] = max(st.z[n], st.gz[r]-st.limits[r])
	}
	st.z[n] += 0.1
	st.times(st.z, st.gz)
	for r := range st.s {
		st.s[r] = max(st.limits[r]-st.gz[r], 1e-3)
		st.lambda[r] = 1
	}
}

// row returns the gradient of a cut.
func (st *interior) row(r int) []float64 { return st.gradients[r*st.n : (r+1)*st.n] }

// times writes Gz. Four rows are summed side by side, as one sum has to wait for
// itself.
func (st *interior) times(z, out []float64) {
	n, cuts := st.n, st.cuts
	t := z[n]
	z = z[:n]
	r := 0
	for ; r+4 <= cuts; r += 4 {
		a, b, c, d := st.row(r)[:len(z)], st.row(r + 1)[:len(z)], st.row(r + 2)[:len(z)], st.row(r + 3)[:len(z)]
		sa, sb, sc, sd := -t, -t, -t, -t
		for j, v := range z {
			sa += a[j] * v
			sb += b[j] * v
			sc += c[j] * v
			sd += d[j] * v
		}
		out[r], out[r+1], out[r+2], out[r+3] = sa, sb, sc, sd
	}
	for ; r < cuts; r++ {
		sum := -t
		for j, a := range st.row(r) {
			sum += a * z[j]
		}
		out[r] = sum
	}
	out[cuts] = -t
	upper, lower := out[cuts+1:][:n], out[cuts+1+n:][:n]
	for j, v := range z {
		upper[j], lower[j] = v, -v
	}
}

// transposed adds G'x to out, four rows in a pass.
func (st *interior) transposed(x, out []float64) {
	n, cuts := st.n, st.cuts
	to, t := out[:n], out[n]
	r := 0
	for ; r+4 <= cuts; r += 4 {
		a, b, c, d := st.row(r)[:len(to)], st.row(r + 1)[:len(to)], st.row(r + 2)[:len(to)], st.row(r + 3)[:len(to)]
		xa, xb, xc, xd := x[r], x[r+1], x[r+2], x[r+3]
		for j := range to {
			to[j] = to[j] + a[j]*xa + b[j]*xb + c[j]*xc + d[j]*xd
		}
		t = t - xa - xb - xc - xd
	}
	for ; r < cuts; r++ {
		for j, a := range st.row(r) {
			to[j] += a * x[r]
		}
		t -= x[r]
	}
	out[n] = t - x[cuts]
	upper, lower := x[cuts+1:][:n], x[cuts+1+n:][:n]
	for j := range to {
		to[j] += upper[j] - lower[j]
	}
}

// dualResidual writes -(Qz + q + G'lambda) to rd.
func (st *interior) dualResidual() {
	out := st.rd
	copy(out, st.gradient)
	blas64.Symv(1, st.hessian.RawSymmetric(), blas64.Vector{N: st.n, Inc: 1, Data: st.z}, 1, blas64.Vector{N: st.n, Inc: 1, Data: out})
	out[st.n] = st.penalty
	st.transposed(st.lambda, out)
	for j := range out {
		out[j] = -out[j]
	}
}

// weigh writes Q + G' diag(lambda/s) G to normal, four cuts in a pass.
func (st *interior) weigh() {
	n, cuts := st.n, st.cuts
	s, lambda := st.s, st.lambda
	hessian := st.hessian.RawSymmetric()
	at := func(j int) []float64 { return st.normal.Data[j*(n+1) : (j+1)*(n+1)] }
	for j := range n {
		row := at(j)
		copy(row[j:n], hessian.Data[j*hessian.Stride+j:])
		row[n] = 0
		row[j] += lambda[cuts+1+j]/s[cuts+1+j] + lambda[cuts+1+n+j]/s[cuts+1+n+j]
	}
	corner := lambda[cuts] / s[cuts]
	r := 0
	for ; r+4 <= cuts; r += 4 {
		a, b, c, d := st.row(r), st.row(r+1), st.row(r+2), st.row(r+3)
		ka, kb, kc, kd := lambda[r]/s[r], lambda[r+1]/s[r+1], lambda[r+2]/s[r+2], lambda[r+3]/s[r+3]
		for j := range a {
			wa, wb, wc, wd := ka*a[j], kb*b[j], kc*c[j], kd*d[j]
			row := at(j)
			to := row[j:n]
			a, b, c, d := a[j:][:len(to)], b[j:][:len(to)], c[j:][:len(to)], d[j:][:len(to)]
			for k := range to {
				to[k] = to[k] + wa*a[k] + wb*b[k] + wc*c[k] + wd*d[k]
			}
			row[n] = row[n] - wa - wb - wc - wd
		}
		corner = corner + ka + kb + kc + kd
	}
	for ; r < cuts; r++ {
		a, weight := st.row(r), lambda[r]/s[r]
		for j := range a {
			wa := weight * a[j]
			row := at(j)
			to := row[j:n]
			for k, v := range a[j:][:len(to)] {
				to[k] += wa * v
			}
			row[n] -= wa
		}
		corner += weight
	}
	at(n)[n] = corner
}

// direction solves for the step dz, ds, dl that brings the residuals rd and rp
// to zero and s*lambda to s*lambda + rc, to first order.
func (st *interior) direction(factor blas64.Triangular) bool {
	s, lambda, rp, rc := st.s, st.lambda, st.rp, st.rc
	for r := range st.gdz {
		st.gdz[r] = -(rc[r] - lambda[r]*rp[r]) / s[r]
	}
	copy(st.dz, st.rd)
	st.transposed(st.gdz, st.dz)
	solveFactored(factor, st.dz)
	st.times(st.dz, st.gdz)
	for r, g := range st.gdz {
		ds := rp[r] - g
		dl := (rc[r] - lambda[r]*ds) / s[r]
		st.ds[r], st.dl[r] = ds, dl
		if math.IsNaN(ds) || math.IsNaN(dl) {
			return false
		}
	}
	return true
}

// solveFactored replaces x by the solution y of U'Uy = x, U being upper
// triangular. It does what lapack64.Potrs does, which for one right-hand side
// and so few unknowns is a call for every number.
func solveFactored(u blas64.Triangular, x []float64) {
	row := func(i int) []float64 { return u.Data[i*u.Stride:][:len(x)] }
	for k := range x {
		r := row(k)
		x[k] *= 1 / r[k]
		for i := k + 1; i < len(x); i++ {
			x[i] -= r[i] * x[k]
		}
	}
	for i := len(x) - 1; i >= 0; i-- {
		r, sum := row(i), x[i]
		for k := i + 1; k < len(x); k++ {
			sum -= r[k] * x[k]
		}
		x[i] = sum * (1 / r[i])
	}
}
