package sim

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"eevee/models"
)

// SimulatePolicy executes a workflow a number of times in a world, every stage
// under the configuration that the policy decides on when the stage is ready.
// Everything else is as in Simulate; a models.StaticPolicy is simulated as the
// configuration it is. A decision that cannot be simulated ends the simulation
// with an error that names it.
//
// What deciding takes is charged: the functions of the stage are invoked that
// much later, and the money is part of the cost of the run, not of its stage.
//
// A launch time that a decision asks for is kept. Pre-warming and placement
// change nothing: runs have instances enough, and share none.
//
// A policy sees stages that have ended, so the world must not show it others:
// stages cannot be tied together as a Joiner does, which knows the whole
// configuration. A Replay ties them as they are decided. A stage takes the
// execution that an earlier stage of the run took, if it was recorded there
// under its configuration, and else draws independently.
func SimulatePolicy(ctx context.Context, world World, policy models.Policy, runs int, settings Settings, each func(*Run) error) (*Summary, error) {
	w := world.Workflow()
	wrong := func(err error) error {
		return fmt.Errorf("simulating workflow %s under policy %s: %w", w.Name(), policy, err)
	}
	if runs < 1 || runs > MaxRuns {
		return nil, wrong(fmt.Errorf("%d runs; need 1 to %d", runs, MaxRuns))
	}
	settings, err := settings.effective()
	if err != nil {
		return nil, wrong(err)
	}
	p := &plan{
		workflow: w,
		streams:  streamsOf(settings),
		keep:     settings.Keep,
		label:    fmt.Sprintf("simulated %v seed %d", policy, settings.Seed),
		online:   &online{world: world, policy: policy, price: settings.Price},
	}
	if static, ok := policy.(models.StaticPolicy); ok {
		if p, err = newPlan(world, static.Config, settings); err != nil {
			return nil, wrong(err)
		}
	}
	s, err := p.simulate(ctx, runs, settings, each)
	if s != nil {
		s.Policy = policy.String()
	}
	if err != nil {
		return s, wrong(err)
	}
	return s, nil
}

// online is what runs under a policy have in common.
type online struct {
	world    World
	policy   models.Policy
	price    models.PriceBook
	resolved sync.Map // decided -> *resolution
}

// decided is everything that the behaviour of a stage depends on.
type decided struct {
	stage            int
	config           models.StageConfig
	inputParallelism int
}

// resolution is a stage of the world under one decision.
type resolution struct {
	behaviour Behaviour
	bill      tariff
	err       error
}

// resolve returns the stage under a decision; the same decision gives the same
// resolution on every core.
func (o *online) resolve(d decided) *resolution {
	if r, ok := o.resolved.Load(d); ok {
		return r.(*resolution)
	}
	r := &resolution{}
	stage := o.world.Workflow().Stage(d.stage)
	if r.err = runnable(o.world, stage, d.config, o.price); r.err == nil {
		if r.behaviour, r.err = o.world.Stage(d.stage, d.config, d.inputParallelism); r.err == nil {
			r.bill = newTariff(o.price, d.config)
		}
	}
	kept, _ := o.resolved.LoadOrStore(d, r)
	return kept.(*resolution)
}

// reset empties the layout of a run of n stages.
func (l *layout) reset(n int) {
	l.config = append(l.config[:0], make(models.Config, n)...)
	l.stages = append(l.stages[:0], make([]Behaviour, n)...)
	l.bill = append(l.bill[:0], make([]tariff, n)...)
	l.first = append(l.first[:0], make([]int, n)...)
	l.resolved = append(l.resolved[:0], make([]*resolution, n)...)
	l.stageOf = l.stageOf[:0]
}

// begin makes the engine ready for a run under a policy.
func (e *engine) begin() {
	n := e.plan.workflow.Len()
	e.decider = e.plan.online.policy.Begin()
	e.earlier = e.earlier[:0]
	for s := range e.chances {
		e.chances[s].earlier = &e.earlier
	}
	e.progress = models.Progress{End: slices.Grow(e.progress.End[:0], n)[:n]}
	for s := range e.progress.End {
		e.progress.End[s] = math.NaN()
	}
}

// decide asks for the configuration of stage s and adds the stage to the
// layout of the run. It reports whether the decision can be simulated; if not,
// nothing happens any more in this run.
func (e *engine) decide(s int) bool {
	p, l := e.plan, e.layout
	if e.run.err != nil {
		return false
	}
	e.progress.Now, e.progress.Config = seconds(e.kernel.now), l.config
	d := e.decider.Decide(s, e.progress)
	r := p.online.resolve(decided{s, d.StageConfig, p.workflow.InputParallelism(l.config, s)})
	err := r.err
	if err == nil {
		err = d.Check(p.workflow.Len())
	}
	if err != nil {
		e.run.err = fmt.Errorf("run %d: %w", e.run.Replication, err)
		e.kernel.reset()
		return false
	}
	stage := &e.run.Stages[s]
	stage.decided += nanoseconds(d.Cost.Latency)
	stage.invoked = max(stage.decided, nanoseconds(d.Launch))
	stage.deciding = money(math.Round(d.Cost.USD * 1e12))
	l.config[s], l.stages[s], l.bill[s], l.resolved[s] = d.StageConfig, r.behaviour, r.bill, r
	l.first[s] = len(l.stageOf)
	for range d.Parallelism {
		l.stageOf = append(l.stageOf, uint32(s))
		if p.keep >= KeepTasks {
			e.run.tasks = append(e.run.tasks, Task{})
		}
	}
	return true
}

// drawn is the recorded execution that a stage of a run replays.
type drawn struct{ execution string }

// follow returns the take of the first of the given executions that the stage
// was recorded in, nil where there is none.
func (b *replayed) follow(earlier []drawn) *take {
	for _, d := range earlier {
		for k := range b.takes {
			if b.takes[k].execution == d.execution {
				return &b.takes[k]
			}
		}
	}
	return nil
}
