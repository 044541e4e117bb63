package baselines

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
)

// sampled returns a distribution of n atoms of equal probability at the
// midpoints of a quantile function.
func sampled(n int, quantile func(u float64) float64) atoms {
	values := make([]float64, n)
	for k := range values {
		values[k] = quantile((float64(k) + 0.5) / float64(n))
	}
	return empirical(values)
}

func (b binned) moments(width float64) (mean, variance float64) {
	for k, m := range b.mass {
		mean += m * float64(b.first+k) * width
	}
	for k, m := range b.mass {
		x := float64(b.first+k)*width - mean
		variance += m * x * x
	}
	return mean, variance
}

func (a atoms) cdf(y float64) (sum float64) {
	for _, x := range a {
		if x.value <= y {
			sum += x.prob
		}
	}
	return sum
}

func TestConvolutionOfDice(t *testing.T) {
	die := empirical([]float64{1, 2, 3, 4, 5, 6}).bin(1)
	two := die.plus(die)
	for k := 2; k <= 12; k++ {
		if got, want := two.at(k), (6-math.Abs(float64(k-7)))/36; math.Abs(got-want) > 1e-15 {
			t.Errorf("two dice show %d with probability %v, want %v", k, got, want)
		}
	}
	// P(three dice show at most 4) = 4/216.
	if got := two.plus(die).below(4); math.Abs(got-4.0/216) > 1e-15 {
		t.Errorf("three dice show at most 4 with probability %v, want 4/216", got)
	}
}

// Sums of exponentials against the Erlang distribution. Each of three atoms
// may have moved by a bin, and each is off by half an atom's probability.
func TestConvolutionOfExponentials(t *testing.T) {
	const (
		n     = 5000
		width = 0.01
	)
	exponential := sampled(n, func(u float64) float64 { return -math.Log1p(-u) })
	one := exponential.bin(width)
	sum := one.plus(one).plus(one)
	erlang := func(x float64) float64 {
		if x <= 0 {
			return 0
		}
		return 1 - math.Exp(-x)*(1+x+x*x/2)
	}
	for k := range 1200 {
		x := float64(k) * width
		got := sum.below(k)
		low, high := erlang(x-3*width)-3.0/(2*n), erlang(x+3*width)+3.0/(2*n)
		if got < low || got > high {
			t.Errorf("P(sum <= %.2f) is %v, not in [%v, %v]", x, got, low, high)
		}
	}
	// Binning keeps means, and adds at most width^2/4 to every variance.
	mean, variance := sum.moments(width)
	if want := 3 * exponential.mean(); math.Abs(mean-want) > 1e-9 {
		t.Errorf("mean of the sum is %v, want %v", mean, want)
	}
	second := 0.0
	for _, x := range exponential {
		second += x.prob * x.value * x.value
	}
	if own := 3 * (second - exponential.mean()*exponential.mean()); variance < own || variance > own+3*width*width/4 {
		t.Errorf("variance of the sum is %v, want %v and up to %v more", variance, own, 3*width*width/4)
	}
}

// The largest of n exponentials has the mean 1 + 1/2 + ... + 1/n, and the
// largest of n uniform draws is at most y with probability y^n.
func TestLargestOfIndependentWorkers(t *testing.T) {
	const atomsOf = 20_000
	uniform := sampled(atomsOf, func(u float64) float64 { return u })
	exponential := sampled(atomsOf, func(u float64) float64 { return -math.Log1p(-u) })
	harmonic := 0.0
	for n := 1; n <= 32; n++ {
		harmonic += 1 / float64(n)
		for _, y := range []float64{0.3, 0.9, 0.99} {
			if got, want := uniform.largest(n).cdf(y), math.Pow(y, float64(n)); math.Abs(got-want) > float64(n)/atomsOf {
				t.Errorf("largest of %d uniform draws is at most %v with probability %v, want %v", n, y, got, want)
			}
		}
		// The last atom, at ln(2 atoms), stands for a tail with mean 1+ln(atoms);
		// the others are nearer to the mean of their part.
		if got := exponential.largest(n).mean(); math.Abs(got-harmonic) > float64(n)/atomsOf {
			t.Errorf("largest of %d exponentials has mean %v, want %v", n, got, harmonic)
		}
	}
	// And a simulation.
	source := rand.New(rand.NewPCG(1, 2))
	const runs = 20_000
	five := exponential.largest(5)
	for _, y := range []float64{1, 2, 3} {
		hits := 0
		for range runs {
			most := 0.0
			for range 5 {
				most = max(most, source.ExpFloat64())
			}
			if most <= y {
				hits++
			}
		}
		p := five.cdf(y)
		if got, sd := float64(hits)/runs, math.Sqrt(p*(1-p)/runs); math.Abs(got-p) > 4*sd {
			t.Errorf("largest of 5 exponentials is at most %v in %v of the runs, with probability %v", y, got, p)
		}
	}
}

// Workers of a run that take the same time are as one worker; independent ones
// are F^n; and where they share half of their time, the estimate is nearer to
// what happens than independence is.
func TestLargestOfCorrelatedWorkers(t *testing.T) {
	source := rand.New(rand.NewPCG(3, 4))
	const (
		runs = 3000
		n    = 8
	)
	draw := func(time func(run float64) float64) (list [][]float64, largest atoms) {
		var tops []float64
		for range runs {
			run := source.ExpFloat64()
			times := make([]float64, n)
			for k := range times {
				times[k] = time(run)
			}
			list = append(list, times)
			tops = append(tops, slices.Max(times))
		}
		return list, empirical(tops)
	}
	// distance is that of Kolmogorov and Smirnov.
	distance := func(a, b atoms) (worst float64) {
		fa, fb := 0.0, 0.0
		for len(a) > 0 && len(b) > 0 {
			y := min(a[0].value, b[0].value)
			for ; len(a) > 0 && a[0].value == y; a = a[1:] {
				fa += a[0].prob
			}
			for ; len(b) > 0 && b[0].value == y; b = b[1:] {
				fb += b[0].prob
			}
			worst = max(worst, math.Abs(fa-fb))
		}
		return worst
	}

	same, largest := draw(func(run float64) float64 { return run })
	if d := distance(largestOf(same, n, true), largest); d > 1e-9 {
		t.Errorf("equal workers: %v away from one worker", d)
	}
	// The number of workers is free: 100 equal ones are still one.
	if d := distance(largestOf(same, 100, true), largest); d > 1e-9 {
		t.Errorf("100 equal workers: %v away from one worker", d)
	}
	alone, _ := draw(func(float64) float64 { return source.ExpFloat64() })
	power := sampled(20_000, func(u float64) float64 { return -math.Log1p(-u) }).largest(n)
	// F and G are shares p of 24,000 workers. Four standard deviations of G make
	// 7 p^6.5 sqrt(1-p) 4/sqrt(24,000) < 0.03 of its seventh power, those of F less.
	if d := distance(largestOf(alone, n, true), power); d > 0.05 {
		t.Errorf("independent workers: %v away from F^n", d)
	}
	shared, largest := draw(func(run float64) float64 { return run + source.ExpFloat64() })
	correlated, independent := distance(largestOf(shared, n, true), largest), distance(largestOf(shared, n, false), largest)
	if correlated > independent/2 {
		t.Errorf("workers that share half of their time: correlated %v away from the largest, independent %v", correlated, independent)
	}
	for _, list := range [][][]float64{same, alone, shared} {
		a := largestOf(list, n, true)
		sum := 0.0
		for k, x := range a {
			sum += x.prob
			if x.prob <= 0 || k > 0 && x.value < a[k-1].value {
				t.Fatalf("atom %d is %v after %v", k, x, a[max(0, k-1)])
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("probabilities add up to %v", sum)
		}
	}
	// One worker is the distribution of all.
	if d := distance(largestOf(shared, 1, true), empirical(slices.Concat(shared...))); d > 1e-9 {
		t.Errorf("one worker: %v away from its distribution", d)
	}
}

func randomAtoms(t *rapid.T, label string) atoms {
	values := rapid.SliceOfN(rapid.Float64Range(0, 100), 1, 9).Draw(t, label)
	return empirical(values)
}

// The quantiles of an interpolation are the interpolated quantiles.
func TestInterpolationIsByPercentile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := randomAtoms(t, "a"), randomAtoms(t, "b")
		w := rapid.Float64Range(0, 1).Draw(t, "w")
		got := a.between(b, w)
		sum := 0.0
		for _, x := range got {
			sum += x.prob
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("probabilities add up to %v", sum)
		}
		for k := range 100 {
			u := (float64(k) + 0.4567) / 100 // no sum of a few equal parts
			want := a.quantile(u) + w*(b.quantile(u)-a.quantile(u))
			if q := got.quantile(u); math.Abs(q-want) > 1e-9 {
				t.Fatalf("quantile %v is %v, want %v", u, q, want)
			}
		}
	})
}

// Interpolation and independent parallel composition commute, so that it does
// not matter which comes first.
func TestInterpolationCommutesWithLargest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := randomAtoms(t, "a"), randomAtoms(t, "b")
		w := rapid.Float64Range(0, 1).Draw(t, "w")
		n := rapid.IntRange(1, 40).Draw(t, "n")
		first, last := a.largest(n).between(b.largest(n), w), a.between(b, w).largest(n)
		for _, x := range last {
			if p, q := first.cdf(x.value+1e-9), last.cdf(x.value+1e-9); math.Abs(p-q) > 1e-9 {
				t.Fatalf("at %v: %v and %v", x.value, p, q)
			}
		}
	})
}

// fastest is the larger probability everywhere, latest the product.
func TestEnvelopeAndProduct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := randomAtoms(t, "a").bin(1), randomAtoms(t, "b").bin(1)
		fastest, latest := a.fastest(b), a.latest(b)
		for k := -1; k <= 102; k++ {
			if got, want := fastest.below(k), max(a.below(k), b.below(k)); math.Abs(got-want) > 1e-12 {
				t.Fatalf("fastest: P(X <= %d) is %v, want %v", k, got, want)
			}
			if got, want := latest.below(k), a.below(k)*b.below(k); math.Abs(got-want) > 1e-12 {
				t.Fatalf("latest: P(X <= %d) is %v, want %v", k, got, want)
			}
		}
	})
}

// A workflow's latency against simulation: exact where no two ends that are
// joined share an ancestor, and never too optimistic where they do.
func TestComposedAgainstSimulation(t *testing.T) {
	graphs := map[string]struct {
		stages []models.Stage
		exact  bool
	}{
		"chain":   {[]models.Stage{{Name: "a"}, {Name: "b", After: []string{"a"}}, {Name: "c", After: []string{"b", "a"}}}, true},
		"tree":    {[]models.Stage{{Name: "a"}, {Name: "b"}, {Name: "c", After: []string{"a", "b"}}, {Name: "d"}, {Name: "e", After: []string{"c", "d"}}}, true},
		"sinks":   {[]models.Stage{{Name: "a"}, {Name: "b"}}, true},
		"diamond": {[]models.Stage{{Name: "a"}, {Name: "b", After: []string{"a"}}, {Name: "c", After: []string{"a"}}, {Name: "d", After: []string{"b", "c"}}}, false},
		"fork":    {[]models.Stage{{Name: "a"}, {Name: "b", After: []string{"a"}}, {Name: "c", After: []string{"a"}}}, false},
	}
	const (
		width = 0.5
		runs  = 40_000
	)
	for name, g := range graphs {
		source := rand.New(rand.NewPCG(5, uint64(len(name))))
		w, err := models.NewWorkflow(name, g.stages)
		if err != nil {
			t.Fatal(err)
		}
		stages := make([]atoms, w.Len())
		parts := make([]binned, w.Len())
		for i := range stages {
			values := make([]float64, 3+source.IntN(5))
			for k := range values {
				values[k] = width * float64(source.IntN(40)) // on the bins, so that nothing is rounded
			}
			stages[i] = empirical(values)
			parts[i] = stages[i].bin(width)
		}
		end := composed(directParents(w), w.Sinks(), parts)
		hits := make(map[int]int)
		times := make([]float64, w.Len())
		for range runs {
			for i, a := range stages {
				times[i] = a[source.IntN(len(a))].value
			}
			hits[int(math.Round(w.Latency(times)/width))]++
		}
		below := 0
		for k := range end.first + len(end.mass) {
			below += hits[k]
			p, got := end.below(k), float64(below)/runs
			sd := math.Sqrt(max(p*(1-p), 1.0/runs) / runs)
			if g.exact && math.Abs(got-p) > 4.5*sd || !g.exact && p > got+4.5*sd {
				t.Errorf("%s: P(latency <= %v) is %v, simulated %v", name, float64(k)*width, p, got)
			}
		}
	}
}
