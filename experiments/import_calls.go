package experiments

import (
	"maps"
	"slices"
	"strings"

	"eevee/models/asl"
	"eevee/traces"
)

// functionsOf returns the functions that invocations are of, sorted.
func functionsOf(parts ...[]traces.Record) []string {
	names := make(map[string]bool)
	for _, rows := range parts {
		for k := range rows {
			if f := rows[k].Function; f != nil && (kindOf(&rows[k]) == invocationRow || kindOf(&rows[k]) == taskRow) {
				names[*f] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func machineFunctions(m *asl.Machine) []string {
	names := make(map[string]bool)
	for _, s := range m.States() {
		if s.Lambda {
			names[s.Function] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func list(names []string) string {
	if len(names) == 0 {
		return "none that a function names"
	}
	return strings.Join(names, ", ")
}

// ownInvocations returns the invocations of the machine's functions, by the
// names that it gives them, and how many are of others.
func ownInvocations(rows []traces.Record, resolved map[string]string) (own []traces.Record, others int) {
	for k := range rows {
		r := rows[k]
		if kindOf(&r) != invocationRow {
			continue
		}
		to := ""
		if r.Function != nil {
			to = resolved[*r.Function]
		}
		if to == "" {
			others++
			continue
		}
		r.Function = &to
		own = append(own, r)
	}
	return own, others
}

// name gives every joined invocation the name of its execution.
func (im *Imported) name(executions []execution, calls []traces.Record) {
	for k := range calls {
		calls[k].Workflow = im.Machine.Name
		calls[k].Execution = ""
	}
	for _, e := range executions {
		for _, k := range e.rows {
			calls[k].Execution = e.row.Execution
		}
	}
}

// told gives invocations what the orchestrator tells of them: their execution,
// state, iteration and instants, from the task with the same request. A task
// that no function's log tells of becomes an invocation itself, which took as
// long as the orchestrator saw.
func (im *Imported) told(calls, recorded []traces.Record, resolved map[string]string) []traces.Record {
	byRequest := make(map[string]int)
	for k := range calls {
		if id := calls[k].RequestID; id != nil {
			byRequest[*id] = k
		}
	}
	logged := make(map[string]bool)
	for k := range calls {
		logged[*calls[k].Function] = true
	}
	seen := make(map[string]int)
	for k := range recorded {
		t := recorded[k]
		if kindOf(&t) != taskRow || t.Execution == "" {
			continue
		}
		if t.RequestID != nil {
			if c, ok := byRequest[*t.RequestID]; ok {
				r := &calls[c]
				r.Execution, r.StateName, r.MapIndex, r.Attempt = t.Execution, t.StateName, t.MapIndex, t.Attempt
				r.ScheduledNS, r.StartNS, r.EndNS, r.TimePrecisionUS = t.ScheduledNS, t.StartNS, t.EndNS, t.TimePrecisionUS
				continue
			}
		}
		name := ""
		if t.Function != nil {
			name = resolved[*t.Function]
		}
		if name == "" || logged[name] {
			continue
		}
		us := (*t.EndNS - *t.StartNS) / 1000
		t.Function, t.DurationUS = &name, &us
		calls = append(calls, t)
		seen[name]++
	}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		im.warn("no log of function %s: its %d invocations count as long as Step Functions saw them, with the time it takes to invoke them, and for free", name, seen[name])
	}
	return calls
}

func failedStatus(status string) bool {
	return !slices.Contains([]string{"", "success", "succeeded", "ok"}, strings.ToLower(status))
}
