package models

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/stat/distuv"
)

// Calibrated is a performance model whose percentiles hold on recordings it
// never saw. The execution time of a stage is
//
//	log T = log(read + compute + write) + smooth + configuration + run
//
// with steps that are non-negative combinations of the terms of the published
// models, a smooth correction of them, a part of the configuration and one of
// the run, both per stage. What is not known of a configuration and what
// varies between runs are separate, and both widen where the recordings say so.
// Runs scatter as a whole: the steps of a run are added up before, so that
// whatever correlation they have is in. Stages, and the delays before them,
// are correlated within a run where that is significant.
//
// The errors that the fit makes on configurations it was not shown then replace
// the normal distribution of each stage's draws, by a monotone map. The
// coverage this gives is that of conformal prediction: on average over
// configurations that are exchangeable with the recorded ones, which no
// optimiser chose, and which are not outside the recorded sizes (see Standing).
//
// The latency of a stage is the delay before its instances run plus the time
// of the slowest of them; both are learnt apart.
type Calibrated struct {
	workflow    *Workflow
	settings    CalibratedSettings
	stages      []CalibratedStage
	correlation [][]float64    // of execution times, then of delays, of all stages in one run
	fresh, seen []standardised // by stage
	factor      [][]float64
	warnings    []string
}

// CalibratedSettings switch parts of the model off, to see what they
// contribute. The zero value is the whole model, with warm runs.
type CalibratedSettings struct {
	NoParameterUncertainty bool    // what is not known of a configuration
	NoExecutionVariation   bool    // what differs from run to run
	NoCalibration          bool    // the map from normal draws to the errors on held-out configurations
	IndependentStages      bool    // leaves out correlations within a run
	ColdShare              float64 // probability that a stage's instances are started for a run, 0 to 1
}

// CalibratedStage is the fitted model of one stage.
type CalibratedStage struct {
	Name       string
	Splittable bool
	Grows      bool // whether the recordings show that more memory can be slower
	response   *response
	instances  instances
	delay      delay
	cold       []coldStart
	fresh      []HeldOut // runs of configurations the fit was not shown
	seen       []HeldOut // runs the fit was not shown, of configurations it knew
	edgeErrors []float64 // of predictions outside the recorded sizes: variances of log T per squared log size
	freedom    float64   // runs less configurations
}

// Standing says how much the recordings say about a configuration of a stage.
type Standing string

// The standings of a configuration. Only for those that were chosen without a
// look at the predictions does Interpolated mean that percentiles hold at
// their nominal level on average.
const (
	Recorded     Standing = "recorded"     // it was recorded itself
	Interpolated Standing = "interpolated" // among recorded ones
	Extrapolated Standing = "extrapolated" // outside the recorded sizes: widened, without a promise
)

// FitCalibrated fits the model to the warm observations of a profile, and its
// cold starts to those of epoch 0. Every stage needs observations of
// executions; delays and single invocations are used where they were recorded.
func FitCalibrated(p *Profile, settings CalibratedSettings) (*Calibrated, error) {
	if err := settings.check(); err != nil {
		return nil, err
	}
	w := p.Workflow
	stages := make([]CalibratedStage, w.Len())
	all, runs := make([][]calibratedRun, w.Len()), make([][]calibratedRun, w.Len())
	var work errgroup.Group
	for i := range stages {
		work.Go(func() error {
			var err error
			if all[i], err = calibratedRuns(p.Warm(i)); err == nil {
				runs[i] = thin(all[i], axesOf(all[i]))
				stages[i], err = fitCalibratedStage(p, i, runs[i])
			}
			if err != nil {
				return fmt.Errorf("fit of workflow %s, stage %q: %w", w.Name(), w.Stage(i).Name, err)
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	shareEdges(stages)
	for i := range stages {
		stages[i].holdOut(runs[i])
	}
	m := &Calibrated{workflow: w, settings: settings, stages: stages, correlation: runDependence(stages, all)}
	if err := m.prepare(); err != nil {
		return nil, err
	}
	return m, nil
}

func (s CalibratedSettings) check() error {
	if !(s.ColdShare >= 0 && s.ColdShare <= 1) {
		return fmt.Errorf("model calibrated: the share of cold starts is %v, want 0 to 1", s.ColdShare)
	}
	return nil
}

// With returns the same fit under other settings.
func (m *Calibrated) With(settings CalibratedSettings) (*Calibrated, error) {
	if err := settings.check(); err != nil {
		return nil, err
	}
	other := &Calibrated{workflow: m.workflow, settings: settings, stages: m.stages, correlation: m.correlation}
	return other, other.prepare()
}

// prepare makes what follows from fit and settings.
func (m *Calibrated) prepare() error {
	unsure, scatter := !m.settings.NoParameterUncertainty, !m.settings.NoExecutionVariation
	m.fresh, m.seen = make([]standardised, len(m.stages)), make([]standardised, len(m.stages))
	reach := 1.0
	for i, s := range m.stages {
		if m.settings.ColdShare > 0 && len(s.cold) == 0 {
			return fmt.Errorf("model calibrated: stage %q: no run of epoch 0 was recorded, from which cold starts could be learnt", s.Name)
		}
		if m.settings.NoCalibration {
			m.fresh[i].normal, m.seen[i].normal = true, true
			continue
		}
		var fresh, seen []HeldOut
		for j, other := range m.stages {
			if j != i {
				fresh = append(fresh, other.fresh...)
				seen = append(seen, other.seen...)
			}
		}
		m.fresh[i] = standardise(s.fresh, fresh, unsure, scatter)
		m.seen[i] = standardise(s.seen, seen, unsure, scatter)
		if len(m.seen[i].levels) == 0 {
			m.seen[i] = m.fresh[i]
		}
		reach = min(reach, m.fresh[i].reach())
	}
	switch {
	case reach == 0:
		m.warnings = append(m.warnings, fmt.Sprintf("fewer than %d configurations were recorded over all stages: percentiles are not calibrated", fewestConfigs))
	case reach < 0.95:
		m.warnings = append(m.warnings, fmt.Sprintf("the recorded configurations calibrate percentiles up to p%.3g; p95 needs 19 of them, p99 needs 99", 100*reach))
	}
	for _, s := range m.stages {
		if len(s.delay.recorded) == 0 {
			m.warnings = append(m.warnings, fmt.Sprintf("stage %s: no delay (cold_s) was recorded; its latency is that of its slowest instance", s.Name))
		}
	}
	if !m.settings.IndependentStages {
		m.factor = lowerFactor(m.correlation)
	}
	return nil
}

// calibratedRuns reads the runs that the model is fitted to.
func calibratedRuns(obs []Observation) ([]calibratedRun, error) {
	if len(obs) == 0 {
		return nil, errors.New("no warm run (epoch 1 or later) was recorded")
	}
	runs := make([]calibratedRun, len(obs))
	for k, o := range obs {
		r := calibratedRun{execution: o.Execution, site: siteOf(o.Config, o.InputParallelism)}
		total := recordedSum(o.Mean)
		if !(total > 0) {
			return nil, fmt.Errorf("execution %q has no positive time among read_s, compute_s and write_s", o.Execution)
		}
		for j, v := range []float64{o.Mean.Read, o.Mean.Compute, o.Mean.Write} {
			if v < 0 {
				return nil, fmt.Errorf("execution %q has a negative step, %v s", o.Execution, v)
			}
			if !math.IsNaN(v) {
				r.steps[j] = v
			}
		}
		r.wall = o.Mean.Cold + total
		runs[k] = r
	}
	return runs, nil
}

// mostRuns is how many runs of one configuration a fit looks at.
const mostRuns = 50

// thin leaves at most mostRuns runs of every configuration, evenly spaced in
// the order of their times: a fit that knows those of one configuration learns
// nothing about another from more of them.
func thin(runs []calibratedRun, axes axis) []calibratedRun {
	var kept []calibratedRun
	for _, g := range byConfig(runs, axes) {
		if n := len(g); n > mostRuns {
			slices.SortStableFunc(g, func(a, b calibratedRun) int { return cmp.Compare(a.total(), b.total()) })
			for k := range mostRuns {
				g[k] = g[(2*k+1)*n/(2*mostRuns)]
			}
			g = g[:mostRuns]
		}
		kept = append(kept, g...)
	}
	return kept
}

func fitCalibratedStage(p *Profile, i int, runs []calibratedRun) (CalibratedStage, error) {
	s := CalibratedStage{Name: p.Workflow.Stage(i).Name, Splittable: p.Workflow.Stage(i).Splittable()}
	axes := axesOf(runs)
	s.response = fitResponse(runs, axes, false, nil)
	if s.response.slowerWithMemory() {
		s.Grows = true
		s.response = fitResponse(runs, axes, true, nil)
	}
	s.freedom = float64(len(runs) - len(s.response.configs))
	s.edgeErrors = s.edges(runs)
	s.instances = measureInstances(p.Warm(i))
	s.delay = fitDelay(runs, axes, s.instances)
	var first []Observation
	for _, o := range p.Stage(i) {
		if o.Epoch == 0 {
			first = append(first, o)
		}
	}
	if len(first) > 0 {
		cold, err := calibratedRuns(first)
		if err != nil {
			return s, err
		}
		s.cold = s.coldStarts(cold)
	}
	return s, nil
}

// holdOut predicts every configuration, and every run, by a fit that did not
// see it. The parameters of the Gaussian process and the widening outside the
// recorded sizes are those of the whole stage.
func (s *CalibratedStage) holdOut(runs []calibratedRun) {
	r := s.response
	groups := byConfig(runs, r.axes)
	if len(groups) > 1 {
		for i, g := range groups {
			var rest []calibratedRun
			for j, other := range groups {
				if j != i {
					rest = append(rest, other...)
				}
			}
			fit := fitResponse(rest, r.axes, s.Grows, &r.smooth)
			fit.edge = r.edge
			s.fresh = append(s.fresh, heldOut(fit.predict(g[0].site), g)...)
		}
	}
	folds := 0
	for _, g := range groups {
		folds = max(folds, min(len(g), mostFolds))
	}
	if folds < 2 {
		return
	}
	tested := make([][]HeldOut, len(groups))
	for fold := range folds {
		var rest []calibratedRun
		out := make([][]calibratedRun, len(groups))
		for i, g := range groups {
			for k, run := range g {
				if len(g) > 1 && k%folds == fold {
					out[i] = append(out[i], run)
				} else {
					rest = append(rest, run)
				}
			}
		}
		fit := fitResponse(rest, r.axes, s.Grows, &r.smooth)
		for i, g := range out {
			if len(g) > 0 {
				tested[i] = append(tested[i], heldOut(fit.predict(g[0].site), g)...)
			}
		}
	}
	for _, list := range tested {
		for k := range list {
			list[k].Weight = 1 / float64(len(list))
		}
		s.seen = append(s.seen, list...)
	}
}

// mostFolds is in how many parts the runs of a configuration are held out.
const mostFolds = 5

// heldOut compares runs of one configuration with what was predicted for it.
func heldOut(p prediction, runs []calibratedRun) []HeldOut {
	list := make([]HeldOut, len(runs))
	for k, run := range runs {
		list[k] = HeldOut{Error: math.Log(run.total()) - p.log, Unsure: p.unsure, Scatter: p.scatter, Weight: 1 / float64(len(runs))}
	}
	return list
}

// slowerWithMemory tests the assumption that less memory is not faster: whether
// at any parallelism the largest size is significantly slower than the fastest,
// at 5 % over all of them together, given how far runs and configurations
// scatter.
func (r *response) slowerWithMemory() bool {
	type ladder struct{ largest, fastest *recordedConfig }
	ladders := map[[2]float64]*ladder{}
	level := func(c *recordedConfig) float64 { return math.Log(r.total.at(c.site)) + c.deviation }
	for i := range r.configs {
		c := &r.configs[i]
		l := ladders[[2]float64{c.site.d, c.site.in}]
		if l == nil {
			ladders[[2]float64{c.site.d, c.site.in}] = &ladder{c, c}
			continue
		}
		if c.site.k > l.largest.site.k {
			l.largest = c
		}
		if level(c) < level(l.fastest) {
			l.fastest = c
		}
	}
	most := 0.0
	tests := len(r.configs) // the fastest is one of them
	for _, l := range ladders {
		variance := 2*r.smooth.nugget + r.smooth.run/l.largest.weight + r.smooth.run/l.fastest.weight
		most = max(most, (level(l.largest)-level(l.fastest))/math.Sqrt(variance))
	}
	return distuv.UnitNormal.CDF(-most)*float64(tests) < 0.05
}

// Standard deviations of log T per log size outside the recorded ones.
const (
	leastEdge   = 0.05 // the least there is
	mostEdge    = 1    // an error of full proportion
	unknownEdge = 0.5  // of a size that was never varied: its effect is anything between none and full proportion
	edgePrior   = 2    // edges of all stages that a stage's own are averaged with
)

// edges measures the errors of predictions outside the recorded sizes, by
// leaving out the smallest and the largest of them: variances of log T per
// squared log size.
func (s *CalibratedStage) edges(runs []calibratedRun) []float64 {
	r := s.response
	var list []float64
	for _, a := range []struct {
		axis axis
		of   func(site) float64
	}{
		{axisD, func(s site) float64 { return s.d }},
		{axisK, func(s site) float64 { return s.k }},
		{axisIn, func(s site) float64 { return s.in }},
	} {
		var levels []float64
		for _, c := range r.configs {
			levels = append(levels, a.of(c.site))
		}
		slices.Sort(levels)
		levels = slices.Compact(levels)
		if r.axes&a.axis == 0 || len(levels) < 4 {
			continue
		}
		for _, level := range []float64{levels[0], levels[len(levels)-1]} {
			var rest, out []calibratedRun
			for _, run := range runs {
				if a.of(run.site) == level {
					out = append(out, run)
				} else {
					rest = append(rest, run)
				}
			}
			fit := fitResponse(rest, r.axes, s.Grows, &r.smooth)
			sum, n := 0.0, 0
			for _, g := range byConfig(out, r.axes) {
				p := fit.predict(g[0].site)
				e := 0.0
				for _, run := range g {
					e += (math.Log(run.total()) - p.log) / float64(len(g))
				}
				if p.outside > 0 {
					sum += max(0, e*e-p.unsure-p.scatter/float64(len(g))) / square(p.outside)
					n++
				}
			}
			if n > 0 {
				list = append(list, min(sum/float64(n), square(mostEdge)))
			}
		}
	}
	return list
}

// shareEdges sets how predictions outside the recorded sizes are widened:
// every stage by its own errors there, averaged with those of all stages.
func shareEdges(stages []CalibratedStage) {
	sum, n := 0.0, 0
	for _, s := range stages {
		for _, v := range s.edgeErrors {
			sum, n = sum+v, n+1
		}
	}
	pooled := square(unknownEdge)
	if n > 0 {
		pooled = sum / float64(n)
	}
	for i := range stages {
		s := &stages[i]
		own := edgePrior * pooled
		for _, v := range s.edgeErrors {
			own += v
		}
		s.response.edge = max(square(leastEdge), own/float64(edgePrior+len(s.edgeErrors)))
		if s.response.axes&axisK == 0 || s.Splittable && s.response.axes&axisD == 0 {
			s.response.edge = max(s.response.edge, square(unknownEdge))
		}
	}
}

// Name returns "calibrated".
func (m *Calibrated) Name() string { return kindCalibrated }

// Workflow returns the workflow that the model is of.
func (m *Calibrated) Workflow() *Workflow { return m.workflow }

// Settings returns the settings of the model.
func (m *Calibrated) Settings() CalibratedSettings { return m.settings }

// Warnings returns what a user of the model must know.
func (m *Calibrated) Warnings() []string { return slices.Clone(m.warnings) }

// Stages returns the fitted stages. The caller must not change them.
func (m *Calibrated) Stages() []CalibratedStage { return m.stages }

// Standing says how much the recordings say about stage i under c.
func (m *Calibrated) Standing(i int, c StageConfig, inputParallelism int) Standing {
	return m.stages[i].response.predict(siteOf(c, inputParallelism)).standing()
}

// kindCalibrated is what the model is called on the command line and in files.
const kindCalibrated = "calibrated"
