package solvers

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// program is what sqp minimises: a smooth objective over a box, under
// constraints c(x) <= 0 of which there are so many that only a few are looked
// at. All but at refer to the point of the last at.
type program interface {
	// box returns the bounds of the variables, lo < hi.
	box() (lo, hi []float64)

	// at moves to x.
	at(x []float64) value

	// gradient writes the gradient of the objective.
	gradient(g []float64)

	// cuts linearises the constraints that matter: those of keep that still
	// do, and those that are most violated, or nearest to being so.
	cuts(keep []constraintID) []cut

	// cut linearises one constraint.
	cut(id constraintID) cut
}

// value is what a point of a program is worth.
type value struct {
	objective float64
	worst     float64 // the largest constraint; at most 0 where all hold
	total     float64 // sum of what the constraints exceed 0 by
}

func (v value) excess() float64 { return max(0, v.worst) }

// sqp minimises a program by sequential quadratic programming with an exact
// penalty on the worst constraint: the elastic program of every iterate
// (Fletcher, Practical Methods of Optimization, 1987, section 14.4), damped
// BFGS for the Hessian of the Lagrangian (Powell 1978) and a line search on
// objective + penalty * max(0, worst). A step that the constraints left out
// spoil is taken back, they are added, linearised where they were met, and the
// quadratic program is solved again, as cutting planes are; that also is the
// second-order correction.
type sqp struct {
	iterations int     // 0 means 100
	tolerance  float64 // on constraints, and on the decrease that is still in sight relative to 1 + |objective|; 0 means 1e-6
	penalty    float64 // to start with; 0 means 10
	// accuracy, if positive, replaces the tolerance by the way in which the
	// artifact's solver stops (reference section 7, 8): one number, in the
	// units of objective and constraints alike, for the change of the
	// objective and for the sum of all violations.
	accuracy float64
}

// sqpStatus says why sqp ended.
type sqpStatus int

const (
	sqpConverged   sqpStatus = iota
	sqpInfeasible            // stationary for the worst constraint, which does not hold
	sqpStalled               // no step decreases the merit, or too many iterations
	sqpInterrupted           // by the context
)

type sqpResult struct {
	x      []float64
	value  value
	status sqpStatus
	steps  int // iterations that moved
}

// Limits of the line search.
const (
	armijo       = 1e-4
	correctionsN = 3    // quadratic programs that are solved again with more cuts
	shortest     = 1e-7 // relative step length
	penaltyLimit = 1e7  // relative to the initial penalty
)

// minimise starts at x0, moved into the box.
func (q sqp) minimise(ctx context.Context, p program, x0 []float64) sqpResult {
	if q.iterations == 0 {
		q.iterations = 100
	}
	if q.tolerance == 0 {
		q.tolerance = 1e-6
	}
	if q.penalty == 0 {
		q.penalty = 10
	}
	s := q.start(ctx, p, x0)
	r := sqpResult{status: sqpStalled}
	for ; r.steps < q.iterations; r.steps++ {
		if ctx.Err() != nil {
			r.status = sqpInterrupted
			break
		}
		st := s.quadratic(s.cuts)
		predicted := s.predicted(st)
		if q.accuracy > 0 {
			if s.withinAccuracy(st) {
				r.status = sqpConverged
				break
			}
		} else if predicted <= q.tolerance*(1+math.Abs(s.value.objective)) {
			if s.value.worst <= q.tolerance {
				r.status = sqpConverged
				break
			}
			if s.penalty >= penaltyLimit*q.penalty {
				r.status = sqpInfeasible
				break
			}
			s.penalty *= 100
			continue
		}
		if predicted <= 0 {
			r.status = sqpInfeasible
			break
		}
		before := s.value
		length, ok := s.search(st, predicted)
		if !ok {
			break
		}
		if q.accuracy > 0 && s.value.total < q.accuracy &&
			(math.Abs(s.value.objective-before.objective) < q.accuracy || length < q.accuracy) {
			r.status = sqpConverged
			r.steps++
			break
		}
		if q.accuracy > 0 && s.value.total >= q.accuracy &&
			math.Abs(s.value.objective-before.objective) < q.accuracy && math.Abs(s.value.total-before.total) < q.accuracy/100 {
			r.status = sqpInfeasible
			break
		}
	}
	if ctx.Err() != nil {
		r.status = sqpInterrupted
	}
	r.x, r.value = s.x, s.value
	return r
}

// iterate is the state of sqp between two steps.
type iterate struct {
	sqp
	ctx      context.Context
	program  program
	lo, hi   []float64
	x        []float64
	value    value
	gradient []float64
	cuts     []cut
	hessian  *mat.SymDense
	fresh    bool // the Hessian has not been updated yet
	interior interior
	down, up []float64 // how far a step may go; scratch
}

func (q sqp) start(ctx context.Context, p program, x0 []float64) *iterate {
	s := &iterate{sqp: q, ctx: ctx, program: p, fresh: true}
	s.lo, s.hi = p.box()
	n := len(s.lo)
	s.x = make([]float64, n)
	s.down, s.up = make([]float64, n), make([]float64, n)
	s.hessian = mat.NewSymDense(n, nil)
	for j := range s.x {
		s.x[j] = min(max(x0[j], s.lo[j]), s.hi[j])
		s.hessian.SetSym(j, j, 1)
	}
	s.value = p.at(s.x)
	s.gradient = make([]float64, n)
	p.gradient(s.gradient)
	s.cuts = p.cuts(nil)
	return s
}

// quadratic solves the elastic program with the given cuts. The penalty grows
// until the linearised constraints hold, if they can.
func (s *iterate) quadratic(cuts []cut) step {
	floats.SubTo(s.down, s.lo, s.x)
	floats.SubTo(s.up, s.hi, s.x)
	e := elastic{ctx: s.ctx, hessian: s.hessian, gradient: s.gradient, cuts: cuts, penalty: s.penalty, lo: s.down, hi: s.up}
	st := e.solve(&s.interior)
	for st.t > s.tolerance/10 && s.value.excess() > 0 && s.penalty < penaltyLimit*s.sqp.penalty {
		was := st.t
		e.penalty *= 10
		again := e.solve(&s.interior)
		if !again.ok || again.t > 0.9*was {
			break // more penalty does not help here
		}
		st, s.penalty = again, e.penalty
	}
	return st
}

// predicted returns the decrease of the merit that the quadratic model promises.
func (s *iterate) predicted(st step) float64 {
	p := mat.NewVecDense(len(st.p), st.p)
	return -floats.Dot(s.gradient, st.p) - mat.Inner(p, s.hessian, p)/2 + s.penalty*(s.value.excess()-st.t)
}

// withinAccuracy is the artifact's test before a step: what the objective and
// the multipliers promise, and the sum of violations, are both small.
func (s *iterate) withinAccuracy(st step) bool {
	promise := math.Abs(floats.Dot(s.gradient, st.p))
	for i, m := range st.multipliers {
		promise += m * math.Abs(s.cuts[i].value)
	}
	return promise < s.accuracy && s.value.total < s.accuracy
}

func (s *iterate) merit(v value) float64 {
	m := v.objective + s.penalty*v.excess()
	if math.IsNaN(m) {
		return math.Inf(1)
	}
	return m
}

// search moves along st, or along a step that more cuts have corrected, to a
// point of lower merit. It returns the length of the way.
func (s *iterate) search(st step, predicted float64) (length float64, ok bool) {
	cuts := s.cuts
	here := s.merit(s.value)
	for range correctionsN {
		next := s.along(st.p, 1)
		v := s.program.at(next)
		if s.merit(v) <= here-armijo*predicted {
			return s.move(next, v, st, cuts), true
		}
		if s.ctx.Err() != nil {
			return 0, false
		}
		more := s.program.cuts(nil)
		for i := range more {
			more[i].value -= floats.Dot(more[i].gradient, st.p)
			more[i].id = elsewhere
		}
		cuts = append(cuts[:len(cuts):len(cuts)], more...)
		corrected := s.quadratic(cuts)
		promise := s.predicted(corrected)
		if !(promise > 0) {
			break
		}
		st, predicted = corrected, promise
	}
	for alpha := 1.0; alpha > shortest; alpha /= 2 {
		if s.ctx.Err() != nil {
			return 0, false
		}
		next := s.along(st.p, alpha)
		v := s.program.at(next)
		if s.merit(v) <= here-armijo*alpha*predicted {
			return s.move(next, v, st, cuts), true
		}
	}
	return 0, false
}

// elsewhere marks cuts that were linearised at another point.
var elsewhere = constraintID{math.MinInt, math.MinInt}

func (s *iterate) along(p []float64, alpha float64) []float64 {
	next := make([]float64, len(s.x))
	for j := range next {
		next[j] = min(max(s.x[j]+alpha*p[j], s.lo[j]), s.hi[j])
	}
	return next
}

// move takes the step to next, where the program is, and updates the model.
func (s *iterate) move(next []float64, v value, st step, cuts []cut) (length float64) {
	gradient := make([]float64, len(next))
	s.program.gradient(gradient)
	way, change := make([]float64, len(next)), make([]float64, len(next))
	floats.SubTo(way, next, s.x)
	floats.SubTo(change, gradient, s.gradient)
	var active []constraintID
	significant := 1e-8 * s.penalty
	counts := func(i int) bool { return st.multipliers[i] > significant && cuts[i].id != elsewhere }
	sum := 0.0
	for i, m := range st.multipliers {
		sum += m
		if counts(i) {
			active = append(active, cuts[i].id)
		}
	}
	// Most active constraints are linearised here as cuts of the next program.
	s.cuts = s.program.cuts(active)
	for i, m := range st.multipliers {
		if !counts(i) {
			continue
		}
		id := cuts[i].id
		k := slices.IndexFunc(s.cuts, func(c cut) bool { return c.id == id })
		there := cut{}
		if k >= 0 {
			there = s.cuts[k]
		} else {
			there = s.program.cut(id)
		}
		for j := range change {
			change[j] += m * (there.gradient[j] - cuts[i].gradient[j])
		}
	}
	s.update(way, change)
	if v.excess() == 0 {
		// A penalty far above the multipliers makes for short steps.
		s.penalty = max(s.sqp.penalty, 2*sum, s.penalty/10)
	}
	s.x, s.value, s.gradient = next, v, gradient
	return floats.Norm(way, 2)
}

// update is the BFGS update of the Hessian, damped so that it stays positive
// definite (Powell 1978).
func (s *iterate) update(way, change []float64) {
	n := len(way)
	w, y := mat.NewVecDense(n, way), mat.NewVecDense(n, change)
	wy := mat.Dot(w, y)
	ww := mat.Dot(w, w)
	if ww == 0 {
		return
	}
	if s.fresh && s.accuracy == 0 && wy > 0 {
		// The first curvature met is a better guess than 1.
		scale := min(max(mat.Dot(y, y)/wy, 1e-4), 1e4)
		for j := range n {
			s.hessian.SetSym(j, j, scale)
		}
	}
	s.fresh = false
	var hw mat.VecDense
	hw.MulVec(s.hessian, w)
	whw := mat.Dot(w, &hw)
	if wy < 0.2*whw {
		theta := 0.8 * whw / (whw - wy)
		y.ScaleVec(theta, y)
		y.AddScaledVec(y, 1-theta, &hw)
		wy = mat.Dot(w, y)
	}
	if !(wy > 1e-14*ww) || !(whw > 0) {
		return
	}
	s.hessian.SymRankOne(s.hessian, -1/whw, &hw)
	s.hessian.SymRankOne(s.hessian, 1/wy, y)
}
