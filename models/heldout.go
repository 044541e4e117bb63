package models

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// HeldOut is one recorded run that a fit did not see, against what that fit
// predicted for it.
type HeldOut struct {
	Error   float64 // log of recorded time over predicted median
	Unsure  float64 // predicted variance: what is not known of the configuration
	Scatter float64 // predicted variance between its runs
	Weight  float64 // share of the run in its configuration; the runs of one add up to 1
}

// standardised maps standard normal draws to the errors, in standard
// deviations, that held-out runs had: the monotone map that calibrates a
// predictive distribution. It is conformal prediction (Vovk, Gammerman and
// Shafer, Algorithmic Learning in a Random World, 2005) with the pooled
// distribution of clustered scores (Dunn, Wasserman and Ramdas, JASA 118,
// 2023): among K held-out configurations the r-th score stands for level
// r/(K+1), and beyond the last level its tail goes on exponentially.
type standardised struct {
	normal         bool      // no map: draws stay as they are
	levels, scores []float64 // ascending; empty for a map without data
	low, high      tail
}

// tail continues a distribution beyond the last score.
type tail struct {
	from, level float64 // score, and probability beyond it
	rate        float64 // mean excess
}

const (
	// fewestConfigs is the number of held-out configurations below which
	// their scores say little: a normal distribution with twice the variance
	// stands for them, the variance of a t distribution with 4 degrees of
	// freedom.
	fewestConfigs = 10
	fewInflation  = math.Sqrt2
	// lentConfigs is how many configurations the scores of other stages count
	// for beside those of a stage itself: p95 needs as many.
	lentConfigs = 19
	// tailLevel is the share of the scores that a tail is measured on.
	tailLevel = 0.1
)

// standardise makes the map of the held-out runs, their errors standardised
// by those parts of the predicted variance that are switched on.
func standardise(own, others []HeldOut, unsure, scatter bool) standardised {
	type point struct{ score, weight float64 }
	var points []point
	add := func(runs []HeldOut, share float64) (configs float64) {
		for _, r := range runs {
			v := 0.0
			if unsure {
				v += r.Unsure
			}
			if scatter {
				v += r.Scatter
			}
			if v > 0 {
				points = append(points, point{r.Error / math.Sqrt(v), r.Weight * share})
				configs += r.Weight
			}
		}
		return configs
	}
	total := add(own, 1)
	mine := len(points)
	more := add(others, 1)
	configs := total + more
	if configs < fewestConfigs {
		return standardised{}
	}
	if more > lentConfigs {
		for k := range points[mine:] {
			points[mine+k].weight *= lentConfigs / more
		}
		more = lentConfigs
	}
	total += more
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.score, b.score) })
	var m standardised
	below := 0.0
	for _, p := range points {
		below += p.weight
		m.levels = append(m.levels, below/total*configs/(configs+1))
		m.scores = append(m.scores, p.score)
	}
	last := len(m.scores) - 1
	m.low = tail{from: m.scores[0], level: m.levels[0]}
	m.high = tail{from: m.scores[last], level: 1 - m.levels[last]}
	lowFrom, highFrom := m.inside(tailLevel), m.inside(1-tailLevel)
	lowWeight, highWeight := 0.0, 0.0
	for _, p := range points {
		if p.score < lowFrom {
			m.low.rate += p.weight * (lowFrom - p.score)
			lowWeight += p.weight
		}
		if p.score > highFrom {
			m.high.rate += p.weight * (p.score - highFrom)
			highWeight += p.weight
		}
	}
	if lowWeight > 0 {
		m.low.rate /= lowWeight
	}
	if highWeight > 0 {
		m.high.rate /= highWeight
	}
	return m
}

// inside interpolates between the scores.
func (m standardised) inside(p float64) float64 {
	k, _ := slices.BinarySearch(m.levels, p)
	switch {
	case k == 0:
		return m.scores[0]
	case k == len(m.levels):
		return m.scores[k-1]
	}
	share := (p - m.levels[k-1]) / (m.levels[k] - m.levels[k-1])
	return m.scores[k-1] + share*(m.scores[k]-m.scores[k-1])
}

// quantile returns the score at level p.
func (m standardised) quantile(p float64) float64 {
	switch {
	case m.normal:
		return distuv.UnitNormal.Quantile(p)
	case len(m.levels) == 0:
		return fewInflation * distuv.UnitNormal.Quantile(p)
	case p < m.low.level:
		return m.low.from - m.low.rate*math.Log(m.low.level/p)
	case 1-p < m.high.level:
		return m.high.from + m.high.rate*math.Log(m.high.level/(1-p))
	}
	return m.inside(p)
}

// reach returns the highest level that scores, and not a tail, stand for.
func (m standardised) reach() float64 {
	if len(m.levels) == 0 {
		return 0
	}
	return 1 - m.high.level
}
