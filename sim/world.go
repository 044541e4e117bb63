package sim

import (
	"math/rand/v2"

	"eevee/models"
)

// World is what the simulated cloud really does. It is not the model that a
// solver was given.
type World interface {
	// Workflow is the workflow whose stages the world knows.
	Workflow() *models.Workflow

	// Stage resolves how stage i behaves under c when the stage it reads from
	// has inputParallelism instances (models.Workflow.InputParallelism; 0
	// where there is none). Whatever does not depend on chance is done here,
	// once per configuration.
	Stage(i int, c models.StageConfig, inputParallelism int) (Behaviour, error)
}

// Behaviour is one stage of a World under one configuration. It is immutable:
// runs on several cores share it.
type Behaviour interface {
	// Tasks draws what the tasks of the stage do in one run, one Task per
	// instance, and nothing that is negative. It may append to buffer, which
	// is empty, or return a slice of its own, which the caller does not
	// change and gives up before the next run.
	Tasks(chance *Chance, buffer []Task) []Task

	// Origin says in a few words where the times come from.
	Origin() string

	// Warnings are what the reader of a result must know about the times.
	Warnings() []string
}

// Joiner is a World that can tie the stages of a run together: given the
// behaviour of every stage of a configuration, in the workflow's order, it
// returns behaviours that draw jointly.
type Joiner interface {
	Join(stages []Behaviour) []Behaviour
}

// ProcessWorld is a World whose times depend on the number of processes inside an
// instance (models.StageConfig.Processes). In others a configuration with several is
// an error: recordings do not tell what they do.
type ProcessWorld interface {
	World
	KnowsProcesses() bool
}

func knowsProcesses(w World) bool {
	p, ok := w.(ProcessWorld)
	return ok && p.KnowsProcesses()
}

// Task is what one task does: the times of its steps in nanoseconds.
type Task struct {
	Cold    int64 // from the stage being ready to the function running
	Read    int64
	Compute int64
	Write   int64
}

// Busy returns the time the function runs, which is the time that is billed:
// all but Cold, in nanoseconds.
func (t Task) Busy() int64 { return t.Read + t.Compute + t.Write }

// Chance is the randomness of one stage in one run.
type Chance struct {
	Run    int        // replication, from 0
	Stream *rand.Rand // the stage's own stream in this run
	word   uint64     // the run's own number

	// earlier is what the stages of the run that were decided so far replay,
	// shared by all of its stages; nil where the whole configuration is known
	// beforehand.
	earlier *[]drawn
}

// Shared returns 64 random bits that depend on the run and on the key only:
// all stages that ask for the same key in a run get the same bits.
func (c *Chance) Shared(key uint64) uint64 {
	var source rand.PCG
	source.Seed(c.word, key)
	return source.Uint64()
}
