package sim

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"eevee/models"
	"eevee/traces"
)

// size is a configuration that all stages of a synthetic profile run under.
type size struct{ memory, parallelism int }

// synthesise makes a profile: at every size, the given number of warm runs.
// The function gives the means of the steps of a stage in run k.
func synthesise(w *models.Workflow, sizes []size, runs int, mean func(stage int, s size, k int) models.Steps) []traces.Record {
	var rows []traces.Record
	for _, s := range sizes {
		for k := range runs {
			for i := range w.Len() {
				stage := w.Stage(i)
				epoch, d := int32(k+1), int32(s.parallelism)
				if !stage.Splittable() {
					d = 1
				}
				base := traces.Record{
					Workflow: w.Name(), Execution: fmt.Sprintf("%dx%d/%d", s.parallelism, s.memory, k), Stage: stage.Name,
					Epoch: &epoch, MemoryMB: int32(s.memory), Parallelism: &d, Source: traces.Synthetic,
				}
				m := mean(i, s, k)
				p := models.Steps{Cold: m.Cold, Read: 1.2 * m.Read, Compute: 1.1 * m.Compute, Write: 1.3 * m.Write}
				if d == 1 {
					p = m
				}
				rows = append(rows, withSteps(base, traces.Mean, m), withSteps(base, traces.P95, p))
			}
		}
	}
	return rows
}

func newReplay(t testing.TB, w *models.Workflow, rows []traces.Record, s ReplaySettings) *Replay {
	t.Helper()
	r, err := NewReplay(w, rows, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Rows about whole runs, as live traces have them, change nothing.
func TestReplayPassesOverRuns(t *testing.T) {
	w := graph(t, nil)
	rows := synthesise(w, []size{{1024, 8}}, 2, func(int, size, int) models.Steps { return models.Steps{Cold: 1, Read: 2, Compute: 3, Write: 4} })
	var with []traces.Record
	for k, r := range rows {
		if k%3 == 0 {
			with = append(with, traces.Record{Workflow: w.Name(), Execution: r.Execution, Epoch: r.Epoch, MapIndex: new(int32(k)), Statistic: traces.Run, Source: traces.Live})
		}
		with = append(with, r)
	}
	run := func(rows []traces.Record) *Summary {
		config := make(models.Config, w.Len())
		for i := range config {
			config[i] = models.StageConfig{Memory: 1024, VCPU: 1, Parallelism: 8}
			if !w.Stage(i).Splittable() {
				config[i].Parallelism = 1
			}
		}
		s, err := Simulate(t.Context(), newReplay(t, w, rows, ReplaySettings{}), config, 50, Settings{Seed: 1, Price: models.MustPrice(models.PriceAWS)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if a, b := run(rows), run(with); a.Latency.Mean != b.Latency.Mean || a.Latency.Max != b.Latency.Max || a.Cost.Mean != b.Cost.Mean {
		t.Errorf("mean latency %v and cost %v, without the rows of runs %v and %v", b.Latency.Mean, b.Cost.Mean, a.Latency.Mean, a.Cost.Mean)
	}
}

// Steps that follow a power law are interpolated and extrapolated exactly, on
// a ragged grid too; cold is a power law only inside.
func TestInterpolationOfPowerLaws(t *testing.T) {
	law := func(_ int, s size, k int) models.Steps {
		m, d := float64(s.memory)/1024, float64(s.parallelism)
		slow := 1 + 0.1*float64(k) // the two executions differ by a factor
		return models.Steps{
			Cold:    slow * 5 * math.Pow(m, -0.1) * math.Pow(d, 0.2),
			Read:    slow * 30 / d,
			Compute: slow * 100 * math.Pow(m, -0.8) * math.Pow(d, -0.9),
			Write:   0,
		}
	}
	w := graph(t, nil)
	sizes := []size{{1024, 8}, {2048, 8}, {4096, 8}, {1024, 16}, {4096, 16}, {2048, 32}, {4096, 32}}
	world := newReplay(t, w, synthesise(w, sizes, 2, law), ReplaySettings{})
	for _, test := range []struct {
		size
		inside bool
		note   string // start of the warning
	}{
		{size{1024, 8}, true, ""},
		{size{1500, 8}, true, ""},
		{size{3000, 11}, true, ""},
		{size{2048, 16}, true, ""},
		{size{4096, 24}, true, ""},
		{size{1024, 32}, false, "32x1024MB was not recorded: the effect of memory is taken from 16x1024MB"},
		{size{1500, 20}, false, "32x1500MB was not recorded: the effect of memory is taken from 16x1500MB"},
		{size{512, 8}, false, "512 MB lies outside the recorded 1024 to 4096 MB"},
		{size{8192, 16}, false, "8192 MB lies outside the recorded 1024 to 4096 MB"},
		{size{2048, 4}, false, "parallelism 4 lies outside the recorded 8 to 32"},
		{size{4096, 100}, false, "parallelism 100 lies outside the recorded 8 to 32"},
		{size{512, 64}, false, "parallelism 64 lies outside the recorded 8 to 32"},
	} {
		b, err := world.Stage(0, models.StageConfig{Memory: test.memory, Parallelism: test.parallelism}, 0)
		if err != nil {
			t.Fatal(err)
		}
		takes := b.(*replayed).takes
		if len(takes) != 2 {
			t.Fatalf("%v: %d takes", test.size, len(takes))
		}
		for k, take := range takes {
			wall := int64(0)
			for _, task := range take.tasks {
				wall = max(wall, task.Cold+task.Busy())
			}
			got, p95 := aggregate(take.tasks, wall, new([]float64))
			want := law(0, test.size, k)
			if !test.inside {
				got.Cold = want.Cold
			}
			for f, v := range fields(want) {
				if math.Abs(fields(got)[f]-v) > 1e-9+1e-9*v {
					t.Errorf("%v, execution %d: steps %v, want %v", test.size, k, got, want)
					break
				}
			}
			if math.Abs(p95.Compute-1.1*want.Compute) > 1e-8 || math.Abs(p95.Read-1.2*want.Read) > 1e-8 {
				t.Errorf("%v, execution %d: p95 %v of means %v", test.size, k, p95, want)
			}
		}
		notes := b.Warnings()
		if (len(notes) > 0) != (test.note != "") || test.note != "" && !strings.HasPrefix(notes[0], test.note) {
			t.Errorf("%v: warnings %q, want %q", test.size, notes, test.note)
		}
	}
}

// Beyond the recorded sizes, noise never makes a stage slower with more
// resources, nor more than proportionally faster.
func TestExtrapolationIsBounded(t *testing.T) {
	w := graph(t, nil)
	world := newReplay(t, w, synthesise(w, []size{{1000, 4}, {1000, 8}, {1000, 16}}, 1, func(_ int, s size, _ int) models.Steps {
		// Slower from 4 to 8, and four times as fast from 8 to 16.
		return models.Steps{Compute: map[int]float64{4: 10, 8: 12, 16: 3}[s.parallelism]}
	}), ReplaySettings{})
	for d, want := range map[int]float64{2: 10, 32: 1.5} {
		b, err := world.Stage(0, models.StageConfig{Memory: 1000, Parallelism: d}, 0)
		if err != nil {
			t.Fatal(err)
		}
		mean, _ := aggregate(b.(*replayed).takes[0].tasks, 0, new([]float64))
		if math.Abs(mean.Compute-want) > 1e-8 {
			t.Errorf("parallelism %d: %v s, want %v", d, mean.Compute, want)
		}
	}
}

// A stage that cannot be split is told apart by the parallelism of the stage
// it reads from.
func TestInputParallelism(t *testing.T) {
	w, err := models.NewWorkflow("test", []models.Stage{{Name: "many"}, {Name: "one", After: []string{"many"}, MaxParallelism: 1}})
	if err != nil {
		t.Fatal(err)
	}
	world := newReplay(t, w, synthesise(w, []size{{1000, 4}, {1000, 16}}, 2, func(i int, s size, _ int) models.Steps {
		return models.Steps{Cold: 0.1, Read: math.Sqrt(float64(s.parallelism)), Compute: 1}
	}), ReplaySettings{})
	for d, want := range map[int]float64{4: 2, 9: 3, 16: 4, 25: 5} {
		s := simulate(t, world, models.Config{{Memory: 1000, VCPU: 0.5, Parallelism: d}, {Memory: 1000, VCPU: 0.5, Parallelism: 1}}, 5, Settings{Price: models.MustPrice(models.PriceJolteon)}, nil)
		if got := s.Stages[1].Billed; math.Abs(got-want-1) > 1e-8 {
			t.Errorf("input parallelism %d: billed %v s, want %v", d, got, want+1)
		}
	}
}

// The tasks that impute makes up have the mean and the p95 that they were made
// from, for every d and every p95 that d non-negative times can have.
func TestImpute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.IntRange(1, 70).Draw(t, "d")
		draw := func(name string) (mean, p95 float64) {
			// Any times have a mean and a p95 that d times can have.
			times := rapid.SliceOfN(rapid.Float64Range(0, 100), d, d).Draw(t, name)
			sum := 0.0
			for _, v := range times {
				sum += v
			}
			return sum / float64(d), models.QuantileR7(times, 0.95)
		}
		var mean, p95 models.Steps
		mean.Read, p95.Read = draw("read")
		mean.Compute, p95.Compute = draw("compute")
		mean.Write, p95.Write = draw("write")
		tasks := impute(d, mean, p95, nanoseconds(1e4))
		if len(tasks) != d {
			t.Fatalf("%d tasks, want %d", len(tasks), d)
		}
		slowest := int64(0)
		for _, task := range tasks {
			if task.Cold < 0 || task.Read < 0 || task.Compute < 0 || task.Write < 0 {
				t.Fatalf("negative time: %+v", task)
			}
			slowest = max(slowest, task.Cold+task.Busy())
		}
		if slowest != nanoseconds(1e4) {
			t.Fatalf("the stage takes %d ns", slowest)
		}
		gotMean, gotP95 := aggregate(tasks, slowest, new([]float64))
		for f, name := range []string{"", "read", "compute", "write"} {
			if f == coldField {
				continue
			}
			if m, want := fields(gotMean)[f], fields(mean)[f]; math.Abs(m-want) > 1e-8 {
				t.Errorf("%s: mean %v, want %v", name, m, want)
			}
			want := fields(p95)[f]
			if want <= fields(mean)[f] && d < 21 {
				continue // a constant, by contract
			}
			if q := fields(gotP95)[f]; math.Abs(q-want) > 1e-8 {
				t.Errorf("%s: p95 %v, want %v (mean %v)", name, q, want, fields(mean)[f])
			}
		}
	})
}

// A wall time that leaves no room is exceeded, and the stage then ends with
// its slowest task.
func TestImputeWithoutRoom(t *testing.T) {
	tasks := impute(8, models.Steps{Compute: 10}, models.Steps{Compute: 12}, nanoseconds(11))
	slowest := slices.MaxFunc(tasks, func(a, b Task) int { return int(a.Busy() - b.Busy()) })
	if slowest.Cold != 0 || slowest.Busy() != nanoseconds(12) {
		t.Errorf("slowest task %+v, want one of 12 s that starts at once", slowest)
	}
}

// An exported run can be replayed: the same rows come out, to the byte, and so
// does the file.
func TestReplayOfExportedRuns(t *testing.T) {
	p := bundledProfile(t, "tpcds")
	world := newReplay(t, p.def.Workflow, p.rows, ReplaySettings{})
	c := p.config(traces.ProfileConfig{MemoryMB: 1500, Parallelism: 20}) // between recorded sizes
	export := func(name string, world World) (string, []traces.Record) {
		var rows []traces.Record
		simulate(t, world, c, 30, Settings{Seed: 5, Keep: KeepTasks}, func(r *Run) error {
			rows = r.Records(rows)
			return nil
		})
		path := filepath.Join(t.TempDir(), name)
		if err := traces.Write(path, rows, traces.Meta{Source: traces.Simulated, Workflow: p.def.Workflow.Name()}); err != nil {
			t.Fatal(err)
		}
		return path, rows
	}
	first, rows := export("first.parquet", world)
	if defects := traces.Validate(rows); len(defects) > 0 {
		t.Errorf("%d defects in simulated rows, the first is %v", len(defects), defects[0])
	}
	read, meta, err := traces.Read(first)
	if err != nil {
		t.Fatal(err)
	}
	if meta.Source != traces.Simulated || len(read) != len(rows) {
		t.Errorf("source %q, %d rows; want %d simulated ones", meta.Source, len(read), len(rows))
	}
	second, again := export("second.parquet", newReplay(t, p.def.Workflow, read, ReplaySettings{Sequential: true}))
	if diff := cmp.Diff(rows, again); diff != "" {
		t.Fatalf("replayed rows differ (-simulated +replayed):\n%.2000s", diff)
	}
	a, errA := os.ReadFile(first)
	b, errB := os.ReadFile(second)
	if errA != nil || errB != nil || !slices.Equal(a, b) {
		t.Errorf("files differ: %d and %d bytes, %v, %v", len(a), len(b), errA, errB)
	}

	// Random executions instead of sequential ones stay whole: the latency of
	// every run is that of one exported run.
	latencies := map[float64]bool{}
	simulate(t, world, c, 30, Settings{Seed: 5}, func(r *Run) error { latencies[r.Latency] = true; return nil })
	simulate(t, newReplay(t, p.def.Workflow, read, ReplaySettings{}), c, 200, Settings{}, func(r *Run) error {
		if !latencies[r.Latency] {
			t.Errorf("run %d takes %v s, as none of the exported runs", r.Replication, r.Latency)
		}
		return nil
	})
}

// Stages with executions in common take the same one in a run; others do not.
func TestJointExecutions(t *testing.T) {
	w := graph(t, nil, nil, nil)
	rows := synthesise(w, []size{{1000, 1}, {2000, 1}}, 16, func(_ int, s size, k int) models.Steps {
		return models.Steps{Compute: float64(1 + k)}
	})
	world := newReplay(t, w, rows, ReplaySettings{})
	c := config(1, 1, 1)
	c[0].Memory, c[1].Memory, c[2].Memory = 1000, 2000, 1000
	const runs = 2000
	together, other := 0, 0
	simulate(t, world, c, runs, Settings{Price: models.MustPrice(models.PriceJolteon)}, func(r *Run) error {
		if r.Stages[0].Billed == r.Stages[2].Billed {
			together++
		}
		if r.Stages[0].Billed == r.Stages[1].Billed {
			other++
		}
		return nil
	})
	// Independent draws coincide in 1 of 16 runs: 125 in 2,000, with a
	// standard deviation of 10.8.
	if together != runs || math.Abs(float64(other)-125) > 45 {
		t.Errorf("of %d runs, %d take one execution for stages 0 and 2, and %d for stages 0 and 1 (want all and about 125)", runs, together, other)
	}
}

// Invocations are replayed as they were recorded, whatever columns hold them.
func TestReplayOfInvocations(t *testing.T) {
	w := graph(t, nil)
	number := func(x float64) *float64 { return &x }
	ns := func(x int64) *int64 { return &x }
	row := func(execution string) traces.Record {
		d := int32(2)
		return traces.Record{Workflow: "test", Execution: execution, Stage: "a", Statistic: traces.Invocation, MemoryMB: 512, Parallelism: &d, Source: traces.Live}
	}
	steps, times, duration, alone := row("x"), row("x"), row("y"), row("z")
	steps.MapIndex, times.MapIndex = new(int32), new(int32)
	*times.MapIndex = 1
	steps.Cold, steps.Read, steps.Compute, steps.Write = number(0.5), number(1), number(2), number(3)
	times.ScheduledNS, times.StartNS, times.DurationUS, times.Read = ns(1e9), ns(1.25e9), ns(4_000_000), number(0.5)
	duration.MapIndex, duration.DurationUS = new(int32), ns(8_000_000)
	second := duration
	second.MapIndex = times.MapIndex
	alone.StartNS, alone.Compute = ns(5), number(7) // one of two instances: the other has the same times
	world := newReplay(t, w, []traces.Record{times, duration, steps, second, alone}, ReplaySettings{Sequential: true})
	var got [][]Task
	summary := simulate(t, world, models.Config{{Memory: 512, Parallelism: 2}}, 4, Settings{Keep: KeepTasks}, func(r *Run) error {
		got = append(got, slices.Clone(r.tasks))
		return nil
	})
	const s = 1_000_000_000
	want := [][]Task{
		{{s / 4, s / 2, 7 * s / 2, 0}, {s / 2, s, 2 * s, 3 * s}},
		{{0, 0, 8 * s, 0}, {0, 0, 8 * s, 0}},
		{{0, 0, 7 * s, 0}, {0, 0, 7 * s, 0}},
		{{s / 4, s / 2, 7 * s / 2, 0}, {s / 2, s, 2 * s, 3 * s}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tasks differ (-want +got):\n%s", diff)
	}
	if !slices.Contains(summary.Warnings, `stage "a": `+noDelay) {
		t.Errorf("warnings %q", summary.Warnings)
	}
}

func TestReplayErrors(t *testing.T) {
	w := graph(t, nil, []int{0})
	good := func() []traces.Record {
		return synthesise(w, []size{{1000, 2}}, 1, func(int, size, int) models.Steps { return models.Steps{Compute: 1} })
	}
	nan, negative, long := math.NaN(), -1.0, 1e6
	zero := int32(0)
	for _, test := range []struct {
		name   string
		change func(rows []traces.Record) []traces.Record
		s      ReplaySettings
		want   string
	}{
		{"no rows", func([]traces.Record) []traces.Record { return nil }, ReplaySettings{}, "replay of workflow test: the trace has no warm execution of stage a, b"},
		{"missing stage", func(r []traces.Record) []traces.Record { return r[:2] }, ReplaySettings{}, "replay of workflow test: the trace has no warm execution of stage b"},
		{"cold only", func(r []traces.Record) []traces.Record {
			for i := range r {
				r[i].Epoch = &zero
			}
			return r
		}, ReplaySettings{}, "replay of workflow test: the trace has no warm execution of stage a, b"},
		{"warm only", func(r []traces.Record) []traces.Record { return r }, ReplaySettings{Epochs: ColdEpochs}, "replay of workflow test: the trace has no cold execution of stage a, b"},
		{"NaN", func(r []traces.Record) []traces.Record { r[1].Read = &nan; return r }, ReplaySettings{}, "replay of workflow test: row 1, column read_s: not a finite number: NaN"},
		{"negative", func(r []traces.Record) []traces.Record { r[2].Cold = &negative; return r }, ReplaySettings{}, "replay of workflow test: row 2, column cold_s: negative: -1"},
		{"too long", func(r []traces.Record) []traces.Record { r[2].Write = &long; return r }, ReplaySettings{}, `replay of workflow test: row 2 and others of stage "b" in execution "2x1000/0": a step takes longer than 100000 s`},
		{"unknown stage", func(r []traces.Record) []traces.Record { r[3].Stage = "c"; return r }, ReplaySettings{}, `replay of workflow test: row 3, column stage: the workflow has no stage "c"`},
		{"other workflow", func(r []traces.Record) []traces.Record { r[0].Workflow = "ml"; return r }, ReplaySettings{}, `replay of workflow test: row 0, column workflow: is "ml"`},
		{"no mean", func(r []traces.Record) []traces.Record { return r[1:] }, ReplaySettings{}, `replay of workflow test: row 0 and others of stage "a" in execution "2x1000/0": a p95 row without a mean row`},
		{"two sizes", func(r []traces.Record) []traces.Record { r[1].MemoryMB = 2000; return r }, ReplaySettings{}, `replay of workflow test: row 0 and others of stage "a" in execution "2x1000/0": column memory_mb: both 1000 and 2000`},
		{"no times", func(r []traces.Record) []traces.Record { r[0].Compute = nil; return r }, ReplaySettings{}, `replay of workflow test: row 0 and others of stage "a" in execution "2x1000/0": columns compute_s and duration_us: missing`},
		{"no parallelism", func(r []traces.Record) []traces.Record { r[0].Parallelism, r[1].Parallelism = nil, nil; return r }, ReplaySettings{}, `replay of workflow test: row 0 and others of stage "a" in execution "2x1000/0": column parallelism: missing`},
		{"unknown epochs", func(r []traces.Record) []traces.Record { return r }, ReplaySettings{Epochs: 7}, "replay of workflow test: unknown value 7 of Epochs"},
	} {
		_, err := NewReplay(w, test.change(good()), test.s)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s:\ngot  %v\nwant %s", test.name, err, test.want)
		}
	}
}

// Many defects give a few lines, not thousands.
func TestReplayErrorsAreFew(t *testing.T) {
	w := graph(t, nil)
	rows := synthesise(w, []size{{1000, 2}}, 500, func(int, size, int) models.Steps { return models.Steps{Compute: math.Inf(1)} })
	_, err := NewReplay(w, rows, ReplaySettings{})
	if err == nil || strings.Count(err.Error(), "\n") != maxDefects || !strings.HasSuffix(err.Error(), "and 995 more defects") {
		t.Errorf("error: %v", err)
	}
}

func TestSimulateErrors(t *testing.T) {
	w := graph(t, nil, []int{0})
	world := newReplay(t, w, synthesise(w, []size{{1000, 2}}, 1, func(int, size, int) models.Steps { return models.Steps{Compute: 1} }), ReplaySettings{})
	with := func(change func(*models.StageConfig)) models.Config {
		c := config(2, 2)
		change(&c[1])
		return c
	}
	for _, test := range []struct {
		name   string
		config models.Config
		runs   int
		s      Settings
		want   string
	}{
		{"no runs", config(2, 2), 0, Settings{}, "0 runs; need 1 to 10000000"},
		{"negative runs", config(2, 2), -3, Settings{}, "-3 runs; need 1 to 10000000"},
		{"stages", config(2), 1, Settings{}, "a configuration of 1 stages for a workflow of 2"},
		{"parallelism", config(2, 0), 1, Settings{}, `stage "b": 0 instances; need 1 to 10000`},
		{"memory", with(func(c *models.StageConfig) { c.Memory = 0 }), 1, Settings{}, `stage "b": 0 MB of memory`},
		{"vcpu", with(func(c *models.StageConfig) { c.VCPU = 0 }), 1, Settings{Price: models.MustPrice(models.PriceJolteon)}, `stage "b": 0 vCPU, which price book jolteon charges by`},
		{"bundle", with(func(c *models.StageConfig) { c.Bundle = 4 }), 1, Settings{}, `stage "b": 0 processes and bundles of 4 are not simulated`},
		{"confidence", config(2, 2), 1, Settings{Confidence: 100}, "confidence 100 is not between 0 and 100 percent"},
		{"limit", config(2, 2), 1, Settings{LatencyLimit: math.NaN()}, "latency limit NaN s is not a positive number"},
		{"cost limit", config(2, 2), 1, Settings{CostLimit: -1}, "cost limit -1 USD is not a positive number"},
		{"keep", config(2, 2), 1, Settings{Keep: 9}, "unknown value 9 of Keep"},
	} {
		summary, err := Simulate(context.Background(), world, test.config, test.runs, test.s, nil)
		if want := "simulating workflow test: " + test.want; err == nil || err.Error() != want || summary != nil {
			t.Errorf("%s:\ngot  %v\nwant %s", test.name, err, want)
		}
	}

	unsplit, err := models.NewWorkflow("test", []models.Stage{{Name: "a", MaxParallelism: 1}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Simulate(context.Background(), law{workflow: unsplit}, config(2), 1, Settings{}, nil)
	if want := `simulating workflow test: stage "a": 2 instances, but its max_parallelism is 1`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Simulated runs are a profile like any other: gathered by stage, they hold
// what the recorded profile holds.
func TestSimulatedRunsAreAProfile(t *testing.T) {
	p := bundledProfile(t, "ml")
	w := p.def.Workflow
	g := traces.ProfileConfig{MemoryMB: 3584, Parallelism: 16}
	var rows []traces.Record
	simulate(t, newReplay(t, w, p.rows, ReplaySettings{Sequential: true}), p.config(g), 2, Settings{Keep: KeepStages}, func(r *Run) error {
		rows = r.Records(rows)
		return nil
	})
	simulated, err := models.NewProfile(p.def, rows)
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := models.NewProfile(p.def, p.rows)
	if err != nil {
		t.Fatal(err)
	}
	for i := range w.Len() {
		var want []models.Observation
		for _, o := range recorded.Warm(i) {
			if strings.HasPrefix(o.Execution, "16x3584/") {
				want = append(want, o)
			}
		}
		got := simulated.Warm(i)
		if len(got) != 2 || len(want) != 2 {
			t.Fatalf("stage %d: %d simulated and %d recorded observations", i, len(got), len(want))
		}
		for k := range got {
			for f, v := range fields(got[k].Mean) {
				if math.Abs(v-fields(want[k].Mean)[f]) > 1e-8 || math.Abs(fields(got[k].P95)[f]-wantP95(want[k])[f]) > 1e-8 {
					t.Errorf("stage %d run %d: mean %v and p95 %v, want %v and %v", i, k, got[k].Mean, got[k].P95, want[k].Mean, wantP95(want[k]))
				}
			}
			if got[k].Config != want[k].Config || got[k].InputParallelism != want[k].InputParallelism {
				t.Errorf("stage %d run %d: %v after %d, want %v after %d", i, k, got[k].Config, got[k].InputParallelism, want[k].Config, want[k].InputParallelism)
			}
		}
	}
}

// wantP95 returns the p95 steps of a recorded observation with the residual
// that its wall time leaves as cold (synthesise does not bother).
func wantP95(o models.Observation) [4]float64 {
	p95 := o.P95
	p95.Cold = o.Mean.Cold + o.Mean.Exec() - p95.Exec()
	return fields(p95)
}
