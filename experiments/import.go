package experiments

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"eevee/models"
	"eevee/models/asl"
	"eevee/traces"
)

// ImportRequest is what "eevee import" is asked for.
type ImportRequest struct {
	Machine   string                // path of the state machine
	Logs      []string              // what was recorded of its executions: files and folders
	Profile   []string              // invocations of its functions by themselves; none: the Logs
	Delays    []string              // executions that show what the orchestrator adds, of any machine; none: the Logs
	Mappings  []string              // for tables, by name or file
	Functions map[string]string     // names of functions in logs, by the name that the machine gives them
	Choices   map[string]asl.Odds   // by ID of a Choice, in place of what is learnt
	Widths    map[string]asl.Widths // by ID of a Map, in place of what is learnt
	Lower     asl.LowerOptions
	Keep      bool // identifiers, such as account numbers in the state machine
}

// Imported is a workflow made of a state machine and logs.
type Imported struct {
	Machine     *asl.Machine
	MachineText []byte
	Behaviour   asl.Behaviour
	Defined     *Defined        // nil where the machine cannot become a workflow of stages
	Rows        []traces.Record // that times are drawn from and models fitted to: the profile, else the executions
	Recorded    []traces.Record // the executions and the invocations that were joined to them
	Setup       *Setup          // nil where no model could be fitted
	Report      ImportReport

	visits map[string]map[string]int // of states by name, by execution, where a history tells them
}

// ImportReport says what came of an import, and how good the data are.
type ImportReport struct {
	Schema    string             `json:"schema"`
	Machine   string             `json:"machine"`
	Workflow  string             `json:"workflow"`
	Output    string             `json:"output,omitempty"`
	States    int                `json:"states"`
	Inputs    []ImportInput      `json:"inputs"`
	Functions []ImportedFunction `json:"functions"`
	Join      JoinReport         `json:"join"`
	Quality   Quality            `json:"quality"`
	Learned   LearnReport        `json:"learned"`
	Costs     *CostReport        `json:"costs"`    // null where no execution has a recorded cost
	Lowering  *LowerReport       `json:"lowering"` // null where the machine cannot become a workflow of stages
	Model     ModelReport        `json:"model"`
	Next      []string           `json:"profile_next"` // what to record next
	Warnings  []string           `json:"warnings"`
}

// ImportSchema names the JSON form of an ImportReport; see
// schemas/workflow-import.schema.json.
const ImportSchema = "eevee.workflow-import/1"

// LearnReport says what was learnt of choices and widths.
type LearnReport struct {
	Executions   int      `json:"executions"`   // that were used
	Inconsistent int      `json:"inconsistent"` // that no way through the machine explains
	Choices      int      `json:"choices"`
	Widths       int      `json:"widths"`
	Unknown      []string `json:"unknown"` // what the behaviour still needs
	Notes        []string `json:"notes"`
}

// LowerReport says what the workflow of stages does not.
type LowerReport struct {
	Stages int      `json:"stages"`
	Edges  int      `json:"edges"`
	Lost   []string `json:"lost"`
}

// ModelReport says which model was fitted, or why none was.
type ModelReport struct {
	Fitted bool   `json:"fitted"`
	Name   string `json:"name,omitempty"`
	Why    string `json:"why,omitempty"`
}

// Import reads a state machine and logs and makes of them a workflow with its
// trace, behaviour and model. It writes nothing.
func Import(ctx context.Context, q ImportRequest) (*Imported, error) {
	text, err := readUnpacked(q.Machine)
	if err != nil {
		return nil, err
	}
	w, err := OpenWorkflow(q.Machine)
	if err != nil {
		return nil, err
	}
	if w.Machine == nil {
		return nil, fmt.Errorf("%s: is no state machine but a %s; \"eevee workflows import\" takes it", q.Machine, map[string]string{"definition": "workflow file", "wfformat": "WfFormat instance"}[w.Form])
	}
	if q.Lower.Name != "" {
		w.Machine.Name = q.Lower.Name
	}
	im := &Imported{Machine: w.Machine, MachineText: text}
	if !q.Keep {
		im.MachineText = asl.Anonymous(text)
	}
	im.Report = ImportReport{Schema: ImportSchema, Machine: q.Machine, Workflow: w.Machine.Name, States: len(w.Machine.States()), Warnings: slices.Clone(w.Machine.Warnings)}

	in, err := newInputs(w.Machine.Name, q.Mappings)
	if err != nil {
		return nil, err
	}
	var read [3][]traces.Record
	var errs []error
	for k, part := range []struct {
		role  string
		paths []string
	}{{"logs", q.Logs}, {"profile", q.Profile}, {"delays", q.Delays}} {
		for _, path := range part.paths {
			rows, err := in.read(ctx, path, part.role)
			errs = append(errs, err)
			read[k] = append(read[k], rows...)
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	im.Report.Inputs = in.files
	im.Report.Warnings = append(im.Report.Warnings, in.warnings...)
	im.visits = in.visits
	return im, im.assemble(q, read[0], read[1], read[2])
}

func (im *Imported) warn(format string, args ...any) {
	im.Report.Warnings = append(im.Report.Warnings, fmt.Sprintf(format, args...))
}

// assemble makes everything of the rows.
func (im *Imported) assemble(q ImportRequest, recorded, profile, delays []traces.Record) error {
	m := im.Machine
	resolved, err := resolveFunctions(m, functionsOf(recorded, profile), q.Functions)
	if err != nil {
		return err
	}
	calls, otherCalls := ownInvocations(recorded, resolved)
	single, otherSingle := ownInvocations(profile, resolved)
	calls, repeated := unrepeated(calls)
	calls = im.told(calls, recorded, resolved)
	if len(calls)+len(single) == 0 {
		return fmt.Errorf("%s: no invocation in the logs is of one of its functions (%s); the logs have %s. If these are the same under other names, say so with --function LOG=MACHINE",
			q.Machine, strings.Join(machineFunctions(m), ", "), list(functionsOf(recorded, profile)))
	}
	single, repeatedSingle := unrepeated(single)

	runs, notes := runsOf(recorded)
	im.Report.Warnings = append(im.Report.Warnings, notes...)
	executions, joined := join(runs, calls)
	im.Report.Join = joined
	im.name(executions, calls)
	if err := im.learn(executions, calls, q); err != nil {
		return err
	}
	if len(delays) == 0 {
		delays = recorded
	}
	var delayNotes []string
	im.Behaviour.Delays, delayNotes = delaysOf(delays)
	im.Report.Warnings = append(im.Report.Warnings, delayNotes...)

	im.define(q, calls, single)
	im.trace(calls, single)
	im.Recorded = im.recordedRows(executions, calls)
	im.Report.Costs = costsOf(executions, calls)
	im.Report.Functions = im.functions(resolved, calls, single)
	im.Report.Quality = im.quality(executions, calls, single, repeated+repeatedSingle, otherCalls+otherSingle)
	im.fit()
	im.Report.Next = im.next()
	for _, l := range []*[]string{&im.Report.Next, &im.Report.Warnings, &im.Report.Learned.Unknown, &im.Report.Learned.Notes} {
		if *l == nil {
			*l = []string{} // an empty list in JSON, not null
		}
	}
	if r := im.Report.Lowering; r != nil && r.Lost == nil {
		r.Lost = []string{}
	}
	for i := range im.Report.Functions {
		if f := &im.Report.Functions[i]; f.InLogs == nil {
			f.InLogs = []string{}
		}
		if f := &im.Report.Functions[i]; f.Sizes == nil {
			f.Sizes = []RecordedSize{}
		}
	}
	return nil
}

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

// learn estimates choices and widths from the invocations of every execution.
func (im *Imported) learn(executions []execution, calls []traces.Record, q ImportRequest) error {
	var counts []asl.Counts
	for _, e := range executions {
		_, told := im.visits[e.row.Execution]
		if len(e.rows) == 0 && !told || e.row.Status != nil && failedStatus(*e.row.Status) {
			continue
		}
		if visits, ok := im.visits[e.row.Execution]; ok && im.namesAreUnique() {
			c := asl.Counts{States: make(map[string]int)}
			for _, s := range im.Machine.States() {
				c.States[s.ID] = visits[s.Name] // 0: not visited, which is known
			}
			counts = append(counts, c)
			continue
		}
		c := asl.Counts{Functions: make(map[string]int)}
		named := make(map[string]int)
		all := true
		for _, k := range e.rows {
			r := &calls[k]
			if r.Status != nil && failedStatus(*r.Status) {
				continue // a retry follows, or a catcher
			}
			c.Functions[*r.Function]++
			id := ""
			if r.StateName != nil {
				if s, ok := im.Machine.Lookup(*r.StateName); ok {
					id = s.ID
				}
			}
			all = all && id != ""
			named[id]++
		}
		if all && len(named) > 0 {
			c = asl.Counts{States: named}
			for _, s := range im.Machine.States() {
				if s.Lambda && named[s.ID] == 0 {
					named[s.ID] = 0 // not visited, which is known
				}
			}
		}
		counts = append(counts, c)
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

// define lowers the machine and gives every stage the sizes that its function
// was recorded at.
func (im *Imported) define(q ImportRequest, calls, single []traces.Record) {
	w := &WorkflowFile{Name: im.Machine.Name, Form: "asl", Machine: im.Machine}
	d, err := w.Define(DefineOptions{Behaviour: &im.Behaviour, Lower: q.Lower})
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			im.warn("no workflow of stages: %s", strings.TrimSpace(line))
		}
		return
	}
	sizes := make(map[string][]int)
	for _, rows := range [][]traces.Record{calls, single} {
		for k := range rows {
			f, mb := *rows[k].Function, int(rows[k].MemoryMB)
			if mb > 0 && !slices.Contains(sizes[f], mb) {
				sizes[f] = append(sizes[f], mb)
			}
		}
	}
	for i, s := range d.Stages {
		if len(sizes[s.Function]) == 0 {
			im.warn("no workflow of stages: function %s of stage %q was never recorded", s.Function, d.Definition.Workflow.Stage(i).Name)
			return
		}
	}
	space, err := UniformSpace(d.Definition, d.Stages, func(i int) []int { return sizes[d.Stages[i].Function] })
	if err != nil {
		im.warn("no workflow of stages: %v", err)
		return
	}
	d.Definition.Spaces = []models.NamedSpace{{Name: "recorded", Source: "sizes that the functions were recorded at", Space: space}}
	im.Defined = d
	edges := 0
	for i := range d.Definition.Workflow.Len() {
		edges += len(d.Definition.Workflow.Parents(i))
	}
	im.Report.Lowering = &LowerReport{Stages: d.Definition.Workflow.Len(), Edges: edges, Lost: d.Lost}
}

// stagesOf returns the stages that run a function, in the workflow's order, and
// how wide they are; without a workflow, the states.
func (im *Imported) stagesOf(function string) (names []string, widths []int) {
	if im.Defined != nil {
		for i, s := range im.Defined.Stages {
			if s.Function == function {
				names = append(names, im.Defined.Definition.Workflow.Stage(i).Name)
				widths = append(widths, s.Width)
			}
		}
		return names, widths
	}
	for _, s := range im.Machine.States() {
		if s.Lambda && s.Function == function {
			names, widths = append(names, s.ID), append(widths, 1)
		}
	}
	return names, widths
}

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

// fit fits the default model to the rows, if they hold what it needs.
func (im *Imported) fit() {
	r := &im.Report.Model
	switch {
	case im.Defined == nil:
		r.Why = "there is no workflow of stages to fit it to"
		return
	case im.Defined.Definition.Spaces[0].Size().IsInt64() && im.Defined.Definition.Spaces[0].Size().Int64() == 1:
		r.Why = "every function was recorded at one size only, from which nothing follows about others"
		return
	}
	setup, err := NewSetup(im.Defined.Definition, Trace{Origin: OriginFile, Rows: im.Rows}, Choice{})
	if err != nil {
		r.Why = strings.ReplaceAll(err.Error(), "\n", "; ")
		return
	}
	im.Setup = setup
	r.Fitted, r.Name = true, setup.Model.Name()
}
