package models

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// delay is the time from a stage being ready to the end of its slowest
// instance, less the time that instance is expected to take: network, front
// door, scheduling, and what stragglers take beyond the expectation.
type delay struct {
	curve    curve
	recorded []recordedDelay // in the order of their ratios; empty where none were recorded
	usual    float64         // ratio beyond which a delay is an accident
	runs     series          // logarithms by run, relative to the mean of its configuration
}

// recordedDelay is a delay against the one fitted without its configuration.
// What delays all runs somewhat is proportional to what is expected; an
// accident, such as a request that was sent again, takes its own time wherever
// it happens.
type recordedDelay struct {
	Ratio  float64 // of recorded to fitted
	Excess float64 // recorded less fitted, s
	Weight float64 // share of the run in its configuration
}

// leastDelay is the smallest delay in seconds that counts: an expectation of
// the slowest instance can exceed what a stage took.
const leastDelay = 1e-3

// fitDelay fits the delays of the runs whose wall time was recorded.
func fitDelay(runs []calibratedRun, axes axis, in instances) delay {
	var known []calibratedRun
	slowest := map[float64]float64{} // by parallelism
	for _, r := range runs {
		if !math.IsNaN(r.wall) {
			if slowest[r.site.d] == 0 {
				slowest[r.site.d] = in.slowest(int(r.site.d))
			}
			wait := max(leastDelay, r.wall-r.total()*slowest[r.site.d])
			r.steps = [3]float64{wait}
			known = append(known, r)
		}
	}
	if len(known) == 0 {
		return delay{}
	}
	groups := byConfig(known, axes)
	fit := func(without int) curve {
		var rows []stepRow
		for i, g := range groups {
			if i != without {
				rows = append(rows, condense(g, 0)...)
			}
		}
		return fitCurve(rows, featuresOn(axes))
	}
	d := delay{curve: fit(-1), runs: series{}}
	for i, g := range groups {
		c := d.curve
		if len(groups) > 1 {
			c = fit(i)
		}
		mean := 0.0
		for _, r := range g {
			mean += math.Log(r.total()) / float64(len(g))
		}
		for _, r := range g {
			fitted := max(leastDelay, c.at(r.site))
			d.recorded = append(d.recorded, recordedDelay{r.total() / fitted, r.total() - fitted, 1 / float64(len(g))})
			if len(g) > 1 {
				d.runs[r.execution] = math.Log(r.total()) - mean
			}
		}
	}
	slices.SortStableFunc(d.recorded, func(a, b recordedDelay) int { return cmp.Compare(a.Ratio, b.Ratio) })
	d.usual = usualRatio(d.recorded)
	return d
}

// usualRatio returns the ratio that separates accidents: four standard
// deviations of the bulk above the median, in logarithms.
func usualRatio(list []recordedDelay) float64 {
	logs := make([]float64, len(list))
	for k, r := range list {
		logs[k] = math.Log(r.Ratio)
	}
	median := QuantileR7(logs, 0.5)
	for k := range logs {
		logs[k] = math.Abs(logs[k] - median)
	}
	// The median deviation of a normal distribution is 0.6745 sigma.
	return math.Exp(median + 4*QuantileR7(logs, 0.5)/0.6745)
}

// draw returns, for standard normal draws, which recorded delay each stands
// for.
func (d *delay) draw(normal []float64) []int {
	total := 0.0
	for _, r := range d.recorded {
		total += r.Weight
	}
	levels := make([]float64, len(d.recorded))
	below := 0.0
	for k, r := range d.recorded {
		below += r.Weight
		levels[k] = below / total
	}
	picks := make([]int, len(normal))
	for k, z := range normal {
		at, _ := slices.BinarySearch(levels, distuv.UnitNormal.CDF(z))
		picks[k] = min(at, len(levels)-1)
	}
	return picks
}

// at returns the delays that the recorded ones stand for at a site, s.
func (d *delay) at(s site) []float64 {
	fitted := max(leastDelay, d.curve.at(s))
	list := make([]float64, len(d.recorded))
	for k, r := range d.recorded {
		list[k] = fitted * r.Ratio
		if r.Ratio > d.usual {
			list[k] = fitted + r.Excess
		}
	}
	return list
}

// coldStart is what a run whose instances were started for it takes beyond a
// warm one.
type coldStart struct {
	Delay  float64 // s, added to the delay of a warm run
	Factor float64 // of the execution time
}

// coldStarts compares the runs of the first epoch with what is predicted for
// warm ones.
func (s *CalibratedStage) coldStarts(runs []calibratedRun) []coldStart {
	var list []coldStart
	for _, r := range runs {
		c := coldStart{Factor: r.total() / math.Exp(s.response.predict(r.site).log)}
		if !math.IsNaN(r.wall) {
			wait := r.wall - r.total()*s.instances.slowest(int(r.site.d))
			c.Delay = max(0, wait-s.delay.curve.at(r.site))
		}
		list = append(list, c)
	}
	return list
}
