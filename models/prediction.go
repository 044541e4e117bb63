package models

import "math"

// Prediction is what the calibrated model says about the execution time of a
// stage in a warm run, the mean over its instances.
type Prediction struct {
	Median   float64 // s
	Unsure   float64 // variance of its logarithm: what is not known of the configuration
	Scatter  float64 // variance of its logarithm between runs
	Outside  float64 // log size by which the configuration lies outside the recorded ones; 0 among them
	Standing Standing

	log, deviation float64
	scores         standardised
}

// Predict returns the prediction for stage i under c. inputParallelism is that
// of the stage's input parent, 0 where it has none.
func (m *Calibrated) Predict(i int, c StageConfig, inputParallelism int) Prediction {
	at := m.stages[i].response.predict(siteOf(c, inputParallelism))
	p := Prediction{
		Unsure: at.unsure, Scatter: at.scatter, Outside: at.outside, Standing: at.standing(),
		log: at.log, deviation: m.settings.deviation(at), scores: m.scoresOf(i, at),
	}
	p.Median = p.Quantile(0.5)
	return p
}

// Quantile returns the p-quantile of the execution time in seconds, 0 < p < 1:
// that of the distribution scenarios are drawn from.
func (p Prediction) Quantile(level float64) float64 {
	return math.Exp(p.log + p.deviation*p.scores.quantile(level))
}

// scoresOf returns the map that holds for a site.
func (m *Calibrated) scoresOf(i int, p prediction) standardised {
	if p.recorded {
		return m.seen[i]
	}
	return m.fresh[i]
}

// deviation returns the standard deviation of log T from the parts that are
// switched on.
func (s CalibratedSettings) deviation(p prediction) float64 {
	variance := 0.0
	if !s.NoParameterUncertainty {
		variance += p.unsure
	}
	if !s.NoExecutionVariation {
		variance += p.scatter
	}
	return math.Sqrt(variance)
}

// standing says how much the recordings say about the site.
func (p prediction) standing() Standing {
	switch {
	case p.recorded:
		return Recorded
	case p.outside > 0:
		return Extrapolated
	}
	return Interpolated
}
