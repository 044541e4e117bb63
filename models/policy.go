package models

import (
	"fmt"
	"math"
)

// Policy decides the configuration of a workflow while it runs, one stage at a
// time: a stage is decided when all its parents have ended, and nothing else
// is known then than what has happened so far. It holds what all runs share
// and is safe for concurrent use; what belongs to one run is in the Decider
// that Begin returns.
//
// A decision covers the stage it is asked for. Starting instances or invoking
// functions before a stage is ready concerns stages that are not decided yet,
// and is no part of it.
type Policy interface {
	// String is the name and options that select the policy, as
	// "stepconf:literal".
	String() string

	// Begin returns the decider of a new run.
	Begin() Decider
}

// Decider decides the stages of one run, every stage once. It uses no
// randomness: the same progress leads to the same decisions.
type Decider interface {
	// Decide configures the given stage, whose parents have all ended. The
	// progress is valid until Decide returns, and must not be changed.
	Decide(stage int, p Progress) Decision
}

// Progress is what is known of a run when a stage is ready.
type Progress struct {
	Now    float64   // s since the run started
	End    []float64 // s; when every stage ended, NaN for those that have not
	Config Config    // what was decided so far; Parallelism is 0 for stages that are not decided
}

// Decision is the answer of a Decider.
type Decision struct {
	StageConfig
	Cost DecisionCost
}

// DecisionCost is what deciding itself takes. It is charged to the run: the
// functions of the stage are invoked that much later.
type DecisionCost struct {
	Latency float64 // s
	USD     float64
}

// Check reports a cost that cannot be charged.
func (c DecisionCost) Check() error {
	if !(c.Latency >= 0) || math.IsInf(c.Latency, 0) {
		return fmt.Errorf("decision cost: latency %v s is not a number of at least 0", c.Latency)
	}
	if !(c.USD >= 0) || math.IsInf(c.USD, 0) {
		return fmt.Errorf("decision cost: %v USD is not a number of at least 0", c.USD)
	}
	return nil
}

// StaticPolicy decides everything before the run starts: it takes a
// configuration as it is, at no cost.
type StaticPolicy struct {
	Name   string // empty: "static"
	Config Config // of every stage
}

// String returns the name.
func (p StaticPolicy) String() string {
	if p.Name == "" {
		return "static"
	}
	return p.Name
}

// Begin returns a decider that reads from the configuration.
func (p StaticPolicy) Begin() Decider { return staticDecider(p.Config) }

type staticDecider Config

// Decide returns what the configuration says about the stage.
func (d staticDecider) Decide(stage int, _ Progress) Decision {
	return Decision{StageConfig: d[stage]}
}
