package models

import (
	"errors"
	"fmt"
	"math"
)

// Stated is a model that is not fitted: of every stage the duration of one run
// is known, and how that scales with memory and varies between runs is what
// somebody states. It is for workflows of which no more was recorded, such as
// the instances of WfCommons.
//
// A run that took the given time on c cores, of which it computed a share u,
// takes on k vCPU, over all runs on average,
//
//	t(k) = time * ((1-u) + u/speed * g(k)/g(c))
//	g(k) = 1/k             k <= 1
//	g(k) = (1-p) + p/k     k >= 1
//
// AWS Lambda gives a function CPU time in proportion to its memory, and one
// vCPU at 1,769 MB (AWS Lambda developer guide, "Configure Lambda function
// memory"), so that below that the computing takes longer in proportion; above
// it, only its parallel fraction p becomes faster (Amdahl, AFIPS 1967). The
// times of all stages vary by factors of mean 1 whose logarithms are normal.
//
// No stage can be split: nothing is known about a part of it.
type Stated struct {
	workflow *Workflow
	law      StatedLaw
	stages   []StatedStage
}

// StatedLaw is what is stated of all stages.
type StatedLaw struct {
	// Dispersion is the standard deviation of the time of a stage from run to
	// run over its mean; above 0, at most 10.
	Dispersion float64
	// Correlation of the logarithms of the times of any two stages in a run,
	// from 0 to 1. What a run's input has to do with it makes it more than 0.
	Correlation float64
	// ParallelFraction is the share of the computing that more than one vCPU
	// make faster, from 0 to 1; 0: code of one thread.
	ParallelFraction float64
	// Speed of a vCPU over that of a core that the runs were recorded on; 0
	// means 1.
	Speed float64
	// Delay is the time in seconds from a stage being ready to its function
	// running. It is not billed, and does not vary.
	Delay float64
}

// StatedStage is one recorded run of a stage.
type StatedStage struct {
	Name     string
	Time     float64 // s, at least 0
	CPUShare float64 // of the time in which it computed, from 0 to 1
	Cores    float64 // it computed on, at least 1
}

// Check says what is wrong with the law.
func (l StatedLaw) Check() error {
	var errs []error
	within := func(what string, v, low, high float64) {
		if !(v >= low && v <= high) {
			errs = append(errs, fmt.Errorf("%s %v is not from %v to %v", what, v, low, high))
		}
	}
	if l.Dispersion == 0 {
		errs = append(errs, errors.New("dispersion 0 leaves nothing to chance; state how much a stage varies from run to run"))
	} else {
		within("dispersion", l.Dispersion, 0, 10)
	}
	within("correlation", l.Correlation, 0, 1)
	within("parallel fraction", l.ParallelFraction, 0, 1)
	within("speed", l.Speed, 0, 1e6)
	within("delay", l.Delay, 0, 1e6)
	return errors.Join(errs...)
}

// speed returns Speed, or what 0 stands for.
func (l StatedLaw) speed() float64 {
	if l.Speed == 0 {
		return 1
	}
	return l.Speed
}

// gain returns g and its derivative.
func (l StatedLaw) gain(vcpu float64) (g, slope float64) {
	if vcpu < 1 {
		return 1 / vcpu, -1 / (vcpu * vcpu)
	}
	p := l.ParallelFraction
	return 1 - p + p/vcpu, -p / (vcpu * vcpu)
}

// MeanTime returns the mean time in seconds of a stage on so many vCPU, without
// the delay, and its derivative.
func (l StatedLaw) MeanTime(s StatedStage, vcpu float64) (t, slope float64) {
	g, dg := l.gain(vcpu)
	recorded, _ := l.gain(s.Cores)
	computing := s.Time * s.CPUShare / l.speed() / recorded
	return s.Time*(1-s.CPUShare) + computing*g, computing * dg
}

// NewStated makes a model of one recorded run per stage, in the order of the
// workflow.
func NewStated(w *Workflow, law StatedLaw, stages []StatedStage) (*Stated, error) {
	law.Speed = law.speed()
	m := &Stated{workflow: w, law: law, stages: stages}
	c := &fileCheck{from: "model " + kindStated}
	m.file(ModelMeta{}).checkModel(c, w)
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	return m, nil
}

// kindStated is what the model is called in files.
const kindStated = "stated"

// Name returns "stated".
func (m *Stated) Name() string { return kindStated }

// Workflow returns the workflow that the model is of.
func (m *Stated) Workflow() *Workflow { return m.workflow }

// Law returns what is stated of all stages.
func (m *Stated) Law() StatedLaw { return m.law }

// Stages returns the recorded runs. The caller must not change them.
func (m *Stated) Stages() []StatedStage { return m.stages }

// Assumptions says, one sentence each, what nobody measured.
func (m *Stated) Assumptions() []string {
	l := m.law
	together := "independently of the others"
	if l.Correlation > 0 {
		together = fmt.Sprintf("with a correlation of %v to every other", l.Correlation)
	}
	beyond := "above it takes as long as on one, being code of one thread"
	if l.ParallelFraction > 0 {
		beyond = fmt.Sprintf("above, a fraction of %v of it becomes faster (Amdahl 1967)", l.ParallelFraction)
	}
	return []string{
		fmt.Sprintf("every recorded time is taken as the mean of a log-normal distribution with a standard deviation of %v times the mean; a stage varies %s", l.Dispersion, together),
		"below one vCPU the computing of a stage takes longer in proportion, as AWS Lambda gives CPU in proportion to memory; " + beyond,
		fmt.Sprintf("a vCPU is %v times as fast as a core that was recorded, and what is not computing does not depend on memory", l.speed()),
		fmt.Sprintf("a function runs %v s after its stage is ready", l.Delay),
	}
}

// Sample draws n scenarios: one factor for the run, and one for every stage
// from a stream of its own.
func (m *Stated) Sample(n int, price PriceBook, streams Streams) (*Scenarios, error) {
	if n < 1 {
		return nil, fmt.Errorf("model %s: %d scenarios, need at least 1", kindStated, n)
	}
	variance := math.Log1p(m.law.Dispersion * m.law.Dispersion)
	common, own := math.Sqrt(variance*m.law.Correlation), math.Sqrt(variance*(1-m.law.Correlation))
	run := make([]float64, n)
	source := streams.New("scenarios")
	for k := range run {
		run[k] = common*source.NormFloat64() - variance/2
	}
	samples := make([]StageSample, len(m.stages))
	for i, s := range m.stages {
		source := streams.Sub("scenarios/" + s.Name).New("execution")
		d := &statedDraws{law: m.law, stage: s, factor: make([]float64, n), weight: 1}
		for k := range d.factor {
			d.factor[k] = math.Exp(run[k] + own*source.NormFloat64())
		}
		samples[i] = d
	}
	return NewScenarios(m.workflow, price, n, samples)
}

// statedDraws is the sample of one stage.
type statedDraws struct {
	law    StatedLaw
	stage  StatedStage
	factor []float64
	weight float64 // of the delay: 1, but for a weighted sum of scenarios
}

// Times implements StageSample.
func (s *statedDraws) Times(c StageConfig, _ int, latency, billed []float64) {
	t, _ := s.law.MeanTime(s.stage, c.VCPU)
	for k := range billed {
		billed[k] = t * s.factor[k]
	}
	delay := s.weight * s.law.Delay
	for k := range latency {
		latency[k] = delay + t*s.factor[k]
	}
}

// ReadsInput implements StageSample: no.
func (s *statedDraws) ReadsInput() bool { return false }

// Select implements SelectableStage.
func (s *statedDraws) Select(rows []int32) StageSample {
	of := *s
	of.factor = selected(s.factor, rows)
	return &of
}

// Weigh implements LinearStage.
func (s *statedDraws) Weigh(weights []float64) StageSample {
	of := *s
	of.factor = []float64{Weigh(weights, s.factor)}
	if weights != nil {
		of.weight = 0
		for _, w := range weights {
			of.weight += w
		}
	}
	return &of
}

// Terms implements ContinuousStage.
func (s *statedDraws) Terms(p Point) (latency, billed []Term) {
	t, slope := s.law.MeanTime(s.stage, p.VCPU)
	billed = []Term{{Column: s.factor, Factor: t, ByVCPU: slope}}
	return append(billed[:1:1], Term{Factor: s.law.Delay}), billed
}
