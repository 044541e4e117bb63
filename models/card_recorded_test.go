package models_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"eevee/models"
	"eevee/traces"
)

// A bundled trace has the rows of the recorded profile, one by one, with times
// of its own.
func TestBundledTracesHaveTheRowsOfTheRecordings(t *testing.T) {
	for workflow, want := range map[string]int{"ml": 552, "video": 576, "tpcds": 1488} {
		recorded, _ := recordedRows(t, workflow)
		bundled, meta, err := models.BundledTrace(workflow)
		if err != nil {
			t.Fatal(err)
		}
		if len(bundled) != want || len(recorded) != want {
			t.Fatalf("%s: %d rows, recorded %d, want %d", workflow, len(bundled), len(recorded), want)
		}
		if meta.Source != traces.Synthetic {
			t.Errorf("%s: the trace says that it is %s", workflow, meta.Source)
		}
		key := func(r traces.Record) string {
			return fmt.Sprint(r.Workflow, r.Execution, r.Stage, *r.Epoch, r.Statistic, r.MemoryMB, *r.Parallelism)
		}
		times := func(r traces.Record) []float64 { return []float64{*r.Cold, *r.Read, *r.Compute, *r.Write} }
		known := make(map[float64]bool)
		for k, r := range recorded {
			if key(r) != key(bundled[k]) || bundled[k].Source != traces.Synthetic {
				t.Fatalf("%s: row %d is %s (%s), recorded is %s", workflow, k+1, key(bundled[k]), bundled[k].Source, key(r))
			}
			for _, v := range times(r) {
				known[v] = true
			}
		}
		for k, r := range bundled {
			for j, v := range times(r) {
				// A step that takes no time does so in both.
				if of := times(recorded[k])[j]; (v == 0) != (of == 0) || v != 0 && known[v] {
					t.Fatalf("%s: row %d holds %v s, recorded is %v s", workflow, k+1, v, of)
				}
			}
		}
	}
}

// bundledModels returns the models fitted to the recordings and to the bundled
// trace of a workflow, and the recorded profile.
func bundledModels(t testing.TB, workflow string) (recorded, bundled *models.Jolteon, profile *models.Profile) {
	t.Helper()
	def, profile := loadProfile(t, workflow)
	rows, _, err := models.BundledTrace(workflow)
	if err != nil {
		t.Fatal(err)
	}
	stand, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	if recorded, err = models.FitJolteon(profile, models.JolteonOptions{}); err != nil {
		t.Fatal(err)
	}
	if bundled, err = models.FitJolteon(stand, models.JolteonOptions{}); err != nil {
		t.Fatal(err)
	}
	return recorded, bundled, profile
}

// terms are the absolute terms of the sum that the fit of a step is under c
// (algorithms.md 1.3).
func terms(f models.StepFit, c models.StageConfig, in int) (sum float64) {
	d, k := float64(c.Parallelism), c.VCPU
	x := map[models.Basis]float64{models.OnParallelism: d, models.OnTotalVCPU: k * d, models.OnVCPU: k, models.OnInput: k}[f.Basis]
	by := [][]float64{2: {1 / x, 1}, 3: {1 / x, float64(in), 1}, 4: {1 / x, math.Log(x) / x, 1 / x / x, 1}}[len(f.Params)]
	for j, p := range f.Params {
		sum += math.Abs(p * by[j])
	}
	return sum
}

// The fit of a bundled trace has the curves of the fit of the recordings.
//
// Were its runs independent, the fitted time of a step would be off by a
// standard error of about dispersion * sqrt(parameters/runs), up to a tenth
// for the steps with a dispersion of 0.3. They are drawn so that least squares
// gives the curve of the card, so two roundings remain: of the parameters to 8
// digits, at most 5e-8 of every term of the sum, and of 46 to 62 times to the
// nanosecond, at most the length of that vector of errors.
func TestBundledTracesHaveTheRecordedCurves(t *testing.T) {
	for _, workflow := range models.Cards() {
		recorded, bundled, profile := bundledModels(t, workflow)
		for i, s := range recorded.Stages() {
			for k, step := range s.Steps() {
				of := bundled.Stages()[i].Steps()[k]
				if of.Basis != step.Basis {
					t.Errorf("%s %s %s: fitted on %s, on the recordings on %s", workflow, s.Name, step.Name, of.Basis, step.Basis)
				}
			}
			for _, o := range profile.Warm(i) {
				got, want, tolerance := 0.0, 0.0, 0.0
				for k, step := range s.Steps() {
					want += step.At(o.Config, o.InputParallelism)
					got += bundled.Stages()[i].Steps()[k].At(o.Config, o.InputParallelism)
					tolerance += 5e-8*terms(step.StepFit, o.Config, o.InputParallelism) + 0.5e-9*math.Sqrt(float64(step.N))
				}
				if !within(got, want, 0, tolerance) {
					t.Errorf("%s %s at %v: %v s, fitted to the recordings %v s, tolerance %v", workflow, s.Name, o.Config, got, want, tolerance)
				}
			}
		}
	}
}

// The delays of warm runs have the recorded distribution: over the 16 stages
// the two-sample Kolmogorov-Smirnov distance stays below what it exceeds with
// a probability of 1e-3 for samples of the same distribution (with the
// correction for 16 comparisons).
func TestBundledTracesHaveTheRecordedDelays(t *testing.T) {
	for _, workflow := range models.Cards() {
		recorded, bundled, _ := bundledModels(t, workflow)
		for i, s := range recorded.Stages() {
			a, b := slices.Sorted(slices.Values(s.Cold)), slices.Sorted(slices.Values(bundled.Stages()[i].Cold))
			n := float64(len(a)) // of both
			distance := 0.0
			for _, x := range slices.Concat(a, b) {
				below := func(v []float64) float64 {
					k, _ := slices.BinarySearchFunc(v, x, func(v, x float64) int {
						if v <= x {
							return -1
						}
						return 1
					})
					return float64(k) / n
				}
				distance = max(distance, math.Abs(below(a)-below(b)))
			}
			if limit := math.Sqrt(-math.Log(1e-3/16/2) / n); distance > limit {
				t.Errorf("%s %s: delays of %v and %v s in the median, Kolmogorov-Smirnov distance %v, limit %v",
					workflow, s.Name, models.QuantileR7(a, 0.5), models.QuantileR7(b, 0.5), distance, limit)
			}
		}
	}
}

// The optimum problems of a bundled trace are of the size of the recorded
// ones: the lowest and the highest 95th percentile of latency over the space
// agree within a tenth.
func TestBundledTracesHaveTheRecordedRange(t *testing.T) {
	for _, workflow := range models.Cards() {
		recorded, bundled, _ := bundledModels(t, workflow)
		space, err := load(t, workflow).Space("")
		if err != nil {
			t.Fatal(err)
		}
		var low, high [2]float64
		for k, m := range []models.Model{recorded, bundled} {
			s, err := m.Sample(1000, models.MustPrice(models.PriceJolteon), models.Streams{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			low[k], high[k] = extremeP95(space, s, 1), extremeP95(space, s, -1)
		}
		if !within(low[1], low[0], 0.1, 0) || !within(high[1], high[0], 0.1, 0) {
			t.Errorf("%s: p95 latency from %v to %v s, on the recordings from %v to %v s", workflow, low[1], high[1], low[0], high[0])
		}
		t.Logf("%s: p95 latency from %.4g to %.4g s, on the recordings from %.4g to %.4g s", workflow, low[1], high[1], low[0], high[0])
	}
}

// extremeP95 returns the lowest (sign 1) or highest (sign -1) 95th percentile
// of latency that a descent over single stages finds.
func extremeP95(space *models.Space, s *models.Scenarios, sign float64) float64 {
	value := func(pick []int) float64 {
		latency, _ := s.Outcomes(space.Config(pick))
		return sign * models.QuantileR7(latency, 0.95)
	}
	latency := make([]float64, s.Len())
	pick, _ := space.Separable(s.ReadsInput, func(stage, choice, in int) float64 {
		s.Columns(stage, space.Choices(stage)[choice], in, latency, nil)
		return sign * models.QuantileR7(latency, 0.95)
	})
	best := value(pick)
	for improved := true; improved; {
		improved = false
		for i := range pick {
			for k := range space.Choices(i) {
				other := slices.Clone(pick)
				other[i] = k
				if _, err := space.Locate(space.Config(other)); err != nil {
					continue
				}
				if v := value(other); v < best {
					best, pick, improved = v, other, true
				}
			}
		}
	}
	return sign * best
}
