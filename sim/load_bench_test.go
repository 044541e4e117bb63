package sim

import (
	"context"
	"flag"
	"math"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"eevee/models"
)

// exponential is the world of a function of one stage that runs for an
// exponential time.
type exponential struct {
	workflow *models.Workflow
	mean     float64 // s
}

func newExponential(t testing.TB, mean float64) exponential {
	return exponential{graph(t, nil), mean}
}

func (e exponential) Workflow() *models.Workflow                            { return e.workflow }
func (e exponential) Stage(int, models.StageConfig, int) (Behaviour, error) { return e, nil }
func (e exponential) Origin() string                                        { return "exponential" }
func (e exponential) Warnings() []string                                    { return nil }
func (e exponential) Tasks(chance *Chance, tasks []Task) []Task {
	return append(tasks, Task{Compute: int64(chance.Stream.ExpFloat64() * e.mean * 1e9)})
}

// serving is one of the loads that simulators are compared on: one function,
// Poisson arrivals, exponential service, a cold start of 0.25 s, instances that
// are kept for 600 s after their last request and serve one at a time.
type serving struct {
	name       string
	rate, mean float64 // 1/s, s
}

var w1, w2, w3 = serving{"W1", 0.9, 1.991}, serving{"W2", 10, 0.5}, serving{"W3", 200, 1}

func (w serving) times(k float64) serving { return serving{w.name, k * w.rate, w.mean} }

func (w serving) platform(rule WarmChoice) *Platform {
	return &Platform{
		Name:      w.name,
		Instances: Instances{KeepAlive: 600, WarmChoice: rule},
		ColdStart: ColdStart{Init: Mixture{{Median: 0.25}}},
		Price:     models.MustPrice(models.PriceAWS),
	}
}

func (w serving) load(t testing.TB, n int, rule WarmChoice, seed uint64) *LoadSummary {
	t.Helper()
	s, err := Load(context.Background(), []Workload{{
		World: newExponential(t, w.mean), Config: config(1), Arrivals: Poisson{Rate: w.rate},
	}}, LoadSettings{Platform: w.platform(rule), Seed: seed, Executions: n}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bare is the yardstick of the benchmarks: a plain loop that simulates such a
// load and counts nothing but cold starts. Arrivals are merged, the end of a
// request and the keep-alive of an instance are events of a binary heap, and
// the latter is armed again when it comes up too early. The most recently used
// instance serves first. The numbers come from the same kind of generator.
func (w serving) bare(n int, seed uint64) (cold int, end int64) {
	const keepAlive, init = 600e9, 25e7
	type pending struct {
		at       int64
		instance int32 // that a request leaves, or ^instance that may expire
	}
	type instance struct {
		used int64
		dead bool
	}
	arrivals := rand.New(rand.NewPCG(seed, 1))
	service := rand.New(rand.NewPCG(seed, 2))
	var heap []pending
	push := func(p pending) {
		heap = append(heap, p)
		i := len(heap) - 1
		for i > 0 {
			parent := (i - 1) / 2
			if heap[parent].at <= p.at {
				break
			}
			heap[i] = heap[parent]
			i = parent
		}
		heap[i] = p
	}
	pop := func() pending {
		top, n := heap[0], len(heap)-1
		moved := heap[n]
		heap = heap[:n]
		i := 0
		for {
			c := 2*i + 1
			if c >= n {
				break
			}
			if c+1 < n && heap[c+1].at < heap[c].at {
				c++
			}
			if moved.at <= heap[c].at {
				break
			}
			heap[i] = heap[c]
			i = c
		}
		if n > 0 {
			heap[i] = moved
		}
		return top
	}
	var instances []instance
	var idle, free []int32 // the most recently used is the last
	busy := 0
	next := int64(arrivals.ExpFloat64() / w.rate * 1e9)
	for n > 0 || busy > 0 {
		if n > 0 && (len(heap) == 0 || next < heap[0].at) {
			now := next
			next += int64(arrivals.ExpFloat64() / w.rate * 1e9)
			n--
			busy++
			end = now + int64(service.ExpFloat64()*w.mean*1e9)
			id := int32(-1)
			for k := len(idle); k > 0 && id < 0; k = len(idle) {
				if id, idle = idle[k-1], idle[:k-1]; instances[id].dead {
					free = append(free, id)
					id = -1
				}
			}
			if id < 0 {
				cold++
				end += init
				if k := len(free); k > 0 {
					id, free = free[k-1], free[:k-1]
					instances[id].dead = false
				} else {
					id = int32(len(instances))
					instances = append(instances, instance{})
				}
				push(pending{end + keepAlive, ^id})
			}
			instances[id].used = -1
			push(pending{end, id})
			continue
		}
		e := pop()
		end = e.at
		if e.instance >= 0 {
			busy--
			instances[e.instance].used = e.at
			idle = append(idle, e.instance)
			continue
		}
		switch in := &instances[^e.instance]; {
		case in.used < 0: // it serves a request
			push(pending{e.at + keepAlive, e.instance})
		case e.at-in.used < keepAlive:
			push(pending{in.used + keepAlive, e.instance})
		default:
			in.dead = true
		}
	}
	return cold, end
}

// cpu returns the processor time that the test has taken so far.
func cpu(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// invocations is the size of one simulation of the benchmarks.
var invocations = flag.Int("invocations", 1_000_000, "invocations that a benchmark of a load simulates at a time")

// allocated returns the bytes and objects that were allocated so far.
func allocated() (size, objects uint64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc, m.Mallocs
}

// maxMemory is what a simulation may take, whatever its length, in bytes.
const maxMemory = 64 << 20

// benchmark simulates the load, with the metrics on, and the same by the bare
// loop. The other users of a machine disturb both, so that they take turns, and
// the fastest of each is compared.
func (w serving) benchmark(b *testing.B) {
	turns := uint64(3)
	if *invocations > 10_000_000 {
		turns = 1 // as long as it is asked for
	}
	unaudit(b)
	took, bare := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	n := *invocations / int(turns)
	size, objects := uint64(0), uint64(0)
	for k := range uint64(b.N) {
		for turn := range turns {
			seed := turns*k + turn
			sizeBefore, objectsBefore := allocated()
			start := cpu(b)
			s := w.load(b, n, MostRecent, seed)
			took = min(took, cpu(b)-start)
			sizeAfter, objectsAfter := allocated()
			size, objects = size+sizeAfter-sizeBefore, objects+objectsAfter-objectsBefore
			if l := s.Workloads[0].Latency; l.N != uint64(n) || s.Functions[0].Invocations != l.N || s.Functions[0].ColdStarts == 0 {
				b.Fatalf("%d executions of %d", l.N, n)
			}
			b.StopTimer()
			start = cpu(b)
			cold, _ := w.bare(n, seed)
			bare = min(bare, cpu(b)-start)
			if cold == 0 {
				b.Fatal("the bare loop did nothing")
			}
			b.StartTimer()
		}
	}
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.Sys > maxMemory {
		b.Errorf("the simulation takes %d MB of memory", m.Sys>>20)
	}
	all := float64(b.N) * float64(turns) * float64(n)
	b.ReportMetric(float64(n)/took.Seconds(), "inv/s")
	b.ReportMetric(float64(n)/bare.Seconds(), "bare-inv/s")
	b.ReportMetric(float64(took)/float64(bare), "x-bare")
	b.ReportMetric(float64(size)/all, "B/inv")
	b.ReportMetric(float64(objects)/all, "allocs/inv")
	b.ReportMetric(float64(m.Sys)/(1<<20), "MB")
}

func BenchmarkW1(b *testing.B)     { w1.benchmark(b) }
func BenchmarkW2(b *testing.B)     { w2.benchmark(b) }
func BenchmarkW3(b *testing.B)     { w3.benchmark(b) }
func BenchmarkW3x10(b *testing.B)  { w3.times(10).benchmark(b) }
func BenchmarkW3x100(b *testing.B) { w3.times(100).benchmark(b) }

// BenchmarkML simulates executions of ml, of 4 stages and 39 tasks each, on AWS
// Lambda under Step Functions.
func BenchmarkML(b *testing.B) {
	unaudit(b)
	p := bundledProfile(b, "ml")
	w := Workload{
		World:    newReplay(b, p.def.Workflow, p.rows, ReplaySettings{}),
		Config:   models.Config{p.def.StageConfig(1800, 1), p.def.StageConfig(3584, 5), p.def.StageConfig(2048, 32), p.def.StageConfig(1792, 1)},
		Arrivals: Poisson{Rate: 1},
	}
	n := *invocations / 100
	took, start := time.Duration(0), cpu(b)
	for k := range uint64(b.N) {
		s := load(b, w, LoadSettings{Platform: MustPlatform("aws-stepfunctions-standard"), Seed: k, Executions: n}, nil)
		if s.Workloads[0].Executions+s.Workloads[0].Failed[ErrorThrottle] != n {
			b.Fatalf("%d executions of %d, failed: %v", s.Workloads[0].Executions, n, s.Workloads[0].Failed)
		}
	}
	took = cpu(b) - start
	b.ReportMetric(float64(b.N*n)/took.Seconds(), "executions/s")
	b.ReportMetric(1e6*took.Seconds()/float64(b.N*n), "s/million")
}

// In steady state nothing is allocated: ten times as many invocations take as
// many allocations, but for tables that grow to a new record of requests at the
// same time.
func TestLoadAllocatesNothing(t *testing.T) {
	unaudit(t)
	for _, w := range []serving{w1, w2, w3} {
		objects := func(n int) uint64 {
			_, before := allocated()
			w.load(t, n, MostRecent, 1)
			_, after := allocated()
			return after - before
		}
		objects(1000) // what is made once
		if short, long := objects(20_000), objects(200_000); long > short+40 {
			t.Errorf("%s: %d allocations for 20,000 invocations, %d for 200,000", w.name, short, long)
		}
	}
}
