package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
)

// ModelSchema names the version of the model file that this package writes and
// reads. It changes whenever a field is added, removed or changes its meaning.
const ModelSchema = "eevee.model/1"

// ModelMeta is what a model file says about its model besides the model.
type ModelMeta struct {
	Trace TraceRef
}

// TraceRef names the trace that a model was fitted to.
type TraceRef struct {
	Source string // where the rows come from, such as recorded or bundled
	SHA256 string // of the trace file, 64 hexadecimal digits in lower case
}

// modelFile is the JSON form of a model of kind jolteon. Parameters are in seconds:
// what they multiply counts instances and vCPU.
type modelFile struct {
	Schema   string       `json:"schema"`
	Kind     string       `json:"kind"`
	Workflow string       `json:"workflow"`
	Options  modelOptions `json:"options"`
	Trace    modelTrace   `json:"trace"`
	Stages   []modelStage `json:"stages"`
}

type modelOptions struct {
	DropConstants bool `json:"drop_constants"`
	ShareDraws    bool `json:"share_draws"`
}

type modelTrace struct {
	Source string `json:"source"`
	SHA256 string `json:"sha256"`
}

type modelStage struct {
	Name       string    `json:"name"`
	Splittable bool      `json:"splittable"`
	Cold       []float64 `json:"cold_s"`
	Read       modelStep `json:"read"`
	Compute    modelStep `json:"compute"`
	Write      modelStep `json:"write"`
}

type modelStep struct {
	modelCurve
	Discarded *modelCurve `json:"discarded,omitempty"`
}

type modelCurve struct {
	Basis    string      `json:"basis"`
	Params   []float64   `json:"params_s"`
	Factor   [][]float64 `json:"factor_s"`
	SSR      float64     `json:"ssr_s2"`
	MeanAbs  float64     `json:"mean_abs_relative_error"`
	MeanSign float64     `json:"mean_relative_error"`
	N        int         `json:"n"`
	Singular bool        `json:"singular"`
}

// Save writes the model as a file that LoadModel reads. The file appears under
// its name when it is complete, or not at all.
func (m *Jolteon) Save(path string, meta ModelMeta) error { return saveModel(m.write, path, meta) }

// saveModel writes what write gives to a file, or nothing.
func saveModel(write func(w io.Writer, to string, meta ModelMeta) error, path string, meta ModelMeta) error {
	var text bytes.Buffer
	if err := write(&text, path, meta); err != nil {
		return err
	}
	if err := renameio.WriteFile(path, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}

// Write writes the model in the form of a model file. A model that LoadModel
// would not accept is an error, and nothing is written.
func (m *Jolteon) Write(w io.Writer, meta ModelMeta) error {
	return m.write(w, "model "+m.Name(), meta)
}

func (m *Jolteon) write(w io.Writer, to string, meta ModelMeta) error {
	f := modelFile{
		Schema: ModelSchema, Kind: m.Name(), Workflow: m.workflow.Name(),
		Options: modelOptions(m.options), Trace: modelTrace(meta.Trace),
	}
	for _, s := range m.stages {
		f.Stages = append(f.Stages, modelStage{
			Name: s.Name, Splittable: s.Splittable, Cold: s.Cold,
			Read: newModelStep(s.Read), Compute: newModelStep(s.Compute), Write: newModelStep(s.Write),
		})
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

func newModelStep(f StepFit) modelStep {
	s := modelStep{modelCurve: newModelCurve(f)}
	if f.Discarded != nil {
		c := newModelCurve(*f.Discarded)
		s.Discarded = &c
	}
	return s
}

func newModelCurve(f StepFit) modelCurve {
	return modelCurve{string(f.Basis), f.Params, f.Factor, f.SSR, f.MeanAbs, f.MeanSign, f.N, f.Singular}
}

func (c modelCurve) fit() StepFit {
	return StepFit{
		Basis: Basis(c.Basis), Params: c.Params, Factor: c.Factor, SSR: c.SSR,
		MeanAbs: c.MeanAbs, MeanSign: c.MeanSign, N: c.N, Singular: c.Singular,
	}
}

func (s modelStep) fit() StepFit {
	f := s.modelCurve.fit()
	if s.Discarded != nil {
		other := s.Discarded.fit()
		f.Discarded = &other
	}
	return f
}

// modelKinds are the kinds of model files.
var modelKinds = []string{kindJolteon, kindCalibrated, kindStated}

// maxModelBytes bounds the size of a model file: one of eight stages has 40 kB.
const maxModelBytes = 64 << 20

// LoadModel reads a model file of the given workflow. The model draws the same
// scenarios, bit by bit, as the one that was saved. A file of another version,
// kind or workflow, unknown or missing fields, numbers that do not fit
// together and anything after the model are errors, one line each, that name
// the file and the field.
func LoadModel(path string, def *Definition) (Model, ModelMeta, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ModelMeta{}, fmt.Errorf("model file: %w", err)
	}
	defer f.Close()
	return ReadModel(f, path, def)
}

// ReadModel is LoadModel for any reader. The name from is used in errors.
func ReadModel(r io.Reader, from string, def *Definition) (Model, ModelMeta, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxModelBytes+1))
	if err != nil {
		return nil, ModelMeta{}, fmt.Errorf("%s: %w", from, err)
	}
	if len(text) > maxModelBytes {
		return nil, ModelMeta{}, fmt.Errorf("%s: is larger than %d MB, no model is", from, maxModelBytes>>20)
	}
	kind, err := readKind(from, text)
	if err != nil {
		return nil, ModelMeta{}, err
	}
	switch kind {
	case kindCalibrated:
		m, meta, err := readCalibrated(text, from, def)
		if err != nil {
			return nil, ModelMeta{}, err
		}
		return m, meta, nil
	case kindStated:
		m, meta, err := readStated(text, from, def)
		if err != nil {
			return nil, ModelMeta{}, err
		}
		return m, meta, nil
	}
	var f modelFile
	if err := decodeExact(from, text, &f); err != nil {
		return nil, ModelMeta{}, err
	}
	if err := f.check(from, def.Workflow); err != nil {
		return nil, ModelMeta{}, err
	}
	m := &Jolteon{workflow: def.Workflow, options: JolteonOptions(f.Options)}
	for _, s := range f.Stages {
		m.add(JolteonStage{
			Name: s.Name, Splittable: s.Splittable, Cold: s.Cold,
			Read: s.Read.fit(), Compute: s.Compute.fit(), Write: s.Write.fit(),
		})
	}
	return m, ModelMeta{Trace: TraceRef(f.Trace)}, nil
}

// readKind returns the kind of a model file, and tells one of another version
// or kind from a defective one: its other fields need not be those of this
// version.
func readKind(from string, text []byte) (kind string, err error) {
	var head struct{ Schema, Kind any }
	if json.Unmarshal(text, &head) != nil {
		return kindJolteon, nil // decodeExact says what is wrong
	}
	if s, ok := head.Schema.(string); ok && s != ModelSchema {
		return "", fmt.Errorf("%s: schema: is %q, this eevee reads %q; fit the model again", from, s, ModelSchema)
	}
	kind, ok := head.Kind.(string)
	if ok && !slices.Contains(modelKinds, kind) {
		return "", fmt.Errorf("%s: kind: is %q, this eevee reads models of kind %s", from, kind, strings.Join(modelKinds, ", "))
	}
	return kind, nil
}

// check reports every reason why the file is no model of w.
func (f modelFile) check(from string, w *Workflow) error {
	c := &fileCheck{from: from}
	if !c.head(fileHead{f.Schema, f.Kind, f.Workflow, f.Trace}, kindJolteon, w) || !c.stages(len(f.Stages), w) {
		return errors.Join(c.errs...)
	}
	for i, s := range f.Stages {
		at := fmt.Sprintf("stages[%d]", i)
		stage := w.Stage(i)
		if s.Name != stage.Name {
			c.defect(at+".name", "is %q, stage %d of workflow %s is %q", s.Name, i, w.Name(), stage.Name)
			continue
		}
		if s.Splittable != stage.Splittable() {
			c.defect(at+".splittable", "is %v, for workflow %s it is %v", s.Splittable, w.Name(), stage.Splittable())
			continue
		}
		if len(s.Cold) == 0 {
			c.defect(at+".cold_s", "is empty")
		}
		for k, v := range s.Cold {
			if !finite(v) {
				c.defect(fmt.Sprintf("%s.cold_s[%d]", at, k), "is %v", v)
			}
		}
		for _, step := range []struct {
			name string
			modelStep
		}{{"read", s.Read}, {"compute", s.Compute}, {"write", s.Write}} {
			bases := stepBases(w, i, step.name)
			step.check(at+"."+step.name, step.name, bases, c)
			if other := step.Discarded; other != nil {
				field := at + "." + step.name + ".discarded"
				other.check(field, step.name, bases, c)
				if other.Basis == step.Basis {
					c.defect(field+".basis", "is %q as that of the step itself", other.Basis)
				}
			}
		}
	}
	return errors.Join(c.errs...)
}

// check reports what is wrong with the curve of the named step.
func (m modelCurve) check(at, step string, bases []Basis, c *fileCheck) {
	if !slices.Contains(bases, Basis(m.Basis)) {
		c.defect(at+".basis", "is %q, want one of %q", m.Basis, bases)
		return
	}
	params := stepParams(step, Basis(m.Basis))
	if len(m.Params) != params {
		c.defect(at+".params_s", "%d numbers, a %s step on %q has %d", len(m.Params), step, m.Basis, params)
	}
	if len(m.Factor) != params {
		c.defect(at+".factor_s", "%d rows, want %d", len(m.Factor), params)
	}
	for k, v := range m.Params {
		if !finite(v) {
			c.defect(fmt.Sprintf("%s.params_s[%d]", at, k), "is %v", v)
		}
	}
	for j, row := range m.Factor {
		if len(row) != params {
			c.defect(fmt.Sprintf("%s.factor_s[%d]", at, j), "%d numbers, want %d", len(row), params)
		}
		for k, v := range row {
			if !finite(v) {
				c.defect(fmt.Sprintf("%s.factor_s[%d][%d]", at, j, k), "is %v", v)
			}
		}
	}
	if !finite(m.SSR) || m.SSR < 0 {
		c.defect(at+".ssr_s2", "is %v", m.SSR)
	}
	if !finite(m.MeanAbs) || m.MeanAbs < 0 {
		c.defect(at+".mean_abs_relative_error", "is %v", m.MeanAbs)
	}
	if !finite(m.MeanSign) {
		c.defect(at+".mean_relative_error", "is %v", m.MeanSign)
	}
	if m.N <= params {
		c.defect(at+".n", "is %d, a fit of %d parameters needs more than %d observations", m.N, params, params)
	}
}
