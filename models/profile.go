package models

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"eevee/traces"
)

// Steps are the times of one stage in one run, in seconds, over its instances.
// NaN stands for a time that was not recorded.
type Steps struct {
	Cold, Read, Compute, Write float64
}

// Exec returns the time a function runs and is billed for: all but Cold.
func (s Steps) Exec() float64 { return s.Read + s.Compute + s.Write }

// Observation is what one stage did in one recorded run.
type Observation struct {
	Execution        string
	Epoch            int // 0 is the first, cold, repetition of a profile; a run without an epoch counts as 1
	Config           StageConfig
	InputParallelism int     // parallelism of the stage's input parent in the same run; 0 where it has none
	Mean, P95        Steps   // over the instances
	Invocations      []Steps // of the single instances, in the order of the trace; nil where it holds aggregates only
}

// Profile is a trace seen stage by stage: the rows that a model is fitted to.
// It is immutable.
type Profile struct {
	Workflow *Workflow
	stages   [][]Observation
}

// Stage returns the observations of stage i in the order of the trace. The
// caller must not change the slice.
func (p *Profile) Stage(i int) []Observation { return p.stages[i] }

// Warm returns the observations of stage i without the first epoch, whose
// instances were started for it.
func (p *Profile) Warm(i int) []Observation {
	var warm []Observation
	for _, o := range p.stages[i] {
		if o.Epoch > 0 {
			warm = append(warm, o)
		}
	}
	return warm
}

// Select returns the profile of the observations that keep reports true for.
func (p *Profile) Select(keep func(Observation) bool) *Profile {
	kept := &Profile{Workflow: p.Workflow, stages: make([][]Observation, len(p.stages))}
	for i, all := range p.stages {
		for _, o := range all {
			if keep(o) {
				kept.stages[i] = append(kept.stages[i], o)
			}
		}
	}
	return kept
}

// With returns the profile with further runs: one observation of every stage of
// the workflow each.
func (p *Profile) With(runs ...[]Observation) *Profile {
	more := &Profile{Workflow: p.Workflow, stages: make([][]Observation, len(p.stages))}
	for i, all := range p.stages {
		more.stages[i] = slices.Clone(all)
		for _, r := range runs {
			more.stages[i] = append(more.stages[i], r[i])
		}
	}
	return more
}

// run is one execution of one stage.
type run struct {
	execution string
	stage     int
}

// NewProfile gathers the rows of a trace into observations of the workflow's
// stages. Aggregate rows (statistics mean and p95) are taken as they are;
// single invocations are aggregated, and rows of whole runs are passed over. Of
// an invocation of which only the duration is known all of it is computing. A
// row without parallelism counts the invocations of its run. Errors name rows
// counted from 0, as package traces does.
func NewProfile(def *Definition, rows []traces.Record) (*Profile, error) {
	w := def.Workflow
	var errs []error
	defect := func(row int, format string, args ...any) {
		if len(errs) < maxDefects {
			errs = append(errs, fmt.Errorf("row %d: "+format, append([]any{row}, args...)...))
		}
	}
	if other := workflowOf(rows); other != "" && other != w.Name() {
		return nil, fmt.Errorf("profile of workflow %s: the trace is of workflow %q", w.Name(), other)
	}
	g := gathering{def: def, at: map[run]*gathered{}}
	for k, r := range rows {
		if r.Statistic == traces.Run {
			continue
		}
		if r.Workflow != "" && r.Workflow != w.Name() {
			defect(k, "is of workflow %q, not %q", r.Workflow, w.Name())
			continue
		}
		i, ok := w.Index(r.Stage)
		if !ok {
			defect(k, "workflow %s has no stage %q", w.Name(), r.Stage)
			continue
		}
		if err := g.add(i, r); err != nil {
			defect(k, "%w", err)
		}
	}
	if len(rows) == 0 {
		errs = append(errs, errors.New("the trace has no rows"))
	}
	p := &Profile{Workflow: w, stages: make([][]Observation, w.Len())}
	for _, key := range g.order {
		o := g.at[key].observation()
		if o.Config.Parallelism == 0 && !w.Stage(key.stage).Splittable() {
			o.Config.Parallelism = 1
		}
		if o.Config.Parallelism == 0 {
			errs = append(errs, fmt.Errorf("stage %q in execution %q has aggregates but no parallelism", w.Stage(key.stage).Name, key.execution))
		}
		if in, ok := g.at[run{key.execution, w.InputParent(key.stage)}]; ok {
			o.InputParallelism = in.parallelism()
		}
		p.stages[key.stage] = append(p.stages[key.stage], o)
	}
	for i, obs := range p.stages {
		if len(obs) == 0 && len(errs) == 0 {
			errs = append(errs, fmt.Errorf("the trace has no row of stage %q", w.Stage(i).Name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("profile of workflow %s: %w", w.Name(), err)
	}
	return p, nil
}

// workflowOf returns the workflow that all rows are of, "" where they are of
// several or do not say.
func workflowOf(rows []traces.Record) (name string) {
	for i, r := range rows {
		if i > 0 && r.Workflow != name {
			return ""
		}
		name = r.Workflow
	}
	return name
}

// maxDefects bounds how many bad rows an error lists.
const maxDefects = 20

// gathering collects rows by run and stage, in the order of the trace.
type gathering struct {
	def   *Definition
	at    map[run]*gathered
	order []run
}

// gathered is what the rows of one run say about one stage.
type gathered struct {
	o           Observation
	given       bool // whether the parallelism was recorded
	invocations []Steps
}

func (g *gathering) add(stage int, r traces.Record) error {
	key := run{r.Execution, stage}
	if r.Execution == "" {
		return errors.New("has no workflow_execution_id")
	}
	if r.MemoryMB < 1 {
		return fmt.Errorf("memory_mb is %d", r.MemoryMB)
	}
	at, ok := g.at[key]
	if !ok {
		at = &gathered{o: Observation{
			Execution: r.Execution,
			Config:    g.def.StageConfig(int(r.MemoryMB), 0),
			Epoch:     1, Mean: noSteps, P95: noSteps,
		}}
		g.at[key] = at
		g.order = append(g.order, key)
	}
	if r.Epoch != nil {
		at.o.Epoch = int(*r.Epoch)
	}
	if int(r.MemoryMB) != at.o.Config.Memory {
		return fmt.Errorf("memory_mb is %d, but another row of stage %q in execution %q has %d", r.MemoryMB, r.Stage, r.Execution, at.o.Config.Memory)
	}
	if r.Parallelism != nil {
		if *r.Parallelism < 1 {
			return fmt.Errorf("parallelism is %d", *r.Parallelism)
		}
		at.o.Config.Parallelism, at.given = int(*r.Parallelism), true
	}
	steps := Steps{value(r.Cold), value(r.Read), value(r.Compute), value(r.Write)}
	if r.Statistic == traces.Invocation && r.Compute == nil && r.DurationUS != nil {
		steps = wholeDuration(r)
	}
	switch r.Statistic {
	case traces.Mean:
		at.o.Mean = steps
	case traces.P95:
		at.o.P95 = steps
	case traces.Invocation:
		at.invocations = append(at.invocations, steps)
	default:
		return fmt.Errorf("unknown statistic %q", r.Statistic)
	}
	return nil
}

// wholeDuration returns the steps of an invocation of which only the duration
// is known. A step that was not recorded is part of it, so that it counts as
// computing, and what came before the invocation, if nothing says how long it
// took, as nothing.
func wholeDuration(r traces.Record) Steps {
	var s Steps
	for _, step := range []struct {
		from *float64
		to   *float64
	}{{r.Cold, &s.Cold}, {r.Read, &s.Read}, {r.Write, &s.Write}} {
		if step.from != nil {
			*step.to = *step.from
		}
	}
	s.Compute = max(0, float64(*r.DurationUS)/1e6-s.Read-s.Write)
	if r.Cold == nil && r.ScheduledNS != nil && r.StartNS != nil {
		s.Cold = max(0, float64(*r.StartNS-*r.ScheduledNS)/1e9)
	}
	return s
}

var noSteps = Steps{math.NaN(), math.NaN(), math.NaN(), math.NaN()}

func value(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

// parallelism returns that of the stage in the run: the recorded one, else the
// number of its invocations.
func (g *gathered) parallelism() int {
	if g.given {
		return g.o.Config.Parallelism
	}
	return len(g.invocations)
}

// observation returns what the rows of one run say about one stage. Recorded
// aggregates count as they are. Where there are only single invocations the
// aggregates are made of them, in the terms of a recorded profile: the stage
// takes as long as its slowest instance, and Cold is that wall time minus the
// mean time of the other steps, or minus the sum of their percentiles, so
// that it holds the delay of the start and the straggler.
func (g *gathered) observation() Observation {
	o := g.o
	o.Invocations = g.invocations
	if len(g.invocations) == 0 {
		return o
	}
	o.Config.Parallelism = g.parallelism()
	wall := math.Inf(-1)
	for _, s := range g.invocations {
		wall = max(wall, s.Cold+s.Exec())
		if math.IsNaN(s.Cold + s.Exec()) {
			wall = math.NaN()
			break
		}
	}
	mean, p95 := noSteps, noSteps
	for _, step := range []func(*Steps) *float64{
		func(s *Steps) *float64 { return &s.Read },
		func(s *Steps) *float64 { return &s.Compute },
		func(s *Steps) *float64 { return &s.Write },
	} {
		values := make([]float64, len(g.invocations))
		sum := 0.0
		for k := range g.invocations {
			values[k] = *step(&g.invocations[k])
			sum += values[k]
		}
		*step(&mean) = sum / float64(len(values))
		*step(&p95) = QuantileR7(values, 0.95)
	}
	mean.Cold, p95.Cold = wall-mean.Exec(), wall-p95.Exec()
	if math.IsNaN(o.Mean.Cold + o.Mean.Exec()) {
		o.Mean = mean
	}
	if math.IsNaN(o.P95.Cold + o.P95.Exec()) {
		o.P95 = p95
	}
	return o
}
