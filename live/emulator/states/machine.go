package states

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"eevee/models/asl"
)

// Machine is a state machine that can be run. It is immutable.
type Machine struct {
	graph   *graph
	timeout time.Duration // 0: none
}

// graph is states that follow each other.
type graph struct {
	start  *state
	states map[string]*state
}

// state is a state and what it does with its data.
type state struct {
	*asl.State
	fields
	branches  []*graph
	processor *graph
}

// fields are the members of a state that package asl does not keep.
type fields struct {
	Target         string `json:"Resource"` // of a Task, with its account
	InputPath      optionalPath
	OutputPath     optionalPath
	ResultPath     optionalPath
	Parameters     json.RawMessage
	ResultSelector json.RawMessage
	Result         json.RawMessage // of a Pass
	ItemsPath      string
	ItemSelector   json.RawMessage
	Choices        []rule
	Default        string
	Seconds        *float64
	SecondsPath    string
	Timestamp      string
	TimestampPath  string
	Cause          string
	ErrorPath      string
	CausePath      string
	Catch          []struct{ ResultPath optionalPath }

	// What is refused.
	QueryLanguage        string
	ItemReader           json.RawMessage
	ItemBatcher          json.RawMessage
	ResultWriter         json.RawMessage
	TimeoutSecondsPath   string
	HeartbeatSeconds     json.RawMessage
	HeartbeatSecondsPath string
	MaxConcurrencyPath   string
}

// optionalPath is a path that may be null, or missing, which is "$".
type optionalPath struct {
	text string
	null bool
}

func (p *optionalPath) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		p.null = true
		return nil
	}
	return json.Unmarshal(data, &p.text)
}

// rawGraph is the text of a graph.
type rawGraph struct {
	States map[string]json.RawMessage
}

// Parse reads a state machine. All defects are reported.
func Parse(definition string) (*Machine, error) {
	parsed, err := asl.Parse("definition", []byte(definition))
	if err != nil {
		return nil, err
	}
	if parsed.Language == "JSONata" {
		return nil, errors.New("the emulator does not evaluate JSONata")
	}
	var raw rawGraph
	if err := json.Unmarshal([]byte(definition), &raw); err != nil {
		return nil, err
	}
	g, err := build(&parsed.Graph, raw)
	if err != nil {
		return nil, err
	}
	return &Machine{g, time.Duration(parsed.TimeoutS * float64(time.Second))}, nil
}

// build puts together what package asl read and the text.
func build(of *asl.Graph, raw rawGraph) (*graph, error) {
	g := &graph{states: make(map[string]*state, len(of.Nodes))}
	var errs []error
	for _, node := range of.Nodes {
		s := &state{State: node}
		if err := json.Unmarshal(raw.States[node.Name], &s.fields); err != nil {
			errs = append(errs, fmt.Errorf("state %q: %w", node.Name, err))
			continue
		}
		if err := s.check(); err != nil {
			errs = append(errs, fmt.Errorf("state %q: %w", node.Name, err))
		}
		var inner struct {
			Branches                []rawGraph
			ItemProcessor, Iterator *rawGraph
		}
		if err := json.Unmarshal(raw.States[node.Name], &inner); err != nil {
			errs = append(errs, fmt.Errorf("state %q: %w", node.Name, err))
			continue
		}
		for i, branch := range node.Branches {
			b, err := build(branch, inner.Branches[i])
			errs = append(errs, err)
			s.branches = append(s.branches, b)
		}
		if node.Items != nil {
			processor := inner.ItemProcessor
			if processor == nil {
				processor = inner.Iterator
			}
			b, err := build(&node.Items.Processor, *processor)
			errs = append(errs, err)
			s.processor = b
		}
		g.states[node.Name] = s
		if node == of.Start {
			g.start = s
		}
	}
	return g, errors.Join(errs...)
}

// lambdaARN is a function that a Resource names directly.
var lambdaARN = regexp.MustCompile(`^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9-_]+(:[A-Za-z0-9-_$]+)?$`)

// invokeResource is the optimised integration of Lambda.
const invokeResource = "arn:aws:states:::lambda:invoke"

// check refuses what cannot be run.
func (s *state) check() error {
	switch {
	case s.QueryLanguage == "JSONata":
		return errors.New("the emulator does not evaluate JSONata")
	case s.Items != nil && s.Items.Distributed, s.ItemReader != nil, s.ItemBatcher != nil, s.ResultWriter != nil:
		return errors.New("the emulator does not run distributed maps")
	case s.TimeoutSecondsPath != "", s.HeartbeatSecondsPath != "", s.MaxConcurrencyPath != "", s.HeartbeatSeconds != nil:
		return errors.New("the emulator knows neither heartbeats nor times and numbers by path")
	case s.Type == asl.Task && s.Target != invokeResource && !lambdaARN.MatchString(s.Target):
		return fmt.Errorf("the emulator runs functions by their ARN and %s, not %s", invokeResource, s.Target)
	}
	for _, path := range []string{s.InputPath.text, s.OutputPath.text, s.ItemsPath, s.SecondsPath, s.TimestampPath, s.ErrorPath, s.CausePath} {
		if _, err := parsePath(path); path != "" && !strings.HasPrefix(path, "States.") && err != nil {
			return err
		}
	}
	for _, r := range s.Choices {
		if err := r.check(); err != nil {
			return err
		}
	}
	return nil
}
