package models

import (
	"cmp"
	"math"
	"slices"
)

// site is where a stage was recorded, or is asked for: instances, vCPU of each
// and parallelism of the input parent.
type site struct{ d, k, in float64 }

func siteOf(c StageConfig, inputParallelism int) site {
	return site{float64(c.Parallelism), c.VCPU, float64(inputParallelism)}
}

// A feature is one summand of a step's time, as a function of the site. All but
// the growing ones fall with memory: less memory is not faster.
type feature struct {
	name string
	uses axis
	at   func(site) float64
}

// An axis is a coordinate of a site; features combine them.
type axis uint8

const (
	axisD axis = 1 << iota
	axisK
	axisIn
	axisGrowing // the time may grow with memory
)

// features are what the time of a step is a combination of, with coefficients
// that are not negative: the terms of the published models (a/d, a/(k*d), a/k,
// a constant, the parallelism of the input parent; algorithms.md 1.3), the same
// with a speed-up that ends at as many vCPU as the function has threads, and
// the cost of coordinating d instances. Every combination is positive
// everywhere and, the growing one aside, does not grow with memory, so that no
// step extrapolates to nothing.
var features = func() []feature {
	list := []feature{
		{"1", 0, func(site) float64 { return 1 }},
		{"1/d", axisD, func(s site) float64 { return 1 / s.d }},
		{"1/k", axisK, func(s site) float64 { return 1 / s.k }},
		{"1/(d*k)", axisD | axisK, func(s site) float64 { return 1 / (s.d * s.k) }},
		{"d", axisD, func(s site) float64 { return s.d }},
		{"in", axisIn, func(s site) float64 { return s.in }},
		{"in/k", axisIn | axisK, func(s site) float64 { return s.in / s.k }},
		{"k", axisK | axisGrowing, func(s site) float64 { return s.k }},
	}
	for _, t := range []struct {
		name    string
		threads float64
	}{{"1", 1}, {"2", 2}, {"4", 4}} {
		used := func(s site) float64 { return min(s.k, t.threads) }
		name := "min(k," + t.name + ")"
		list = append(list,
			feature{"1/" + name, axisK, func(s site) float64 { return 1 / used(s) }},
			feature{"1/(d*" + name + ")", axisD | axisK, func(s site) float64 { return 1 / (s.d * used(s)) }},
			feature{"in/" + name, axisIn | axisK, func(s site) float64 { return s.in / used(s) }},
		)
	}
	return list
}()

// featuresOn returns the features that use no axis but the given ones.
func featuresOn(axes axis) []feature {
	return slices.DeleteFunc(slices.Clone(features), func(f feature) bool { return f.uses&^axes != 0 })
}

// FeatureTerm is one term of a fitted step.
type FeatureTerm struct {
	Feature string  // what Seconds multiplies, such as 1/(d*k) for d instances of k vCPU
	Seconds float64 // positive
}

// curve is a combination of features.
type curve struct {
	features []feature
	seconds  []float64
}

func (c curve) at(s site) float64 {
	sum := 0.0
	for j, f := range c.features {
		if c.seconds[j] != 0 {
			sum += c.seconds[j] * f.at(s)
		}
	}
	return sum
}

// terms returns the terms that are not zero.
func (c curve) terms() []FeatureTerm {
	var list []FeatureTerm
	for j, f := range c.features {
		if c.seconds[j] != 0 {
			list = append(list, FeatureTerm{f.name, c.seconds[j]})
		}
	}
	return list
}

// newCurve returns the curve that has the given terms; ok is false where one of
// them names no feature.
func newCurve(terms []FeatureTerm) (c curve, ok bool) {
	for _, t := range terms {
		k := slices.IndexFunc(features, func(f feature) bool { return f.name == t.Feature })
		if k < 0 {
			return curve{}, false
		}
		c.features = append(c.features, features[k])
		c.seconds = append(c.seconds, t.Seconds)
	}
	return c, true
}

// sumOf returns the sum of curves as one.
func sumOf(curves []curve) curve {
	var sum curve
	for _, c := range curves {
		for j, f := range c.features {
			if c.seconds[j] == 0 {
				continue
			}
			k := slices.IndexFunc(sum.features, func(g feature) bool { return g.name == f.name })
			if k < 0 {
				sum.features = append(sum.features, f)
				sum.seconds = append(sum.seconds, 0)
				k = len(sum.features) - 1
			}
			sum.seconds[k] += c.seconds[j]
		}
	}
	return sum
}

const (
	// smallShare is the share of a run's time below which an error of a step
	// counts as if the step had that share: relative errors of steps that
	// take no time mean nothing.
	smallShare = 0.02
	// tails is the number of degrees of freedom of the t distribution that
	// runs are taken to scatter with: a straggler moves a fit little (Lange,
	// Little and Taylor, JASA 84, 1989, use 4 as well).
	tails = 4
	// fitRounds bounds the reweighting; weights settle in a few.
	fitRounds = 10
)

// stepRow is what a fit of one step sees of a run.
type stepRow struct {
	site  site
	time  float64 // of the step, s
	total float64 // of all steps, s
}

// fitCurve fits non-negative coefficients by least squares of relative errors,
// reweighted as for errors with the tails of a t distribution.
func fitCurve(rows []stepRow, on []feature) curve {
	// Rows of one site have the same features, so that they count as one with the sum
	// of their weights.
	place := make([]int, len(rows)) // of a row among the sites
	sites := 0
	for i, r := range rows {
		if i > 0 && r.site != rows[i-1].site {
			sites++
		}
		place[i] = sites
	}
	sites++
	a := matrix(sites, len(on))
	for i, r := range rows {
		if i > 0 && place[i] == place[i-1] {
			continue
		}
		for j, f := range on {
			a[place[i]][j] = f.at(r.site)
		}
	}
	solver := newNonNegative(len(on))
	w := make([]float64, len(rows))
	mean, weight := make([]float64, sites), make([]float64, sites)
	solve := func() []float64 {
		clear(mean)
		clear(weight)
		for i, r := range rows {
			mean[place[i]] += w[i] * r.time
			weight[place[i]] += w[i]
		}
		for g := range mean {
			mean[g] /= weight[g]
		}
		return solver.solve(a, mean, weight)
	}
	for i, r := range rows {
		w[i] = 1 / square(max(r.time, smallShare*r.total))
	}
	c := curve{features: on, seconds: solve()}
	fitted := make([]float64, sites)
	residual, size := make([]float64, len(rows)), make([]float64, len(rows))
	for range fitRounds {
		for g := range fitted {
			fitted[g] = dot(a[g], c.seconds)
		}
		for i, r := range rows {
			at := fitted[place[i]]
			scale := max(r.time, at, smallShare*r.total)
			residual[i] = (r.time - at) / scale
			size[i] = math.Abs(residual[i])
			w[i] = 1 / square(scale)
		}
		// The median deviation of a normal distribution is 0.6745 sigma.
		deviation := max(QuantileR7(size, 0.5)/0.6745, 1e-6)
		for i := range w {
			w[i] *= weightT(residual[i] / deviation)
		}
		next := solve()
		moved := 0.0
		for j := range next {
			moved = max(moved, math.Abs(next[j]-c.seconds[j])/(1e-9+next[j]))
		}
		c.seconds = next
		if moved < 1e-3 {
			break
		}
	}
	return c
}

// weightT is the weight of an observation z standard deviations off, in the
// EM algorithm for the t distribution.
func weightT(z float64) float64 { return (tails + 1) / (tails + z*z) }

func square(x float64) float64 { return x * x }

// maxRows is how many rows a configuration has in the fit of a curve. Between
// configurations a curve is wrong by more than runs of one of them scatter, so
// that more runs say nothing more about it.
const maxRows = 5

// condense returns at most maxRows rows for the runs of one configuration: of
// more runs, the means of as many groups of similar total time.
func condense(runs []calibratedRun, step int) []stepRow {
	sorted := slices.Clone(runs)
	if len(sorted) > maxRows {
		slices.SortStableFunc(sorted, func(a, b calibratedRun) int { return cmp.Compare(a.total(), b.total()) })
	}
	groups := min(len(sorted), maxRows)
	rows := make([]stepRow, groups)
	for g := range rows {
		from, to := g*len(sorted)/groups, (g+1)*len(sorted)/groups
		rows[g].site = sorted[from].site
		for _, r := range sorted[from:to] {
			rows[g].time += r.steps[step] / float64(to-from)
			rows[g].total += r.total() / float64(to-from)
		}
	}
	return rows
}
