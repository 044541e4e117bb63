package sim

import (
	"math"
	"math/rand/v2"
	"slices"

	"eevee/models"
)

// tenant is a workload in a cloud: its executions under way, and what they have
// in common.
type tenant struct {
	place    uint16
	name     string
	workflow *models.Workflow
	world    World
	plan     *plan
	policy   models.Policy // nil under a configuration
	schedule *models.Schedule
	parents  []int32
	width    int // stages

	arrivals Arrivals // nil in a closed loop
	closed   Closed
	thinking *rand.Rand
	words    rand.PCG // one word per execution
	delays   *rand.Rand
	keys     []uint64 // per stage
	sources  []rand.PCG
	chances  []Chance
	buffers  [][]Task

	bindings []binding // per stage under a configuration; else as they are decided
	bound    map[bindingKey]uint32
	order    []bindingKey // of bound, as they were decided

	executions []execution
	stages     []stageRun   // of all executions
	free       []uint32     // places in executions
	runs       []*Run       // by execution; nil unless they are handed out
	held       map[int]*Run // that have ended before an earlier one, by number
	handedOut  int          // executions
	spareRuns  []*Run
	online     []choices // by execution; nil under a configuration

	asked  int
	ledger tenantLedger
	means  BatchMeans // of latencies in s
}

// binding is a stage under one configuration on the platform.
type binding struct {
	config      models.StageConfig
	behaviour   Behaviour
	resolution  *resolution // nil under a configuration
	function    uint32
	transitions int
	mapping     []int64 // ns per task; nil: none

	readMB, writeMB float64 // per task
	storage         money   // per attempt
}

type bindingKey struct {
	decided
	group string
}

// execution is one execution of a workflow.
type execution struct {
	start   int64  // ns
	word    uint64 // all of its randomness
	cost    money
	number  int
	open    int32 // tasks and errands under way
	failed  failure
	counted bool // after the warm-up
}

// stageRun is a stage of an execution.
type stageRun struct {
	invoked  int64 // ns; when it was ready, plus the time of deciding
	binding  uint32
	waiting  int32  // parents that have not ended
	left     int32  // tasks that have not ended
	parked   uint32 // tasks that run and wait for their input
	pending  uint32 // tasks that wait for their turn under a limit of the map
	input    bool   // all parents have ended
	launched bool
}

// choices is what a policy needs to know about an execution.
type choices struct {
	decider  models.Decider
	progress models.Progress
	earlier  []drawn
}

// tenantLedger is what a workload has done, by executions that count.
type tenantLedger struct {
	executions  int // that ended without failing
	failed      [len(failures)]int
	slow, dear  int // executions above the limits
	latency     sketch
	cost        sketch // pico-dollars
	spent       money  // by failed executions too
	transitions uint64
	steps       money // of orchestration
	deciding    money
	last        int64 // ns; end of the last one
}

func (l *tenantLedger) merge(o *tenantLedger) {
	l.executions += o.executions
	for k := range l.failed {
		l.failed[k] += o.failed[k]
	}
	l.slow += o.slow
	l.dear += o.dear
	l.latency.merge(&o.latency)
	l.cost.merge(&o.cost)
	l.spent += o.spent
	l.transitions += o.transitions
	l.steps += o.steps
	l.deciding += o.deciding
	l.last = max(l.last, o.last)
}

// newExecution returns a place in executions.
func (t *tenant) newExecution() uint32 {
	if n := len(t.free); n > 0 {
		slot := t.free[n-1]
		t.free = t.free[:n-1]
		return slot
	}
	slot := uint32(len(t.executions))
	t.executions = append(t.executions, execution{})
	for range t.workflow.Len() {
		t.stages = append(t.stages, stageRun{})
	}
	if t.policy != nil {
		t.online = append(t.online, choices{})
	}
	t.runs = append(t.runs, nil)
	return slot
}

// bindingOf returns the stage that a task is of, under its configuration.
func (t *tenant) bindingOf(k *task) *binding {
	return &t.bindings[t.stage(k.execution, int(k.stage)).binding]
}

// stage returns a stage of an execution.
func (t *tenant) stage(slot uint32, s int) *stageRun {
	return &t.stages[int(slot)*t.width+s]
}

// begin starts an execution.
func (c *cloud) begin(t *tenant) {
	slot := t.newExecution()
	x := &t.executions[slot]
	x.start, x.word, x.number, x.cost = c.now, t.words.Uint64(), t.asked, 0
	x.open, x.failed, x.counted = 1, succeeded, c.now >= c.warmup
	t.asked++
	c.asked++
	for s, parents := range t.parents {
		st := t.stage(slot, s)
		st.waiting, st.parked, st.pending, st.binding = parents, none, none, uint32(s)
		st.input, st.launched = false, false
	}
	if t.policy != nil {
		t.online[slot].begin(t.policy.Begin(), t.width)
	}
	if c.each != nil {
		c.record(t, slot)
	}
	if t.schedule != nil {
		c.follow(t, slot)
	}
	for s, parents := range t.parents {
		if parents == 0 {
			c.ready(t, slot, s)
		}
	}
	c.leave(t, slot, x)
}

// begin makes room for the decisions about a run of n stages.
func (d *choices) begin(decider models.Decider, n int) {
	d.decider = decider
	d.earlier = d.earlier[:0]
	d.progress.Config = append(d.progress.Config[:0], make(models.Config, n)...)
	d.progress.End = slices.Grow(d.progress.End[:0], n)[:n]
	for s := range d.progress.End {
		d.progress.End[s] = math.NaN()
	}
}

// follow puts the times of a schedule on the calendar.
func (c *cloud) follow(t *tenant, slot uint32) {
	x := &t.executions[slot]
	for s := range t.parents {
		if at, ok := t.schedule.PrewarmAt(s); ok {
			b := &t.bindings[s]
			c.later(x.start+nanoseconds(at), errand{what: prewarms, a: b.function, b: uint32(b.config.Parallelism)})
		}
		if at, ok := t.schedule.LaunchAt(s); ok {
			x.open++
			c.later(x.start+nanoseconds(at), errand{what: stageLaunches, tenant: t.place, a: slot, b: uint32(s)})
		}
	}
}
