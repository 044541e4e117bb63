package asl

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Counts says how often things were seen in one execution of a machine that
// ended well: successful invocations by function, or, where the log names the
// state, visits by state ID.
type Counts struct {
	Functions map[string]int
	States    map[string]int
}

// Learned is what Learn found.
type Learned struct {
	Behaviour
	Executions   int      // that were used
	Inconsistent int      // that no way through the machine explains; left out
	Notes        []string // what could not be estimated, and why
}

// Learn estimates the odds of every Choice and the widths of every Map from
// recorded executions.
//
// What goes into a state comes out of it: visits and transitions satisfy a
// system of linear equations (start and end of every graph, branches as often
// as their Parallel), and recorded counts add one equation each. Where the
// system determines a transition, its number follows for every single
// execution; where it does not, because no recorded function tells two ways
// apart, a note says so and nothing is guessed.
//
// If the counts fix also the order in which a Choice took its ways (it was
// visited once, or it repeated a loop until it left it) the odds are kept by
// visit, else over all visits.
func Learn(m *Machine, executions []Counts) *Learned {
	l := &Learned{Behaviour: Behaviour{Schema: BehaviourSchema, Machine: m.Name, Choices: map[string]Odds{}, Widths: map[string]Widths{}}}
	if n := len(m.States()); n > maxLearned {
		l.Notes = append(l.Notes, fmt.Sprintf("%d states are too many to estimate ways from counts; %d are the most", n, maxLearned))
		return l
	}
	f := newFlow(m, executions)
	tallies := make(map[*State]*tally)
	widths := make(map[*State]map[int]int)
	vague := make(map[*State]bool)
	for _, e := range executions {
		x, ok := f.solve(e)
		if !ok {
			l.Inconsistent++
			continue
		}
		l.Executions++
		for _, s := range m.States() {
			switch s.Type {
			case Choice:
				t := tallies[s]
				if t == nil {
					t = newTally(s)
					tallies[s] = t
				}
				for k, to := range t.to {
					t.taken[k], ok = f.whole(x, f.edge[edge{s, to}])
					t.known = t.known && ok
				}
				if t.known {
					entries, once := f.whole(x, f.entry[f.graphOf[s]])
					t.add(once && entries == 1)
				}
			case Map:
				visits, ok1 := f.whole(x, f.visit[s])
				items, ok2 := f.whole(x, f.entry[&s.Items.Processor])
				switch {
				case !ok1 || !ok2 || visits > 1 && items%visits != 0:
					vague[s] = true
				case visits > 0:
					if widths[s] == nil {
						widths[s] = make(map[int]int)
					}
					widths[s][items/visits] += visits
				}
			}
		}
	}
	if l.Executions == 0 {
		return l
	}
	for _, s := range m.States() {
		switch s.Type {
		case Choice:
			t := tallies[s]
			switch {
			case len(t.to) < 2:
			case !t.known:
				l.Notes = append(l.Notes, fmt.Sprintf("Choice %q: the recorded functions do not tell its ways apart", s.ID))
			case t.visits == 0:
				l.Notes = append(l.Notes, fmt.Sprintf("Choice %q: no recorded execution came to it", s.ID))
			default:
				l.Choices[s.ID] = t.odds()
			}
		case Map:
			switch {
			case s.Items.Known >= 0:
			case len(widths[s]) == 0:
				l.Notes = append(l.Notes, fmt.Sprintf("Map %q: the recorded functions do not say how many items it had", s.ID))
			default:
				l.Widths[s.ID] = widthsOf(widths[s])
				if vague[s] {
					l.Notes = append(l.Notes, fmt.Sprintf("Map %q: some executions do not say how many items it had; its widths are those of the others", s.ID))
				}
			}
		case Wait:
			if s.Dynamic {
				l.Notes = append(l.Notes, fmt.Sprintf("Wait %q: data decide how long it takes, and logs of functions do not say", s.ID))
			}
		}
	}
	return l
}

// maxLearned bounds the states of a machine that Learn takes: its system of
// equations has about three unknowns per state, and is solved densely.
const maxLearned = 600

func widthsOf(count map[int]int) Widths {
	w := Widths{Items: slices.Sorted(maps.Keys(count))}
	for _, n := range count {
		w.N += n
	}
	for _, items := range w.Items {
		w.P = append(w.P, float64(count[items])/float64(w.N))
	}
	return w
}

// tally counts the ways that a Choice took.
type tally struct {
	to      []*State
	back    []bool // whether the way comes back to the Choice
	known   bool   // the counts determine every way in every execution
	ordered bool   // and also in which order
	visits  int
	taken   []int   // in the execution at hand
	pooled  []int   // over all visits
	byVisit [][]int // visit, way
}

func newTally(s *State) *tally {
	t := &tally{to: s.Successors(false), known: true, ordered: true}
	for _, to := range t.to {
		t.back = append(t.back, comesTo(to, s))
	}
	t.taken, t.pooled = make([]int, len(t.to)), make([]int, len(t.to))
	return t
}

// comesTo reports whether some way leads from one state to another of its
// graph.
func comesTo(from, to *State) bool {
	seen := map[*State]bool{from: true}
	for queue := []*State{from}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == to {
			return true
		}
		for _, s := range queue[0].Successors(false) {
			if !seen[s] {
				seen[s] = true
				queue = append(queue, s)
			}
		}
	}
	return false
}

// add counts one execution. once says that the Choice's graph was entered once.
func (t *tally) add(once bool) {
	visits, repeats, left := 0, -1, -1
	clear := once
	for k, n := range t.taken {
		visits += n
		t.pooled[k] += n
		switch {
		case n == 0:
		case t.back[k]:
			clear = clear && repeats < 0
			repeats = k
		default:
			clear = clear && left < 0 && n == 1
			left = k
		}
	}
	t.visits += visits
	t.ordered = t.ordered && (clear || visits == 0)
	if !t.ordered {
		return
	}
	for k := range visits {
		if k == len(t.byVisit) {
			t.byVisit = append(t.byVisit, make([]int, len(t.to)))
		}
		way := repeats
		if k == visits-1 && left >= 0 {
			way = left
		}
		t.byVisit[k][way]++
	}
}

// enoughVisits is the number of recorded visits from which odds are kept for
// one visit alone: with fewer, the visit shares its odds with all later ones.
const enoughVisits = 30

func (t *tally) odds() Odds {
	var o Odds
	for _, to := range t.to {
		o.To = append(o.To, to.Name)
	}
	add := func(count []int) {
		n := 0
		for _, c := range count {
			n += c
		}
		row := make([]float64, len(count))
		for i, c := range count {
			row[i] = float64(c) / float64(n)
		}
		o.P, o.N = append(o.P, row), append(o.N, n)
	}
	if !t.ordered {
		add(t.pooled)
		return o
	}
	for k, count := range t.byVisit {
		rest := make([]int, len(count))
		n := 0
		for _, later := range t.byVisit[k+1:] {
			for i, c := range later {
				rest[i] += c
				n += c
			}
		}
		if n >= enoughVisits || n == 0 {
			add(count)
			continue
		}
		for i := range count {
			rest[i] += count[i]
		}
		add(rest)
		break
	}
	return o
}

// edge is a transition between two states of a graph.
type edge struct{ from, to *State }

// flow is the linear system of visits and transitions. Its unknowns are
// numbered: visits of states, entries of graphs, transitions. Every unknown
// that the recorded counts determine is known as a linear function of them.
type flow struct {
	visit   map[*State]int
	entry   map[*Graph]int
	edge    map[edge]int
	graphOf map[*State]*Graph
	seen    []observed // what the counts are of, in the order of the columns
	rows    [][]float64
	pivot   []int // row of every unknown; -1: not determined
	idle    []int // rows that only bind counts: they must come out as 0
	unknown int
}

// observed is one count: of a function, or of a state.
type observed struct{ function, state string }

func newFlow(m *Machine, executions []Counts) *flow {
	f := &flow{visit: map[*State]int{}, entry: map[*Graph]int{}, edge: map[edge]int{}, graphOf: map[*State]*Graph{}}
	next := func() int { f.unknown++; return f.unknown - 1 }
	var number func(g *Graph)
	number = func(g *Graph) {
		f.entry[g] = next()
		for _, s := range g.Nodes {
			f.graphOf[s], f.visit[s] = g, next()
			for _, to := range s.Successors(false) {
				f.edge[edge{s, to}] = next()
			}
			for _, inner := range s.Graphs() {
				number(inner)
			}
		}
	}
	number(&m.Graph)
	f.observe(m, executions)

	add := func(set func(row []float64)) {
		row := make([]float64, f.unknown+len(f.seen)+1)
		set(row)
		f.rows = append(f.rows, row)
	}
	var bind func(g *Graph)
	bind = func(g *Graph) {
		into := make(map[*State][]int)
		for _, s := range g.Nodes {
			for _, to := range s.Successors(false) {
				into[to] = append(into[to], f.edge[edge{s, to}])
			}
		}
		for _, s := range g.Nodes {
			add(func(row []float64) { // visits come in
				row[f.visit[s]] = 1
				for _, e := range into[s] {
					row[e] = -1
				}
				if s == g.Start {
					row[f.entry[g]] = -1
				}
			})
			if out := s.Successors(false); len(out) > 0 { // and go out
				add(func(row []float64) {
					row[f.visit[s]] = 1
					for _, to := range out {
						row[f.edge[edge{s, to}]] = -1
					}
				})
			}
			for _, branch := range s.Branches {
				add(func(row []float64) { row[f.visit[s]], row[f.entry[branch]] = 1, -1 })
			}
			for _, inner := range s.Graphs() {
				bind(inner)
			}
		}
	}
	bind(&m.Graph)
	one := f.unknown + len(f.seen)
	add(func(row []float64) { row[f.entry[&m.Graph]], row[one] = 1, 1 })
	for k, o := range f.seen {
		add(func(row []float64) {
			row[f.unknown+k] = 1
			for _, s := range m.States() {
				if s.Type == Task && o.function != "" && s.Function == o.function || s.ID == o.state {
					row[f.visit[s]] = 1
				}
			}
		})
	}
	f.eliminate()
	return f
}

// observe lists what is counted: every function of the machine, since one that
// an execution's log does not have was not invoked in it, and every state that
// a log names.
func (f *flow) observe(m *Machine, executions []Counts) {
	functions, states := make(map[string]bool), make(map[string]bool)
	for _, e := range executions {
		for name := range e.Functions {
			functions[name] = true
		}
		for id := range e.States {
			states[id] = true
		}
	}
	if len(functions) > 0 {
		for _, s := range m.States() {
			if s.Function != "" {
				functions[s.Function] = true
			}
		}
	}
	for _, name := range sortedKeys(functions) {
		if slices.ContainsFunc(m.States(), func(s *State) bool { return s.Function == name }) {
			f.seen = append(f.seen, observed{function: name})
		}
	}
	for _, id := range sortedKeys(states) {
		if _, ok := m.Lookup(id); ok {
			f.seen = append(f.seen, observed{state: id})
		}
	}
}

// eliminate brings the rows into reduced echelon form (Gauss and Jordan). The
// coefficients are those of a network, small whole numbers that stay so.
func (f *flow) eliminate() {
	const zero = 1e-9
	rank := 0
	at := make([]int, 0, len(f.rows))
	for col := 0; col < f.unknown && rank < len(f.rows); col++ {
		best := rank
		for r := rank + 1; r < len(f.rows); r++ {
			if math.Abs(f.rows[r][col]) > math.Abs(f.rows[best][col]) {
				best = r
			}
		}
		if math.Abs(f.rows[best][col]) < zero {
			continue
		}
		f.rows[rank], f.rows[best] = f.rows[best], f.rows[rank]
		pivot := f.rows[rank]
		scale := pivot[col]
		for k := col; k < len(pivot); k++ {
			pivot[k] /= scale
		}
		for r, row := range f.rows {
			if factor := row[col]; r != rank && math.Abs(factor) > zero {
				for k := col; k < len(row); k++ {
					row[k] -= factor * pivot[k]
				}
			}
		}
		at = append(at, col)
		rank++
	}
	f.pivot = slices.Repeat([]int{-1}, f.unknown)
	for r, row := range f.rows {
		if r >= rank {
			f.idle = append(f.idle, r)
			continue
		}
		alone := true
		for k, x := range row[:f.unknown] {
			alone = alone && (k == at[r] || math.Abs(x) < zero)
		}
		if alone {
			f.pivot[at[r]] = r
		}
	}
}

// countError is how far a number that follows from counts may be from a whole
// one, for rounding.
const countError = 1e-6

// solve returns the right-hand side of every row for one execution, and
// whether the counts agree with some way through the machine.
func (f *flow) solve(e Counts) (x []float64, ok bool) {
	x = make([]float64, len(f.rows))
	one := f.unknown + len(f.seen)
	for r, row := range f.rows {
		sum := row[one]
		for k, o := range f.seen {
			n := e.Functions[o.function]
			if o.state != "" {
				n = e.States[o.state]
			}
			sum += row[f.unknown+k] * float64(n)
		}
		x[r] = sum
	}
	for _, r := range f.idle {
		if math.Abs(x[r]) > countError {
			return nil, false
		}
	}
	for _, r := range f.pivot {
		if r >= 0 && (x[r] < -countError || math.Abs(x[r]-math.Round(x[r])) > countError) {
			return nil, false
		}
	}
	return x, true
}

// whole returns the value of an unknown, if it is determined.
func (f *flow) whole(x []float64, unknown int) (int, bool) {
	if r := f.pivot[unknown]; r >= 0 {
		return int(math.Round(x[r])), true
	}
	return 0, false
}
