package experiments

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"eevee/models"
	"eevee/models/asl"
	"eevee/traces"
)

// The files of an imported workflow.
const (
	ImportedMachine   = "machine.asl.json" // the state machine, without account numbers
	ImportedBehaviour = "behaviour.json"   // what data and platform decide; may be edited
	ImportedWorkflow  = "workflow.yaml"    // the workflow of stages, where the machine becomes one
	ImportedTrace     = "traces.parquet"   // invocations that times are drawn from and models fitted to
	ImportedRuns      = "runs.parquet"     // recorded executions with their invocations, where there are any
	ImportedModel     = "model.json"       // the fitted model, where one could be
	ImportedReport    = "report.json"      // the ImportReport
)

// Write writes everything into a folder, which appears whole or not at all. A
// folder that an import wrote is replaced; any other one that is not empty is
// an error.
func (im *Imported) Write(dir string) error {
	im.Report.Output = filepath.Clean(dir)
	return writeImport(im.Report.Output, im.writeFiles)
}

// writeImport makes a folder of the files that are written into it, or nothing.
func writeImport(dir string, files func(dir string) error) error {
	old, err := CheckImportFolder(dir)
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	if err := os.Chmod(temporary, 0o755); err != nil {
		return err
	}
	if err := files(temporary); err != nil {
		return err
	}
	if old {
		away := temporary + ".old"
		if err := os.Rename(dir, away); err != nil {
			return err
		}
		defer os.RemoveAll(away)
	}
	return os.Rename(temporary, dir)
}

// CheckImportFolder says what stands against writing an import to a folder, and
// whether there is one that would be replaced.
func CheckImportFolder(dir string) (replaces bool, err error) {
	if info, err := os.Stat(filepath.Dir(filepath.Clean(dir))); err != nil || !info.IsDir() {
		return false, fmt.Errorf("%s: there is no folder %s", dir, filepath.Dir(filepath.Clean(dir)))
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case len(entries) == 0:
		return true, nil
	}
	text, err := os.ReadFile(filepath.Join(dir, ImportedReport))
	var report struct {
		Schema string `json:"schema"`
	}
	if err != nil || json.Unmarshal(text, &report) != nil || report.Schema != ImportSchema && report.Schema != InstanceSchema {
		return false, fmt.Errorf("%s: is a folder with something else in it; name a new one", dir)
	}
	return true, nil
}

func (im *Imported) writeFiles(dir string) error {
	write := func(name string, text []byte, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return os.WriteFile(filepath.Join(dir, name), text, 0o644)
	}
	im.Behaviour.Source = "eevee import"
	behaviour, err := asJSON(im.Behaviour)
	errs := []error{
		write(ImportedMachine, im.MachineText, nil),
		write(ImportedBehaviour, behaviour, err),
	}
	if im.Defined != nil {
		text, err := im.Defined.Definition.Text()
		errs = append(errs, write(ImportedWorkflow, text, err))
	}
	meta := traces.Meta{Source: traces.Recorded, Workflow: im.Machine.Name, Generator: "eevee import"}
	for _, in := range im.Report.Inputs {
		meta.InputSHA256 = strings.TrimSpace(meta.InputSHA256 + " " + in.SHA256)
	}
	trace := filepath.Join(dir, ImportedTrace)
	errs = append(errs, traces.Write(trace, im.Rows, meta))
	if len(im.Recorded) > 0 {
		errs = append(errs, traces.Write(filepath.Join(dir, ImportedRuns), im.Recorded, meta))
	}
	if im.Setup != nil {
		if m, ok := im.Setup.Model.(interface {
			Save(path string, meta models.ModelMeta) error
		}); ok {
			sum, err := traces.FileSHA256(trace)
			errs = append(errs, err, m.Save(filepath.Join(dir, ImportedModel), models.ModelMeta{Trace: models.TraceRef{Source: string(OriginFile), SHA256: sum}}))
		}
	}
	report, err := asJSON(im.Report)
	errs = append(errs, write(ImportedReport, report, err))
	return errors.Join(errs...)
}

func asJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// ImportedSource is a state machine with all that its execution needs.
type ImportedSource struct {
	Machine   *asl.Machine
	Behaviour *asl.Behaviour
	Rows      []traces.Record // that times are drawn from
	Recorded  []float64       // latencies of recorded executions, in s; none: not recorded
	Costs     []float64       // USD, of those executions of which it was recorded
	Memory    map[string]int  // MB by function, in recorded executions; none: not recorded
	Path      string          // of the trace
	SHA256    string          // of the trace
}

// MachineFiles are the parts of an ImportedSource that a user may name one by
// one. Those that are empty are taken from the folder.
type MachineFiles struct {
	Machine   string                // folder that "eevee import" wrote, or a state machine
	Behaviour string                // behaviour file
	Choices   map[string]asl.Odds   // by ID of a Choice, in place of what the behaviour says
	Widths    map[string]asl.Widths // by ID of a Map, in place of what the behaviour says
	Trace     string                // trace that times are drawn from
	Against   []string              // recorded executions: traces or tables; none: those of the folder
	Mappings  []string              // for tables
}

// Load reads a state machine, its behaviour, its trace and recorded executions.
func (f MachineFiles) Load(ctx context.Context) (*ImportedSource, error) {
	machine := f.Machine
	info, err := os.Stat(machine)
	if err != nil {
		return nil, err
	}
	var s ImportedSource
	folder := ""
	if info.IsDir() {
		folder, machine = machine, filepath.Join(machine, ImportedMachine)
		if _, err := os.Stat(machine); os.IsNotExist(err) {
			return nil, fmt.Errorf("%s: holds no %s; name the folder that \"eevee import\" wrote, or a state machine", folder, ImportedMachine)
		}
		if f.Behaviour == "" {
			f.Behaviour = filepath.Join(folder, ImportedBehaviour)
		}
		if f.Trace == "" {
			f.Trace = filepath.Join(folder, ImportedTrace)
		}
		if runs := filepath.Join(folder, ImportedRuns); len(f.Against) == 0 {
			if _, err := os.Stat(runs); err == nil {
				f.Against = []string{runs}
			}
		}
	}
	if f.Trace == "" {
		return nil, fmt.Errorf("%s: is a state machine; name the trace of its functions with --trace, or the folder that \"eevee import\" wrote", f.Machine)
	}
	w, err := OpenWorkflow(machine)
	if err != nil {
		return nil, err
	}
	if w.Machine == nil {
		return nil, fmt.Errorf("%s: is no state machine", machine)
	}
	s.Machine, s.Behaviour = w.Machine, &asl.Behaviour{Schema: asl.BehaviourSchema}
	if f.Behaviour != "" {
		if s.Behaviour, err = asl.LoadBehaviour(f.Behaviour, s.Machine); err != nil {
			return nil, err
		}
		if s.Behaviour.Machine != "" {
			s.Machine.Name = s.Behaviour.Machine
		}
	}
	s.Behaviour.Choices = overlaid(s.Behaviour.Choices, f.Choices)
	s.Behaviour.Widths = overlaid(s.Behaviour.Widths, f.Widths)
	rows, _, err := traces.Read(f.Trace)
	if err != nil {
		return nil, err
	}
	s.Path = f.Trace
	if s.SHA256, err = traces.FileSHA256(f.Trace); err != nil {
		return nil, err
	}
	s.Rows = onceEach(rows)
	return &s, s.against(ctx, f)
}

// overlaid returns a map with the entries of both, those of the second first.
func overlaid[V any](a, b map[string]V) map[string]V {
	all := make(map[string]V, len(a)+len(b))
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}

// onceEach returns the rows without the copies of those that stand alone: a
// function's invocation is there once for every stage that it may be in.
func onceEach(rows []traces.Record) []traces.Record {
	first := make(map[string]string) // stage by function
	var kept []traces.Record
	for _, r := range rows {
		if strings.HasPrefix(r.Execution, aloneExecution) && r.Function != nil {
			if first[*r.Function] == "" {
				first[*r.Function] = r.Stage
			}
			if r.Stage != first[*r.Function] {
				continue
			}
		}
		kept = append(kept, r)
	}
	return kept
}

// against reads the recorded executions.
func (s *ImportedSource) against(ctx context.Context, f MachineFiles) error {
	in, err := newInputs(s.Machine.Name, f.Mappings)
	if err != nil {
		return err
	}
	var rows []traces.Record
	for _, path := range f.Against {
		more, err := in.read(ctx, path, "executions")
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	runs, _ := runsOf(rows)
	if len(f.Against) > 0 && len(runs) == 0 {
		return fmt.Errorf("%s: holds no executions", strings.Join(f.Against, ", "))
	}
	s.Memory = usedSizes(rows)
	for k := range runs {
		if runs[k].Status != nil && failedStatus(*runs[k].Status) {
			continue
		}
		if l, ok := latencyOf(&runs[k]); ok {
			s.Recorded = append(s.Recorded, l)
		}
		if runs[k].CostUSD != nil {
			s.Costs = append(s.Costs, *runs[k].CostUSD)
		}
	}
	return nil
}

// usedSizes returns the size that most invocations of every function had.
func usedSizes(rows []traces.Record) map[string]int {
	count := make(map[string]map[int]int)
	for k := range rows {
		r := &rows[k]
		if kindOf(r) != invocationRow || r.Function == nil || r.MemoryMB < 1 {
			continue
		}
		if count[*r.Function] == nil {
			count[*r.Function] = make(map[int]int)
		}
		count[*r.Function][int(r.MemoryMB)]++
	}
	used := make(map[string]int)
	for name, sizes := range count {
		for mb, n := range sizes {
			if best := used[name]; n > sizes[best] || n == sizes[best] && mb < best {
				used[name] = mb
			}
		}
	}
	return used
}
