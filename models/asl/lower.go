package asl

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"eevee/models"
)

// Lowered is a state machine as a workflow of stages, and what was lost.
type Lowered struct {
	Workflow *models.Workflow
	Stages   []LoweredStage // in the workflow's order
	Lost     []string       // what the workflow does not say, one line each
}

// LoweredStage is where a stage comes from.
type LoweredStage struct {
	State    *State
	Function string
	Width    int     // invocations side by side: the items of the Maps around the state
	Round    string  // iterations of the loops around the state, as "2.1", the outermost first; empty: the first of all
	Visits   float64 // of the state, expected per execution; 0: not known
}

// LowerOptions are the options of Lower. The zero value works.
type LowerOptions struct {
	Name  string         // of the workflow; empty: the machine's
	Share float64        // of the executions that unrolled loops and the widths of Maps must hold; 0: 0.95
	Loops map[string]int // by ID of a state in a loop: how often the loop runs, in place of what Behaviour says
}

const defaultShare = 0.95

// maxStages bounds what loops are unrolled to.
const maxStages = 1_000

// Lower turns a machine into a workflow: the acyclic graph of stages that
// solvers size. A stage is a Task that invokes a Lambda function, and comes
// after the stages that lead to it.
//
//   - The ways of a Choice stand side by side, as if every one were taken:
//     latency and cost are upper bounds.
//   - A loop is unrolled as often as the behaviour says that it runs in the
//     given share of the executions. A loop of unknown length, or one that
//     is entered in several places, is an error.
//   - A Map is the stages of its processor, each as wide as the Map is in the
//     given share of the executions. Items wait for each other after every
//     stage. A Map of unknown width is an error.
//   - Other tasks, Wait and Pass states, retries and catchers are left out.
//
// What is lost in the machine at hand is listed. The behaviour may be nil.
func Lower(m *Machine, b *Behaviour, o LowerOptions) (*Lowered, error) {
	if b == nil {
		b = &Behaviour{}
	}
	if o.Share == 0 {
		o.Share = defaultShare
	}
	if o.Name == "" {
		o.Name = cmp.Or(m.Name, "workflow")
	}
	l := &lowering{m: m, b: b, o: o, visits: expectedVisits(m, b), out: &Lowered{}, used: map[string]bool{}}
	for _, id := range sortedKeys(o.Loops) {
		if _, ok := m.Lookup(id); !ok {
			return nil, fmt.Errorf("machine %s has no state %q that could be in a loop", o.Name, id)
		}
	}
	l.graph(&m.Graph, nil, context{width: 1})
	if err := errors.Join(l.errs...); err != nil {
		return nil, err
	}
	if len(l.stages) == 0 {
		return nil, fmt.Errorf("machine %s: no state invokes a Lambda function, so there is nothing to size", o.Name)
	}
	w, err := models.NewWorkflow(o.Name, l.reduced())
	if err != nil {
		return nil, err
	}
	for i := range w.Len() {
		l.out.Stages = append(l.out.Stages, l.from[w.Stage(i).Name])
	}
	l.out.Workflow = w
	l.losses()
	return l.out, nil
}

type lowering struct {
	m      *Machine
	b      *Behaviour
	o      LowerOptions
	visits map[*State]float64
	stages []models.Stage
	from   map[string]LoweredStage
	used   map[string]bool
	errs   []error
	out    *Lowered
	loops  []string // notes
}

// context is where in a machine a graph is lowered.
type context struct {
	width  int
	suffix string // of the names of stages
}

func (l *lowering) fail(s *State, format string, args ...any) {
	if len(l.errs) < maxDefects {
		l.errs = append(l.errs, fmt.Errorf("state %q (line %d): "+format, append([]any{s.ID, s.Line}, args...)...))
	}
}

// graph adds the stages of a graph that starts after the given stages, and
// returns the stages that its end comes after.
func (l *lowering) graph(g *Graph, after []string, at context) []string {
	if g.Start == nil {
		return after
	}
	u := l.unroll(g)
	if u == nil {
		return after
	}
	reach := make([][]string, len(u)) // stages that a copy comes after
	reach[0] = after
	var ends []string
	for i, c := range u { // parents first
		here := at
		if c.round != "" {
			here.suffix += "#" + c.round
		}
		out := l.state(c.state, reach[i], here)
		if len(l.errs) >= maxDefects || len(l.stages) > maxStages {
			break
		}
		for _, k := range c.next {
			reach[k] = merge(reach[k], out)
		}
		if c.ends {
			ends = merge(ends, out)
		}
	}
	if len(l.stages) > maxStages && len(l.errs) == 0 {
		l.fail(g.Start, "the machine unrolls to more than %d stages", maxStages)
	}
	return ends
}

// merge returns the union of two lists, in order.
func merge(a, b []string) []string {
	list := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	return list
}

// state adds the stages of one state and returns what its end comes after.
func (l *lowering) state(s *State, after []string, at context) []string {
	switch s.Type {
	case Task:
		if s.Lambda {
			return []string{l.stage(s, after, at)}
		}
	case Parallel:
		var ends []string
		for _, branch := range s.Branches {
			ends = merge(ends, l.graph(branch, after, at))
		}
		return ends
	case Map:
		width := s.Items.Known
		if w, ok := l.b.Widths[s.ID]; ok {
			width = w.Quantile(l.o.Share)
		}
		if width < 0 {
			l.fail(s, "data decide how many items the Map gets; give recorded executions, or its width")
			width = 1
		}
		if s.Items.Batch > 1 {
			width = (width + s.Items.Batch - 1) / s.Items.Batch
		}
		inner := at
		inner.width = max(1, at.width*width)
		return l.graph(&s.Items.Processor, after, inner)
	}
	return after
}

func (l *lowering) stage(s *State, after []string, at context) string {
	name := s.ID + at.suffix
	for k := 2; l.used[name]; k++ {
		name = fmt.Sprintf("%s%s (%d)", s.ID, at.suffix, k)
	}
	l.used[name] = true
	if l.from == nil {
		l.from = make(map[string]LoweredStage)
	}
	l.from[name] = LoweredStage{State: s, Function: s.Function, Width: at.width, Round: strings.TrimPrefix(at.suffix, "#"), Visits: l.visits[s]}
	l.stages = append(l.stages, models.Stage{Name: name, After: slices.Clone(after), MaxParallelism: at.width})
	return name
}

// reduced returns the stages without the edges that a longer way makes
// superfluous.
func (l *lowering) reduced() []models.Stage {
	index := make(map[string]int, len(l.stages))
	for i, s := range l.stages {
		index[s.Name] = i
	}
	ancestors := make([]map[int]bool, len(l.stages))
	stages := slices.Clone(l.stages)
	for i, s := range l.stages {
		ancestors[i] = make(map[int]bool)
		beyond := make(map[int]bool) // ancestors of parents
		for _, p := range s.After {
			for a := range ancestors[index[p]] {
				beyond[a], ancestors[i][a] = true, true
			}
			ancestors[i][index[p]] = true
		}
		stages[i].After = slices.DeleteFunc(slices.Clone(s.After), func(p string) bool { return beyond[index[p]] })
	}
	return stages
}

// losses lists what the workflow does not say.
func (l *lowering) losses() {
	note := func(format string, args ...any) { l.out.Lost = append(l.out.Lost, fmt.Sprintf(format, args...)) }
	shared := make(map[string][]string)
	lowered := make(map[*State]bool)
	for i, s := range l.out.Stages {
		lowered[s.State] = true
		shared[s.Function] = append(shared[s.Function], l.out.Workflow.Stage(i).Name)
	}
	retries, catches := 0, 0
	for _, s := range l.m.States() {
		if len(s.Retry) > 0 {
			retries++
		}
		if len(s.Catch) > 0 {
			catches++
		}
		switch {
		case s.Type == Choice && len(s.Successors(false)) > 1:
			share := "its odds are not known"
			if odds, ok := l.b.Choices[s.ID]; ok {
				var parts []string
				pooled := odds.Pooled()
				for k, to := range odds.To {
					parts = append(parts, fmt.Sprintf("%s %.3g %%", to, 100*pooled[k]))
				}
				share = "recorded: " + strings.Join(parts, ", ")
			}
			note("Choice %q: its ways stand side by side as if each were taken, so that latency and cost are upper bounds; %s", s.ID, share)
		case s.Type == Map && s.Items != nil:
			note("Map %q: items wait for each other after every stage; its width is fixed, and %d run at a time at most", s.ID, s.Items.Concurrency())
		case s.Type == Wait && s.Dynamic:
			note("Wait %q: data decide how long it takes; leave room for it in the bound", s.ID)
		case s.Type == Wait:
			note("Wait %q: leave room for its %g s in the bound", s.ID, s.WaitS)
		case s.Type == Task && !s.Lambda:
			note("Task %q: %s is no Lambda function; leave room for it in the bound", s.ID, cmp.Or(s.Resource, "it"))
		case s.Type == Task && s.Callback:
			note("Task %q: it waits for something outside of its function; leave room for it in the bound", s.ID)
		case s.Type == Task && !lowered[s]:
			note("Task %q: it is reached after an error only", s.ID)
		}
	}
	l.out.Lost = append(l.out.Lost, l.loops...)
	if retries > 0 {
		note("retries of %d states are left out", retries)
	}
	if catches > 0 {
		note("catchers of %d states, and where they lead, are left out", catches)
	}
	for _, name := range sortedKeys(shared) {
		if list := shared[name]; len(list) > 1 {
			note("stages %s run one function, %s, which has one memory size: take the largest of theirs", strings.Join(list, ", "), name)
		}
	}
}
