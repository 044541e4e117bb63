package models

import (
	"errors"
	"fmt"

	"eevee/traces"
)

// Observation is what one stage did in one recorded run.
type Observation struct {
	Execution        string
	Epoch            int
	Config           StageConfig
	InputParallelism int // parallelism of the stage's input parent in the same run; 0 where it has none
	Mean, P95        Steps
}

// Steps are the times of one stage in seconds, over its instances.
type Steps struct {
	Cold, Read, Compute, Write float64
}

// Profile is a trace seen stage by stage: the rows that a model is fitted to.
type Profile struct {
	Workflow *Workflow
	stages   [][]Observation
}

// Stage returns the observations of stage i in the order of the trace. The
// caller must not change the slice.
func (p *Profile) Stage(i int) []Observation { return p.stages[i] }

var errNoRows = errors.New("no rows")

// NewProfile gathers the aggregate rows of a trace (statistics mean and p95)
// into observations of the workflow's stages.
func NewProfile(w *Workflow, rows []traces.Record, mbPerVCPU float64) (*Profile, error) {
	return nil, fmt.Errorf("profile of workflow %s: %w", w.Name(), errNoRows)
}
