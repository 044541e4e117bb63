package sim

import (
	"context"
	"sync"
)

// chunkRuns is how many runs a core simulates before it hands them over.
const chunkRuns = 64

// executeAll simulates the runs of a plan on several cores and hands them out
// in order. Run i draws from streams of its own, so which core it lands on
// changes nothing.
func executeAll(ctx context.Context, p *plan, runs, cores int, each func(*Run) error) error {
	if chunks := (runs + chunkRuns - 1) / chunkRuns; cores > chunks {
		cores = chunks
	}
	if cores <= 1 {
		return executeHere(ctx, p, runs, each)
	}
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()

	// Chunk k is simulated by worker k mod cores, in order; each worker owns
	// two buffers, which travel to the consumer and back.
	full := make([]chan []Run, cores)
	free := make([]chan []Run, cores)
	for c := range cores {
		full[c], free[c] = make(chan []Run, 2), make(chan []Run, 2)
		free[c] <- make([]Run, chunkRuns)
		free[c] <- make([]Run, chunkRuns)
		workers.Go(func() {
			e := newEngine(p)
			for first := c * chunkRuns; first < runs; first += cores * chunkRuns {
				var chunk []Run
				select {
				case chunk = <-free[c]:
				case <-ctx.Done():
					return
				}
				chunk = chunk[:min(chunkRuns, runs-first)]
				for k := range chunk {
					if ctx.Err() != nil {
						return
					}
					e.execute(first+k, &chunk[k])
				}
				full[c] <- chunk // never blocks: there are two buffers and two places
			}
		})
	}
	for k, first := 0, 0; first < runs; k, first = k+1, first+chunkRuns {
		c := k % cores
		var chunk []Run
		select {
		case chunk = <-full[c]:
		case <-ctx.Done():
			return ctx.Err()
		}
		for i := range chunk {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := each(&chunk[i]); err != nil {
				return err
			}
		}
		free[c] <- chunk
	}
	return nil
}

func executeHere(ctx context.Context, p *plan, runs int, each func(*Run) error) error {
	e := newEngine(p)
	var run Run
	for i := range runs {
		if err := ctx.Err(); err != nil {
			return err
		}
		e.execute(i, &run)
		if err := each(&run); err != nil {
			return err
		}
	}
	return nil
}
