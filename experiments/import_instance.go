package experiments

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"eevee/models"
	"eevee/traces"
)

// InstanceRequest is what "eevee import" is asked for with an instance in
// WfFormat. The instance holds one run of every task; the rest is stated.
type InstanceRequest struct {
	Instance string // path of the file
	Name     string // of the workflow; "": that of the file
	Memory   []int  // admissible sizes in MB; none: DefaultMemory
	Law      models.StatedLaw

	// CPUShare is the share of its time in which every task computed, from 0 to
	// 1; nil: as recorded.
	CPUShare *float64
}

// ImportedInstance is a workflow with a stated model.
type ImportedInstance struct {
	Definition *models.Definition
	Model      *models.Stated
	Report     InstanceReport
}

// ImportInstance makes a workflow and a stated model of an instance, which
// OpenWorkflow has read. It writes nothing.
func ImportInstance(file *WorkflowFile, q InstanceRequest) (*ImportedInstance, error) {
	if s := q.CPUShare; s != nil && !(*s >= 0 && *s <= 1) {
		return nil, fmt.Errorf("CPU share %v is not from 0 to 1", *s)
	}
	if err := q.Law.Check(); err != nil {
		return nil, err
	}
	if file.Instance == nil {
		return nil, fmt.Errorf("%s: is no instance in WfFormat", q.Instance)
	}
	name := q.Name
	if name == "" {
		name = file.Name
	}
	fail := func(err error) (*ImportedInstance, error) { return nil, fmt.Errorf("%s: %w", q.Instance, err) }
	w, err := file.Instance.Workflow(name)
	if err != nil {
		return fail(err)
	}
	tasks := make([]models.WfTask, w.Len())
	for _, t := range file.Instance.Tasks {
		i, _ := w.Index(t.ID)
		tasks[i] = t
	}
	stages, err := q.stages(tasks)
	if err != nil {
		return nil, err
	}
	im := &ImportedInstance{Definition: &models.Definition{
		Workflow: w, Title: file.Instance.Name, Source: "WfFormat " + file.Instance.Version,
		MBPerVCPU: models.AWSMBPerVCPU, Price: models.PriceAWS,
	}}
	space, err := q.space(im.Definition, tasks)
	if err != nil {
		return nil, err
	}
	im.Definition.Spaces = []models.NamedSpace{{Name: "imported", Source: "sizes given at import, where they hold the recorded memory", Space: space}}
	if im.Model, err = models.NewStated(w, q.Law, stages); err != nil {
		return fail(err)
	}
	sum, err := traces.FileSHA256(q.Instance)
	if err != nil {
		return nil, err
	}
	im.report(q, file.Instance, tasks)
	im.Report.SHA256 = sum
	return im, nil
}

// stages says what was recorded of the tasks.
func (q InstanceRequest) stages(tasks []models.WfTask) ([]models.StatedStage, error) {
	var stages []models.StatedStage
	var errs []error
	for _, t := range tasks {
		if math.IsNaN(t.RuntimeS) {
			errs = append(errs, fmt.Errorf("%s: task %q: runtimeInSeconds is missing; there is no model without the time of every task", q.Instance, t.ID))
		}
		s := models.StatedStage{Name: t.ID, Time: t.RuntimeS, CPUShare: 1, Cores: max(1, t.Cores)}
		switch {
		case q.CPUShare != nil:
			s.CPUShare = *q.CPUShare
		case t.CPU > 0: // 0 % of some time is a figure that nobody took
			s.CPUShare, s.Cores = min(1, t.CPU), max(1, t.CPU)
		}
		stages = append(stages, s)
	}
	return stages, joinFirst(errs)
}

// joinFirst joins so many errors as one wants to read.
func joinFirst(errs []error) error { return errors.Join(errs[:min(len(errs), 10)]...) }

// sizes returns the sizes in MB that hold what a task had in memory.
func (q InstanceRequest) sizes(t models.WfTask) []int {
	all := q.Memory
	if len(all) == 0 {
		all = DefaultMemory
	}
	return slices.DeleteFunc(slices.Clone(all), func(mb int) bool { return float64(mb)*(1<<20) < t.Memory })
}

// space gives every stage the sizes that hold its task.
func (q InstanceRequest) space(d *models.Definition, tasks []models.WfTask) (*models.Space, error) {
	var errs []error
	for _, t := range tasks {
		if len(q.sizes(t)) == 0 {
			errs = append(errs, fmt.Errorf("%s: task %q: memoryInBytes: its %.0f MB are more than every size has; give larger ones with --memory", q.Instance, t.ID, t.Memory/(1<<20)))
		}
	}
	if err := joinFirst(errs); err != nil {
		return nil, err
	}
	return UniformSpace(d, nil, func(i int) []int { return q.sizes(tasks[i]) })
}

// Write writes workflow, model and report into a folder, which appears whole or
// not at all. A folder that an import wrote is replaced; any other one that is
// not empty is an error.
func (im *ImportedInstance) Write(dir string) error {
	im.Report.Output = filepath.Clean(dir)
	return writeImport(im.Report.Output, func(dir string) error {
		workflow, err := im.Definition.Text()
		if err != nil {
			return err
		}
		report, err := asJSON(im.Report)
		if err != nil {
			return err
		}
		meta := models.ModelMeta{Trace: models.TraceRef{Source: string(OriginFile), SHA256: im.Report.SHA256}}
		return errors.Join(
			os.WriteFile(filepath.Join(dir, ImportedWorkflow), workflow, 0o644),
			im.Model.Save(filepath.Join(dir, ImportedModel), meta),
			os.WriteFile(filepath.Join(dir, ImportedReport), report, 0o644),
		)
	})
}
