package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"eevee/models"
	"eevee/models/asl"
)

// Machine is a state machine of AWS Step Functions that executes the workflow.
type Machine struct {
	ARN   string
	Input Template // of every execution: ${execution} and ${parallelism.STAGE} have a meaning in it
	Role  string   // of the copies; empty: that of the machine
}

// machine is a state machine as it was found.
type machine struct {
	name      string
	partition string // of its ARN: aws
	role      string
	text      []byte
	states    []*asl.State // by stage
	around    []*asl.State // by stage: the innermost Map around; nil: none
	functions []string     // by stage
	parsed    *asl.Machine
}

// readMachine reads the state machine, and refuses what could cost more than
// can be said before.
func (s *Session) readMachine(ctx context.Context) error {
	from := s.request.Machine
	found, err := s.client.states.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: &from.ARN})
	if err != nil {
		return explain("state machine "+from.ARN+" cannot be read", err)
	}
	if found.Type == types.StateMachineTypeExpress {
		return fmt.Errorf("live: state machine %s is an express one, whose executions have no history; invoke its functions directly with --functions", from.ARN)
	}
	m := &machine{name: aws.ToString(found.Name), role: aws.ToString(found.RoleArn), text: []byte(aws.ToString(found.Definition)), partition: "aws"}
	if parts := strings.Split(from.ARN, ":"); len(parts) > 1 {
		m.partition = parts[1]
	}
	if from.Role != "" {
		m.role = from.Role
	}
	if m.parsed, err = asl.Parse(m.name, m.text); err != nil {
		return fmt.Errorf("live: state machine %w", err)
	}
	services := s.request.Services
	if services == "" {
		services = "aws-us-east-1"
	}
	prices, err := models.LoadServices(services)
	if err != nil {
		return err
	}
	s.machine, s.transitionUSD = m, prices.Standard.USDPerTransition
	return m.match(s.request.Workflow, from.Input)
}

// match finds the state of every stage.
func (m *machine) match(w *models.Workflow, input Template) error {
	var errs []error
	defect := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("live: state machine %s: "+format, append([]any{m.name}, args...)...))
	}
	around := make(map[*asl.State]*asl.State)
	mapsAround(&m.parsed.Graph, nil, around)
	for i := range w.Len() {
		stage := w.Stage(i).Name
		s, ok := m.parsed.OfStage(stage)
		switch {
		case !ok:
			defect("stage %q is none of its states", stage)
		case s.ID != s.Name || stage != s.ID:
			defect("stage %q: several states have its name, or rounds of a loop are stages", stage)
		case !s.Lambda || s.Callback:
			defect("stage %q: its state invokes no function and waits for it", stage)
		case !functionName.MatchString(s.Function):
			defect("stage %q: which function its state invokes is known only when it runs (%q)", stage, s.Function)
		}
		if s == nil {
			s = &asl.State{}
		}
		m.states, m.functions, m.around = append(m.states, s), append(m.functions, s.Function), append(m.around, around[s])
	}
	for _, s := range m.parsed.States() {
		if s.Lambda && !slices.Contains(m.states, s) {
			defect("state %q invokes function %q, but the workflow has no such stage", s.ID, s.Function)
		}
	}
	if s := inLoop(&m.parsed.Graph); s != nil {
		defect("state %q is in a loop, so that nobody can say what an execution costs at most; invoke its functions directly with --functions", s.ID)
	}
	for _, p := range input.places {
		if of, ok := strings.CutPrefix(p, "parallelism."); ok {
			if _, known := w.Index(of); known {
				continue
			}
		}
		if p != "execution" {
			defect("input: ${%s} has no meaning here; there are ${execution} and ${parallelism.STAGE}", p)
		}
	}
	return errors.Join(errs...)
}

// mapsAround finds the innermost Map around every state.
func mapsAround(g *asl.Graph, within *asl.State, around map[*asl.State]*asl.State) {
	for _, s := range g.Nodes {
		around[s] = within
		inner := within
		if s.Type == asl.Map {
			inner = s
		}
		for _, graph := range s.Graphs() {
			mapsAround(graph, inner, around)
		}
	}
}

// inLoop returns a state that an execution can come back to, nil if there is
// none. Ways after errors count.
func inLoop(g *asl.Graph) *asl.State {
	const open, closed = 1, 2
	seen := make(map[*asl.State]int)
	var visit func(s *asl.State) *asl.State
	visit = func(s *asl.State) *asl.State {
		seen[s] = open
		for _, next := range s.Successors(true) {
			if seen[next] == open {
				return next
			}
			if seen[next] == 0 {
				if found := visit(next); found != nil {
					return found
				}
			}
		}
		for _, inner := range s.Graphs() {
			if found := inLoop(inner); found != nil {
				return found
			}
		}
		seen[s] = closed
		return nil
	}
	for _, s := range g.Nodes {
		if seen[s] == 0 {
			if found := visit(s); found != nil {
				return found
			}
		}
	}
	return nil
}

// retries returns how often a state may be tried again.
func retries(s *asl.State) int {
	n := 0
	for _, r := range s.Retry {
		n += r.MaxAttempts
	}
	return n
}

// tries returns how often the function of an instance of a stage may be invoked.
func (s *Session) tries(i int) int {
	if s.machine == nil {
		return 1
	}
	n := 1 + retries(s.machine.states[i])
	// A Map that is tried again does everything in it again.
	if m := s.machine.around[i]; m != nil {
		n *= 1 + retries(m)
	}
	return n
}

// transitions returns how many state transitions of an execution are charged if
// nothing is tried again, and at most.
func (s *Session) transitions(c models.Config) (once, most float64) {
	if s.machine == nil {
		return 0, 0
	}
	var walk func(g *asl.Graph, times, tries float64)
	walk = func(g *asl.Graph, times, tries float64) {
		for _, state := range g.Nodes {
			mine := tries * float64(1+retries(state))
			once, most = once+times, most+times*mine
			for _, inner := range state.Graphs() {
				walk(inner, times*float64(s.machine.width(state, c)), mine)
			}
		}
	}
	walk(&s.machine.parsed.Graph, 1, 1)
	return once, most
}

// width returns how many times what is in a state is done: for a Map, the
// largest parallelism of its stages.
func (m *machine) width(state *asl.State, c models.Config) int {
	n := 1
	for i := range m.states {
		if state.Type == asl.Map && m.around[i] == state {
			n = max(n, c[i].Parallelism)
		}
	}
	return n
}

// planMachine adds to a plan what it takes to execute a state machine.
func (s *Session) planMachine(p *Plan) {
	m := s.machine
	if m == nil {
		return
	}
	p.Machine = s.request.Machine.ARN
	p.Changes = append(p.Changes, fmt.Sprintf("copy state machine %s for every configuration (%d), with the functions above in it, and delete the copies at the end", m.name, len(s.request.Configs)))
	for _, state := range m.parsed.States() {
		if state.Type == asl.Task && !state.Lambda {
			p.Warnings = append(p.Warnings, fmt.Sprintf("state %q calls %s; what that does and costs is neither undone nor capped", state.ID, state.Resource))
		}
	}
	p.Warnings = append(p.Warnings, fmt.Sprintf("the role %s must be allowed to invoke the copies (function:%s-*); --state-machine-role names another one", m.role, creator))
}

// machineName returns the name of the copy for configuration k.
func (m *machine) machineName(run string, k int) string {
	const longest = 80
	name := fmt.Sprintf("%s-%s-%d-%s", creator, run, k, m.name)
	return name[:min(len(name), longest)]
}

// definition returns the text of the copy that executes a configuration: every
// stage invokes the given version of its function, and a Map runs as many
// iterations at a time as its stages have instances.
func (m *machine) definition(c models.Config, arn func(i int) string) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(m.text))
	decoder.UseNumber()
	var root map[string]any
	if err := decoder.Decode(&root); err != nil {
		return "", fmt.Errorf("live: state machine %s: %w", m.name, err)
	}
	var walk func(graph map[string]any)
	walk = func(graph map[string]any) {
		states, _ := graph["States"].(map[string]any)
		for name, v := range states {
			state, _ := v.(map[string]any)
			for i, s := range m.states {
				if s.Name == name {
					qualify(state, arn(i))
				}
				if m.around[i] != nil && m.around[i].Name == name {
					delete(state, "MaxConcurrencyPath")
					state["MaxConcurrency"] = m.width(m.around[i], c)
				}
			}
			for _, key := range []string{"ItemProcessor", "Iterator"} {
				if inner, ok := state[key].(map[string]any); ok {
					walk(inner)
				}
			}
			branches, _ := state["Branches"].([]any)
			for _, b := range branches {
				if inner, ok := b.(map[string]any); ok {
					walk(inner)
				}
			}
		}
	}
	walk(root)
	text, err := json.Marshal(root)
	return string(text), err
}

// qualify makes a Task invoke another function.
func qualify(state map[string]any, arn string) {
	for _, key := range []string{"Parameters", "Arguments"} {
		if in, ok := state[key].(map[string]any); ok && in["FunctionName"] != nil {
			in["FunctionName"] = arn
			return
		}
	}
	state["Resource"] = arn
}
