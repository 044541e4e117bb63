package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"eevee/models"
	"eevee/traces"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bundledProfile makes a profile of a bundled workflow on the grid of the
// published one, from a law of our own: the tests that use it need no
// recordings.
func bundledProfile(t testing.TB, workflow string) profile {
	t.Helper()
	def, err := models.Load(workflow)
	if err != nil {
		t.Fatal(err)
	}
	layout, _ := traces.JolteonLayout(workflow)
	var sizes []size
	for _, g := range layout.Grid {
		sizes = append(sizes, size{int(g.MemoryMB), int(g.Parallelism)})
	}
	rows := synthesise(def.Workflow, sizes, 2, func(i int, s size, k int) models.Steps {
		m, d := float64(s.memory)/1792, float64(s.parallelism)
		noise := rand.New(rand.NewPCG(uint64(i), uint64(s.memory*100+s.parallelism*3+k)))
		return models.Steps{
			Cold: 0.5 + noise.Float64(), Read: (0.2 + 8/d) * (1 + noise.Float64()/4),
			Compute: (1 + 40/(m*d)) * (1 + noise.Float64()/4), Write: 0.1 + noise.Float64()/d,
		}
	})
	return profile{def, layout.Grid, rows}
}

// Same seed, same bytes, whatever the number of cores.
func TestSameSeedSameBytes(t *testing.T) {
	p := bundledProfile(t, "ml")
	world := newReplay(t, p.def.Workflow, p.rows, ReplaySettings{})
	c := models.Config{p.def.StageConfig(1800, 1), p.def.StageConfig(3584, 5), p.def.StageConfig(2048, 32), p.def.StageConfig(1792, 1)}
	const runs = 3*chunkRuns + 7
	simulateTo := func(seed uint64, cores int) []byte {
		path := filepath.Join(t.TempDir(), "runs.parquet")
		settings := Settings{Seed: seed, Keep: KeepTasks, Cores: cores, LatencyLimit: 30}
		recorder, err := NewRecorder(path, p.def.Workflow, c, settings)
		if err != nil {
			t.Fatal(err)
		}
		defer recorder.Abort()
		summary := simulate(t, world, c, runs, settings, recorder.Add)
		if err := recorder.Close(); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(summary)
		if err != nil {
			t.Fatal(err)
		}
		return append(file, text...)
	}
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	want := simulateTo(1, 0)
	for _, cores := range []int{0, 1, 2, 3, 50} {
		runtime.GOMAXPROCS(2)
		if !bytes.Equal(want, simulateTo(1, cores)) {
			t.Errorf("other bytes on %d cores", cores)
		}
	}
	if bytes.Equal(want, simulateTo(2, 0)) {
		t.Error("seed 2 gives the same bytes as seed 1")
	}
}

// The runs of a longer simulation begin with those of a shorter one, and the
// draws of a stage do not depend on the configuration of another.
func TestRunsHaveStreamsOfTheirOwn(t *testing.T) {
	w := graph(t, nil, nil)
	world := law{w, func(_ int, stream *rand.Rand) Task { return Task{Compute: stream.Int64N(1e9)} }}
	collect := func(runs int, c models.Config) (ends []float64) {
		simulate(t, world, c, runs, Settings{}, func(r *Run) error {
			ends = append(ends, r.Stages[1].End)
			return nil
		})
		return ends
	}
	long, short := collect(200, config(9, 4)), collect(30, config(1, 4))
	if distinct(slices.Sorted(slices.Values(long))) != len(long) {
		t.Error("two runs have the same draws")
	}
	if !slices.Equal(long[:30], short) {
		t.Errorf("stage b ends at %v, and at %v where stage a has other instances", long[:30], short)
	}
}

// Money and work are conserved: every task that starts ends, the cost is the
// sum of the invoices that the price book writes for the rows, and rows agree
// with the run they come from.
func TestCostIsTheSumOfInvoices(t *testing.T) {
	p := bundledProfile(t, "ml")
	world := newReplay(t, p.def.Workflow, p.rows, ReplaySettings{})
	c := p.config(traces.ProfileConfig{MemoryMB: 3000, Parallelism: 12})
	for _, name := range models.Prices() {
		price := models.MustPrice(name)
		total := 0.0
		summary := simulate(t, world, c, 20, Settings{Keep: KeepTasks, Price: price}, func(r *Run) error {
			invoices, billed, latency, tasks := 0.0, 0.0, 0.0, 0
			perStage := map[string]float64{}
			for _, row := range r.Records(nil) {
				if row.Statistic == traces.Mean {
					perStage[row.Stage] += *row.CostUSD
				}
				if row.Statistic != traces.Invocation {
					continue
				}
				tasks++
				i, _ := p.def.Workflow.Index(row.Stage)
				busy := float64(*row.EndNS-*row.StartNS) / 1e9
				if steps := *row.Read + *row.Compute + *row.Write; math.Abs(steps-busy) > 1e-9 {
					t.Fatalf("an invocation runs for %v s, its steps take %v s", busy, steps)
				}
				if cold := float64(*row.StartNS-*row.ScheduledNS) / 1e9; math.Abs(cold-*row.Cold) > 1e-9 {
					t.Fatalf("an invocation starts after %v s, cold is %v s", cold, *row.Cold)
				}
				invoice := price.Invocation(c[i], busy)
				if math.Abs(invoice-*row.CostUSD) > 1e-12 {
					t.Fatalf("%s: an invocation of %v s costs %v USD, want %v", name, busy, *row.CostUSD, invoice)
				}
				invoices += invoice
				perStage[row.Stage] -= *row.CostUSD
				billed += price.Billed(busy) * price.GB(c[i])
				latency = max(latency, float64(*row.EndNS)/1e9)
			}
			// A pico-dollar of rounding per invocation.
			if math.Abs(invoices-r.Cost) > float64(tasks)*1e-12 {
				t.Errorf("%s: run %d costs %v USD, its invoices %v", name, r.Replication, r.Cost, invoices)
			}
			if math.Abs(billed-r.GBSeconds) > 1e-6 || latency != r.Latency || tasks != 1+12+12+1 {
				t.Errorf("%s: run %d: %v GB-s in %v s and %d tasks; the rows say %v GB-s in %v s", name, r.Replication, r.GBSeconds, r.Latency, tasks, billed, latency)
			}
			for stage, rest := range perStage {
				if math.Abs(rest) > 1e-15 {
					t.Errorf("%s: stage %s costs %v USD more than its invocations", name, stage, rest)
				}
			}
			total += r.Cost
			return nil
		})
		if math.Abs(summary.Cost.Mean-total/20) > 1e-15 || summary.Tasks != 26 {
			t.Errorf("%s: mean cost %v USD of %d tasks, runs cost %v", name, summary.Cost.Mean, summary.Tasks, total/20)
		}
	}
}

// A run and its rows are not changed by the runs after it.
func TestRecordsOutliveTheRun(t *testing.T) {
	w := graph(t, nil)
	world := law{w, func(_ int, stream *rand.Rand) Task { return Task{Compute: stream.Int64N(1e9)} }}
	var rows []traces.Record
	var ends []float64
	simulate(t, world, config(3), 10, Settings{Keep: KeepTasks, Cores: 1}, func(r *Run) error {
		rows = r.Records(rows)
		ends = append(ends, r.Latency)
		return nil
	})
	for i := range ends {
		if got := seconds(*rows[5*i].EndNS); got != ends[i] || rows[5*i].Execution == rows[0].Execution && i > 0 {
			t.Errorf("run %d: %q ends at %v s, want %v", i, rows[5*i].Execution, got, ends[i])
		}
	}
}

func TestInterrupted(t *testing.T) {
	world := law{graph(t, nil), func(_ int, stream *rand.Rand) Task { return Task{Compute: stream.Int64N(1e9)} }}
	for _, cores := range []int{1, 2} {
		ctx, cancel := context.WithCancel(context.Background())
		seen := 0
		summary, err := Simulate(ctx, world, config(1), 1_000_000, Settings{Cores: cores}, func(r *Run) error {
			if r.Replication != seen {
				t.Fatalf("run %d after %d runs", r.Replication, seen)
			}
			if seen++; seen == 500 {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || summary == nil || summary.Runs != seen || seen > 500+chunkRuns {
			t.Errorf("%d cores: %v after %d runs, summary %+v", cores, err, seen, summary)
		}
		cancel()
		if summary, err := Simulate(ctx, world, config(1), 10, Settings{Cores: cores}, nil); !errors.Is(err, context.Canceled) || summary != nil {
			t.Errorf("%d cores: cancelled before the start: %v, %v", cores, summary, err)
		}

		full := errors.New("disk full")
		summary, err = Simulate(context.Background(), world, config(1), 1000, Settings{Cores: cores}, func(*Run) error { return full })
		if !errors.Is(err, full) || summary != nil {
			t.Errorf("%d cores: %v, %v", cores, summary, err)
		}
	}
}

// The spans of a run fill the time of every task without gaps.
func TestSpans(t *testing.T) {
	w := graph(t, nil, []int{0})
	world := law{w, func(i int, stream *rand.Rand) Task {
		return Task{Cold: int64(i) * 1e8, Read: stream.Int64N(1e9), Compute: 1 + stream.Int64N(1e9), Write: 5e8}
	}}
	simulate(t, world, config(2, 3), 4, Settings{Keep: KeepTasks}, func(r *Run) error {
		type instance struct {
			stage string
			k     int
		}
		at, kinds := map[instance]float64{}, map[Kind]int{}
		for _, s := range r.Spans() {
			i, _ := w.Index(s.Stage)
			id := instance{s.Stage, s.Instance}
			from, known := at[id]
			if !known {
				from = r.Stages[i].Ready
			}
			if s.Start != from || s.End <= s.Start {
				t.Errorf("run %d: %+v after %v s", r.Replication, s, from)
			}
			at[id] = s.End
			kinds[s.Kind]++
		}
		for i := range r.Stages {
			last := 0.0
			for id, end := range at {
				if id.stage == w.Stage(i).Name {
					last = max(last, end)
				}
			}
			if last != r.Stages[i].End {
				t.Errorf("run %d: stage %d ends at %v s, its spans at %v s", r.Replication, i, r.Stages[i].End, last)
			}
		}
		// Stage a has no cold spans: they take no time.
		if len(at) != 5 || kinds[Cold] != 3 || kinds[Read] != 5 || kinds[Compute] != 5 || kinds[Write] != 5 {
			t.Errorf("run %d: %d instances, spans %v", r.Replication, len(at), kinds)
		}
		return nil
	})
}

func TestChromeTrace(t *testing.T) {
	spans := []Span{{"a", 0, Cold, 0, 0.25}, {"a", 0, Compute, 0.25, 1}, {`b "quoted"`, 1, Write, 1, 1.5}}
	var out bytes.Buffer
	if err := WriteChromeTrace(&out, spans); err != nil {
		t.Fatal(err)
	}
	var got struct {
		TraceEvents []struct {
			Name, Cat, Ph string
			Ts, Dur       float64
			Pid, Tid      int
			Args          map[string]string
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	stage, thread := map[int]string{}, map[[2]int]string{}
	var back []Span
	for _, e := range got.TraceEvents {
		switch {
		case e.Ph == "M" && e.Name == "process_name":
			stage[e.Pid] = e.Args["name"]
		case e.Ph == "M" && e.Name == "thread_name":
			thread[[2]int{e.Pid, e.Tid}] = e.Args["name"]
		case e.Ph == "X":
			if thread[[2]int{e.Pid, e.Tid}] == "" || e.Cat != stage[e.Pid] {
				t.Errorf("event %+v of an unnamed thread or another process", e)
			}
			back = append(back, Span{stage[e.Pid], e.Tid, Kind(e.Name), e.Ts / 1e6, (e.Ts + e.Dur) / 1e6})
		}
	}
	if !slices.Equal(back, spans) {
		t.Errorf("events say %v, want %v", back, spans)
	}
	if err := WriteChromeTrace(failing{}, spans); err == nil {
		t.Error("no error from a failing writer")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// BenchmarkTPCDS simulates runs of the largest bundled workflow, of 8 stages
// with up to 48 instances, on one core. At 10,000 iterations it is the whole
// study of a configuration.
func BenchmarkTPCDS(b *testing.B) {
	p := bundledProfile(b, "tpcds")
	world := newReplay(b, p.def.Workflow, p.rows, ReplaySettings{})
	c := p.config(traces.ProfileConfig{MemoryMB: 1792, Parallelism: 48})
	for _, bench := range []struct {
		name string
		keep Keep
	}{{"totals", KeepTotals}, {"stages", KeepStages}, {"tasks", KeepTasks}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			summary := simulate(b, world, c, b.N, Settings{Keep: bench.keep, Cores: 1}, nil)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
			b.ReportMetric(float64(b.N*summary.Tasks)/b.Elapsed().Seconds(), "inv/s")
		})
	}
}
