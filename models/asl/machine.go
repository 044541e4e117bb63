package asl

import "slices"

// Machine is a state machine. It is immutable.
type Machine struct {
	Name     string // where the text gives one: the language itself has no names
	Comment  string
	Language string  // of queries: JSONPath or JSONata
	TimeoutS float64 // 0: none
	Graph
	Warnings []string // about what was read, one line each

	states []*State
	byID   map[string]*State
}

// States returns all states, those of branches and items after the state that
// holds them, in the order of the text. The caller must not change the slice.
func (m *Machine) States() []*State { return m.states }

// Lookup returns the state with the given ID.
func (m *Machine) Lookup(id string) (*State, bool) {
	s, ok := m.byID[id]
	return s, ok
}

// OfStage returns the state that a stage of a lowered workflow was made of:
// rounds of loops are appended to its name.
func (m *Machine) OfStage(stage string) (*State, bool) {
	if s, ok := m.Lookup(stage); ok {
		return s, true
	}
	for i := len(stage) - 1; i > 0; i-- {
		if stage[i] == '#' {
			if s, ok := m.Lookup(stage[:i]); ok {
				return s, true
			}
		}
	}
	return nil, false
}

// Graph is states that follow each other: a whole machine, a branch of a
// Parallel state or the processor of a Map state.
type Graph struct {
	Start *State
	Nodes []*State // in the order of the text
}

// Type is what a state does.
type Type string

// The types of states.
const (
	Task     Type = "Task"
	Parallel Type = "Parallel"
	Map      Type = "Map"
	Choice   Type = "Choice"
	Wait     Type = "Wait"
	Pass     Type = "Pass"
	Succeed  Type = "Succeed"
	Fail     Type = "Fail"
)

// State is one state. Fields that its type does not have are zero.
type State struct {
	ID    string // Name, or, where several states have that name, a path of names
	Name  string
	Type  Type
	Line  int    // in the text, from 1
	Next  *State // nil: the graph ends here, or the type has none
	Retry []Retrier
	Catch []Catcher

	Resource  string // of a Task, as it was written; account numbers are left out
	Function  string // of a Task that invokes a Lambda function: its name, or a token such as ${Name}
	Lambda    bool   // the Task invokes a Lambda function
	Callback  bool   // the Task waits for something outside (.sync, .waitForTaskToken)
	TimeoutS  float64
	Heartbeat float64 // s

	Branches []*Graph // of a Parallel
	Items    *Items   // of a Map
	Ways     []Way    // of a Choice, the default last
	WaitS    float64  // of a Wait
	Dynamic  bool     // of a Wait: data decide how long it takes
	Error    string   // of a Fail
}

// Way is one way out of a Choice.
type Way struct {
	To      *State
	Default bool
}

// Items is what a Map does with every item.
type Items struct {
	Processor      Graph
	Distributed    bool
	MaxConcurrency int // 0: no limit given
	Batch          int // items per child execution; 0: 1
	Known          int // number of items where the text lists them; -1: data decide
}

// InlineConcurrency is how many iterations of an inline Map run at a time where
// no limit is given (AWS Step Functions developer guide, "Map state"), and
// DistributedConcurrency how many child executions of a distributed one.
const (
	InlineConcurrency      = 40
	DistributedConcurrency = 10_000
)

// Concurrency returns how many iterations run at a time.
func (i *Items) Concurrency() int {
	limit := InlineConcurrency
	if i.Distributed {
		limit = DistributedConcurrency
	}
	if i.MaxConcurrency > 0 {
		return min(limit, i.MaxConcurrency)
	}
	return limit
}

// Retrier says how often a state is tried again after an error.
type Retrier struct {
	Errors      []string
	IntervalS   float64 // before the first retry
	MaxAttempts int     // retries; 0: never
	Backoff     float64
	MaxDelayS   float64 // 0: no limit
	FullJitter  bool    // the delay is drawn from U(0, delay)
}

// Delay returns the delay before retry k, from 1, in seconds, before jitter:
// min(interval * backoff^(k-1), max delay).
func (r Retrier) Delay(k int) float64 {
	d := r.IntervalS
	for range k - 1 {
		d *= r.Backoff
		if r.MaxDelayS > 0 && d >= r.MaxDelayS {
			break
		}
	}
	if r.MaxDelayS > 0 {
		d = min(d, r.MaxDelayS)
	}
	return d
}

// Catcher is where a state goes after an error that no retry mended.
type Catcher struct {
	Errors []string
	To     *State
}

// Errors that the language names.
const (
	ErrorAll        = "States.ALL"
	ErrorTaskFailed = "States.TaskFailed"
	ErrorTimeout    = "States.Timeout"
	errorRuntime    = "States.Runtime"
	errorDataLimit  = "States.DataLimitExceeded"
)

// Matches reports whether an error is one of those named: States.ALL is any but
// States.Runtime and States.DataLimitExceeded, States.TaskFailed any but
// States.Timeout (Amazon States Language, "Errors").
func Matches(named []string, err string) bool {
	for _, n := range named {
		switch {
		case n == err,
			n == ErrorAll && err != errorRuntime && err != errorDataLimit,
			n == ErrorTaskFailed && err != ErrorTimeout && err != errorRuntime:
			return true
		}
	}
	return false
}

// Successors returns where the state can lead to within its graph, without
// repetition: ways of a Choice or Next, and then, if wanted, its catchers.
func (s *State) Successors(catches bool) []*State {
	var to []*State
	add := func(next *State) {
		if next != nil && !slices.Contains(to, next) {
			to = append(to, next)
		}
	}
	for _, w := range s.Ways {
		add(w.To)
	}
	add(s.Next)
	if catches {
		for _, c := range s.Catch {
			add(c.To)
		}
	}
	return to
}

// Graphs returns the graphs inside a state.
func (s *State) Graphs() []*Graph {
	if s.Items != nil {
		return []*Graph{&s.Items.Processor}
	}
	return s.Branches
}
