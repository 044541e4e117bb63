package solvers_test

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"eevee/models"
	"eevee/solvers"
)

func TestPluginCountsInDecimal(t *testing.T) {
	for _, c := range []struct {
		n          int
		percentile float64
		want       int
	}{
		{2715, 95, 135}, {4048, 95, 202}, {100, 95, 5}, {20, 95, 1}, {19, 95, 0},
		{1000, 99.9, 1}, {999, 99.9, 0}, {100, 29, 71}, {1000, 99.5, 5}, {10, 90, 1}, {1000000, 99.9999, 1},
	} {
		b := solvers.Bound{Percentile: c.percentile, Confidence: 99, Rule: solvers.Plugin}
		if got, err := b.Allowed(c.n, big.NewInt(1)); err != nil || got != c.want {
			t.Errorf("n=%d, percentile %v: %d violations allowed (%v), want %d", c.n, c.percentile, got, err, c.want)
		}
	}
}

// binomialCDF sums the binomial distribution in exact rational arithmetic.
func binomialCDF(k, n int, p *big.Rat) *big.Rat {
	q := new(big.Rat).Sub(big.NewRat(1, 1), p)
	power := func(x *big.Rat, e int) *big.Rat {
		num := new(big.Int).Exp(x.Num(), big.NewInt(int64(e)), nil)
		den := new(big.Int).Exp(x.Denom(), big.NewInt(int64(e)), nil)
		return new(big.Rat).SetFrac(num, den)
	}
	sum := new(big.Rat)
	for j := 0; j <= k; j++ {
		term := new(big.Rat).SetInt(new(big.Int).Binomial(int64(n), int64(j)))
		term.Mul(term, power(p, j)).Mul(term, power(q, n-j))
		sum.Add(sum, term)
	}
	return sum
}

// The certified k by its definition: the largest with size*P(Bin <= k) at most
// 1 - confidence.
func TestCertifiedIsTheDefinition(t *testing.T) {
	for _, c := range []struct {
		n          int
		size       string
		percentile float64
		confidence float64
	}{
		{300, "1", 95, 95}, {600, "23667", 95, 99.9}, {2715, "23667", 95, 99.9}, {900, "204085", 90, 99},
		{800, "100000000000000000000000000000000000000000000", 80, 99.9},
	} {
		size, _ := new(big.Int).SetString(c.size, 10)
		b := solvers.Bound{Percentile: c.percentile, Confidence: c.confidence, Rule: solvers.Certified}
		k, err := b.Allowed(c.n, size)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		risk := big.NewRat(int64(math.Round(100-c.percentile)), 100)
		beta := big.NewRat(int64(math.Round(1000-10*c.confidence)), 1000)
		for _, at := range []struct {
			k    int
			fits bool
		}{{k, true}, {k + 1, false}} {
			tail := new(big.Rat).Mul(new(big.Rat).SetInt(size), binomialCDF(at.k, c.n, risk))
			if fits := tail.Cmp(beta) <= 0; fits != at.fits {
				t.Errorf("%+v: k=%d allowed; at %d violations the definition holds: %v", c, k, at.k, fits)
			}
		}
	}
}

func TestTooFewScenariosSayHowManyAreNeeded(t *testing.T) {
	b := solvers.Bound{Percentile: 95, Confidence: 95, Rule: solvers.Certified}
	// One configuration: 0.95^n <= 0.05 from n = 59 on.
	if got := b.Needed(big.NewInt(1)); got != 59 {
		t.Errorf("%d scenarios needed, want 59", got)
	}
	b.Percentile = 99
	if got := b.Needed(big.NewInt(1)); got != 299 {
		t.Errorf("%d scenarios needed, want 299", got)
	}
	if _, err := b.Allowed(298, big.NewInt(1)); err == nil || !strings.Contains(err.Error(), "299") {
		t.Errorf("298 scenarios: error %v does not name 299", err)
	}
	if got := b.DefaultSamples(big.NewInt(1)); got != 10_000 {
		t.Errorf("default of %d scenarios, want 10,000", got)
	}
}

func TestBinomialIntervals(t *testing.T) {
	// Clopper and Pearson by definition: at the limits, the tail is half of
	// what the confidence leaves.
	for _, c := range []struct{ x, n int }{{0, 20}, {3, 20}, {20, 20}, {9, 120}} {
		lo, hi := solvers.BinomialInterval(c.x, c.n, 95)
		if c.x < c.n {
			if tail, _ := binomialCDF(c.x, c.n, rat(hi)).Float64(); math.Abs(tail-0.025) > 1e-9 {
				t.Errorf("%d of %d: P(X <= %d) at %v is %v, want 0.025", c.x, c.n, c.x, hi, tail)
			}
			upper := solvers.BinomialUpper(c.x, c.n, 95)
			if tail, _ := binomialCDF(c.x, c.n, rat(upper)).Float64(); math.Abs(tail-0.05) > 1e-9 {
				t.Errorf("%d of %d: P(X <= %d) at %v is %v, want 0.05", c.x, c.n, c.x, upper, tail)
			}
		} else if hi != 1 {
			t.Errorf("%d of %d: upper limit %v, want 1", c.x, c.n, hi)
		}
		if c.x > 0 {
			if tail, _ := binomialCDF(c.x-1, c.n, rat(lo)).Float64(); math.Abs(1-tail-0.025) > 1e-9 {
				t.Errorf("%d of %d: P(X >= %d) at %v is %v, want 0.025", c.x, c.n, c.x, lo, 1-tail)
			}
		} else if lo != 0 {
			t.Errorf("%d of %d: lower limit %v, want 0", c.x, c.n, lo)
		}
	}
}

func rat(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }

func TestBadBounds(t *testing.T) {
	good := solvers.Bound{Metric: solvers.Latency, Limit: 1, Percentile: 95, Confidence: 99, Rule: solvers.Plugin}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*solvers.Bound)
		want   string
	}{
		{func(b *solvers.Bound) { b.Limit = 0 }, "limit"},
		{func(b *solvers.Bound) { b.Limit = math.NaN() }, "limit"},
		{func(b *solvers.Bound) { b.Limit = math.Inf(1) }, "limit"},
		{func(b *solvers.Bound) { b.Percentile = 100 }, "percentile"},
		{func(b *solvers.Bound) { b.Percentile = 0 }, "percentile"},
		{func(b *solvers.Bound) { b.Percentile = 99.99999999999 }, "risk"},
		{func(b *solvers.Bound) { b.Percentile = math.NaN() }, "percentile"},
		{func(b *solvers.Bound) { b.Confidence = 100 }, "confidence"},
		{func(b *solvers.Bound) { b.Rule = "" }, "rule"},
		{func(b *solvers.Bound) { b.Metric = "energy" }, "metric"},
	} {
		b := good
		c.change(&b)
		if err := b.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v does not name the %s", b, err, c.want)
		}
	}
}

// exponential is a stage whose time is exponential with mean 1/VCPU, the same
// draw for every choice, so that the true risk of a limit T is exp(-VCPU*T).
type exponential struct{ draws []float64 }

func (exponential) ReadsInput() bool { return false }

func (e exponential) Times(c models.StageConfig, _ int, latency, billed []float64) {
	for k, x := range e.draws {
		if latency != nil {
			latency[k] = x / c.VCPU
		}
		if billed != nil {
			billed[k] = 1 // a constant time, so that cost grows with memory only
		}
	}
}

// What each rule delivers, over 1,000 seeds and against the true risk, which
// is known here: the answers of certified and of verified exceed the risk in
// no more than 1 - confidence of the samples, those of plugin in about half.
func TestWhatTheRulesDeliver(t *testing.T) {
	if testing.Short() {
		t.Skip("solves 2,100 problems")
	}
	const (
		seeds   = 1000
		samples = 600
		limit   = 1.0
	)
	w, err := models.NewWorkflow("w", []models.Stage{{Name: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	// Sizes so close that some configuration lies next to every sample's
	// empirical percentile. The true 95 % needs VCPU >= ln 20 = 2.9957.
	var choices []models.StageConfig
	for i := range 200 {
		choices = append(choices, models.StageConfig{Memory: 1000 + i, VCPU: 2 + 0.02*float64(i), Parallelism: 1})
	}
	space, err := models.NewSpace(w, [][]models.StageConfig{choices}, nil)
	if err != nil {
		t.Fatal(err)
	}
	draw := func(n int, streams models.Streams) (*models.Scenarios, error) {
		source := streams.New("x")
		e := exponential{make([]float64, n)}
		for k := range e.draws {
			e.draws[k] = source.ExpFloat64()
		}
		return models.NewScenarios(w, models.MustPrice(models.PriceAWS), n, []models.StageSample{e})
	}
	exceed := map[solvers.Rule]int{}
	for seed := range seeds {
		streams := models.Streams{Seed: uint64(seed)}
		sample, err := draw(samples, streams.Sub("sample"))
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range []solvers.Rule{solvers.Plugin, solvers.Certified, solvers.Verified} {
			if rule == solvers.Verified && seed%10 > 0 {
				continue // its holdouts are what takes time
			}
			bound := solvers.Bound{Metric: solvers.Latency, Limit: limit, Percentile: 95, Confidence: 95, Rule: rule}
			p, err := solvers.NewProblem(space, sample, bound)
			if err != nil {
				t.Fatal(err)
			}
			var holdout solvers.Holdout
			if rule == solvers.Verified {
				holdout = func(attempt, n int) (*models.Scenarios, error) {
					return draw(n, streams.Sub(fmt.Sprint("holdout", attempt)))
				}
			}
			r, err := solvers.Solve(context.Background(), p, solvers.Exact{}, streams, holdout)
			if err != nil {
				t.Fatal(err)
			}
			if r.Solution.Status == solvers.NotFound {
				continue // refused: no answer, no promise
			}
			if r.Solution.Status != solvers.Optimal {
				t.Fatalf("seed %d, %s: status %s", seed, rule, r.Solution.Status)
			}
			if risk := math.Exp(-limit * r.Solution.Config[0].VCPU); risk > 0.05 {
				exceed[rule]++
			}
		}
	}
	t.Logf("answers with a true risk above the bound's: %v of %d (verified: of %d)", exceed, seeds, seeds/10)
	// The empirical percentile exceeds the true one in about half of all
	// samples; 0.5 +- 4 standard deviations, widened by the lattice of k/n.
	if got := float64(exceed[solvers.Plugin]) / seeds; got < 0.40 || got > 0.62 {
		t.Errorf("plugin exceeds the risk in %v of the samples, want about half", got)
	}
	for rule, trials := range map[solvers.Rule]int{solvers.Certified: seeds, solvers.Verified: seeds / 10} {
		lo, _ := solvers.BinomialInterval(exceed[rule], trials, 99.9)
		if lo > 0.05 {
			t.Errorf("%s exceeds the risk in %d of %d samples, more than the confidence of 95 %% leaves", rule, exceed[rule], trials)
		}
	}
}
