package models

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Stage is one node of a workflow: a function that runs as one or more
// parallel instances once all its parents have ended.
type Stage struct {
	Name           string
	After          []string // parents, in the order of the workflow's definition
	MaxParallelism int      // 1: the stage cannot be split; 0: no limit
}

// Splittable reports whether the stage can run as more than one instance.
func (s Stage) Splittable() bool { return s.MaxParallelism != 1 }

// Workflow is a directed acyclic graph of stages. It is immutable, and its
// stages are in topological order: a parent comes before its children.
type Workflow struct {
	name     string
	stages   []Stage
	index    map[string]int
	parents  [][]int
	children [][]int
	sinks    []int
}

// NewWorkflow checks the stages and brings them into topological order; stages
// that are already in such an order keep it. It reports every defect at once.
func NewWorkflow(name string, stages []Stage) (*Workflow, error) {
	var errs []error
	defect := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("workflow %s: "+format, append([]any{name}, args...)...))
	}
	if len(stages) == 0 {
		defect("has no stages")
	}
	at := make(map[string]int, len(stages))
	for i, s := range stages {
		switch _, twice := at[s.Name]; {
		case s.Name == "":
			defect("stage %d has no name", i)
		case twice:
			defect("stage %q is defined twice", s.Name)
		}
		if s.MaxParallelism < 0 {
			defect("stage %q: negative max_parallelism %d", s.Name, s.MaxParallelism)
		}
		at[s.Name] = i
	}
	for _, s := range stages {
		for j, p := range s.After {
			if _, ok := at[p]; !ok {
				defect("stage %q comes after %q, which is not a stage", s.Name, p)
			}
			if slices.Contains(s.After[:j], p) {
				defect("stage %q names its parent %q twice", s.Name, p)
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}

	order, cyclic := topological(stages, at)
	if len(cyclic) > 0 {
		defect("stages %q wait for each other in a cycle", cyclic)
		return nil, errors.Join(errs...)
	}
	w := &Workflow{name: name, index: make(map[string]int, len(stages))}
	for i, old := range order {
		s := stages[old]
		s.After = slices.Clone(s.After)
		w.stages = append(w.stages, s)
		w.index[s.Name] = i
	}
	w.parents = make([][]int, len(stages))
	w.children = make([][]int, len(stages))
	for i, s := range w.stages {
		for _, p := range s.After {
			w.parents[i] = append(w.parents[i], w.index[p])
			w.children[w.index[p]] = append(w.children[w.index[p]], i)
		}
	}
	for i := range w.stages {
		if len(w.children[i]) == 0 {
			w.sinks = append(w.sinks, i)
		}
	}
	return w, nil
}

// topological returns the indices of stages in an order in which parents come
// first, the earliest defined ready stage next (Kahn 1962), and the names of
// the stages that no order can hold.
func topological(stages []Stage, at map[string]int) (order []int, cyclic []string) {
	done := make([]bool, len(stages))
	for len(order) < len(stages) {
		next := -1
		for i, s := range stages {
			ready := !done[i]
			for _, p := range s.After {
				ready = ready && done[at[p]]
			}
			if ready {
				next = i
				break
			}
		}
		if next < 0 {
			for i, s := range stages {
				if !done[i] {
					cyclic = append(cyclic, s.Name)
				}
			}
			return nil, cyclic
		}
		done[next] = true
		order = append(order, next)
	}
	return order, nil
}

// Name returns the name of the workflow.
func (w *Workflow) Name() string { return w.name }

// Len returns the number of stages.
func (w *Workflow) Len() int { return len(w.stages) }

// Stage returns stage i.
func (w *Workflow) Stage(i int) Stage { return w.stages[i] }

// Index returns the position of the named stage.
func (w *Workflow) Index(name string) (int, bool) {
	i, ok := w.index[name]
	return i, ok
}

// Parents returns the stages that stage i waits for, in the order in which the
// workflow names them. The caller must not change the slice.
func (w *Workflow) Parents(i int) []int { return w.parents[i] }

// Children returns the stages that wait for stage i. The caller must not
// change the slice.
func (w *Workflow) Children(i int) []int { return w.children[i] }

// Sinks returns the stages that no other stage waits for. The caller must not
// change the slice.
func (w *Workflow) Sinks() []int { return w.sinks }

// InputParent returns the parent whose parallelism the input of stage i
// depends on: the last one the workflow names, as in the Jolteon artifact. It
// is -1 for a stage without parents.
func (w *Workflow) InputParent(i int) int {
	if n := len(w.parents[i]); n > 0 {
		return w.parents[i][n-1]
	}
	return -1
}

// InputParallelism returns the parallelism of the input parent of stage i
// under c, or 0 where the stage has no parents.
func (w *Workflow) InputParallelism(c Config, i int) int {
	if p := w.InputParent(i); p >= 0 {
		return c[p].Parallelism
	}
	return 0
}

// Latency returns the length of the longest path, given the latency of every
// stage in seconds.
func (w *Workflow) Latency(stage []float64) float64 {
	end := make([]float64, len(stage))
	longest := math.Inf(-1)
	for i, l := range stage {
		start := 0.0
		for k, p := range w.parents[i] {
			if k == 0 || end[p] > start {
				start = end[p]
			}
		}
		end[i] = start + l
		if len(w.children[i]) == 0 {
			longest = max(longest, end[i])
		}
	}
	return longest
}

// maxPaths bounds what Paths lists: a layered graph of 32 stages can have
// millions of them.
const maxPaths = 10_000

// Paths lists every path from a source to a sink, in lexical order of stage
// indices, and reports whether the list is complete: it ends after 10,000.
func (w *Workflow) Paths() (paths [][]int, complete bool) {
	complete = true
	var walk func(prefix []int, i int)
	walk = func(prefix []int, i int) {
		prefix = append(prefix, i)
		if len(w.children[i]) == 0 {
			if len(paths) == maxPaths {
				complete = false
				return
			}
			paths = append(paths, slices.Clone(prefix))
			return
		}
		for _, c := range slices.Sorted(slices.Values(w.children[i])) {
			if !complete {
				return
			}
			walk(prefix, c)
		}
	}
	for i := range w.stages {
		if len(w.parents[i]) == 0 {
			walk(nil, i)
		}
	}
	return paths, complete
}
