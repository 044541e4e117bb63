package experiments

import (
	"context"
	"errors"
	"fmt"
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
	im.Report.fillLists()
	return nil
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
