package baselines

import (
	"fmt"
	"math"
	"slices"

	"eevee/models"
)

// SizedRun is a recorded run of a stage: the size of its input, how long it took
// and what it cost.
type SizedRun struct {
	Bytes   int64
	Seconds float64
	USD     float64
}

// SizedChoice is a memory size that a stage can have, with the runs that were
// recorded under it, from the smallest input on. An input that is missing failed
// there.
type SizedChoice struct {
	Memory int // MB
	Runs   []SizedRun
}

// SizedStage is a stage of a SizedWorkflow: the inputs that were recorded at any
// size, ascending, and the sizes by memory.
type SizedStage struct {
	Inputs  []int64 // bytes
	Choices []SizedChoice
}

// at returns the run that stands for an input under a choice, as in the artifact of
// ChunkFunc: that of the next larger input that was recorded there, and for inputs
// beyond all recorded ones that of the largest; false where that failed.
func (s SizedStage) at(choice int, bytes int64) (SizedRun, bool) {
	runs := s.Choices[choice].Runs
	bytes = min(bytes, s.Inputs[len(s.Inputs)-1])
	for _, r := range runs {
		if bytes <= r.Bytes {
			return r, true
		}
	}
	return SizedRun{}, false
}

// from returns the run that stands for an input under a choice, or under the next
// larger one at which the input was recorded: an instance that is too small is
// taken to be replaced, at no cost.
func (s SizedStage) from(choice int, bytes int64) (SizedRun, bool) {
	for k := choice; k < len(s.Choices); k++ {
		if r, ok := s.at(k, bytes); ok {
			return r, true
		}
	}
	return SizedRun{}, false
}

// middle returns the run of the input in the middle of those that were recorded
// under the choice, the lower one of two.
func (c SizedChoice) middle() (SizedRun, bool) {
	if len(c.Runs) == 0 {
		return SizedRun{}, false
	}
	return c.Runs[(len(c.Runs)-1)/2], true
}

// SizedWorkflow is a workflow whose stages take time and money by the size of their
// input: what ChunkFunc (TPDS'25) is evaluated on. Nothing in it is random, and
// every stage is one instance.
type SizedWorkflow struct {
	Workflow *models.Workflow
	Stages   []SizedStage
}

// Check reports a workflow that cannot be executed.
func (w *SizedWorkflow) Check() error {
	if len(w.Stages) != w.Workflow.Len() {
		return fmt.Errorf("chunkfunc: times of %d stages for workflow %s, which has %d", len(w.Stages), w.Workflow.Name(), w.Workflow.Len())
	}
	for i, s := range w.Stages {
		if len(s.Inputs) == 0 {
			return fmt.Errorf("chunkfunc: stage %q of workflow %s: no input was recorded", w.Workflow.Stage(i).Name, w.Workflow.Name())
		}
		for _, bytes := range s.Inputs {
			if !slices.ContainsFunc(s.Choices, func(c SizedChoice) bool {
				return slices.ContainsFunc(c.Runs, func(r SizedRun) bool { return r.Bytes == bytes })
			}) {
				return fmt.Errorf("chunkfunc: stage %q of workflow %s: no run of an input of %d bytes", w.Workflow.Stage(i).Name, w.Workflow.Name(), bytes)
			}
		}
	}
	return nil
}

// SizedInput is what a run of a SizedWorkflow works on: the bytes that it is
// started with, and that every stage writes. A stage reads what its parents write.
type SizedInput struct {
	Bytes   int64
	Outputs []int64 // per stage
}

// of returns the bytes that a stage reads.
func (in SizedInput) of(w *models.Workflow, stage int) int64 {
	parents := w.Parents(stage)
	if len(parents) == 0 {
		return in.Bytes
	}
	sum := int64(0)
	for _, p := range parents {
		sum += in.Outputs[p]
	}
	return sum
}

// SizedPolicy chooses the size of a stage when it is ready: its place among the
// choices. It knows what the stage reads, and how many seconds are left until the
// limit.
type SizedPolicy interface {
	Choose(stage int, bytes int64, left float64) int
}

// SizedOutcome is one run of a SizedWorkflow.
type SizedOutcome struct {
	Latency float64 // s
	Cost    float64 // USD
	Chosen  []int   // per stage

	// Larger is how many stages ran in a larger size than was chosen, since their
	// input had failed at that.
	Larger int
}

// Run executes the workflow under a policy and a limit in seconds. It panics if a
// policy chooses a size from which on the input of the stage failed at all.
func (w *SizedWorkflow) Run(p SizedPolicy, in SizedInput, limit float64) SizedOutcome {
	out := SizedOutcome{Chosen: make([]int, w.Workflow.Len())}
	end := make([]float64, w.Workflow.Len())
	for i := range end { // in topological order
		ready := 0.0
		for _, parent := range w.Workflow.Parents(i) {
			ready = max(ready, end[parent])
		}
		bytes := in.of(w.Workflow, i)
		out.Chosen[i] = p.Choose(i, bytes, limit-ready)
		run, ok := w.Stages[i].from(out.Chosen[i], bytes)
		if !ok {
			panic(fmt.Sprintf("chunkfunc: stage %q does %d bytes in no size from choice %d on", w.Workflow.Stage(i).Name, bytes, out.Chosen[i]))
		}
		if _, ok := w.Stages[i].at(out.Chosen[i], bytes); !ok {
			out.Larger++
		}
		end[i] = ready + run.Seconds
		out.Latency, out.Cost = max(out.Latency, end[i]), out.Cost+run.USD
	}
	return out
}

// share returns the share of the time that is left which stage i gets: its weight
// relative to the heaviest path that begins with it.
func (w *SizedWorkflow) share(i int, weight []float64) float64 {
	path := make([]float64, len(weight))
	for k := len(weight) - 1; k >= i; k-- {
		for _, c := range w.Workflow.Children(k) {
			path[k] = max(path[k], path[c])
		}
		path[k] += weight[k]
	}
	return weight[i] / path[i]
}

// timeSlack is how much later than its share a run may end and still be in time,
// relative to the share: times are decimals, and sums of them are rounded.
const timeSlack = 1e-9

// cheapestWithin returns the cheapest choice of stage i whose run takes at most the
// given time, the faster one of two; else the fastest, the cheaper one of two. A
// choice without a run is left out.
func (w *SizedWorkflow) cheapestWithin(i int, seconds float64, run func(choice int) (SizedRun, bool)) int {
	best, fastest := -1, -1
	var cheap, fast SizedRun
	for k := range w.Stages[i].Choices {
		r, ok := run(k)
		if !ok {
			continue
		}
		if r.Seconds <= seconds+timeSlack*math.Abs(seconds) && (best < 0 || r.USD < cheap.USD || r.USD == cheap.USD && r.Seconds < cheap.Seconds) {
			best, cheap = k, r
		}
		if fastest < 0 || r.Seconds < fast.Seconds || r.Seconds == fast.Seconds && r.USD < fast.USD {
			fastest, fast = k, r
		}
	}
	if best < 0 {
		return fastest
	}
	return best
}

// ChunkFunc is the method of ChunkFunc (Pusztai and Nastic, TPDS'25), as its
// artifact has it: a stage gets the share of the time that is left which its mean
// time has of those on the heaviest path to the end, the mean being over all sizes
// and inputs, and takes the cheapest size that is fast enough for the input that
// it reads, or else the fastest.
type ChunkFunc struct {
	w    *SizedWorkflow
	mean []float64 // s, per stage
}

// NewChunkFunc prepares the method for a workflow.
func NewChunkFunc(w *SizedWorkflow) *ChunkFunc {
	c := &ChunkFunc{w: w}
	for _, stage := range w.Stages {
		sum, n := 0.0, 0.0
		for _, choice := range stage.Choices {
			for _, r := range choice.Runs {
				sum, n = sum+r.Seconds, n+1
			}
		}
		c.mean = append(c.mean, sum/n)
	}
	return c
}

// Choose implements SizedPolicy.
func (c *ChunkFunc) Choose(stage int, bytes int64, left float64) int {
	s := c.w.Stages[stage]
	return c.w.cheapestWithin(stage, left*c.w.share(stage, c.mean), func(k int) (SizedRun, bool) { return s.at(k, bytes) })
}

// SizedStepConf is StepConf as the artifact of ChunkFunc has it: it does not look
// at the input but takes the one in the middle, and weighs stages by their time in
// the size that costs least per second. StepConf's own paper weighs them by the
// most cost-effective size (CostTime), and is an option.
type SizedStepConf struct {
	w      *SizedWorkflow
	weight []float64 // s, per stage
}

// NewSizedStepConf prepares the method for a workflow. With costTime stages are
// weighed by their time in the size with the least product of cost and time, the
// reading of Eq. 12 that StepConf has here.
func NewSizedStepConf(w *SizedWorkflow, costTime bool) *SizedStepConf {
	s := &SizedStepConf{w: w}
	for _, stage := range w.Stages {
		least, weight := math.Inf(1), 0.0
		for _, c := range stage.Choices {
			r, ok := c.middle()
			if !ok {
				continue
			}
			v := r.USD / r.Seconds
			if costTime {
				v = r.USD * r.Seconds
			}
			if v < least {
				least, weight = v, r.Seconds
			}
		}
		s.weight = append(s.weight, weight)
	}
	return s
}

// Choose implements SizedPolicy.
func (s *SizedStepConf) Choose(stage int, _ int64, left float64) int {
	choices := s.w.Stages[stage].Choices
	return s.w.cheapestWithin(stage, left*s.w.share(stage, s.weight), func(k int) (SizedRun, bool) { return choices[k].middle() })
}

// SizedSLAM is SLAM (CLOUD'22) on a SizedWorkflow, as in the artifact of ChunkFunc:
// sizes that are chosen once, for a training input.
type SizedSLAM []int

// Choose implements SizedPolicy.
func (s SizedSLAM) Choose(stage int, _ int64, _ float64) int { return s[stage] }

// NewSizedSLAM gives the slowest stage one size more until the training input is
// done within the limit, in seconds. It does so twice, the second time without
// going on with a stage whose cost rises by more than its time falls, and keeps what
// is cheaper. It is false where neither is done in time.
func NewSizedSLAM(w *SizedWorkflow, training SizedInput, limit float64) (SizedSLAM, bool) {
	plain, ok := w.slam(training, limit, false)
	frugal, found := w.slam(training, limit, true)
	switch {
	case !ok:
		return frugal, found
	case found && w.Run(frugal, training, limit).Cost < w.Run(plain, training, limit).Cost:
		return frugal, true
	}
	return plain, true
}

func (w *SizedWorkflow) slam(training SizedInput, limit float64, frugal bool) (SizedSLAM, bool) {
	n := w.Workflow.Len()
	sizes, ladders := make(SizedSLAM, n), make([][]int, n) // ladders are the larger sizes that do the stage's input
	runs := make([]SizedRun, n)
	for i, s := range w.Stages {
		for k := range s.Choices {
			if r, ok := s.at(k, training.of(w.Workflow, i)); !ok {
				continue
			} else if runs[i].Seconds == 0 {
				sizes[i], runs[i] = k, r
			} else {
				ladders[i] = append(ladders[i], k)
			}
		}
	}
	// As in the artifact, what is reached once nothing can be raised any more is not
	// tried.
	for open := true; open; open = slices.ContainsFunc(ladders, func(l []int) bool { return len(l) > 0 }) {
		if w.Run(sizes, training, limit).Latency <= limit*(1+timeSlack) {
			return sizes, true
		}
		slowest := -1
		for i, ladder := range ladders {
			if len(ladder) > 0 && (slowest < 0 || runs[i].Seconds > runs[slowest].Seconds) {
				slowest = i
			}
		}
		if slowest < 0 {
			break
		}
		before := runs[slowest]
		sizes[slowest], ladders[slowest] = ladders[slowest][0], ladders[slowest][1:]
		after, _ := w.Stages[slowest].at(sizes[slowest], training.of(w.Workflow, slowest))
		runs[slowest] = after
		if frugal && !((after.USD-before.USD)/before.USD <= (before.Seconds-after.Seconds)/before.Seconds) {
			ladders[slowest] = nil
		}
	}
	return nil, false
}
