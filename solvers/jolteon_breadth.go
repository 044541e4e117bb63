package solvers

import (
	"context"
	"math"
	"slices"
)

// lattice is a configuration of the artifact: for every stage, the indices of
// its parallelism and of its vCPU in the artifact's grids, a byte each.
type lattice string

func (l lattice) d(i int) int { return int(l[2*i]) }
func (l lattice) v(i int) int { return int(l[2*i+1]) }

// compatProbe is the artifact's probe: breadth-first searches over its grids
// that share the set of configurations already seen.
type compatProbe struct {
	*compat
	ctx     context.Context
	rows    []int // scenario of every row: those that are worst at the start in front
	seen    map[lattice]bool
	columns map[columnOf]*compatColumn
	values  []float64
	ranked  []int
}

// columnOf names what one stage does: its configuration and the parallelism it
// reads from.
type columnOf struct {
	stage, d, v, input int
}

type compatColumn struct {
	bounded []float64 // per row; nil where the stage does not count
	central float64   // bounded metric at the mean parameters
	worth   float64   // objective at the mean parameters
}

func (c *compat) newProbe(ctx context.Context) *compatProbe {
	n := c.problem.Scenarios.Len()
	return &compatProbe{
		compat: c, ctx: ctx, seen: make(map[lattice]bool), columns: make(map[columnOf]*compatColumn),
		values: make([]float64, n), ranked: indices(n), rows: indices(n),
	}
}

// run searches until a configuration is feasible or a search finds nothing
// better, and then once more. It is false if the context ended.
func (pr *compatProbe) run(l lattice) (lattice, bool) {
	pr.percentile(l)
	pr.rows = descending(pr.values)
	clear(pr.columns)
	for pr.ctx.Err() == nil && !(pr.percentile(l) < 0) {
		next := pr.breadth(l)
		if next == l {
			break
		}
		l = next
	}
	l = pr.breadth(l)
	return l, pr.ctx.Err() == nil
}

// breadth is one breadth-first search. It starts from the constraint at the
// mean parameters, which the percentiles of the others are compared with; a
// feasible configuration replaces the best one only if it is cheaper and
// closer to the bound.
func (pr *compatProbe) breadth(start lattice) lattice {
	best := start
	reached, worth := pr.atMean(start)
	layer := []lattice{start}
	pr.seen[start] = true
	for depth := 0; depth <= pr.Depth; depth++ {
		var next []lattice
		for _, l := range layer {
			if pr.ctx.Err() != nil {
				return best
			}
			_, cheap := pr.atMean(l)
			switch {
			case reached >= 0:
				if cons, ok := pr.between(l, math.Inf(-1), reached); ok {
					best, reached, worth = l, cons, cheap
				}
			case cheap < worth:
				if cons, ok := pr.between(l, reached, 0); ok {
					best, reached, worth = l, cons, cheap
				}
			}
			if depth < pr.Depth {
				next = pr.neighbours(l, next)
			}
		}
		layer = next
	}
	return best
}

// neighbours appends the configurations not yet seen that are one step away in
// a coordinate that the artifact probes; a parallelism of 1 is never stepped
// to.
func (pr *compatProbe) neighbours(l lattice, to []lattice) []lattice {
	at := []byte(l)
	step := func(coordinate, least, most int) {
		from := at[coordinate]
		for _, k := range [2]int{int(from) + 1, int(from) - 1} {
			if k < least || k > most {
				continue
			}
			at[coordinate] = byte(k)
			if !pr.seen[lattice(at)] {
				next := lattice(at)
				pr.seen[next] = true
				to = append(to, next)
			}
		}
		at[coordinate] = from
	}
	for i, s := range pr.Stages {
		for _, what := range s.Probe {
			if what == "d" {
				step(2*i, 1, len(pr.D)-1)
			} else {
				step(2*i+1, 0, len(pr.V)-1)
			}
		}
	}
	return to
}

// atMean returns constraint and objective at the mean parameters.
func (pr *compatProbe) atMean(l lattice) (constraint, worth float64) {
	for i := range pr.Stages {
		c := pr.column(l, i)
		constraint += c.central
		worth += c.worth
	}
	return (constraint - pr.problem.Bound.Limit) / pr.unit, worth / pr.compat.worth
}

// percentile returns the percentile of the constraint over the scenarios.
func (pr *compatProbe) percentile(l lattice) float64 {
	cons, _ := pr.between(l, math.Inf(-1), math.Inf(1))
	return cons
}

// between returns the percentile of the constraint over the scenarios, by the
// estimator of NumPy, and whether it lies strictly between lo and hi;
// where counting tells that it does not, it is not computed.
func (pr *compatProbe) between(l lattice, lo, hi float64) (cons float64, ok bool) {
	n := len(pr.values)
	h := (1 - pr.problem.Bound.Risk()) * float64(n-1)
	low := int(math.Floor(h))
	above := n - 1 - low // how many stand above element low in ascending order
	limit := pr.problem.Bound.Limit
	over := hi*pr.unit + limit
	enough := above + 2 // one more than need be, for rounding
	reach := 0
	for from := 0; from < n; from += rowBlock {
		to := min(from+rowBlock, n)
		values := pr.values[from:to]
		clear(values)
		for i := range pr.Stages {
			if c := pr.column(l, i); c.bounded != nil {
				for row, v := range c.bounded[from:to] {
					values[row] += v
				}
			}
		}
		for _, v := range values {
			if v >= over {
				reach++
			}
		}
		if reach >= enough {
			return math.NaN(), false
		}
	}
	under, count := lo*pr.unit+limit, 0
	for _, v := range pr.values {
		if v > under {
			count++
		}
	}
	if count < above-1 {
		return math.NaN(), false
	}
	largestFirst(pr.ranked, pr.values, above+1)
	q := pr.values[pr.ranked[above]]
	if share := h - float64(low); share > 0 && above > 0 {
		next := math.Inf(1)
		for _, s := range pr.ranked[:above] {
			next = min(next, pr.values[s])
		}
		q += share * (next - q)
	}
	cons = (q - limit) / pr.unit
	return cons, lo < cons && cons < hi
}

// rowBlock is how many rows are looked at before asking whether they decide.
const rowBlock = 256

// column returns what stage i does, and what of it counts: all costs, and
// latencies on the critical path.
func (pr *compatProbe) column(l lattice, i int) *compatColumn {
	p := pr.problem
	w := p.Workflow()
	of := columnOf{stage: i, d: l.d(i), v: l.v(i)}
	input := 0
	if parent := w.InputParent(i); parent >= 0 {
		if input = pr.D[l.d(parent)]; !w.Stage(parent).Splittable() {
			input = 1
		}
	}
	if p.Scenarios.ReadsInput(i) {
		of.input = input
	}
	if c, ok := pr.columns[of]; ok {
		return c
	}
	config := pr.stage(pr.D[of.d], pr.V[of.v])
	if !w.Stage(i).Splittable() {
		config.Parallelism = 1
	}
	n := p.Scenarios.Len()
	latency, cost := make([]float64, n), make([]float64, n)
	p.Scenarios.Columns(i, config, input, latency, cost)
	meanLatency, meanCost := make([]float64, 1), make([]float64, 1)
	pr.central.Columns(i, config, input, meanLatency, meanCost)
	if !slices.Contains(pr.path, i) {
		latency, meanLatency[0] = nil, 0
	}
	c, values := &compatColumn{central: meanLatency[0], worth: meanCost[0]}, latency
	if p.Bound.Metric == Cost {
		c, values = &compatColumn{central: meanCost[0], worth: meanLatency[0]}, cost
	}
	if values != nil {
		c.bounded = make([]float64, n)
		for row, s := range pr.rows {
			c.bounded[row] = values[s]
		}
	}
	pr.columns[of] = c
	return c
}
