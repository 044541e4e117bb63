package sim

import (
	"math"
	"math/rand/v2"
	"slices"

	"eevee/models"
)

// function is a deployed function: the code of a stage, or of the stages of a
// group, with one size of memory. It owns instances.
type function struct {
	key      deployedKey
	place    uint32 // in functions
	workload string
	name     string
	memory   int
	Function
	timeout  int64 // ns; never: none
	platform *Platform
	stream   *rand.Rand // of starts, variation and failures

	warm        pool // on demand
	provisioned pool
	rate        tokens // of requests
	scale       tokens // of new instances
	ahead       []startAhead
	running     int // requests on instances on demand

	queue    queue
	wakes    int64 // ns; when an errand looks after the queue, the first of several
	tariff   tariff
	reserved tariff // on provisioned instances
	uneven   bool   // requests differ by more than the world says
	moves    bool   // reading or writing is simulated

	ledger     functionLedger
	prewarming money // of the ledger, paid by no execution
}

// startAhead is an instance that nobody has asked for yet.
type startAhead struct {
	instance uint32
	ready    int64  // ns
	errand   uint32 // that makes it available
}

// functionLedger is what a function has done for executions that count.
type functionLedger struct {
	invocations uint64 // attempts that got an instance
	cold        uint64 // of which had to wait for a new one
	throttled   uint64 // requests that got none
	retries     uint64
	failed      [len(failures)]uint64
	wait        sketch // ns from the request being due to its function running
	busy        total  // ns that functions ran
	billed      total  // ns
	init        total  // ns of initialisation that were billed
	cost        money
	storage     money // of the cost
}

func (l *functionLedger) merge(o *functionLedger) {
	l.invocations += o.invocations
	l.cold += o.cold
	l.throttled += o.throttled
	l.retries += o.retries
	for k := range l.failed {
		l.failed[k] += o.failed[k]
	}
	l.wait.merge(&o.wait)
	l.busy.merge(o.busy)
	l.billed.merge(o.billed)
	l.init.merge(o.init)
	l.cost += o.cost
	l.storage += o.storage
}

// failure is why an attempt failed.
type failure uint8

const (
	succeeded failure = iota
	throttled
	timedOut
	crashed
	outOfMemory
	notStarted
)

// failures are the names of the errors.
var failures = [...]string{"", ErrorThrottle, ErrorTimeout, ErrorCrash, ErrorMemory, ErrorStart}

// newFunction deploys a function for a stage of a workflow.
func newFunction(name string, p *Platform, f Function, c models.StageConfig, streams models.Streams) *function {
	slots := max(1, p.Instances.Concurrency)
	fn := &function{
		name:        name,
		memory:      c.Memory,
		Function:    f,
		timeout:     never,
		platform:    p,
		stream:      streams.New("function " + name),
		warm:        newPool(p.Instances.WarmChoice, endless(p.Instances.KeepAlive), slots),
		provisioned: newPool(p.Instances.WarmChoice, never, slots),
		scale:       newTokens(perSecond(p.Limits.ScaleInstances, p.Limits.ScaleWindow), float64(p.Limits.ScaleInstances)),
		queue:       newQueue(),
		tariff:      newTariff(p.Price, c),
		moves:       f.ReadRequests > 0 || f.WriteRequests > 0,
		uneven:      p.Variation != Variation{} || p.Failures != Failures{} || f.PeakMemory > 0,
	}
	if fn.Timeout > 0 {
		fn.timeout = nanoseconds(fn.Timeout)
	}
	if limit := p.Limits.RequestsPerInstance; limit > 0 {
		concurrency := p.Limits.Concurrency
		if f.Reserved > 0 {
			concurrency = f.Reserved
		}
		if concurrency > 0 {
			fn.rate = newTokens(limit*float64(concurrency), limit*float64(concurrency))
		}
	}
	fn.reserved = fn.tariff
	if p.Price.ProvisionedRunUSDPerGBSecond > 0 {
		fn.reserved.rate = p.Price.GB(c) * p.Price.ProvisionedRunUSDPerGBSecond * 1e12 / 1e9
	}
	for range f.Provisioned {
		fn.equip(&fn.provisioned, fn.provisioned.startAhead(0, 0), 0)
		fn.provisioned.ready(uint32(len(fn.provisioned.instances) - 1))
	}
	for range f.Prewarmed {
		fn.equip(&fn.warm, fn.warm.startAhead(0, 0), 0)
		fn.warm.ready(uint32(len(fn.warm.instances) - 1))
	}
	return fn
}

// since makes instances count from a time on.
func (f *function) since(at int64) { f.warm.since, f.provisioned.since = at, at }

// equip gives a new instance, which is initialised at a time, the factor by
// which it is slower than others, and a link to the network.
func (f *function) equip(p *pool, instance uint32, ready int64) {
	if p.slots > 1 {
		for int(instance) >= len(p.readies) {
			p.readies = append(p.readies, 0)
		}
		p.readies[instance] = ready
	}
	if sd := f.platform.Variation.InstanceSD; sd > 0 {
		for int(instance) >= len(p.factors) {
			p.factors = append(p.factors, 1)
		}
		p.factors[instance] = logNormal(sd, f.stream)
	}
	if f.moves {
		for int(instance) >= len(p.links) {
			p.links = append(p.links, link{})
		}
		p.links[instance] = f.platform.Network.newLink(ready)
	}
}

// vary draws by how much an attempt takes longer than the world says, and
// whether it fails.
func (c *cloud) vary(t *task, f *function) {
	v := &f.platform.Variation
	factor := logNormal(v.RunSD, f.stream)
	if v.InstanceSD > 0 {
		p := &f.warm
		if t.fixed {
			p = &f.provisioned
		}
		factor *= p.factors[t.instance]
	}
	if v.Straggler > 0 && f.stream.Float64() < v.Straggler {
		factor *= v.StragglerFactor
	}
	if factor != 1 {
		t.lasts = int64(math.Round(float64(t.busy) * factor))
	}
	if f.PeakMemory > 0 && f.PeakMemory*math.Exp(f.PeakMemorySigma*f.stream.NormFloat64()) > float64(f.memory) {
		t.outcome = outOfMemory
	}
	if p := f.platform.Failures.Crash; p > 0 && f.stream.Float64() < p {
		t.outcome = crashed
	}
	if t.outcome != succeeded && !f.moves {
		t.lasts = int64(math.Round(float64(t.lasts) * f.stream.Float64()))
	}
	if p := f.platform.Failures.StartFailure; t.cold && p > 0 && f.stream.Float64() < p {
		t.outcome, t.lasts = notStarted, 0
	}
}

// endless returns a time in ns, never for what does not fit.
func endless(s float64) int64 {
	if s >= maxInstant/1e9 {
		return never
	}
	return nanoseconds(s)
}

func perSecond(n int, window float64) float64 {
	if n == 0 {
		return 0
	}
	return float64(n) / window
}

// startTime draws what it takes to start an instance, in ns.
func (f *function) startTime() (delay, init int64) {
	return nanoseconds(f.platform.ColdStart.Delay.Draw(f.stream)), nanoseconds(f.platform.ColdStart.Init.Draw(f.stream))
}

// startedAhead forgets the start of an instance that is ready or claimed.
func (f *function) startedAhead(errand uint32) startAhead {
	k := slices.IndexFunc(f.ahead, func(s startAhead) bool { return s.errand == errand })
	s := f.ahead[k]
	f.ahead = slices.Delete(f.ahead, k, k+1)
	return s
}

// logNormal draws a factor of mean 1 with the given standard deviation.
func logNormal(sd float64, stream *rand.Rand) float64 {
	if sd == 0 {
		return 1
	}
	variance := math.Log1p(sd * sd)
	return math.Exp(math.Sqrt(variance)*stream.NormFloat64() - variance/2)
}
