package baselines

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"eevee/models"
	"eevee/solvers"
)

// The closed forms against numerical integration of their definitions.
func TestExpectedImprovement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		best, mean := rapid.Float64Range(-3, 3).Draw(t, "best"), rapid.Float64Range(-3, 3).Draw(t, "mean")
		deviation := rapid.Float64Range(0.1, 3).Draw(t, "deviation")
		y := distuv.Normal{Mu: mean, Sigma: deviation}
		from := min(best, mean) - 12*deviation
		want := quad.Fixed(func(v float64) float64 { return (best - v) * y.Prob(v) }, from, best, 400, nil, 0)
		if got := expectedImprovement(best, mean, deviation); math.Abs(got-want) > 1e-9 {
			t.Fatalf("%v, want %v", got, want)
		}
		if got := below(best, mean, deviation); math.Abs(got-y.CDF(best)) > 1e-12 {
			t.Fatalf("P(Y <= best) is %v, want %v", got, y.CDF(best))
		}
	})
	if got := expectedImprovement(2, 0.5, 0); got != 1.5 {
		t.Errorf("without doubt %v, want 1.5", got)
	}
}

// With two observations the inverse of the covariance can be written down.
func TestProcessWithTwoObservations(t *testing.T) {
	x, y := [][]float64{{0.2}, {0.7}}, []float64{3, 5}
	for _, length := range processLengths {
		p, _, ok := condition(x, y, length)
		if !ok {
			t.Fatal("no process")
		}
		kernel := func(r float64) float64 {
			s := math.Sqrt(5) * math.Abs(r) / length
			return (1 + s + s*s/3) * math.Exp(-s)
		}
		a, b := 1+processNoise, kernel(0.5)
		det := a*a - b*b
		for _, at := range []float64{0, 0.2, 0.45, 0.7, 1} {
			k0, k1 := kernel(at-0.2), kernel(at-0.7)
			// Standardised, the observations are -1 and 1 around 4.
			wantMean := 4 + ((-a-b)*k0+(a+b)*k1)/det
			wantDeviation := math.Sqrt(1 - (a*k0*k0-2*b*k0*k1+a*k1*k1)/det)
			mean, deviation := p.at([]float64{at})
			if math.Abs(mean-wantMean) > 1e-9 || math.Abs(deviation-wantDeviation) > 1e-6 {
				t.Errorf("length %v at %v: %v and %v, want %v and %v", length, at, mean, deviation, wantMean, wantDeviation)
			}
		}
	}
}

// The process learns a smooth function from few observations better than its
// mean does, and its doubt covers the truth.
func TestProcessLearns(t *testing.T) {
	f := func(x float64) float64 { return math.Sin(5*x) + x }
	var x [][]float64
	var y []float64
	for i := range 9 {
		x, y = append(x, []float64{float64(i) / 8}), append(y, f(float64(i)/8))
	}
	p, err := newProcess(x, y)
	if err != nil {
		t.Fatal(err)
	}
	for v := 0.03; v < 1; v += 0.05 {
		mean, deviation := p.at([]float64{v})
		if off := math.Abs(mean - f(v)); off > 0.05 || off > 4*deviation {
			t.Errorf("at %v: %v +- %v, want %v", v, mean, deviation, f(v))
		}
	}
}

// On problems of thousands of configurations COSE comes closer to the optimum
// than as many random draws, summed over seeds, and it stops by its rule.
func TestCOSEIsBetterThanChance(t *testing.T) {
	s0 := decaying(decay{2, 60, 300})
	s1 := decaying(decay{1, 30, 600})
	const limit = 9.0
	pose := func() *solvers.Problem { return fixedProblem(t, within(solvers.Latency, limit), nil, s0, s1) }
	optimum, err := solvers.Exact{}.Solve(context.Background(), pose(), models.Streams{})
	if err != nil || optimum.Status != solvers.Optimal {
		t.Fatal(optimum, err)
	}
	ours, chance := 0.0, 0.0
	for seed := range uint64(10) {
		streams := models.Streams{Seed: seed}
		p := pose()
		a, err := COSE{}.Solve(context.Background(), p, streams)
		if err != nil || a.Status != solvers.Done {
			t.Fatal(a, err)
		}
		n := p.Evaluations()
		if n >= 60 {
			t.Errorf("seed %d: it did not stop by its rule", seed)
		}
		b, err := RandomSearch{Evaluations: n}.Solve(context.Background(), pose(), streams)
		if err != nil {
			t.Fatal(err)
		}
		ours += a.Objective/optimum.Objective - 1
		if b.Status == solvers.Done {
			chance += b.Objective/optimum.Objective - 1
		} else {
			chance++
		}
	}
	if ours > chance/2 || ours/10 > 0.05 {
		t.Errorf("%.3g above the optimum on average, random draws %.3g", ours/10, chance/10)
	}
}
