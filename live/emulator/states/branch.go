package states

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
)

// parallel runs the branches of a Parallel. The first that fails stops the
// others.
func (v *visit) parallel(ctx context.Context, input any, last int64) (any, int64, *Failure) {
	started := v.History.add(last, "ParallelStateStarted", nil)
	results, last, failure := v.sideBySide(ctx, len(v.branches), len(v.branches), started, func(ctx context.Context, i int) (any, int64, *Failure) {
		return v.graph(ctx, v.branches[i], clone(input), started, v.item)
	})
	if failure != nil {
		return nil, v.History.add(last, "ParallelStateFailed", nil), failure
	}
	return results, v.History.add(last, "ParallelStateSucceeded", nil), nil
}

// iterations runs the processor of a Map for every item.
func (v *visit) iterations(ctx context.Context, input any, last int64) (any, int64, *Failure) {
	list := input
	if v.ItemsPath != "" {
		var failure *Failure
		if list, failure = v.expression(v.ItemsPath, input); failure != nil {
			return nil, last, failure
		}
	}
	items, ok := list.([]any)
	if !ok {
		return nil, last, failed("States.Runtime", "Reference path \"%s\" must point to array.", orRoot(v.ItemsPath))
	}
	selector := v.ItemSelector
	if selector == nil {
		selector = v.Parameters // as it was called before
	}
	started := v.History.add(last, "MapStateStarted", map[string]any{"length": len(items)})
	results, last, failure := v.sideBySide(ctx, len(items), v.Items.Concurrency(), started, func(ctx context.Context, i int) (any, int64, *Failure) {
		about := map[string]any{"name": v.state.Name, "index": i}
		at := v.History.add(started, "MapIterationStarted", about)
		inner := *v
		inner.item = map[string]any{"Index": json.Number(strconv.Itoa(i)), "Value": items[i]}
		value, failure := clone(items[i]), (*Failure)(nil)
		if selector != nil {
			value, failure = inner.template(selector, input)
		}
		var output any
		if failure == nil {
			output, at, failure = v.graph(ctx, v.processor, value, at, inner.item)
		}
		switch {
		case failure == nil:
			return output, v.History.add(at, "MapIterationSucceeded", about), nil
		case ctx.Err() != nil:
			return nil, v.History.add(at, "MapIterationAborted", about), failure
		default:
			return nil, v.History.add(at, "MapIterationFailed", about), failure
		}
	})
	if failure != nil {
		return nil, v.History.add(last, "MapStateFailed", nil), failure
	}
	return results, v.History.add(last, "MapStateSucceeded", nil), nil
}

// sideBySide runs n pieces of work, so many at a time, and returns their results
// and the event of the one that decided: the last to succeed or the first to
// fail.
func (v *visit) sideBySide(ctx context.Context, n, limit int, started int64, piece func(context.Context, int) (any, int64, *Failure)) (any, int64, *Failure) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu      sync.Mutex
		work    sync.WaitGroup
		results = make([]any, n)
		last    = started
		failure *Failure
	)
	places := make(chan struct{}, max(limit, 1))
	for i := range n {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		work.Go(func() {
			defer func() { <-places }()
			result, at, failed := piece(ctx, i)
			mu.Lock()
			defer mu.Unlock()
			results[i] = result
			switch {
			case failure != nil:
			case failed != nil:
				failure, last = failed, at
				cancel()
			default:
				last = max(last, at)
			}
		})
	}
	work.Wait()
	if failure == nil && ctx.Err() != nil {
		failure = failed("States.Runtime", "the execution was stopped")
	}
	return results, last, failure
}
