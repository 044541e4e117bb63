package models

import (
	"cmp"
	"math"
	"slices"
)

// delay is the time from a stage being ready to the end of its slowest
// instance, less the time that instance is expected to take: network, front
// door, scheduling, and what stragglers take beyond the expectation.
type delay struct {
	curve  curve
	ratios []delayRatio // of recorded to fitted delays, ascending; empty where none were recorded
	runs   series       // the same by run, relative to the mean of its configuration
}

// delayRatio is a recorded delay over the one fitted without its configuration.
type delayRatio struct {
	Ratio  float64
	Weight float64 // share of the run in its configuration
}

// leastDelay is the smallest delay in seconds that counts: an expectation of
// the slowest instance can exceed what a stage took.
const leastDelay = 1e-3

// fitDelay fits the delays of the runs whose wall time was recorded.
func fitDelay(runs []calibratedRun, axes axis, in instances) delay {
	var known []calibratedRun
	for _, r := range runs {
		if !math.IsNaN(r.wall) {
			wait := max(leastDelay, r.wall-r.total()*in.slowest(int(r.site.d)))
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
			d.ratios = append(d.ratios, delayRatio{r.total() / max(leastDelay, c.at(r.site)), 1 / float64(len(g))})
			if len(g) > 1 {
				d.runs[r.execution] = math.Log(r.total()) - mean
			}
		}
	}
	slices.SortStableFunc(d.ratios, func(a, b delayRatio) int { return cmp.Compare(a.Ratio, b.Ratio) })
	return d
}

// ratio returns the p-quantile of the recorded ratios.
func (d *delay) levels() (levels, ratios []float64) {
	total := 0.0
	for _, r := range d.ratios {
		total += r.Weight
	}
	below := 0.0
	for _, r := range d.ratios {
		levels = append(levels, (below+r.Weight/2)/total)
		ratios = append(ratios, r.Ratio)
		below += r.Weight
	}
	return levels, ratios
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
