package experiments

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"eevee/models"
	"eevee/models/asl"
)

// WorkflowFile is a workflow in one of the forms that can be read. One of
// Definition, Machine and Instance is there.
type WorkflowFile struct {
	Name       string
	Form       string             // definition, asl or wfformat
	Definition *models.Definition // a bundled workflow, or a workflow file
	Machine    *asl.Machine       // a state machine
	Instance   *models.WfInstance // an execution of a scientific workflow
}

// maxWorkflowBytes bounds what is read of a file, unpacked.
const maxWorkflowBytes = 256 << 20

// OpenWorkflow reads a workflow in any form: a bundled one by its name, a
// workflow file (YAML), a state machine in the Amazon States Language (JSON),
// or an instance in WfFormat (JSON). Files may be gzipped.
func OpenWorkflow(nameOrPath string) (*WorkflowFile, error) {
	bundled := slices.Contains(models.Bundled(), nameOrPath)
	switch strings.ToLower(filepath.Ext(strings.TrimSuffix(nameOrPath, ".gz"))) {
	case ".json", ".asl":
	default:
		bundled = true
	}
	if bundled {
		d, err := models.Load(nameOrPath)
		if err != nil {
			return nil, err
		}
		return &WorkflowFile{Name: d.Workflow.Name(), Form: "definition", Definition: d}, nil
	}
	text, err := readUnpacked(nameOrPath)
	if err != nil {
		return nil, err
	}
	var keys struct {
		Version  json.RawMessage `json:"schemaVersion"`
		Workflow json.RawMessage `json:"workflow"`
	}
	if json.Unmarshal(text, &keys) == nil && keys.Version != nil && keys.Workflow != nil {
		w, err := models.ReadWfFormat(bytes.NewReader(text), nameOrPath)
		if err != nil {
			return nil, err
		}
		name, _, _ := strings.Cut(filepath.Base(nameOrPath), ".")
		return &WorkflowFile{Name: name, Form: "wfformat", Instance: w}, nil
	}
	m, err := asl.Parse(nameOrPath, text)
	if err != nil {
		return nil, err
	}
	if m.Name == "" {
		m.Name = asl.NameOf(nameOrPath)
	}
	return &WorkflowFile{Name: m.Name, Form: "asl", Machine: m}, nil
}

// readUnpacked reads a file, and unpacks it if it is gzipped.
func readUnpacked(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxWorkflowBytes+1))
	if err == nil && bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(text)); err == nil {
			text, err = io.ReadAll(io.LimitReader(z, maxWorkflowBytes+1))
		}
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case len(text) > maxWorkflowBytes:
		return nil, fmt.Errorf("%s: is longer than %d MB", path, maxWorkflowBytes>>20)
	}
	return text, nil
}

// DefineOptions say how a state machine or an instance becomes a Definition.
type DefineOptions struct {
	Memory    []int // admissible sizes of every stage in MB; none: DefaultMemory
	Behaviour *asl.Behaviour
	Lower     asl.LowerOptions
}

// DefaultMemory are the sizes that an imported workflow is given where nothing
// says which were tried: AWS Lambda's smallest, doublings, and one, 2 and 4
// vCPU.
var DefaultMemory = []int{128, 256, 512, 1024, 1769, 3538, 7076}

// Defined is a Definition made of another form, and what was lost.
type Defined struct {
	Definition *models.Definition
	Stages     []asl.LoweredStage // of a state machine
	Lost       []string
}

// Define turns the workflow into a Definition with one space, in which every
// stage has the given sizes. A definition stays as it is.
func (w *WorkflowFile) Define(o DefineOptions) (*Defined, error) {
	if len(o.Memory) == 0 {
		o.Memory = DefaultMemory
	}
	d := &Defined{Definition: &models.Definition{MBPerVCPU: models.AWSMBPerVCPU, Price: models.PriceAWS}}
	switch {
	case w.Definition != nil:
		return &Defined{Definition: w.Definition}, nil
	case w.Machine != nil:
		l, err := asl.Lower(w.Machine, o.Behaviour, o.Lower)
		if err != nil {
			return nil, err
		}
		d.Definition.Workflow, d.Stages, d.Lost = l.Workflow, l.Stages, l.Lost
		d.Definition.Title = w.Machine.Comment
		d.Definition.Source = "state machine " + w.Machine.Name
	case w.Instance != nil:
		var err error
		if d.Definition.Workflow, err = w.Instance.Workflow(w.Name); err != nil {
			return nil, err
		}
		d.Definition.Title = w.Instance.Name
		d.Definition.Source = "WfFormat " + w.Instance.Version
		d.Lost = []string{"files and machines are left out; every task ran once, so that nothing is known about how it varies or scales"}
	}
	space, err := UniformSpace(d.Definition, d.Stages, func(int) []int { return o.Memory })
	if err != nil {
		return nil, err
	}
	d.Definition.Spaces = []models.NamedSpace{{Name: "imported", Source: "sizes given at import", Space: space}}
	return d, nil
}

// UniformSpace returns the space in which stage i has the sizes of memory(i),
// in MB, and as many instances as it is wide: the items of a Map decide that,
// and no configuration can.
func UniformSpace(d *models.Definition, stages []asl.LoweredStage, memory func(i int) []int) (*models.Space, error) {
	w := d.Workflow
	choices := make([][]models.StageConfig, w.Len())
	var errs []error
	for i := range w.Len() {
		width := 1
		if stages != nil {
			width = stages[i].Width
		}
		for _, mb := range memory(i) {
			if mb < 128 || mb > 10_240 {
				errs = append(errs, fmt.Errorf("stage %q: %d MB; AWS Lambda has 128 to 10240", w.Stage(i).Name, mb))
			}
			choices[i] = append(choices[i], d.StageConfig(mb, width))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return models.NewSpace(w, choices, nil)
}
