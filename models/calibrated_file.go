package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// calibratedFile is the JSON form of a calibrated model: what was learnt, from
// which everything else follows.
type calibratedFile struct {
	Schema      string              `json:"schema"`
	Kind        string              `json:"kind"`
	Workflow    string              `json:"workflow"`
	Settings    calibratedSettings  `json:"settings"`
	Trace       modelTrace          `json:"trace"`
	Correlation [][]float64         `json:"correlation"`
	Stages      []calibratedSection `json:"stages"`
}

type calibratedSettings struct {
	NoParameterUncertainty bool    `json:"no_parameter_uncertainty"`
	NoExecutionVariation   bool    `json:"no_execution_variation"`
	NoCalibration          bool    `json:"no_calibration"`
	IndependentStages      bool    `json:"independent_stages"`
	ColdShare              float64 `json:"cold_share"`
}

// calibratedSection is one stage.
type calibratedSection struct {
	Name       string             `json:"name"`
	Splittable bool               `json:"splittable"`
	ByInput    bool               `json:"by_input"`
	Grows      bool               `json:"grows"`
	Read       []calibratedTerm   `json:"read"`
	Compute    []calibratedTerm   `json:"compute"`
	Write      []calibratedTerm   `json:"write"`
	Delay      []calibratedTerm   `json:"delay"`
	Smooth     calibratedSmooth   `json:"smooth"`
	Configs    []calibratedConfig `json:"configurations"`
	Sigma      float64            `json:"instance_sigma"`
	Ratios     []float64          `json:"instance_ratios"`
	Delays     []calibratedDelay  `json:"delays"`
	Cold       []calibratedCold   `json:"cold_starts"`
	Fresh      []calibratedScore  `json:"held_out_configurations"`
	Seen       []calibratedScore  `json:"held_out_runs"`
}

type calibratedTerm struct {
	Feature string  `json:"feature"`
	Seconds float64 `json:"seconds"`
}

type calibratedSmooth struct {
	Length float64 `json:"length"`
	Signal float64 `json:"signal_variance"`
	Nugget float64 `json:"configuration_variance"`
	Run    float64 `json:"run_variance"`
	Edge   float64 `json:"outside_variance"`
}

type calibratedConfig struct {
	Parallelism float64 `json:"parallelism"`
	VCPU        float64 `json:"vcpu"`
	Input       float64 `json:"input_parallelism"`
	Runs        int     `json:"runs"`
	Deviation   float64 `json:"deviation"`
	Weight      float64 `json:"weight"`
	Spread      float64 `json:"spread"`
	Own         float64 `json:"own_spread"`
}

type calibratedDelay struct {
	Ratio  float64 `json:"ratio"`
	Excess float64 `json:"excess_s"`
	Weight float64 `json:"weight"`
}

type calibratedCold struct {
	Delay  float64 `json:"delay_s"`
	Factor float64 `json:"factor"`
}

type calibratedScore struct {
	Error   float64 `json:"error"`
	Unsure  float64 `json:"unsure"`
	Scatter float64 `json:"scatter"`
	Weight  float64 `json:"weight"`
}

// convert returns the elements of a list in another form, and never nil.
func convert[From, To any](list []From, to func(From) To) []To {
	out := make([]To, len(list))
	for k, v := range list {
		out[k] = to(v)
	}
	return out
}

// Save writes the model as a file that LoadModel reads. The file appears under
// its name when it is complete, or not at all.
func (m *Calibrated) Save(path string, meta ModelMeta) error { return saveModel(m.write, path, meta) }

// Write writes the model in the form of a model file. A model that LoadModel
// would not accept is an error, and nothing is written.
func (m *Calibrated) Write(w io.Writer, meta ModelMeta) error {
	return m.write(w, "model "+m.Name(), meta)
}

func (m *Calibrated) write(w io.Writer, to string, meta ModelMeta) error {
	f := calibratedFile{
		Schema: ModelSchema, Kind: m.Name(), Workflow: m.workflow.Name(),
		Settings: calibratedSettings(m.settings), Trace: modelTrace(meta.Trace), Correlation: m.correlation,
	}
	for i := range m.stages {
		f.Stages = append(f.Stages, m.stages[i].section())
	}
	if err := f.check(to, m.workflow); err != nil {
		return err
	}
	text, err := json.Marshal(f)
	if err != nil {
		panic(err) // check lets no number through that JSON cannot hold
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

func (s *CalibratedStage) section() calibratedSection {
	terms := func(c curve) []calibratedTerm {
		return convert(c.terms(), func(t FeatureTerm) calibratedTerm { return calibratedTerm(t) })
	}
	scores := func(list []HeldOut) []calibratedScore {
		return convert(list, func(h HeldOut) calibratedScore { return calibratedScore(h) })
	}
	r := s.response
	return calibratedSection{
		Name: s.Name, Splittable: s.Splittable, ByInput: r.axes&axisIn != 0, Grows: s.Grows,
		Read: terms(r.steps[0]), Compute: terms(r.steps[1]), Write: terms(r.steps[2]), Delay: terms(s.delay.curve),
		Smooth: calibratedSmooth{r.smooth.length, r.smooth.signal, r.smooth.nugget, r.smooth.run, r.edge},
		Configs: convert(r.configs, func(c recordedConfig) calibratedConfig {
			return calibratedConfig{c.site.d, c.site.k, c.site.in, c.runs, c.deviation, c.weight, c.spread, c.own}
		}),
		Sigma: s.instances.sigma, Ratios: convert(s.instances.ratios, func(v float64) float64 { return v }),
		Delays: convert(s.delay.recorded, func(d recordedDelay) calibratedDelay { return calibratedDelay(d) }),
		Cold:   convert(s.cold, func(c coldStart) calibratedCold { return calibratedCold(c) }),
		Fresh:  scores(s.fresh), Seen: scores(s.seen),
	}
}

// stage returns the stage that a section of a checked file describes.
func (c calibratedSection) stage() CalibratedStage {
	curveOf := func(terms []calibratedTerm) curve {
		c, _ := newCurve(convert(terms, func(t calibratedTerm) FeatureTerm { return FeatureTerm(t) }))
		return c
	}
	scores := func(list []calibratedScore) []HeldOut {
		return convert(list, func(s calibratedScore) HeldOut { return HeldOut(s) })
	}
	r := &response{
		steps:  []curve{curveOf(c.Read), curveOf(c.Compute), curveOf(c.Write)},
		smooth: smoothness{c.Smooth.Length, c.Smooth.Signal, c.Smooth.Nugget, c.Smooth.Run}, edge: c.Smooth.Edge,
		configs: convert(c.Configs, func(c calibratedConfig) recordedConfig {
			return recordedConfig{site{c.Parallelism, c.VCPU, c.Input}, c.Runs, c.Deviation, c.Weight, c.Spread, c.Own}
		}),
	}
	if c.ByInput {
		r.axes = axisIn
	}
	r.total = sumOf(r.steps)
	r.locate()
	r.solve()
	s := CalibratedStage{
		Name: c.Name, Splittable: c.Splittable, Grows: c.Grows, response: r,
		instances: instances{sigma: c.Sigma},
		delay:     delay{curve: curveOf(c.Delay), recorded: convert(c.Delays, func(d calibratedDelay) recordedDelay { return recordedDelay(d) })},
		cold:      convert(c.Cold, func(c calibratedCold) coldStart { return coldStart(c) }),
		fresh:     scores(c.Fresh), seen: scores(c.Seen),
	}
	if len(c.Ratios) > 0 {
		s.instances.ratios = c.Ratios
	}
	if len(s.delay.recorded) > 0 {
		s.delay.usual = usualRatio(s.delay.recorded)
	}
	return s
}

// readCalibrated decodes the text of a model file of kind calibrated.
func readCalibrated(text []byte, from string, def *Definition) (*Calibrated, ModelMeta, error) {
	var f calibratedFile
	if err := decodeExact(from, text, &f); err != nil {
		return nil, ModelMeta{}, err
	}
	if err := f.check(from, def.Workflow); err != nil {
		return nil, ModelMeta{}, err
	}
	m := &Calibrated{workflow: def.Workflow, settings: CalibratedSettings(f.Settings), correlation: f.Correlation}
	for _, s := range f.Stages {
		m.stages = append(m.stages, s.stage())
	}
	if err := m.prepare(); err != nil {
		return nil, ModelMeta{}, fmt.Errorf("%s: %w", from, err)
	}
	return m, ModelMeta{Trace: TraceRef(f.Trace)}, nil
}

// least is the smallest number that counts as positive: ratios of anything to
// it stay finite.
const least = 1e-100

// check reports every reason why the file is no model of w.
func (f calibratedFile) check(from string, w *Workflow) error {
	c := &fileCheck{from: from}
	known := c.head(fileHead{f.Schema, f.Kind, f.Workflow, f.Trace}, kindCalibrated, w)
	if err := CalibratedSettings(f.Settings).check(); err != nil {
		c.defect("settings.cold_share", "is %v, want 0 to 1", f.Settings.ColdShare)
	}
	if known && c.stages(len(f.Stages), w) {
		f.checkCorrelation(c)
		for i, s := range f.Stages {
			s.check(c, fmt.Sprintf("stages[%d]", i), i, w)
		}
	}
	return errors.Join(c.errs...)
}

func (f calibratedFile) checkCorrelation(c *fileCheck) {
	n := 2 * len(f.Stages)
	if len(f.Correlation) != n {
		c.defect("correlation", "%d rows, %d stages have %d", len(f.Correlation), len(f.Stages), n)
		return
	}
	before := len(c.errs)
	for i, row := range f.Correlation {
		field := fmt.Sprintf("correlation[%d]", i)
		if len(row) != n {
			c.defect(field, "%d numbers, want %d", len(row), n)
			return
		}
		for j, v := range row {
			c.within(fmt.Sprintf("%s[%d]", field, j), v, -1, 1)
			if j < i && len(f.Correlation[j]) == n && v != f.Correlation[j][i] {
				c.defect(fmt.Sprintf("%s[%d]", field, j), "is %v, the other way round it is %v", v, f.Correlation[j][i])
			}
		}
		if row[i] != 1 {
			c.defect(fmt.Sprintf("%s[%d]", field, i), "is %v, want 1", row[i])
		}
	}
	if len(c.errs) > before {
		return
	}
	lower := make([][]float64, n)
	for i, row := range f.Correlation {
		lower[i] = append([]float64(nil), row[:i+1]...)
	}
	if _, ok := factorise(lower); !ok {
		c.defect("correlation", "is not positive definite")
	}
}

// check reports what is wrong with stage i of w.
func (s calibratedSection) check(c *fileCheck, at string, i int, w *Workflow) {
	stage := w.Stage(i)
	if s.Name != stage.Name {
		c.defect(at+".name", "is %q, stage %d of workflow %s is %q", s.Name, i, w.Name(), stage.Name)
	}
	if s.Splittable != stage.Splittable() {
		c.defect(at+".splittable", "is %v, for workflow %s it is %v", s.Splittable, w.Name(), stage.Splittable())
	}
	most := math.MaxFloat32 // keeps sums and products of what is read finite
	steps := 0
	for _, list := range []struct {
		name  string
		terms []calibratedTerm
	}{{"read", s.Read}, {"compute", s.Compute}, {"write", s.Write}, {"delay", s.Delay}} {
		for k, t := range list.terms {
			field := fmt.Sprintf("%s.%s[%d]", at, list.name, k)
			if _, ok := newCurve([]FeatureTerm{FeatureTerm(t)}); !ok {
				c.defect(field+".feature", "is %q, which is none", t.Feature)
			}
			c.within(field+".seconds", t.Seconds, least, most)
			if list.name != "delay" {
				steps++
			}
		}
	}
	if steps == 0 {
		c.defect(at, "none of read, compute and write has a term")
	}
	c.within(at+".smooth.length", s.Smooth.Length, 1e-3, 1e3)
	c.within(at+".smooth.signal_variance", s.Smooth.Signal, 0, 1e3)
	c.within(at+".smooth.configuration_variance", s.Smooth.Nugget, 0, 1e3)
	c.within(at+".smooth.run_variance", s.Smooth.Run, 1e-9, 1e3)
	c.within(at+".smooth.outside_variance", s.Smooth.Edge, 0, 1e3)
	if len(s.Configs) == 0 {
		c.defect(at+".configurations", "is empty")
	}
	for k, r := range s.Configs {
		field := fmt.Sprintf("%s.configurations[%d]", at, k)
		c.within(field+".parallelism", r.Parallelism, 1, 1e6)
		c.within(field+".vcpu", r.VCPU, 1e-6, 1e6)
		c.within(field+".input_parallelism", r.Input, 0, 1e6)
		c.within(field+".runs", float64(r.Runs), 1, 1e9)
		c.within(field+".deviation", r.Deviation, -1e3, 1e3)
		c.within(field+".weight", r.Weight, 1e-6, 1e9)
		c.within(field+".spread", r.Spread, 0, 1e3)
		c.within(field+".own_spread", r.Own, 0, 1e3)
	}
	c.within(at+".instance_sigma", s.Sigma, 0, 1e2)
	for k, v := range s.Ratios {
		c.within(fmt.Sprintf("%s.instance_ratios[%d]", at, k), v, 0, most)
		if k > 0 && v < s.Ratios[k-1] {
			c.defect(fmt.Sprintf("%s.instance_ratios[%d]", at, k), "is less than the one before")
		}
	}
	for k, d := range s.Delays {
		field := fmt.Sprintf("%s.delays[%d]", at, k)
		c.within(field+".ratio", d.Ratio, least, most)
		c.within(field+".excess_s", d.Excess, -most, most)
		c.within(field+".weight", d.Weight, 1e-9, 1)
	}
	for k, d := range s.Cold {
		field := fmt.Sprintf("%s.cold_starts[%d]", at, k)
		c.within(field+".delay_s", d.Delay, 0, most)
		c.within(field+".factor", d.Factor, 0, most)
	}
	for _, list := range []struct {
		name   string
		scores []calibratedScore
	}{{"held_out_configurations", s.Fresh}, {"held_out_runs", s.Seen}} {
		for k, v := range list.scores {
			field := fmt.Sprintf("%s.%s[%d]", at, list.name, k)
			c.within(field+".error", v.Error, -1e3, 1e3)
			c.within(field+".unsure", v.Unsure, 0, 1e3)
			c.within(field+".scatter", v.Scatter, 1e-9, 1e3)
			c.within(field+".weight", v.Weight, 1e-9, 1)
		}
	}
}

// CalibratedFileSchema returns the JSON Schema of the file of a calibrated
// model.
func CalibratedFileSchema() []byte {
	text, err := data.ReadFile("data/schemas/calibrated.schema.json")
	if err != nil {
		panic(err) // the file is part of the program
	}
	return bytes.Clone(text)
}
