package papers

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"eevee/experiments"
)

// Options are the options of Reproduce.
type Options struct {
	Sources experiments.Sources
	Seed    uint64 // of everything that is random
	Quick   bool   // fewer bounds, fewer runs in the simulator, fewer and smaller timings
	Cache   *Cache // where findings are looked up and kept; nil: nowhere
	Measure bool   // times are measured anew, whatever the cache holds

	// Clock measures durations, which end in timings only. It must be set.
	Clock Clock

	// Progress is told how many of all parts are done, and Found of every
	// finding as soon as there is one; both by one goroutine at a time. They
	// may be nil.
	Progress func(done, total int)
	Found    func(Finding)
}

// Reproduce runs experiments on all cores, those that measure times last and
// alone. The same seed gives the same findings but for what is marked as
// measured in time, whatever the number of cores and whatever the cache holds;
// times are the same, too, where the cache holds them. What has been found when
// ctx ends is in the cache.
func Reproduce(ctx context.Context, selected []Experiment, o Options) (Findings, error) {
	r := &run{lab: newLab(o), options: o}
	for _, e := range selected {
		r.jobs = append(r.jobs, newJob(e, o.Quick))
	}
	if err := r.all(ctx); err != nil {
		return Findings{}, err
	}
	found := Findings{Seed: o.Seed, Quick: o.Quick, Warnings: r.warnings}
	for _, j := range r.jobs {
		found.Findings = append(found.Findings, j.found)
		found.Traces = append(found.Traces, j.found.Traces...)
	}
	slices.SortFunc(found.Traces, byWorkflow)
	found.Traces = slices.Compact(found.Traces)
	return found, nil
}

func byWorkflow(a, b TraceUsed) int { return cmp.Compare(a.Workflow, b.Workflow) }

// job is one experiment of a run.
type job struct {
	experiment Experiment
	about      Statement
	cells      []Cell
	open       atomic.Int64 // cells without a result
	elapsed    atomic.Int64 // ns
	found      Finding
}

func newJob(e Experiment, quick bool) *job {
	j := &job{experiment: e, about: e.Statement()}
	for _, c := range e.Cells(quick) {
		if !slices.Contains(j.cells, c) {
			j.cells = append(j.cells, c)
		}
	}
	return j
}

// run is one call of Reproduce.
type run struct {
	lab     *Lab
	options Options
	jobs    []*job

	mu          sync.Mutex
	done, total int
	warnings    []string
}

// all does all jobs.
func (r *run) all(ctx context.Context) error {
	var beside, alone []*job
	waiting := map[Cell][]*job{} // for a cell
	for _, j := range r.jobs {
		if r.recall(j) {
			continue
		}
		if j.about.MeasuresTime {
			alone = append(alone, j)
		} else {
			beside = append(beside, j)
		}
		for _, c := range j.cells {
			waiting[c] = append(waiting[c], j)
		}
		j.open.Store(int64(len(j.cells)))
	}
	r.total = len(waiting) + len(beside) + len(alone)

	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	handed := map[Cell]bool{}
	for _, j := range slices.Concat(beside, alone) {
		if len(j.cells) == 0 && !j.about.MeasuresTime {
			group.Go(func() error { return r.find(inner, j) })
		}
		for _, c := range j.cells {
			if handed[c] {
				continue
			}
			handed[c] = true
			group.Go(func() error { return r.answer(inner, j, c, waiting[c]) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, j := range alone {
		if err := r.find(ctx, j); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// answer fills in the result of a cell, on the account of a job. Whoever waited
// for that cell alone follows at once, so that findings come, and are kept,
// while there is work left.
func (r *run) answer(ctx context.Context, j *job, c Cell, waiting []*job) error {
	start := r.options.Clock.Wall()
	result, err := r.lab.answer(ctx, c)
	if err != nil {
		return err
	}
	r.lab.put(c, result)
	j.elapsed.Add(int64(r.options.Clock.Wall().Sub(start)))
	r.step(nil)
	for _, w := range waiting {
		if w.open.Add(-1) == 0 && !w.about.MeasuresTime {
			if err := r.find(ctx, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// find lets an experiment find, and keeps what it finds.
func (r *run) find(ctx context.Context, j *job) error {
	start := r.options.Clock.Wall()
	lab := r.lab.of(j.cells)
	f, err := j.experiment.Find(ctx, lab)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", j.about.ID, err)
	}
	f.Statement, f.Traces = j.about, lab.traces()
	for i := range f.Claims {
		f.Claims[i].Experiment = j.about.ID
		f.Claims[i].Paper = cmp.Or(f.Claims[i].Paper, j.about.Paper)
	}
	end := r.options.Clock.Wall()
	f.Elapsed, f.Machine = time.Duration(j.elapsed.Load())+end.Sub(start), thisMachine(end)
	j.found = f
	if err := r.options.Cache.keep(f, r.options); err != nil {
		r.warn(err)
	}
	r.step(&f)
	return nil
}

// recall takes what an experiment found from the cache.
func (r *run) recall(j *job) bool {
	if j.about.MeasuresTime && r.options.Measure {
		return false
	}
	f, ok, err := r.options.Cache.find(j.about, r.options)
	if err != nil {
		r.warn(err)
	}
	if !ok {
		return false
	}
	f.Statement, f.Cached = j.about, true
	j.found = f
	if r.options.Found != nil {
		r.options.Found(f)
	}
	return true
}

// step says that one more part is done, which may be a finding.
func (r *run) step(f *Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if f != nil && r.options.Found != nil {
		r.options.Found(*f)
	}
	if r.options.Progress != nil {
		r.options.Progress(r.done, r.total)
	}
}

// warn keeps a warning about the cache; the same words once.
func (r *run) warn(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.warnings, err.Error()) {
		r.warnings = append(r.warnings, err.Error())
	}
}
