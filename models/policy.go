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
// A decision covers the stage it is asked for, and can start instances for
// stages that are not decided yet.
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

// Decision is the answer of a Decider. The zero value of every field but
// StageConfig leaves the matter to the platform.
type Decision struct {
	StageConfig
	Cost DecisionCost

	// Launch is when the functions of the stage are invoked, in s since the
	// run started; a time that has passed once the stage is decided means at
	// once.
	Launch float64

	// Prewarm are instances to start ahead of their invocation, for this stage
	// or for later ones.
	Prewarm []Prewarm

	Placement Placement
}

// Prewarm asks for instances that are started ahead of their invocation: as
// many of the stage's function as the configuration has instances, unless as
// many are idle already. They serve whoever comes first.
type Prewarm struct {
	Stage int
	StageConfig
	At float64 // s since the run started; a time that has passed means at once
}

// Placement says in which instances the tasks of a stage run.
type Placement struct {
	// Group names a function that several stages of the workflow share, so
	// that a warm instance of one stage serves the next one (function fusion;
	// the task groups of Ditto). Empty: the stage has a function of its own.
	// Instances of different memory are never shared.
	Group string
}

// Check reports a decision that cannot be followed in a workflow of n stages.
// What the configurations themselves hold is not looked at.
func (d Decision) Check(n int) error {
	if err := d.Cost.Check(); err != nil {
		return err
	}
	if !(d.Launch >= 0) || math.IsInf(d.Launch, 0) {
		return fmt.Errorf("decision: launch time %v s is not a number of at least 0", d.Launch)
	}
	for _, p := range d.Prewarm {
		if p.Stage < 0 || p.Stage >= n {
			return fmt.Errorf("decision: pre-warming of stage %d of %d", p.Stage, n)
		}
		if !(p.At >= 0) || math.IsInf(p.At, 0) {
			return fmt.Errorf("decision: pre-warming at %v s, which is not a number of at least 0", p.At)
		}
	}
	return nil
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
