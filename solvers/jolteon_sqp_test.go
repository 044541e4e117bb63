package solvers

import (
	"context"
	"math"
	"slices"
	"testing"
)

// analytic is a program given by formulas. It shows sqp only the three worst
// constraints and those asked for.
type analytic struct {
	lo, hi      []float64
	objective   func(x, gradient []float64) float64
	constraints []func(x, gradient []float64) float64

	x      []float64
	values []float64
}

func (p *analytic) box() (lo, hi []float64) { return p.lo, p.hi }

func (p *analytic) at(x []float64) value {
	p.x = slices.Clone(x)
	v := value{objective: p.objective(x, make([]float64, len(x))), worst: math.Inf(-1)}
	p.values = nil
	for _, c := range p.constraints {
		e := c(x, make([]float64, len(x)))
		p.values = append(p.values, e)
		v.worst = max(v.worst, e)
		v.total += max(0, e)
	}
	return v
}

func (p *analytic) gradient(g []float64) { p.objective(p.x, g) }

func (p *analytic) cuts(keep []constraintID) []cut {
	ids := slices.Clone(keep)
	for _, k := range descending(p.values)[:min(3, len(p.values))] {
		if id := (constraintID{scenario: k}); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var cuts []cut
	for _, id := range ids {
		cuts = append(cuts, p.cut(id))
	}
	return cuts
}

func (p *analytic) cut(id constraintID) cut {
	c := cut{id: id, gradient: make([]float64, len(p.x))}
	c.value = p.constraints[id.scenario](p.x, c.gradient)
	return c
}

func square(x float64) float64 { return x * x }

func TestSQPOnKnownSolutions(t *testing.T) {
	linear := func(a []float64, b float64) func(x, g []float64) float64 {
		return func(x, g []float64) float64 {
			copy(g, a)
			sum := -b
			for j := range a {
				sum += a[j] * x[j]
			}
			return sum
		}
	}
	// The unit disk as 10,000 half planes: no three of them make it.
	var disk []func(x, g []float64) float64
	for k := range 10_000 {
		sin, cos := math.Sincos(2 * math.Pi * (float64(k) + 0.3) / 10_000)
		disk = append(disk, linear([]float64{cos, sin}, 1))
	}
	circle := func(x, g []float64) float64 {
		g[0], g[1] = 2*x[0], 2*x[1]
		return square(x[0]) + square(x[1]) - 1
	}
	rosenbrock := func(x, g []float64) float64 {
		g[0] = -2*(1-x[0]) - 400*x[0]*(x[1]-square(x[0]))
		g[1] = 200 * (x[1] - square(x[0]))
		return square(1-x[0]) + 100*square(x[1]-square(x[0]))
	}
	for name, c := range map[string]struct {
		program   analytic
		from, to  []float64
		tolerance float64
		status    sqpStatus
	}{
		// Projection of (2,1) on x+y <= 2.
		"projection": {analytic{
			lo: []float64{-5, -5}, hi: []float64{5, 5},
			objective: func(x, g []float64) float64 {
				g[0], g[1] = 2*(x[0]-2), 2*(x[1]-1)
				return square(x[0]-2) + square(x[1]-1)
			},
			constraints: []func(x, g []float64) float64{linear([]float64{1, 1}, 2)},
		}, []float64{-4, 3}, []float64{1.5, 0.5}, 1e-6, sqpConverged},
		// Time 1/x + 4/y under a budget x + y <= 6: y = 2x.
		"budget": {analytic{
			lo: []float64{0.1, 0.1}, hi: []float64{10, 10},
			objective: func(x, g []float64) float64 {
				g[0], g[1] = -1/square(x[0]), -4/square(x[1])
				return 1/x[0] + 4/x[1]
			},
			constraints: []func(x, g []float64) float64{linear([]float64{1, 1}, 6)},
		}, []float64{9, 9}, []float64{2, 4}, 1e-4, sqpConverged},
		// The bound of the box holds, the constraint does not bind.
		"box": {analytic{
			lo: []float64{1, -1}, hi: []float64{2, 1},
			objective: func(x, g []float64) float64 {
				g[0], g[1] = 2*x[0], 2*(x[1]-0.25)
				return square(x[0]) + square(x[1]-0.25)
			},
			constraints: []func(x, g []float64) float64{linear([]float64{1, 1}, 6)},
		}, []float64{2, -1}, []float64{1, 0.25}, 1e-5, sqpConverged},
		"disk of half planes": {analytic{
			lo: []float64{-3, -3}, hi: []float64{3, 3},
			objective: func(x, g []float64) float64 {
				g[0], g[1] = -1, -1
				return -x[0] - x[1]
			},
			constraints: disk,
		}, []float64{-1, 0.5}, []float64{math.Sqrt2 / 2, math.Sqrt2 / 2}, 1e-3, sqpConverged},
		// Not convex; the known minimiser of Rosenbrock's function on the disk.
		"rosenbrock": {analytic{
			lo: []float64{-1.5, -1.5}, hi: []float64{1.5, 1.5}, objective: rosenbrock,
			constraints: []func(x, g []float64) float64{circle},
		}, []float64{-0.5, 0.5}, []float64{0.78641515, 0.61769831}, 1e-4, sqpConverged},
		// x >= 3 and y <= x within the unit box: the nearest miss is x = 1.
		"infeasible": {analytic{
			lo: []float64{0, 0}, hi: []float64{1, 1},
			objective: func(x, g []float64) float64 {
				g[0], g[1] = 1, 2*(x[1]-0.5)
				return x[0] + square(x[1]-0.5)
			},
			constraints: []func(x, g []float64) float64{linear([]float64{-1, 0}, -3), linear([]float64{-1, 1}, 0)},
		}, []float64{0.2, 0.2}, []float64{1, 0.5}, 1e-3, sqpInfeasible},
		"no constraint": {analytic{
			lo: []float64{-1.5, -1.5}, hi: []float64{1.5, 1.5}, objective: rosenbrock,
		}, []float64{-1.2, 1}, []float64{1, 1}, 1e-3, sqpConverged},
	} {
		r := sqp{tolerance: 1e-9}.minimise(context.Background(), &c.program, c.from)
		if r.status != c.status {
			t.Errorf("%s: status %d after %d steps, want %d (x = %v, %+v)", name, r.status, r.steps, c.status, r.x, r.value)
		}
		for j, x := range r.x {
			if math.Abs(x-c.to[j]) > c.tolerance {
				t.Errorf("%s: x = %v after %d steps, want %v", name, r.x, r.steps, c.to)
				break
			}
		}
	}
}

// With the artifact's tolerance the solver ends at its start if what is in
// sight is small in units of that tolerance (reference section 7, 8).
func TestSQPStopsAtTheArtifactsAccuracy(t *testing.T) {
	p := &analytic{
		lo: []float64{0}, hi: []float64{10},
		objective: func(x, g []float64) float64 {
			g[0] = -1
			return -x[0]
		},
		constraints: []func(x, g []float64) float64{func(x, g []float64) float64 {
			g[0] = 1
			return x[0] - 8
		}},
	}
	for _, c := range []struct{ accuracy, from, to float64 }{
		{5, 6, 6},      // the promise is a step of length 1
		{0.5, 6, 6.75}, // larger than the accuracy: some steps are taken
	} {
		r := sqp{accuracy: c.accuracy}.minimise(context.Background(), p, []float64{c.from})
		if r.status != sqpConverged || r.x[0] < c.to || c.accuracy == 5 && r.x[0] != c.to {
			t.Errorf("accuracy %v: status %d, x = %v", c.accuracy, r.status, r.x)
		}
	}
}

func TestSQPIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := &analytic{lo: []float64{0}, hi: []float64{1}, objective: func(x, g []float64) float64 {
		g[0] = 1
		return x[0]
	}}
	if r := (sqp{}).minimise(ctx, p, []float64{1}); r.status != sqpInterrupted || r.x[0] != 1 {
		t.Errorf("status %d at x = %v", r.status, r.x)
	}
}
