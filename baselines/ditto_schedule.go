package baselines

import (
	"context"
	"errors"
	"fmt"
	"math"

	"eevee/solvers"
)

// DittoScheduler decides parallelism, grouping, placement and launch times of
// a job on servers (Ditto, SIGCOMM'23, section 4). The zero value but for
// Slots is the paper's algorithm for the job completion time.
//
// The paper's Algorithms 1 to 3 are known from a public quotation of their
// pseudo-code. Where that leaves a choice, the comments say what was chosen.
type DittoScheduler struct {
	// Objective is solvers.Latency, the job completion time, or solvers.Cost,
	// the memory of all tasks times the time they hold it; "" means Latency.
	Objective solvers.Metric

	Slots []int // free function slots of every server

	// SharedMemory is how many times faster the memory of a server is than
	// storage; 0: a read through it takes no time, as in the paper.
	SharedMemory float64

	// Ungrouped leaves every stage alone: parallelism only, "NIMBLE+DoP" of
	// the paper's ablation (Figure 12).
	Ungrouped bool

	// TaskGroups divides a group whose stages gather into as many parts as its
	// smallest stage has tasks, each on one server, as the artifact does; else
	// a whole group needs one server.
	TaskGroups bool

	// Artifact does what the published scheduler does instead of Algorithms
	// 2 and 3, see dittoArtifact. SharedMemory 0 then means 50.
	Artifact bool

	// DelaySiblings adds, with Artifact, its delay of stages that would
	// otherwise wait for another input of their group.
	DelaySiblings bool
}

// DittoPlan is what a scheduler decides, with the times it predicts. All
// slices but Groups have one element per stage.
type DittoPlan struct {
	Parallelism []int
	Groups      [][]int   // stages that are placed together, ascending; only groups of two and more
	Placement   [][]int   // tasks of the stage on every server
	Launch      []float64 // s after the start of the job
	End         []float64 // s after the start of the job
	JCT         float64   // s, when the last stage ends
	CostGBs     float64   // GB*s, see DittoJob.cost
}

// Plan schedules the job. It returns what it has at the end of ctx, with the
// error of ctx.
func (s DittoScheduler) Plan(ctx context.Context, j *DittoJob) (DittoPlan, error) {
	if err := j.Check(); err != nil {
		return DittoPlan{}, err
	}
	switch s.Objective {
	case "":
		s.Objective = solvers.Latency
	case solvers.Latency, solvers.Cost:
	default:
		return DittoPlan{}, fmt.Errorf("ditto: objective %q is neither %q nor %q", s.Objective, solvers.Latency, solvers.Cost)
	}
	if math.IsNaN(s.SharedMemory) || s.SharedMemory < 0 {
		return DittoPlan{}, fmt.Errorf("ditto: a shared memory %v times as fast as storage", s.SharedMemory)
	}
	if s.DelaySiblings && !s.Artifact {
		return DittoPlan{}, errors.New("ditto: only the artifact delays siblings")
	}
	total := 0
	for _, n := range s.Slots {
		if n < 0 {
			return DittoPlan{}, fmt.Errorf("ditto: a server of %d slots", n)
		}
		total += n
	}
	if total < len(j.Stages) {
		return DittoPlan{}, fmt.Errorf("ditto: %d slots for %d stages; every stage needs one", total, len(j.Stages))
	}
	if s.Artifact {
		return dittoArtifact{s, j}.plan(ctx)
	}
	return (&dittoJoint{DittoScheduler: s, job: j, total: total}).plan(ctx)
}

// shares returns the share of every stage in the parallelism, the sum of those
// of stages that can be split being 1.
//
// A divisible time that was fitted below zero counts as 0, absolute as its
// absolute value, which is what both published implementations do. With
// follow the time of a stage that cannot be split counts as divided by the
// parallelism of the stage that it reads first, else as not divisible at all.
func (j *DittoJob) shares(objective solvers.Metric, g sharing, absolute, follow bool) ([]float64, error) {
	n := len(j.Stages)
	alpha, parents := make([]float64, n), make([][]int, n)
	follows := make([]int, n)
	divisible := func(t DittoTime) float64 {
		if absolute {
			return math.Abs(t.A)
		}
		return max(0, t.A)
	}
	for i, s := range j.Stages {
		alpha[i] = divisible(j.exec(i, g))
		if objective == solvers.Cost {
			alpha[i] = s.MemoryGB * (alpha[i] + divisible(j.early(i, g)))
		}
		parents[i], follows[i] = j.parents(i), -1
		if s.Single {
			if follow && objective == solvers.Latency && len(parents[i]) > 0 {
				follows[i] = parents[i][0]
			} else {
				alpha[i] = 0
			}
		}
	}
	if objective == solvers.Cost {
		return costShares(alpha), nil
	}
	share, _, err := mergeStages(parents, alpha, follows)
	if err != nil {
		return nil, fmt.Errorf("job %s: %w", j.Name, err)
	}
	return normalised(share), nil
}

// predict returns the two times of every stage under d, in seconds, with what
// positive makes of a time that was fitted below zero.
func (j *DittoJob) predict(d []int, g sharing, positive func(float64) float64) (early, exec []float64) {
	early, exec = make([]float64, len(d)), make([]float64, len(d))
	for i := range d {
		x := j.divisor(i, d)
		early[i], exec[i] = positive(j.early(i, g).At(x)), positive(j.exec(i, g).At(x))
	}
	return early, exec
}

func atLeastZero(x float64) float64 { return max(0, x) }
func asFitted(x float64) float64    { return x }

// dittoWait is the time in seconds that a stage which reads from others holds
// its memory for besides its own steps (artifact).
const dittoWait = 1.5

// cost returns the memory held by all tasks times how long, in GB*s, as the
// artifact predicts it:
//
//	sum_i d_i * (fixed_i + divided_i/d_i) * (early_i + exec_i + 1.5 s unless a leaf)
func (j *DittoJob) cost(d []int, early, exec []float64) float64 {
	total := 0.0
	for i, s := range j.Stages {
		held := early[i] + exec[i]
		if !j.leaf(i) {
			held += dittoWait
		}
		total += (float64(d[i])*s.MemoryFixedGB + s.MemoryGB) * held
	}
	return total
}

// finish fills in when stages end.
func (p *DittoPlan) finish(early, exec []float64) {
	p.End = make([]float64, len(p.Launch))
	for i, l := range p.Launch {
		p.End[i] = l + early[i] + exec[i]
		p.JCT = max(p.JCT, p.End[i])
	}
}

// launch returns when stages start if set-up, early reads and what is computed
// on them overlap with the stages before, and the rest with nothing (NIMBLE as
// Ditto has it).
func (j *DittoJob) launch(early, exec []float64) ([]float64, error) {
	tasks := make([]NimbleTask, len(early))
	for i := range tasks {
		step := NimbleStep{Work: exec[i]}
		for _, p := range j.parents(i) {
			step.Inputs = append(step.Inputs, NimbleInput{From: p, Breaking: true})
		}
		tasks[i] = NimbleTask{Setup: early[i], Steps: []NimbleStep{step}}
	}
	spans, err := NimbleLaunch(tasks)
	if err != nil {
		return nil, fmt.Errorf("job %s: %w", j.Name, err)
	}
	launch := make([]float64, len(spans))
	for i, s := range spans {
		launch[i] = s.Launch
	}
	return launch, nil
}

// FixedPlan schedules the job with the given parallelism: no groups, and
// launch times as NIMBLE's. It is the baseline that Ditto is published
// against. As in the artifact, a time that was fitted below zero counts with
// its absolute value.
func (j *DittoJob) FixedPlan(parallelism []int) (DittoPlan, error) {
	if err := j.Check(); err != nil {
		return DittoPlan{}, err
	}
	if len(parallelism) != len(j.Stages) {
		return DittoPlan{}, fmt.Errorf("job %s: %d parallelism values for %d stages", j.Name, len(parallelism), len(j.Stages))
	}
	p := DittoPlan{Parallelism: make([]int, len(parallelism))}
	for i, d := range parallelism {
		if d < 1 {
			return DittoPlan{}, fmt.Errorf("job %s: stage %s: parallelism %d", j.Name, j.Stages[i].Name, d)
		}
		if j.Stages[i].Single {
			d = 1
		}
		p.Parallelism[i] = d
	}
	early, exec := j.predict(p.Parallelism, sharing{}, math.Abs)
	var err error
	if p.Launch, err = j.launch(early, exec); err != nil {
		return DittoPlan{}, err
	}
	p.finish(early, exec)
	p.CostGBs = j.cost(p.Parallelism, early, exec)
	return p, nil
}

// ParallelismBySize gives every stage that can be split its share of total
// instances by the size of its input, at least one: the parallelism that later
// papers take for Caerus.
func (j *DittoJob) ParallelismBySize(total int) []int {
	sizes := make([]float64, len(j.Stages))
	for i, s := range j.Stages {
		if !s.Single {
			sizes[i] = s.InputGB
		}
	}
	return bySize(sizes, total)
}

// ParallelismEvenly gives every stage that can be split the same share of
// total instances, at least one.
func (j *DittoJob) ParallelismEvenly(total int) []int {
	ones := make([]float64, len(j.Stages))
	for i, s := range j.Stages {
		if !s.Single {
			ones[i] = 1
		}
	}
	return bySize(ones, total)
}
