package solvers

import "eevee/models"

// view is a selection of the scenarios, with the columns that were computed on
// it so far. A column is one choice of a stage under one value of the input
// parallelism; it is computed when it is first asked for.
type view struct {
	table     *columns
	scenarios *models.Scenarios
	n         int
	whole     *view         // the one that this is the beginning of, which then holds the columns; else nil
	latency   [][][]float64 // per stage and column; nil where not computed yet
	cost      [][][]float64
	slabs     [][]float64 // that columns are cut from
	used      int         // columns cut so far
}

// slab is how many columns there is room made for at a time.
const slab = 16

func (t *columns) view(scenarios *models.Scenarios) *view {
	v := &view{table: t, scenarios: scenarios, n: scenarios.Len()}
	for _, s := range t.stages {
		v.latency = append(v.latency, make([][]float64, len(s.inputs)*len(s.choices)))
		v.cost = append(v.cost, make([][]float64, len(s.inputs)*len(s.choices)))
	}
	t.views = append(t.views, v)
	return v
}

// beginning returns the view of the first n scenarios of v. It is good until v
// shows others.
func (v *view) beginning(n int) *view {
	if n == v.n {
		return v
	}
	rows := make([]int32, n)
	for k := range rows {
		rows[k] = int32(k)
	}
	return &view{table: v.table, scenarios: v.scenarios.Select(rows), n: n, whole: v}
}

// show makes v a view of other scenarios, as many as before, in the room that
// the columns had.
func (v *view) show(scenarios *models.Scenarios) {
	v.scenarios, v.used = scenarios, 0
	for i := range v.latency {
		clear(v.latency[i])
		clear(v.cost[i])
	}
}

// of returns a metric of column c of stage i, scenario by scenario.
func (v *view) of(m Metric, i, c int) []float64 {
	if v.whole != nil {
		return v.whole.of(m, i, c)[:v.n]
	}
	figures := v.latency[i]
	if m == Cost {
		figures = v.cost[i]
	}
	if figures[c] != nil {
		return figures[c]
	}
	column, kept := v.take()
	choice, in := v.table.choice(i, c)
	if m == Latency {
		v.scenarios.Columns(i, choice, in, column, nil)
	} else {
		v.scenarios.Columns(i, choice, in, nil, column)
	}
	if kept {
		figures[c] = column
	}
	return column
}

// take returns room for a column, and whether it may be kept.
func (v *view) take() (column []float64, kept bool) {
	if v.used == slab*len(v.slabs) {
		if !v.table.room.take(slab * v.n) {
			return make([]float64, v.n), false
		}
		v.slabs = append(v.slabs, takeSlab(slab*v.n))
	}
	from := v.used % slab * v.n
	column = v.slabs[v.used/slab][from : from+v.n : from+v.n]
	v.used++
	return column, true
}

// under returns a metric of every stage under a configuration.
func (v *view) under(m Metric, pick []int) [][]float64 {
	cols := make([][]float64, len(pick))
	for i := range pick {
		cols[i] = v.of(m, i, v.table.columnOf(i, pick))
	}
	return cols
}

// weigh returns the weighted sum of a metric of every column. There is one list
// of weights per stage, one weight per scenario; nil stands for means. A search
// that is ended does not finish them: its caller has to ask.
func (v *view) weigh(m Metric, weights [][]float64) [][]float64 {
	t := v.table
	sums := make([][]float64, len(t.stages))
	for i, s := range t.stages {
		sums[i] = make([]float64, len(s.inputs)*len(s.choices))
		if t.stop != nil && t.stop() {
			continue
		}
		var w []float64
		if weights != nil {
			w = weights[i]
		}
		latency, cost := v.scenarios.Linear(i)
		switch {
		case m == Latency && latency:
			f := v.scenarios.WeighLatency(i, w)
			for c := range sums[i] {
				sums[i][c] = f(t.choice(i, c))
			}
		case m == Cost && cost:
			f := v.scenarios.WeighCost(i, w)
			for c := range sums[i] {
				sums[i][c] = f(t.choice(i, c))
			}
		default:
			// Columns are kept for the next sum.
			for c := range sums[i] {
				if c%64 == 63 && t.stop != nil && t.stop() {
					break
				}
				sums[i][c] = models.Weigh(w, v.of(m, i, c))
			}
		}
	}
	return sums
}
