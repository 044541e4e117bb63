package solvers

import (
	"cmp"
	"math"
	"slices"
)

// item is one choice of a stage during the search.
type item struct {
	choice      int
	parallelism int
	mean        float64   // what the choice adds to the objective, or to a lower bound of it; see search.linear
	bounded     []float64 // the bounded metric, in the leading scenarios
}

// list is the choices that a stage has left, the best mean objective first.
type list struct {
	items []item
	floor [][]float64 // floor[j]: elementwise minimum of bounded over items[:j+1]; made when first asked for

	latency [][]float64 // latency[j]: elementwise minimum of the latency in all scenarios over items[:j]; made when first asked for

	// priced[m] is what the stage adds to the relaxation of price m of the
	// search, and under it those that read its parallelism; made when first
	// asked for. The zero made by a share of 0 is nil.
	priced   [][]float64
	isPriced []bool
}

// pricedBy returns the elementwise minimum over all items of
//
//	share*bounded + multiplier*(mean - first mean)
//
// for price m of the search, share being what counts of the stage. Where
// stages read the parallelism of this one, and the relaxation is a sum, their
// minima under that of the item are added, so that nothing is lost by looking
// at stages one by one.
func (s *search) pricedBy(key listKey, m int) []float64 {
	l := s.list(key)
	if l.priced == nil {
		l.priced, l.isPriced = make([][]float64, len(s.prices)), make([]bool, len(s.prices))
	}
	if !l.isPriced[m] {
		l.priced[m], l.isPriced[m] = s.priceList(key.stage, l, m), true
	}
	return l.priced[m]
}

func (s *search) priceList(stage int, l *list, m int) []float64 {
	p := s.prices[m]
	share := 1.0
	if p.flow != nil {
		share = p.flow[stage]
	}
	readers := s.readers[stage]
	if p.flow == nil && s.metric == Latency {
		readers = nil // a path is not a sum
	}
	if len(readers) == 0 {
		if share == 0 {
			return nil
		}
		return lowest(nil, l.items, share, p.multiplier, l.items[0].mean)
	}
	var out []float64
	for _, level := range byParallelism(l.items) {
		under := lowest(nil, level, share, p.multiplier, l.items[0].mean)
		open := true
		for _, reader := range readers {
			input := s.table.input(reader, level[0].parallelism)
			key := listKey{reader, s.lo[reader], s.hi[reader], input}
			given := s.list(key)
			if len(given.items) == 0 {
				open = false
				break
			}
			add := p.multiplier * (given.items[0].mean - s.openMean(reader))
			priced := s.pricedBy(key, m)
			for k := range under {
				under[k] += add
			}
			for k, v := range priced {
				under[k] += v
			}
		}
		switch {
		case !open:
		case out == nil:
			out = under
		default:
			for k, v := range under {
				out[k] = min(out[k], v)
			}
		}
	}
	if out == nil { // no configuration is left
		return slices.Repeat([]float64{math.Inf(1)}, len(l.items[0].bounded))
	}
	return out
}

// openMean returns the best mean of a stage whatever it reads.
func (s *search) openMean(stage int) float64 {
	l := s.list(listKey{stage, s.lo[stage], s.hi[stage], -1})
	if len(l.items) == 0 {
		return math.Inf(1)
	}
	return l.items[0].mean
}

// lowest returns the elementwise minimum of share*bounded + multiplier*(mean -
// first) over items.
func lowest(out []float64, items []item, share, multiplier, first float64) []float64 {
	for j, it := range items {
		extra := multiplier * (it.mean - first)
		if j == 0 {
			out = make([]float64, len(it.bounded))
			for k, v := range it.bounded {
				out[k] = share*v + extra
			}
			continue
		}
		for k, v := range it.bounded[:len(out)] {
			if v = share*v + extra; v < out[k] {
				out[k] = v
			}
		}
	}
	return out
}

// byParallelism groups items of equal parallelism.
func byParallelism(items []item) [][]item {
	sorted := slices.Clone(items)
	slices.SortStableFunc(sorted, func(a, b item) int { return a.parallelism - b.parallelism })
	var groups [][]item
	for from := 0; from < len(sorted); {
		to := from + 1
		for to < len(sorted) && sorted[to].parallelism == sorted[from].parallelism {
			to++
		}
		groups = append(groups, sorted[from:to])
		from = to
	}
	return groups
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
	slices.SortStableFunc(l.items, func(a, b item) int { return cmp.Compare(a.mean, b.mean) })
	if key.input >= 0 && (s.reach || s.probed) {
		l.items = s.undominated(key.stage, key.input, l.items)
	}
	s.lists[key] = l
	return l
}

// item returns choice j of stage i with the given input; with input -1 it takes
// the best value over all inputs, scenario by scenario.
func (s *search) item(i, j, input int) item {
	stage := &s.table.stages[i]
	if input >= 0 {
		return s.itemOf(i, input*len(stage.choices)+j, j)
	}
	best := s.itemOf(i, j, j)
	best.bounded = slices.Clone(best.bounded)
	for k := 1; k < len(stage.inputs); k++ {
		other := s.itemOf(i, k*len(stage.choices)+j, j)
		best.mean = min(best.mean, other.mean)
		for x, v := range other.bounded {
			best.bounded[x] = min(best.bounded[x], v)
		}
	}
	return best
}

// itemOf returns column c of stage i as an item.
func (s *search) itemOf(i, c, choice int) item {
	return item{choice: choice, mean: s.linear[i][c], bounded: s.table.leadingOf(s.metric, i, c)}
}

// undominated drops every item that an earlier one (of lower or equal mean)
// beats in each scenario and can replace. The columns are those of the given
// input.
func (s *search) undominated(stage, input int, items []item) []item {
	var kept []item
	first := input * len(s.table.stages[stage].choices)
	for _, b := range items {
		dominated := slices.ContainsFunc(kept, func(a item) bool {
			return s.replaceable(stage, b.parallelism, a.parallelism) && nowhereAbove(a.bounded, b.bounded) &&
				nowhereAbove(s.table.allOf(s.metric, stage, first+a.choice), s.table.allOf(s.metric, stage, first+b.choice)) &&
				(s.reach || s.metric == Latency ||
					nowhereAbove(s.table.allOf(Latency, stage, first+a.choice), s.table.allOf(Latency, stage, first+b.choice)))
		})
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
	if len(s.readers[stage]) > 0 {
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
