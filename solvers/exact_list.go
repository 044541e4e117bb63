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
	column      int       // of the table; -1 for the best over all inputs
	bounded     []float64 // the bounded metric in the leading scenarios, where it is at hand; see search.boundedOf
}

// list is the choices that a stage has left, the best mean objective first.
type list struct {
	items []item
	floor [][]float64 // floor[j]: elementwise minimum of bounded over items[:j+1]; made when first asked for

	latency [][]float64 // latency[j]: elementwise minimum of the latency in all scenarios over items[:j]; made when first asked for
	thin    [][]float64 // the same in a few scenarios

	// priced[m] is what the stage adds to the relaxation of price m of the
	// search, and under it those that read its parallelism; made when first
	// asked for. The zero made by a share of 0 is nil.
	priced   [][]float64
	isPriced []bool

	// What the bounds beside the leading one make of the list; see there.
	beside map[floorKey][]float64
	paired map[pairedKey][]float64
	cut    float64
	isCut  bool
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
		s.kept += len(l.priced[m])
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
		return s.lowest(stage, l.items, share, p.multiplier, l.items[0].mean)
	}
	var out []float64
	for _, level := range byParallelism(l.items) {
		under, ok := s.readersUnder(stage, level[0].parallelism, m)
		if !ok {
			continue
		}
		own := s.lowest(stage, level, share, p.multiplier, l.items[0].mean)
		for k, v := range under {
			own[k] += v
		}
		if out == nil {
			out = own
			continue
		}
		for k, v := range own {
			out[k] = min(out[k], v)
		}
	}
	if out == nil { // no configuration is left
		return slices.Repeat([]float64{math.Inf(1)}, s.table.hard)
	}
	return out
}

// readersUnder returns what the stages that read the parallelism of one add to
// the relaxation of price m under a value of it, relative to their best means;
// nil where there are none. It reports false where one of them has no choice.
func (s *search) readersUnder(stage, parallelism, m int) (sum []float64, ok bool) {
	for _, reader := range s.readers[stage] {
		key := listKey{reader, s.lo[reader], s.hi[reader], s.table.input(reader, parallelism)}
		given := s.list(key)
		if len(given.items) == 0 {
			return nil, false
		}
		if sum == nil {
			sum = make([]float64, s.table.hard)
		}
		add := s.prices[m].multiplier * (given.items[0].mean - s.openMean(reader))
		for k := range sum {
			sum[k] += add
		}
		for k, v := range s.pricedBy(key, m) {
			sum[k] += v
		}
	}
	return sum, true
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
// first) over items of a stage.
func (s *search) lowest(stage int, items []item, share, multiplier, first float64) []float64 {
	out := make([]float64, s.table.hard)
	for j, it := range items {
		extra := 0.0
		if it.mean != first { // both may be infinite, under an input that nothing finite has
			extra = multiplier * (it.mean - first)
		}
		bounded := s.counted(stage, it, share)
		if j == 0 {
			for k, v := range bounded {
				out[k] = share*v + extra
			}
			continue
		}
		for k, v := range bounded {
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

// floorOf returns the best bounded value of the first j items of a stage's list,
// scenario by scenario.
func (s *search) floorOf(stage int, l *list, j int) []float64 {
	if j == 1 {
		return s.boundedOf(stage, l.items[0])
	}
	if len(l.floor) < len(l.items) {
		l.floor = make([][]float64, len(l.items))
	}
	// Each floor is made from the nearest below.
	from := j - 1
	for from > 0 && l.floor[from] == nil {
		from--
	}
	if from == j-1 {
		return l.floor[from]
	}
	out := l.floor[from]
	if from == 0 {
		out = s.boundedOf(stage, l.items[0])
	}
	out = slices.Clone(out)
	for _, it := range l.items[from+1 : j] {
		for k, v := range s.boundedOf(stage, it) {
			if v < out[k] {
				out[k] = v
			}
		}
	}
	l.floor[j-1] = out
	s.kept += len(out)
	return out
}

// boundedOf returns the bounded metric of an item in the leading scenarios.
func (s *search) boundedOf(stage int, it item) []float64 {
	if it.bounded != nil {
		return it.bounded
	}
	return s.table.leading.of(s.metric, stage, it.column)
}

// counted returns the bounded metric of an item for a relaxation in which a share
// of it counts: zeros where none does, since none of infinity is no number.
func (s *search) counted(stage int, it item, share float64) []float64 {
	if share != 0 {
		return s.boundedOf(stage, it)
	}
	if len(s.nothing) < s.table.hard {
		s.nothing = make([]float64, s.table.hard)
	}
	return s.nothing
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
	s.kept += 16 * len(s.space.Choices(key.stage))
	for j, c := range s.space.Choices(key.stage) {
		if c.Parallelism < key.lo || c.Parallelism > key.hi || s.dead[key.stage][j] {
			continue
		}
		l.items = append(l.items, s.item(key.stage, j, key.input))
	}
	slices.SortStableFunc(l.items, func(a, b item) int { return cmp.Compare(a.mean, b.mean) })
	s.lists[key] = l
	return l
}

// item returns choice j of stage i with the given input; with input -1 it takes
// the best value over all inputs, scenario by scenario.
func (s *search) item(i, j, input int) item {
	stage := &s.table.stages[i]
	if input >= 0 {
		c := input*len(stage.choices) + j
		return item{choice: j, parallelism: stage.choices[j].Parallelism, mean: s.linear[i][c], column: c}
	}
	best := item{choice: j, parallelism: stage.choices[j].Parallelism, mean: math.Inf(1), column: -1}
	for k := range stage.inputs {
		best.mean = min(best.mean, s.linear[i][k*len(stage.choices)+j])
	}
	best.bounded = s.overInputs[i][j]
	if best.bounded == nil {
		for k := range stage.inputs {
			other := s.table.leading.of(s.metric, i, k*len(stage.choices)+j)
			if k == 0 {
				best.bounded = slices.Clone(other)
				continue
			}
			for x, v := range other {
				if v < best.bounded[x] {
					best.bounded[x] = v
				}
			}
		}
		s.overInputs[i][j] = best.bounded
	}
	return best
}
