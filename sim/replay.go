package sim

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"eevee/models"
	"eevee/traces"
)

// Epochs selects repetitions of a profile.
type Epochs int

// The repetitions that a Replay can take. A row without an epoch counts as
// warm.
const (
	WarmEpochs Epochs = iota // epoch 1 and later
	ColdEpochs               // epoch 0, for which instances had to be started
	AllEpochs
)

// ReplaySettings are the options of a Replay. The zero value works.
type ReplaySettings struct {
	Epochs     Epochs // zero value: WarmEpochs
	Sequential bool   // run i replays recorded execution i (modulo their number) instead of a random one
}

// Replay is the world of recorded executions: a run of the workflow resamples
// what was recorded.
//
// A stage whose configuration was recorded takes a random one of its recorded
// executions. Rows of single invocations are replayed task by task. Rows that
// aggregate a stage (mean and p95) are turned into tasks by impute, so that
// every stage has the recorded mean and p95 of every step and the recorded
// wall time: in a profile, the cold of a mean row is wall time minus mean
// duration, so it holds the start delay and the straggler, and the wall time
// is the sum of the four means. The tasks' Cold is what is left of that wall
// time after the slowest task, and no noise is added to it: within-stage
// variation has already shaped the wall time, and would count twice. A
// simulated stage therefore takes one of its recorded wall times to the
// nanosecond, and latencies and billed times have the recorded means. How
// wide their distribution is depends on how many executions were recorded:
// the Jolteon profiles hold two warm ones per configuration.
//
// Stages that were recorded in the same executions are replayed jointly: all
// of them take the same execution in a run, so that what made a recorded run
// slow stays together. Going through the stages in order, a stage joins the
// first earlier group of stages with which it has executions in common, and
// the group keeps those; other stages draw independently.
//
// A configuration between recorded ones is interpolated between its
// neighbours, log-log in memory and in parallelism (a step a/x + b is nearly
// straight there), first along memory and then along parallelism, percentile
// by percentile (Orion, OSDI 2022, section 4): the fastest recorded execution
// of the one goes with the fastest of the other. Interpolated are the means of
// all four steps, and the ratios of p95 to mean. Outside the recorded range
// the slope of the two nearest sizes is continued, bounded so that a step gets
// at most proportionally faster and never slower with memory and parallelism;
// cold and the ratios stay as they are at the edge; and a warning says so.
// Where only one parallelism lacks a size, the effect of memory is taken from
// the nearest one that has it, with a warning too. Recorded sizes of the
// Jolteon profiles that are left out one by one are estimated with a median
// error of the billed time of 6 % (ml) and 2 % (video, tpcds), where two
// recorded executions of one size differ by 2 %.
//
// A stage recorded at a single parallelism is told apart by the parallelism of
// the stage it reads from instead, with which its read time may grow.
type Replay struct {
	workflow   *models.Workflow
	stages     []recordedStage
	sequential bool
}

// NewReplay makes a world out of the rows of a trace of w. It needs at least
// one execution of every stage, in the epochs that the settings select.
// Defects of rows are reported by row, counted from 0, and column.
func NewReplay(w *models.Workflow, rows []traces.Record, s ReplaySettings) (*Replay, error) {
	wrong := func(err error) error { return fmt.Errorf("replay of workflow %s: %w", w.Name(), err) }
	if s.Epochs < WarmEpochs || s.Epochs > AllEpochs {
		return nil, wrong(fmt.Errorf("unknown value %d of Epochs", s.Epochs))
	}
	if err := check(w, rows); err != nil {
		return nil, wrong(err)
	}
	recordings, err := gather(w, rows, s.Epochs)
	if err != nil {
		return nil, wrong(err)
	}
	r := &Replay{workflow: w, sequential: s.Sequential}
	for i := range w.Len() {
		r.stages = append(r.stages, newRecordedStage(recordings[i]))
	}
	return r, nil
}

// maxDefects bounds how many bad rows an error names.
const maxDefects = 5

// check reports rows that cannot be replayed.
func check(w *models.Workflow, rows []traces.Record) error {
	var errs []error
	for _, d := range traces.Validate(rows) {
		if d.Severity == traces.Error {
			errs = append(errs, errors.New(d.String()))
		}
	}
	for k := range rows {
		r := &rows[k]
		if r.Workflow != w.Name() {
			errs = append(errs, fmt.Errorf("row %d, column workflow: is %q", k, r.Workflow))
		} else if _, ok := w.Index(r.Stage); !ok && r.Statistic != traces.Run {
			errs = append(errs, fmt.Errorf("row %d, column stage: the workflow has no stage %q", k, r.Stage))
		}
	}
	if more := len(errs) - maxDefects; more > 0 {
		errs = append(errs[:maxDefects], fmt.Errorf("and %d more defects", more))
	}
	return errors.Join(errs...)
}

// Workflow returns the workflow that was recorded.
func (r *Replay) Workflow() *models.Workflow { return r.workflow }

// Stage resolves stage i under c from the recordings; it never fails.
func (r *Replay) Stage(i int, c models.StageConfig, inputParallelism int) (Behaviour, error) {
	b := r.stages[i].behaviour(c, inputParallelism)
	b.group, b.sequential = uint64(i), r.sequential
	return b, nil
}

// Join makes stages that were recorded together take the same execution.
func (r *Replay) Join(stages []Behaviour) []Behaviour {
	type group struct {
		key        uint64
		executions []string
	}
	var groups []*group
	of := make([]*group, len(stages))
	takes := make([]map[string]take, len(stages)) // by execution
	for i, s := range stages {
		b := s.(*replayed)
		if !b.recorded {
			continue
		}
		takes[i] = make(map[string]take, len(b.takes))
		var own []string
		for _, t := range b.takes {
			takes[i][t.execution] = t
			own = append(own, t.execution)
		}
		for _, g := range groups {
			var common []string
			for _, e := range g.executions {
				if _, ok := takes[i][e]; ok {
					common = append(common, e)
				}
			}
			if len(common) > 0 {
				g.executions, of[i] = common, g
				break
			}
		}
		if of[i] == nil {
			of[i] = &group{key: b.group, executions: own}
			groups = append(groups, of[i])
		}
	}
	joined := slices.Clone(stages)
	for i, g := range of {
		if g == nil {
			continue
		}
		b := *stages[i].(*replayed)
		b.group, b.takes = g.key, nil
		for _, e := range g.executions {
			b.takes = append(b.takes, takes[i][e])
		}
		joined[i] = &b
	}
	return joined
}

// take is one execution of a stage, ready to be replayed.
type take struct {
	execution string
	tasks     []Task
}

// replayed is the Behaviour of a stage in a Replay.
type replayed struct {
	takes      []take
	recorded   bool // the configuration itself was recorded
	origin     string
	warnings   []string
	group      uint64 // stages of the same group take executions of the same number
	sequential bool
}

func (b *replayed) Tasks(chance *Chance, _ []Task) []Task {
	n := uint64(len(b.takes))
	if b.sequential {
		return b.takes[uint64(chance.Run)%n].tasks
	}
	online := chance.earlier != nil && b.recorded
	if online {
		if t := b.follow(*chance.earlier); t != nil {
			return t.tasks
		}
	}
	k, _ := bits.Mul64(chance.Shared(b.group), n)
	if online {
		*chance.earlier = append(*chance.earlier, drawn{b.takes[k].execution})
	}
	return b.takes[k].tasks
}

func (b *replayed) Origin() string {
	plural := "s"
	if len(b.takes) == 1 {
		plural = ""
	}
	return fmt.Sprintf("%s, %d execution%s", b.origin, len(b.takes), plural)
}

func (b *replayed) Warnings() []string { return b.warnings }

// recording is one stage in one recorded execution.
type recording struct {
	execution        string
	memory           int
	parallelism      int
	inputParallelism int
	mean, p95        models.Steps // s, as in a profile
	tasks            []Task       // where the invocations themselves were recorded
	noDelay          bool         // the start delay was not recorded
}

// wall returns the wall time of the stage in seconds.
func (r *recording) wall() float64 { return r.mean.Cold + r.mean.Exec() }

// instances returns the tasks of the recording, imputed where they were not
// recorded.
func (r *recording) instances() []Task {
	if r.tasks != nil {
		return r.tasks
	}
	return impute(r.parallelism, r.mean, r.p95, nanoseconds(r.wall()))
}
