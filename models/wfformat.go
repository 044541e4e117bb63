package models

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// WfInstance is one recorded execution of a scientific workflow in the format
// of WfCommons (https://wfcommons.org/format, versions 1.3 to 1.5; Coleman et
// al., "WfCommons: A framework for enabling scientific workflow research and
// development", FGCS 128, 2022).
type WfInstance struct {
	Name      string
	Version   string // of the format
	MakespanS float64
	Tasks     []WfTask // in the order of the file
	Edges     int
}

// WfTask is one task of a WfInstance: it ran once.
type WfTask struct {
	ID       string
	Name     string // tasks of one program may share it
	Parents  []string
	RuntimeS float64 // NaN: not recorded
	Cores    float64 // 0: not recorded
	CPU      float64 // cores that were busy on average; 0: not recorded
	Memory   float64 // resident bytes; 0: not recorded
	Program  string
}

// wfFile is the JSON form of all versions: 1.5 keeps structure and execution
// apart, 1.3 and 1.4 have tasks that hold both.
type wfFile struct {
	Name     string `json:"name"`
	Version  string `json:"schemaVersion"`
	Workflow *struct {
		Specification *struct {
			Tasks []wfTask `json:"tasks"`
		} `json:"specification"`
		Execution *struct {
			Makespan float64  `json:"makespanInSeconds"`
			Tasks    []wfTask `json:"tasks"`
		} `json:"execution"`
		Tasks      []wfTask `json:"tasks"`             // 1.3 and 1.4
		Makespan14 float64  `json:"makespanInSeconds"` // 1.4
		Makespan13 float64  `json:"makespan"`          // 1.3
	} `json:"workflow"`
}

type wfTask struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Parents   []string `json:"parents"`
	Children  []string `json:"children"`
	Runtime   wfNumber `json:"runtimeInSeconds"` // 1.4 and 1.5
	Runtime13 wfNumber `json:"runtime"`          // 1.3
	CoreCount wfNumber `json:"coreCount"`        // 1.5
	Cores     wfNumber `json:"cores"`            // 1.3 and 1.4
	AvgCPU    wfNumber `json:"avgCPU"`           // percent of one core
	Memory    wfNumber `json:"memoryInBytes"`    // 1.4 and 1.5
	Command   struct {
		Program string `json:"program"`
	} `json:"command"`
}

// wfNumber is a number that may be missing. It accepts any JSON, so that what
// is none can be told with the task that it is of.
type wfNumber struct {
	value float64
	there bool
	wrong string // the JSON in its place
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *wfNumber) UnmarshalJSON(text []byte) error {
	*n = wfNumber{there: string(text) != "null"}
	if err := json.Unmarshal(text, &n.value); err != nil {
		n.wrong = string(text[:min(len(text), 40)])
	}
	return nil
}

// maxWfBytes bounds what is read of one instance, unpacked.
const maxWfBytes = 256 << 20

// ReadWfFormat reads an instance, gzipped or not. Up to version 1.4 tasks refer
// to each other by name, from 1.5 on by ID; a reference that is neither is an
// error, and so is a task that is there twice. The text is named from in
// errors, and all defects are reported.
func ReadWfFormat(r io.Reader, from string) (*WfInstance, error) {
	text, err := unpacked(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	var f wfFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("%s:%d: not WfFormat: %w", from, LineOf(text, err), err)
	}
	switch {
	case f.Workflow == nil || f.Version == "":
		return nil, fmt.Errorf("%s: not WfFormat: it has no schemaVersion or no workflow", from)
	case !slices.Contains([]string{"1.3", "1.4", "1.5"}, f.Version):
		return nil, fmt.Errorf("%s: WfFormat %s is not read; 1.3, 1.4 and 1.5 are (wfcommons-migrate-instance.py of the format's repository brings others to 1.5)", from, f.Version)
	}
	w := &WfInstance{Name: f.Name, Version: f.Version, MakespanS: max(f.Workflow.Makespan13, f.Workflow.Makespan14)}
	tasks := f.Workflow.Tasks
	if f.Version == "1.5" {
		if f.Workflow.Specification == nil {
			return nil, fmt.Errorf("%s: WfFormat 1.5 has its tasks under workflow.specification, which is missing", from)
		}
		tasks = f.Workflow.Specification.Tasks
		if e := f.Workflow.Execution; e != nil {
			w.MakespanS = e.Makespan
			if tasks, err = joinExecution(tasks, e.Tasks); err != nil {
				return nil, fmt.Errorf("%s: %w", from, err)
			}
		}
	}
	if err := w.add(tasks); err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return w, nil
}

// unpacked reads all of a text, and unpacks it if it is gzipped.
func unpacked(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxWfBytes+1))
	if err == nil && bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(text)); err == nil {
			text, err = io.ReadAll(io.LimitReader(z, maxWfBytes+1))
		}
	}
	if err == nil && len(text) > maxWfBytes {
		err = fmt.Errorf("is longer than %d MB", maxWfBytes>>20)
	}
	return text, err
}

// LineOf returns the line, from 1, of a JSON text in which encoding/json found an
// error.
func LineOf(text []byte, err error) int {
	at := int64(len(text))
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at = kind.Offset
	}
	return 1 + bytes.Count(text[:min(at, int64(len(text)))], []byte("\n"))
}

// joinExecution adds to the tasks of a 1.5 specification what was recorded of
// them.
func joinExecution(tasks, executed []wfTask) ([]wfTask, error) {
	at := make(map[string]wfTask, len(executed))
	for _, t := range executed {
		at[t.ID] = t
	}
	known := make(map[string]bool, len(tasks))
	for i, t := range tasks {
		e := at[t.ID]
		tasks[i].Runtime, tasks[i].CoreCount, tasks[i].Command = e.Runtime, e.CoreCount, e.Command
		tasks[i].AvgCPU, tasks[i].Memory = e.AvgCPU, e.Memory
		known[t.ID] = true
	}
	var errs []error
	for _, t := range executed {
		if !known[t.ID] && len(errs) < maxDefects {
			errs = append(errs, fmt.Errorf("workflow.execution has task %q, which workflow.specification does not have", t.ID))
		}
	}
	return tasks, errors.Join(errs...)
}

// add brings the tasks of any version into one form.
func (w *WfInstance) add(tasks []wfTask) error {
	var errs []error
	defect := func(format string, args ...any) {
		if len(errs) < maxDefects {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	index := make(map[string]int, len(tasks)) // by ID and, up to 1.4, by name
	for i, t := range tasks {
		id := t.ID
		if id == "" || w.Version != "1.5" && t.Name != "" {
			id = t.Name
		}
		switch _, twice := index[id]; {
		case id == "":
			defect("task %d has neither id nor name", i)
		case twice:
			defect("task %q is there twice", id)
		}
		index[id] = i
		number := func(field string, n wfNumber, missing float64) float64 {
			switch {
			case !n.there:
				return missing
			case n.wrong != "":
				defect("task %q: %s is %s, not a number", id, field, n.wrong)
			case n.value < 0:
				defect("task %q: %s is %v, below 0", id, field, n.value)
			}
			return n.value
		}
		task := WfTask{
			ID: id, Name: t.Name, Program: t.Command.Program,
			RuntimeS: number("runtimeInSeconds", t.Runtime, number("runtime", t.Runtime13, math.NaN())),
			Cores:    number("coreCount", t.CoreCount, number("cores", t.Cores, 0)),
			CPU:      number("avgCPU", t.AvgCPU, 0) / 100,
			Memory:   number("memoryInBytes", t.Memory, 0),
		}
		w.Tasks = append(w.Tasks, task)
	}
	if w.Version != "1.5" {
		for i, t := range tasks { // 1.3 has files that refer to tasks by ID
			if _, taken := index[t.ID]; t.ID != "" && !taken {
				index[t.ID] = i
			}
		}
	}
	parents := make([]map[int]bool, len(tasks))
	link := func(parent, child int) {
		if parents[child] == nil {
			parents[child] = make(map[int]bool)
		}
		if !parents[child][parent] {
			parents[child][parent] = true
			w.Tasks[child].Parents = append(w.Tasks[child].Parents, w.Tasks[parent].ID)
			w.Edges++
		}
	}
	for i, t := range tasks {
		for _, name := range t.Parents {
			if p, ok := index[name]; ok {
				link(p, i)
			} else {
				defect("task %q has parent %q, which is not a task", w.Tasks[i].ID, name)
			}
		}
	}
	for i, t := range tasks {
		for _, name := range t.Children {
			if c, ok := index[name]; ok {
				link(i, c)
			} else {
				defect("task %q has child %q, which is not a task", w.Tasks[i].ID, name)
			}
		}
	}
	if len(tasks) == 0 {
		defect("it has no tasks")
	}
	return errors.Join(errs...)
}

// Workflow returns the instance as a workflow, one stage per task. A task ran
// once, as one process, so that no stage can be split.
func (w *WfInstance) Workflow(name string) (*Workflow, error) {
	stages := make([]Stage, 0, len(w.Tasks))
	for _, t := range w.Tasks {
		stages = append(stages, Stage{Name: t.ID, After: slices.Clone(t.Parents), MaxParallelism: 1})
	}
	return NewWorkflow(name, stages)
}
