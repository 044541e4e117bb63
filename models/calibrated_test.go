package models_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/traces"
)

// chain is the workflow that synthetic truths are of: a stage that can be split
// and one that cannot.
const chain = `
name: chain
title: two stages
source: made for tests
mb_per_vcpu: 1024
price: jolteon
stages:
  - {name: map}
  - {name: reduce, after: [map], max_parallelism: 1}
spaces:
  - name: all
    source: made for tests
    stages:
      - stage: map
        choices: [{parallelism: [2, 4, 8, 16], vcpu: [0.5, 1, 2, 4]}]
      - stage: reduce
        choices: [{parallelism: [1], vcpu: [0.5, 1, 2, 4]}]
`

func chainDefinition(t testing.TB) *models.Definition {
	t.Helper()
	def, err := models.ParseDefinition("chain.yaml", []byte(chain))
	if err != nil {
		t.Fatal(err)
	}
	return def
}

// truth is a cloud whose distribution is known.
type truth struct {
	def    *models.Definition
	scale  float64 // s of work
	config float64 // standard deviation of log time between configurations
	run    float64 // between runs of one
	shared float64 // correlation of the runs of the two stages
}

func (c truth) median(stage int, d, k float64) float64 {
	if stage == 0 {
		return c.scale * (1/(d*k) + 0.2/d + 0.02)
	}
	return c.scale * (0.1/min(k, 1) + 0.003*d)
}

// record runs every configuration of the grid, and returns the rows and the
// configurations' own factors.
func (c truth) record(r *rand.Rand, ds []int, memories []int, runs int) []traces.Record {
	var rows []traces.Record
	for _, d := range ds {
		for _, memory := range memories {
			own := [2]float64{math.Exp(c.config * r.NormFloat64()), math.Exp(c.config * r.NormFloat64())}
			for run := range runs {
				rows = append(rows, c.run1(r, d, memory, own, fmt.Sprintf("%d/%d/%d", d, memory, run))...)
			}
		}
	}
	return rows
}

// run1 is one run.
func (c truth) run1(r *rand.Rand, d, memory int, own [2]float64, execution string) []traces.Record {
	k := float64(memory) / 1024
	common := r.NormFloat64()
	var rows []traces.Record
	for i := range 2 {
		parallelism := int32(1)
		if i == 0 {
			parallelism = int32(d)
		}
		z := math.Sqrt(c.shared)*common + math.Sqrt(1-c.shared)*r.NormFloat64()
		t := c.median(i, float64(d), k) * own[i] * math.Exp(c.run*z)
		rows = append(rows, traces.Record{
			Workflow: "chain", Execution: execution, Stage: []string{"map", "reduce"}[i], Epoch: new(int32(1)),
			Statistic: traces.Mean, MemoryMB: int32(memory), Parallelism: &parallelism,
			Cold: new(0.1 * math.Exp(0.3*r.NormFloat64())), Read: new(0.3 * t), Compute: new(0.6 * t), Write: new(0.1 * t),
		})
	}
	return rows
}

func fitCalibrated(t testing.TB, def *models.Definition, rows []traces.Record) *models.Calibrated {
	t.Helper()
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.FitCalibrated(profile, models.CalibratedSettings{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var (
	gridParallelism = []int{2, 4, 8, 16}
	gridMemory      = []int{512, 1024, 1536, 2048, 3072, 4096}
)

// What the model says is covered at 50, 90 and 95 % is, for new runs of
// configurations that it did not see, where the truth is known. A fit is one
// draw of the recordings, so that the interval is over fits.
func TestCalibratedCoversASyntheticTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("the interval needs some dozen fits")
	}
	const fits = 40
	def := chainDefinition(t)
	levels := []float64{0.5, 0.9, 0.95}
	covered := make([][]float64, len(levels))
	r := models.Streams{Seed: 1}.New("truth")
	for fit := range fits {
		c := truth{def: def, scale: 20, config: 0.03, run: 0.05}
		if fit%2 == 1 {
			c.config, c.run = 0, 0.15
		}
		m := fitCalibrated(t, def, c.record(r, gridParallelism, gridMemory, 2))
		hits, n := make([]float64, len(levels)), 0.0
		for range 60 {
			d, memory := gridParallelism[r.IntN(4)], 512+64*r.IntN(56)
			if slices.Contains(gridMemory, memory) {
				continue
			}
			own := [2]float64{math.Exp(c.config * r.NormFloat64()), math.Exp(c.config * r.NormFloat64())}
			for i, row := range c.run1(r, d, memory, own, "new") {
				p := m.Predict(i, def.StageConfig(memory, int(*row.Parallelism)), d)
				for k, level := range levels {
					if *row.Read+*row.Compute+*row.Write <= p.Quantile(level) {
						hits[k]++
					}
				}
				n++
			}
		}
		for k := range levels {
			covered[k] = append(covered[k], hits[k]/n)
		}
	}
	for k, level := range levels {
		mean, width := meanWithInterval(covered[k], 4)
		if math.Abs(mean-level) > width {
			t.Errorf("nominal %v covers %.4f +- %.4f of new runs, over %d fits", level, mean, width, fits)
		}
	}
}

// meanWithInterval returns the mean and the given number of its standard
// errors.
func meanWithInterval(x []float64, errors float64) (mean, width float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	variance := 0.0
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, errors * math.Sqrt(variance/float64(len(x)))
}

// Quantiles ascend with their level, whatever was recorded: the calibration is
// a monotone map. None is below zero.
func TestCalibratedQuantilesAscend(t *testing.T) {
	def := chainDefinition(t)
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.Float64Range(1e-3, 1e3)
		var rows []traces.Record
		for i, memory := range rapid.SliceOfN(rapid.Int32Range(128, 10_240), 1, 14).Draw(t, "memory") {
			for s, name := range []string{"map", "reduce"} {
				d := int32(1)
				if s == 0 {
					d = rapid.Int32Range(1, 64).Draw(t, "parallelism")
				}
				rows = append(rows, traces.Record{
					Workflow: "chain", Execution: fmt.Sprint(i), Stage: name, Statistic: traces.Mean, MemoryMB: memory, Parallelism: &d,
					Cold: new(times.Draw(t, "cold")), Read: new(0.0), Compute: new(times.Draw(t, "compute")), Write: new(times.Draw(t, "write")),
				})
			}
		}
		profile, err := models.NewProfile(def, rows)
		if err != nil {
			t.Fatal(err)
		}
		m, err := models.FitCalibrated(profile, models.CalibratedSettings{})
		if err != nil {
			t.Fatal(err)
		}
		memory, d := rapid.IntRange(128, 10_240).Draw(t, "asked memory"), rapid.IntRange(1, 100).Draw(t, "asked parallelism")
		p := m.Predict(0, def.StageConfig(memory, d), 0)
		last := 0.0
		for _, level := range []float64{1e-6, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999, 1 - 1e-6} {
			q := p.Quantile(level)
			if !(q > 0) || q < last || math.IsInf(q, 0) {
				t.Fatalf("quantile %v is %v s, after %v s", level, q, last)
			}
			last = q
		}
	})
}

// A scenario holds one draw per stage: its rank is the same under every
// configuration, and its quantiles are those of the prediction.
func TestCalibratedScenariosAreOneJointSample(t *testing.T) {
	def := chainDefinition(t)
	c := truth{def: def, scale: 20, config: 0.03, run: 0.1}
	m := fitCalibrated(t, def, c.record(models.Streams{Seed: 2}.New("truth"), gridParallelism, gridMemory, 2))
	const n = 20_000
	scenarios, err := m.Sample(n, models.MustPrice(models.PriceJolteon), models.Streams{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	execution := func(memory, d int) []float64 {
		config, price := def.StageConfig(memory, d), models.MustPrice(models.PriceJolteon)
		times := make([]float64, n)
		scenarios.Columns(0, config, 0, nil, times)
		for k, cost := range times {
			times[k] = (cost/float64(d) - price.USDPerRequest) / price.Rate(config)
		}
		return times
	}
	some, other := execution(700, 4), execution(5000, 10)
	order := make([]int, n)
	for k := range order {
		order[k] = k
	}
	slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, some[a]-some[b])) })
	for k := 1; k < n; k++ {
		if other[order[k]] < other[order[k-1]]*(1-1e-12) {
			t.Fatalf("scenario %d is slower than %d under one configuration and faster under the other", order[k], order[k-1])
		}
	}
	p := m.Predict(0, def.StageConfig(700, 4), 0)
	for _, level := range []float64{0.05, 0.5, 0.95, 0.99} {
		below := 0.0
		for _, v := range some {
			if v <= p.Quantile(level) {
				below++
			}
		}
		if e := 4 * math.Sqrt(level*(1-level)/n); math.Abs(below/n-level) > e {
			t.Errorf("%.4f of the scenarios are below the %v quantile, want within %.4f", below/n, level, e)
		}
	}
}

// Stages whose runs move together do so in the scenarios, others do not.
func TestCalibratedKeepsTheCorrelationOfARun(t *testing.T) {
	def := chainDefinition(t)
	for _, shared := range []float64{0, 0.9} {
		c := truth{def: def, scale: 20, run: 0.1, shared: shared}
		m := fitCalibrated(t, def, c.record(models.Streams{Seed: 4}.New("truth"), gridParallelism, gridMemory, 4))
		for _, independent := range []bool{false, true} {
			m, err := m.With(models.CalibratedSettings{IndependentStages: independent})
			if err != nil {
				t.Fatal(err)
			}
			const n = 10_000
			scenarios, err := m.Sample(n, models.MustPrice(models.PriceJolteon), models.Streams{Seed: 5})
			if err != nil {
				t.Fatal(err)
			}
			a, b := make([]float64, n), make([]float64, n)
			scenarios.Columns(0, def.StageConfig(1024, 4), 0, nil, a)
			scenarios.Columns(1, def.StageConfig(1024, 1), 4, nil, b)
			r := spearman(a, b)
			want := shared
			if independent {
				want = 0
			}
			if math.Abs(r-want) > 0.12 {
				t.Errorf("truth %v, independent %v: rank correlation of the stages' costs is %.3f, want about %v", shared, independent, r, want)
			}
		}
	}
}

// The stage's latency is that of its slowest instance. Exponential times, of
// which the slowest of d takes the d-th harmonic number, are as far from the
// normal distribution as instances come.
func TestCalibratedSlowestInstanceIsAnOrderStatistic(t *testing.T) {
	def := chainDefinition(t)
	r := models.Streams{Seed: 6}.New("instances")
	var rows []traces.Record
	for run := range 60 {
		d := []int{20, 40, 60}[run%3]
		for range d {
			rows = append(rows, traces.Record{
				Workflow: "chain", Execution: fmt.Sprint(run), Stage: "map", Statistic: traces.Invocation, MemoryMB: 1024,
				Parallelism: new(int32(d)), Cold: new(0.0), Read: new(0.0), Compute: new(5 * r.ExpFloat64()), Write: new(0.0),
			})
		}
		rows = append(rows, traces.Record{
			Workflow: "chain", Execution: fmt.Sprint(run), Stage: "reduce", Statistic: traces.Mean, MemoryMB: 1024, Parallelism: new(int32(1)),
			Cold: new(0.1), Read: new(0.1), Compute: new(1.0), Write: new(0.1),
		})
	}
	m := fitCalibrated(t, def, rows)
	for _, d := range []int{2, 10, 20, 40} {
		harmonic := 0.0
		for k := range d {
			harmonic += 1 / float64(k+1)
		}
		if got := m.Stages()[0].Slowest(d); math.Abs(got/harmonic-1) > 0.06 {
			t.Errorf("the slowest of %d takes %.3f times the mean, want about %.3f", d, got, harmonic)
		}
	}
	if got := m.Stages()[0].Slowest(1); got != 1 {
		t.Errorf("the slowest of 1 takes %v times the mean", got)
	}
}

func spearman(a, b []float64) float64 {
	rank := func(x []float64) []float64 {
		order := make([]int, len(x))
		for k := range order {
			order[k] = k
		}
		slices.SortFunc(order, func(i, j int) int { return int(math.Copysign(1, x[i]-x[j])) })
		ranks := make([]float64, len(x))
		for r, k := range order {
			ranks[k] = float64(r) - float64(len(x)-1)/2
		}
		return ranks
	}
	ra, rb := rank(a), rank(b)
	var ab, aa, bb float64
	for k := range ra {
		ab += ra[k] * rb[k]
		aa += ra[k] * ra[k]
		bb += rb[k] * rb[k]
	}
	return ab / math.Sqrt(aa*bb)
}

// The parts that can be switched off narrow the prediction, each by itself, and
// a configuration outside the recorded sizes is wider than one among them.
func TestCalibratedPartsWiden(t *testing.T) {
	def := chainDefinition(t)
	c := truth{def: def, scale: 20, config: 0.05, run: 0.05}
	m := fitCalibrated(t, def, c.record(models.Streams{Seed: 7}.New("truth"), gridParallelism, gridMemory, 2))
	width := func(m *models.Calibrated, memory, d int) float64 {
		p := m.Predict(0, def.StageConfig(memory, d), 0)
		return p.Quantile(0.95) / p.Quantile(0.05)
	}
	plain := models.CalibratedSettings{NoCalibration: true}
	with := func(s models.CalibratedSettings) *models.Calibrated {
		other, err := m.With(s)
		if err != nil {
			t.Fatal(err)
		}
		return other
	}
	whole := width(with(plain), 1300, 4)
	for name, s := range map[string]models.CalibratedSettings{
		"parameter uncertainty": {NoCalibration: true, NoParameterUncertainty: true},
		"execution variation":   {NoCalibration: true, NoExecutionVariation: true},
	} {
		if w := width(with(s), 1300, 4); w >= whole {
			t.Errorf("without %s the range from p5 to p95 is a factor of %.4f, with it %.4f", name, w, whole)
		}
	}
	if w := width(with(models.CalibratedSettings{NoCalibration: true, NoParameterUncertainty: true, NoExecutionVariation: true}), 1300, 4); w != 1 {
		t.Errorf("with nothing uncertain the range from p5 to p95 is a factor of %v", w)
	}
	for _, at := range []struct {
		memory, d int
		want      models.Standing
	}{{1024, 4, models.Recorded}, {1300, 4, models.Interpolated}, {1300, 6, models.Interpolated}, {300, 4, models.Extrapolated}, {1024, 32, models.Extrapolated}} {
		if got := m.Standing(0, def.StageConfig(at.memory, at.d), 0); got != at.want {
			t.Errorf("%d MB x %d is %s, want %s", at.memory, at.d, got, at.want)
		}
	}
	if in, out := width(m, 1300, 4), width(m, 128, 4); out < 1.1*in {
		t.Errorf("the range from p5 to p95 is a factor of %.4f outside the recorded sizes, %.4f among them", out, in)
	}
}

// Runs of the first epoch, and no others, teach what cold starts cost.
func TestCalibratedMixesColdStarts(t *testing.T) {
	def := chainDefinition(t)
	c := truth{def: def, scale: 20, run: 0.02}
	rows := c.record(models.Streams{Seed: 8}.New("truth"), gridParallelism, gridMemory, 2)
	warm := fitCalibrated(t, def, rows)
	if _, err := warm.With(models.CalibratedSettings{ColdShare: 0.1}); err == nil || !strings.Contains(err.Error(), "epoch 0") {
		t.Errorf("cold starts without a recorded one: %v", err)
	}
	first := c.record(models.Streams{Seed: 9}.New("truth"), gridParallelism, gridMemory, 1)
	for k := range first {
		first[k].Execution, first[k].Epoch = "cold/"+first[k].Execution, new(int32(0))
		*first[k].Cold += 3
		*first[k].Compute *= 1.5
	}
	m := fitCalibrated(t, def, append(first, rows...))
	if a, b := m.Predict(0, def.StageConfig(1024, 4), 0).Median, warm.Predict(0, def.StageConfig(1024, 4), 0).Median; a != b {
		t.Errorf("cold runs move the warm median from %v s to %v s", b, a)
	}
	mean := func(m *models.Calibrated) float64 {
		s, err := m.Sample(20_000, models.MustPrice(models.PriceJolteon), models.Streams{Seed: 10})
		if err != nil {
			t.Fatal(err)
		}
		latency := make([]float64, s.Len())
		s.Columns(1, def.StageConfig(1024, 1), 4, latency, nil)
		mean, _ := meanWithInterval(latency, 0)
		return mean
	}
	half, err := m.With(models.CalibratedSettings{ColdShare: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	// 3 s of delay and half of the compute step, which is 0.6 of the time.
	want := 0.5 * (3 + 0.3*c.median(1, 4, 1))
	if got := mean(half) - mean(m); math.Abs(got-want) > 0.15 {
		t.Errorf("a cold start in every second run adds %.3f s on average, want about %.3f s", got, want)
	}
}

func TestFitCalibratedNeedsTimes(t *testing.T) {
	def := chainDefinition(t)
	c := truth{def: def, scale: 20, run: 0.02}
	for name, bad := range map[string]struct {
		change func(r *traces.Record)
		want   string
	}{
		"zero":     {func(r *traces.Record) { *r.Read, *r.Compute, *r.Write = 0, 0, 0 }, `stage "map": execution "2/512/0" has no positive time`},
		"missing":  {func(r *traces.Record) { r.Read, r.Compute, r.Write = nil, nil, nil }, `stage "map": execution "2/512/0" has no positive time`},
		"negative": {func(r *traces.Record) { *r.Read = -0.1 }, `stage "map": execution "2/512/0" has a negative step`},
	} {
		rows := c.record(models.Streams{Seed: 8}.New("truth"), gridParallelism, gridMemory, 2)
		bad.change(&rows[0])
		profile, err := models.NewProfile(def, rows)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := models.FitCalibrated(profile, models.CalibratedSettings{}); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: %v, want %s", name, err, bad.want)
		}
	}
	profile, err := models.NewProfile(def, c.record(models.Streams{Seed: 8}.New("truth"), gridParallelism, gridMemory, 2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := models.FitCalibrated(profile, models.CalibratedSettings{ColdShare: 1.5}); err == nil {
		t.Error("a share of cold starts of 1.5 is no error")
	}
}
