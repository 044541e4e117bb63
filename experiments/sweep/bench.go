package sweep

import (
	"fmt"
	"sync"

	"eevee/experiments"
	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
	"eevee/traces"
)

// subject is what a group of cells is about: a workflow with one trace and one
// fitted model.
type subject struct {
	workflow, trace, model string // as the grid names them
}

// bench is a subject made ready for questions. It is shared by all workers.
type bench struct {
	*experiments.Setup
	world     sim.World
	platforms map[string]*sim.Platform // by the name in the grid

	scenarios shelf[sampleKey, *models.Scenarios]
	holdouts  shelf[sampleKey, *models.Scenarios]
	runs      shelf[runKey, simulated]
}

type sampleKey struct {
	n    int
	seed uint64
}

type runKey struct {
	config   string
	runs     int
	seed     uint64
	platform string // its hash
}

// How much of what cells share is kept: samples and holdouts are large, and
// cells that need the same one are answered one after the other.
const (
	keptSamples = 3
	keptRuns    = 256
)

// newBench loads the subject. The result does not depend on where the trace is
// found, only on its content.
func newBench(s subject, sources experiments.Sources) (*bench, error) {
	def, err := models.Load(s.workflow)
	if err != nil {
		return nil, err
	}
	path := s.trace
	if path == defaultTrace {
		path = ""
	}
	trace, err := sources.Trace(def.Workflow.Name(), path)
	if err != nil {
		return nil, err
	}
	b := &bench{
		scenarios: shelf[sampleKey, *models.Scenarios]{keep: keptSamples},
		holdouts:  shelf[sampleKey, *models.Scenarios]{keep: keptSamples},
		runs:      shelf[runKey, simulated]{keep: keptRuns},
	}
	if b.Setup, err = experiments.NewSetup(def, trace, experiments.Choice{Model: s.model}); err != nil {
		return nil, err
	}
	b.world, err = sim.NewReplay(def.Workflow, trace.Rows, sim.ReplaySettings{})
	return b, err
}

// traceOf reports whether a trace file belongs to the workflow, by what the
// file says; the default trace belongs to every one.
func traceOf(path, workflow string) (bool, error) {
	if path == defaultTrace {
		return true, nil
	}
	r, err := traces.Open(path)
	if err != nil {
		return false, err
	}
	defer r.Close()
	name := r.Meta().Workflow
	if name == "" {
		return false, fmt.Errorf("%s: does not say which workflow it is of; import it with --workflow", path)
	}
	return name == workflow, nil
}

// sample returns the scenarios that cells with n of them are posed on.
func (b *bench) sample(n int, seed uint64) (*models.Scenarios, error) {
	return b.scenarios.get(sampleKey{n, seed}, func() (*models.Scenarios, error) { return b.Scenarios(n, seed) })
}

// holdout returns the re-check of the answers of a seed: the first attempt is
// the same for all of them.
func (b *bench) holdout(seed uint64) solvers.Holdout {
	return func(attempt, n int) (*models.Scenarios, error) {
		if attempt > 0 {
			return b.Holdout(seed, attempt, n)
		}
		return b.holdouts.get(sampleKey{n, seed}, func() (*models.Scenarios, error) { return b.Holdout(seed, 0, n) })
	}
}

// shelf keeps the values that were asked for last, and makes every one once,
// whoever asks.
type shelf[K comparable, V any] struct {
	keep  int
	mu    sync.Mutex
	order []K // the one asked for last is at the end
	items map[K]*item[V]
}

type item[V any] struct {
	once  sync.Once
	value V
	err   error
}

func (s *shelf[K, V]) get(key K, make func() (V, error)) (V, error) {
	it := s.take(key)
	it.once.Do(func() { it.value, it.err = make() })
	return it.value, it.err
}

func (s *shelf[K, V]) take(key K) *item[V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items == nil {
		s.items = map[K]*item[V]{}
	}
	for i, k := range s.order {
		if k == key {
			copy(s.order[i:], s.order[i+1:])
			s.order[len(s.order)-1] = key
			return s.items[key]
		}
	}
	if len(s.order) == s.keep {
		delete(s.items, s.order[0])
		copy(s.order, s.order[1:])
		s.order = s.order[:s.keep-1]
	}
	s.order = append(s.order, key)
	s.items[key] = &item[V]{}
	return s.items[key]
}
