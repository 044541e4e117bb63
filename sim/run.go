package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"eevee/models"
)

// Keep says how much of every run a simulation keeps while the run is handed
// to the caller.
type Keep int

// What a simulation can keep of a run.
const (
	KeepTotals   Keep = iota // times and cost of the workflow and its stages
	KeepStages               // also mean and p95 of every step over the tasks of a stage
	KeepTasks                // also every task
	KeepRequests             // also what the platform did with it, under load
)

// Settings are the options of a simulation. The zero value works.
type Settings struct {
	Seed         uint64           // of all streams; 0 is a seed like any other
	Price        models.PriceBook // what invocations cost; zero value: models.PriceAWS
	Keep         Keep             // zero value: KeepTotals
	LatencyLimit float64          // in seconds; violations of it are counted; 0: none
	CostLimit    float64          // in USD; violations of it are counted; 0: none
	Confidence   float64          // of the intervals in the summary, in percent; 0: 95
	Cores        int              // to simulate on; 0: runtime.GOMAXPROCS. Results do not depend on it
}

// MaxRuns is the largest number of runs of one simulation: the summary sorts
// the latency and the cost of every run, 16 bytes each.
const MaxRuns = 10_000_000

// effective returns the settings with defaults filled in.
func (s Settings) effective() (Settings, error) {
	var errs []error
	if s.Price == (models.PriceBook{}) {
		s.Price = models.MustPrice(models.PriceAWS)
	}
	if s.Confidence == 0 {
		s.Confidence = 95
	}
	if !(s.Confidence > 0 && s.Confidence < 100) {
		errs = append(errs, fmt.Errorf("confidence %v is not between 0 and 100 percent", s.Confidence))
	}
	if !(s.LatencyLimit >= 0) || math.IsInf(s.LatencyLimit, 0) {
		errs = append(errs, fmt.Errorf("latency limit %v s is not a positive number", s.LatencyLimit))
	}
	if !(s.CostLimit >= 0) || math.IsInf(s.CostLimit, 0) {
		errs = append(errs, fmt.Errorf("cost limit %v USD is not a positive number", s.CostLimit))
	}
	if s.Keep < KeepTotals || s.Keep > KeepRequests {
		errs = append(errs, fmt.Errorf("unknown value %d of Keep", s.Keep))
	}
	if s.Cores < 0 {
		errs = append(errs, fmt.Errorf("%d cores", s.Cores))
	}
	if s.Cores == 0 {
		s.Cores = runtime.GOMAXPROCS(0)
	}
	return s, errors.Join(errs...)
}

// Run is one simulated execution of a workflow. Its clock starts at 0 when the
// workflow does.
type Run struct {
	Replication int        // under load, the number of the execution in its workload, from 0
	Latency     float64    // s; first stage ready to last stage end
	Cost        float64    // USD
	GBSeconds   float64    // billed time times memory charged, over all invocations
	Stages      []StageRun // in the workflow's order

	plan   *plan
	layout *layout
	own    layout // under a policy, where layout points to
	tasks  []Task // of all stages; empty unless KeepTasks, or KeepStages under load
	bills  []bill // of tasks under load, else empty
	err    error  // why a policy could not be followed
	start  int64  // ns; 0 but under load

	failed        bool  // under load
	orchestration money // under load
}

// bill is what a task under load came to, over all of its attempts.
type bill struct {
	billed   int64 // ns
	runs     int64 // ns since the load started; when the function ran, of the last attempt
	start    int64 // ns that starting the instance took, of the last attempt
	init     int64 // ns of initialisation, which is the last part of it
	cost     money
	instance uint32 // of the last attempt
	attempts uint16
	cold     bool // the last attempt waited for a new instance
	fixed    bool // it ran on a provisioned instance
}

// StageRun is what one stage did in a Run.
type StageRun struct {
	Ready, End float64             // s
	Deciding   models.DecisionCost // what a policy took to decide the stage; zero under a configuration
	Billed     float64             // s, summed over the invocations, rounded up as the price book says
	Cost       float64             // USD; without that of deciding
	Mean, P95  models.Steps        // s, over the tasks, as in a profile (see Replay); zero unless KeepStages

	ready, end, billed int64 // ns
	decided            int64 // ns; ready, plus the time it took to decide
	invoked            int64 // ns; when the functions were invoked: once decided, or at the launch time of the decision
	cost, deciding     money
}

// Latency returns the time from the stage being ready to its end, in seconds.
func (s *StageRun) Latency() float64 { return seconds(s.end - s.ready) }

func (r *Run) reset(p *plan, replication int) {
	stages, tasks := r.Stages[:0], r.tasks[:0]
	for range p.workflow.Len() {
		stages = append(stages, StageRun{})
	}
	if p.keep >= KeepTasks && p.layout != nil {
		for range p.layout.stageOf {
			tasks = append(tasks, Task{})
		}
	}
	own, bills := r.own, r.bills[:0]
	*r = Run{Replication: replication, Stages: stages, plan: p, layout: p.layout, tasks: tasks, bills: bills}
	if p.online != nil {
		own.reset(p.workflow.Len())
		r.own, r.layout = own, &r.own
	}
}

// close computes what follows from the stages.
func (r *Run) close() {
	var latency int64
	var cost money
	for i := range r.Stages {
		s := &r.Stages[i]
		s.Ready, s.End, s.Billed, s.Cost = seconds(s.ready), seconds(s.end), seconds(s.billed), s.cost.usd()
		s.Deciding = models.DecisionCost{Latency: seconds(s.decided - s.ready), USD: s.deciding.usd()}
		latency = max(latency, s.end)
		cost += s.cost + s.deciding
		r.GBSeconds += s.Billed * r.layout.bill[i].gb
	}
	r.Latency, r.Cost = seconds(latency), (cost + r.orchestration).usd()
}

// Simulate executes a workflow under a configuration a number of times in a
// world. It hands the runs to each, which may be nil, in the order of their
// replication and from one goroutine; a Run is valid until each returns. An
// error of each ends the simulation.
//
// If the context is cancelled, Simulate returns the error of the context
// together with the summary of the runs handed out so far, nil where there is
// none.
func Simulate(ctx context.Context, world World, config models.Config, runs int, settings Settings, each func(*Run) error) (*Summary, error) {
	w := world.Workflow()
	wrong := func(err error) error { return fmt.Errorf("simulating workflow %s: %w", w.Name(), err) }
	if runs < 1 || runs > MaxRuns {
		return nil, wrong(fmt.Errorf("%d runs; need 1 to %d", runs, MaxRuns))
	}
	settings, err := settings.effective()
	if err != nil {
		return nil, wrong(err)
	}
	p, err := newPlan(world, config, settings)
	if err != nil {
		return nil, wrong(err)
	}
	s, err := p.simulate(ctx, runs, settings, each)
	if err != nil {
		return s, wrong(err)
	}
	return s, nil
}

// simulate executes runs of the plan.
func (p *plan) simulate(ctx context.Context, runs int, settings Settings, each func(*Run) error) (*Summary, error) {
	c := newCollector(p, settings, runs)
	err := executeAll(ctx, p, runs, settings.Cores, func(r *Run) error {
		if r.err != nil {
			return r.err
		}
		c.add(r)
		if each == nil {
			return nil
		}
		return each(r)
	})
	switch {
	case err == nil:
		return c.summary(), nil
	case ctx.Err() != nil && errors.Is(err, ctx.Err()) && len(c.latency) > 0:
		return c.summary(), err
	default:
		return nil, err
	}
}

// newPlan checks the configuration and resolves every stage.
func newPlan(world World, config models.Config, s Settings) (*plan, error) {
	w := world.Workflow()
	if len(config) != w.Len() {
		return nil, fmt.Errorf("a configuration of %d stages for a workflow of %d", len(config), w.Len())
	}
	l := &layout{config: config.Clone()}
	p := &plan{
		workflow: w,
		streams:  streamsOf(s),
		keep:     s.Keep,
		label:    fmt.Sprintf("simulated %v seed %d", config, s.Seed),
		layout:   l,
	}
	var errs []error
	for i, c := range l.config {
		if err := runnable(world, w.Stage(i), c, s.Price); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for i, c := range l.config {
		behaviour, err := world.Stage(i, c, w.InputParallelism(l.config, i))
		if err != nil {
			errs = append(errs, err)
		}
		l.stages = append(l.stages, behaviour)
		l.bill = append(l.bill, newTariff(s.Price, c))
		l.first = append(l.first, len(l.stageOf))
		for range c.Parallelism {
			l.stageOf = append(l.stageOf, uint32(i))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if j, ok := world.(Joiner); ok {
		l.stages = j.Join(l.stages)
	}
	return p, nil
}

func streamsOf(s Settings) models.Streams { return models.Streams{Seed: s.Seed}.Sub("simulate") }

// maxParallelism bounds the instances of one stage: AWS Lambda runs at most
// 10,000 children of a distributed map at a time.
const maxParallelism = 10_000

func runnable(world World, stage models.Stage, c models.StageConfig, price models.PriceBook) error {
	switch {
	case c.Parallelism < 1 || c.Parallelism > maxParallelism:
		return fmt.Errorf("stage %q: %d instances; need 1 to %d", stage.Name, c.Parallelism, maxParallelism)
	case stage.MaxParallelism > 0 && c.Parallelism > stage.MaxParallelism:
		return fmt.Errorf("stage %q: %d instances, but its max_parallelism is %d", stage.Name, c.Parallelism, stage.MaxParallelism)
	case c.Memory < 1:
		return fmt.Errorf("stage %q: %d MB of memory", stage.Name, c.Memory)
	case price.NominalMemory && !(c.VCPU > 0):
		return fmt.Errorf("stage %q: %v vCPU, which price book %s charges by", stage.Name, c.VCPU, price.Name)
	case c.Bundle > 1 || c.Processes > 1 && !knowsProcesses(world):
		return fmt.Errorf("stage %q: %d processes and bundles of %d are not simulated", stage.Name, c.Processes, c.Bundle)
	}
	return nil
}
