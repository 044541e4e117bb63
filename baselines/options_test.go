package baselines_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/baselines"
	"eevee/solvers"
)

// read calls a constructor with the options of a name.
func read[M solvers.Method](from func(...string) (M, error)) func(options ...string) (solvers.Method, error) {
	return func(options ...string) (solvers.Method, error) { return from(options...) }
}

// The name of a method leads to the same method again, and an option that it
// does not have, or a value that is none, is an error of one line that names
// it.
func TestNamesAndOptions(t *testing.T) {
	weight := 0.3
	for _, c := range []struct {
		from   func(...string) (solvers.Method, error)
		method solvers.Method
		name   string
		bad    []string
	}{
		{read(baselines.NewRandomSearch), baselines.RandomSearch{}, "random", []string{"fast", "evaluations=0", "evaluations=x"}},
		{read(baselines.NewRandomSearch), baselines.RandomSearch{Evaluations: 5}, "random:evaluations=5", nil},
		{read(baselines.NewPowerTuning), baselines.PowerTuning{Strategy: baselines.PowerCost}, "powertuning:cost", []string{"cheap", "weight=2", "weight=NaN", "weight=", "parallelism=0"}},
		{read(baselines.NewPowerTuning), baselines.PowerTuning{
			Strategy: baselines.PowerBalanced, Weight: &weight, IgnoreBound: true, Parallelism: baselines.Instances{1, 8},
		}, "powertuning:balanced:weight=0.3:ignore-bound:parallelism=1/8", nil},
		{read(baselines.NewSLAM), baselines.SLAM{}, "slam", []string{"mean", "parallelism=a"}},
		{read(baselines.NewSLAM), baselines.SLAM{Cost: true, Parallelism: baselines.Instances{4}}, "slam:cost:parallelism=4", nil},
		{read(baselines.NewGrandSLAM), baselines.GrandSLAM{}, "grandslam", []string{"cost", "parallelism=1//2"}},
		{read(baselines.NewGrandSLAM), baselines.GrandSLAM{Mean: true}, "grandslam:mean", nil},
		{read(baselines.NewPRCP), baselines.PRCP{}, "prcp", []string{"rt", "parallelism=-1"}},
		{read(baselines.NewPRCP), baselines.PRCP{Ratio: baselines.PRCPWorkflowPerCost}, "prcp:ert/c", nil},
		{read(baselines.NewParrotfish), baselines.Parrotfish{}, "parrotfish", []string{"step=0", "runs=", "runs", "fast=1", "parallelism="}},
		{read(baselines.NewParrotfish), baselines.Parrotfish{Step: 64, Runs: 9, Parallelism: baselines.Instances{2, 3}}, "parrotfish:step=64:runs=9:parallelism=2/3", nil},
		{read(baselines.NewCOSE), baselines.COSE{}, "cose", []string{"initial=0", "evaluations=many", "tolerance=1", "tolerance=0", "x"}},
		{read(baselines.NewCOSE), baselines.COSE{Initial: 3, Evaluations: 9, Tolerance: 0.05}, "cose:initial=3:evaluations=9:tolerance=0.05", nil},
		{read(baselines.NewDitto), baselines.Ditto{}, "ditto", []string{"fast", "own=1", "total=0", "vcpu=-1", "vcpu=Inf", "total"}},
		{read(baselines.NewDitto), baselines.Ditto{Objective: solvers.Cost, Own: true, Divisible: true, Compat: true, Total: 40, VCPU: 1.5}, "ditto:cost:own:divisible:compat:total=40:vcpu=1.5", nil},
		{read(baselines.NewCaerus), baselines.Caerus{}, "caerus", []string{"fast", "own=1", "lazy=", "vcpu=0"}},
		{read(baselines.NewCaerus), baselines.Caerus{Own: true, Pipelined: true, Launch: baselines.CaerusLazy, Total: 40, VCPU: 0.5}, "caerus:own:pipelined:lazy:total=40:vcpu=0.5", nil},
		{read(baselines.NewOrion), baselines.Orion{}, "orion", []string{"fast", "compat=1", "steps=1", "parallelism="}},
		{read(baselines.NewOrion), baselines.Orion{Steepest: true, NoPrewarming: true, Parallelism: []int{1, 8}}, "orion:steepest:no-prewarming:parallelism=1/8", nil},
	} {
		if got := c.method.String(); got != c.name {
			t.Errorf("name %s, want %s", got, c.name)
		}
		m, err := c.from(strings.Split(c.name, ":")[1:]...)
		if err != nil || fmt.Sprintf("%T %s", m, m) != fmt.Sprintf("%T %s", c.method, c.name) {
			t.Errorf("%s leads to %v, error %v", c.name, m, err)
		}
		// Settings that are their default are not part of the name.
		if !strings.HasPrefix(c.name, "powertuning") && !cmp.Equal(m, c.method) {
			t.Errorf("%s leads to %+v, want %+v", c.name, m, c.method)
		}
		for _, option := range c.bad {
			m, err := c.from(option)
			if err == nil || !strings.Contains(err.Error(), option) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s with option %q: %v, error %v", c.name, option, m, err)
			}
		}
	}
}
