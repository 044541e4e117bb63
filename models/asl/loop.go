package asl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// copied is one copy of a state in an unrolled graph.
type copied struct {
	state *State
	round string // iterations of the loops around it, as "2.1", the outermost first; empty: the first of all
	next  []int
	ends  bool // the graph may end here
}

// loop is a natural loop: all transitions back to one state, its head, and the
// states on ways from the head to them.
type loop struct {
	head *State
	body map[*State]bool
	runs int
}

// unroll returns the copies of the states of a graph that are reached without
// errors, those that lead to a copy before it, the start first. It is nil
// where a loop cannot be unrolled.
func (l *lowering) unroll(g *Graph) []copied {
	loops, ok := l.findLoops(g)
	if !ok {
		return nil
	}
	// A copy is a state with the iteration of every loop around it.
	type key struct {
		state *State
		at    string
	}
	index := make(map[key]int)
	var copies []copied
	var order []int
	var visit func(s *State, rounds []int) int
	visit = func(s *State, rounds []int) int {
		k := key{s, fmt.Sprint(rounds)}
		if i, ok := index[k]; ok {
			return i
		}
		i := len(copies)
		index[k] = i
		copies = append(copies, copied{state: s, round: roundOf(rounds), ends: len(s.Successors(false)) == 0})
		if len(copies) > 4*maxStages {
			return i
		}
		var next []int
		for _, to := range slices.Backward(s.Successors(false)) { // so that the first way comes first in the end
			inner := slices.Clone(rounds)
			past := false
			for j, lp := range loops {
				switch {
				case !lp.body[to]:
					inner[j] = 0
				case to == lp.head && lp.body[s]: // once more
					inner[j]++
					past = past || inner[j] > lp.runs
				case !lp.body[s]: // entered
					inner[j] = 1
				}
			}
			if past {
				continue
			}
			// An outer loop that goes round starts its inner loops anew.
			for j, lp := range loops {
				if lp.body[to] && inner[j] == 0 {
					inner[j] = 1
				}
			}
			if k := visit(to, inner); !slices.Contains(next, k) {
				next = append(next, k)
			}
		}
		copies[i].next = next
		order = append(order, i)
		return i
	}
	start := make([]int, len(loops))
	for j, lp := range loops {
		if lp.body[g.Start] {
			start[j] = 1
		}
	}
	visit(g.Start, start)
	if len(copies) > 4*maxStages {
		l.fail(g.Start, "its graph unrolls to more than %d states", 4*maxStages)
		return nil
	}
	slices.Reverse(order) // reverse postorder: parents first
	at := make([]int, len(copies))
	for place, i := range order {
		at[i] = place
	}
	sorted := make([]copied, 0, len(copies))
	for _, i := range order {
		c := copies[i]
		for k := range c.next {
			c.next[k] = at[c.next[k]]
		}
		sorted = append(sorted, c)
	}
	return sorted
}

// roundOf names the iterations of the loops around a state: those that are not
// around it are 0.
func roundOf(rounds []int) string {
	var parts []string
	later := false
	for _, r := range rounds {
		if r > 0 {
			parts = append(parts, strconv.Itoa(r))
			later = later || r > 1
		}
	}
	if !later {
		return ""
	}
	return strings.Join(parts, ".")
}

// findLoops finds the loops of a graph and how often they run, outer loops first.
// It fails where one cannot be told.
func (l *lowering) findLoops(g *Graph) ([]loop, bool) {
	var heads []*State
	back := make(map[*State][]*State)
	status := make(map[*State]int)
	into := make(map[*State][]*State)
	var walk func(s *State)
	walk = func(s *State) {
		status[s] = 1
		for _, to := range s.Successors(false) {
			into[to] = append(into[to], s)
			switch status[to] {
			case 0:
				walk(to)
			case 1:
				if back[to] == nil {
					heads = append(heads, to)
				}
				back[to] = append(back[to], s)
			}
		}
		status[s] = 2
	}
	walk(g.Start)
	ok := true
	var loops []loop
	for _, head := range heads {
		lp := loop{head: head, body: map[*State]bool{head: true}}
		queue := slices.Clone(back[head])
		for ; len(queue) > 0; queue = queue[1:] {
			if s := queue[0]; !lp.body[s] {
				lp.body[s] = true
				queue = append(queue, into[s]...)
			}
		}
		// All ways into the body are followed back up to the head: one that
		// does not pass the head leads to the start of the graph.
		if lp.body[g.Start] && head != g.Start {
			l.fail(head, "the loop back to this state is entered elsewhere too; it cannot be unrolled")
			ok = false
			continue
		}
		var names []string
		for _, s := range g.Nodes {
			if lp.body[s] {
				names = append(names, s.Name)
			}
		}
		way := strings.Join(names, ", ")
		given := ""
		for _, s := range g.Nodes {
			if n, named := l.o.Loops[s.ID]; named && lp.body[s] && (given == "" || s == head) {
				lp.runs, given = n, s.ID
			}
		}
		switch {
		case given != "":
		case !holdsFunction(g.Nodes, lp.body): // it polls: nothing to unroll
			lp.runs = 1
			l.loops = append(l.loops, fmt.Sprintf("the loop over %s invokes no function; leave room for it in the bound", way))
			loops = append(loops, lp)
			continue
		default:
			lp.runs = l.runsOf(lp)
		}
		if lp.runs < 1 {
			l.fail(head, "the loop over %s has no recorded count; give recorded executions, or how often it runs", way)
			ok = false
			continue
		}
		l.loops = append(l.loops, fmt.Sprintf("the loop over %s is unrolled to %d rounds, and counts as if all of them ran", way, lp.runs))
		loops = append(loops, lp)
	}
	slices.SortStableFunc(loops, func(a, b loop) int { return len(b.body) - len(a.body) })
	return loops, ok
}

// holdsFunction reports whether one of the states of a body, or of a graph
// inside, invokes a function.
func holdsFunction(states []*State, body map[*State]bool) bool {
	return slices.ContainsFunc(states, func(s *State) bool {
		return (body == nil || body[s]) && (s.Lambda || slices.ContainsFunc(s.Graphs(), func(g *Graph) bool { return holdsFunction(g.Nodes, nil) }))
	})
}

// maxRuns bounds how often a loop is unrolled.
const maxRuns = 100

// runsOf returns how often a loop runs at most in the share of entries that is
// asked for, 0 where the odds are not known, maxRuns where it is more.
func (l *lowering) runsOf(lp loop) int {
	again := 1.0
	for run := range maxRuns {
		p, ok := l.returns(lp, run)
		if !ok {
			return 0
		}
		if again *= p; again <= 1-l.o.Share {
			return run + 1
		}
	}
	return maxRuns
}

// returns gives the probability of coming back to the head of a loop in its
// given round, from 0, by the odds of a Choice at that visit. Inner loops are
// gone through until the rest is negligible.
func (l *lowering) returns(lp loop, round int) (p float64, ok bool) {
	at := map[*State]float64{lp.head: 1}
	const negligible = 1e-9
	for step := 0; step < 10_000; step++ {
		next := make(map[*State]float64)
		rest := 0.0
		for _, s := range l.m.States() { // in a fixed order
			mass := at[s]
			if mass == 0 {
				continue
			}
			to := s.Successors(false)
			share := []float64{1}
			if len(to) > 1 {
				odds, known := l.b.Choices[s.ID]
				if !known {
					return 0, false
				}
				share = odds.shares(odds.At(round), to)
			}
			for k, t := range to {
				switch {
				case t == lp.head:
					p += mass * share[k]
				case lp.body[t]:
					next[t] += mass * share[k]
					rest += mass * share[k]
				}
			}
		}
		if at = next; rest < negligible {
			break
		}
	}
	return p, true
}

// expectedVisits returns how often every state is visited per execution, by
// the odds over all visits; it is 0 for states behind a Choice or Map of which
// nothing is known.
func expectedVisits(m *Machine, b *Behaviour) map[*State]float64 {
	visits := make(map[*State]float64)
	var walk func(g *Graph, entries float64)
	walk = func(g *Graph, entries float64) {
		at := map[*State]float64{g.Start: entries}
		total := make(map[*State]float64)
		for step := 0; step < 10_000; step++ {
			next := make(map[*State]float64)
			rest := 0.0
			for _, s := range g.Nodes {
				mass := at[s]
				if mass == 0 {
					continue
				}
				total[s] += mass
				to := s.Successors(false)
				share := []float64{1}
				if len(to) > 1 {
					odds, known := b.Choices[s.ID]
					if !known {
						continue
					}
					share = odds.shares(odds.Pooled(), to)
				}
				for k, t := range to {
					next[t] += mass * share[k]
					rest += mass * share[k]
				}
			}
			if at = next; rest < 1e-13*entries {
				break
			}
		}
		for _, s := range g.Nodes {
			visits[s] += total[s]
			for _, branch := range s.Branches {
				walk(branch, total[s])
			}
			if s.Items != nil {
				width := float64(max(0, s.Items.Known))
				if w, ok := b.Widths[s.ID]; ok {
					width = w.Mean()
				}
				walk(&s.Items.Processor, total[s]*width)
			}
		}
	}
	walk(&m.Graph, 1)
	return visits
}
