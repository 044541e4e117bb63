package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"

	"eevee/models"
)

// fitMixture fits a mixture of at most so many log-normal components to times,
// by expectation and maximisation (Dempster, Laird and Rubin 1977) from several
// starts, and as many of them as the Bayesian information
// criterion asks for. The components are in the order of their medians; values
// are rounded to three digits.
func fitMixture(times []float64, most int) Mixture {
	logs := make([]float64, len(times))
	for k, x := range times {
		logs[k] = math.Log(x)
	}
	slices.Sort(logs)
	var best Mixture
	least := math.Inf(1)
	for n := 1; n <= most; n++ {
		for _, start := range []func(float64) float64{
			func(p float64) float64 { return p },                  // parts of equal weight
			func(p float64) float64 { return math.Sqrt(p) },       // a long tail
			func(p float64) float64 { return math.Pow(p, 1.0/4) }, // a rare one
			func(p float64) float64 { return p * p },              // a long head
		} {
			m, likelihood := maximise(logs, n, start)
			if bic := float64(3*n-1)*math.Log(float64(len(logs))) - 2*likelihood; bic < least {
				best, least = m, bic
			}
		}
	}
	return rounded(best)
}

// leastSigma keeps a component from closing in on a single value.
const leastSigma = 0.01

// maximise finds a maximum of the likelihood. The components start at the
// quantiles that start makes of equal parts.
func maximise(logs []float64, n int, start func(float64) float64) (Mixture, float64) {
	weight, mean, sigma := make([]float64, n), make([]float64, n), make([]float64, n)
	_, sd := stat.MeanStdDev(logs, nil)
	for c := range n {
		weight[c] = 1 / float64(n)
		mean[c] = stat.Quantile(start((float64(c)+0.5)/float64(n)), stat.Empirical, logs, nil)
		sigma[c] = max(leastSigma, sd/float64(n))
	}
	share := make([]float64, n)
	last, likelihood := math.Inf(-1), 0.0
	for range 150 {
		w, s, ss := make([]float64, n), make([]float64, n), make([]float64, n)
		likelihood = 0
		for _, x := range logs {
			total := 0.0
			for c := range n {
				z := (x - mean[c]) / sigma[c]
				share[c] = weight[c] / sigma[c] * math.Exp(-z*z/2)
				total += share[c]
			}
			likelihood += math.Log(total / math.Sqrt(2*math.Pi))
			for c := range n {
				p := share[c] / total
				w[c] += p
				s[c] += p * x
				ss[c] += p * (x - mean[c]) * (x - mean[c])
			}
		}
		for c := range n {
			weight[c] = w[c] / float64(len(logs))
			sigma[c] = max(leastSigma, math.Sqrt(ss[c]/w[c]))
			mean[c] = s[c] / w[c]
		}
		if likelihood-last < 1e-8*math.Abs(likelihood) {
			break
		}
		last = likelihood
	}
	var m Mixture
	for c := range n {
		m = append(m, LogNormal{Weight: weight[c], Median: math.Exp(mean[c]), Sigma: sigma[c]})
	}
	slices.SortFunc(m, func(a, b LogNormal) int { return int(math.Copysign(1, a.Median-b.Median)) })
	return m, likelihood
}

// rounded rounds the values to three digits so that the weights still add up.
func rounded(m Mixture) Mixture {
	rest := 1000
	for c := range m {
		m[c].Median, m[c].Sigma = digits(m[c].Median), digits(m[c].Sigma)
		w := max(1, int(math.Round(m[c].Weight*1000)))
		if c == len(m)-1 {
			w = rest
		}
		rest -= w
		m[c].Weight = float64(w) / 1000
	}
	return m
}

// digits rounds to three significant digits.
func digits(x float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x))-2)
	return math.Round(math.Round(x/unit)*unit*1e9) / 1e9
}

func TestMixture(t *testing.T) {
	const n = 100_000
	for name, m := range map[string]Mixture{
		"one":   {{Median: 0.2, Sigma: 0.3}},
		"three": {{0.7, 0.1, 0.2}, {0.2, 0.5, 0.1}, {0.1, 3, 0.7}},
	} {
		if err := m.check(); err != nil {
			t.Fatal(err)
		}
		stream := models.Streams{Seed: 9}.New(name)
		sample := make([]float64, n)
		for k := range sample {
			sample[k] = m.Draw(stream)
		}
		if d, limit := kolmogorov(sample, m.CDF); d > limit {
			t.Errorf("%s: distance of the draws from the distribution %.5f, above %.5f", name, d, limit)
		}
		mean, sd := stat.MeanStdDev(sample, nil)
		if within := 4 * sd / math.Sqrt(n); math.Abs(mean-m.Mean()) > within {
			t.Errorf("%s: mean of the draws %v, want %v within %v", name, mean, m.Mean(), within)
		}
		// And the fit of a sample finds the mixture again.
		fitted := fitMixture(sample[:3_000], 3)
		if len(fitted) != len(m) {
			t.Errorf("%s: fit of %d components, want %d: %v", name, len(fitted), len(m), fitted)
			continue
		}
		for c := range m {
			if got, want := fitted[c], m[c]; math.Abs(got.Median/want.Median-1) > 0.1 || math.Abs(got.Sigma/want.Sigma-1) > 0.15 || math.Abs(got.weight()-want.weight()) > 0.02 {
				t.Errorf("%s: component %d fitted as %+v, want %+v", name, c+1, got, want)
			}
		}
	}
	if x := (Mixture)(nil).Draw(rand.New(rand.NewPCG(1, 2))); x != 0 || (Mixture)(nil).Mean() != 0 || (Mixture)(nil).CDF(0) != 1 || (Mixture)(nil).CDF(-1) != 0 {
		t.Error("an empty mixture is not 0")
	}
	fixed := Mixture{{Median: 0.25}}
	if x := fixed.Draw(nil); x != 0.25 || fixed.CDF(0.25) != 1 || fixed.CDF(0.2) != 0 || fixed.Mean() != 0.25 {
		t.Errorf("a mixture without spread draws %v", x)
	}
}
