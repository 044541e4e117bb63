package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"eevee/models"
)

// plan is what the runs of a simulation have in common.
type plan struct {
	workflow *models.Workflow
	streams  models.Streams // of the simulation; run i is replication i
	keep     Keep
	label    string  // of executions in records
	layout   *layout // of every run; nil under a policy
	online   *online // nil under a configuration
}

// layout is a configuration with all that follows from it, and the tasks that
// make up its runs. Under a policy every run has its own, to which stages are
// added as they are decided.
type layout struct {
	config  models.Config
	stages  []Behaviour
	bill    []tariff // per stage
	first   []int    // index of the first task of every stage
	stageOf []uint32 // stage of every task

	resolved []*resolution // per stage; only under a policy
}

// money is an amount in pico-dollars (1e-12 USD).
type money int64

func (m money) usd() float64 { return float64(m) / 1e12 }

// seconds and nanoseconds convert between the two units of time, and back
// without loss below 2^53 ns (104 days).
func seconds(ns int64) float64 { return float64(ns) / 1e9 }

func nanoseconds(s float64) int64 { return int64(math.Round(s * 1e9)) }

// tariff is a price book applied to the instances of one stage.
type tariff struct {
	step int64   // ns; billed time is rounded up to a multiple of it; 0: not rounded
	part float64 // 1/step
	rate float64 // pico-dollars per ns
	fee  money   // per invocation
	gb   float64 // memory that is charged
}

func newTariff(price models.PriceBook, c models.StageConfig) tariff {
	step := nanoseconds(price.BillingStepS)
	return tariff{
		step: step,
		part: 1 / float64(step),
		rate: price.Rate(c) * 1e12 / 1e9,
		fee:  money(math.Round(price.USDPerRequest * 1e12)),
		gb:   price.GB(c),
	}
}

// invoice returns what an invocation of the given duration in ns is billed.
func (t *tariff) invoice(busy int64) (billed int64, cost money) {
	billed = busy
	if t.step > 0 {
		// Multiplying by 1/step is off by one at most, and much faster than
		// dividing.
		billed = int64(float64(busy)*t.part) * t.step
		for billed < busy {
			billed += t.step
		}
		for billed-t.step >= busy {
			billed -= t.step
		}
	}
	return billed, money(float64(billed)*t.rate+0.5) + t.fee
}

// What happens to a task of a run.
const (
	taskStarts kind = iota // its function starts to run
	taskEnds
)

// engine executes runs of a plan, one after the other, on one core. It
// allocates what it needs once.
type engine struct {
	plan   *plan
	layout *layout // of this run
	kernel kernel

	sources []rand.PCG // per stage
	chances []Chance   // per stage
	buffers [][]Task   // per stage
	tasks   [][]Task   // per stage, of this run
	waiting []int      // per stage: parents that have not ended
	left    []int      // per stage: tasks that have not ended

	decider  models.Decider // of this run; nil under a configuration
	progress models.Progress
	earlier  []drawn // what the stages decided so far replay

	run     *Run
	started int
	ended   int
	done    int // stages
	scratch []float64
}

func newEngine(p *plan) *engine {
	n := p.workflow.Len()
	e := &engine{
		plan:    p,
		sources: make([]rand.PCG, n),
		chances: make([]Chance, n),
		buffers: make([][]Task, n),
		tasks:   make([][]Task, n),
		waiting: make([]int, n),
		left:    make([]int, n),
	}
	for i := range n {
		e.chances[i].Stream = rand.New(&e.sources[i])
		if p.layout != nil {
			e.buffers[i] = make([]Task, 0, p.layout.config[i].Parallelism)
		}
	}
	return e
}

// execute simulates run number i into run.
func (e *engine) execute(i int, run *Run) {
	p := e.plan
	run.reset(p, i)
	e.run, e.layout = run, run.layout
	e.kernel.reset()
	e.started, e.ended, e.done = 0, 0, 0

	streams := p.streams
	streams.Replication = uint64(i)
	stream := streams.New("run")
	word := stream.Uint64()
	for s := range e.chances {
		e.sources[s].Seed(stream.Uint64(), stream.Uint64())
		e.chances[s].Run, e.chances[s].word = i, word
		e.waiting[s] = len(p.workflow.Parents(s))
	}
	if p.online != nil {
		e.begin()
	}
	for s, parents := range e.waiting {
		if parents == 0 {
			e.stageReady(s)
		}
	}
	for {
		event, more := e.kernel.next()
		if !more {
			break
		}
		switch task := event.arg(); event.kind() {
		case taskStarts:
			e.taskStarts(task)
		case taskEnds:
			e.taskEnds(task)
		}
	}
	if run.err != nil {
		return
	}
	if n := len(e.layout.stageOf); e.started != n || e.ended != n || e.done != len(e.waiting) {
		panic(fmt.Sprintf("sim: run %d ended with %d of %d tasks started, %d ended, %d of %d stages done", i, e.started, n, e.ended, e.done, len(e.waiting)))
	}
	run.close()
}

// stageReady invokes the tasks of stage s, once it is decided.
func (e *engine) stageReady(s int) {
	stage := &e.run.Stages[s]
	stage.ready, stage.decided, stage.invoked = e.kernel.now, e.kernel.now, e.kernel.now
	if e.decider != nil && !e.decide(s) {
		return
	}
	l := e.layout
	tasks := l.stages[s].Tasks(&e.chances[s], e.buffers[s][:0])
	if len(tasks) != l.config[s].Parallelism {
		panic(fmt.Sprintf("sim: %d tasks for the %d instances of stage %q", len(tasks), l.config[s].Parallelism, e.plan.workflow.Stage(s).Name))
	}
	e.tasks[s] = tasks
	e.left[s] = len(tasks)
	for j := range tasks {
		e.kernel.at(stage.invoked+tasks[j].Cold, taskStarts, uint32(l.first[s]+j))
	}
}

func (e *engine) taskStarts(task uint32) {
	e.started++
	s := e.layout.stageOf[task]
	t := &e.tasks[s][int(task)-e.layout.first[s]]
	e.kernel.at(e.kernel.now+t.Busy(), taskEnds, task)
}

func (e *engine) taskEnds(task uint32) {
	e.ended++
	l := e.layout
	s := l.stageOf[task]
	t := &e.tasks[s][int(task)-l.first[s]]
	billed, cost := l.bill[s].invoice(t.Busy())
	stage := &e.run.Stages[s]
	stage.billed += billed
	stage.cost += cost
	if e.left[s]--; e.left[s] == 0 {
		e.stageEnds(int(s))
	}
}

func (e *engine) stageEnds(s int) {
	e.done++
	stage := &e.run.Stages[s]
	stage.end = e.kernel.now
	if e.plan.keep >= KeepStages {
		stage.Mean, stage.P95 = aggregate(e.tasks[s], stage.end-stage.invoked, &e.scratch)
	}
	if e.plan.keep >= KeepTasks {
		copy(e.run.tasks[e.layout.first[s]:], e.tasks[s])
	}
	if e.decider != nil {
		e.progress.End[s] = seconds(stage.end)
	}
	for _, child := range e.plan.workflow.Children(s) {
		if e.waiting[child]--; e.waiting[child] == 0 {
			e.stageReady(child)
		}
	}
}

// aggregate returns what a profile would record of a stage: mean and p95
// of every step over the tasks, in seconds. As in the profiles of the Jolteon
// artifact, cold is what is left of the stage's wall time: wall time minus
// mean duration, and wall time minus the sum of the other steps' p95. The
// scratch space is reused.
func aggregate(tasks []Task, wall int64, scratch *[]float64) (mean, p95 models.Steps) {
	for _, step := range []struct {
		of        func(*Task) int64
		mean, p95 *float64
	}{
		{func(t *Task) int64 { return t.Read }, &mean.Read, &p95.Read},
		{func(t *Task) int64 { return t.Compute }, &mean.Compute, &p95.Compute},
		{func(t *Task) int64 { return t.Write }, &mean.Write, &p95.Write},
	} {
		sorted := (*scratch)[:0]
		sum := int64(0)
		for j := range tasks {
			ns := step.of(&tasks[j])
			sum += ns
			sorted = append(sorted, float64(ns))
		}
		slices.Sort(sorted)
		*step.mean = float64(sum) / float64(len(tasks)) / 1e9
		*step.p95 = models.SortedQuantileR7(sorted, 0.95) / 1e9
		*scratch = sorted
	}
	mean.Cold = max(0, seconds(wall)-mean.Exec()) // below 0 by rounding only
	p95.Cold = seconds(wall) - p95.Exec()
	return mean, p95
}
