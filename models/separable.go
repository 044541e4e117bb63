package models

import (
	"fmt"
	"math"
	"slices"
)

// Separable minimises a sum over stages, value(stage, choice,
// inputParallelism), over the space: the relaxed problem that remains when a
// constraint across stages is priced into the objective. Stages that reads
// reports true for are given the parallelism of their input parent, the others
// 0. Stages are eliminated one after the other, over parallelism values.
func (s *Space) Separable(reads func(stage int) bool, value func(stage, choice, inputParallelism int) float64) (pick []int, total float64) {
	w := s.Workflow
	var links [][2]int
	for _, r := range s.rules {
		links = append(links, [2]int{r.Stage, r.Of})
	}
	for i := range w.Len() {
		if p := w.InputParent(i); p >= 0 && reads(i) {
			links = append(links, [2]int{i, p})
		}
	}
	pick = make([]int, w.Len())
	for _, group := range connected(w.Len(), links) {
		e := &elimination{space: s, group: group, links: links, reads: reads, value: value,
			d: make(map[int]int), memo: make(map[string]eliminated)}
		total += e.best(0).total
		e.follow(pick)
	}
	return pick, total
}

// elimination is the minimisation over one group of linked stages.
type elimination struct {
	space *Space
	group []int
	links [][2]int
	reads func(int) bool
	value func(stage, choice, in int) float64
	d     map[int]int // parallelism of the stages assigned so far
	memo  map[string]eliminated
}

type eliminated struct {
	total  float64
	choice int
}

func (e *elimination) best(k int) eliminated {
	if k == len(e.group) {
		return eliminated{}
	}
	key := e.key(k)
	if known, ok := e.memo[key]; ok {
		return known
	}
	i := e.group[k]
	in := 0
	if e.reads(i) {
		if p := e.space.Workflow.InputParent(i); p >= 0 {
			in = e.d[p]
		}
	}
	result := eliminated{math.Inf(1), -1}
	list := e.space.choices[i]
	for from := 0; from < len(list); {
		// Choices of equal parallelism stand together, and only the best of
		// them matters to what follows.
		to, best := from, from
		lowest := math.Inf(1)
		for ; to < len(list) && list[to].Parallelism == list[from].Parallelism; to++ {
			if v := e.value(i, to, in); v < lowest {
				lowest, best = v, to
			}
		}
		e.d[i] = list[from].Parallelism
		if e.space.admitsFirst(e.group[:k+1], e.d) {
			if total := lowest + e.best(k+1).total; total < result.total {
				result = eliminated{total, best}
			}
		}
		from = to
	}
	delete(e.d, i)
	e.memo[key] = result
	return result
}

// key names what the rest of the group depends on: the parallelism of assigned
// stages that are linked to open ones.
func (e *elimination) key(k int) string {
	key := fmt.Append(nil, k)
	for _, i := range e.group[:k] {
		if slices.ContainsFunc(e.links, func(l [2]int) bool {
			return l[0] == i && slices.Contains(e.group[k:], l[1]) || l[1] == i && slices.Contains(e.group[k:], l[0])
		}) {
			key = fmt.Appendf(key, " %d=%d", i, e.d[i])
		}
	}
	return string(key)
}

// follow writes the choices of the minimum into pick.
func (e *elimination) follow(pick []int) {
	for k, i := range e.group {
		c := e.best(k).choice
		if c < 0 {
			return
		}
		pick[i] = c
		e.d[i] = e.space.choices[i][c].Parallelism
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
