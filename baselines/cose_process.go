package baselines

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// process is a Gaussian process with a constant mean and the kernel of Matern
// with smoothness 5/2,
//
//	k(r) = (1 + s + s^2/3) exp(-s),   s = sqrt(5) r / length,
//
// given what was observed of it (Rasmussen and Williams, Gaussian Processes for
// Machine Learning, 2006, equations 2.25, 2.26 and 4.17). Observations are
// standardised; a variance of processNoise stands for what the kernel cannot
// explain.
type process struct {
	x           [][]float64
	length      float64
	mean, scale float64    // of the observations
	weights     []float64  // inverse covariance times standardised observations
	inverse     *mat.Dense // of the covariance
}

// processNoise is the variance of the noise in units of that of the
// observations, processLengths the lengths that are tried in a unit cube.
const processNoise = 1e-4

var processLengths = []float64{0.1, 0.2, 0.4, 0.8, 1.6, 3.2}

// newProcess conditions a process on observations y at x, at least one, with
// the length that makes them most likely.
func newProcess(x [][]float64, y []float64) (*process, error) {
	var best *process
	most := math.Inf(-1)
	for _, length := range processLengths {
		p, likelihood, ok := condition(x, y, length)
		if ok && likelihood > most {
			best, most = p, likelihood
		}
	}
	if best == nil {
		return nil, errors.New("cose: the covariance of the observations cannot be factored")
	}
	return best, nil
}

// condition returns the process of a given length with the logarithm of the
// marginal likelihood, up to a constant.
func condition(x [][]float64, y []float64, length float64) (*process, float64, bool) {
	n := len(y)
	p := &process{x: x, length: length, scale: 1}
	for _, v := range y {
		p.mean += v / float64(n)
	}
	variance := 0.0
	for _, v := range y {
		variance += (v - p.mean) * (v - p.mean) / float64(n)
	}
	if variance > 0 {
		p.scale = math.Sqrt(variance)
	}
	k := mat.NewSymDense(n, nil)
	target := mat.NewVecDense(n, nil)
	for i := range n {
		target.SetVec(i, (y[i]-p.mean)/p.scale)
		for j := i; j < n; j++ {
			v := p.kernel(x[i], x[j])
			if i == j {
				v += processNoise
			}
			k.SetSym(i, j, v)
		}
	}
	var c mat.Cholesky
	if !c.Factorize(k) {
		return nil, 0, false
	}
	var weights mat.VecDense
	var inverse mat.SymDense
	if c.SolveVecTo(&weights, target) != nil || c.InverseTo(&inverse) != nil {
		return nil, 0, false
	}
	p.weights = weights.RawVector().Data
	p.inverse = mat.DenseCopyOf(&inverse)
	return p, -0.5*mat.Dot(target, &weights) - 0.5*c.LogDet(), true
}

func (p *process) kernel(a, b []float64) float64 {
	square := 0.0
	for i := range a {
		square += (a[i] - b[i]) * (a[i] - b[i])
	}
	s := math.Sqrt(5*square) / p.length
	return (1 + s + s*s/3) * math.Exp(-s)
}

// at returns mean and standard deviation of the process at x.
func (p *process) at(x []float64) (mean, deviation float64) {
	n := len(p.x)
	k := make([]float64, n)
	for i := range k {
		k[i] = p.kernel(x, p.x[i])
		mean += k[i] * p.weights[i]
	}
	explained := 0.0
	for i := range k {
		row := p.inverse.RawRowView(i)
		inner := 0.0
		for j := range k {
			inner += row[j] * k[j]
		}
		explained += k[i] * inner
	}
	return p.mean + p.scale*mean, p.scale * math.Sqrt(max(0, 1-explained))
}

// expectedImprovement returns E max(0, best - Y) of a normal Y (Jones, Schonlau
// and Welch, J. Global Optimization 13, 1998, equation 15).
func expectedImprovement(best, mean, deviation float64) float64 {
	if deviation == 0 {
		return max(0, best-mean)
	}
	z := (best - mean) / deviation
	return (best-mean)*distuv.UnitNormal.CDF(z) + deviation*distuv.UnitNormal.Prob(z)
}

// below returns P(Y <= limit) of a normal Y.
func below(limit, mean, deviation float64) float64 {
	if deviation == 0 {
		if mean <= limit {
			return 1
		}
		return 0
	}
	return distuv.UnitNormal.CDF((limit - mean) / deviation)
}
