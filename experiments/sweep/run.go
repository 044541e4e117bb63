package sweep

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Progress is told of every cell that has been answered, or was found
// answered. It may be called by several goroutines.
type Progress func(r Row, found bool)

// Outcome is what a run of a shard did.
type Outcome struct {
	Answered int `json:"answered"` // cells, now
	Found    int `json:"found"`    // cells that were answered before
	Failed   int `json:"failed"`   // of both: cells that could not be answered
	Busy     int `json:"busy"`     // cells that another process is working on
}

// Options are the options of Run.
type Options struct {
	Shard   Shard            // zero value: Whole
	Workers int              // 0: one for every core
	Retry   bool             // answer the cells that failed before once more
	Tell    Progress         // may be nil
	Now     func() time.Time // time.Now, by which the files of times are written
}

// Run answers the open cells of a shard. At the end of ctx it stops, and what
// was answered stays answered.
func (p *Plan) Run(ctx context.Context, s *Store, o Options) (Outcome, error) {
	if o.Shard.Of == 0 {
		o.Shard = Whole
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	r := &run{plan: p, store: s, options: o}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(o.Workers)
	for k, c := range p.Chunks {
		if !o.Shard.has(k) || ctx.Err() != nil {
			continue
		}
		work.Go(func() error { return r.chunk(ctx, c) })
	}
	err := work.Wait()
	return r.outcome, err
}

type run struct {
	plan    *Plan
	store   *Store
	options Options

	mu      sync.Mutex
	outcome Outcome
}

// chunk answers what is open of a chunk.
func (r *run) chunk(ctx context.Context, c Chunk) (err error) {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	claim, err := r.store.claim(c.ID)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if claim == nil {
		r.count(func(o *Outcome) { o.Busy += c.Upto - c.From })
		return nil
	}
	defer func() {
		if e := claim.end(); err == nil {
			err = e
		}
	}()
	cells := r.plan.Cells[c.From:c.Upto]
	names := make([]string, len(cells))
	for i, cell := range cells {
		names[i] = cell.Key()
	}
	known, err := claim.begin(names)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	rows := make([]Row, len(cells))
	for i, cell := range cells {
		row, ok := known[names[i]]
		if ok && !(r.options.Retry && row.Status == Failed) {
			rows[i] = row
			r.tell(row, true)
			continue
		}
		start := r.options.Now()
		if rows[i], err = r.plan.of[c.From+i].answer(ctx, cell); err != nil {
			return err
		}
		if err := claim.add(rows[i], r.options.Now().Sub(start).Seconds()); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		r.tell(rows[i], false)
	}
	if err := claim.complete(rows); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

func (r *run) count(change func(*Outcome)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.outcome)
}

func (r *run) tell(row Row, found bool) {
	r.count(func(o *Outcome) {
		if found {
			o.Found++
		} else {
			o.Answered++
		}
		if row.Status == Failed {
			o.Failed++
		}
	})
	if r.options.Tell != nil {
		r.options.Tell(row, found)
	}
}
