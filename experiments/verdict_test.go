package experiments

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"eevee/solvers"
)

// What is known of old: 59 runs without a violation decide p95 at 95 %, and 299
// decide p99; 58 and 298 do not.
func TestVerdictOfRunsWithoutViolation(t *testing.T) {
	for _, c := range []struct {
		percentile float64
		runs       int
		want       string
		more       int
	}{
		{95, 58, Undecided, 1}, {95, 59, Kept, 0}, {99, 298, Undecided, 1}, {99, 299, Kept, 0}, {99, 100, Undecided, 199}, {95, 1, Undecided, 58},
	} {
		b := judgeBound(solvers.Bound{Metric: solvers.Latency, Limit: 1, Percentile: c.percentile}, 95, 0, 100, 0, c.runs)
		if b.Verdict != c.want || b.MoreRuns == nil || *b.MoreRuns != c.more {
			t.Errorf("p%v, %d runs: %s, %v more; want %s, %d more", c.percentile, c.runs, b.Verdict, b.MoreRuns, c.want, c.more)
		}
	}
}

// A verdict is what the binomial distribution itself says, whose tails are
// summed here: kept if so few violations are improbable at the risk, broken if
// so many are. One that is wrong comes up no more often than the confidence
// allows, at the risk itself.
func TestVerdictAgainstTheBinomialDistribution(t *testing.T) {
	const risk, confidence = 0.05, 95
	for _, n := range []int{20, 60, 200, 700} {
		d := distuv.Binomial{N: float64(n), P: risk}
		wrong := 0.0
		for x := range n + 1 {
			atMost, atLeast := d.CDF(float64(x)), 1-d.CDF(float64(x)-1)
			want := Undecided
			switch {
			case atMost <= 0.05:
				want = Kept
			case atLeast <= 0.05:
				want = Broken
			}
			if math.Abs(atMost-0.05) < 1e-9 || math.Abs(atLeast-0.05) < 1e-9 {
				continue
			}
			got := verdictOf(x, n, risk, confidence)
			if got != want {
				t.Errorf("%d of %d: %s, want %s", x, n, got, want)
			}
			if got == Broken {
				wrong += d.Prob(float64(x))
			}
		}
		if wrong > 0.05 {
			t.Errorf("%d runs: a bound that is just kept is called broken with probability %v", n, wrong)
		}
	}
}

// The further runs that are asked for decide, one fewer does not.
func TestMoreRunsDecide(t *testing.T) {
	for _, c := range []struct{ violations, runs int }{{1, 50}, {2, 100}, {8, 100}, {3, 30}, {0, 10}} {
		b := judgeBound(solvers.Bound{Metric: solvers.Cost, Limit: 1, Percentile: 95}, 95, 0, 100, c.violations, c.runs)
		if b.Verdict != Undecided {
			t.Errorf("%+v: %s", c, b.Verdict)
			continue
		}
		if b.MoreRuns == nil {
			t.Errorf("%+v: no number", c)
			continue
		}
		at := func(n int) string {
			return verdictOf(int(math.Round(float64(c.violations)/float64(c.runs)*float64(n))), n, 0.05, 95)
		}
		if n := c.runs + *b.MoreRuns; at(n) == Undecided || at(n-1) != Undecided {
			t.Errorf("%+v: %d more: %s, one fewer: %s", c, *b.MoreRuns, at(n), at(n-1))
		}
	}
	if b := judgeBound(solvers.Bound{Metric: solvers.Latency, Limit: 1, Percentile: 95}, 95, 0, 100, 5, 100); b.MoreRuns != nil {
		t.Errorf("a share that is the risk itself is decided after %d more runs", *b.MoreRuns)
	}
}

// A sample of the predicted distribution is near it, one that is twice as long is
// told apart.
func TestCompareFigure(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 2))
	draw := func(n int, scale float64) []float64 {
		x := make([]float64, n)
		for k := range x {
			x[k] = scale * math.Exp(0.3*source.NormFloat64())
		}
		return x
	}
	predicted := draw(20000, 1)
	same, twice := compareFigure(predicted, draw(2000, 1), 95), compareFigure(predicted, draw(2000, 2), 95)
	// The 99.99 % quantile of the Kolmogorov distribution is 2.23.
	if limit := 2.23 / math.Sqrt(2000); same.KS > 1.1*limit || math.Abs(same.ErrorP95) > 0.08 {
		t.Errorf("distance %v, p95 off by %v", same.KS, same.ErrorP95)
	}
	if math.Abs(twice.ErrorP50+0.5) > 0.05 || math.Abs(twice.ErrorP95+0.5) > 0.05 {
		t.Errorf("predicted is off by %v and %v, want half", twice.ErrorP50, twice.ErrorP95)
	}
	// The measured median of the one is twice that of a log-normal distribution.
	if want := distuv.UnitNormal.CDF(math.Ln2 / 0.3); math.Abs(twice.LevelP50-want) > 0.01 || math.Abs(same.LevelP50-0.5) > 0.05 || math.Abs(same.LevelP95-0.95) > 0.02 {
		t.Errorf("measured medians are predicted to be p%v and p%v, want p%v and p50", 100*twice.LevelP50, 100*same.LevelP50, 100*want)
	}
	// sup |F(x) - F(x/2)| of this distribution is 2*Phi(ln(2)/2/0.3) - 1.
	if want := 2*distuv.UnitNormal.CDF(math.Ln2/2/0.3) - 1; math.Abs(twice.KS-want) > 0.03 {
		t.Errorf("distance %v, want %v", twice.KS, want)
	}
}
