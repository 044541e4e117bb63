package models

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// instances is the distribution of the time of one instance of a stage, as a
// multiple of the mean over the instances of its run.
type instances struct {
	sigma  float64   // of the logarithm, where only aggregates were recorded
	ratios []float64 // recorded, ascending; nil where only aggregates were
}

// leastRatios is how many instances must have been recorded for their own
// distribution to stand for the tail of it.
const leastRatios = 200

// measureInstances learns how instances of one run differ: from the single
// invocations where the trace has enough of them, else from the 95th percentile
// over the mean, as for a logarithmic normal distribution.
func measureInstances(obs []Observation) instances {
	var in instances
	var squares, freedom float64
	var sigmas []float64
	for _, o := range obs {
		d := float64(o.Config.Parallelism)
		if d < 2 {
			continue
		}
		if len(o.Invocations) > 1 {
			var times []float64
			sum := 0.0
			for _, s := range o.Invocations {
				t := recordedSum(s)
				times = append(times, t)
				sum += t
			}
			mean := sum / float64(len(times))
			for _, t := range times {
				in.ratios = append(in.ratios, t/mean)
				squares += square(math.Log(t / mean))
			}
			freedom += float64(len(times)) - 1
			continue
		}
		if ratio := recordedSum(o.P95) / recordedSum(o.Mean); ratio >= 1 {
			// QuantileR7 interpolates at rank 1 + 0.95(d-1), whose normal
			// score is that of Blom's plotting position.
			q := distuv.UnitNormal.Quantile((0.95*(d-1) + 1 - 0.375) / (d + 0.25))
			sigmas = append(sigmas, q-math.Sqrt(max(0, q*q-2*math.Log(ratio))))
		}
	}
	switch {
	case len(in.ratios) >= leastRatios:
		slices.Sort(in.ratios)
		return in
	case freedom > 0:
		return instances{sigma: math.Sqrt(squares / freedom)}
	case len(sigmas) > 0:
		return instances{sigma: QuantileR7(sigmas, 0.5)}
	}
	return instances{}
}

// slowestSteps is the number of equal parts of the distribution of the slowest
// instance that its mean is taken over.
const slowestSteps = 256

// slowest returns the expected time of the slowest of d instances as a multiple
// of their mean: the mean of the d-th order statistic, whose distribution
// function is the d-th power of that of one instance.
func (in instances) slowest(d int) float64 {
	if d < 2 || in.sigma == 0 && in.ratios == nil {
		return 1
	}
	sum := 0.0
	for k := range slowestSteps {
		sum += in.quantile(math.Pow((float64(k)+0.5)/slowestSteps, 1/float64(d)))
	}
	return max(1, sum/slowestSteps)
}

func (in instances) quantile(p float64) float64 {
	if in.ratios != nil {
		return SortedQuantileR7(in.ratios, p)
	}
	return math.Exp(in.sigma*distuv.UnitNormal.Quantile(p) - in.sigma*in.sigma/2)
}

// recordedSum is the sum of the recorded steps that a function runs, NaN where
// none is.
func recordedSum(s Steps) float64 {
	sum, any := 0.0, false
	for _, v := range []float64{s.Read, s.Compute, s.Write} {
		if !math.IsNaN(v) {
			sum, any = sum+v, true
		}
	}
	if !any {
		return math.NaN()
	}
	return sum
}

// Slowest returns the expected time of the slowest of d instances of the stage,
// as a multiple of their mean.
func (s CalibratedStage) Slowest(d int) float64 { return s.instances.slowest(d) }
