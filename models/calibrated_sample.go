package models

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// runDependence returns the correlations of the execution times, then of the
// delays, of all stages within a run.
func runDependence(stages []CalibratedStage, runs [][]calibratedRun) [][]float64 {
	var list []series
	var freedom []float64
	for i := range stages {
		centred := series{}
		for _, g := range byConfig(runs[i], stages[i].response.axes) {
			mean := 0.0
			for _, r := range g {
				mean += math.Log(r.total()) / float64(len(g))
			}
			for _, r := range g {
				if len(g) > 1 {
					centred[r.execution] = math.Log(r.total()) - mean
				}
			}
		}
		list = append(list, centred)
		freedom = append(freedom, stages[i].freedom)
	}
	for i := range stages {
		list = append(list, stages[i].delay.runs)
		freedom = append(freedom, stages[i].freedom)
	}
	c := dependence(list, freedom)
	// Only the part of a draw that varies from run to run is correlated.
	share := make([]float64, len(list))
	for i := range share {
		share[i] = 1
		if i < len(stages) {
			share[i] = math.Sqrt(stages[i].scatterShare())
		}
	}
	for i := range c {
		for j := range c[i] {
			if i != j {
				c[i][j] *= share[i] * share[j]
			}
		}
	}
	return c
}

// scatterShare is the share of the predicted variance that runs account for.
func (s *CalibratedStage) scatterShare() float64 {
	sum, weight := 0.0, 0.0
	for _, h := range s.fresh {
		sum += h.Weight * h.Scatter / (h.Scatter + h.Unsure)
		weight += h.Weight
	}
	if weight == 0 {
		return 1
	}
	return sum / weight
}

// Sample draws n scenarios. A scenario holds one standard normal draw for the
// execution time and one for the delay of every stage, correlated as the runs
// are, which the configuration it is asked for then scales.
func (m *Calibrated) Sample(n int, price PriceBook, streams Streams) (*Scenarios, error) {
	if n < 1 {
		return nil, fmt.Errorf("model calibrated: %d scenarios, need at least 1", n)
	}
	quantities := 2 * len(m.stages)
	normal := make([][]float64, quantities)
	for k := range normal {
		name := "execution"
		if k >= len(m.stages) {
			name = "delay"
		}
		source := streams.Sub("scenarios/" + m.stages[k%len(m.stages)].Name).New(name)
		normal[k] = make([]float64, n)
		for i := range normal[k] {
			normal[k][i] = source.NormFloat64()
		}
	}
	if m.factor != nil {
		correlate(normal, m.factor)
	}
	samples := make([]StageSample, len(m.stages))
	for s := range m.stages {
		stage := &m.stages[s]
		d := &calibratedDraws{stage: stage, settings: m.settings, n: n}
		d.fresh, d.seen = m.fresh[s].each(normal[s]), m.seen[s].each(normal[s])
		if len(stage.delay.recorded) > 0 {
			d.delay = stage.delay.draw(normal[len(m.stages)+s])
		}
		if m.settings.ColdShare > 0 {
			d.drawCold(m.settings.ColdShare, streams.Sub("scenarios/"+stage.Name).New("cold"))
		}
		samples[s] = d
	}
	return NewScenarios(m.workflow, price, n, samples)
}

// correlate multiplies the column of every scenario by a lower triangular matrix.
func correlate(columns, factor [][]float64) {
	for i := len(columns) - 1; i >= 0; i-- {
		to := columns[i]
		for k := range to {
			sum := 0.0
			for j, f := range factor[i][:i+1] {
				if f != 0 {
					sum += f * columns[j][k]
				}
			}
			to[k] = sum
		}
	}
}

// each maps standard normal draws to scores.
func (m standardised) each(normal []float64) []float64 {
	scores := make([]float64, len(normal))
	for k, z := range normal {
		scores[k] = m.quantile(distuv.UnitNormal.CDF(z))
	}
	return scores
}

// calibratedDraws is the sample of one stage.
type calibratedDraws struct {
	stage       *CalibratedStage
	settings    CalibratedSettings
	n           int
	fresh, seen []float64 // draws of log T in standard deviations, of configurations not recorded and recorded
	delay       []int     // which recorded delay; nil where none were
	coldDelay   []float64 // s; nil for warm runs
	coldFactor  []float64
}

func (s *calibratedDraws) drawCold(share float64, source *rand.Rand) {
	s.coldDelay, s.coldFactor = make([]float64, s.n), make([]float64, s.n)
	for k := range s.coldFactor {
		cold := source.Float64() < share
		c := s.stage.cold[source.IntN(len(s.stage.cold))]
		s.coldFactor[k] = 1
		if cold {
			s.coldDelay[k], s.coldFactor[k] = c.Delay, c.Factor
		}
	}
}

// ReadsInput implements StageSample.
func (s *calibratedDraws) ReadsInput() bool { return s.stage.response.axes&axisIn != 0 }

// Select implements SelectableStage.
func (s *calibratedDraws) Select(rows []int32) StageSample {
	of := *s
	of.n = len(rows)
	of.fresh, of.seen = selected(s.fresh, rows), selected(s.seen, rows)
	of.delay = selected(s.delay, rows)
	of.coldDelay, of.coldFactor = selected(s.coldDelay, rows), selected(s.coldFactor, rows)
	return &of
}

// Times implements StageSample.
func (s *calibratedDraws) Times(c StageConfig, inputParallelism int, latency, billed []float64) {
	at := siteOf(c, inputParallelism)
	p := s.stage.response.predict(at)
	scores := s.fresh
	if p.recorded {
		scores = s.seen
	}
	deviation := s.settings.deviation(p)
	out := billed
	if out == nil {
		out = latency
	}
	for k, score := range scores {
		out[k] = math.Exp(p.log + deviation*score)
	}
	for k, f := range s.coldFactor {
		out[k] *= f
	}
	if latency == nil {
		return
	}
	slowest := s.stage.instances.slowest(c.Parallelism)
	for k, t := range out {
		latency[k] = t * slowest
	}
	if s.delay != nil {
		waits := s.stage.delay.at(at.reduce(s.stage.response.axes))
		for k, pick := range s.delay {
			latency[k] += waits[pick]
		}
	}
	for k, wait := range s.coldDelay {
		latency[k] += wait
	}
}
