package solvers

import (
	"eevee/models"
)

// figure is one metric of a workflow over a sample of scenarios, at a point
// between the admissible configurations, with its derivatives.
type figure struct {
	scenarios *models.Scenarios
	metric    Metric
	path      []int // stages that count towards latency; nil: the longest path

	terms   [][]models.Term // per stage
	ends    [][]float64     // per stage and scenario: latest end, s
	values  []float64       // per scenario
	columns [][]columnMean  // per stage and term
	along   [][]int32       // per stage: scenarios in which it lies on the longest path; scratch of meanSlopes
	means   [][]float64     // per stage and term: scratch of meanSlopes
}

// columnMean remembers the mean of a column of scenarios.
type columnMean struct {
	of   *float64
	mean float64
}

func newFigure(s *models.Scenarios, metric Metric, path []int) *figure {
	w := s.Workflow()
	f := &figure{
		scenarios: s, metric: metric, path: path,
		terms: make([][]models.Term, w.Len()), columns: make([][]columnMean, w.Len()),
		along: make([][]int32, w.Len()), means: make([][]float64, w.Len()),
		values: make([]float64, s.Len()),
	}
	if metric == Latency && path == nil {
		for range w.Len() {
			f.ends = append(f.ends, make([]float64, s.Len()))
		}
	}
	return f
}

// set says what stage i does at the point: the terms of its latency and cost.
func (f *figure) set(i int, latency, cost []models.Term) {
	f.terms[i] = cost
	if f.metric == Latency {
		f.terms[i] = latency
	}
}

// evaluate computes the values of all scenarios.
func (f *figure) evaluate() []float64 {
	switch w := f.scenarios.Workflow(); {
	case f.metric == Cost:
		clear(f.values)
		for _, terms := range f.terms {
			addTerms(f.values, terms)
		}
	case f.path != nil:
		clear(f.values)
		for _, i := range f.path {
			addTerms(f.values, f.terms[i])
		}
	default:
		for i, end := range f.ends {
			latestEnds(end, f.ends, w.Parents(i))
			addTerms(end, f.terms[i])
		}
		latestEnds(f.values, f.ends, w.Sinks())
	}
	return f.values
}

// latestEnds writes the latest of the ends of the given stages, 0 for none.
func latestEnds(dst []float64, ends [][]float64, stages []int) {
	if len(stages) == 0 {
		clear(dst)
		return
	}
	copy(dst, ends[stages[0]])
	for _, i := range stages[1:] {
		for s, v := range ends[i] {
			dst[s] = max(dst[s], v)
		}
	}
}

// addTerms adds the sum of terms, four columns in a pass.
func addTerms(dst []float64, terms []models.Term) {
	constant := 0.0
	var columns [4][]float64
	var factors [4]float64
	n := 0
	for _, t := range terms {
		switch {
		case t.Column == nil:
			constant += t.Factor
		case t.Factor != 0:
			columns[n], factors[n] = t.Column, t.Factor
			if n++; n == 4 {
				addFour(dst, columns, factors)
				n = 0
			}
		}
	}
	if n >= 2 {
		a, b := columns[0][:len(dst)], columns[1][:len(dst)]
		for s := range dst {
			dst[s] += factors[0]*a[s] + factors[1]*b[s]
		}
	}
	if n%2 == 1 {
		for s, v := range columns[n-1][:len(dst)] {
			dst[s] += factors[n-1] * v
		}
	}
	if constant != 0 {
		for s := range dst {
			dst[s] += constant
		}
	}
}

// addFour adds four columns times their factors, two at a time.
func addFour(dst []float64, columns [4][]float64, factors [4]float64) {
	a, b, c, d := columns[0][:len(dst)], columns[1][:len(dst)], columns[2][:len(dst)], columns[3][:len(dst)]
	fa, fb, fc, fd := factors[0], factors[1], factors[2], factors[3]
	for s, v := range dst {
		v += fa*a[s] + fb*b[s]
		dst[s] = v + (fc*c[s] + fd*d[s])
	}
}

// mean returns the mean over the scenarios. Cost is linear in the columns, so
// that their means are enough; for latency evaluate must have been called.
func (f *figure) mean() float64 {
	if f.metric == Latency {
		sum := 0.0
		for _, v := range f.values {
			sum += v
		}
		return sum / float64(len(f.values))
	}
	sum := 0.0
	for i, terms := range f.terms {
		for j, t := range terms {
			sum += t.Factor * f.columnMean(i, j)
		}
	}
	return sum
}

func (f *figure) columnMean(i, j int) float64 {
	column := f.terms[i][j].Column
	if column == nil {
		return 1
	}
	for len(f.columns[i]) <= j {
		f.columns[i] = append(f.columns[i], columnMean{})
	}
	c := &f.columns[i][j]
	if c.of != &column[0] {
		sum := 0.0
		for _, v := range column {
			sum += v
		}
		*c = columnMean{&column[0], sum / float64(len(column))}
	}
	return c.mean
}

// slopes are the derivatives of a figure by the configuration of every stage.
type slopes []struct{ byParallelism, byVCPU, byInput float64 }

func (d slopes) add(i int, t models.Term, weight float64) {
	d[i].byParallelism += weight * t.ByParallelism
	d[i].byVCPU += weight * t.ByVCPU
	d[i].byInput += weight * t.ByInput
}

// meanSlopes adds the derivatives of the mean. For latency they are those of
// the longest path of every scenario.
func (f *figure) meanSlopes(d slopes) {
	switch {
	case f.metric == Cost:
		for i, terms := range f.terms {
			for j, t := range terms {
				d.add(i, t, f.columnMean(i, j))
			}
		}
	case f.path != nil:
		for _, i := range f.path {
			for j, t := range f.terms[i] {
				d.add(i, t, f.columnMean(i, j))
			}
		}
	default:
		f.meanAlongPaths()
		for i, terms := range f.terms {
			for j, t := range terms {
				d.add(i, t, f.means[i][j])
			}
		}
	}
}

// meanAlongPaths finds, for every stage, the means of its columns over all
// scenarios, where those count in which it lies on the longest path.
func (f *figure) meanAlongPaths() {
	w := f.scenarios.Workflow()
	for i := range f.along {
		f.along[i] = f.along[i][:0]
	}
	for s := range f.values {
		for i := f.latest(w.Sinks(), s); i >= 0; i = f.latest(w.Parents(i), s) {
			f.along[i] = append(f.along[i], int32(s))
		}
	}
	n := len(f.values)
	for i, terms := range f.terms {
		f.means[i] = f.means[i][:0]
		for j, t := range terms {
			mean := 0.0
			switch {
			case len(f.along[i]) == n: // the same sum, and known
				mean = f.columnMean(i, j)
			case t.Column == nil:
				mean = float64(len(f.along[i])) / float64(n)
			default:
				for _, s := range f.along[i] {
					mean += t.Column[s]
				}
				mean /= float64(n)
			}
			f.means[i] = append(f.means[i], mean)
		}
	}
}

// latest returns the one of the given stages that ends last in scenario s, -1
// for none.
func (f *figure) latest(stages []int, s int) int {
	last := -1
	for _, i := range stages {
		if last < 0 || f.ends[i][s] > f.ends[last][s] {
			last = i
		}
	}
	return last
}

// longest appends the longest path of scenario s, in reverse.
func (f *figure) longest(s int, path []int) []int {
	w := f.scenarios.Workflow()
	for i := f.latest(w.Sinks(), s); i >= 0; i = f.latest(w.Parents(i), s) {
		path = append(path, i)
	}
	return path
}

// at returns the value of scenario s, of the given stages, and adds its
// derivatives.
func (f *figure) at(s int, stages []int, d slopes) float64 {
	sum := 0.0
	for _, i := range stages {
		for _, t := range f.terms[i] {
			x := 1.0
			if t.Column != nil {
				x = t.Column[s]
			}
			sum += t.Factor * x
			d.add(i, t, x)
		}
	}
	return sum
}
