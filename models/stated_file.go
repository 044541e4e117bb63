package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// statedFile is the JSON form of a model of kind stated.
type statedFile struct {
	Schema      string          `json:"schema"`
	Kind        string          `json:"kind"`
	Workflow    string          `json:"workflow"`
	Trace       modelTrace      `json:"trace"`
	Law         statedLaw       `json:"law"`
	Assumptions []string        `json:"assumptions"` // for readers; they follow from the law
	Stages      []statedSection `json:"stages"`
}

type statedLaw struct {
	Dispersion       float64 `json:"dispersion"`
	Correlation      float64 `json:"correlation"`
	ParallelFraction float64 `json:"parallel_fraction"`
	Speed            float64 `json:"speed"`
	Delay            float64 `json:"delay_s"`
}

type statedSection struct {
	Name     string  `json:"name"`
	Time     float64 `json:"time_s"`
	CPUShare float64 `json:"cpu_share"`
	Cores    float64 `json:"cores"`
}

// Save writes the model as a file that LoadModel reads. The file appears under
// its name when it is complete, or not at all.
func (m *Stated) Save(path string, meta ModelMeta) error { return saveModel(m.write, path, meta) }

// Write writes the model in the form of a model file. A model that LoadModel
// would not accept is an error, and nothing is written.
func (m *Stated) Write(w io.Writer, meta ModelMeta) error {
	return m.write(w, "model "+kindStated, meta)
}

func (m *Stated) write(w io.Writer, to string, meta ModelMeta) error {
	f := m.file(meta)
	if err := f.check(to, m.workflow); err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ") // somebody may want to read and change what is stated
	return e.Encode(f)
}

// file returns the JSON form of the model.
func (m *Stated) file(meta ModelMeta) statedFile {
	return statedFile{
		Schema: ModelSchema, Kind: kindStated, Workflow: m.workflow.Name(), Trace: modelTrace(meta.Trace),
		Law: statedLaw(m.law), Assumptions: m.Assumptions(),
		Stages: convert(m.stages, func(s StatedStage) statedSection { return statedSection(s) }),
	}
}

// readStated decodes the text of a model file of kind stated.
func readStated(text []byte, from string, def *Definition) (*Stated, ModelMeta, error) {
	var f statedFile
	if err := decodeExact(from, text, &f); err != nil {
		return nil, ModelMeta{}, err
	}
	if err := f.check(from, def.Workflow); err != nil {
		return nil, ModelMeta{}, err
	}
	m := &Stated{
		workflow: def.Workflow, law: StatedLaw(f.Law),
		stages: convert(f.Stages, func(s statedSection) StatedStage { return StatedStage(s) }),
	}
	return m, ModelMeta{Trace: TraceRef(f.Trace)}, nil
}

// check reports every reason why the file is no model of w.
func (f statedFile) check(from string, w *Workflow) error {
	c := &fileCheck{from: from}
	if c.head(fileHead{f.Schema, f.Kind, f.Workflow, f.Trace}, kindStated, w) {
		f.checkModel(c, w)
	}
	return errors.Join(c.errs...)
}

// checkModel reports what is wrong with the law and the stages.
func (f statedFile) checkModel(c *fileCheck, w *Workflow) {
	if err := StatedLaw(f.Law).Check(); err != nil {
		c.defect("law", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	} else if f.Law.Speed == 0 {
		c.defect("law.speed", "is 0")
	}
	if !c.stages(len(f.Stages), w) {
		return
	}
	for i, s := range f.Stages {
		at := fmt.Sprintf("stages[%d]", i)
		stage := w.Stage(i)
		if s.Name != stage.Name {
			c.defect(at+".name", "is %q, stage %d of workflow %s is %q", s.Name, i, w.Name(), stage.Name)
		}
		if stage.Splittable() {
			c.defect(at+".name", "stage %q can be split, which this model has no law for; its max_parallelism has to be 1", stage.Name)
		}
		c.within(at+".time_s", s.Time, 0, math.MaxFloat32)
		c.within(at+".cpu_share", s.CPUShare, 0, 1)
		c.within(at+".cores", s.Cores, 1, 1e6)
	}
}

// StatedFileSchema returns the JSON Schema of the file of a stated model.
func StatedFileSchema() []byte {
	text, err := data.ReadFile("data/schemas/stated.schema.json")
	if err != nil {
		panic(err) // the file is part of the program
	}
	return bytes.Clone(text)
}
