package baselines_test

import (
	"testing"

	"eevee/baselines"
	"eevee/solvers"
	"eevee/solvers/solverstest"
)

// Every system of this package, in every form with a code of its own, passes
// the suite of solvers.Methods.
func TestConformance(t *testing.T) {
	own := solverstest.Traits{OwnSpace: true}
	in := solverstest.Traits{}
	for _, c := range []struct {
		method solvers.Method
		traits solverstest.Traits
	}{
		{baselines.RandomSearch{Evaluations: 50}, in},
		{baselines.UniformSize{}, in},
		{baselines.PowerTuning{IgnoreBound: true}, in},
		{baselines.PowerTuning{Strategy: baselines.PowerBalanced, IgnoreBound: true}, in},
		{baselines.SLAM{}, in},
		{baselines.SLAM{Cost: true}, in},
		{baselines.GrandSLAM{}, in},
		{baselines.GrandSLAM{Mean: true}, in},
		{baselines.PRCP{}, in},
		{baselines.PRCP{Ratio: baselines.PRCPWorkflowPerCost}, in},
		{baselines.PRCP{Ratio: baselines.PRCPTimePerMemory}, in},
		{baselines.PRCP{Ratio: baselines.PRCPLargest}, in},
		{baselines.Parrotfish{}, in},
		{baselines.COSE{Evaluations: 20}, in},
		{baselines.Caerus{}, in},
		{baselines.Caerus{Own: true}, own},
		{baselines.Ditto{}, in},
	} {
		t.Run(c.method.String(), func(t *testing.T) {
			solverstest.Run(t, func() solvers.Method { return c.method }, c.traits)
		})
	}
}
