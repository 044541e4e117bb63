package sim

import (
	"errors"
	"fmt"
	"strings"

	"eevee/models"
	"eevee/traces"
)

// longestStep bounds the steps of a trace, in seconds: sums over the tasks of a
// stage must fit into int64 nanoseconds.
const longestStep = 100_000

// gathered are the rows of one stage in one execution.
type gathered struct {
	mean, p95   *traces.Record
	invocations []*traces.Record
	row         int // the first one
}

// recordedRun names one run of the workflow: rows with the same identifier in
// different epochs belong to different runs.
type recordedRun struct {
	id    string
	epoch int32
}

func (e recordedRun) String() string {
	if e.epoch < 0 {
		return e.id
	}
	return fmt.Sprintf("%s, epoch %d", e.id, e.epoch)
}

// gather turns rows into the recordings of every stage, in the order of the
// trace.
func gather(w *models.Workflow, rows []traces.Record, epochs Epochs) ([][]recording, error) {
	type key struct {
		recordedRun
		stage int
	}
	at := make(map[key]*gathered)
	var order []key
	for k := range rows {
		r := &rows[k]
		if r.Statistic == traces.Run {
			continue
		}
		e := recordedRun{r.Execution, -1}
		if r.Epoch != nil {
			e.epoch = *r.Epoch
		}
		if cold := e.epoch == 0; epochs == WarmEpochs && cold || epochs == ColdEpochs && !cold {
			continue
		}
		stage, _ := w.Index(r.Stage)
		id := key{e, stage}
		g, ok := at[id]
		if !ok {
			g = &gathered{row: k}
			at[id] = g
			order = append(order, id)
		}
		switch r.Statistic {
		case traces.Mean:
			g.mean = r
		case traces.P95:
			g.p95 = r
		case traces.Invocation:
			g.invocations = append(g.invocations, r)
		}
	}

	recordings := make([][]recording, w.Len())
	var errs []error
	for _, id := range order {
		r, err := at[id].recording(w.Stage(id.stage))
		if err != nil {
			if len(errs) < maxDefects {
				errs = append(errs, fmt.Errorf("row %d and others of stage %q in execution %q: %w", at[id].row, w.Stage(id.stage).Name, id.id, err))
			}
			continue
		}
		r.execution = id.String()
		if parent := w.InputParent(id.stage); parent >= 0 {
			if in, ok := at[key{id.recordedRun, parent}]; ok {
				r.inputParallelism = in.parallelism(w.Stage(parent))
			}
		}
		recordings[id.stage] = append(recordings[id.stage], r)
	}
	var missing []string
	for i, list := range recordings {
		if len(list) == 0 {
			missing = append(missing, w.Stage(i).Name)
		}
	}
	if len(errs) == 0 && len(missing) > 0 {
		kind := map[Epochs]string{WarmEpochs: "warm ", ColdEpochs: "cold ", AllEpochs: ""}[epochs]
		errs = append(errs, fmt.Errorf("the trace has no %sexecution of stage %s", kind, strings.Join(missing, ", ")))
	}
	return recordings, errors.Join(errs...)
}

// parallelism returns the number of instances of the stage, 0 where it is not
// known.
func (g *gathered) parallelism(stage models.Stage) int {
	for _, r := range append([]*traces.Record{g.mean, g.p95}, g.invocations...) {
		if r != nil && r.Parallelism != nil {
			return int(*r.Parallelism)
		}
	}
	if !stage.Splittable() {
		return 1
	}
	return len(g.invocations)
}

// recording returns what the rows say. Where the invocations are complete they
// are replayed as they are; else the aggregates count.
func (g *gathered) recording(stage models.Stage) (recording, error) {
	r := recording{parallelism: g.parallelism(stage)}
	if r.parallelism == 0 {
		return r, errors.New("column parallelism: missing")
	}
	if r.parallelism > maxParallelism {
		return r, fmt.Errorf("column parallelism: %d; at most %d instances are simulated", r.parallelism, maxParallelism)
	}
	for _, row := range append([]*traces.Record{g.mean, g.p95}, g.invocations...) {
		switch {
		case row == nil:
		case r.memory == 0:
			r.memory = int(row.MemoryMB)
		case r.memory != int(row.MemoryMB):
			return r, fmt.Errorf("column memory_mb: both %d and %d", r.memory, row.MemoryMB)
		}
	}
	var tasks []Task
	for _, row := range g.invocations {
		s, err := steps(row)
		r.noDelay = r.noDelay || delayMissing(row)
		if err != nil {
			return r, err
		}
		tasks = append(tasks, Task{nanoseconds(s.Cold), nanoseconds(s.Read), nanoseconds(s.Compute), nanoseconds(s.Write)})
	}
	if len(tasks) == r.parallelism {
		r.tasks = tasks
	}
	var err error
	switch {
	case g.mean != nil:
		if r.tasks == nil {
			r.noDelay = delayMissing(g.mean)
		}
		if r.mean, err = steps(g.mean); err != nil {
			return r, err
		}
		if r.p95 = r.mean; g.p95 != nil {
			r.p95, err = steps(g.p95)
		}
		return r, err
	case len(tasks) > 0:
		wall := int64(0)
		for _, t := range tasks {
			wall = max(wall, t.Cold+t.Busy())
		}
		r.mean, r.p95 = aggregate(tasks, wall, new([]float64))
		return r, nil
	default:
		return r, errors.New("a p95 row without a mean row")
	}
}

// steps returns the times of a row. A step that was not recorded is part of
// those that were, so it counts as 0; but there must be something that ran.
func steps(r *traces.Record) (models.Steps, error) {
	var s models.Steps
	for _, step := range []struct {
		from *float64
		to   *float64
	}{{r.Cold, &s.Cold}, {r.Read, &s.Read}, {r.Compute, &s.Compute}, {r.Write, &s.Write}} {
		if step.from != nil {
			*step.to = *step.from
		}
	}
	if r.Compute == nil {
		if r.DurationUS == nil {
			return s, errors.New("columns compute_s and duration_us: missing")
		}
		s.Compute = max(0, float64(*r.DurationUS)/1e6-s.Read-s.Write)
	}
	if r.Cold == nil && !delayMissing(r) {
		s.Cold = max(0, seconds(*r.StartNS-*r.ScheduledNS))
	}
	if max(s.Cold, s.Read, s.Compute, s.Write) > longestStep {
		return s, fmt.Errorf("a step takes longer than %v s", float64(longestStep))
	}
	return s, nil
}

// delayMissing reports whether a row does not tell how long the function took
// to start.
func delayMissing(r *traces.Record) bool {
	return r.Cold == nil && (r.ScheduledNS == nil || r.StartNS == nil)
}
