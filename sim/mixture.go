package sim

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// Mixture is a distribution of times: a mixture of log-normal ones. The weights
// add up to 1. An empty mixture is 0 always.
type Mixture []LogNormal

// LogNormal is a component of a Mixture.
type LogNormal struct {
	Weight float64 `yaml:"weight"` // share of the component; 0: 1, for a mixture of one
	Median float64 `yaml:"median_s"`
	Sigma  float64 `yaml:"sigma"` // standard deviation of the logarithm; 0: always the median
}

func (l LogNormal) weight() float64 {
	if l.Weight == 0 {
		return 1
	}
	return l.Weight
}

// Draw draws a time in seconds. It uses one word of the stream to choose the
// component of a mixture of several.
func (m Mixture) Draw(stream *rand.Rand) float64 {
	if len(m) == 0 {
		return 0
	}
	c := &m[len(m)-1]
	if len(m) > 1 {
		u := stream.Float64()
		for k := range m[:len(m)-1] {
			if u -= m[k].Weight; u < 0 {
				c = &m[k]
				break
			}
		}
	}
	if c.Sigma == 0 {
		return c.Median
	}
	return c.Median * math.Exp(c.Sigma*stream.NormFloat64())
}

// Mean returns the mean in seconds.
func (m Mixture) Mean() float64 {
	mean := 0.0
	for _, c := range m {
		mean += c.weight() * c.Median * math.Exp(c.Sigma*c.Sigma/2)
	}
	return mean
}

// CDF returns the probability of at most s seconds.
func (m Mixture) CDF(s float64) float64 {
	if len(m) == 0 {
		if s < 0 {
			return 0
		}
		return 1
	}
	p := 0.0
	for _, c := range m {
		switch {
		case c.Sigma == 0 && s >= c.Median:
			p += c.weight()
		case c.Sigma > 0 && s > 0:
			p += c.weight() * distuv.UnitNormal.CDF(math.Log(s/c.Median)/c.Sigma)
		}
	}
	return p
}

// check says what is wrong with a mixture.
func (m Mixture) check() error {
	sum := 0.0
	for k, c := range m {
		switch {
		case !(c.Median >= 0) || math.IsInf(c.Median, 0):
			return fmt.Errorf("component %d: median_s %v is not a time of at least 0", k+1, c.Median)
		case c.Median == 0 && c.Sigma != 0:
			return fmt.Errorf("component %d: median_s is 0, but sigma is %v", k+1, c.Sigma)
		case !(c.Sigma >= 0) || math.IsInf(c.Sigma, 0):
			return fmt.Errorf("component %d: sigma %v is not a number of at least 0", k+1, c.Sigma)
		case !(c.weight() > 0 && c.weight() <= 1):
			return fmt.Errorf("component %d: weight %v is not above 0 and at most 1", k+1, c.Weight)
		}
		sum += c.weight()
	}
	if len(m) > 0 && math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("the weights add up to %v, not to 1", sum)
	}
	return nil
}
