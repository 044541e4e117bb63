package asl

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads the state machine in a file.
func Load(path string) (*Machine, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := Parse(path, text)
	if err == nil && m.Name == "" {
		m.Name = NameOf(path)
	}
	return m, err
}

// NameOf makes a name of the path of a definition: that of the file, or of its
// folder where all files are called the same.
func NameOf(path string) string {
	base, _, _ := strings.Cut(filepath.Base(path), ".")
	if slices.Contains([]string{"definition", "statemachine", "state-machine", "state_machine", "machine", "asl", ""}, strings.ToLower(base)) {
		if abs, err := filepath.Abs(path); err == nil {
			if dir := filepath.Base(filepath.Dir(abs)); dir != "." && dir != string(filepath.Separator) {
				return dir
			}
		}
	}
	return base
}

// Looks reports whether a text may be a state machine, by its keys.
func Looks(text []byte) bool {
	root, err := parseText("", text)
	return err == nil && (root.member("States") != nil && root.member("StartAt") != nil || root.member("definition") != nil && root.member("stateMachineArn") != nil)
}

// Parse reads a state machine, or what "aws stepfunctions
// describe-state-machine" prints, which holds one. The text is named from in
// errors. Everything in it that AWS Step Functions would refuse for its
// structure is an error, with line and state, and all of them are reported.
// Expressions and payloads are not looked at.
func Parse(from string, text []byte) (*Machine, error) {
	root, err := parseText(from, text)
	if err != nil {
		return nil, err
	}
	name := ""
	if d := root.member("definition"); d != nil && d.kind == isText {
		name = root.textOf("name")
		from += " (definition)"
		if root, err = parseText(from, []byte(d.text)); err != nil {
			return nil, err
		}
	}
	p := &parser{from: from, m: &Machine{Name: name, Language: "JSONPath"}}
	p.machine(root)
	if err := errors.Join(p.errs...); err != nil {
		return nil, err
	}
	p.identify()
	p.unreachable(&p.m.Graph)
	return p.m, nil
}

// maxDefects bounds how many defects an error lists.
const maxDefects = 20

type parser struct {
	from string
	m    *Machine
	errs []error
}

func (p *parser) defect(at *node, format string, args ...any) {
	if len(p.errs) < maxDefects {
		p.errs = append(p.errs, fmt.Errorf("%s:%d: "+format, append([]any{p.from, at.line}, args...)...))
	}
}

func (p *parser) machine(root *node) {
	if root.kind != isObject {
		p.defect(root, "a state machine is an object with StartAt and States, not %v", root.kind)
		return
	}
	p.m.Comment = root.textOf("Comment")
	if l := root.textOf("QueryLanguage"); l != "" {
		p.m.Language = l
	}
	if l := p.m.Language; l != "JSONPath" && l != "JSONata" {
		p.defect(root.member("QueryLanguage"), "QueryLanguage %q is neither JSONPath nor JSONata", l)
	}
	p.m.TimeoutS = p.seconds(root, "TimeoutSeconds", "the state machine")
	p.m.Graph = p.graph(root, "the state machine")
}

// graph reads StartAt and States of a machine, branch or processor.
func (p *parser) graph(n *node, what string) Graph {
	var g Graph
	if n.kind != isObject {
		p.defect(n, "%s is %v, not an object with StartAt and States", what, n.kind)
		return g
	}
	states := n.member("States")
	switch {
	case states == nil:
		p.defect(n, "%s has no States; is this a definition in the Amazon States Language?", what)
		return g
	case states.kind != isObject || len(states.items) == 0:
		p.defect(states, "States of %s is no object with at least one state", what)
		return g
	}
	at := make(map[string]*State, len(states.items))
	nodes := make([]*node, 0, len(states.items))
	for i, name := range states.keys {
		body := &states.items[i]
		if body.kind != isObject {
			hint := ""
			if slices.Contains([]string{"QueryLanguage", "Comment", "TimeoutSeconds", "Version"}, name) {
				hint = "; " + name + " belongs beside States, not into it"
			}
			p.defect(body, "state %q is %v, not an object%s", name, body.kind, hint)
			continue
		}
		if _, twice := at[name]; twice {
			p.defect(body, "there are two states %q in %s; rename one", name, what)
			continue
		}
		s := &State{Name: name, Line: int(body.line), Type: Type(body.textOf("Type"))}
		at[name] = s
		g.Nodes = append(g.Nodes, s)
		nodes = append(nodes, body)
	}
	start := n.member("StartAt")
	if start == nil || start.kind != isText {
		p.defect(n, "%s has no StartAt", what)
	} else if g.Start = at[start.text]; g.Start == nil {
		p.defect(start, "StartAt of %s names %q, which is not one of its states", what, start.text)
	}
	for i, s := range g.Nodes {
		p.state(s, nodes[i], at)
	}
	return g
}

func (p *parser) state(s *State, n *node, at map[string]*State) {
	target := func(n *node, field string) *State {
		v := n.member(field)
		if v == nil {
			return nil
		}
		to := at[v.text]
		if v.kind != isText || to == nil {
			p.defect(v, "state %q: %s names %q, which is not a state beside it", s.Name, field, v.text)
		}
		return to
	}
	switch s.Type {
	case Task, Parallel, Map, Wait, Pass:
		s.Next = target(n, "Next")
		if end := n.member("End"); n.member("Next") == nil && (end == nil || end.kind != isBool) {
			p.defect(n, "state %q has neither Next nor \"End\": true", s.Name)
		}
	case Choice:
		p.choice(s, n, target)
	case Succeed:
	case Fail:
		s.Error = n.textOf("Error")
	case "":
		p.defect(n, "state %q has no Type", s.Name)
	default:
		p.defect(n, "state %q has Type %q; the language knows Task, Parallel, Map, Choice, Wait, Pass, Succeed and Fail", s.Name, s.Type)
	}
	switch s.Type {
	case Task:
		p.task(s, n)
	case Wait:
		p.wait(s, n)
	case Parallel:
		branches := n.member("Branches")
		if branches == nil || branches.kind != isList || len(branches.items) == 0 {
			p.defect(n, "state %q is Parallel but has no list of Branches", s.Name)
			break
		}
		for i := range branches.items {
			g := p.graph(&branches.items[i], fmt.Sprintf("branch %d of state %q", i+1, s.Name))
			s.Branches = append(s.Branches, &g)
		}
	case Map:
		p.items(s, n)
	}
	if s.Type == Task || s.Type == Parallel || s.Type == Map {
		p.errors(s, n, target)
	}
}

func (p *parser) choice(s *State, n *node, target func(*node, string) *State) {
	rules := n.member("Choices")
	if rules == nil || rules.kind != isList || len(rules.items) == 0 {
		p.defect(n, "state %q is a Choice but has no list of Choices", s.Name)
		return
	}
	for i := range rules.items {
		r := &rules.items[i]
		if r.member("Next") == nil {
			p.defect(r, "state %q: rule %d has no Next", s.Name, i+1)
		} else if to := target(r, "Next"); to != nil {
			s.Ways = append(s.Ways, Way{To: to})
		}
	}
	if to := target(n, "Default"); to != nil {
		s.Ways = append(s.Ways, Way{To: to, Default: true})
	}
}

func (p *parser) task(s *State, n *node) {
	resource := n.member("Resource")
	if resource == nil || resource.kind != isText || resource.text == "" {
		p.defect(n, "state %q is a Task but has no Resource", s.Name)
		return
	}
	s.Resource = withoutAccount(resource.text)
	s.Function, s.Lambda = functionOf(n)
	if s.Lambda && s.Function == "" {
		p.defect(n, "state %q invokes a Lambda function, but neither Parameters nor Arguments has a FunctionName", s.Name)
	}
	s.Callback = strings.HasSuffix(resource.text, ".waitForTaskToken") || strings.Contains(resource.text, ".sync")
	s.TimeoutS = p.seconds(n, "TimeoutSeconds", fmt.Sprintf("state %q", s.Name))
	s.Heartbeat = p.seconds(n, "HeartbeatSeconds", fmt.Sprintf("state %q", s.Name))
}

func (p *parser) wait(s *State, n *node) {
	seconds := n.member("Seconds")
	switch x, ok := seconds.number(); {
	case ok && !(x >= 0 && x <= maxWaitS):
		p.defect(seconds, "state %q waits %s s", s.Name, seconds.text)
	case ok:
		s.WaitS = x
	case seconds != nil || n.member("SecondsPath") != nil || n.member("Timestamp") != nil || n.member("TimestampPath") != nil:
		s.Dynamic = true
	default:
		p.defect(n, "state %q is a Wait but has none of Seconds, SecondsPath, Timestamp and TimestampPath", s.Name)
	}
}

func (p *parser) items(s *State, n *node) {
	processor := n.member("ItemProcessor")
	if processor == nil {
		processor = n.member("Iterator")
	}
	if processor == nil {
		p.defect(n, "state %q is a Map but has no ItemProcessor (or Iterator)", s.Name)
		return
	}
	s.Items = &Items{Known: -1, Processor: p.graph(processor, fmt.Sprintf("the processor of state %q", s.Name))}
	s.Items.Distributed = processor.member("ProcessorConfig").textOf("Mode") == "DISTRIBUTED"
	s.Items.MaxConcurrency = p.whole(n, "MaxConcurrency", s.Name)
	s.Items.Batch = p.whole(n.member("ItemBatcher"), "MaxItemsPerBatch", s.Name)
	if list := n.member("Items"); list != nil && list.kind == isList {
		s.Items.Known = len(list.items)
	}
}

func (p *parser) errors(s *State, n *node, target func(*node, string) *State) {
	list := func(key string, each func(i int, rule *node, errors []string)) {
		rules := n.member(key)
		if rules == nil {
			return
		}
		if rules.kind != isList {
			p.defect(rules, "state %q: %s is %v, not a list", s.Name, key, rules.kind)
			return
		}
		for i := range rules.items {
			rule := &rules.items[i]
			names := rule.member("ErrorEquals")
			if names == nil || names.kind != isList || len(names.items) == 0 {
				p.defect(rule, "state %q: rule %d of %s has no list ErrorEquals", s.Name, i+1, key)
				continue
			}
			var errors []string
			for k := range names.items {
				errors = append(errors, names.items[k].text)
			}
			each(i, rule, errors)
		}
	}
	list("Retry", func(i int, rule *node, errors []string) {
		r := Retrier{Errors: errors, IntervalS: 1, MaxAttempts: 3, Backoff: 2}
		for _, f := range []struct {
			key   string
			least float64
			set   func(x float64)
		}{
			{"IntervalSeconds", 0, func(x float64) { r.IntervalS = x }},
			{"MaxAttempts", 0, func(x float64) { r.MaxAttempts = int(min(x, 99_999_999)) }},
			{"BackoffRate", 1, func(x float64) { r.Backoff = x }},
			{"MaxDelaySeconds", 0, func(x float64) { r.MaxDelayS = x }},
		} {
			v := rule.member(f.key)
			if v == nil {
				continue
			}
			x, ok := v.number()
			if !ok || x < f.least || math.IsInf(x, 0) {
				p.defect(v, "state %q: rule %d of Retry: %s is not a number of at least %v", s.Name, i+1, f.key, f.least)
				continue
			}
			f.set(x)
		}
		r.FullJitter = rule.textOf("JitterStrategy") == "FULL"
		s.Retry = append(s.Retry, r)
	})
	list("Catch", func(i int, rule *node, errors []string) {
		if rule.member("Next") == nil {
			p.defect(rule, "state %q: rule %d of Catch has no Next", s.Name, i+1)
		} else if to := target(rule, "Next"); to != nil {
			s.Catch = append(s.Catch, Catcher{errors, to})
		}
	})
}

// seconds returns a time in seconds, 0 where there is none or where data
// decide.
func (p *parser) seconds(n *node, key, what string) float64 {
	v := n.member(key)
	if v == nil || v.kind == isText { // an expression
		return 0
	}
	x, ok := v.number()
	if !ok || !(x > 0) || x > 99_999_999 {
		p.defect(v, "%s: %s is not a number above 0, and at most 99999999", what, key)
	}
	return x
}

// whole returns a whole number, 0 where there is none or where data decide.
func (p *parser) whole(n *node, key, state string) int {
	v := n.member(key)
	if v == nil || v.kind == isText { // an expression
		return 0
	}
	x, ok := v.number()
	if !ok || x < 0 || x != math.Trunc(x) || x > math.MaxInt32 {
		p.defect(v, "state %q: %s is not a whole number of at least 0", state, key)
		return 0
	}
	return int(x)
}

// identify gives every state an ID: its name, or, where several states have
// it, the names that lead to it.
func (p *parser) identify() {
	count := make(map[string]int)
	var walk func(g *Graph, path string)
	walk = func(g *Graph, path string) {
		for _, s := range g.Nodes {
			p.m.states = append(p.m.states, s)
			s.ID = path + s.Name
			count[s.Name]++
			for i, inner := range s.Graphs() {
				at := s.ID + "/"
				if s.Type == Parallel {
					at += fmt.Sprintf("%d/", i+1)
				}
				walk(inner, at)
			}
		}
	}
	walk(&p.m.Graph, "")
	p.m.byID = make(map[string]*State, len(p.m.states))
	for _, s := range p.m.states {
		if count[s.Name] == 1 {
			s.ID = s.Name
		}
		p.m.byID[s.ID] = s
	}
}

// unreachable warns of states that nothing leads to.
func (p *parser) unreachable(g *Graph) {
	seen := map[*State]bool{g.Start: true}
	for queue := []*State{g.Start}; len(queue) > 0; queue = queue[1:] {
		for _, to := range queue[0].Successors(true) {
			if !seen[to] {
				seen[to] = true
				queue = append(queue, to)
			}
		}
	}
	for _, s := range g.Nodes {
		if !seen[s] {
			p.m.Warnings = append(p.m.Warnings, fmt.Sprintf("%s:%d: nothing leads to state %q", p.from, s.Line, s.Name))
		}
		for _, inner := range s.Graphs() {
			p.unreachable(inner)
		}
	}
}
