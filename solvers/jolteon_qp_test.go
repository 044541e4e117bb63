package solvers

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// A solution must satisfy the conditions of Karush, Kuhn and Tucker, which are
// sufficient for a convex program: checked from the data alone.
func TestElasticProgramIsOptimal(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 1))
	active, elasticUsed := 0, 0
	memory := new(interior)
	for trial := range 300 {
		n, m := 1+source.IntN(8), source.IntN(60)
		e := &elastic{ctx: context.Background(), hessian: mat.NewSymDense(n, nil), penalty: math.Pow(10, 4*source.Float64()-1)}
		for range n + 1 {
			x := make([]float64, n)
			for j := range x {
				x[j] = source.NormFloat64()
			}
			e.hessian.SymRankOne(e.hessian, 1, mat.NewVecDense(n, x))
		}
		for j := range n {
			e.hessian.SetSym(j, j, e.hessian.At(j, j)+0.1)
			e.gradient = append(e.gradient, 3*source.NormFloat64())
			e.lo = append(e.lo, -2*source.Float64())
			e.hi = append(e.hi, 2*source.Float64())
		}
		base := make([]float64, n)
		for j := range base {
			base[j] = source.NormFloat64()
		}
		for range m {
			// Nearly parallel, as sampled constraints are.
			c := cut{value: source.NormFloat64(), gradient: make([]float64, n)}
			for j := range c.gradient {
				c.gradient[j] = base[j] + 0.1*source.NormFloat64()
			}
			e.cuts = append(e.cuts, c)
		}
		st := e.solve(memory)
		if !st.ok {
			t.Fatalf("trial %d: no convergence", trial)
		}

		const tol = 1e-6
		residual := make([]float64, n) // gradient of the Lagrangian without the box
		for j := range residual {
			residual[j] = e.gradient[j]
			for k := range n {
				residual[j] += e.hessian.At(j, k) * st.p[k]
			}
		}
		total := 0.0
		for r, c := range e.cuts {
			slack := st.t - c.value
			for j, a := range c.gradient {
				slack -= a * st.p[j]
				residual[j] += st.multipliers[r] * a
			}
			if slack < -tol || st.multipliers[r] < 0 || slack*st.multipliers[r] > tol*(1+e.penalty) {
				t.Errorf("trial %d: cut %d has slack %v and multiplier %v", trial, r, slack, st.multipliers[r])
			}
			total += st.multipliers[r]
			if st.multipliers[r] > tol {
				active++
			}
		}
		// The multiplier of t >= 0 is what the cuts leave of the penalty.
		rest := e.penalty - total
		if rest < -tol*e.penalty || rest*st.t > tol*(1+e.penalty) {
			t.Errorf("trial %d: multipliers sum to %v of penalty %v with t = %v", trial, total, e.penalty, st.t)
		}
		if st.t > tol {
			elasticUsed++
		}
		for j, v := range residual {
			// Only a bound that is met can hold the residual.
			atLo, atHi := st.p[j]-e.lo[j] < tol, e.hi[j]-st.p[j] < tol
			if v > tol*(1+e.penalty) && !atLo || v < -tol*(1+e.penalty) && !atHi {
				t.Errorf("trial %d: residual %v at p = %v in [%v, %v]", trial, v, st.p[j], e.lo[j], e.hi[j])
			}
			if st.p[j] < e.lo[j] || st.p[j] > e.hi[j] {
				t.Errorf("trial %d: p = %v is outside [%v, %v]", trial, st.p[j], e.lo[j], e.hi[j])
			}
		}
	}
	if active == 0 || elasticUsed == 0 {
		t.Errorf("%d active cuts, %d programs with t > 0: the trials prove nothing", active, elasticUsed)
	}
}
