package models

import (
	"fmt"
	"math"
	"slices"
)

// response is the fitted execution time T of one stage, the mean over the
// instances of a run:
//
//	log T = log curve(site) + smooth(site) + configuration + run
//
// curve is the sum of the steps' curves. smooth is what is systematically
// wrong with it, a Gaussian process over the logarithms of the site
// (Kennedy and O'Hagan, J. R. Stat. Soc. B 63(3), 2001, section 4);
// configuration is what one configuration does differently from its
// neighbours and keeps doing, run what one run does. Being a model of the
// logarithm, no time is negative, and errors are relative.
type response struct {
	axes    axis
	steps   []curve // read, compute, write
	total   curve
	configs []recordedConfig
	smooth  smoothness
	edge    float64 // variance of log T per squared log distance outside the recorded sizes

	at     [][]float64 // coordinates of the recorded configurations
	noise  cholesky    // of their covariance
	solved []float64   // its inverse times their deviations
	room   [][]float64 // for noise and, in the last row, solved, where they are computed again and again; nil: they get their own
}

// recordedConfig is what the runs of one configuration say.
type recordedConfig struct {
	site      site
	runs      int
	deviation float64 // weighted mean of log T - log curve
	weight    float64 // of the runs together; a run among the bulk weighs about 1
	spread    float64 // variance of log T between runs, shrunk towards that of the stage
	own       float64 // the same, shrunk towards that of the neighbours
}

// smoothness are the parameters of the Gaussian process, all but length
// variances of log T.
type smoothness struct {
	length float64 // over which log sizes the smooth part varies
	signal float64 // of the smooth part
	nugget float64 // of a configuration
	run    float64 // of a run: squared scale of the t distribution
}

// calibratedRun is one warm run of a stage.
type calibratedRun struct {
	execution string
	site      site
	steps     [3]float64 // read, compute, write, s, mean over the instances
	wall      float64    // s from the stage being ready to its last instance's end; NaN if not recorded
}

func (r calibratedRun) total() float64 { return r.steps[0] + r.steps[1] + r.steps[2] }

// axesOf returns which coordinates the runs vary. The input parent's
// parallelism counts where it varies by itself: in published profiles that of
// stages which can be split only ever varies together with their own.
func axesOf(runs []calibratedRun) (axes axis) {
	first := runs[0].site
	seen := map[[2]float64]float64{}
	for _, r := range runs {
		if r.site.d != first.d {
			axes |= axisD
		}
		if r.site.k != first.k {
			axes |= axisK
		}
		at := [2]float64{r.site.d, r.site.k}
		if in, ok := seen[at]; ok && in != r.site.in {
			axes |= axisIn
		}
		seen[at] = r.site.in
	}
	return axes
}

// reduce drops the coordinates that do not matter.
func (s site) reduce(axes axis) site {
	if axes&axisIn == 0 {
		s.in = 0
	}
	return s
}

// coordinates returns the logarithms of the coordinates that matter.
func (s site) coordinates(axes axis) []float64 {
	x := []float64{math.Log(s.d), math.Log(s.k)}
	if axes&axisIn != 0 {
		x = append(x, math.Log(max(1, s.in)))
	}
	return x
}

// Grids over which the parameters of the Gaussian process are searched. The
// standard deviations are relative errors, from one that does not matter to one
// that no longer is an error.
var (
	lengths    = []float64{0.5, 1, 2} // log sizes; 0.7 is a doubling
	deviations = []float64{0.001, 0.003, 0.01, 0.03, 0.1, 0.3}
)

const (
	// likelyDeviation and its spread in log units are the weak prior for the
	// standard deviations above.
	likelyDeviation = 0.03
	deviationSpread = 1.5
	// borrowed is the number of runs that the spread of neighbours counts for
	// beside a configuration's own runs.
	borrowed = 10
	// spreadLength is the log size over which spreads are averaged.
	spreadLength = 1
	// leastDeviation bounds the standard deviation of a run from below: clocks
	// are not better.
	leastDeviation = 1e-3
)

// fitResponse fits the runs of a stage; with the parameters of the Gaussian
// process given it fits the rest only.
func fitResponse(runs []calibratedRun, axes axis, grows bool, given *smoothness) *response {
	r := &response{axes: axes}
	groups := byConfig(runs, axes)
	on := axes
	if grows {
		on |= axisGrowing
	}
	for step := range 3 {
		var rows []stepRow
		any := false
		for _, g := range groups {
			rows = append(rows, condense(g, step)...)
		}
		for _, row := range rows {
			any = any || row.time > 0
		}
		c := curve{}
		if any {
			c = fitCurve(rows, featuresOn(on))
		}
		r.steps = append(r.steps, c)
	}
	r.total = sumOf(r.steps)

	residuals, weights := make([][]float64, len(groups)), make([][]float64, len(groups))
	for i, g := range groups {
		residuals[i], weights[i] = make([]float64, len(g)), make([]float64, len(g))
		base := math.Log(r.total.at(g[0].site))
		for k, run := range g {
			residuals[i][k], weights[i][k] = math.Log(run.total())-base, 1
		}
		r.configs = append(r.configs, recordedConfig{site: g[0].site.reduce(axes), runs: len(g)})
	}
	r.locate()
	r.summarise(residuals, weights)
	r.smooth = smoothness{length: 1, signal: square(likelyDeviation), nugget: square(likelyDeviation), run: square(likelyDeviation)}
	rounds := 4
	if given != nil {
		r.smooth, rounds = *given, 2
	}
	similarity := r.similarities(r.smooth.length)
	for range rounds {
		if given == nil {
			r.smooth = r.likeliest()
			similarity = r.similarities(r.smooth.length)
		}
		r.solveWith(similarity)
		run := r.reweigh(residuals, weights)
		if given == nil {
			r.smooth.run = run
		}
		r.summarise(residuals, weights)
	}
	r.solveWith(similarity)
	r.measureSpread(residuals)
	return r
}

// locate takes the coordinates of the recorded configurations.
func (r *response) locate() {
	for _, c := range r.configs {
		r.at = append(r.at, c.site.coordinates(r.axes))
	}
}

// byConfig groups runs by their site, in order of appearance.
func byConfig(runs []calibratedRun, axes axis) [][]calibratedRun {
	var groups [][]calibratedRun
	at := map[site]int{}
	for _, run := range runs {
		s := run.site.reduce(axes)
		k, ok := at[s]
		if !ok {
			k = len(groups)
			at[s] = k
			groups = append(groups, nil)
		}
		groups[k] = append(groups[k], run)
	}
	return groups
}

// summarise takes the weighted means of the runs' residuals.
func (r *response) summarise(residuals, weights [][]float64) {
	for i := range r.configs {
		sum, weight := 0.0, 0.0
		for k, e := range residuals[i] {
			sum += weights[i][k] * e
			weight += weights[i][k]
		}
		r.configs[i].deviation, r.configs[i].weight = sum/weight, weight
	}
}

// likeliest returns the parameters of greatest marginal likelihood.
func (r *response) likeliest() smoothness {
	best, highest := r.smooth, math.Inf(-1)
	try := *r
	try.room = matrix(len(r.configs)+1, len(r.configs))
	prior := func(deviation float64) float64 {
		return -0.5 * square(math.Log(deviation/likelyDeviation)/deviationSpread)
	}
	for _, length := range lengths {
		similarity := r.similarities(length)
		for _, signal := range deviations {
			for _, nugget := range deviations {
				try.smooth = smoothness{length, square(signal), square(nugget), r.smooth.run}
				try.solveWith(similarity)
				fit := 0.0
				for i, c := range r.configs {
					fit += c.deviation * try.solved[i]
				}
				likelihood := -0.5*fit - 0.5*try.noise.logDet() + prior(signal) + prior(nugget)
				if likelihood > highest {
					best, highest = try.smooth, likelihood
				}
			}
		}
	}
	return best
}

// similarity of two sites at the given length, 1 at the same place.
func similarity(a, b []float64, length float64) float64 {
	sum := 0.0
	for j, v := range a {
		sum += square((v - b[j]) / length)
	}
	return math.Exp(-sum / 2)
}

func (r *response) similarities(length float64) [][]float64 {
	s := matrix(len(r.at), len(r.at))
	for i := range s {
		for j := range i + 1 {
			s[i][j] = similarity(r.at[i], r.at[j], length)
		}
	}
	return s
}

func (r *response) solve() { r.solveWith(r.similarities(r.smooth.length)) }

// solveWith conditions the Gaussian process on the recorded configurations.
func (r *response) solveWith(similarity [][]float64) {
	n := len(r.configs)
	c := r.room
	if c == nil {
		c = matrix(n+1, n)
	}
	c, r.solved = c[:n], c[n]
	for i := range n {
		c[i] = c[i][:i+1]
		for j := range c[i] {
			c[i][j] = r.smooth.signal * similarity[i][j]
		}
		c[i][i] += r.smooth.nugget + r.noiseOf(i)
		r.solved[i] = r.configs[i].deviation
	}
	var ok bool
	if r.noise, ok = factorise(c); !ok {
		panic(fmt.Sprintf("models: the covariance of %d configurations is not positive definite (%+v)", n, r.smooth))
	}
	r.noise.solve(r.solved)
}

// noiseOf returns the variance of the mean of the runs of configuration i.
func (r *response) noiseOf(i int) float64 { return r.smooth.run / r.configs[i].weight }

// level returns the posterior mean of smooth + configuration at recorded
// configuration i.
func (r *response) level(i int) float64 { return r.configs[i].deviation - r.noiseOf(i)*r.solved[i] }

// reweigh gives every run its weight under the t distribution around its
// configuration's posterior mean, and returns the squared scale of that.
func (r *response) reweigh(residuals, weights [][]float64) float64 {
	sum, freedom := 0.0, 0.0
	for i := range r.configs {
		deviation := r.level(i)
		for k, e := range residuals[i] {
			w := weightT((e - deviation) / math.Sqrt(r.smooth.run))
			weights[i][k] = w
			sum += w * square(e-deviation)
		}
		freedom += freedomOf(len(residuals[i]))
	}
	return max(sum/freedom, square(leastDeviation))
}

// freedomOf is the number of degrees of freedom that n runs leave around the
// mean of their configuration, which neighbours help to estimate.
func freedomOf(n int) float64 { return max(float64(n)-1, float64(n)/2) }

// measureSpread estimates how far runs of one configuration scatter.
func (r *response) measureSpread(residuals [][]float64) {
	around := make([][]float64, len(residuals))
	for i := range r.configs {
		deviation := r.level(i)
		for _, e := range residuals[i] {
			around[i] = append(around[i], e-deviation)
		}
		r.configs[i].spread = spreadOf(around[i], r.smooth.run)
	}
	for i := range r.configs {
		r.configs[i].own = spreadOf(around[i], r.neighbourSpread(r.at[i]))
	}
}

// spreadOf returns the squared scale of the t distribution of e, with a prior
// guess that counts for as many runs as are borrowed.
func spreadOf(e []float64, guess float64) float64 {
	n := freedomOf(len(e))
	v := guess
	for range fitRounds {
		sum := borrowed * guess
		for _, x := range e {
			sum += weightT(x/math.Sqrt(v)) * x * x
		}
		v = sum / (borrowed + n)
	}
	return v
}

// neighbourSpread returns the spread of runs at the given coordinates, the
// mean of the recorded spreads around them.
func (r *response) neighbourSpread(x []float64) float64 {
	sum, weight := r.smooth.run, 1.0
	for i, c := range r.configs {
		n := float64(c.runs)
		w := n / (n + borrowed) * similarity(x, r.at[i], spreadLength)
		sum += w * c.spread
		weight += w
	}
	return sum / weight
}

// deviationAt returns mean and variance of smooth + configuration at a site,
// given what was recorded. A site that is none of the recorded ones has a
// configuration part of its own.
func (r *response) deviationAt(s site) (mean, variance float64) {
	x := s.coordinates(r.axes)
	to := make([]float64, len(r.configs))
	for i, c := range r.configs {
		to[i] = r.smooth.signal * similarity(x, r.at[i], r.smooth.length)
		if c.site == s {
			to[i] += r.smooth.nugget
		}
	}
	mean = dot(to, r.solved)
	r.noise.lower(to)
	return mean, max(0, r.smooth.signal+r.smooth.nugget-dot(to, to))
}

// recorded returns the configuration recorded at a site, nil where there is
// none.
func (r *response) recorded(s site) *recordedConfig {
	k := slices.IndexFunc(r.configs, func(c recordedConfig) bool { return c.site == s })
	if k < 0 {
		return nil
	}
	return &r.configs[k]
}

// outside returns how far a site lies outside the recorded ones: the log size
// by which it would have to move so that in every direction there is a recorded
// one at least as far out. It is 0 among them.
func (r *response) outside(s site) float64 {
	x := s.coordinates(r.axes)
	farthest := 0.0
	for direction := range 1 << len(x) {
		nearest := math.Inf(1)
		for _, p := range r.at {
			short := 0.0
			for j := range x {
				gap := x[j] - p[j]
				if direction>>j&1 == 1 {
					gap = -gap
				}
				short += max(0, gap)
			}
			nearest = min(nearest, short)
		}
		farthest = max(farthest, nearest)
	}
	return farthest
}

// prediction is what the model says about log T at a site.
type prediction struct {
	log      float64 // median of log T
	unsure   float64 // variance: what is not known of the site
	scatter  float64 // variance between runs at it
	recorded bool
	outside  float64 // log size outside the recorded sizes
}

func (r *response) predict(s site) prediction {
	s = s.reduce(r.axes)
	deviation, variance := r.deviationAt(s)
	p := prediction{log: math.Log(r.total.at(s)) + deviation, unsure: variance}
	if c := r.recorded(s); c != nil {
		p.recorded, p.scatter = true, c.own
		return p
	}
	p.scatter = r.neighbourSpread(s.coordinates(r.axes))
	p.outside = r.outside(s)
	p.unsure += r.edge * square(p.outside)
	return p
}
