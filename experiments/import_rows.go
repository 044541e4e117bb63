package experiments

import (
	"fmt"

	"eevee/traces"
)

// aloneExecution begins the execution of an invocation that belongs to none.
const aloneExecution = "alone/"

// trace makes the rows that times are drawn from. Of a function with a profile
// these are its invocations, each of which stands alone; of the others those
// that were joined, which are given to the stages that run the function in
// their order. One beyond those that the workflow has stages for stands alone.
func (im *Imported) trace(calls, single []traces.Record) {
	profiled := make(map[string]bool)
	for k := range single {
		profiled[*single[k].Function] = true
		im.standsAlone(single[k], k)
	}
	type slot struct{ execution, function string }
	used := make(map[slot]int)
	for k := range calls {
		r := calls[k]
		names, widths := im.stagesOf(*r.Function)
		if profiled[*r.Function] || len(names) == 0 {
			continue
		}
		if r.Execution == "" {
			im.standsAlone(r, len(single)+k)
			continue
		}
		s := slot{r.Execution, *r.Function}
		n, place := used[s], 0
		used[s]++
		for place < len(names)-1 && n >= widths[place] {
			n -= widths[place]
			place++
		}
		if n >= widths[place] && widths[place] == 1 {
			r.Execution = fmt.Sprintf("%s/beyond/%d", r.Execution, used[s])
		}
		r.Stage = names[place]
		im.Rows = append(im.Rows, r)
	}
}

// standsAlone adds an invocation that belongs to no execution, once for every
// stage of its function, which has the same times in all of them.
func (im *Imported) standsAlone(r traces.Record, k int) {
	r.Workflow = im.Machine.Name
	r.Execution = fmt.Sprintf("%s%s/%d", aloneExecution, *r.Function, k+1)
	names, _ := im.stagesOf(*r.Function)
	for _, name := range names {
		r.Stage = name
		im.Rows = append(im.Rows, r)
	}
}

// recordedRows are the joined invocations and the executions.
func (im *Imported) recordedRows(executions []execution, calls []traces.Record) []traces.Record {
	var rows []traces.Record
	for _, e := range executions {
		run := e.row
		run.Workflow = im.Machine.Name
		rows = append(rows, run)
		for _, k := range e.rows {
			r := calls[k]
			if names, _ := im.stagesOf(*r.Function); len(names) > 0 {
				r.Stage = names[0]
			}
			rows = append(rows, r)
		}
	}
	return rows
}
