package sim

import (
	"math"
	"math/rand/v2"
	"testing"
)

// unaudit turns audits off for a long simulation.
func unaudit(t testing.TB) {
	before := auditEvery
	auditEvery = 0
	t.Cleanup(func() { auditEvery = before })
}

// The number of cold starts follows from the rule by which warm instances are
// chosen. The limits are those that independent simulators stayed within, over
// seeds, for 300,000 invocations; single seeds have a standard deviation of 15
// (W1, most recent first) and 6 (W2), so that the mean over seeds is compared.
func TestColdStartsByWarmChoice(t *testing.T) {
	unaudit(t)
	const n = 300_000
	seeds := uint64(8)
	if testing.Short() {
		seeds = 2
	}
	for _, test := range []struct {
		serving
		rule     WarmChoice
		low, top float64
	}{
		{w1, MostRecent, 386, 413}, {w1, LongestIdle, 11, 12},
		{w2, MostRecent, 54, 72}, {w2, LongestIdle, 18, 19},
	} {
		sum := 0.0
		for seed := range seeds {
			f := test.load(t, n, test.rule, seed+1).Functions[0]
			sum += float64(f.ColdStarts)
			if f.Instances != f.ColdStarts || f.Invocations != n {
				t.Errorf("%s %s: %d invocations, %d cold starts of %d instances", test.name, test.rule, f.Invocations, f.ColdStarts, f.Instances)
			}
		}
		mean := sum / float64(seeds)
		if test.rule == MostRecent {
			bare := 0.0
			for seed := range seeds {
				cold, _ := test.bare(n, seed+1)
				bare += float64(cold) / float64(seeds)
			}
			if within := 4 * 15 * math.Sqrt(2/float64(seeds)); math.Abs(bare-mean) > within {
				t.Errorf("%s: %.2f cold starts, %.2f by the bare loop; they should differ by %.2f at most", test.name, mean, bare, within)
			}
		}
		t.Logf("%s %s: %.2f cold starts", test.name, test.rule, mean)
		if math.Round(mean) < test.low || math.Round(mean) > test.top {
			t.Errorf("%s %s: %.2f cold starts over %d seeds, want %v to %v", test.name, test.rule, mean, seeds, test.low, test.top)
		}
	}
}

// queueing is a load of which theory knows the answer: n executions of a
// function of one stage, on a platform without cold starts.
type queueing struct {
	arrivals ArrivalProcess
	service  func(*rand.Rand) float64 // s
	limits   Limits
}

func (q queueing) simulate(t testing.TB, seed uint64) *LoadSummary {
	t.Helper()
	world := law{graph(t, nil), func(_ int, s *rand.Rand) Task { return Task{Compute: nanoseconds(q.service(s))} }}
	return load(t, Workload{World: world, Config: config(1), Arrivals: q.arrivals}, LoadSettings{
		Platform: &Platform{Instances: Instances{KeepAlive: math.Inf(1)}, Limits: q.limits},
		Seed:     seed, Executions: 60_000, Warmup: 200, Replications: 4, Confidence: 99.9,
	}, nil)
}

func exponentially(mean float64) func(*rand.Rand) float64 {
	return func(s *rand.Rand) float64 { return s.ExpFloat64() * mean }
}

// erlangB returns the probability that all of c servers are busy where nobody
// waits (Erlang 1917), under a load of a erlang.
func erlangB(c int, a float64) float64 {
	b := 1.0
	for k := 1; k <= c; k++ {
		b = a * b / (float64(k) + a*b)
	}
	return b
}

// erlangC returns the probability of waiting for one of c servers.
func erlangC(c int, a float64) float64 {
	b := erlangB(c, a)
	return b / (1 - a/float64(c)*(1-b))
}

// Mean waiting times agree with queueing theory: the interval of the simulated
// mean latency holds the true one.
func TestQueues(t *testing.T) {
	unaudit(t)
	fixed := func(s float64) func(*rand.Rand) float64 { return func(*rand.Rand) float64 { return s } }
	for k, test := range []struct {
		name    string
		q       queueing
		latency float64 // s, mean
	}{
		// M/M/1: 1/(mu-lambda)
		{"M/M/1 at 50 %", queueing{Poisson{0.5}, exponentially(1), Limits{Concurrency: 1, Queue: true}}, 1 / (1 - 0.5)},
		{"M/M/1 at 80 %", queueing{Poisson{8}, exponentially(0.1), Limits{Concurrency: 1, Queue: true}}, 0.1 / (1 - 0.8)},
		// M/M/c: 1/mu + C(c, a)/(c*mu-lambda)
		{"M/M/3", queueing{Poisson{2}, exponentially(1), Limits{Concurrency: 3, Queue: true}}, 1 + erlangC(3, 2)/(3-2)},
		{"M/M/20", queueing{Poisson{17}, exponentially(1), Limits{Concurrency: 20, Queue: true}}, 1 + erlangC(20, 17)/(20-17)},
		// M/G/1: s + lambda*E[S^2]/(2(1-rho)) (Pollaczek 1930, Khinchine 1932)
		{"M/D/1", queueing{Poisson{0.7}, fixed(1), Limits{Concurrency: 1, Queue: true}}, 1 + 0.7*1/(2*(1-0.7))},
		{"M/U/1", queueing{Poisson{0.6}, func(s *rand.Rand) float64 { return 2 * s.Float64() }, Limits{Concurrency: 1, Queue: true}}, 1 + 0.6*(4.0/3)/(2*(1-0.6))},
		// M/M/infinity: nobody waits
		{"M/M/inf", queueing{Poisson{50}, exponentially(1), Limits{}}, 1},
	} {
		s := test.q.simulate(t, uint64(k))
		w := s.Workloads[0]
		i := w.Latency.MeanInterval
		if i == nil {
			t.Errorf("%s: no interval: %v", test.name, s.Warnings)
			continue
		}
		t.Logf("%s: mean latency %.4f s in [%.4f, %.4f], theory %.4f", test.name, w.Latency.Mean, i.Lo, i.Hi, test.latency)
		if test.latency < i.Lo || test.latency > i.Hi {
			t.Errorf("%s: mean latency in [%.4f, %.4f] s, theory says %.4f", test.name, i.Lo, i.Hi, test.latency)
		}
		if width := (i.Hi - i.Lo) / w.Latency.Mean; width > 0.2 {
			t.Errorf("%s: an interval of %.0f %% of the mean shows nothing", test.name, 100*width)
		}
	}
}

// Requests that find all servers busy are lost with the probability that
// Erlang's formula gives, whatever the distribution of the service.
func TestErlangB(t *testing.T) {
	unaudit(t)
	for k, test := range []struct {
		servers int
		load    float64
		service func(*rand.Rand) float64
	}{
		{1, 0.5, exponentially(1)},
		{5, 3, exponentially(1)},
		{40, 38, exponentially(1)},
		{5, 3, func(s *rand.Rand) float64 { return 2 * s.Float64() }},
	} {
		q := queueing{Poisson{test.load}, test.service, Limits{Concurrency: test.servers}}
		s := q.simulate(t, uint64(100+k))
		w := s.Workloads[0]
		lost := w.Failed[ErrorThrottle]
		total := float64(w.Executions + lost)
		got, want := float64(lost)/total, erlangB(test.servers, test.load)
		// Losses come in bursts: while all servers are busy, for 1/c of a
		// service time, load/c arrivals are lost one after the other. Their
		// number has a variance above that of independent losses by less than
		// this factor.
		burst := 1 + 2*test.load
		within := 3.3 * math.Sqrt(burst*want*(1-want)/total)
		t.Logf("%d servers, %v erlang: %.4f lost, theory %.4f within %.4f", test.servers, test.load, got, want, within)
		if math.Abs(got-want) > within || uint64(lost) != s.Functions[0].Throttled {
			t.Errorf("%d servers, %v erlang: %.4f lost (%d of %.0f, %d throttled), want %.4f within %.4f", test.servers, test.load, got, lost, total, s.Functions[0].Throttled, want, within)
		}
	}
}

// Under M/M/infinity the number of requests in service is Poisson with the mean
// of the offered load, so that busy time is that many times the time simulated.
func TestBusyTimeIsTheOfferedLoad(t *testing.T) {
	unaudit(t)
	s := queueing{Poisson{50}, exponentially(2), Limits{}}.simulate(t, 7)
	span := s.Simulated - 4*200
	got, want := s.Functions[0].BusySeconds/span, 100.0
	// The variance of the time average over a span is 2*load*mean/span.
	if within := 3.3 * math.Sqrt(2*100*2/span); math.Abs(got-want) > within {
		t.Errorf("%.2f requests are in service on average, want %.2f within %.2f", got, want, within)
	}
	// Little (1961): as many are in the system as arrive in the time that each
	// spends there.
	w := s.Workloads[0]
	if little := w.Throughput * w.Latency.Mean; math.Abs(little-got) > 0.01*got {
		t.Errorf("throughput %.3f/s times latency %.3f s is %.2f, but %.2f are in service", w.Throughput, w.Latency.Mean, little, got)
	}
}

// A stage under load ends with the slowest of its d tasks: harmonic number
// times mean, for exponential ones (Renyi 1953).
func TestSlowestOfManyUnderLoad(t *testing.T) {
	unaudit(t)
	const d, mean = 16, 0.5
	world := law{graph(t, nil), func(_ int, s *rand.Rand) Task { return Task{Compute: int64(s.ExpFloat64() * mean * 1e9)} }}
	s := load(t, Workload{World: world, Config: config(d), Arrivals: Gamma{Rate: 3, CV: 2}},
		LoadSettings{Platform: &Platform{Instances: Instances{KeepAlive: 60}}, Seed: 5, Executions: 40_000, Confidence: 99.9}, nil)
	want, variance := 0.0, 0.0
	for k := 1.0; k <= d; k++ {
		want += mean / k
		variance += mean * mean / (k * k)
	}
	w := s.Workloads[0]
	if within := 3.3 * math.Sqrt(variance/float64(w.Executions)); math.Abs(w.Latency.Mean-want) > within {
		t.Errorf("mean latency %.4f s, want %.4f within %.4f", w.Latency.Mean, want, within)
	}
	for p, got := range map[float64]float64{0.5: w.Latency.P50, 0.95: w.Latency.P95, 0.99: w.Latency.P99} {
		// P(max <= x) = (1 - exp(-x/mean))^d
		want := -mean * math.Log(1-math.Pow(p, 1.0/d))
		density := d * math.Pow(1-math.Exp(-want/mean), d-1) * math.Exp(-want/mean) / mean
		within := 3.3*math.Sqrt(p*(1-p)/float64(w.Executions))/density + want*QuantileError
		if math.Abs(got-want) > within {
			t.Errorf("p%v %.4f s, want %.4f within %.4f", 100*p, got, want, within)
		}
	}
}

// A function that is called more rarely than it takes starts cold if nobody
// came for the time of the keep-alive: with one request at a time, arrivals of
// rate r and service of mean s, the next arrival after an end comes later than
// the keep-alive k with probability exp(-r*k). With as many instances as
// requests, that holds for the pool as a whole once requests do not overlap.
func TestColdStartRate(t *testing.T) {
	unaudit(t)
	const rate, keep = 0.1, 15.0
	world := law{graph(t, nil), func(_ int, s *rand.Rand) Task { return Task{Compute: int64(s.ExpFloat64() * 1e6)} }}
	s := load(t, Workload{World: world, Config: config(1), Arrivals: Poisson{rate}},
		LoadSettings{Platform: &Platform{Instances: Instances{KeepAlive: keep}}, Seed: 3, Executions: 200_000}, nil)
	f := s.Functions[0]
	n := float64(f.Invocations)
	got, want := float64(f.ColdStarts)/n, math.Exp(-rate*keep)
	// Requests overlap with a probability of rate*1 ms.
	if within := 3.3*math.Sqrt(want*(1-want)/n) + rate*1e-3; math.Abs(got-want) > within {
		t.Errorf("a share of %.4f starts cold, want %.4f within %.4f", got, want, within)
	}
	// An instance lives from its start until the keep-alive after its last
	// request: instances live for (1-exp(-rk))/r between two requests of a
	// series or k after the last one.
	lives := n * (1 - math.Exp(-rate*keep)) / rate
	if math.Abs(f.InstanceSeconds-lives) > 0.02*lives {
		t.Errorf("instances live for %.0f s, want %.0f", f.InstanceSeconds, lives)
	}
}
