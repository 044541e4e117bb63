package solvers

import (
	"slices"
)

// item is one choice of a stage during the search.
type item struct {
	choice      int
	parallelism int
	mean        float64   // what the choice adds to the objective, or to a lower bound of it; see search.linear
	bounded     []float64 // the bounded metric, per scenario
	objective   []float64 // the objective's metric, per scenario; nil where it is cost
}

// list is the choices that a stage has left, the best mean objective first.
type list struct {
	items []item
	floor [][]float64 // floor[j]: elementwise minimum of bounded over items[:j+1]; made when first asked for

	// priced[m]: elementwise minimum of bounded + multiplier*(mean - first
	// mean) over all items, for the search's multiplier m; made when first
	// asked for.
	priced [][]float64
}

// pricedBy returns the priced minimum for multiplier m of the search.
func (l *list) pricedBy(multipliers []float64, m, rows int) []float64 {
	if l.priced == nil {
		l.priced = make([][]float64, len(multipliers))
	}
	if l.priced[m] != nil {
		return l.priced[m]
	}
	l.priced[m] = l.price(multipliers[m], rows)
	return l.priced[m]
}

// price returns the elementwise minimum of bounded + multiplier*(mean - first
// mean) over all items, for the leading rows.
func (l *list) price(multiplier float64, rows int) []float64 {
	out := slices.Clone(l.items[0].bounded[:rows])
	for _, it := range l.items[1:] {
		extra := multiplier * (it.mean - l.items[0].mean)
		for k, v := range it.bounded[:len(out)] {
			out[k] = min(out[k], v+extra)
		}
	}
	return out
}

// floorOf returns the best bounded value of the first j items, scenario by
// scenario.
func (l *list) floorOf(j int) []float64 {
	if j == 1 {
		return l.items[0].bounded
	}
	if len(l.floor) < len(l.items) {
		l.floor = make([][]float64, len(l.items))
		l.floor[0] = l.items[0].bounded
	}
	// Floors are made in ascending order, each from the nearest below.
	from := j - 1
	for l.floor[from] == nil {
		from--
	}
	if from == j-1 {
		return l.floor[from]
	}
	out := slices.Clone(l.floor[from])
	for _, it := range l.items[from+1 : j] {
		for k, v := range it.bounded[:len(out)] {
			out[k] = min(out[k], v)
		}
	}
	l.floor[j-1] = out
	return out
}

// listKey names a list: a stage, the interval its parallelism is in, and the
// index of its input parallelism, -1 while that is open.
type listKey struct{ stage, lo, hi, input int }

// list returns the choices of a stage with parallelism lo to hi.
func (s *search) list(key listKey) *list {
	if l, ok := s.lists[key]; ok {
		return l
	}
	l := &list{}
	for j, c := range s.space.Choices(key.stage) {
		if c.Parallelism < key.lo || c.Parallelism > key.hi || s.dead[key.stage][j] {
			continue
		}
		it := s.item(key.stage, j, key.input)
		it.parallelism = c.Parallelism
		l.items = append(l.items, it)
	}
	slices.SortStableFunc(l.items, func(a, b item) int {
		switch {
		case a.mean < b.mean:
			return -1
		case a.mean > b.mean:
			return 1
		}
		return 0
	})
	if key.input >= 0 {
		l.items = s.undominated(key.stage, l.items)
	}
	s.lists[key] = l
	return l
}

// item returns choice j of stage i with the given input; with input -1 it takes
// the best value over all inputs, scenario by scenario.
func (s *search) item(i, j, input int) item {
	choices := len(s.space.Choices(i))
	if input >= 0 {
		return s.itemOf(i, input*choices+j, j)
	}
	best := s.itemOf(i, j, j)
	best.bounded = slices.Clone(best.bounded)
	for k := 1; k < max(1, len(s.table.inputs[i])); k++ {
		other := s.itemOf(i, k*choices+j, j)
		best.mean = min(best.mean, other.mean)
		for x, v := range other.bounded {
			best.bounded[x] = min(best.bounded[x], v)
		}
	}
	return best
}

// itemOf returns column c of stage i as an item.
func (s *search) itemOf(i, c, choice int) item {
	col := &s.table.columns[i][c]
	it := item{choice: choice, mean: s.linear[i][c], bounded: col.latency}
	if s.metric == Cost {
		it.bounded, it.objective = col.cost, col.latency
	}
	return it
}

// undominated drops every item that an earlier one (of lower or equal mean)
// beats in each scenario and can replace.
func (s *search) undominated(stage int, items []item) []item {
	var kept []item
	for _, b := range items {
		dominated := false
		for _, a := range kept {
			if s.replaceable(stage, b.parallelism, a.parallelism) && nowhereAbove(a.bounded, b.bounded) &&
				(s.reach || nowhereAbove(a.objective, b.objective)) {
				dominated = true
				break
			}
		}
		if !dominated {
			kept = append(kept, b)
		}
	}
	return kept
}

// replaceable reports whether parallelism a can stand for b in every admissible
// configuration, as far as other stages see it.
func (s *search) replaceable(stage, b, a int) bool {
	if a == b {
		return true
	}
	if s.read[stage] {
		return false
	}
	for _, r := range s.space.Rules() {
		switch {
		case r.Equal && (r.Stage == stage || r.Of == stage):
			return false
		case r.Stage == stage && a > b, r.Of == stage && a < b:
			return false
		}
	}
	return true
}

// nowhereAbove reports whether a <= b in every scenario.
func nowhereAbove(a, b []float64) bool {
	for k, v := range a {
		if !(v <= b[k]) {
			return false
		}
	}
	return true
}
