package solvers

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
)

// probe looks for a good admissible configuration around a rounded one. It
// goes, layer by layer, through the configurations that are 1, 2, ... depth
// moves away from the best one so far (see grid.moves), and starts anew from
// the best of the first layer that holds a better one. Until one is feasible,
// better means closer to the limit; afterwards it means feasible and with a
// lower mean objective.
//
// Columns of every stage and choice are computed when first met, with the
// scenarios that were worst at the start in front, so that a configuration
// that breaks the bound is given up as soon as too many of them exceed it.
type probe struct {
	ctx     context.Context
	problem *Problem
	grid    *grid
	allowed int
	depth   int
	budget  int // configurations that may still be looked at

	rows    []int      // scenario of every row
	columns [][]sample // per stage: [rung of the input parent * choices + choice]; made when first met
	inputs  []int      // per stage: the one whose parallelism it depends on, -1 for none
	eval    *evaluator
	current []*sample
	figures [][]float64 // one per stage: a metric of each of current
	stages  []float64   // one element per stage
	scratch [2][]float64
	ranked  []int

	best       []int
	reached    float64 // smallest limit that the best configuration keeps, while none is feasible
	feasible   bool
	worth      float64         // objective of the best configuration, once one is feasible
	violations int             // scenarios that exceed the limit under it
	broken     map[string]bool // configurations known to break the bound
}

// sample is what a stage does under one choice, row by row.
type sample struct {
	bounded   []float64
	objective []float64 // nil for cost, of which the mean is enough
	mean      float64   // of the objective
}

func newProbe(ctx context.Context, p *Problem, allowed, depth, budget int) *probe {
	n := p.Scenarios.Len()
	pr := &probe{
		ctx: ctx, problem: p, grid: newGrid(p.Space), allowed: allowed, depth: depth, budget: budget,
		current: make([]*sample, p.Workflow().Len()), stages: make([]float64, p.Workflow().Len()),
		figures: make([][]float64, p.Workflow().Len()), eval: newEvaluator(p.Workflow()),
		scratch: [2][]float64{make([]float64, n), make([]float64, n)}, ranked: indices(n),
		broken: make(map[string]bool),
	}
	for i := range p.Workflow().Len() {
		parent, inputs := -1, 1
		if p.Scenarios.ReadsInput(i) {
			parent = p.Workflow().InputParent(i)
		}
		if parent >= 0 {
			inputs = len(pr.grid.rungs[parent])
		}
		pr.inputs = append(pr.inputs, parent)
		pr.columns = append(pr.columns, make([]sample, inputs*len(p.Space.Choices(i))))
	}
	return pr
}

// run probes from the given configuration. It is false where the context ended
// the search early.
func (pr *probe) run(start []int) bool {
	bounded := pr.problem.Evaluate(pr.problem.Space.Config(start)).Bounded(pr.problem.Bound.Metric)
	pr.rows = descending(bounded)
	pr.best = slices.Clone(start)
	pr.reached = bounded[pr.rows[pr.allowed]]
	pr.check(start)
	for pr.ctx.Err() == nil && pr.around() {
	}
	return pr.ctx.Err() == nil
}

// check makes a configuration the first feasible one, if it is feasible.
func (pr *probe) check(pick []int) {
	samples := pr.samples(pick)
	violations := pr.exceed(samples, pr.problem.Bound.Limit)
	if violations > pr.allowed {
		return
	}
	pr.feasible, pr.best = true, slices.Clone(pick)
	pr.worth, pr.violations = pr.objective(samples), violations
}

// around moves to the best configuration of the nearest layer that holds a
// better one. It is false if none does, within depth and budget.
func (pr *probe) around() bool {
	seen := map[string]bool{key(pr.best): true}
	layer := []string{key(pr.best)}
	pick := make([]int, len(pr.best))
	var code []byte
	for range pr.depth {
		var next []string
		for _, from := range layer {
			if pr.ctx.Err() != nil || pr.budget <= 0 {
				break
			}
			decode(from, pick)
			pr.grid.moves(pick, func(moved []int) {
				code = encode(code[:0], moved)
				if !seen[string(code)] {
					k := string(code)
					seen[k] = true
					next = append(next, k)
					pr.budget--
				}
			})
		}
		if pr.feasible && pr.cheaper(next) || !pr.feasible && pr.closer(next) {
			return true
		}
		layer = next
	}
	return false
}

// closer moves to the configuration of the layer that comes closest to the
// limit, if that is closer than the best one so far.
func (pr *probe) closer(layer []string) bool {
	pick := make([]int, len(pr.best))
	found := false
	for _, k := range layer {
		if pr.ctx.Err() != nil {
			break
		}
		decode(k, pick)
		samples := pr.samples(pick)
		// At most allowed rows may reach what the best one needs.
		if pr.exceed(samples, math.Nextafter(pr.reached, math.Inf(-1))) > pr.allowed {
			continue
		}
		values := pr.bounded(samples)
		largestFirst(pr.ranked, values, pr.allowed+1)
		pr.reached = values[pr.ranked[pr.allowed]]
		copy(pr.best, pick)
		found = true
	}
	if found {
		pr.check(slices.Clone(pr.best))
	}
	return found
}

// cheaper moves to the feasible configuration of the layer with the lowest
// objective, if that is lower than the best one so far.
func (pr *probe) cheaper(layer []string) bool {
	type candidate struct {
		key   string
		bound float64 // of the objective, from below
	}
	var candidates []candidate
	pick := make([]int, len(pr.best))
	for _, k := range layer {
		if pr.ctx.Err() != nil {
			return false
		}
		if pr.broken[k] {
			continue
		}
		decode(k, pick)
		if bound := pr.bound(pick); bound < pr.worth*(1-roundingError) {
			candidates = append(candidates, candidate{k, bound})
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int {
		switch {
		case a.bound < b.bound:
			return -1
		case a.bound > b.bound:
			return 1
		}
		return 0
	})
	found := false
	for _, c := range candidates {
		if pr.ctx.Err() != nil || c.bound >= pr.worth*(1-roundingError) {
			break
		}
		decode(c.key, pick)
		samples := pr.samples(pick)
		violations := pr.exceed(samples, pr.problem.Bound.Limit)
		if violations > pr.allowed {
			pr.broken[c.key] = true
			continue
		}
		if worth := pr.objective(samples); worth < pr.worth*(1-roundingError) {
			pr.worth, pr.violations, found = worth, violations, true
			copy(pr.best, pick)
		}
	}
	return found
}

// roundingError is the relative difference below which two means are equal.
const roundingError = 1e-12

// samples returns the columns of a configuration; the slice is reused.
func (pr *probe) samples(pick []int) []*sample {
	for i := range pick {
		pr.current[i] = pr.sample(pick, i)
	}
	return pr.current
}

func (pr *probe) sample(pick []int, i int) *sample {
	p := pr.problem
	choices := p.Space.Choices(i)
	at, input := pick[i], 0
	if parent := pr.inputs[i]; parent >= 0 {
		r := pr.grid.at[parent][pick[parent]]
		at += r * len(choices)
		input = pr.grid.rungs[parent][r].parallelism
	}
	s := &pr.columns[i][at]
	if s.bounded != nil {
		return s
	}
	n := p.Scenarios.Len()
	s.bounded = make([]float64, n)
	latency, cost := pr.scratch[0], pr.scratch[1]
	p.Scenarios.Columns(i, choices[pick[i]], input, latency, cost)
	if p.Bound.Metric == Latency {
		s.mean = pr.arrange(s.bounded, latency, cost)
		return s
	}
	s.objective = make([]float64, n)
	s.mean = pr.arrange(s.bounded, cost, latency)
	for row, k := range pr.rows {
		s.objective[row] = latency[k]
	}
	return s
}

// arrange brings values into the order of the rows and returns the mean of the
// objective.
func (pr *probe) arrange(dst, values, objective []float64) float64 {
	sum := 0.0
	for row, s := range pr.rows {
		dst[row] = values[s]
		sum += objective[row]
	}
	return sum / float64(len(dst))
}

// exceed counts the rows whose bounded metric is above the limit, and stops
// counting once there are too many.
func (pr *probe) exceed(samples []*sample, limit float64) int {
	return pr.eval.over(pr.problem.Bound.Metric, pr.boundedOf(samples), 0, len(pr.rows), limit, pr.allowed)
}

func (pr *probe) boundedOf(samples []*sample) [][]float64 {
	for i, s := range samples {
		pr.figures[i] = s.bounded
	}
	return pr.figures
}

// bounded returns the bounded metric of every row; the slice is reused.
func (pr *probe) bounded(samples []*sample) []float64 {
	return pr.fill(pr.problem.Bound.Metric, pr.boundedOf(samples))
}

// objective returns the mean objective of a configuration.
func (pr *probe) objective(samples []*sample) float64 {
	sum := 0.0
	if pr.problem.Objective() == Cost {
		for _, s := range samples {
			sum += s.mean
		}
		return sum
	}
	for i, s := range samples {
		pr.figures[i] = s.objective
	}
	for _, v := range pr.fill(Latency, pr.figures) {
		sum += v
	}
	return sum / float64(len(pr.rows))
}

// fill returns a metric of every row; the slice is reused.
func (pr *probe) fill(m Metric, figures [][]float64) []float64 {
	values := pr.scratch[0]
	for from := 0; from < len(values); from += block {
		size := min(block, len(values)-from)
		copy(values[from:], pr.eval.at(m, figures, from, size))
	}
	return values
}

// bound returns a lower bound of the mean objective: it itself for cost, the
// longest path of mean latencies for latency (the mean of a maximum is at
// least the maximum of the means).
func (pr *probe) bound(pick []int) float64 {
	sum := 0.0
	for i := range pick {
		pr.stages[i] = pr.sample(pick, i).mean
		sum += pr.stages[i]
	}
	if pr.problem.Objective() == Cost {
		return sum
	}
	return pr.problem.Workflow().Latency(pr.stages)
}

// key names a configuration.
func key(pick []int) string { return string(encode(nil, pick)) }

// encode appends four bytes per stage to b.
func encode(b []byte, pick []int) []byte {
	for _, j := range pick {
		b = binary.LittleEndian.AppendUint32(b, uint32(j))
	}
	return b
}

// decode reads what encode wrote.
func decode(k string, pick []int) {
	for i := range pick {
		k := k[4*i:]
		pick[i] = int(k[0]) | int(k[1])<<8 | int(k[2])<<16 | int(k[3])<<24
	}
}
