package solvers

import (
	"gonum.org/v1/gonum/floats"

	"eevee/models"
)

// block is how many scenarios are evaluated at a time: few enough for the
// cache, and for stopping early.
const block = 128

// evaluator computes figures of the workflow from those of its stages.
type evaluator struct {
	parents [][]int
	sinks   []int
	ends    [][]float64 // scratch of one block of scenarios, per stage
}

func newEvaluator(w *models.Workflow) *evaluator {
	e := &evaluator{sinks: w.Sinks()}
	for i := range w.Len() {
		e.parents = append(e.parents, w.Parents(i))
		e.ends = append(e.ends, make([]float64, block))
	}
	return e
}

// at returns the metric in scenarios from to from+size, given that of every
// stage. The next call reuses the slice.
func (e *evaluator) at(m Metric, cols [][]float64, from, size int) []float64 {
	if m == Cost {
		return e.sum(cols, from, size)
	}
	return e.latest(cols, from, size)
}

// sum adds up the stages, in their order; a nil column counts as zeros.
func (e *evaluator) sum(cols [][]float64, from, size int) []float64 {
	sum := e.ends[0][:size]
	i := 0
	for ; i < len(cols) && cols[i] == nil; i++ {
	}
	if i == len(cols) {
		clear(sum)
		return sum
	}
	copy(sum, cols[i][from:from+size])
	for i++; i < len(cols); i++ {
		if cols[i] == nil {
			continue
		}
		floats.Add(sum, cols[i][from:from+size])
	}
	return sum
}

// latest returns the longest paths.
func (e *evaluator) latest(cols [][]float64, from, size int) []float64 {
	for i, c := range cols {
		c, end := c[from:from+size], e.ends[i][:size]
		switch parents := e.parents[i]; len(parents) {
		case 0:
			copy(end, c)
		case 1:
			floats.AddTo(end, c, e.ends[parents[0]][:size])
		default:
			copy(end, e.ends[parents[0]][:size])
			for _, p := range parents[1:] {
				larger(end, e.ends[p][:size])
			}
			floats.Add(end, c)
		}
	}
	if len(e.sinks) == 1 {
		return e.ends[e.sinks[0]][:size]
	}
	last := e.ends[e.sinks[0]][:size]
	for _, i := range e.sinks[1:] {
		larger(last, e.ends[i][:size])
	}
	return last
}

// larger raises dst to what is larger in x. What is not a number stays so.
func larger(dst, x []float64) {
	for k, v := range x[:len(dst)] {
		dst[k] = max(dst[k], v)
	}
}

// values returns the metric of the first n scenarios.
func (e *evaluator) values(m Metric, cols [][]float64, n int) []float64 {
	values := make([]float64, 0, n)
	for from := 0; from < n; from += block {
		values = append(values, e.at(m, cols, from, min(block, n-from))...)
	}
	return values
}

// mean returns the mean metric of the first n scenarios.
func (e *evaluator) mean(m Metric, cols [][]float64, n int) float64 {
	sum := 0.0
	for from := 0; from < n; from += block {
		part := 0.0
		for _, v := range e.at(m, cols, from, min(block, n-from)) {
			part += v
		}
		sum += part
	}
	return sum / float64(n)
}

// over counts the scenarios from to to that are above the limit, as far as
// there are more than allowed. A scenario without a number counts.
func (e *evaluator) over(m Metric, cols [][]float64, from, to int, limit float64, allowed int) int {
	over := 0
	for ; from < to && over <= allowed; from += block {
		for _, v := range e.at(m, cols, from, min(block, to-from)) {
			if !(v <= limit) {
				over++
			}
		}
	}
	return over
}

// reaching is over for scenarios at the limit or above it.
func (e *evaluator) reaching(m Metric, cols [][]float64, from, to int, limit float64, allowed int) int {
	over := 0
	for ; from < to && over <= allowed; from += block {
		for _, v := range e.at(m, cols, from, min(block, to-from)) {
			if !(v < limit) {
				over++
			}
		}
	}
	return over
}

// criticality writes weight[i][k] = share where stage i lies on the longest
// path of scenario k, and 0 elsewhere. Every scenario has one such path, which
// is followed from its end, all scenarios of a block at a time.
func (e *evaluator) criticality(cols [][]float64, weight [][]float64, share float64) {
	n := len(weight[0])
	for _, w := range weight {
		clear(w)
	}
	for from := 0; from < n; from += block {
		size := min(block, n-from)
		e.paths(cols, from, size)
		for k := range size {
			weight[e.last(e.sinks, k)][from+k] = share
		}
		for i := len(weight) - 1; i >= 0; i-- {
			w := weight[i][from : from+size]
			switch parents := e.parents[i]; len(parents) {
			case 0:
			case 1:
				floats.Add(weight[parents[0]][from:from+size], w)
			default:
				for k, v := range w {
					if v != 0 {
						weight[e.last(parents, k)][from+k] = v
					}
				}
			}
		}
	}
}

// last returns the first of the stages that end last in scenario k of the block.
func (e *evaluator) last(stages []int, k int) int {
	last := stages[0]
	for _, i := range stages[1:] {
		if e.ends[i][k] > e.ends[last][k] {
			last = i
		}
	}
	return last
}

// paths leaves in ends when every stage ends.
func (e *evaluator) paths(cols [][]float64, from, size int) {
	sinks := e.sinks
	e.sinks = sinks[:1] // do not fold them into one
	e.latest(cols, from, size)
	e.sinks = sinks
}
