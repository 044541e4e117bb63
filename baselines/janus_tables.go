package baselines

import (
	"math"
	"slices"
	"sort"
)

// janusOption is one way to run an element: a size of a function, or a share
// of the budget for branches.
type janusOption struct {
	cpu   float64 // vCPU, over all instances
	worst int     // cells of time, at the worst percentile
	early []int   // cells of time, at the explored percentiles; nil: at the worst one only
}

// janusTable is the condensed hints for one element: between starts[k] and
// starts[k+1] cells of remaining budget, option[k] is best. Less than
// starts[0] is a miss.
type janusTable struct {
	starts []int
	option []int
}

// lookup returns the option for a remaining budget by binary search, -1 for a
// miss.
func (t janusTable) lookup(budget int) int {
	k := sort.SearchInts(t.starts, budget+1) - 1
	if k < 0 {
		return -1
	}
	return t.option[k]
}

// condense merges consecutive budgets with the same option into ranges; -1 is
// no option, which only the smallest budgets can have.
func condense(option []int) (t janusTable) {
	for budget, o := range option {
		if o >= 0 && (len(t.option) == 0 || t.option[len(t.option)-1] != o) {
			t.starts = append(t.starts, budget)
			t.option = append(t.option, o)
		}
	}
	return t
}

// janusHints is what the synthesiser knows about a series: its tables, one per
// element, and what its own composition needs.
type janusHints struct {
	options [][]janusOption // per element
	tables  []janusTable    // per element
	total   [][]float64     // per element: CPU planned for it and all after it, by budget; +Inf: none fits
	cheap   []float64       // CPU to end within so many cells at the worst percentile; +Inf: none
}

// synthesise makes the hints for elements with the given options, for budgets
// of 0 to cells. For the head of every sub-workflow, the rest is planned at
// the worst percentile. A percentile at which the head is planned is admitted
// only if what the head may be late, its timeout, can be won back by scaling
// the rest up, its resilience. Going from the back to the front,
//
//	exact[x] = least CPU of the rest that is planned to take exactly x
//
// so that both conditions are a window of x: from timeout plus the time of the
// fastest rest, up to what the head leaves of the budget.
func synthesise(options [][]janusOption, cells int, headWeight float64) *janusHints {
	n := len(options)
	h := &janusHints{
		options: options, tables: make([]janusTable, n), total: make([][]float64, n),
	}
	exact := slices.Repeat([]float64{math.Inf(1)}, cells+1)
	exact[0] = 0
	rest := 0 // cells of the fastest rest
	for e := n - 1; e >= 0; e-- {
		h.head(e, exact, rest, headWeight)
		fastest := cells + 1 // or more: does not fit into any budget
		next := slices.Repeat([]float64{math.Inf(1)}, cells+1)
		for _, o := range options[e] {
			fastest = min(fastest, o.worst)
			for x := o.worst; x <= cells; x++ {
				next[x] = min(next[x], exact[x-o.worst]+o.cpu)
			}
		}
		exact = next
		rest += fastest
	}
	h.cheap = exact
	for x := 1; x <= cells; x++ {
		h.cheap[x] = min(h.cheap[x], h.cheap[x-1])
	}
	return h
}

// head fills the table of element e, given the rest after it.
func (h *janusHints) head(e int, exact []float64, rest int, weight float64) {
	cells := len(exact) - 1
	best := slices.Repeat([]float64{math.Inf(1)}, cells+1)
	option := slices.Repeat([]int{-1}, cells+1)
	for k, o := range h.options[e] {
		early := o.early
		if early == nil {
			early = []int{o.worst}
		}
		for _, planned := range early {
			least := math.Inf(1)
			for x := rest + max(0, o.worst-planned); x+planned <= cells; x++ {
				least = min(least, exact[x])
				if v := weight*o.cpu + least; v < best[x+planned] {
					best[x+planned], option[x+planned] = v, k
				}
			}
		}
	}
	h.tables[e], h.total[e] = condense(option), best
}

// shares returns the options of branches that run side by side: to give all of
// them the same share of the budget, which is worth it where some of them can
// do with less CPU. The time of the whole is that of the slowest branch.
func shares(branches []*janusHints, cells int) (options []janusOption) {
	before := math.Inf(1)
	for x := range cells + 1 {
		cpu := 0.0
		for _, b := range branches {
			cpu += b.cheap[x]
		}
		if cpu < before {
			options = append(options, janusOption{cpu: cpu, worst: x})
			before = cpu
		}
	}
	return options
}
