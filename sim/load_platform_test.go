package sim

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/models"
)

// script is a load without chance: executions start at the given seconds, and
// the tasks of stage i compute for compute[i] seconds.
type script struct {
	after    [][]int // parents per stage; nil: one stage
	starts   []float64
	compute  []float64
	config   models.Config // nil: one task per stage
	platform Platform
	schedule *models.Schedule
	policy   models.Policy
}

// play simulates a script and returns the latencies of the executions that did
// not fail, in the order in which they started.
func (s script) play(t *testing.T) ([]float64, *LoadSummary) {
	t.Helper()
	if s.after == nil {
		s.after = [][]int{nil}
	}
	if s.config == nil {
		for range s.after {
			s.config = append(s.config, config(1)...)
		}
	}
	at := &Replayed{Path: "script"}
	for _, start := range s.starts {
		at.At = append(at.At, nanoseconds(start))
	}
	world := law{graph(t, s.after...), func(i int, _ *rand.Rand) Task { return Task{Compute: nanoseconds(s.compute[i])} }}
	var latencies []float64
	summary := load(t, Workload{World: world, Config: s.config, Policy: s.policy, Schedule: s.schedule, Arrivals: at},
		LoadSettings{Platform: &s.platform, Keep: KeepRequests}, func(r *Run) error {
			latencies = append(latencies, r.Latency)
			return nil
		})
	return latencies, summary
}

func fixed(s float64) Mixture { return Mixture{{Median: s}} }

func attempts(n int) *int { return &n }

var chain2 = [][]int{nil, {0}}

// What a platform does to single requests, to the nanosecond.
func TestPlatformByScript(t *testing.T) {
	oneAtATime := Limits{Concurrency: 1}
	warm := Instances{KeepAlive: 10}
	free := models.PriceBook{}
	throttledTwice := []Retrier{{ErrorEquals: []string{ErrorThrottle}, IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: attempts(2)}}
	for name, test := range map[string]struct {
		script
		want    []float64 // latencies, s
		cold    uint64    // of all functions
		refused uint64
		retries uint64
		failed  map[string]int
		billed  float64 // s; 0: not looked at
	}{
		"an instance ends with its keep-alive": {
			// The instance that is free at 3 s ends at 13 s, the second, free
			// at 4 s, at 14 s.
			script: script{starts: []float64{0, 1, 13.5, 28}, compute: []float64{2}, platform: Platform{Instances: warm, ColdStart: ColdStart{Init: fixed(1)}}},
			want:   []float64{3, 3, 2, 3}, cold: 3,
		},
		"no keep-alive": {
			script: script{starts: []float64{0, 3}, compute: []float64{2}, platform: Platform{ColdStart: ColdStart{Init: fixed(1)}}},
			want:   []float64{3, 3}, cold: 2,
		},
		"the initialisation is billed": {
			script: script{starts: []float64{0, 5}, compute: []float64{2}, platform: Platform{Instances: warm, ColdStart: ColdStart{Delay: fixed(0.5), Init: fixed(1), BilledInit: true}}},
			want:   []float64{3.5, 2}, cold: 1, billed: 5,
		},
		"the initialisation is free": {
			script: script{starts: []float64{0, 5}, compute: []float64{2}, platform: Platform{Instances: warm, ColdStart: ColdStart{Delay: fixed(0.5), Init: fixed(1)}}},
			want:   []float64{3.5, 2}, cold: 1, billed: 4,
		},
		"instances that serve two": {
			// The second request waits until the instance is initialised.
			script: script{starts: []float64{0, 0.25, 0.5, 4}, compute: []float64{2}, platform: Platform{Instances: Instances{KeepAlive: 10, Concurrency: 2}, ColdStart: ColdStart{Init: fixed(1)}}},
			want:   []float64{3, 2.75, 3, 2}, cold: 2,
		},
		"provisioned concurrency": {
			script: script{starts: []float64{0, 1, 50}, compute: []float64{2}, platform: Platform{Functions: []Function{{Provisioned: 1}}, ColdStart: ColdStart{Init: fixed(1)}}},
			want:   []float64{2, 3, 2}, cold: 1,
		},
		"instances that are there from the start": {
			script: script{starts: []float64{0, 1, 50}, compute: []float64{2}, platform: Platform{Instances: warm, Functions: []Function{{Prewarmed: 2}}, ColdStart: ColdStart{Init: fixed(1)}}},
			want:   []float64{2, 2, 3}, cold: 1,
		},
		"requests that wait": {
			script: script{starts: []float64{0, 0.5, 1}, compute: []float64{2}, platform: Platform{Instances: warm, Limits: Limits{Concurrency: 1, Queue: true}, ColdStart: ColdStart{Init: fixed(1)}}},
			want:   []float64{3, 4.5, 6}, cold: 1, refused: 2,
		},
		"requests that are turned away": {
			script: script{starts: []float64{0, 0.5, 2.5}, compute: []float64{2}, platform: Platform{Limits: oneAtATime}},
			want:   []float64{2, 2}, cold: 2, refused: 1, failed: map[string]int{ErrorThrottle: 1},
		},
		"requests that are tried again": {
			// At 0.5 s, 1.5 s and 3.5 s.
			script: script{starts: []float64{0, 0.5}, compute: []float64{2.5}, platform: Platform{Limits: oneAtATime, Retry: throttledTwice}},
			want:   []float64{2.5, 5.5}, cold: 2, refused: 2, retries: 2,
		},
		"requests that are tried too often": {
			// At 0.5 s, 1.5 s and 3.5 s.
			script: script{starts: []float64{0, 0.5}, compute: []float64{4}, platform: Platform{Limits: oneAtATime, Retry: throttledTwice}},
			want:   []float64{4}, cold: 1, refused: 3, retries: 2, failed: map[string]int{ErrorThrottle: 1},
		},
		"reserved concurrency": {
			script: script{starts: []float64{0, 0, 0}, compute: []float64{1}, platform: Platform{Limits: Limits{Concurrency: 9, Queue: true}, Functions: []Function{{Reserved: 2}}}},
			want:   []float64{1, 1, 2}, cold: 3, refused: 1,
		},
		"a function grows by two instances per second": {
			script: script{starts: []float64{0, 0, 0, 0}, compute: []float64{9}, platform: Platform{Limits: Limits{ScaleInstances: 2, ScaleWindow: 1, Queue: true}}},
			want:   []float64{9, 9, 9.5, 10}, cold: 4, refused: 2,
		},
		"ten requests per second and instance": {
			script: script{starts: []float64{0, 0, 0}, compute: []float64{0.001}, platform: Platform{Limits: Limits{Concurrency: 2, RequestsPerInstance: 1, Queue: true}}},
			want:   []float64{0.001, 0.001, 0.501}, cold: 3, refused: 1,
		},
		"a function runs for too long": {
			script: script{starts: []float64{0}, compute: []float64{2}, platform: Platform{Limits: Limits{Timeout: 1.5}}},
			cold:   1, failed: map[string]int{ErrorTimeout: 1}, billed: 1.5,
		},
		"a function needs more memory than it has": {
			script: script{starts: []float64{0}, compute: []float64{2}, platform: Platform{Functions: []Function{{PeakMemory: 2000}}}},
			cold:   1, failed: map[string]int{ErrorMemory: 1},
		},
		"an execution takes too long": {
			script: script{after: chain2, starts: []float64{0}, compute: []float64{2, 2}, platform: Platform{Orchestration: Orchestration{MaxDuration: 1}}},
			cold:   1, failed: map[string]int{ErrorTimeout: 1},
		},
		"two tasks of a stage at a time": {
			script: script{starts: []float64{0}, compute: []float64{1}, config: config(5), platform: Platform{Orchestration: Orchestration{MapConcurrency: 2}}},
			want:   []float64{3}, cold: 5,
		},
		"tasks start one after the other": {
			// Task j starts after 0.5 + 0.25*j + 1*max(0, j-2) s.
			script: script{starts: []float64{0}, compute: []float64{1}, config: config(3), platform: Platform{Mapping: Mapping{Base: 0.5, PerInstance: 0.25, Knee: 2, BeyondKnee: 1}}},
			want:   []float64{0.5 + 0.75 + 1 + 1}, cold: 3,
		},
		"transitions and invocations take time": {
			script: script{after: chain2, starts: []float64{0}, compute: []float64{1, 1}, platform: Platform{Orchestration: Orchestration{Transition: fixed(0.25), Invoke: fixed(0.125)}}},
			want:   []float64{2.75}, cold: 2,
		},
		"transitions wait for a token": {
			script: script{after: chain2, starts: []float64{0}, compute: []float64{1, 1}, config: config(1, 3), platform: Platform{Orchestration: Orchestration{TransitionRate: 0.5, TransitionBurst: 2}}},
			// One token is left after the first stage, half of the next is
			// there after a second.
			want: []float64{1 + 3 + 1}, cold: 4,
		},
		"reading over the link of an instance": {
			// 310 MB at 620 MB/s and 155 MB at 77.5 MB/s; the second reader
			// finds 77.5 MB in the bucket.
			script: script{starts: []float64{0, 3.5}, compute: []float64{0}, platform: Platform{
				Instances: warm, Network: Network{Burst: 310, Peak: 620, Rate: 77.5},
				Functions: []Function{{ReadMB: 465, ReadRequests: 1}},
			}},
			want: []float64{2.5, 0.125 + 387.5/77.5}, cold: 1,
		},
		"storage waits its turn": {
			script: script{starts: []float64{0, 0}, compute: []float64{1}, platform: Platform{
				Storage:   Storage{Read: StorageRequest{Latency: fixed(0.25), Rate: 2}, Write: StorageRequest{Latency: fixed(0.5)}},
				Functions: []Function{{ReadMB: 1, ReadRequests: 2, WriteMB: 1, WriteRequests: 1}},
			}},
			want: []float64{2, 3}, cold: 2,
		},
		"an instance is started ahead": {
			// The first stage ends at 3 s, when the instance is ready.
			script: script{after: chain2, starts: []float64{0}, compute: []float64{2, 2}, schedule: &models.Schedule{Prewarm: []float64{math.NaN(), 1}},
				platform: Platform{Instances: warm, ColdStart: ColdStart{Init: fixed(1)}}},
			want: []float64{5}, cold: 1,
		},
		"an instance is started ahead, but too late": {
			script: script{after: chain2, starts: []float64{0}, compute: []float64{2, 2}, schedule: &models.Schedule{Prewarm: []float64{math.NaN(), 2.5}},
				platform: Platform{Instances: warm, ColdStart: ColdStart{Init: fixed(1)}}},
			want: []float64{5.5}, cold: 1,
		},
		"an instance is started far too early": {
			script: script{after: chain2, starts: []float64{0}, compute: []float64{20, 2}, schedule: &models.Schedule{Prewarm: []float64{math.NaN(), 0}},
				platform: Platform{Instances: warm, ColdStart: ColdStart{Init: fixed(1)}}},
			want: []float64{24}, cold: 2,
		},
		"a function waits for its input": {
			// It runs from 2 s, and gets its input at 3 s.
			script: script{after: chain2, starts: []float64{0}, compute: []float64{2, 2}, schedule: &models.Schedule{Launch: []float64{math.NaN(), 1}},
				platform: Platform{ColdStart: ColdStart{Init: fixed(1)}}},
			want: []float64{5}, cold: 2, billed: 2 + 3,
		},
		"a function is launched late": {
			script: script{after: chain2, starts: []float64{0}, compute: []float64{2, 2}, schedule: &models.Schedule{Launch: []float64{0.5, 4}}},
			want:   []float64{6}, cold: 2,
		},
		"a function waits for its input for too long": {
			script: script{after: chain2, starts: []float64{0}, compute: []float64{2, 1}, schedule: &models.Schedule{Launch: []float64{math.NaN(), 0}},
				platform: Platform{Limits: Limits{Timeout: 2.5}}},
			cold: 2, failed: map[string]int{ErrorTimeout: 1}, billed: 4.5,
		},
		"a policy starts instances ahead and delays a stage": {
			script: script{after: chain2, starts: []float64{0}, compute: []float64{2, 2}, platform: Platform{Instances: warm, ColdStart: ColdStart{Init: fixed(1)}},
				policy: deciding(func(stage int, _ models.Progress) models.Decision {
					d := models.Decision{StageConfig: config(1)[0], Cost: models.DecisionCost{Latency: 0.25}}
					if stage == 0 {
						d.Prewarm = []models.Prewarm{{Stage: 1, StageConfig: d.StageConfig, At: 0.5}}
					} else {
						d.Launch = 4
					}
					return d
				})},
			want: []float64{6}, cold: 1,
		},
		"stages share a function": {
			script: script{after: chain2, starts: []float64{0}, compute: []float64{2, 2}, platform: Platform{Instances: warm, ColdStart: ColdStart{Init: fixed(1)}},
				policy: deciding(func(stage int, _ models.Progress) models.Decision {
					return models.Decision{StageConfig: config(1)[0], Placement: models.Placement{Group: "both"}}
				})},
			want: []float64{5}, cold: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.platform.Price = free
			got, s := test.play(t)
			if d := cmp.Diff(test.want, got, cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 2e-9 })); d != "" {
				t.Errorf("other latencies (-want +got):\n%s", d)
			}
			var cold, refused, retries uint64
			billed := 0.0
			for _, f := range s.Functions {
				cold, refused, retries, billed = cold+f.ColdStarts, refused+f.Throttled, retries+f.Retries, billed+f.BilledSeconds
			}
			if cold != test.cold || refused != test.refused || retries != test.retries || test.billed > 0 && math.Abs(billed-test.billed) > 1e-9 {
				t.Errorf("%d cold starts, %d throttled, %d retries, %v s billed; want %d, %d, %d, %v", cold, refused, retries, billed, test.cold, test.refused, test.retries, test.billed)
			}
			if d := cmp.Diff(test.failed, s.Workloads[0].Failed); d != "" {
				t.Errorf("other failures (-want +got):\n%s", d)
			}
		})
	}
}

// Functions that are invoked ahead of their input can keep the functions from
// running that make it.
func TestExecutionsThatWaitForThemselves(t *testing.T) {
	world := law{graph(t, nil, []int{0}), func(int, *rand.Rand) Task { return Task{Compute: 1e9} }}
	w := Workload{World: world, Config: config(1, 1), Arrivals: Poisson{10}, Schedule: &models.Schedule{Launch: []float64{1, 0}}}
	_, err := Load(t.Context(), []Workload{w}, LoadSettings{Platform: &Platform{Limits: Limits{Concurrency: 1, Queue: true}}, Executions: 3}, nil)
	if err == nil || !strings.Contains(err.Error(), "3 executions wait for each other: 1 functions that were launched early wait for their input, and 5 requests for their turn") {
		t.Errorf("error %v", err)
	}
}

// Decisions that do not depend on the execution give the load of the
// configuration: the draws are those of the executions, whoever decides.
func TestToldPolicyIsTheConfigurationUnderLoad(t *testing.T) {
	world := law{graph(t, nil, []int{0}, []int{0, 1}), func(_ int, s *rand.Rand) Task {
		return Task{Cold: s.Int64N(1e8), Read: s.Int64N(1e9), Compute: int64(s.ExpFloat64() * 1e9), Write: s.Int64N(1e8)}
	}}
	platform := crowded()
	platform.Variation = Variation{}
	c := config(2, 5, 1)
	figures := func(w Workload) (latencies []float64, s *LoadSummary) {
		w.World, w.Arrivals = world, Poisson{1}
		s = load(t, w, LoadSettings{Platform: platform, Seed: 9, Executions: 200}, func(r *Run) error {
			latencies = append(latencies, r.Latency, r.Cost)
			return nil
		})
		s.Workloads[0].Policy = ""
		return latencies, s
	}
	want, fixed := figures(Workload{Config: c})
	for name, p := range map[string]models.Policy{"told": told(c), "static": models.StaticPolicy{Config: c}} {
		got, s := figures(Workload{Policy: p})
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: other executions (-configuration +policy):\n%.1000s", name, d)
		}
		if d := cmp.Diff([]any{fixed.Workloads, fixed.Functions, fixed.Cost}, []any{s.Workloads, s.Functions, s.Cost}); d != "" {
			t.Errorf("%s: other summary (-configuration +policy):\n%.2000s", name, d)
		}
	}
}

// A closed loop of n users who think for an exponential time, served one at a
// time, is the machine-repair model: the server is idle with probability
// 1/sum over k of n!/(n-k)! (s/z)^k (Palm 1943).
func TestClosedLoop(t *testing.T) {
	unaudit(t)
	const users, think, service = 8, 6.0, 1.0
	s := load(t, Workload{World: newExponential(t, service), Config: config(1), Arrivals: Closed{Users: users, Think: think}},
		LoadSettings{Platform: &Platform{Instances: Instances{KeepAlive: math.Inf(1)}, Limits: Limits{Concurrency: 1, Queue: true}},
			Seed: 2, Executions: 100_000, Warmup: 100, Confidence: 99.9}, nil)
	sum, term := 1.0, 1.0
	for k := range users {
		term *= float64(users-k) * service / think
		sum += term
	}
	throughput := (1 - 1/sum) / service
	latency := users/throughput - think // by Little's law
	w := s.Workloads[0]
	if i := w.Latency.MeanInterval; i == nil || latency < i.Lo || latency > i.Hi || (i.Hi-i.Lo) > 0.1*latency {
		t.Errorf("mean latency %v s in %v, theory says %v", w.Latency.Mean, i, latency)
	}
	if math.Abs(w.Throughput-throughput) > 0.02*throughput {
		t.Errorf("throughput %v/s, theory says %v", w.Throughput, throughput)
	}
}

// A load ends when its mean latency is known to a share of it.
func TestLoadStopsWhenPrecise(t *testing.T) {
	unaudit(t)
	run := func(precision float64) LoadWorkload {
		return load(t, Workload{World: newExponential(t, 1), Config: config(1), Arrivals: Poisson{20}},
			LoadSettings{Seed: 1, Executions: 10_000_000, Precision: precision}, nil).Workloads[0]
	}
	before := 0
	for _, precision := range []float64{0.1, 0.03, 0.01} {
		w := run(precision)
		i := w.Latency.MeanInterval
		if i == nil || (i.Hi-i.Lo)/2 > 1.1*precision*w.Latency.Mean || w.Executions <= before || w.Executions > 1_000_000 {
			t.Errorf("precision %v: %d executions, mean %v in %v", precision, w.Executions, w.Latency.Mean, i)
		}
		before = w.Executions
	}
}

// Workloads share the account: what one of them takes, the other waits for.
func TestWorkloadsShareTheAccount(t *testing.T) {
	at := func(path string, seconds ...float64) *Replayed {
		r := &Replayed{Path: path}
		for _, s := range seconds {
			r.At = append(r.At, nanoseconds(s))
		}
		return r
	}
	world := law{graph(t, nil), func(int, *rand.Rand) Task { return Task{Compute: 2e9} }}
	var got []float64
	s, err := Load(t.Context(), []Workload{
		{Name: "x", World: world, Config: config(3), Arrivals: at("x", 0, 10)},
		{Name: "y", World: world, Config: config(2), Arrivals: at("y", 1, 20)},
	}, LoadSettings{Platform: &Platform{Limits: Limits{Concurrency: 4, Queue: true}}}, func(r *Run) error {
		got = append(got, r.Latency)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// At 1 s there is room for one request of y; the other one waits until 2 s.
	if d := cmp.Diff([]float64{2, 3, 2, 2}, got); d != "" || s.Peak != 4 {
		t.Errorf("peak %d, other latencies (-want +got):\n%s", s.Peak, d)
	}
	if s.Functions[0].Throttled != 0 || s.Functions[1].Throttled != 1 || s.Workloads[1].Latency.Mean != 2.5 {
		t.Errorf("functions %+v", s.Functions)
	}
}
