package baselines

import (
	"errors"
	"fmt"
	"math"
)

// DittoTime is a time that shrinks with the parallelism x of a stage,
//
//	A/x + B seconds,
//
// Ditto's model of every step.
type DittoTime struct {
	A float64 // s, the part that is divided among the tasks
	B float64 // s, the part that every task has for itself
}

// At returns the time in seconds at parallelism x.
func (t DittoTime) At(x float64) float64 { return t.A/x + t.B }

func (t DittoTime) plus(u DittoTime) DittoTime { return DittoTime{t.A + u.A, t.B + u.B} }

func (t DittoTime) over(divisor float64) DittoTime {
	if divisor == 0 {
		return DittoTime{}
	}
	return DittoTime{t.A / divisor, t.B / divisor}
}

// fitDittoTime fits A/x + B by ordinary least squares on 1/x.
func fitDittoTime(x, y []float64) (DittoTime, error) {
	n := float64(len(x))
	var meanX, meanY float64
	for k := range x {
		meanX += 1 / x[k] / n
		meanY += y[k] / n
	}
	var xx, xy float64
	for k := range x {
		dx := 1/x[k] - meanX
		xx += dx * dx
		xy += dx * (y[k] - meanY)
	}
	if !(xx > 0) {
		return DittoTime{}, errors.New("the profile holds one parallelism only, which does not determine a/d + b; profile at least two")
	}
	a := xy / xx
	return DittoTime{a, meanY - a*meanX}, nil
}

// DittoExchange is how a stage's output reaches the stage that reads it.
type DittoExchange string

// The exchanges of the Ditto artifact. With Gather a task reads the output of
// its own share of the producing tasks; with the others it reads from all.
const (
	Gather    DittoExchange = "gather"
	AllGather DittoExchange = "allgather"
	Broadcast DittoExchange = "broadcast"
	Shuffle   DittoExchange = "shuffle"
)

// DittoRead is one input of a stage.
type DittoRead struct {
	From  int       // the stage it comes from, -1 for an input of the workflow
	Early bool      // read while the task is set up, before its other inputs are there
	Time  DittoTime // s
}

// DittoStage is one stage of a DittoJob. A stage that cannot be split runs as
// one task; its times are a function of the parallelism of the stage it reads
// first.
type DittoStage struct {
	Name     string
	Single   bool // cannot be split
	Exchange DittoExchange
	Chunks   int // pieces that an input of the workflow comes in; 0: it can be divided at will

	Setup        DittoTime // before any input is read
	Reads        []DittoRead
	EarlyCompute DittoTime // on what was read early
	Compute      DittoTime
	Write        DittoTime

	MemoryGB      float64 // of the whole stage, divided among its tasks
	MemoryFixedGB float64 // of every task
	InputGB       float64 // what all tasks together read
}

// DittoJob is a workflow as Ditto (SIGCOMM'23) sees it: deterministic stages
// in topological order.
type DittoJob struct {
	Name   string
	Stages []DittoStage
}

// Check reports what is wrong with the job.
func (j *DittoJob) Check() error {
	if len(j.Stages) == 0 {
		return fmt.Errorf("job %s: has no stages", j.Name)
	}
	var errs []error
	for i, s := range j.Stages {
		for _, r := range s.Reads {
			if r.From >= i || r.From < -1 {
				errs = append(errs, fmt.Errorf("job %s: stage %s reads from stage number %d, which does not come before it", j.Name, s.Name, r.From+1))
			}
		}
		for _, t := range j.times(i) {
			if math.IsNaN(t.A+t.B) || math.IsInf(t.A+t.B, 0) {
				errs = append(errs, fmt.Errorf("job %s: stage %s: time %v/d + %v is not a number", j.Name, s.Name, t.A, t.B))
			}
		}
		for _, gb := range []float64{s.MemoryGB, s.MemoryFixedGB, s.InputGB} {
			if !(gb >= 0) || math.IsInf(gb, 0) {
				errs = append(errs, fmt.Errorf("job %s: stage %s: a size of %v GB", j.Name, s.Name, gb))
			}
		}
	}
	if len(errs) == 0 && len(j.sinks()) > 1 {
		errs = append(errs, fmt.Errorf("job %s: ends in %d stages; Ditto's merging of stages ends in one", j.Name, len(j.sinks())))
	}
	return errors.Join(errs...)
}

func (j *DittoJob) times(i int) []DittoTime {
	s := &j.Stages[i]
	times := []DittoTime{s.Setup, s.EarlyCompute, s.Compute, s.Write}
	for _, r := range s.Reads {
		times = append(times, r.Time)
	}
	return times
}

// parents returns the stages that stage i reads from, in the order of its
// reads.
func (j *DittoJob) parents(i int) []int {
	var list []int
	for _, r := range j.Stages[i].Reads {
		if r.From >= 0 {
			list = append(list, r.From)
		}
	}
	return list
}

// leaf reports whether stage i reads inputs of the workflow only.
func (j *DittoJob) leaf(i int) bool { return len(j.parents(i)) == 0 }

func (j *DittoJob) sinks() []int {
	read := make([]bool, len(j.Stages))
	for i := range j.Stages {
		for _, p := range j.parents(i) {
			read[p] = true
		}
	}
	var sinks []int
	for i, r := range read {
		if !r {
			sinks = append(sinks, i)
		}
	}
	return sinks
}

// sharing says which data is handed over in the memory of a server instead of
// through storage, and what that takes.
type sharing struct {
	edges   map[[2]int]bool // from, to
	divisor float64         // storage time over shared-memory time of a read; 0: it takes no time
}

// Whole returns the time of the stage from setup to write, with every input
// read from storage.
func (s DittoStage) Whole() DittoTime {
	t := s.Setup.plus(s.EarlyCompute).plus(s.Compute).plus(s.Write)
	for _, r := range s.Reads {
		t = t.plus(r.Time)
	}
	return t
}

// early returns the time before the stage waits for the inputs that are not
// read early: setup, early reads and what is computed on them.
func (j *DittoJob) early(i int, g sharing) DittoTime {
	s := &j.Stages[i]
	t := s.Setup.plus(s.EarlyCompute)
	for _, r := range s.Reads {
		if r.Early {
			t = t.plus(g.read(r, i))
		}
	}
	return t
}

// exec returns the time of the rest: the other reads, compute and write. A
// stage whose readers are all in its group writes nothing to storage.
func (j *DittoJob) exec(i int, g sharing) DittoTime {
	s := &j.Stages[i]
	t := s.Compute
	for _, r := range s.Reads {
		if !r.Early {
			t = t.plus(g.read(r, i))
		}
	}
	if !j.writesShared(i, g) {
		t = t.plus(s.Write)
	}
	return t
}

func (g sharing) read(r DittoRead, to int) DittoTime {
	if g.edges[[2]int{r.From, to}] {
		return r.Time.over(g.divisor)
	}
	return r.Time
}

func (j *DittoJob) writesShared(i int, g sharing) bool {
	readers := 0
	for k := range j.Stages {
		for _, p := range j.parents(k) {
			if p == i {
				readers++
				if !g.edges[[2]int{i, k}] {
					return false
				}
			}
		}
	}
	return readers > 0
}

// divisor returns what the times of stage i are divided by under the
// parallelism d of all stages.
func (j *DittoJob) divisor(i int, d []int) float64 {
	if !j.Stages[i].Single {
		return float64(d[i])
	}
	if p := j.parents(i); len(p) > 0 {
		return float64(d[p[0]])
	}
	return 1
}
