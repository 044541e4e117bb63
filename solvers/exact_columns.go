package solvers

import (
	"cmp"
	"math"
	"slices"

	"eevee/models"
)

// columns are the figures of single stages, scenario by scenario. Most of the
// search looks at the hardest scenarios only, those that break the bound first;
// the rest is asked at last.
type columns struct {
	problem *Problem
	n, hard int
	stages  []stageColumns
	all     *view // every scenario, in the order of the problem
	leading *view // the hard ones, hardest first
	tail    *view // the first of those, which stand for the hardest
	thin    *view // scenarios at equal distances, which stand for all
	room    *room // for what is kept
	views   []*view

	stop func() bool // whether sums need not be finished
}

// stageColumns says what the columns of a stage are: its choices under the first
// input, then under the second, and so on.
type stageColumns struct {
	choices []models.StageConfig
	inputs  []int // values of the input parallelism; one where it does not matter
	parent  int   // the stage whose parallelism that is; -1 where it does not matter
}

// Tests make these smaller, so that small problems take the ways of large ones.
var (
	thinnest   = 512  // how many scenarios stand for all, where there are twice as many
	largeSpace = 32.0 // logarithm of the number of configurations up to which a search is not large
	smallPart  = 12.0 // the same of what is left of a large one up to which that is not divided
)

// newColumns prepares the columns of a problem, before the order of its
// scenarios is known. Of them, hard lead, and the first tail stand for the
// hardest.
func newColumns(p *Problem, hard int) *columns {
	w := p.Workflow()
	t := &columns{problem: p, n: p.Scenarios.Len(), hard: hard, room: &room{maxBytes / 8}}
	for i := range w.Len() {
		s := stageColumns{choices: p.Space.Choices(i), inputs: []int{0}, parent: -1}
		if parent := w.InputParent(i); parent >= 0 && p.Scenarios.ReadsInput(i) {
			s.parent, s.inputs = parent, parallelisms(p.Space.Choices(parent))
		}
		t.stages = append(t.stages, s)
	}
	t.all = t.view(p.Scenarios)
	t.thin = t.all
	if thin := thinRows(t.n); thin < t.n {
		rows := make([]int32, thin)
		for k := range rows {
			rows[k] = int32(k * t.n / thin)
		}
		t.thin = t.view(p.Scenarios.Select(rows))
	}
	return t
}

// thinRows returns how many of n scenarios stand for all.
func thinRows(n int) int {
	if n < 2*thinnest {
		return n
	}
	return thinnest
}

// hardRows returns how many of n scenarios lead, of which so many may exceed a
// limit.
func hardRows(n, allowed int) int { return min(n, (3*(allowed+1)+block-1)/block*block) }

// order makes the scenarios with the largeSpace values the leading ones.
func (t *columns) order(values []float64, tail int) {
	values = slices.Clone(values)
	for k, v := range values {
		if v != v {
			values[k] = math.Inf(1) // a scenario without a number breaks every bound
		}
	}
	least := OrderStatistic(values, t.hard-1)
	rows := make([]int32, 0, t.hard)
	for k, v := range values {
		if v > least {
			rows = append(rows, int32(k))
		}
	}
	for k, v := range values {
		if v == least && len(rows) < t.hard {
			rows = append(rows, int32(k))
		}
	}
	slices.SortFunc(rows, func(a, b int32) int {
		if va, vb := values[a], values[b]; va != vb {
			return cmp.Compare(vb, va)
		}
		return int(a - b)
	})
	scenarios := t.problem.Scenarios.Select(rows)
	if t.leading == nil {
		t.leading = t.view(scenarios)
	} else {
		t.leading.show(scenarios)
	}
	t.tail = t.leading.beginning(tail)
}

// choice returns the choice that column c of stage i is of, and the input
// parallelism.
func (t *columns) choice(i, c int) (models.StageConfig, int) {
	s := &t.stages[i]
	return s.choices[c%len(s.choices)], s.inputs[c/len(s.choices)]
}

// columnOf returns the column of stage i under a configuration.
func (t *columns) columnOf(i int, pick []int) int {
	s := &t.stages[i]
	if s.parent < 0 {
		return pick[i]
	}
	return t.input(i, t.stages[s.parent].choices[pick[s.parent]].Parallelism)*len(s.choices) + pick[i]
}

// input returns the position of a value of the input parallelism of stage i.
func (t *columns) input(i, parallelism int) int {
	if t.stages[i].parent < 0 {
		return 0
	}
	k, ok := slices.BinarySearch(t.stages[i].inputs, parallelism)
	if !ok {
		panic("solvers: input parallelism outside the space")
	}
	return k
}

// total adds up the values of the columns of a configuration.
func (t *columns) total(values [][]float64, pick []int) float64 {
	sum := 0.0
	for i := range pick {
		sum += values[i][t.columnOf(i, pick)]
	}
	return sum
}
