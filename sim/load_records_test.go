package sim

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/models"
	"eevee/traces"
)

// crowded is a platform on which requests wait, for each other and for new
// instances, but that bills for the time that functions run only.
func crowded() *Platform {
	return &Platform{
		Name:      "crowded",
		Instances: Instances{KeepAlive: 5},
		ColdStart: ColdStart{Init: Mixture{{Median: 0.5, Sigma: 0.4}}},
		Limits:    Limits{Concurrency: 12, Queue: true},
		Variation: Variation{InstanceSD: 0.1, RunSD: 0.05},
		Mapping:   Mapping{PerInstance: 0.01},
		Price:     models.MustPrice(models.PriceAWS),
	}
}

// exported simulates a load and returns its file, rows and summary.
func exported(t *testing.T, name string, w Workload, s LoadSettings) (string, []traces.Record, *LoadSummary) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	recorder, err := NewLoadRecorder(path, []Workload{w}, s)
	if err != nil {
		t.Fatal(err)
	}
	defer recorder.Abort()
	var rows []traces.Record
	summary := load(t, w, s, func(r *Run) error {
		rows = r.Records(rows)
		return recorder.Add(r)
	})
	if err := recorder.Close(); err != nil {
		t.Fatal(err)
	}
	return path, rows, summary
}

// Executions under load that are exported and replayed one after the other, at
// the times at which they came, give the same rows and the same summary:
// whatever the platform did to them is in their rows.
func TestReplayOfExportedLoad(t *testing.T) {
	p := bundledProfile(t, "ml")
	w := Workload{
		World:    newReplay(t, p.def.Workflow, p.rows, ReplaySettings{}),
		Config:   models.Config{p.def.StageConfig(1800, 1), p.def.StageConfig(3584, 5), p.def.StageConfig(2048, 6), p.def.StageConfig(1792, 1)},
		Arrivals: Poisson{Rate: 0.08},
	}
	s := LoadSettings{Platform: crowded(), Seed: 4, Executions: 60, Keep: KeepTasks}
	first, rows, summary := exported(t, "first.parquet", w, s)
	waited := false
	for _, f := range summary.Functions {
		waited = waited || f.Throttled > 0 && f.ColdStarts > 0
	}
	if !waited {
		t.Error("nobody waits: the test shows nothing")
	}
	if defects := traces.Validate(rows); len(defects) > 0 {
		t.Errorf("%d defects, the first is %v", len(defects), defects[0])
	}
	read, _, err := traces.Read(first)
	if err != nil {
		t.Fatal(err)
	}
	arrivals := &Replayed{Path: "starts"}
	for _, r := range read {
		if r.Stage == p.def.Workflow.Stage(0).Name && r.Statistic == traces.Mean {
			arrivals.At = append(arrivals.At, *r.StartNS)
		}
	}
	if len(arrivals.At) != s.Executions || !slices.IsSorted(arrivals.At) {
		t.Fatalf("%d executions, in order: %v", len(arrivals.At), slices.IsSorted(arrivals.At))
	}
	w.World, w.Arrivals = newReplay(t, p.def.Workflow, read, ReplaySettings{Sequential: true}), arrivals
	s.Platform = &Platform{Name: "crowded", Price: s.Platform.Price}
	second, again, replayed := exported(t, "second.parquet", w, s)
	if d := cmp.Diff(rows, again); d != "" {
		t.Fatalf("other rows (-simulated +replayed):\n%.3000s", d)
	}
	a, b := summary.Workloads[0], replayed.Workloads[0]
	a.Arrivals, b.Arrivals = "", ""
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("other summary (-simulated +replayed):\n%s", d)
	}
	third, _, _ := exported(t, "third.parquet", w, s)
	want, errA := os.ReadFile(second)
	got, errB := os.ReadFile(third)
	if errA != nil || errB != nil || !slices.Equal(want, got) {
		t.Errorf("files differ: %d and %d bytes, %v, %v", len(want), len(got), errA, errB)
	}
}

// Rows and runs under load agree, and the cost of a load is the sum of its
// rows and of what rows do not show.
func TestLoadCostIsTheSumOfRows(t *testing.T) {
	world := law{graph(t, nil, []int{0}, []int{0, 1}), func(_ int, s *rand.Rand) Task {
		return Task{Cold: s.Int64N(1e8), Read: s.Int64N(1e9), Compute: int64(s.ExpFloat64() * 1e9), Write: s.Int64N(1e8)}
	}}
	platform := busyPlatform()
	platform.Services = models.ServicePrices{Standard: models.StandardPrice{USDPerTransition: 0.000025}}
	invocations, stages, runs, transitions := 0.0, 0.0, 0.0, 0
	summary := load(t, Workload{World: world, Config: config(1, 4, 3), Arrivals: Poisson{Rate: 1}},
		LoadSettings{Platform: platform, Seed: 3, Executions: 400, Keep: KeepRequests}, func(r *Run) error {
			latency, start := 0.0, math.Inf(1)
			for _, row := range r.Records(nil) {
				start = min(start, float64(*row.StartNS)/1e9)
				latency = max(latency, float64(*row.EndNS)/1e9)
				switch row.Statistic {
				case traces.Invocation:
					invocations += *row.CostUSD
					if *row.StartNS < *row.ScheduledNS || *row.EndNS < *row.StartNS || *row.ColdStart != (row.InitUS != nil) {
						t.Errorf("run %d: a request from %d to %d ns, invoked at %d ns", r.Replication, *row.StartNS, *row.EndNS, *row.ScheduledNS)
					}
				case traces.Mean:
					stages += *row.CostUSD
				}
			}
			if got := seconds(r.start) + r.Latency; math.Abs(got-latency) > 1e-6 {
				t.Errorf("run %d ends at %v s, its rows at %v s", r.Replication, got, latency)
			}
			runs += r.Cost
			transitions += 1 + 1 + 4 + 1 + 3
			return nil
		})
	w := summary.Workloads[0]
	if n := w.Executions; n == 0 || len(w.Failed) == 0 {
		t.Errorf("%d executions, failed: %v; the test wants both", n, w.Failed)
	}
	retried, happened := 0.0, map[string]uint64{}
	for _, f := range summary.Functions {
		happened["cold"] += f.ColdStarts
		happened["throttled"] += f.Throttled
		for name, n := range f.Failed {
			happened[name] += n
		}
		retried += float64(f.Retries)
	}
	for _, what := range []string{"cold", "throttled", ErrorCrash, ErrorStart, ErrorTimeout} {
		if happened[what] == 0 {
			t.Errorf("%s: never; the test wants everything to happen", what)
		}
	}
	if math.Abs(stages-invocations) > 1e-9 {
		t.Errorf("stages cost %v USD, their invocations %v", stages, invocations)
	}
	if got := w.Cost.Mean * float64(w.Executions); math.Abs(got-runs) > 1e-9 {
		t.Errorf("executions cost %v USD, runs %v", got, runs)
	}
	// What runs cost beside their stages are transitions, at least those
	// without retries.
	if orchestration, least := runs-stages, float64(transitions)*0.000025; orchestration < least-1e-9 || orchestration > least+retried*0.000025 {
		t.Errorf("orchestration of %v USD, want %v and at most %v retries", orchestration, least, retried)
	}
	if sum := summary.Cost.Functions + summary.Cost.Orchestration; math.Abs(sum-summary.Cost.Total) > 1e-12 || summary.Cost.Total < runs {
		t.Errorf("the load costs %v USD, its parts %v, executions that did not fail %v", summary.Cost.Total, sum, runs)
	}
}

// On an instance, spans follow each other without overlapping, and every cold
// start shows.
func TestSpansUnderLoad(t *testing.T) {
	world := law{graph(t, nil, []int{0}), func(_ int, s *rand.Rand) Task {
		return Task{Read: 1 + s.Int64N(1e9), Compute: 1 + s.Int64N(1e9), Write: 1e6}
	}}
	platform := crowded()
	platform.Functions = []Function{{Stage: "a", Provisioned: 2}}
	var spans []Span
	summary := load(t, Workload{World: world, Config: config(1, 3), Arrivals: Poisson{Rate: 2}},
		LoadSettings{Platform: platform, Executions: 300, Keep: KeepTasks}, func(r *Run) error {
			spans = append(spans, r.Spans()...)
			return nil
		})
	type instance struct {
		stage string
		k     int
	}
	by, cold := map[instance][]Span{}, map[string]uint64{}
	for _, s := range spans {
		by[instance{s.Stage, s.Instance}] = append(by[instance{s.Stage, s.Instance}], s)
		if s.Kind == Cold {
			cold[s.Stage]++
		}
	}
	for id, list := range by {
		slices.SortFunc(list, func(a, b Span) int { return int(1e9 * (a.Start - b.Start)) })
		for k := 1; k < len(list); k++ {
			if list[k].Start < list[k-1].End-1e-9 {
				t.Fatalf("instance %v: %+v begins before %+v ends", id, list[k], list[k-1])
			}
		}
	}
	for _, f := range summary.Functions {
		if cold[f.Function] != f.ColdStarts {
			t.Errorf("function %s: %d cold starts, %d spans", f.Function, f.ColdStarts, cold[f.Function])
		}
	}
	if by[instance{"a provisioned", 0}] == nil || cold["a provisioned"] > 0 {
		t.Errorf("provisioned instances do not show")
	}
}
