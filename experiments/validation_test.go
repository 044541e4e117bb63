package experiments

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"eevee/models"
	"eevee/traces"
)

// truth is a model that knows how the times of a made-up trace are
// distributed: exp(normal) around what the configuration says, times spread.
type truth struct {
	spread float64 // 1: as it is
}

// sd is the standard deviation of the logarithm of every made-up time.
const sd = 0.3

func medianTime(c models.StageConfig) float64 { return 5 / (c.VCPU * float64(c.Parallelism)) }

func (m truth) Execution(_ int, c models.StageConfig, _ int) ([]float64, error) {
	sample := make([]float64, 2000)
	for k := range sample {
		z := distuv.UnitNormal.Quantile((float64(k) + 0.5) / float64(len(sample)))
		sample[k] = medianTime(c) * math.Exp(m.spread*sd*z)
	}
	return sample, nil
}

func (m truth) Latency(c models.Config) ([]float64, error) { return m.Execution(0, c[0], 0) }

func (m truth) forecaster(name string) Forecaster {
	return Forecaster{name, func(*models.Profile, models.Streams) (Predictor, error) { return m, nil }}
}

// oneStage is a workflow of a single function.
func oneStage(t testing.TB) *models.Definition {
	t.Helper()
	def, err := models.ParseDefinition("one.yaml", []byte(`
name: one
title: one function
source: made up
mb_per_vcpu: 1769
price: aws-x86
stages:
  - {name: work}
spaces:
  - name: small
    source: made up
    stages:
      - {stage: work, choices: [{parallelism: [1, 2], vcpu: [1, 2]}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	return def
}

// made returns a trace of the workflow: runs per configuration, each with the
// median time times exp(deviation(configuration, run)).
func made(t testing.TB, def *models.Definition, configurations, runs int, deviation func(configuration, run int) float64) *models.Profile {
	t.Helper()
	var rows []traces.Record
	for c := range configurations {
		config := def.StageConfig(512+64*(c%40), 1+c/40)
		for k := range runs {
			compute := medianTime(config) * math.Exp(deviation(c, k))
			rows = append(rows, traces.Record{
				Workflow: "one", Execution: fmt.Sprintf("%d/%d", c, k), Stage: "work", Statistic: traces.Mean,
				MemoryMB: int32(config.Memory), Parallelism: new(int32(config.Parallelism)), Epoch: new(int32(1)),
				Cold: new(0.0), Read: new(0.0), Compute: &compute, Write: new(0.0),
			})
		}
	}
	p, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A model that knows the truth covers every level as often as it says, and its
// shares of the predicted distribution are uniform; one that halves the spread
// covers Phi(z/2) of its levels.
func TestValidationOfTheTruthIsNominal(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 5))
	const configurations, runs = 80, 25
	p := made(t, oneStage(t), configurations, runs, func(int, int) float64 { return sd * source.NormFloat64() })
	v, err := Validate(context.Background(), p, ValidationOptions{
		Seed: 1, Models: []Forecaster{truth{1}.forecaster("truth"), truth{0.5}.forecaster("half")},
	})
	if err != nil {
		t.Fatal(err)
	}
	n := float64(configurations * runs)
	for _, r := range v.Rows {
		if r.N != configurations*runs || r.Held != configurations {
			t.Fatalf("%s: %d points of %d configurations, want %v of %d", r.Model, r.N, r.Held, n, configurations)
		}
		z := distuv.UnitNormal.Quantile(r.Level)
		want, width := r.Level, math.Exp(sd*z)
		if r.Model == "half" {
			want, width = distuv.UnitNormal.CDF(z/2), math.Exp(sd*z/2)
		}
		// Four standard errors of a binomial share.
		if e := 4 * math.Sqrt(want*(1-want)/n); math.Abs(r.Coverage-want) > e {
			t.Errorf("%s at %v covers %.4f, theory says %.4f +- %.4f", r.Model, r.Level, r.Coverage, want, e)
		}
		if math.Abs(r.WidthRatio/width-1) > 0.01 {
			t.Errorf("%s at %v has width %.4f, theory says %.4f", r.Model, r.Level, r.WidthRatio, width)
		}
	}
	// Kolmogorov's statistic exceeds 1.95/sqrt(n) with probability 0.001.
	shares := make([]int, 101)
	for _, point := range v.Points {
		if point.Model == "truth" {
			shares[int(math.Ceil(100*point.Share))]++
		}
	}
	below := 0.0
	for k, count := range shares {
		below += float64(count) / n
		if d := math.Abs(below - float64(k)/100); d > 1.95/math.Sqrt(n)+0.001 {
			t.Errorf("%.4f of the shares are at most %v", below, float64(k)/100)
		}
	}
	// The truth has the best expected scores of all.
	for k, r := range v.Rows[:4] {
		if half := v.Rows[4+k]; r.CRPS >= half.CRPS {
			t.Errorf("CRPS of the truth %v, of half its spread %v", r.CRPS, half.CRPS)
		}
	}
}

// Where runs of a configuration deviate together, the bootstrap over
// configurations has the variance that theory gives a mean of clusters, and
// that is runs times larger than the binomial one.
func TestClusteredIntervalHasTheVarianceOfClusters(t *testing.T) {
	source := rand.New(rand.NewPCG(2, 5))
	const configurations, runs, p = 100, 20, 0.7
	var c clusters
	for k := range configurations {
		hit := source.Float64() < p
		for range runs {
			c.add(strconv.Itoa(k), hit)
		}
	}
	share := c.share()
	lo, hi := c.interval(20_000, 95, source)
	want := 2 * 1.96 * math.Sqrt(share*(1-share)/configurations)
	if got := hi - lo; math.Abs(got/want-1) > 0.05 {
		t.Errorf("interval of width %.4f, theory says %.4f", got, want)
	}
	if !(lo < share && share < hi) {
		t.Errorf("interval [%v, %v] does not hold %v", lo, hi, share)
	}
	// Coverage of the interval itself: of 300 such samples about 95 % hold p.
	held := 0
	for range 300 {
		var c clusters
		for k := range configurations {
			hit := source.Float64() < p
			for range runs {
				c.add(strconv.Itoa(k), hit)
			}
		}
		if lo, hi := c.interval(400, 95, source); lo <= p && p <= hi {
			held++
		}
	}
	// 4 standard errors of a binomial with 0.95, and 0.02 for so few clusters.
	if e := 4*math.Sqrt(0.95*0.05/300) + 0.02; math.Abs(float64(held)/300-0.95) > e {
		t.Errorf("%d of 300 intervals hold the truth", held)
	}
}

// The CRPS of a normal distribution has a closed form (Gneiting and Raftery
// 2007, equation 21); that of a single value is the absolute error, and the mean
// pinball loss over levels is half the CRPS.
func TestScoresOfANormalDistribution(t *testing.T) {
	sample := make([]float64, 20_000)
	for k := range sample {
		sample[k] = 10 + 2*distuv.UnitNormal.Quantile((float64(k)+0.5)/float64(len(sample)))
	}
	p := newPrediction(sample)
	for _, y := range []float64{4, 9, 10, 11.5, 20} {
		z := (y - 10) / 2
		want := 2 * (z*(2*distuv.UnitNormal.CDF(z)-1) + 2*distuv.UnitNormal.Prob(z) - 1/math.Sqrt(math.Pi))
		got := p.point(y)
		if math.Abs(got.CRPS-want) > 1e-3 {
			t.Errorf("CRPS at %v is %v, theory says %v", y, got.CRPS, want)
		}
		if share := distuv.UnitNormal.CDF(z); math.Abs(got.Share-share) > 1e-4 {
			t.Errorf("share at %v is %v, theory says %v", y, got.Share, share)
		}
		sum, levels := 0.0, 999
		for k := 1; k <= levels; k++ {
			level := float64(k) / float64(levels+1)
			sum += pinball(level, y, 10+2*distuv.UnitNormal.Quantile(level)) / float64(levels)
		}
		if math.Abs(2*sum-want) > 0.02*want+1e-3 {
			t.Errorf("twice the mean pinball loss at %v is %v, the CRPS %v", y, 2*sum, want)
		}
	}
	if got := newPrediction([]float64{3}).point(5).CRPS; got != 2 {
		t.Errorf("CRPS of the single value 3 at 5 is %v, want 2", got)
	}
}

// Executions of a configuration leave together, and nothing of them is left to
// fit on.
func TestFoldsHoldOutWholeConfigurations(t *testing.T) {
	p := made(t, oneStage(t), 7, 3, func(int, int) float64 { return 0 })
	folds := configurationFolds(p)
	if len(folds) != 7 {
		t.Fatalf("%d folds, want 7", len(folds))
	}
	for _, f := range folds {
		held, seen := f.held(p).Stage(0), f.without(p).Stage(0)
		if len(held) != 3 || len(seen) != 18 {
			t.Errorf("%s: %d held, %d seen", f.configuration, len(held), len(seen))
		}
		for _, o := range seen {
			if o.Config == held[0].Config {
				t.Errorf("%s is held out and seen", o.Config)
			}
		}
	}
	if _, err := Validate(context.Background(), p.Select(func(o models.Observation) bool { return o.Config == p.Stage(0)[0].Config }), ValidationOptions{}); err == nil {
		t.Error("a single configuration was validated")
	}
}
