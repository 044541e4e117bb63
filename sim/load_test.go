package sim

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/models"
)

// load simulates one workload.
func load(t testing.TB, w Workload, s LoadSettings, each func(*Run) error) *LoadSummary {
	t.Helper()
	summary, err := Load(context.Background(), []Workload{w}, s, each)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// Replications are summed up in their order, whatever the number of cores.
func TestLoadSameSeedSameSummary(t *testing.T) {
	world := law{graph(t, nil, []int{0}, []int{0}, []int{1, 2}), func(_ int, s *rand.Rand) Task {
		return Task{Cold: s.Int64N(1e8), Read: s.Int64N(1e9), Compute: int64(s.ExpFloat64() * 1e9), Write: s.Int64N(1e8)}
	}}
	platform := busyPlatform()
	simulate := func(seed uint64, cores int) *LoadSummary {
		s := load(t, Workload{World: world, Config: config(1, 4, 3, 1), Arrivals: Poisson{Rate: 2}},
			LoadSettings{Platform: platform, Seed: seed, Executions: 300, Replications: 5, Cores: cores, LatencyLimit: 9}, nil)
		s.Settings = LoadSettings{}
		return s
	}
	want := simulate(1, 1)
	for _, cores := range []int{2, 3, 8} {
		if d := cmp.Diff(want, simulate(1, cores)); d != "" {
			t.Errorf("%d cores (-one core +these):\n%s", cores, d)
		}
	}
	if cmp.Diff(want, simulate(2, 2)) == "" {
		t.Error("seed 2 gives the same summary as seed 1")
	}
}

// busyPlatform has some of everything: limits that bind, failures, retries,
// variation and prices.
func busyPlatform() *Platform {
	return &Platform{
		Name:          "busy",
		Instances:     Instances{KeepAlive: 20, WarmChoice: RandomIdle},
		ColdStart:     ColdStart{Delay: Mixture{{Median: 0.1, Sigma: 0.3}}, Init: Mixture{{Median: 0.3, Sigma: 0.5}}, BilledInit: true},
		Limits:        Limits{Concurrency: 20, ScaleInstances: 10, ScaleWindow: 5, Timeout: 6},
		Variation:     Variation{InstanceSD: 0.1, RunSD: 0.2, Straggler: 0.01, StragglerFactor: 3},
		Failures:      Failures{Crash: 0.02, StartFailure: 0.05},
		Retry:         []Retrier{{ErrorEquals: []string{"States.ALL"}, JitterStrategy: FullJitter}},
		Orchestration: Orchestration{Kind: Standard, Transition: Mixture{{Median: 0.05, Sigma: 0.2}}, TransitionRate: 100, TransitionBurst: 10, MapConcurrency: 3},
		Mapping:       Mapping{Base: 0.01, PerInstance: 0.01, Knee: 2, BeyondKnee: 0.02},
		Price:         models.MustPrice(models.PriceAWS),
	}
}

// Without a platform, a load is so many runs: those of Simulate in a world
// without chance, from the instants of the arrivals on.
func TestLoadWithoutPlatformIsRuns(t *testing.T) {
	world := law{graph(t, nil, []int{0}, []int{0, 1}), func(i int, _ *rand.Rand) Task {
		return Task{Cold: int64(i+1) * 1e8, Read: 2e8, Compute: int64(i+1) * 1e9, Write: 12345}
	}}
	platform := &Platform{Price: models.MustPrice(models.PriceAWS)}
	type figures struct {
		number              int
		latency, cost, gb   float64
		ready, end, billed1 float64
	}
	var want, got []figures
	keep := func(to *[]figures) func(*Run) error {
		return func(r *Run) error {
			s := r.Stages[1]
			*to = append(*to, figures{r.Replication, r.Latency, r.Cost, r.GBSeconds, s.Ready, s.End, s.Billed})
			return nil
		}
	}
	simulate(t, world, config(1, 4, 2), 50, Settings{}, keep(&want))
	load(t, Workload{World: world, Config: config(1, 4, 2), Arrivals: Poisson{Rate: 3}}, LoadSettings{Platform: platform, Executions: 50}, keep(&got))
	if d := cmp.Diff(want, got, cmp.AllowUnexported(figures{})); d != "" {
		t.Errorf("other runs (-runs +load):\n%s", d)
	}
}

func TestLoadInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	seen := 0
	world := newExponential(t, 1)
	summary, err := Load(ctx, []Workload{{World: world, Config: config(1), Arrivals: Poisson{Rate: 100}}},
		LoadSettings{Duration: 1e6}, func(*Run) error {
			if seen++; seen == 1000 {
				cancel()
			}
			return nil
		})
	if !errors.Is(err, context.Canceled) || summary == nil || summary.Ended < 1000 || summary.Ended > 1000+pollEvents {
		t.Errorf("interrupted after 1000 executions: %v, %+v", err, summary)
	}
	full := errors.New("disk full")
	if s, err := Load(context.Background(), []Workload{{World: world, Config: config(1), Arrivals: Poisson{Rate: 100}}},
		LoadSettings{Duration: 10}, func(*Run) error { return full }); !errors.Is(err, full) || s != nil {
		t.Errorf("each fails: %v, %v", s, err)
	}
}

// newLaw is the world of a graph whose tasks take a second.
func newLaw(t testing.TB, after ...[]int) law {
	return law{graph(t, after...), func(int, *rand.Rand) Task { return Task{Compute: 1e9} }}
}

func TestLoadRefuses(t *testing.T) {
	world := newExponential(t, 1)
	one := func(change func(*Workload, *LoadSettings)) error {
		w, s := Workload{World: world, Config: config(1), Arrivals: Poisson{Rate: 1}}, LoadSettings{Executions: 10}
		change(&w, &s)
		_, err := Load(context.Background(), []Workload{w}, s, nil)
		return err
	}
	for want, change := range map[string]func(*Workload, *LoadSettings){
		"":                               func(*Workload, *LoadSettings) {},
		"arrivals poisson:1/s never end": func(_ *Workload, s *LoadSettings) { s.Executions = 0 },
		"rate 0/s":                       func(w *Workload, _ *LoadSettings) { w.Arrivals = Poisson{} },
		"no arrivals":                    func(w *Workload, _ *LoadSettings) { w.Arrivals = nil },
		"a configuration of 2 stages":    func(w *Workload, _ *LoadSettings) { w.Config = config(1, 1) },
		"a warm-up of 9 s leaves nothing": func(_ *Workload, s *LoadSettings) {
			s.Warmup, s.Duration = 9, 8
		},
		"2 tasks start at once, but account_concurrency is 1": func(w *Workload, s *LoadSettings) {
			w.Config, s.Platform = config(2), &Platform{Limits: Limits{Concurrency: 1}}
		},
		"1024 MB of memory; platform p has 0 to 512": func(_ *Workload, s *LoadSettings) {
			s.Platform = &Platform{Name: "p", Limits: Limits{MaxMemory: 512}}
		},
		"platform p: the functions have 12 requests reserved or provisioned, but limits.account_concurrency is 10": func(w *Workload, s *LoadSettings) {
			w.World, w.Config = newLaw(t, nil, []int{0}), config(1, 1)
			s.Platform = &Platform{Name: "p", Limits: Limits{Concurrency: 10}, Functions: []Function{{Provisioned: 6}}}
		},
		`platform p: all of limits.account_concurrency 10 is reserved or provisioned, and nothing left for stage "b" of workload test`: func(w *Workload, s *LoadSettings) {
			w.World, w.Config = newLaw(t, nil, []int{0}), config(1, 1)
			s.Platform = &Platform{Name: "p", Limits: Limits{Concurrency: 10}, Functions: []Function{{Stage: "a", Reserved: 10}}}
		},
		"instances.keep_alive_s: NaN": func(_ *Workload, s *LoadSettings) {
			s.Platform = &Platform{Instances: Instances{KeepAlive: math.NaN()}}
		},
		"schedule: 2 launch times for 1 stages": func(w *Workload, _ *LoadSettings) {
			w.Schedule = &models.Schedule{Launch: []float64{0, 1}}
		},
	} {
		if err := one(change); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := Load(context.Background(), []Workload{{World: world, Config: config(1), Arrivals: Poisson{Rate: 1}}, {World: world, Config: config(1), Arrivals: Poisson{Rate: 1}}},
		LoadSettings{Executions: 10}, nil); err == nil || !strings.Contains(err.Error(), "there are two of that name") {
		t.Errorf("two workloads of one name: %v", err)
	}
}
