package papers

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"eevee/experiments"
)

// watched is an experiment that tells what goes on while it finds.
type watched struct {
	id    string
	timed bool
	find  func(ctx context.Context) error
}

func (w watched) Statement() Statement { return Statement{ID: w.id, MeasuresTime: w.timed} }
func (w watched) Cells(bool) []Cell    { return nil }
func (w watched) Find(ctx context.Context, _ *Lab) (Finding, error) {
	return Finding{Rows: FitTimes{Name: w.id}}, w.find(ctx)
}

// Experiments run side by side, but those that measure times after all others
// and one at a time, wherever they stand in the list.
func TestTimesAreMeasuredAlone(t *testing.T) {
	var running, done, beside atomic.Int64
	const others = 6
	other := func(context.Context) error {
		if running.Add(1) > 1 {
			beside.Add(1)
		}
		time.Sleep(10 * time.Millisecond)
		running.Add(-1)
		done.Add(1)
		return nil
	}
	timed := func(context.Context) error {
		if n := running.Add(1); n != 1 || done.Load() < others {
			t.Errorf("%d run, %d of %d others are done", n, done.Load(), others)
		}
		time.Sleep(time.Millisecond)
		running.Add(-1)
		return nil
	}
	list := []Experiment{watched{"first", true, timed}}
	for range others {
		list = append(list, watched{"other", false, other})
	}
	list = append(list, watched{"last", true, timed})
	o := quickOptions(experiments.Sources{})
	var found []string
	o.Found = func(f Finding) { found = append(found, f.Statement.ID) }
	all, err := Reproduce(context.Background(), list, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found[others:], []string{"first", "last"}) {
		t.Errorf("found in the order %v", found)
	}
	for i, f := range all.Findings {
		if f.Statement.ID != list[i].Statement().ID {
			t.Errorf("finding %d is of %s", i, f.Statement.ID)
		}
	}
	if beside.Load() == 0 {
		t.Log("one core: nothing ran side by side")
	}
}

// What has been found before an interruption is kept, and nothing of what has
// not; the next run finds the rest.
func TestInterruptedRunKeepsItsFindings(t *testing.T) {
	dir := t.TempDir()
	o := quickOptions(experiments.Sources{})
	var err error
	if o.Cache, err = OpenCache(dir, o.Sources, time.Now()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	list := []Experiment{
		watched{"early", false, func(context.Context) error { return nil }},
		watched{"late", false, func(ctx context.Context) error {
			<-ended // early is in the cache by now
			cancel()
			return ctx.Err()
		}},
	}
	o.Found = func(Finding) { close(ended) }
	if _, err := Reproduce(ctx, list, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	o.Found = nil
	ran := false
	list[0] = watched{"early", false, func(context.Context) error { return errors.New("runs again") }}
	list[1] = watched{"late", false, func(context.Context) error { ran = true; return nil }}
	found, err := Reproduce(context.Background(), list, o)
	if err != nil || !ran || !found.Findings[0].Cached || found.Findings[1].Cached {
		t.Errorf("%v, the late one ran: %v, %+v", err, ran, found.Findings)
	}
}
