package sim

import (
	"math"
	"math/rand/v2"
	"slices"

	"eevee/models"
)

// The profiles hold, of the tasks of a stage, only mean and p95 of every step
// and the wall time of the stage. impute returns d tasks that fit all of them,
// the same for the same arguments:
//
//   - The times of a step follow a two-parameter family: mean + (p95-mean)*a,
//     with a pattern a of d numbers whose mean is 0 and whose p95 (R-7, as in
//     the profiles) is 1. So mean and p95 are exactly the recorded ones, for
//     any pattern. The pattern is a mixture, sorted value by sorted value, of
//     the expected order statistics of the exponential distribution (right
//     skewed, in closed form for every d: Renyi 1953) and of a flat pattern in
//     which the largest time is the p95 itself. The weight of the latter is the
//     smallest, in steps of 1/8, for which the tasks fit into the stage's wall
//     time. Where a time would be negative, a third pattern is mixed in: the
//     one that any p95 that d times can have can be reached with.
//   - The steps are assigned to tasks by fixed random permutations; or, where
//     no weight makes that fit, the longest times of one step go with the
//     shortest sums of the others.
//   - What is left between the slowest task and the wall time is the Cold of
//     every task. So the straggler is counted once: a stage of recorded tasks
//     takes the recorded wall time.
//
// A p95 that is below the mean says that the mean is dominated by a single
// task: all others take the p95 (from 21 tasks on, where R-7 does not look at
// the largest value; else all take the mean). All 1,308 stage executions of
// the Jolteon profiles fit, but for rounding to nanoseconds. Interpolated times may not; then Cold is 0 and the stage
// ends with its slowest task.
func impute(d int, mean, p95 models.Steps, wall int64) []Task {
	tasks := make([]Task, d)
	if d == 1 {
		tasks[0] = Task{Read: nanoseconds(mean.Read), Compute: nanoseconds(mean.Compute), Write: nanoseconds(mean.Write)}
	} else {
		p := newPatterns(d)
		for _, assign := range []func(read, compute, write []float64, tasks []Task) int64{p.shuffled, balanced} {
			slowest := int64(math.MaxInt64)
			for eighths := 0; eighths <= 8 && slowest > wall; eighths++ {
				weight := float64(eighths) / 8
				slowest = assign(
					p.times(mean.Read, p95.Read, weight),
					p.times(mean.Compute, p95.Compute, weight),
					p.times(mean.Write, p95.Write, weight), tasks)
			}
			if slowest <= wall {
				break
			}
		}
	}
	slowest := int64(0)
	for _, t := range tasks {
		slowest = max(slowest, t.Busy())
	}
	for j := range tasks {
		tasks[j].Cold = max(0, wall-slowest)
	}
	return tasks
}

// patterns are the patterns for d tasks, sorted.
type patterns struct {
	d           int
	exponential []float64
	flat        []float64 // two values; the larger ones are the p95
	steep       []float64 // two values; no pattern has a larger smallest value
}

func newPatterns(d int) patterns {
	p := patterns{d: d, exponential: make([]float64, d)}
	sum := 0.0
	for k := range d {
		sum += 1 / float64(d-k)
		p.exponential[k] = sum
	}
	standardise(p.exponential)
	// R-7 interpolates between the values at low and low+1. Only those at low
	// and above, or only those above low, can be the larger ones.
	low := int(math.Floor(0.95 * float64(d-1)))
	twoValues := func(from int) []float64 {
		pattern := make([]float64, d)
		for k := from; k < d; k++ {
			pattern[k] = 1
		}
		standardise(pattern)
		return pattern
	}
	p.flat = twoValues(max(1, low))
	p.steep = p.flat
	// The p95 of k times 1 and d-k times 0 is d/k means, or that times the
	// weight of the value above where only that one is 1.
	if weight := 0.95*float64(d-1) - float64(low); weight/float64(d-low-1) > 1/float64(d-low) {
		p.steep = twoValues(low + 1)
	}
	return p
}

// standardise gives sorted values mean 0 and p95 1.
func standardise(sorted []float64) {
	mean := 0.0
	for _, v := range sorted {
		mean += v
	}
	mean /= float64(len(sorted))
	scale := models.SortedQuantileR7(sorted, 0.95) - mean
	for k := range sorted {
		sorted[k] = (sorted[k] - mean) / scale
	}
}

// times returns the d times of a step in seconds, sorted.
func (p patterns) times(mean, p95, weight float64) []float64 {
	times := make([]float64, p.d)
	if p95 <= mean {
		for k := range times {
			times[k] = mean
		}
		if float64(p.d-2) >= 0.95*float64(p.d-1) {
			rest := float64(p.d - 1)
			for k := range times {
				times[k] = p95
			}
			times[p.d-1] = mean + rest*(mean-p95)
		}
		return times
	}
	spread := p95 - mean
	for k := range times {
		times[k] = p.exponential[k] + weight*(p.flat[k]-p.exponential[k])
	}
	// No time must be negative. The smallest one is 0 where the pattern is
	// mixed with the steep one in the proportion that solves a linear equation.
	if floor := -mean / spread; times[0] < floor {
		share := (floor - times[0]) / (p.steep[0] - times[0])
		if p.steep[0] <= floor { // d times of this mean cannot have such a p95
			share, spread = 1, -mean/p.steep[0]
		}
		for k := range times {
			times[k] += share * (p.steep[k] - times[k])
		}
	}
	for k := range times {
		times[k] = max(0, mean+spread*times[k])
	}
	return times
}

// shuffled assigns the times of every step to tasks by a permutation that
// depends on d and the step only. It returns the longest duration in ns.
func (p patterns) shuffled(read, compute, write []float64, tasks []Task) int64 {
	permute := func(step uint64) []int { return rand.New(rand.NewPCG(uint64(p.d), step)).Perm(p.d) }
	r, c, w := permute(0), permute(1), permute(2)
	slowest := int64(0)
	for j := range tasks {
		t := Task{Read: nanoseconds(read[r[j]]), Compute: nanoseconds(compute[c[j]]), Write: nanoseconds(write[w[j]])}
		tasks[j] = t
		slowest = max(slowest, t.Busy())
	}
	return slowest
}

// balanced assigns the step that varies most first, and then the longest times
// of the next step to the shortest tasks so far. It returns the longest
// duration in ns.
func balanced(read, compute, write []float64, tasks []Task) int64 {
	type step struct {
		times []float64
		at    func(*Task) *int64
	}
	steps := []step{
		{read, func(t *Task) *int64 { return &t.Read }},
		{compute, func(t *Task) *int64 { return &t.Compute }},
		{write, func(t *Task) *int64 { return &t.Write }},
	}
	d := len(tasks)
	slices.SortStableFunc(steps, func(a, b step) int {
		rangeA, rangeB := a.times[d-1]-a.times[0], b.times[d-1]-b.times[0]
		switch {
		case rangeA > rangeB:
			return -1
		case rangeA < rangeB:
			return 1
		}
		return 0
	})
	clear(tasks)
	for _, s := range steps {
		slices.SortStableFunc(tasks, func(a, b Task) int { return int(min(1, max(-1, b.Busy()-a.Busy()))) })
		for j := range tasks {
			*s.at(&tasks[j]) = nanoseconds(s.times[j])
		}
	}
	slowest := int64(0)
	for _, t := range tasks {
		slowest = max(slowest, t.Busy())
	}
	rand.New(rand.NewPCG(uint64(d), 3)).Shuffle(d, func(a, b int) { tasks[a], tasks[b] = tasks[b], tasks[a] })
	return slowest
}
