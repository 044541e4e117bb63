package solvers

import (
	"context"
	"math"
	"slices"

	"eevee/models"
)

// lattice is a configuration of the artifact: for every stage, the indices of
// its parallelism and of its vCPU in the artifact's grids, a byte each.
type lattice [2 * artifactStages]byte

// artifactStages is the number of stages of the largest workflow that the
// artifact knows.
const artifactStages = 8

func (l lattice) d(i int) int { return int(l[2*i]) }
func (l lattice) v(i int) int { return int(l[2*i+1]) }

// compatProbe is the artifact's probe: breadth-first searches over its grids
// that share the set of configurations already seen.
type compatProbe struct {
	*compat
	ctx     context.Context
	rows    *models.Scenarios // those that are worst at the start in front
	seen    map[lattice]struct{}
	columns [][]compatColumn // per stage: [(input * len(V) + v) * len(D) + d]; made when first met
	inputs  []int            // per stage: the one whose parallelism it depends on, -1 for none
	bounded []bool           // per stage: whether the bounded metric counts it
	values  []float64
	ranked  []int
	one     [2][]float64
	place   float64 // of the percentile among the values, from 0 to 1
}

// compatColumn is what one stage does: under one configuration, and one
// parallelism that it reads from.
type compatColumn struct {
	known   bool      // central and worth
	central float64   // bounded metric at the mean parameters; 0 where the stage does not count
	worth   float64   // objective at the mean parameters
	bounded []float64 // per row; nil until it is asked for
}

func (c *compat) newProbe(ctx context.Context) *compatProbe {
	p := c.problem
	w, n := p.Workflow(), p.Scenarios.Len()
	pr := &compatProbe{
		compat: c, ctx: ctx, rows: p.Scenarios, seen: make(map[lattice]struct{}),
		values: make([]float64, n), ranked: indices(n), place: 1 - p.Bound.Risk(), one: [2][]float64{make([]float64, 1), make([]float64, 1)},
	}
	for i := range c.Stages {
		parent, inputs := -1, 1
		if p.Scenarios.ReadsInput(i) {
			if parent = w.InputParent(i); parent >= 0 {
				inputs = len(c.D)
			}
		}
		pr.inputs = append(pr.inputs, parent)
		pr.columns = append(pr.columns, make([]compatColumn, inputs*len(c.V)*len(c.D)))
		pr.bounded = append(pr.bounded, p.Bound.Metric == Cost || slices.Contains(c.path, i))
	}
	return pr
}

// run searches until a configuration is feasible or a search finds nothing
// better, and then once more. It is false if the context ended.
func (pr *compatProbe) run(l lattice) (lattice, bool) {
	pr.percentile(l)
	worst := make([]int32, len(pr.values))
	for row, s := range descending(pr.values) {
		worst[row] = int32(s)
	}
	pr.rows = pr.problem.Scenarios.Select(worst)
	for _, columns := range pr.columns {
		for k := range columns {
			columns[k].bounded = nil
		}
	}
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
	pr.seen[start] = struct{}{}
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
	step := func(coordinate, least, most int) {
		from := l[coordinate]
		for _, k := range [2]int{int(from) + 1, int(from) - 1} {
			if k < least || k > most {
				continue
			}
			next := l
			next[coordinate] = byte(k)
			if _, seen := pr.seen[next]; !seen {
				pr.seen[next] = struct{}{}
				to = append(to, next)
			}
		}
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
		c := pr.meet(l, i)
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
	h := pr.place * float64(n-1)
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
		for i, counts := range pr.bounded {
			if counts {
				for row, v := range pr.column(l, i).bounded[from:to] {
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

// meet returns what stage i does at the mean parameters, and what of it counts:
// all costs, and latencies on the critical path.
func (pr *compatProbe) meet(l lattice, i int) *compatColumn {
	at := l.v(i)*len(pr.D) + l.d(i)
	if parent := pr.inputs[i]; parent >= 0 {
		at += l.d(parent) * len(pr.V) * len(pr.D)
	}
	c := &pr.columns[i][at]
	if c.known {
		return c
	}
	config, input := pr.configure(l, i)
	latency, cost := pr.one[0], pr.one[1]
	pr.central.Columns(i, config, input, latency, cost)
	c.known, c.central, c.worth = true, latency[0], cost[0]
	if pr.problem.Bound.Metric == Cost {
		c.central, c.worth = cost[0], latency[0]
	}
	if !slices.Contains(pr.path, i) {
		if pr.problem.Bound.Metric == Cost {
			c.worth = 0
		} else {
			c.central = 0
		}
	}
	return c
}

// column is meet with what a stage that counts does in every row.
func (pr *compatProbe) column(l lattice, i int) *compatColumn {
	c := pr.meet(l, i)
	if c.bounded != nil {
		return c
	}
	c.bounded = make([]float64, len(pr.values))
	config, input := pr.configure(l, i)
	if pr.problem.Bound.Metric == Latency {
		pr.rows.Columns(i, config, input, c.bounded, nil)
	} else {
		pr.rows.Columns(i, config, input, nil, c.bounded)
	}
	return c
}

// configure returns the configuration of stage i and the parallelism of its
// input. Stages that cannot be split have one instance.
func (pr *compatProbe) configure(l lattice, i int) (c models.StageConfig, input int) {
	w := pr.problem.Workflow()
	instances := func(i int) int {
		if !w.Stage(i).Splittable() {
			return 1
		}
		return pr.D[l.d(i)]
	}
	if parent := w.InputParent(i); parent >= 0 {
		input = instances(parent)
	}
	return pr.stage(instances(i), pr.V[l.v(i)]), input
}
