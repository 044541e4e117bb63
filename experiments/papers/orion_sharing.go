package papers

import (
	"fmt"
	"math"
	"slices"

	"eevee/models"
	"eevee/sim"
)

// bundledWorld is a world with a fixed number of workers per stage, several of which
// share an instance: an instance of a configuration divides its memory evenly among
// its workers that are still at work, so that the last ones get what the others
// leave. The world inside says how long a worker takes with so much memory.
type bundledWorld struct {
	sim.World
	workers, bundle int
	cv              float64 // of the work of the workers; negative: as the world inside has it
}

// instances is how many instances a stage has.
func (w bundledWorld) instances() int { return (w.workers + w.bundle - 1) / w.bundle }

// Stage returns a stage whose instances have the given size.
func (w bundledWorld) Stage(i int, c models.StageConfig, input int) (sim.Behaviour, error) {
	if c.Parallelism != w.instances() {
		return nil, fmt.Errorf("%d instances for %d workers in bundles of %d", c.Parallelism, w.workers, w.bundle)
	}
	if input > 0 {
		input = w.workers // what is read was written by workers, however they were packed
	}
	b := &bundledStage{bundledWorld: w, sigma: math.Sqrt(math.Log(1 + w.cv*w.cv))}
	for active := 1; active <= w.bundle; active++ {
		share := models.StageConfig{Memory: c.Memory / active, VCPU: c.VCPU / float64(active), Parallelism: w.workers}
		one, err := w.World.Stage(i, share, input)
		if err != nil {
			return nil, err
		}
		b.sharing = append(b.sharing, one)
	}
	return b, nil
}

// bundledStage is one stage of it.
type bundledStage struct {
	bundledWorld
	sigma   float64         // of the logarithm of a worker's work
	sharing []sim.Behaviour // by how many workers share an instance, from 1 on
}

// Tasks draws the workers, and returns one task per instance.
func (b *bundledStage) Tasks(chance *sim.Chance, tasks []sim.Task) []sim.Task {
	alone := make([][]float64, len(b.sharing)) // s, by how many share the instance, and worker
	cold := make([]int64, b.workers)
	for k, s := range b.sharing {
		alone[k] = make([]float64, b.workers)
		mean := 0.0
		for j, t := range s.Tasks(chance, nil) {
			alone[k][j], cold[j] = float64(t.Busy())/1e9, t.Cold // that of full instances stays
			mean += alone[k][j] / float64(b.workers)
		}
		if b.cv >= 0 {
			for j := range alone[k] {
				alone[k][j] = mean
			}
		}
	}
	if b.cv >= 0 {
		for j := range b.workers {
			work := math.Exp(b.sigma*chance.Stream.NormFloat64() - b.sigma*b.sigma/2)
			for k := range alone {
				alone[k][j] *= work
			}
		}
	}
	for from := 0; from < b.workers; from += b.bundle {
		to := min(from+b.bundle, b.workers)
		t := sim.Task{Compute: nanoseconds(sharedTime(alone, from, to))}
		for _, c := range cold[from:to] {
			t.Cold = max(t.Cold, c)
		}
		tasks = append(tasks, t)
	}
	return tasks
}

// sharedTime is how long an instance takes with workers from...to-1: while n of them
// are at work, each of them gets on as fast as if it took alone[n-1] in all.
func sharedTime(alone [][]float64, from, to int) float64 {
	left := slices.Repeat([]float64{1}, to-from) // of the work of each
	took := 0.0
	for n := len(left); n > 0; {
		whole := alone[n-1][from:to]
		next := math.Inf(1)
		for j, share := range left {
			if share > 0 {
				next = min(next, share*whole[j])
			}
		}
		took += next
		for j, share := range left {
			switch rest := share*whole[j] - next; {
			case share == 0:
			case rest <= 1e-12*next: // rounding error, where several end at once
				left[j] = 0
				n--
			default:
				left[j] = rest / whole[j]
			}
		}
	}
	return took
}

// Origin says what stands behind the workers.
func (b *bundledStage) Origin() string {
	return fmt.Sprintf("%s, %d workers in bundles of %d", b.sharing[b.bundle-1].Origin(), b.workers, b.bundle)
}

// Warnings are those of the world inside, for full instances.
func (b *bundledStage) Warnings() []string { return b.sharing[b.bundle-1].Warnings() }
