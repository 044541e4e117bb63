package solvers

import (
	"cmp"
	"slices"

	"eevee/models"
)

// columns are the figures of single stages, scenario by scenario, in the order
// of hardness: the scenarios that break the bound first lead. A column is one
// choice of a stage under one value of the input parallelism; columns are
// computed when they are first asked for, and most of them for the leading
// scenarios only.
type columns struct {
	problem   *Problem
	scenarios *models.Scenarios // hardest first
	leading   *models.Scenarios // the hard ones of them
	n, hard   int
	stages    []stageColumns
	budget    int // how many more numbers may be kept
}

// stageColumns are the columns of a stage: those of its choices under the first
// input, then under the second, and so on.
type stageColumns struct {
	choices []models.StageConfig
	inputs  []int // values of the input parallelism; one where it does not matter
	parent  int   // the stage whose parallelism that is; -1 where it does not matter
	figures map[Metric][]figures
}

// figures are those of one column.
type figures struct {
	hard []float64 // of the leading scenarios
	all  []float64
}

// The memory that exact takes: for columns, and for what it makes of them for
// lists of choices, at most this much each. What does not fit is computed again
// when it is asked for.
const (
	maxBytes = 256 << 20
	maxKept  = 192 << 20 / 8
)

// MaxMemory is how many bytes a search of Exact takes at most, apart from two
// copies of the draws in the order of the search.
const MaxMemory = 512 << 20

// Memory returns how many bytes Exact takes at most to solve a problem, beside
// the problem itself.
func (Exact) Memory(p *Problem) int64 {
	columns := 0
	t := newColumns(p, 0)
	for _, s := range t.stages {
		columns += len(s.inputs) * len(s.choices)
	}
	n := int64(p.Scenarios.Len())
	tables := min(maxBytes, 8*int64(columns)*2*n)
	lists := min(8*maxKept, 8*int64(columns)*8*n)
	mixture := 2 * 8 * int64(len(t.stages)) * n
	return tables + lists + mixture + int64(len(t.stages))*2*64*n
}

// newColumns prepares the columns of a problem, in the order of its scenarios.
func newColumns(p *Problem, hard int) *columns {
	w := p.Workflow()
	t := &columns{problem: p, scenarios: p.Scenarios, leading: p.Scenarios, n: p.Scenarios.Len(), hard: hard, budget: maxBytes / 8}
	for i := range w.Len() {
		s := stageColumns{choices: p.Space.Choices(i), inputs: []int{0}, parent: -1}
		if parent := w.InputParent(i); parent >= 0 && p.Scenarios.ReadsInput(i) {
			s.parent, s.inputs = parent, parallelisms(p.Space.Choices(parent))
		}
		s.figures = make(map[Metric][]figures, 2)
		for _, m := range []Metric{Latency, Cost} {
			s.figures[m] = make([]figures, len(s.inputs)*len(s.choices))
		}
		t.stages = append(t.stages, s)
	}
	return t
}

// order puts the scenarios with the largest values first.
func (t *columns) order(values []float64) {
	rows := make([]int32, len(values))
	for i := range rows {
		rows[i] = int32(i)
	}
	slices.SortFunc(rows, func(a, b int32) int {
		if va, vb := values[a], values[b]; va != vb {
			return cmp.Compare(vb, va)
		}
		return int(a - b)
	})
	t.scenarios = t.scenarios.Select(rows)
	t.leading = t.scenarios
	t.budget = maxBytes / 8
	if t.hard < t.n {
		first := make([]int32, t.hard)
		for k := range first {
			first[k] = int32(k)
		}
		t.leading = t.scenarios.Select(first)
	}
	t.permute(rows)
}

// permute puts the columns that are there in a new order.
func (t *columns) permute(rows []int32) {
	was := make([]float64, t.n)
	for i := range t.stages {
		for _, m := range []Metric{Latency, Cost} {
			for c, f := range t.stages[i].figures[m] {
				if f.all != nil {
					copy(was, f.all)
					for k, r := range rows {
						f.all[k] = was[r]
					}
					t.budget -= t.n
				}
				t.stages[i].figures[m][c].hard = nil
			}
		}
	}
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

// leadingOf returns the metric of a column in the leading scenarios.
func (t *columns) leadingOf(m Metric, i, c int) []float64 {
	f := &t.stages[i].figures[m][c]
	switch {
	case f.hard != nil:
		return f.hard
	case f.all != nil:
		return f.all[:t.hard]
	}
	hard := t.compute(t.leading, m, i, c)
	if t.budget >= t.hard {
		t.budget -= t.hard
		f.hard = hard
	}
	return hard
}

// allOf returns the metric of a column in every scenario.
func (t *columns) allOf(m Metric, i, c int) []float64 {
	f := &t.stages[i].figures[m][c]
	if f.all != nil {
		return f.all
	}
	all := t.compute(t.scenarios, m, i, c)
	if t.budget >= t.n {
		t.budget -= t.n
		f.all = all
	}
	return all
}

func (t *columns) compute(of *models.Scenarios, m Metric, i, c int) []float64 {
	values := make([]float64, of.Len())
	choice, in := t.choice(i, c)
	if m == Latency {
		of.Columns(i, choice, in, values, nil)
	} else {
		of.Columns(i, choice, in, nil, values)
	}
	return values
}

// leadingUnder returns the metric of every stage under a configuration, in the
// leading scenarios.
func (t *columns) leadingUnder(m Metric, pick []int) [][]float64 {
	cols := make([][]float64, len(pick))
	for i := range pick {
		cols[i] = t.leadingOf(m, i, t.columnOf(i, pick))
	}
	return cols
}

// allUnder returns the metric of every stage under a configuration.
func (t *columns) allUnder(m Metric, pick []int) [][]float64 {
	cols := make([][]float64, len(pick))
	for i := range pick {
		cols[i] = t.allOf(m, i, t.columnOf(i, pick))
	}
	return cols
}

// weigh returns the weighted sum of a metric of every column, over the leading
// scenarios or all of them. There is one list of weights per stage; nil stands
// for means.
func (t *columns) weigh(leading bool, m Metric, weights [][]float64) [][]float64 {
	sums := make([][]float64, len(t.stages))
	of := t.scenarios
	if leading {
		of = t.leading
	}
	for i := range t.stages {
		sums[i] = make([]float64, len(t.stages[i].figures[m]))
		var w []float64
		if weights != nil {
			w = weights[i]
		}
		latency, cost := of.Linear(i)
		switch {
		case m == Latency && latency:
			f := of.WeighLatency(i, w)
			for c := range sums[i] {
				sums[i][c] = f(t.choice(i, c))
			}
		case m == Cost && cost:
			f := of.WeighCost(i, w)
			for c := range sums[i] {
				sums[i][c] = f(t.choice(i, c))
			}
		default:
			// Columns are kept for the next sum.
			column := t.allOf
			if leading {
				column = t.leadingOf
			}
			for c := range sums[i] {
				sums[i][c] = models.Weigh(w, column(m, i, c))
			}
		}
	}
	return sums
}

// total adds up the values of the columns of a configuration.
func (t *columns) total(values [][]float64, pick []int) float64 {
	sum := 0.0
	for i := range pick {
		sum += values[i][t.columnOf(i, pick)]
	}
	return sum
}
