package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"eevee/models"
)

// Workload is a workflow that is executed again and again.
type Workload struct {
	Name     string // in results; empty: that of the workflow
	World    World
	Config   models.Config
	Policy   models.Policy    // decides instead of Config; nil: Config
	Schedule *models.Schedule // with Config; nil: stages are invoked when they are ready
	Arrivals ArrivalProcess
}

// LoadSettings are the options of a simulation under load. The zero value has
// no platform to speak of, and does not end where arrivals do not.
type LoadSettings struct {
	Platform *Platform // nil: one without limits, delays, failures and prices
	Seed     uint64    // of all streams; 0 is a seed like any other

	Duration   float64 // s; no execution is asked for from then on; 0: no limit
	Executions int     // to ask for, over all workloads; 0: no limit
	Warmup     float64 // s; executions that start before do not count; 0: all count

	// Precision ends the simulation when the half width of the interval of
	// every workload's mean latency is at most this share of the mean; 0: never.
	Precision float64

	LatencyLimit float64 // in seconds; executions above it are counted; 0: none
	CostLimit    float64 // in USD; executions above it are counted; 0: none
	Confidence   float64 // of the intervals in the summary, in percent; 0: 95

	Replications int  // independent simulations, over which the summary adds up; 0: 1
	Cores        int  // to simulate replications on; 0: runtime.GOMAXPROCS. Results do not depend on it
	Keep         Keep // of executions that are handed out; zero value: KeepTotals

	// Progress is told now and then, by the goroutine of a replication, which
	// share of it is done, as far as that can be foreseen; nil: nobody is.
	Progress func(replication int, share float64)
}

// effective returns the settings with defaults filled in.
func (s LoadSettings) effective() (LoadSettings, error) {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.Platform == nil {
		s.Platform = &Platform{}
	}
	if err := s.Platform.Check(); err != nil {
		wrong("platform %s: %w", s.Platform.Name, err)
	}
	if s.Confidence == 0 {
		s.Confidence = 95
	}
	if !(s.Confidence > 0 && s.Confidence < 100) {
		wrong("confidence %v is not between 0 and 100 percent", s.Confidence)
	}
	for _, t := range []struct {
		name  string
		value float64
	}{{"duration", s.Duration}, {"warm-up", s.Warmup}, {"latency limit", s.LatencyLimit}} {
		if !(t.value >= 0 && t.value < maxInstant/1e9) {
			wrong("%s %v s is not a time of at least 0", t.name, t.value)
		}
	}
	if s.Duration > 0 && s.Warmup >= s.Duration {
		wrong("a warm-up of %v s leaves nothing of a duration of %v s", s.Warmup, s.Duration)
	}
	if !(s.CostLimit >= 0) || math.IsInf(s.CostLimit, 0) {
		wrong("cost limit %v USD is not a number of at least 0", s.CostLimit)
	}
	if !(s.Precision >= 0 && s.Precision < 1) {
		wrong("precision %v is not a share of at least 0 and below 1", s.Precision)
	}
	if s.Executions < 0 || s.Replications < 0 || s.Cores < 0 {
		wrong("%d executions, %d replications on %d cores", s.Executions, s.Replications, s.Cores)
	}
	if s.Keep < KeepTotals || s.Keep > KeepRequests {
		wrong("unknown value %d of Keep", s.Keep)
	}
	if s.Replications == 0 {
		s.Replications = 1
	}
	if s.Cores == 0 {
		s.Cores = runtime.GOMAXPROCS(0)
	}
	return s, errors.Join(errs...)
}

// Load simulates workloads that share one platform: its account, its functions
// and their instances. Executions come as the arrivals of their workloads say,
// and what they wait for, pay and fail of follows from the platform; how long
// their functions run, from the worlds. The Cold of a world's task is the
// delay until its request reaches the platform, which adds what starting an
// instance takes.
//
// Replications are simulated in parallel and differ in all of their draws;
// those of an execution depend on seed, replication, workload and its number,
// so that configurations, policies and platforms are compared on common random
// numbers.
//
// Executions are handed to each, which may be nil, when they end, from one
// goroutine: the replications one after the other, on one core. A Run is valid
// until each returns, and an error of it ends the simulation. Executions that
// fail are counted, but not handed out.
//
// If the context is cancelled, Load returns its error together with the summary
// of what was simulated so far.
func Load(ctx context.Context, workloads []Workload, settings LoadSettings, each func(*Run) error) (*LoadSummary, error) {
	wrong := func(err error) error { return fmt.Errorf("simulating a load: %w", err) }
	settings, err := settings.effective()
	if err != nil {
		return nil, wrong(err)
	}
	d, err := newDeployment(workloads, settings)
	if err != nil {
		return nil, wrong(err)
	}
	clouds := make([]*cloud, settings.Replications)
	errs := make([]error, settings.Replications)
	simulate := func(r int) {
		clouds[r] = d.cloud(uint64(r), each)
		errs[r] = clouds[r].run(ctx)
	}
	cores := min(settings.Cores, settings.Replications)
	if each != nil {
		cores = 1
	}
	var workers sync.WaitGroup
	for core := range cores {
		workers.Go(func() {
			for r := core; r < settings.Replications; r += cores {
				if simulate(r); errs[r] != nil {
					return
				}
			}
		})
	}
	workers.Wait()
	err = errors.Join(errs...)
	if err != nil && (ctx.Err() == nil || !errors.Is(err, ctx.Err())) {
		return nil, wrong(err)
	}
	summary := d.summary(clouds)
	if err != nil {
		return summary, wrong(ctx.Err())
	}
	return summary, nil
}

// deployment is what the replications of a simulation have in common.
type deployment struct {
	settings  LoadSettings
	workloads []Workload
	plans     []*plan // per workload; without a layout under a policy
}

// newDeployment checks that workloads can run on the platform.
func newDeployment(workloads []Workload, s LoadSettings) (*deployment, error) {
	if len(workloads) == 0 || len(workloads) > math.MaxUint16 {
		return nil, fmt.Errorf("%d workloads; need 1 to %d", len(workloads), math.MaxUint16)
	}
	d := &deployment{settings: s}
	var errs []error
	names := map[string]bool{}
	for k, w := range workloads {
		if w.World == nil {
			return nil, fmt.Errorf("workload %d has no world", k+1)
		}
		if w.Name == "" {
			w.Name = w.World.Workflow().Name()
		}
		wrong := func(err error) { errs = append(errs, fmt.Errorf("workload %s: %w", w.Name, err)) }
		if names[w.Name] {
			wrong(errors.New("there are two of that name"))
		}
		names[w.Name] = true
		p, err := d.plan(&w)
		if err != nil {
			wrong(err)
		}
		d.workloads = append(d.workloads, w)
		d.plans = append(d.plans, p)
	}
	if len(errs) == 0 {
		errs = append(errs, d.checkReservations())
	}
	return d, errors.Join(errs...)
}

func (d *deployment) plan(w *Workload) (*plan, error) {
	s := d.settings
	if w.Arrivals == nil {
		return nil, errors.New("no arrivals")
	}
	if err := w.Arrivals.check(); err != nil {
		return nil, fmt.Errorf("arrivals %s: %w", w.Arrivals, err)
	}
	switch w.Arrivals.(type) {
	case Poisson, Gamma, MMPP, Closed:
		if s.Duration == 0 && s.Executions == 0 && s.Precision == 0 {
			return nil, fmt.Errorf("arrivals %s never end: say how long to simulate, how many executions, or how precisely", w.Arrivals)
		}
	}
	if static, ok := w.Policy.(models.StaticPolicy); ok {
		w.Policy, w.Config = nil, static.Config
	}
	workflow := w.World.Workflow()
	settings := Settings{Seed: s.Seed, Price: s.Platform.Price, Keep: s.Keep}
	if w.Policy != nil {
		if w.Schedule != nil {
			return nil, errors.New("a policy decides when stages are launched; give a schedule with a configuration")
		}
		return &plan{workflow: workflow, keep: s.Keep, label: fmt.Sprintf("simulated %v seed %d", w.Policy, s.Seed),
			online: &online{world: w.World, policy: w.Policy, price: s.Platform.Price}}, nil
	}
	p, err := newPlan(w.World, w.Config, settings)
	if err != nil {
		return nil, err
	}
	if err := w.Schedule.Check(workflow.Len()); err != nil {
		return nil, err
	}
	var errs []error
	for i, c := range w.Config {
		if err := s.Platform.fits(workflow, i, c); err != nil {
			errs = append(errs, err)
		}
	}
	return p, errors.Join(errs...)
}

// fits reports why a stage can never run on the platform under c.
func (p *Platform) fits(w *models.Workflow, i int, c models.StageConfig) error {
	name := w.Stage(i).Name
	l := &p.Limits
	if l.MinMemory > 0 && c.Memory < l.MinMemory || l.MaxMemory > 0 && c.Memory > l.MaxMemory {
		return fmt.Errorf("stage %q: %d MB of memory; platform %s has %d to %d", name, c.Memory, p.Name, l.MinMemory, l.MaxMemory)
	}
	f := p.Function(w.Name(), name)
	at, limit, which := c.Parallelism, l.Concurrency, "account_concurrency"
	if m := p.Orchestration.MapConcurrency; m > 0 {
		at = min(at, m)
	}
	if f.Reserved > 0 {
		limit, which = f.Reserved, "reserved"
	}
	if limit > 0 && at > limit && !l.Queue && len(f.Retry) == 0 {
		return fmt.Errorf("stage %q: %d tasks start at once, but %s is %d, and requests that are throttled neither wait nor are retried", name, at, which, limit)
	}
	return nil
}

// cloud makes a replication ready to run.
func (d *deployment) cloud(replication uint64, each func(*Run) error) *cloud {
	s := d.settings
	c := &cloud{
		platform: s.Platform, settings: s, each: each,
		streams:       models.Streams{Seed: s.Seed, Replication: replication}.Sub("load"),
		warmup:        nanoseconds(s.Warmup),
		horizon:       never,
		tooSlow:       never,
		tooDear:       never,
		maxDuration:   never,
		spareTask:     none,
		limit:         s.Platform.Limits.Concurrency,
		perTransition: pico(s.Platform.Services.Standard.USDPerTransition),
		transitions:   newTokens(s.Platform.Orchestration.TransitionRate, s.Platform.Orchestration.TransitionBurst),
		deployed:      map[deployedKey]uint32{},
		store:         s.Platform.newStore(),
	}
	if s.Duration > 0 {
		c.horizon = nanoseconds(s.Duration)
	}
	if s.LatencyLimit > 0 {
		c.tooSlow = nanoseconds(s.LatencyLimit)
	}
	if s.CostLimit > 0 {
		c.tooDear = pico(s.CostLimit)
	}
	if o := s.Platform.Orchestration; true {
		c.express = o.Kind == Express
		c.delays = len(o.Invoke) > 0 || len(o.Transition) > 0 || o.TransitionRate > 0 || o.MapConcurrency > 0 || s.Platform.Mapping != Mapping{}
		if o.MaxDuration > 0 {
			c.maxDuration = nanoseconds(o.MaxDuration)
		}
	}
	c.audit.every = auditEvery
	for k, w := range d.workloads {
		t := c.newTenant(w, d.plans[k])
		if t.arrivals == nil {
			for range t.closed.Users {
				c.at(nanoseconds(t.closed.Draw(t.thinking)), asks, uint32(k))
			}
		} else if at, more := t.arrivals.Next(); more {
			c.arrivals.push(event{at, uint64(k)})
		}
	}
	if reserved, _ := d.reserved(); c.limit > 0 {
		if c.limit -= reserved; c.limit <= 0 {
			c.limit = exhausted
		}
	}
	return c
}

// exhausted is the limit of an account all of whose concurrency is reserved.
const exhausted = -1

// newTenant adds a workload.
func (c *cloud) newTenant(w Workload, p *plan) *tenant {
	n := p.workflow.Len()
	streams := c.streams.Sub("workload " + w.Name)
	words := streams.New("executions")
	t := &tenant{
		place: uint16(len(c.tenants)), name: w.Name, workflow: p.workflow, world: w.World, plan: p, policy: w.Policy, schedule: w.Schedule,
		delays: streams.New("delays"), thinking: streams.New("thinking"),
		width: n, sources: make([]rand.PCG, n), chances: make([]Chance, n), buffers: make([][]Task, n),
		bound: map[bindingKey]uint32{}, held: map[int]*Run{},
	}
	t.words.Seed(words.Uint64(), words.Uint64())
	c.tenants = append(c.tenants, t)
	if open, ok := w.Arrivals.(OpenProcess); ok {
		t.arrivals = open.Open(streams)
	} else {
		t.closed = w.Arrivals.(Closed)
	}
	for i := range n {
		t.parents = append(t.parents, int32(len(p.workflow.Parents(i))))
		t.keys = append(t.keys, words.Uint64())
		t.chances[i].Stream = rand.New(&t.sources[i])
		if p.layout != nil {
			config := p.layout.config[i]
			t.bindings = append(t.bindings, c.newBinding(t, i, "", config, p.layout.stages[i]))
			t.reserve(i, config.Parallelism)
		}
	}
	return t
}

// pico returns an amount of USD.
func pico(usd float64) money { return money(math.Round(usd * 1e12)) }
