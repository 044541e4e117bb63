package sim

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
)

// law is a world in which every task of a stage draws its times from a
// function.
type law struct {
	workflow *models.Workflow
	draw     func(stage int, stream *rand.Rand) Task
}

func (l law) Workflow() *models.Workflow { return l.workflow }

func (l law) Stage(i int, c models.StageConfig, _ int) (Behaviour, error) {
	return lawStage{l, i, c.Parallelism}, nil
}

type lawStage struct {
	law
	stage, tasks int
}

func (s lawStage) Tasks(chance *Chance, tasks []Task) []Task {
	for range s.tasks {
		tasks = append(tasks, s.draw(s.stage, chance.Stream))
	}
	return tasks
}

func (s lawStage) Origin() string     { return "law" }
func (s lawStage) Warnings() []string { return nil }

// graph makes a workflow out of edges: after[i] are the parents of stage i,
// which is called by a letter.
func graph(t testing.TB, after ...[]int) *models.Workflow {
	t.Helper()
	letter := func(i int) string { return string(rune('a' + i)) }
	var stages []models.Stage
	for i, parents := range after {
		s := models.Stage{Name: letter(i)}
		for _, p := range parents {
			s.After = append(s.After, letter(p))
		}
		stages = append(stages, s)
	}
	w, err := models.NewWorkflow("test", stages)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// config gives every stage 1024 MB and the given parallelism.
func config(parallelism ...int) models.Config {
	var c models.Config
	for _, d := range parallelism {
		c = append(c, models.StageConfig{Memory: 1024, VCPU: 1024.0 / models.AWSMBPerVCPU, Parallelism: d})
	}
	return c
}

func simulate(t testing.TB, world World, c models.Config, runs int, s Settings, each func(*Run) error) *Summary {
	t.Helper()
	summary, err := Simulate(context.Background(), world, c, runs, s, each)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

func TestChainIsASum(t *testing.T) {
	w := graph(t, nil, []int{0}, []int{1}, []int{2})
	world := law{w, func(i int, _ *rand.Rand) Task {
		return Task{Cold: 10, Read: int64(i) * 1e9, Compute: 2e9, Write: 3}
	}}
	// 4 times (10 + 2e9 + 3) ns and reads of 0, 1, 2 and 3 s.
	const want = (4*(10+2_000_000_000+3) + 6_000_000_000) / 1e9
	summary := simulate(t, world, config(1, 5, 3, 2), 3, Settings{}, nil)
	if l := summary.Latency; l.Min != want || l.Max != want || l.StdDev > 1e-12 {
		t.Errorf("latency %v to %v s, want %v", l.Min, l.Max, want)
	}
}

// The slowest of d independent exponential tasks takes H_d times their mean on
// average, with variance sum 1/k^2 (Renyi 1953).
func TestForkJoinOfExponentials(t *testing.T) {
	const runs, mean = 20_000, 2.0
	w := graph(t, nil, []int{0})
	world := law{w, func(i int, stream *rand.Rand) Task {
		if i == 0 {
			return Task{}
		}
		return Task{Compute: int64(stream.ExpFloat64() * mean * 1e9)}
	}}
	for _, d := range []int{1, 2, 8, 48} {
		h, variance := 0.0, 0.0
		for k := 1; k <= d; k++ {
			h += 1 / float64(k)
			variance += 1 / float64(k*k)
		}
		summary := simulate(t, world, config(1, d), runs, Settings{Seed: 7}, nil)
		// 4 standard errors: one false alarm in 16,000.
		within := 4 * mean * math.Sqrt(variance/runs)
		if got := summary.Latency.Mean; math.Abs(got-h*mean) > within {
			t.Errorf("d=%d: mean of the slowest %.4f s, want %.4f within %.4f", d, got, h*mean, within)
		}
		within = 4 * mean * math.Sqrt(float64(d)/runs)
		if got, want := summary.Stages[1].Billed, float64(d)*mean; math.Abs(got-want) > within+float64(d)*0.001 {
			t.Errorf("d=%d: billed %.4f s, want %.4f within %.4f", d, got, want, within)
		}
		// P(max <= x) = (1 - exp(-x/mean))^d
		for p, q := range map[float64]Quantile{0.5: summary.Latency.P50, 0.95: summary.Latency.P95, 0.99: summary.Latency.P99} {
			want := -mean * math.Log(1-math.Pow(p, 1/float64(d)))
			density := float64(d) * math.Pow(1-math.Exp(-want/mean), float64(d-1)) * math.Exp(-want/mean) / mean
			within := 4 * math.Sqrt(p*(1-p)/runs) / density
			if math.Abs(q.Value-want) > within {
				t.Errorf("d=%d: p%v %.4f s, want %.4f within %.4f", d, 100*p, q.Value, want, within)
			}
			if q.Interval == nil || q.Interval.Lo > q.Value || q.Interval.Hi < q.Value {
				t.Errorf("d=%d: p%v %.4f s outside of its interval %v", d, 100*p, q.Value, q.Interval)
			}
		}
	}
}

// The end of the workflow is the longest path that models.Workflow computes
// from the latencies of the stages, and no stage starts before its parents
// have ended.
func TestWorkflowEndsWithItsLongestPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "stages")
		var stages []models.Stage
		var c models.Config
		for i := range n {
			s := models.Stage{Name: string(rune('a' + i))}
			for p := range i {
				if rapid.Bool().Draw(t, "edge") {
					s.After = append(s.After, string(rune('a'+p)))
				}
			}
			stages = append(stages, s)
			c = append(c, config(rapid.IntRange(1, 6).Draw(t, "parallelism"))...)
		}
		w, err := models.NewWorkflow("test", stages)
		if err != nil {
			t.Fatal(err)
		}
		world := law{w, func(_ int, stream *rand.Rand) Task {
			return Task{stream.Int64N(3e9), stream.Int64N(2), stream.Int64N(1e10), stream.Int64N(1e9)}
		}}
		_, err = Simulate(context.Background(), world, c, 3, Settings{Seed: rapid.Uint64().Draw(t, "seed"), Keep: KeepTasks}, func(r *Run) error {
			latency := make([]float64, n)
			for i := range latency {
				latency[i] = r.Stages[i].Latency()
				ready := 0.0
				for _, p := range w.Parents(i) {
					ready = max(ready, r.Stages[p].End)
				}
				if r.Stages[i].Ready != ready {
					t.Fatalf("stage %d is ready at %v s, its parents have ended at %v s", i, r.Stages[i].Ready, ready)
				}
			}
			if want := w.Latency(latency); math.Abs(r.Latency-want) > 1e-9*want {
				t.Fatalf("latency %v s, longest path %v s", r.Latency, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// Scaling all times by k scales latency and GB-seconds by k, for every single
// run. The price book does not round.
func TestScalingTimes(t *testing.T) {
	w := graph(t, nil, []int{0}, []int{0}, []int{1, 2})
	c := config(1, 7, 3, 1)
	draw := func(k int64) law {
		return law{w, func(_ int, stream *rand.Rand) Task {
			return Task{k * stream.Int64N(1e9), k * stream.Int64N(1e9), k * int64(stream.ExpFloat64()*1e9), k * stream.Int64N(1e9)}
		}}
	}
	settings := Settings{Seed: 3, Price: models.MustPrice(models.PriceJolteon)}
	collect := func(k int64) (latency, gb []float64) {
		simulate(t, draw(k), c, 50, settings, func(r *Run) error {
			latency, gb = append(latency, r.Latency), append(gb, r.GBSeconds)
			return nil
		})
		return latency, gb
	}
	latency1, gb1 := collect(1)
	for _, k := range []int64{2, 10} {
		latency, gb := collect(k)
		for i := range latency {
			if math.Abs(latency[i]-float64(k)*latency1[i]) > 1e-9 || math.Abs(gb[i]-float64(k)*gb1[i]) > 1e-9*gb[i] {
				t.Fatalf("run %d, times %d: %v s and %v GB-s, want %v and %v", i, k, latency[i], gb[i], float64(k)*latency1[i], float64(k)*gb1[i])
			}
		}
	}
}

func TestNamesOfStagesChangeNothing(t *testing.T) {
	draw := func(_ int, stream *rand.Rand) Task { return Task{Compute: int64(stream.ExpFloat64() * 1e9)} }
	collect := func(names ...string) (latency []float64) {
		w, err := models.NewWorkflow(names[3], []models.Stage{{Name: names[0]}, {Name: names[1], After: []string{names[0]}}, {Name: names[2], After: []string{names[0]}}})
		if err != nil {
			t.Fatal(err)
		}
		simulate(t, law{w, draw}, config(2, 4, 8), 20, Settings{}, func(r *Run) error {
			latency = append(latency, r.Latency)
			return nil
		})
		return latency
	}
	if a, b := collect("a", "b", "c", "first"), collect("z", "y", "x", "second"); !slices.Equal(a, b) {
		t.Errorf("latencies %v and %v", a, b)
	}
}

// The intervals of a summary hold the truth as often as they promise.
func TestIntervalsCover(t *testing.T) {
	const cells, runs, limit = 400, 150, 1.5
	w := graph(t, nil)
	world := law{w, func(_ int, stream *rand.Rand) Task { return Task{Compute: int64(stream.ExpFloat64() * 1e9)} }}
	truth := map[string]float64{"mean": 1, "p50": math.Ln2, "p95": math.Log(20), "risk": math.Exp(-limit)}
	covered := map[string]int{}
	for seed := range uint64(cells) {
		s := simulate(t, world, config(1), runs, Settings{Seed: seed, LatencyLimit: limit, Confidence: 90}, nil)
		if s.LatencyViolations.Share != float64(s.LatencyViolations.Count)/runs {
			t.Fatalf("share %v of %d runs, count %d", s.LatencyViolations.Share, runs, s.LatencyViolations.Count)
		}
		for name, i := range map[string]*Interval{"mean": s.Latency.MeanInterval, "p50": s.Latency.P50.Interval, "p95": s.Latency.P95.Interval, "risk": &s.LatencyViolations.Risk} {
			if i.Lo <= truth[name] && truth[name] <= i.Hi {
				covered[name]++
			}
		}
	}
	// At least 90 % of 400, less 4 standard errors (24): the intervals of
	// quantiles and risk are conservative, and Student's t is nearly exact for
	// 150 exponentials.
	for name, n := range covered {
		if n < 336 {
			t.Errorf("%s: %d of %d intervals hold the truth", name, n, cells)
		}
	}
	if len(covered) != len(truth) {
		t.Errorf("covered %v", covered)
	}
}

// An interval of a p99 at 95 % confidence takes log(0.025)/log(0.99) runs.
func TestTooFewRunsForAnInterval(t *testing.T) {
	world := law{graph(t, nil), func(_ int, stream *rand.Rand) Task { return Task{Compute: stream.Int64N(1e9)} }}
	for runs, want := range map[int]int{367: 368, 368: 0} {
		s := simulate(t, world, config(1), runs, Settings{}, nil)
		if q := s.Latency.P99; q.Needs != want || (q.Interval == nil) != (want > 0) || len(s.Warnings) != min(1, want) {
			t.Errorf("%d runs: %+v, warnings %q", runs, q, s.Warnings)
		}
	}
	if s := simulate(t, world, config(1), 1, Settings{}, nil); s.Latency.MeanInterval != nil {
		t.Errorf("one run has an interval of its mean: %v", s.Latency.MeanInterval)
	}
}
