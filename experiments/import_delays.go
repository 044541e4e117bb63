package experiments

import (
	"cmp"
	"fmt"
	"slices"

	"eevee/models"
	"eevee/models/asl"
	"eevee/traces"
)

// quantilesKept is how many equally spaced quantiles of a delay are kept.
const quantilesKept = 1001

// sampleOf returns an empirical distribution of values in seconds.
func sampleOf(values []float64) asl.Sample {
	slices.Sort(values)
	s := asl.Sample{N: len(values)}
	if len(values) <= quantilesKept {
		s.Values = values
		return s
	}
	for k := range quantilesKept {
		s.Values = append(s.Values, models.SortedQuantileR7(values, float64(k)/(quantilesKept-1)))
	}
	return s
}

// delaysOf learns what an orchestrator adds from rows of executions, of their
// tasks, and of the invocations behind the tasks. The executions may be those
// of any state machine in which tasks follow each other: branches that run
// side by side are left out, since what ends there is not what starts next.
//
//   - start: from the start of the execution to its first task being scheduled;
//   - dispatch: from the first task being scheduled to it having started, and
//     redispatch the same for later ones;
//   - invoke: what a started task took beyond the function's own duration (and
//     the start of a new environment), from invocations of the same request,
//     or, where tasks follow each other and each has one, from those of the
//     same execution in their order, or from rows that say it;
//   - transition: from a task's end to the next one being scheduled;
//   - end: from the last task's end to the end of the execution.
//
// It is nil where the rows say nothing of it.
func delaysOf(rows []traces.Record) (*asl.Delays, []string) {
	var tasks, calls []traces.Record
	var invoke []float64
	for _, r := range rows {
		switch kindOf(&r) {
		case taskRow:
			tasks = append(tasks, r)
		case invocationRow:
			if r.ScheduledNS != nil && r.StartNS != nil && r.EndNS != nil { // both views in one row
				tasks = append(tasks, r)
			} else {
				calls = append(calls, r)
			}
		case delayRow:
			invoke = append(invoke, *r.Cold)
		}
	}
	runs, _ := runsOf(rows)
	if len(tasks) == 0 && len(invoke) == 0 {
		return nil, nil
	}
	var d asl.Delays
	var notes []string
	var start, dispatch, redispatch, transition, end []float64
	executions, _ := join(runs, tasks)
	logged, _ := join(runs, withoutExecution(calls))
	own := make(map[string]float64) // by request
	for k := range calls {
		if took, ok := ownTime(&calls[k]); ok && calls[k].RequestID != nil {
			own[*calls[k].RequestID] = took
		}
	}
	between := func(from, to *int64) float64 { return float64(*to-*from) / 1e9 }
	parallel := 0
	for n, e := range executions {
		slices.SortStableFunc(e.rows, func(a, b int) int { return cmp.Compare(began(&tasks[a]), began(&tasks[b])) })
		inOrder := !overlap(tasks, e.rows)
		for i, k := range e.rows {
			t := &tasks[k]
			took, ok := ownTime(t)
			if !ok && t.RequestID != nil {
				took, ok = own[*t.RequestID]
			}
			if !ok && inOrder && len(logged[n].rows) == len(e.rows) {
				took, ok = ownTime(&calls[logged[n].rows[i]])
			}
			if ok {
				invoke = append(invoke, between(t.StartNS, t.EndNS)-took)
			}
		}
		if !inOrder {
			parallel++
			continue
		}
		for i, k := range e.rows {
			t := &tasks[k]
			switch {
			case t.ScheduledNS == nil:
			case i == 0:
				start = append(start, between(e.row.StartNS, t.ScheduledNS))
				dispatch = append(dispatch, between(t.ScheduledNS, t.StartNS))
			default:
				transition = append(transition, between(tasks[e.rows[i-1]].EndNS, t.ScheduledNS))
				redispatch = append(redispatch, between(t.ScheduledNS, t.StartNS))
			}
			if i == len(e.rows)-1 {
				end = append(end, between(t.EndNS, e.row.EndNS))
			}
		}
	}
	if parallel > 0 {
		notes = append(notes, fmt.Sprintf("%d executions have tasks side by side; delays are those of the others", parallel))
	}
	d.Start, d.Dispatch, d.Redispatch = sampleOf(start), sampleOf(dispatch), sampleOf(redispatch)
	d.Invoke, d.Transition, d.End = sampleOf(invoke), sampleOf(transition), sampleOf(end)
	return &d, notes
}

// began returns when a task was scheduled, or started.
func began(r *traces.Record) int64 {
	if r.ScheduledNS != nil {
		return *r.ScheduledNS
	}
	return *r.StartNS
}

// overlap reports whether tasks, sorted by when they began, run side by side.
func overlap(tasks []traces.Record, rows []int) bool {
	for i := 1; i < len(rows); i++ {
		if began(&tasks[rows[i]]) < *tasks[rows[i-1]].EndNS {
			return true
		}
	}
	return false
}

// ownTime returns how long a function took by its own account, with the start
// of its environment, in seconds.
func ownTime(r *traces.Record) (float64, bool) {
	if r.DurationUS == nil {
		return 0, false
	}
	us := *r.DurationUS
	for _, extra := range []*int64{r.InitUS, r.RestoreUS} {
		if extra != nil {
			us += *extra
		}
	}
	return float64(us) / 1e6, true
}

func withoutExecution(rows []traces.Record) []traces.Record {
	list := slices.Clone(rows)
	for k := range list {
		list[k].Execution = ""
	}
	return list
}
