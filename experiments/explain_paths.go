package experiments

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"eevee/models"
	"eevee/solvers"
)

// anatomy is a configuration taken apart: what every stage does in every
// scenario, and which of them are on the longest path.
type anatomy struct {
	problem       *solvers.Problem
	latency, cost [][]float64 // per stage and scenario, s and USD
	until, after  [][]float64 // longest way from a source to the end of a stage, and from there to a sink
	path          []int32     // per scenario: which of seen is the longest path
	seen          [][]int     // paths, from source to sink
	decides       []bool      // per scenario
	deciders      int
}

func newAnatomy(p *solvers.Problem, c models.Config) *anatomy {
	w, n := p.Workflow(), p.Scenarios.Len()
	a := &anatomy{problem: p, path: make([]int32, n), decides: make([]bool, n)}
	for i := range c {
		latency, cost := make([]float64, n), make([]float64, n)
		p.Scenarios.Columns(i, c[i], w.InputParallelism(c, i), latency, cost)
		a.latency, a.cost = append(a.latency, latency), append(a.cost, cost)
	}
	// A model may draw a latency below zero, so that the longest way is not
	// simply the one with most stages, and no way ends before a sink.
	longest := func(to []float64, of []int, length func(k, s int) float64) {
		for s := range to {
			for j, k := range of {
				if v := length(k, s); j == 0 || v > to[s] {
					to[s] = v
				}
			}
		}
	}
	a.until, a.after = make([][]float64, len(c)), make([][]float64, len(c))
	for i := range c {
		a.until[i], a.after[i] = make([]float64, n), make([]float64, n)
		longest(a.until[i], w.Parents(i), func(k, s int) float64 { return a.until[k][s] })
		for s := range n {
			a.until[i][s] += a.latency[i][s]
		}
	}
	for i := len(c) - 1; i >= 0; i-- {
		longest(a.after[i], w.Children(i), func(k, s int) float64 { return a.latency[k][s] + a.after[k][s] })
	}
	index := map[string]int32{}
	for s := range n {
		way := a.longest(s)
		key := fmt.Sprint(way)
		at, ok := index[key]
		if !ok {
			at = int32(len(a.seen))
			index[key], a.seen = at, append(a.seen, way)
		}
		a.path[s] = at
	}
	return a
}

// longest returns the longest path of scenario s.
func (a *anatomy) longest(s int) []int {
	w := a.problem.Workflow()
	latest := func(stages []int) int {
		at := stages[0]
		for _, i := range stages[1:] {
			if a.until[i][s] > a.until[at][s] {
				at = i
			}
		}
		return at
	}
	at := latest(w.Sinks())
	way := []int{at}
	for len(w.Parents(at)) > 0 {
		at = latest(w.Parents(at))
		way = append(way, at)
	}
	slices.Reverse(way)
	return way
}

// deciding marks the count scenarios with the largest values.
func (a *anatomy) deciding(values []float64, count int) {
	order := make([]int, len(values))
	for s := range order {
		order[s] = s
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(values[y], values[x]) })
	for _, s := range order[:count] {
		a.decides[s] = true
	}
	a.deciders = count
}

// paths returns the paths that are the longest in some scenario, those first
// that are it most often where it matters, and how many are not listed.
func (a *anatomy) paths() (list []PathShare, more int) {
	n := float64(len(a.path))
	for _, way := range a.seen {
		share := PathShare{}
		for _, i := range way {
			share.Stages = append(share.Stages, a.problem.Workflow().Stage(i).Name)
		}
		list = append(list, share)
	}
	for s, k := range a.path {
		list[k].Longest += 1 / n
		if a.decides[s] {
			list[k].Deciding += 1 / float64(a.deciders)
		}
	}
	slices.SortStableFunc(list, func(x, y PathShare) int {
		return cmp.Or(cmp.Compare(y.Deciding, x.Deciding), cmp.Compare(y.Longest, x.Longest), slices.Compare(x.Stages, y.Stages))
	})
	if len(list) > mostPaths {
		list, more = list[:mostPaths], len(list)-mostPaths
	}
	return list, more
}

// stages returns the part of every stage, without what is best otherwise.
func (a *anatomy) stages(s *Setup, c models.Config, allowed int) []StageShare {
	list := make([]StageShare, len(c))
	configured := ConfigStages(a.problem.Workflow(), c)
	s.standings(configured, c)
	n := float64(len(a.path))
	for i := range list {
		list[i] = StageShare{
			ResultStage: configured[i], MeanS: solvers.Mean(a.latency[i]), MeanUSD: solvers.Mean(a.cost[i]),
			Spare: spare(a.problem.Bound.Metric, a.spare(i, allowed)),
		}
	}
	for s, k := range a.path {
		for _, i := range a.seen[k] {
			list[i].Critical += 1 / n
			if a.decides[s] {
				list[i].Deciding += 1 / float64(a.deciders)
			}
		}
	}
	return list
}

// spare returns how much more stage i can take in every scenario while at most
// the allowed number exceeds the limit. A scenario that exceeds it already has
// nothing to spare, one in which the stage is off the longest path has more.
func (a *anatomy) spare(i, allowed int) float64 {
	w, limit := a.problem.Workflow(), a.problem.Bound.Limit
	negative := make([]float64, len(a.path)) // minus what is left, so that the largest come first
	for s := range negative {
		total, through := 0.0, 0.0
		if a.problem.Bound.Metric == solvers.Latency {
			total = math.Inf(-1)
			for _, sink := range w.Sinks() {
				total = max(total, a.until[sink][s])
			}
			through = a.until[i][s] + a.after[i][s]
		} else {
			for k := range a.cost {
				total += a.cost[k][s]
			}
			through = total
		}
		if negative[s] = through - limit; !(total <= limit) {
			negative[s] = math.Inf(1)
		}
	}
	return max(0, -solvers.OrderStatistic(negative, allowed))
}
