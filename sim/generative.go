package sim

import (
	"fmt"
	"math/bits"

	"eevee/models"
)

// GenerativeSettings are the options of a Generative. The zero value works.
type GenerativeSettings struct {
	Seed      uint64 // of the scenarios; choose another one than a solver was given
	Scenarios int    // to draw; 0: 10,000
}

// Generative is the world of a fitted model: it draws scenarios of its own and
// every run takes one of them, in all of its stages, so that what the model
// says about stages that are slow together holds in a run too.
//
// A model knows the latency of a stage and the mean time that its instances
// run. All tasks of a stage run for that time, and start after what is left of
// its latency, which holds the delay of the start and the straggler, as the
// cold of a profile does.
type Generative struct {
	model     string
	scenarios *models.Scenarios
}

// NewGenerative draws the scenarios.
func NewGenerative(m models.Model, s GenerativeSettings) (*Generative, error) {
	if s.Scenarios == 0 {
		s.Scenarios = 10_000
	}
	scenarios, err := m.Sample(s.Scenarios, models.PriceBook{}, models.Streams{Seed: s.Seed}.Sub("world"))
	if err != nil {
		return nil, fmt.Errorf("world of model %s: %w", m.Name(), err)
	}
	return &Generative{m.Name(), scenarios}, nil
}

// Workflow returns the workflow that the model is of.
func (g *Generative) Workflow() *models.Workflow { return g.scenarios.Workflow() }

// Stage resolves stage i under c in all scenarios.
func (g *Generative) Stage(i int, c models.StageConfig, inputParallelism int) (Behaviour, error) {
	n := g.scenarios.Len()
	latency, busy := make([]float64, n), make([]float64, n)
	g.scenarios.Times(i, c, inputParallelism, latency, busy)
	b := &generated{model: g.model, parallelism: c.Parallelism, tasks: make([]Task, n)}
	for k := range b.tasks {
		if !(latency[k] < longestStep && busy[k] < longestStep) {
			return nil, fmt.Errorf("stage %q: model %s says that it takes %v s under %v", g.Workflow().Stage(i).Name, g.model, max(latency[k], busy[k]), c)
		}
		if busy[k] < 0 {
			b.negative++
		}
		t := &b.tasks[k]
		t.Compute = nanoseconds(max(0, busy[k]))
		t.Cold = max(0, nanoseconds(latency[k])-t.Compute)
	}
	return b, nil
}

// generated is the Behaviour of a stage in a Generative.
type generated struct {
	model       string
	parallelism int
	tasks       []Task // per scenario
	negative    int    // scenarios in which the model says less than nothing
}

// everyStage is the key under which all stages of a run choose one scenario.
const everyStage = 0

// Tasks draws the scenario of the run.
func (b *generated) Tasks(chance *Chance, tasks []Task) []Task {
	k, _ := bits.Mul64(chance.Shared(everyStage), uint64(len(b.tasks)))
	for range b.parallelism {
		tasks = append(tasks, b.tasks[k])
	}
	return tasks
}

// Origin names the model.
func (b *generated) Origin() string {
	return fmt.Sprintf("model %s, %d scenarios", b.model, len(b.tasks))
}

// Warnings counts the scenarios that cannot be.
func (b *generated) Warnings() []string {
	if b.negative == 0 {
		return nil
	}
	return []string{fmt.Sprintf("in %d of %d scenarios, model %s gives the functions a negative time, which counts as 0", b.negative, len(b.tasks), b.model)}
}
