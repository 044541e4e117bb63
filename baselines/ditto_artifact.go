package baselines

import (
	"context"
	"math"
	"slices"

	"eevee/solvers"
)

// dittoArtifact is the scheduler of the Ditto artifact (pkusys/Ditto at
// 2771e6c) where it differs from the paper:
//
//   - Groups are not searched edge by edge. Chains of up to three stages along
//     gather exchanges are groups; where one cannot be placed its last stage
//     leaves it and all is decided anew.
//   - A shared-memory read takes a fiftieth of the time of one from storage.
//   - Single stages get one slot each; the rest is divided, rounded down, and
//     then changed until pieces of input and gathered tasks divide evenly.
//   - The time of a single stage, and so its share of the longest path,
//     follows the parallelism of the stage that it reads first.
//   - A group is as many task groups as its last stage has tasks. They are
//     dealt out to the servers one after the other.
//   - Fits that fall below zero count with their absolute value, except for
//     the times after set-up in the cost.
type dittoArtifact struct {
	DittoScheduler
	job *DittoJob
}

// dittoGroupStages is how many stages a group of the artifact holds.
const dittoGroupStages = 3

func (a dittoArtifact) plan(ctx context.Context) (DittoPlan, error) {
	if a.SharedMemory == 0 {
		a.SharedMemory = 50
	}
	var groups [][]int
	if !a.Ungrouped {
		groups = a.job.gatherChains()
	}
	total := 0
	for _, n := range a.Slots {
		total += n
	}
	for _, s := range a.job.Stages {
		if s.Single {
			total--
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return DittoPlan{}, err
		}
		g := grouped(groups, a.SharedMemory)
		share, err := a.job.shares(a.Objective, g, true, true)
		if err != nil {
			return DittoPlan{}, err
		}
		d := make([]int, len(share))
		for i, s := range share {
			d[i] = max(1, int(s*float64(total)))
		}
		a.job.divide(d, total)
		placement, failed := a.place(groups, d)
		if failed >= 0 {
			groups[failed] = groups[failed][:len(groups[failed])-1]
			groups = slices.DeleteFunc(groups, func(g []int) bool { return len(g) < 2 })
			continue
		}
		p := DittoPlan{Parallelism: d, Groups: groups, Placement: placement}
		early, exec := a.job.predict(d, g, math.Abs)
		if p.Launch, err = a.launch(d, early, exec, groups); err != nil {
			return DittoPlan{}, err
		}
		p.finish(early, exec)
		// The artifact takes absolute values for the completion time only.
		_, signed := a.job.predict(d, g, asFitted)
		p.CostGBs = a.job.cost(d, early, signed)
		return p, nil
	}
}

// grouped returns what the given groups hand over in shared memory: what goes
// from one stage of a group to the next.
func grouped(groups [][]int, divisor float64) sharing {
	g := sharing{edges: make(map[[2]int]bool), divisor: divisor}
	for _, stages := range groups {
		for k := 1; k < len(stages); k++ {
			g.edges[[2]int{stages[k-1], stages[k]}] = true
		}
	}
	return g
}

// reader returns the stage that reads from stage i, the first where there are
// several, -1 where there is none.
func (j *DittoJob) reader(i int) int {
	for k := i + 1; k < len(j.Stages); k++ {
		if slices.Contains(j.parents(k), i) {
			return k
		}
	}
	return -1
}

// gatherChains returns the chains of stages along gather exchanges, from the
// front, each stage in one chain.
func (j *DittoJob) gatherChains() [][]int {
	taken := make([]bool, len(j.Stages))
	var chains [][]int
	for i := range j.Stages {
		if taken[i] {
			continue
		}
		chain := []int{i}
		taken[i] = true
		for k := i; len(chain) < dittoGroupStages && j.Stages[k].Exchange == Gather; {
			k = j.reader(k)
			if k < 0 || taken[k] {
				break
			}
			chain = append(chain, k)
			taken[k] = true
		}
		if len(chain) > 1 {
			chains = append(chains, chain)
		}
	}
	return chains
}

// divide changes d until the pieces of the job's input are divided evenly
// among the tasks that read them, and so are the tasks that a task gathers
// from. total is what the stages that can be split may have together.
func (j *DittoJob) divide(d []int, total int) {
	rest := total
	for i, s := range j.Stages {
		switch {
		case s.Single:
			d[i] = 1
			continue
		case j.leaf(i):
			d[i] = evenly(d[i], s.Chunks)
		default:
			for _, p := range j.gathered(i) {
				d[i] = min(d[i], d[p])
				for d[p]%d[i] != 0 {
					d[i]++
				}
			}
		}
		rest -= d[i]
	}
	if rest > 0 {
		j.grow(d, rest)
	} else if rest < 0 {
		j.shrink(d, rest)
	}
}

// evenly returns the next divisor of chunks from d upward if it is less than 5
// away, else the next one downward.
func evenly(d, chunks int) int {
	if chunks == 0 {
		return d
	}
	up := d
	for up < chunks && chunks%up != 0 {
		up++
	}
	if up-d < 5 && chunks%up == 0 {
		return up
	}
	for chunks%d != 0 {
		d--
	}
	return d
}

// gathered returns the stages that stage i gathers from.
func (j *DittoJob) gathered(i int) []int {
	return slices.DeleteFunc(j.parents(i), func(p int) bool { return j.Stages[p].Exchange != Gather })
}

// grow gives slots that are left over to stages that gather, by the first
// factor that still divides and that there are enough slots for.
func (j *DittoJob) grow(d []int, rest int) {
	for i, s := range j.Stages {
		if rest <= 0 {
			return
		}
		if s.Single || j.leaf(i) || d[i] > rest {
			continue
		}
		for _, p := range j.gathered(i) {
			for _, factor := range []int{10, 4, 2, 6, 3} {
				// The doubling is not checked against what is left, as
				// published; it fits but where a stage gathers from several.
				if more := (factor - 1) * d[i]; (factor == 2 || more < rest) && d[p]%(d[i]*factor) == 0 {
					rest -= more
					d[i] *= factor
					break
				}
			}
		}
	}
}

// shrink takes from the last stages until nothing is missing: half of a stage
// that gathers, and all but two instances of a leaf of five to eight.
func (j *DittoJob) shrink(d []int, rest int) {
	for i := len(d) - 1; i >= 0; i-- {
		if j.Stages[i].Single {
			continue
		}
		if j.leaf(i) {
			if d[i] >= 5 && d[i] <= 8 {
				rest += d[i] - 2
				d[i] = 2
				if rest >= 0 {
					return
				}
			}
			continue
		}
		if rest >= 0 {
			return
		}
		for range j.gathered(i) {
			if d[i]%2 == 0 {
				d[i] /= 2
				rest += d[i]
			}
		}
	}
}

// place deals the tasks out to the servers, the largest groups first, and
// returns the tasks per stage and server; or the group that does not fit.
func (a dittoArtifact) place(groups [][]int, d []int) (placement [][]int, failed int) {
	size := func(g []int) (total int) {
		for _, i := range g {
			total += d[i]
		}
		return total
	}
	order := make([]int, len(groups))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(x, y int) int { return size(groups[y]) - size(groups[x]) })

	free := slices.Clone(a.Slots)
	placement = make([][]int, len(d))
	for i := range placement {
		placement[i] = make([]int, len(free))
	}
	// next returns the first server after at that has n free slots, -1 if
	// none has.
	next := func(at, n int) int {
		for k := 1; k <= len(free); k++ {
			if s := (at + k) % len(free); free[s] >= n {
				return s
			}
		}
		return -1
	}
	alone := make([]bool, len(d))
	for i := range alone {
		alone[i] = true
	}
	for _, k := range order {
		g := groups[k]
		count := d[g[len(g)-1]]
		for _, i := range g {
			alone[i] = false
			if d[i]%count != 0 {
				return nil, k
			}
		}
		need, at := size(g)/count, len(free)-1
		for range count {
			if at = next(at, need); at < 0 {
				return nil, k
			}
			free[at] -= need
			for _, i := range g {
				placement[i][at] += d[i] / count
			}
		}
	}
	for i := range d {
		if !alone[i] {
			continue
		}
		at := 0
		for range d[i] {
			// Without a free slot a task waits on the first server: the
			// stages do not all run at the same time.
			s := next(at, 1)
			if s < 0 {
				placement[i][0]++
				continue
			}
			at = s
			free[s]--
			placement[i][s]++
		}
	}
	return placement, -1
}

// Times in seconds by which a delayed sibling is launched early all the same.
const (
	dittoMarginCost = 1.5
	dittoMarginJCT  = 6
)

// launch returns the launch times, with DelaySiblings in a second form: where
// a stage of a group has several inputs, a stage that hands over to it by
// gathering and would end before the last one is delayed until just before
// that.
func (a dittoArtifact) launch(d []int, early, exec []float64, groups [][]int) ([]float64, error) {
	launch, err := a.job.launch(early, exec)
	if err != nil || !a.DelaySiblings {
		return launch, err
	}
	margin := float64(dittoMarginJCT)
	if a.Objective == solvers.Cost {
		margin = dittoMarginCost
	}
	g := grouped(groups, a.SharedMemory)
	clear(launch)
	for i := range launch {
		parents := a.job.parents(i)
		last, at := 0.0, -1
		for k, p := range parents {
			if end := launch[p] + early[p] + exec[p]; end > last {
				last, at = end, k
			}
		}
		if len(parents) == 0 {
			continue
		}
		launch[i] = max(0, last-early[i])
		inGroup := slices.ContainsFunc(groups, func(g []int) bool { return slices.Contains(g, i) })
		if len(parents) == 1 || !inGroup {
			continue
		}
		for k, p := range parents {
			if k == at || a.job.Stages[p].Exchange != Gather {
				continue
			}
			l := launch[i] - exec[p] - early[p]
			if g.edges[[2]int{p, i}] {
				l += a.job.early(i, sharing{}).At(float64(d[i])) - margin
				if k > 0 {
					l += a.job.firstRead(i).At(float64(d[i]))
				}
			}
			launch[p] = max(0, l)
		}
	}
	return launch, nil
}

// firstRead returns the time of the first read after set-up.
func (j *DittoJob) firstRead(i int) DittoTime {
	for _, r := range j.Stages[i].Reads {
		if !r.Early {
			return r.Time
		}
	}
	return DittoTime{}
}
