package models_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/traces"
)

// drawnCard makes a card of a bundled workflow with numbers of its own.
func drawnCard(t *rapid.T) models.Card {
	workflow := rapid.SampledFrom(models.Cards()).Draw(t, "workflow")
	card, err := models.LoadCard(workflow, load(t, workflow))
	if err != nil {
		t.Fatal(err)
	}
	number := func(name string, low, high float64) float64 { return rapid.Float64Range(low, high).Draw(t, name) }
	card.Epochs = rapid.IntRange(2, 4).Draw(t, "epochs")
	card.Levels = []float64{0}
	for range rapid.IntRange(1, 7).Draw(t, "levels") {
		last := card.Levels[len(card.Levels)-1]
		card.Levels = append(card.Levels, last+(1-last)*number("level", 0.1, 0.9))
	}
	card.Levels = append(card.Levels, 1)
	card.Grid = nil
	for _, m := range rapid.SliceOfNDistinct(rapid.IntRange(512, 10_240), 5, 7, rapid.ID).Draw(t, "memory") {
		d := rapid.SliceOfNDistinct(rapid.IntRange(1, 64), 3, 5, rapid.ID).Draw(t, "parallelism")
		card.Grid = append(card.Grid, models.CardGrid{MemoryMB: m, Parallelism: d})
	}
	quantiles := func(low, high float64) []float64 {
		q := make([]float64, len(card.Levels))
		for k := range q {
			q[k] = number("quantile", low, high)
		}
		slices.Sort(q)
		return q
	}
	trend := func(size float64) models.CardTrend {
		return models.CardTrend{Intercept: number("intercept", -size, size), Slope: number("slope", -size/50, size/50), Deviation: quantiles(-size, size)}
	}
	w := card.Definition.Workflow
	for i := range card.Stages {
		s := &card.Stages[i]
		s.Delay = models.CardDelay{Least: number("least", 0.01, 1), Warm: trend(2), First: trend(4)}
		for _, step := range []*models.CardStep{&s.Read, &s.Compute, &s.Write} {
			scale := math.Exp(number("scale", -4, 4))
			params := make([]float64, len(step.Params))
			params[0], params[len(params)-1] = scale*number("a", 2, 20), scale*number("b", 0.05, 0.2)
			if len(params) == 3 {
				params[1] = scale * number("input", 0.1, 1)
			}
			*step = models.CardStep{Basis: step.Basis, Params: params}
			if rapid.IntRange(0, 9).Draw(t, "takes time") == 0 {
				clear(params)
				continue
			}
			step.Least = scale * 0.05
			step.Configuration, step.Run = number("configuration", 0.001, 0.02), number("run", 0.001, 0.02)
			step.FirstEpoch = quantiles(0.5, 4)
			if w.Stage(i).Splittable() {
				x := trend(2)
				step.Instances = &x
			}
		}
	}
	return card
}

// record returns the rows of the card as a profile and as they are.
func record(t interface{ Fatal(...any) }, card models.Card, seed uint64) ([]traces.Record, *models.Profile) {
	rows, err := card.Record(models.Streams{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	p, err := models.NewProfile(card.Definition, rows)
	if err != nil {
		t.Fatal(err)
	}
	return rows, p
}

func TestRecordedCardHasTheFormOfAProfile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		card := drawnCard(t)
		seed := rapid.Uint64().Draw(t, "seed")
		rows, _ := record(t, card, seed)

		// The rows by definition: stage, epoch, configuration, statistic.
		k := 0
		for i, s := range card.Stages {
			splittable := card.Definition.Workflow.Stage(i).Splittable()
			for e := range card.Epochs {
				for _, g := range card.Grid {
					for _, d := range g.Parallelism {
						for _, statistic := range []traces.Statistic{traces.Mean, traces.P95} {
							split := d
							if !splittable {
								split = 1
							}
							want := fmt.Sprintf("%s %s/epoch%d/%dMBx%d %s %d %s %d %d synthetic", card.Workflow, card.Workflow, e, g.MemoryMB, d, s.Stage, e, statistic, g.MemoryMB, split)
							r := rows[k]
							got := fmt.Sprint(r.Workflow, " ", r.Execution, " ", r.Stage, " ", *r.Epoch, " ", r.Statistic, " ", r.MemoryMB, " ", *r.Parallelism, " ", r.Source)
							if got != want {
								t.Fatalf("row %d is %s, want %s", k+1, got, want)
							}
							k++
						}
					}
				}
			}
		}
		if k != len(rows) {
			t.Fatalf("%d rows, want %d", len(rows), k)
		}
		for _, d := range traces.Validate(rows) {
			if d.Severity == traces.Error {
				t.Fatal(d)
			}
		}

		for k := 0; k < len(rows); k += 2 {
			mean, p95 := rows[k], rows[k+1]
			s := card.Stages[slices.IndexFunc(card.Stages, func(s models.CardStage) bool { return s.Stage == mean.Stage })]
			spread := 0.0
			for _, step := range []struct {
				of        models.CardStep
				mean, p95 float64
			}{{s.Read, *mean.Read, *p95.Read}, {s.Compute, *mean.Compute, *p95.Compute}, {s.Write, *mean.Write, *p95.Write}} {
				takes := slices.Max(step.of.Params) != 0
				if takes != (step.mean > 0) || step.p95 < step.mean {
					t.Fatalf("%s, %s: a step of mean %v s and p95 %v s, parameters %v", mean.Execution, mean.Stage, step.mean, step.p95, step.of.Params)
				}
				if *mean.Parallelism == 1 && step.p95 != step.mean {
					t.Fatalf("%s, %s: one instance has mean %v s and p95 %v s", mean.Execution, mean.Stage, step.mean, step.p95)
				}
				spread += step.p95 - step.mean
			}
			if *mean.Cold < s.Delay.Least-1e-9 || !within(*mean.Cold-*p95.Cold, spread, 1e-12, 1e-9) {
				t.Fatalf("%s, %s: cold %v s and %v s, p95 of the steps %v s above their mean", mean.Execution, mean.Stage, *mean.Cold, *p95.Cold, spread)
			}
		}

		again, _ := record(t, card, seed)
		if !reflect.DeepEqual(rows, again) {
			t.Fatal("the same seed gives other rows")
		}
		if other, _ := record(t, card, seed+1); reflect.DeepEqual(rows, other) {
			t.Fatal("another seed gives the same rows")
		}
	})
}

// The fit of the trace of a card is the card: the same basis for every step,
// and the same curve up to the rounding of times to the nanosecond. That moves
// a fitted value by at most the length of the vector of rounding errors,
// because least squares is a projection.
func TestFitOfARecordedCardIsTheCard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		card := drawnCard(t)
		_, profile := record(t, card, rapid.Uint64().Draw(t, "seed"))
		m, err := models.FitJolteon(profile, models.JolteonOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range m.Stages() {
			of := card.Stages[i]
			for k, step := range []models.CardStep{of.Read, of.Compute, of.Write} {
				fit := s.Steps()[k]
				if fit.Basis != step.Basis && slices.Max(step.Params) != 0 {
					t.Fatalf("%s %s: fitted on %s, the card is on %s", s.Name, fit.Name, fit.Basis, step.Basis)
				}
				curve := models.StepFit{Basis: step.Basis, Params: step.Params}
				rounding := 0.5e-9 * math.Sqrt(float64(fit.N))
				for _, o := range profile.Warm(i) {
					c := o.Config
					c.VCPU = math.RoundToEven(c.VCPU*float64(c.Parallelism)*10) / 10 / float64(c.Parallelism)
					if got, want := fit.At(c, o.InputParallelism), curve.At(c, o.InputParallelism); !within(got, want, 1e-9, rounding) {
						t.Fatalf("%s %s at %v: %v s, the card says %v s", s.Name, fit.Name, c, got, want)
					}
				}
			}
		}
	})
}

// quantile interpolates between the quantiles of a card.
func quantile(levels, q []float64, u float64) float64 {
	k, found := slices.BinarySearch(levels, u)
	if found {
		return q[k]
	}
	return q[k-1] + (u-levels[k-1])/(levels[k]-levels[k-1])*(q[k]-q[k-1])
}

// inStrata reports the first of n values that is not where a value from each
// of n equal parts of the distribution must be: of the values in order, the
// one with j below it is between the j/n and the (j+1)/n quantile.
func inStrata(values, levels, q []float64, slack float64) error {
	slices.Sort(values)
	n := float64(len(values))
	for j, v := range values {
		low, high := quantile(levels, q, float64(j)/n), quantile(levels, q, float64(j+1)/n)
		if v < low-slack || v > high+slack {
			return fmt.Errorf("value %d of %v is %v, outside %v to %v", j+1, n, v, low, high)
		}
	}
	return nil
}

func TestRecordedCardShowsTheQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		card := drawnCard(t)
		for i := range card.Stages {
			// No delay is raised to it.
			card.Stages[i].Delay.Least = 1e-9
			card.Stages[i].Delay.Warm.Intercept += 20
			card.Stages[i].Delay.First.Intercept += 20
		}
		_, profile := record(t, card, rapid.Uint64().Draw(t, "seed"))
		for i, s := range card.Stages {
			configurations := len(profile.Stage(i)) / card.Epochs
			epochs := slices.Collect(slices.Chunk(profile.Stage(i), configurations))
			var first, warm []float64
			for e, obs := range epochs {
				for _, o := range obs {
					if d := float64(o.Config.Parallelism); e == 0 {
						first = append(first, o.P95.Cold-s.Delay.First.Intercept-s.Delay.First.Slope*d)
					} else {
						warm = append(warm, o.P95.Cold-s.Delay.Warm.Intercept-s.Delay.Warm.Slope*d)
					}
				}
			}
			// Times are rounded, and some are large.
			if err := inStrata(first, card.Levels, s.Delay.First.Deviation, 1e-8); err != nil {
				t.Fatalf("%s: delays of the first epoch: %v", s.Stage, err)
			}
			if err := inStrata(warm, card.Levels, s.Delay.Warm.Deviation, 1e-8); err != nil {
				t.Fatalf("%s: delays of warm epochs: %v", s.Stage, err)
			}
			for name, step := range map[string]struct {
				models.CardStep
				of func(models.Steps) float64
			}{
				"read":    {s.Read, func(s models.Steps) float64 { return s.Read }},
				"compute": {s.Compute, func(s models.Steps) float64 { return s.Compute }},
				"write":   {s.Write, func(s models.Steps) float64 { return s.Write }},
			} {
				if slices.Max(step.Params) == 0 {
					continue
				}
				var ratios []float64
				least := math.Inf(1)
				for k := range configurations {
					mean := 0.0
					for _, epoch := range epochs[1:] {
						mean += step.of(epoch[k].Mean) / float64(card.Epochs-1)
						least = min(least, step.of(epoch[k].Mean))
					}
					ratios = append(ratios, step.of(epochs[0][k].Mean)/mean)
				}
				if err := inStrata(ratios, card.Levels, step.FirstEpoch, 1e-8/least); err != nil {
					t.Fatalf("%s %s: first epoch: %v", s.Stage, name, err)
				}
				if slices.ContainsFunc(card.Grid, func(g models.CardGrid) bool { return slices.Contains(g.Parallelism, 1) }) {
					continue // a single instance has no spread, so a stratum is missing
				}
				if step.Instances == nil {
					continue
				}
				var deviations []float64
				nearest := math.Inf(1) // of mean and p95
				for _, o := range profile.Stage(i) {
					x := step.of(o.P95)/step.of(o.Mean) - 1
					nearest = min(nearest, step.of(o.P95)-step.of(o.Mean))
					deviations = append(deviations, math.Log(x)-step.Instances.Intercept-step.Instances.Slope*math.Log(float64(o.Config.Parallelism)))
				}
				if err := inStrata(deviations, card.Levels, step.Instances.Deviation, 2e-9/nearest); err != nil {
					t.Fatalf("%s %s: instances: %v", s.Stage, name, err)
				}
			}
		}
	})
}

// Twice as long everywhere is twice as long in every row.
func TestRecordedCardScales(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		card := drawnCard(t)
		seed := rapid.Uint64().Draw(t, "seed")
		rows, _ := record(t, card, seed)
		twice := func(v []float64) {
			for k := range v {
				v[k] *= 2
			}
		}
		for i := range card.Stages {
			s := &card.Stages[i]
			for _, d := range []*models.CardTrend{&s.Delay.Warm, &s.Delay.First} {
				d.Intercept, d.Slope = 2*d.Intercept, 2*d.Slope
				twice(d.Deviation)
			}
			s.Delay.Least *= 2
			for _, step := range []*models.CardStep{&s.Read, &s.Compute, &s.Write} {
				twice(step.Params)
				step.Least *= 2
			}
		}
		scaled, _ := record(t, card, seed)
		for k := range rows {
			for _, v := range [][2]*float64{
				{rows[k].Cold, scaled[k].Cold}, {rows[k].Read, scaled[k].Read},
				{rows[k].Compute, scaled[k].Compute}, {rows[k].Write, scaled[k].Write},
			} {
				// A time is rounded, p95 takes over the rounding of its mean
				// times up to e^8, and cold adds up those of three steps.
				if !within(*v[1], 2**v[0], 1e-12, 2e-5) {
					t.Fatalf("row %d: %v s became %v s", k+1, *v[0], *v[1])
				}
			}
		}
	})
}

// What MeasureCard measures on traces of a card is the card: the variances of
// the factors on average over seeds, within four standard errors.
func TestMeasuredDispersionIsThatOfTheCard(t *testing.T) {
	card, err := models.LoadCard("video", load(t, "video"))
	if err != nil {
		t.Fatal(err)
	}
	const configuration, run = 0.05, 0.03
	for i := range card.Stages {
		s := &card.Stages[i]
		for _, step := range []*models.CardStep{&s.Read, &s.Compute, &s.Write} {
			// Curves that the other basis cannot follow, so that no draw is
			// repeated and the drawn factors stay unconditioned.
			clear(step.Params)
			step.Params[0], step.Params[len(step.Params)-1] = 10, 0.1
			step.Configuration, step.Run, step.Least = configuration, run, 0.01
		}
	}
	const seeds = 60
	var v, w [seeds]float64 // mean over stages and steps
	for seed := range seeds {
		rows, _ := record(t, card, uint64(seed))
		measured, err := models.MeasureCard(card.Definition, rows, models.Origin{Source: "a card", Date: "2026-11-21"})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range measured.Stages {
			for _, step := range []models.CardStep{s.Read, s.Compute, s.Write} {
				v[seed] += step.Configuration * step.Configuration / 12
				w[seed] += step.Run * step.Run / 12
			}
		}
	}
	for _, c := range []struct {
		name string
		got  []float64
		want float64
	}{{"configuration", v[:], configuration * configuration}, {"run", w[:], run * run}} {
		mean, square := 0.0, 0.0
		for _, x := range c.got {
			mean += x / seeds
			square += x * x / seeds
		}
		standardError := math.Sqrt((square - mean*mean) / (seeds - 1))
		if math.Abs(mean-c.want) > 4*standardError {
			t.Errorf("variance of the factor of the %s is measured as %v, in the card %v (standard error %v)", c.name, mean, c.want, standardError)
		}
		if standardError > 0.05*c.want {
			t.Errorf("the standard error %v says little about %v", standardError, c.want)
		}
	}
}

func TestMeasureCardDefects(t *testing.T) {
	card, err := models.LoadCard("ml", load(t, "ml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		spoil func(rows []traces.Record) []traces.Record
		want  string
	}{
		{"a run is missing", func(r []traces.Record) []traces.Record { return r[:len(r)-2] }, `stage "stage3": epoch 2 has no 7168MBx32`},
		{"no p95 row", func(r []traces.Record) []traces.Record { return slices.Delete(r, 101, 102) }, `lacks a value of its mean or p95 row`},
		{"two epochs", func(r []traces.Record) []traces.Record {
			return slices.DeleteFunc(r, func(r traces.Record) bool { return *r.Epoch == 2 })
		}, "epochs up to 1, need a first and two or more warm ones"},
		{"negative epoch", func(r []traces.Record) []traces.Record {
			r[0].Epoch, r[1].Epoch = new(int32(-1)), new(int32(-1))
			return r
		}, `stage "stage0": execution "ml/epoch0/1024MBx8": epoch -1`},
		{"twice", func(r []traces.Record) []traces.Record {
			for k := range r {
				r[k].Execution = strings.Replace(r[k].Execution, "x4", "x8", 1) + fmt.Sprint(*r[k].Parallelism)
				if *r[k].Parallelism == 4 {
					r[k].Parallelism = new(int32(8))
				}
			}
			return r
		}, "holds"},
		{"other cold", func(r []traces.Record) []traces.Record { r[9].Cold = new(*r[9].Cold + 0.5); return r }, "its mean and its p95 row give times of the stage that are 0.5 s apart"},
		{"a step now and then", func(r []traces.Record) []traces.Record {
			*r[8].Write, *r[9].Write, *r[9].Cold = 0, 0, *r[8].Cold
			return r
		}, `stage "stage0": write: takes 0 s in one run`},
		{"a single stage split", func(r []traces.Record) []traces.Record {
			r[0].Parallelism, r[1].Parallelism = new(int32(2)), new(int32(2))
			return r
		}, `stage "stage0" ran as 2 instances, but it cannot be split`},
		{"two memory sizes", func(r []traces.Record) []traces.Record {
			r[0].MemoryMB, r[1].MemoryMB = 512, 512
			return r
		}, `stages with 512 and with 1024 MB`},
	} {
		rows, _ := record(t, card, 1)
		_, err := models.MeasureCard(card.Definition, c.spoil(rows), models.Origin{Source: "a card", Date: "2026-11-21"})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line that says %s", c.name, err, c.want)
		}
	}
	if _, err := models.MeasureCard(card.Definition, nil, models.Origin{}); err == nil {
		t.Error("a card was measured on nothing")
	}
}

func TestCardThatCannotBeRecorded(t *testing.T) {
	card, err := models.LoadCard("ml", load(t, "ml"))
	if err != nil {
		t.Fatal(err)
	}
	wide := card
	wide.Stages = slices.Clone(card.Stages)
	wide.Stages[1].Compute.Least = 100
	if _, err := wide.Record(models.Streams{Seed: 1}); err == nil || !strings.Contains(err.Error(), `stage "stage1": compute: none of 10000 draws`) {
		t.Errorf("error %v for times that cannot be so long", err)
	}
	long := card
	long.Stages = slices.Clone(card.Stages)
	long.Stages[2].Read.Instances = &models.CardTrend{Intercept: 1e4, Deviation: make([]float64, len(card.Levels))}
	if _, err := long.Record(models.Streams{Seed: 1}); err == nil || !strings.Contains(err.Error(), `stage "stage2": execution "ml/epoch0/1024MBx8" takes longer`) {
		t.Errorf("error %v for times without end", err)
	}
	loose := card
	loose.Definition = nil
	if _, err := loose.Record(models.Streams{Seed: 1}); err == nil || !strings.Contains(err.Error(), "belongs to no definition") {
		t.Errorf("error %v for a card of no definition", err)
	}
}
