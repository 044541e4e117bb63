package solvers

import (
	"context"
	"math"

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
// copes with what sampling makes: many constraints that nearly coincide.
func (e *elastic) solve() step {
	n := len(e.gradient)
	m := len(e.cuts) + 1 + 2*n
	st := &interior{elastic: e, n: n, m: m}
	z, s, lambda := st.start()
	scale := 1.0
	for _, g := range e.gradient {
		scale = max(scale, math.Abs(g))
	}

	rd, rp, rc := make([]float64, n+1), make([]float64, m), make([]float64, m)
	gz, gdz := make([]float64, m), make([]float64, m)
	ds, dl := make([]float64, m), make([]float64, m)
	dz := make([]float64, n+1)
	h := blas64.Symmetric{N: n + 1, Stride: n + 1, Uplo: blas.Upper, Data: make([]float64, (n+1)*(n+1))}
	out := step{}
	for range qpIterations {
		if e.ctx.Err() != nil {
			break
		}
		st.times(z, gz)
		st.dualResidual(z, lambda, rd)
		mu, worst := 0.0, 0.0
		for r := range rp {
			rp[r] = st.limit(r) - gz[r] - s[r]
			worst = max(worst, math.Abs(rp[r]))
			mu += s[r] * lambda[r]
		}
		mu /= float64(m)
		dual := 0.0
		for _, v := range rd {
			dual = max(dual, math.Abs(v))
		}
		if mu <= qpTolerance*scale && dual <= qpTolerance*scale && worst <= qpTolerance {
			out.ok = true
			break
		}
		st.normal(s, lambda, h)
		factor, ok := lapack64.Potrf(h)
		if !ok {
			break
		}
		// Predictor: straight at complementarity zero.
		for r := range rc {
			rc[r] = -s[r] * lambda[r]
		}
		if !st.direction(factor, s, lambda, rd, rp, rc, dz, gdz, ds, dl) {
			break
		}
		alpha := min(toBoundary(s, ds), toBoundary(lambda, dl))
		after := 0.0
		for r := range s {
			after += (s[r] + alpha*ds[r]) * (lambda[r] + alpha*dl[r])
		}
		after /= float64(m)
		centre := math.Pow(after/mu, 3) * mu
		// Corrector: second order, towards the centre as far as the predictor
		// was blocked.
		for r := range rc {
			rc[r] = centre - s[r]*lambda[r] - ds[r]*dl[r]
		}
		if !st.direction(factor, s, lambda, rd, rp, rc, dz, gdz, ds, dl) {
			break
		}
		alpha = min(1, 0.995*min(toBoundary(s, ds), toBoundary(lambda, dl)))
		for j := range z {
			z[j] += alpha * dz[j]
		}
		for r := range s {
			s[r] += alpha * ds[r]
			lambda[r] += alpha * dl[r]
		}
	}
	out.p, out.t, out.multipliers = z[:n], max(0, z[n]), lambda[:len(e.cuts)]
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

// interior holds the program in the form of the interior point method.
type interior struct {
	*elastic
	n, m int
}

func (st *interior) start() (z, s, lambda []float64) {
	z = make([]float64, st.n+1)
	for j := range st.n {
		z[j] = (st.lo[j] + st.hi[j]) / 2
	}
	gz := make([]float64, st.m)
	st.times(z, gz)
	for r := range st.cuts {
		z[st.n] = max(z[st.n], gz[r]-st.limit(r))
	}
	z[st.n] += 0.1
	st.times(z, gz)
	s, lambda = make([]float64, st.m), make([]float64, st.m)
	for r := range s {
		s[r] = max(st.limit(r)-gz[r], 1e-3)
		lambda[r] = 1
	}
	return z, s, lambda
}

// limit returns element r of h.
func (st *interior) limit(r int) float64 {
	switch cuts := len(st.cuts); {
	case r < cuts:
		return -st.cuts[r].value
	case r == cuts:
		return 0
	case r <= cuts+st.n:
		return st.hi[r-cuts-1]
	default:
		return -st.lo[r-cuts-1-st.n]
	}
}

// times writes Gz.
func (st *interior) times(z, out []float64) {
	cuts := len(st.cuts)
	t := z[st.n]
	for r, c := range st.cuts {
		sum := -t
		for j, a := range c.gradient {
			sum += a * z[j]
		}
		out[r] = sum
	}
	out[cuts] = -t
	for j := range st.n {
		out[cuts+1+j] = z[j]
		out[cuts+1+st.n+j] = -z[j]
	}
}

// transposed adds G'x to out.
func (st *interior) transposed(x, out []float64) {
	cuts := len(st.cuts)
	for r, c := range st.cuts {
		for j, a := range c.gradient {
			out[j] += a * x[r]
		}
		out[st.n] -= x[r]
	}
	out[st.n] -= x[cuts]
	for j := range st.n {
		out[j] += x[cuts+1+j] - x[cuts+1+st.n+j]
	}
}

// dualResidual writes -(Qz + q + G'lambda).
func (st *interior) dualResidual(z, lambda, out []float64) {
	copy(out, st.gradient)
	blas64.Symv(1, st.hessian.RawSymmetric(), blas64.Vector{N: st.n, Inc: 1, Data: z}, 1, blas64.Vector{N: st.n, Inc: 1, Data: out})
	out[st.n] = st.penalty
	st.transposed(lambda, out)
	for j := range out {
		out[j] = -out[j]
	}
}

// normal writes Q + G' diag(lambda/s) G.
func (st *interior) normal(s, lambda []float64, h blas64.Symmetric) {
	n, cuts := st.n, len(st.cuts)
	hessian := st.hessian.RawSymmetric()
	at := func(j int) []float64 { return h.Data[j*h.Stride : j*h.Stride+n+1] }
	for j := range n {
		row := at(j)
		copy(row[j:n], hessian.Data[j*hessian.Stride+j:])
		row[n] = 0
		row[j] += lambda[cuts+1+j]/s[cuts+1+j] + lambda[cuts+1+n+j]/s[cuts+1+n+j]
	}
	last := at(n)
	last[n] = lambda[cuts] / s[cuts]
	for r, c := range st.cuts {
		weight := lambda[r] / s[r]
		for j, a := range c.gradient {
			wa := weight * a
			row := at(j)
			for k := j; k < n; k++ {
				row[k] += wa * c.gradient[k]
			}
			row[n] -= wa
		}
		last[n] += weight
	}
}

// direction solves for the step that brings the residuals rd and rp to zero and
// s*lambda to s*lambda + rc, to first order.
func (st *interior) direction(factor blas64.Triangular, s, lambda, rd, rp, rc, dz, gdz, ds, dl []float64) bool {
	for r := range gdz {
		gdz[r] = -(rc[r] - lambda[r]*rp[r]) / s[r]
	}
	copy(dz, rd)
	st.transposed(gdz, dz)
	lapack64.Potrs(factor, blas64.General{Rows: len(dz), Cols: 1, Stride: 1, Data: dz})
	st.times(dz, gdz)
	for r := range ds {
		ds[r] = rp[r] - gdz[r]
		dl[r] = (rc[r] - lambda[r]*ds[r]) / s[r]
		if math.IsNaN(ds[r]) || math.IsNaN(dl[r]) {
			return false
		}
	}
	return true
}
