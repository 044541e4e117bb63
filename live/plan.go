package live

import (
	"fmt"
	"strings"

	"eevee/models"
)

// PlanSchema names the JSON form of a Plan.
const PlanSchema = "eevee.live-plan/1"

// Plan is what a session is going to do, and what it costs. Amounts in USD are
// expected ones, and the most that they can be: every instance started anew and
// running into its timeout.
type Plan struct {
	Schema   string `json:"schema"`
	Run      string `json:"run"` // names what is created
	Account  string `json:"account"`
	Region   string `json:"region"`
	Workflow string `json:"workflow"`
	InPlace  bool   `json:"in_place"`
	Machine  string `json:"state_machine,omitempty"`

	Functions      []PlannedFunction      `json:"functions"`
	Configurations []PlannedConfiguration `json:"configurations"` // in the order in which they are executed

	Invocations int      `json:"invocations"`
	ExpectedUSD float64  `json:"expected_usd"`
	WorstUSD    float64  `json:"worst_usd"`
	CapUSD      float64  `json:"cap_usd"`
	Basis       string   `json:"basis"` // of what is expected
	Changes     []string `json:"changes"`
	Warnings    []string `json:"warnings"`
}

// PlannedFunction is a function and the sizes that it will have.
type PlannedFunction struct {
	Function string   `json:"function"`
	RunsAs   string   `json:"runs_as"` // what is invoked: a copy, or in place the function
	Stages   []string `json:"stages"`
	SizesMB  []int    `json:"sizes_mb"`
	TimeoutS int      `json:"timeout_s"`
	Arch     string   `json:"arch"`
	Price    string   `json:"price"`
}

// PlannedConfiguration is a configuration and how often it is executed.
type PlannedConfiguration struct {
	Configuration string  `json:"configuration"`
	WarmUps       int     `json:"warm_ups"`
	Runs          int     `json:"runs"`
	Invocations   int     `json:"invocations"`
	ExpectedUSD   float64 `json:"expected_usd"`
	WorstUSD      float64 `json:"worst_usd"`
}

// plan says what the session is going to do.
func (s *Session) plan() error {
	r := &s.request
	p := Plan{
		Schema: PlanSchema, Run: s.run, Account: s.client.Account, Region: s.client.Region, Workflow: r.Workflow.Name(),
		InPlace: r.InPlace, CapUSD: r.MaxSpendUSD, Basis: r.Basis, Functions: []PlannedFunction{},
		Configurations: []PlannedConfiguration{}, Changes: []string{}, Warnings: []string{},
	}
	if r.Expected == nil {
		p.Basis = "timeouts"
	}
	for k, f := range s.functions {
		of := PlannedFunction{Function: f.name, RunsAs: f.name, SizesMB: f.sizes, TimeoutS: f.limitS, Arch: f.arch(), Price: f.price.Name}
		if !r.InPlace {
			of.RunsAs = copyName(s.run, f.name)
		}
		for i := range r.Workflow.Len() {
			if s.at[i] == k {
				of.Stages = append(of.Stages, r.Workflow.Stage(i).Name)
			}
		}
		p.Functions = append(p.Functions, of)
		sizes := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(f.sizes)), ", "), "[]")
		if r.InPlace {
			p.Changes = append(p.Changes, fmt.Sprintf("set the memory of function %s to %s MB one after the other, publish a version of each, and set it back at the end", f.name, sizes))
		} else {
			p.Changes = append(p.Changes, fmt.Sprintf("copy function %s to %s, with versions of %s MB, and delete the copy at the end", f.name, of.RunsAs, sizes))
		}
	}
	for _, c := range r.Configs {
		of := PlannedConfiguration{Configuration: c.String(), WarmUps: r.WarmUps, Runs: r.Runs}
		expected, worst := s.runCost(c)
		times := r.WarmUps + r.Runs
		of.Invocations = times * s.runInvocations(c)
		of.ExpectedUSD, of.WorstUSD = float64(times)*expected, float64(times)*worst
		p.Configurations = append(p.Configurations, of)
		p.Invocations += of.Invocations
		p.ExpectedUSD += of.ExpectedUSD
		p.WorstUSD += of.WorstUSD
		if r.MaxSpendUSD > 0 && worst > r.MaxSpendUSD {
			return fmt.Errorf("live: one execution of %v may cost up to %.4g USD, if every function runs into its timeout, which is more than --max-spend allows (%.4g USD); raise that, or shorten the timeouts of the copies with --timeout", c, worst, r.MaxSpendUSD)
		}
	}
	if r.MaxSpendUSD > 0 && p.ExpectedUSD > r.MaxSpendUSD {
		p.Warnings = append(p.Warnings, fmt.Sprintf("about %.4g USD are expected, and the cap of %.4g USD will end the session before", p.ExpectedUSD, r.MaxSpendUSD))
	}
	if s.client.Region != "us-east-1" && r.Price == "" {
		p.Warnings = append(p.Warnings, fmt.Sprintf("prices are those of us-east-1; --price takes those of %s", s.client.Region))
	}
	s.planMachine(&p)
	s.Plan = p
	return nil
}

// runInvocations returns how many functions an execution invokes.
func (s *Session) runInvocations(c models.Config) int {
	n := 0
	for i := range c {
		n += c[i].Parallelism * s.tries(i)
	}
	return n
}

// runCost returns what an execution costs, expected and at most, in USD.
func (s *Session) runCost(c models.Config) (expected, worst float64) {
	w := s.request.Workflow
	for i := range c {
		f := s.functions[s.at[i]]
		seconds := float64(f.limitS)
		if s.request.Expected != nil {
			if x, ok := s.request.Expected(i, c[i], w.InputParallelism(c, i)); ok {
				seconds = min(x, seconds)
			}
		}
		n := float64(c[i].Parallelism)
		expected += n * f.cost(c[i].Memory, seconds)
		worst += n * float64(s.tries(i)) * f.worst(c[i].Memory)
	}
	once, retried := s.transitions(c)
	return expected + once*s.transitionUSD, worst + retried*s.transitionUSD
}
