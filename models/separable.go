package models

import (
	"math"
	"slices"
)

// Separable minimises a sum over stages, value(stage, choice,
// inputParallelism), over the space. Stages that reads reports true for are
// given the parallelism of their input parent, the others 0. Where every
// configuration adds up to infinity so does the total, and the configuration
// means nothing.
func (s *Space) Separable(reads func(stage int) bool, value func(stage, choice, inputParallelism int) float64) (pick []int, total float64) {
	e := s.Elimination(reads)
	values := make([][]float64, len(s.choices))
	for i, list := range s.choices {
		for _, in := range e.Inputs(i) {
			for j := range list {
				values[i] = append(values[i], value(i, j, in))
			}
		}
	}
	return e.Minimise(values)
}

// Elimination minimises sums over stages: the relaxed problem that remains when
// a constraint across stages is priced into the objective. Rules, and stages
// that read their input parent's parallelism, link pairs of stages; those are
// minimised away one after the other (Bertele and Brioschi, Nonserial Dynamic
// Programming, 1972), the one with the fewest linked ones first, over values of
// the parallelism rather than choices. What does not depend on the sum is worked
// out once. An Elimination is not safe for concurrent use.
type Elimination struct {
	space  *Space
	inputs [][]int   // per stage: what Inputs returns
	parent []int     // per stage: the stage it reads the parallelism of, -1 for none
	levels [][]level // per stage: its choices by parallelism
	tables []table   // own values of every stage, then rules, then what steps leave behind
	best   [][]int32 // per stage: by input and level, the best choice
	steps  []step
}

// level is the choices [from, to) of a stage, which have one parallelism.
type level struct{ parallelism, from, to int }

// table is a function of the levels of some stages, the last one fastest.
type table struct {
	stages []int
	values []float64
}

// step minimises one stage away.
type step struct {
	stage  int
	others []int // the stages that the minimum depends on
	from   []operand
	to     int     // the table of the minimum
	choice []int32 // its levels
}

// operand is a table that a step adds up, with the distance in it between
// neighbouring levels of the step's stage and of its others.
type operand struct {
	table  int
	own    int
	others []int
}

// Elimination prepares the minimisation of sums over stages. Stages that reads
// reports true for depend on the parallelism of their input parent.
func (s *Space) Elimination(reads func(stage int) bool) *Elimination {
	n := len(s.choices)
	e := &Elimination{space: s, inputs: make([][]int, n), parent: make([]int, n), levels: make([][]level, n), best: make([][]int32, n)}
	for i, list := range s.choices {
		for j, c := range list {
			if k := len(e.levels[i]); k > 0 && e.levels[i][k-1].parallelism == c.Parallelism {
				e.levels[i][k-1].to = j + 1
			} else {
				e.levels[i] = append(e.levels[i], level{c.Parallelism, j, j + 1})
			}
		}
	}
	for i := range n {
		e.parent[i], e.inputs[i] = -1, []int{0}
		of := []int{i}
		if p := s.Workflow.InputParent(i); p >= 0 && reads(i) {
			e.parent[i], e.inputs[i] = p, nil
			for _, l := range e.levels[p] {
				e.inputs[i] = append(e.inputs[i], l.parallelism)
			}
			of = []int{p, i}
		}
		e.best[i] = make([]int32, len(e.inputs[i])*len(e.levels[i]))
		e.tables = append(e.tables, table{of, make([]float64, len(e.best[i]))})
	}
	for _, r := range s.rules {
		t := table{stages: []int{r.Stage, r.Of}}
		for _, a := range e.levels[r.Stage] {
			for _, b := range e.levels[r.Of] {
				v := 0.0
				if !r.Admits(a.parallelism, b.parallelism) {
					v = math.Inf(1)
				}
				t.values = append(t.values, v)
			}
		}
		e.tables = append(e.tables, t)
	}
	e.plan()
	return e
}

// plan fixes the order of the steps.
func (e *Elimination) plan() {
	open := make([]int, len(e.levels))
	used := make([]bool, len(e.tables), 2*len(e.tables))
	for i := range open {
		open[i] = i
	}
	linked := func(i int) (others []int, from []int) {
		for t := range e.tables {
			if used[t] || !slices.Contains(e.tables[t].stages, i) {
				continue
			}
			from = append(from, t)
			for _, o := range e.tables[t].stages {
				if o != i && !slices.Contains(others, o) {
					others = append(others, o)
				}
			}
		}
		slices.Sort(others)
		return others, from
	}
	for len(open) > 0 {
		next, fewest := 0, math.MaxInt
		for k, i := range open {
			if others, _ := linked(i); len(others) < fewest {
				next, fewest = k, len(others)
			}
		}
		s := step{stage: open[next], to: len(e.tables)}
		var from []int
		s.others, from = linked(s.stage)
		size := 1
		for _, o := range s.others {
			size *= len(e.levels[o])
		}
		for _, t := range from {
			used[t] = true
			o := operand{table: t, own: e.distance(t, s.stage)}
			for _, other := range s.others {
				o.others = append(o.others, e.distance(t, other))
			}
			s.from = append(s.from, o)
		}
		s.choice = make([]int32, size)
		e.tables = append(e.tables, table{s.others, make([]float64, size)})
		used = append(used, false)
		e.steps = append(e.steps, s)
		open = slices.Delete(open, next, next+1)
	}
}

// distance returns how far apart neighbouring levels of a stage are in a table.
func (e *Elimination) distance(t, stage int) int {
	distance := 1
	for k := len(e.tables[t].stages) - 1; k >= 0; k-- {
		if of := e.tables[t].stages[k]; of != stage {
			distance *= len(e.levels[of])
			continue
		}
		return distance
	}
	return 0
}

// Inputs returns the values of the input parallelism that stage i depends on,
// ascending; the single 0 where it does not.
func (e *Elimination) Inputs(i int) []int { return e.inputs[i] }

// Minimise returns the admissible configuration with the smallest sum of values,
// and the sum. The value of choice j of stage i under input parallelism
// Inputs(i)[k] is values[i][k*choices+j], choices being the number of choices
// of stage i; positive infinity rules it out. Where nothing is left the sum is
// infinite, and the configuration means nothing.
func (e *Elimination) Minimise(values [][]float64) (pick []int, total float64) {
	for i := range values {
		e.reduce(i, values[i])
	}
	for s := range e.steps {
		e.minimise(&e.steps[s])
		if len(e.steps[s].others) == 0 {
			total += e.tables[e.steps[s].to].values[0]
		}
	}
	at := make([]int, len(e.levels))
	pick = make([]int, len(e.levels))
	for k := len(e.steps) - 1; k >= 0; k-- {
		s := &e.steps[k]
		index := 0
		for _, o := range s.others {
			index = index*len(e.levels[o]) + at[o]
		}
		at[s.stage] = int(s.choice[index])
	}
	for i := range pick {
		in := 0
		if p := e.parent[i]; p >= 0 {
			in = at[p]
		}
		pick[i] = int(e.best[i][in*len(e.levels[i])+at[i]])
	}
	return pick, total
}

// reduce finds the best choice of stage i for every level and input.
func (e *Elimination) reduce(i int, values []float64) {
	k := 0
	for in := range e.inputs[i] {
		own := values[in*len(e.space.choices[i]):]
		for _, l := range e.levels[i] {
			best := l.from
			for j := l.from + 1; j < l.to; j++ {
				if own[j] < own[best] {
					best = j
				}
			}
			e.best[i][k], e.tables[i].values[k] = int32(best), own[best]
			k++
		}
	}
}

// minimise takes one step.
func (e *Elimination) minimise(s *step) {
	at := make([]int, len(s.others))
	start := make([]int, len(s.from))
	out := e.tables[s.to].values
	for index := range out {
		best, choice := math.Inf(1), 0
		for l := range e.levels[s.stage] {
			sum := 0.0
			for k, o := range s.from {
				sum += e.tables[o.table].values[start[k]+l*o.own]
			}
			if sum < best {
				best, choice = sum, l
			}
		}
		out[index], s.choice[index] = best, int32(choice)
		for x := len(at) - 1; x >= 0; x-- {
			at[x]++
			for k, o := range s.from {
				start[k] += o.others[x]
			}
			if at[x] < len(e.levels[s.others[x]]) {
				break
			}
			for k, o := range s.from {
				start[k] -= at[x] * o.others[x]
			}
			at[x] = 0
		}
	}
}

// connected returns the groups of stages that links connect, directly or
// through others, each ascending.
func connected(n int, links [][2]int) [][]int {
	group := make([]int, n)
	for i := range group {
		group[i] = i
	}
	for changed := true; changed; {
		changed = false
		for _, l := range links {
			if low := min(group[l[0]], group[l[1]]); group[l[0]] != low || group[l[1]] != low {
				group[l[0]], group[l[1]] = low, low
				changed = true
			}
		}
	}
	var groups [][]int
	for i := range group {
		var members []int
		for j := range group {
			if group[j] == i {
				members = append(members, j)
			}
		}
		if len(members) > 0 {
			groups = append(groups, members)
		}
	}
	return groups
}
