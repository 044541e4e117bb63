package models

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"eevee/traces"
)

// Record makes a synthetic trace of the card: rows of the form and order of
// the profile that was measured, a mean and a p95 row per stage, epoch and
// configuration, marked as synthetic. Times are rounded to the nanosecond.
//
// Least squares over the mean rows of warm epochs gives the curves of the card
// back, as it gave them for the recordings: the deviations from a curve are
// drawn, and what a fit of them finds is taken away. A draw in which a time
// falls below half of the shortest recorded one, or which another basis fits
// better, is repeated. What the card holds as quantiles is drawn from equal parts of its distribution, one value
// from each, in random order. A trace of some dozen runs then shows the
// measured curves and tails, and not those of a lucky or an unlucky draw.
//
// Every stage, step and factor has a stream of its own; the same streams give
// the same rows.
func (c Card) Record(streams Streams) ([]traces.Record, error) {
	if c.Definition == nil {
		return nil, fmt.Errorf("card of workflow %s: belongs to no definition; read it with LoadCard", c.Workflow)
	}
	c.Stages = slices.Clone(c.Stages)
	c.inOrder()
	if err := c.check("card of workflow " + c.Workflow); err != nil {
		return nil, err
	}
	points := c.points()
	rows := make([]traces.Record, 0, len(c.Stages)*c.Epochs*len(points)*2)
	for i := range c.Stages {
		d, err := c.draw(i, points, streams.Sub("card/"+c.Stages[i].Stage))
		if err != nil {
			return nil, fmt.Errorf("card of workflow %s: stage %q: %w", c.Workflow, c.Stages[i].Stage, err)
		}
		for e := range c.Epochs {
			for k, p := range points {
				o := d.observe(i, e, k, p)
				o.Execution = fmt.Sprintf("%s/epoch%d/%v", c.Workflow, e, p)
				if !finite(o.Mean.Cold) || !finite(o.P95.Cold) || !finite(o.P95.Exec()) {
					return nil, fmt.Errorf("card of workflow %s: stage %q: execution %q takes longer than a number can say", c.Workflow, c.Stages[i].Stage, o.Execution)
				}
				rows = append(rows, c.row(i, e, traces.Mean, o, o.Mean), c.row(i, e, traces.P95, o, o.P95))
			}
		}
	}
	return rows, nil
}

func (c Card) row(stage, epoch int, statistic traces.Statistic, o Observation, s Steps) traces.Record {
	return traces.Record{
		Workflow: c.Workflow, Execution: o.Execution, Stage: c.Stages[stage].Stage,
		Epoch: new(int32(epoch)), Statistic: statistic,
		MemoryMB: int32(o.Config.Memory), Parallelism: new(int32(o.Config.Parallelism)),
		Cold: &s.Cold, Read: &s.Read, Compute: &s.Compute, Write: &s.Write,
		Source: traces.Synthetic,
	}
}

// cardDraws is what is drawn for one stage.
type cardDraws struct {
	card  Card
	steps []stepDraws // in the order of stepNames
	delay [][]float64 // probability of the deviation, per epoch and configuration
}

// stepDraws is what is drawn for one step, per epoch and configuration: means
// over the instances in seconds, nil for a step that takes no time, and
// probabilities of X.
type stepDraws struct {
	mean, instances [][]float64
}

// draw draws for stage i in every epoch over the given configurations.
func (c Card) draw(i int, points []cardPoint, streams Streams) (*cardDraws, error) {
	d := &cardDraws{card: c}
	n := len(points)
	for _, name := range stepNames {
		s := c.Stages[i].step(name)
		u := strata(streams.New(name+"/instances"), c.Epochs*n)
		step := stepDraws{instances: slices.Collect(slices.Chunk(u, n))}
		if !s.zero() {
			warm, err := c.warm(i, name, points, streams.New(name+"/configuration"), streams.New(name+"/run"))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			first := make([]float64, n)
			for k, u := range strata(streams.New(name+"/first"), n) {
				for _, epoch := range warm {
					first[k] += epoch[k] / float64(len(warm)) * c.quantile(s.FirstEpoch, u)
				}
				first[k] = max(nanoseconds(first[k]), 1e-9)
			}
			step.mean = append([][]float64{first}, warm...)
		}
		d.steps = append(d.steps, step)
	}
	d.delay = append(d.delay, strata(streams.New("delay/first"), n))
	warm := strata(streams.New("delay/warm"), (c.Epochs-1)*n)
	d.delay = slices.AppendSeq(d.delay, slices.Chunk(warm, n))
	return d, nil
}

// maxAttempts bounds how often warm draws; the bundled cards need some dozens
// at most.
const maxAttempts = 10_000

// warm draws the mean times of a step of stage i in seconds, per warm epoch
// and configuration.
func (c Card) warm(i int, name string, points []cardPoint, ofConfiguration, ofRun *rand.Rand) ([][]float64, error) {
	s, n := c.Stages[i].step(name), len(points)
	bases := stepBases(c.Definition.Workflow, i, name)
	var at []gridPoint // one per run, epoch by epoch
	var design [][]float64
	var curve, level []float64
	for range c.Epochs - 1 {
		for _, p := range points {
			config, in := p.at(c.Definition, i)
			at = append(at, gridPoint{inTenths(config), in})
			row := regressors(s.Basis, len(s.Params), at[len(at)-1])
			design = append(design, row)
			curve = append(curve, dot(s.Params, row))
			level = append(level, s.level(config, in))
		}
	}
	deviation := make([]float64, len(design))
	for range maxAttempts {
		byConfiguration := logNormal(ofConfiguration, s.Configuration, n)
		for k, r := range logNormal(ofRun, s.Run, len(design)) {
			deviation[k] = level[k]*byConfiguration[k%n]*r - curve[k]
		}
		found, err := fitLinear(design, deviation)
		if err != nil {
			return nil, err
		}
		times := make([]float64, len(design))
		for k := range times {
			times[k] = nanoseconds(curve[k] + deviation[k] - found.at(design[k]))
		}
		if slices.Min(times) < max(s.Least/2, 1e-9) {
			continue
		}
		if best, err := fitBest(at, times, name, bases); err != nil {
			return nil, err
		} else if best.Basis == s.Basis {
			return slices.Collect(slices.Chunk(times, n)), nil
		}
	}
	return nil, fmt.Errorf("none of %d draws has all times above half of least_s, %v s, and fits basis %s best; configuration_sd and run_sd are too large for the curve", maxAttempts, s.Least/2, s.Basis)
}

// observe returns what stage i does in epoch e under configuration k of the
// grid, which is p.
func (d *cardDraws) observe(i, e, k int, p cardPoint) Observation {
	config, in := p.at(d.card.Definition, i)
	o := Observation{Config: config, InputParallelism: in}
	stage := &d.card.Stages[i]
	for n, name := range stepNames {
		drawn := d.steps[n]
		if drawn.mean == nil {
			continue
		}
		mean := drawn.mean[e][k]
		p95 := mean
		if x := stage.step(name).Instances; x != nil && config.Parallelism > 1 {
			ln := d.card.trend(*x, math.Log(float64(config.Parallelism)), drawn.instances[e][k])
			p95 = nanoseconds(mean * (1 + math.Exp(ln)))
		}
		o.Mean.set(name, mean)
		o.P95.set(name, p95)
	}
	trend := stage.Delay.Warm
	if e == 0 {
		trend = stage.Delay.First
	}
	beyond := d.card.trend(trend, float64(config.Parallelism), d.delay[e][k])
	spread := o.P95.Exec() - o.Mean.Exec()
	o.Mean.Cold = nanoseconds(max(beyond+spread, stage.Delay.Least))
	o.P95.Cold = nanoseconds(o.Mean.Cold - spread)
	return o
}

func (s *Steps) set(step string, seconds float64) {
	switch step {
	case "read":
		s.Read = seconds
	case "compute":
		s.Compute = seconds
	default:
		s.Write = seconds
	}
}

// trend returns the value at x of a quantity whose deviation has probability u.
func (c Card) trend(t CardTrend, x, u float64) float64 {
	return t.Intercept + t.Slope*x + c.quantile(t.Deviation, u)
}

// quantile interpolates the u-quantile, 0 <= u < 1.
func (c Card) quantile(q []float64, u float64) float64 {
	k := 1
	for c.Levels[k] < u {
		k++
	}
	low, high := c.Levels[k-1], c.Levels[k]
	return q[k-1] + (u-low)/(high-low)*(q[k]-q[k-1])
}

// logNormal draws n factors of mean 1 and the given standard deviation whose
// logarithm is normal.
func logNormal(source *rand.Rand, sd float64, n int) []float64 {
	variance := math.Log1p(sd * sd)
	factors := make([]float64, n)
	for k := range factors {
		factors[k] = math.Exp(math.Sqrt(variance)*source.NormFloat64() - variance/2)
	}
	return factors
}

// strata draws n probabilities, one from each of n equal parts of 0 to 1, in
// random order.
func strata(source *rand.Rand, n int) []float64 {
	u := make([]float64, n)
	for k, part := range source.Perm(n) {
		u[k] = (float64(part) + source.Float64()) / float64(n)
	}
	return u
}

// nanoseconds rounds a time in seconds to a whole number of nanoseconds.
func nanoseconds(seconds float64) float64 { return math.Round(seconds*1e9) / 1e9 }
