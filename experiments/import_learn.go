package experiments

import (
	"maps"

	"eevee/models/asl"
	"eevee/traces"
)

// learn estimates choices and widths from the invocations of every execution.
func (im *Imported) learn(executions []execution, calls []traces.Record, q ImportRequest) error {
	var counts []asl.Counts
	for _, e := range executions {
		if c, ok := im.counts(e, calls); ok {
			counts = append(counts, c)
		}
	}
	l := asl.Learn(im.Machine, counts)
	maps.Copy(l.Choices, q.Choices)
	maps.Copy(l.Widths, q.Widths)
	im.Behaviour = l.Behaviour
	if err := im.Behaviour.Check(im.Machine); err != nil {
		return err
	}
	im.Report.Learned = LearnReport{
		Executions: l.Executions, Inconsistent: l.Inconsistent, Choices: len(l.Choices), Widths: len(l.Widths),
		Unknown: l.Unknown(im.Machine), Notes: l.Notes,
	}
	if l.Inconsistent > 0 {
		im.warn("%d of %d executions have invocations that no way through the machine explains; they are left out of choices and widths", l.Inconsistent, l.Inconsistent+l.Executions)
	}
	return nil
}

// counts returns how often an execution visited the states of the machine: as its
// history tells; else as its invocations do, by the states that they name, or where
// one names none by their functions. An execution that failed, or of which nothing
// is known, has none.
func (im *Imported) counts(e execution, calls []traces.Record) (c asl.Counts, ok bool) {
	visits, told := im.visits[e.row.Execution]
	if len(e.rows) == 0 && !told || e.row.Status != nil && failedStatus(*e.row.Status) {
		return c, false
	}
	if told && im.namesAreUnique() {
		c.States = make(map[string]int)
		for _, s := range im.Machine.States() {
			c.States[s.ID] = visits[s.Name] // 0: not visited, which is known
		}
		return c, true
	}
	functions, states := make(map[string]int), make(map[string]int)
	all := true
	for _, k := range e.rows {
		r := &calls[k]
		if r.Status != nil && failedStatus(*r.Status) {
			continue // a retry follows, or a catcher
		}
		functions[*r.Function]++
		id := ""
		if r.StateName != nil {
			if s, ok := im.Machine.Lookup(*r.StateName); ok {
				id = s.ID
			}
		}
		all = all && id != ""
		states[id]++
	}
	if !all || len(states) == 0 {
		return asl.Counts{Functions: functions}, true
	}
	for _, s := range im.Machine.States() {
		if s.Lambda && states[s.ID] == 0 {
			states[s.ID] = 0 // not visited, which is known
		}
	}
	return asl.Counts{States: states}, true
}

// namesAreUnique reports whether every state has a name of its own, so that a
// history tells them apart.
func (im *Imported) namesAreUnique() bool {
	for _, s := range im.Machine.States() {
		if s.ID != s.Name {
			return false
		}
	}
	return true
}
