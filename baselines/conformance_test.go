package baselines_test

import (
	"testing"

	"eevee/baselines"
	"eevee/solvers"
	"eevee/solvers/solverstest"
)

// The systems that choose within the space, in every form with code of its
// own, pass the suite of solvers.Methods. Those with spaces of their own have
// tests beside them.
func TestConformance(t *testing.T) {
	for _, method := range []solvers.Method{
		baselines.RandomSearch{Evaluations: 50},
		baselines.UniformSize{},
		baselines.PowerTuning{IgnoreBound: true},
		baselines.PowerTuning{Strategy: baselines.PowerBalanced, IgnoreBound: true},
		baselines.SLAM{},
		baselines.SLAM{Cost: true},
		baselines.GrandSLAM{},
		baselines.GrandSLAM{Mean: true},
		baselines.PRCP{},
		baselines.PRCP{Ratio: baselines.PRCPWorkflowPerCost},
		baselines.PRCP{Ratio: baselines.PRCPTimePerMemory},
		baselines.PRCP{Ratio: baselines.PRCPLargest},
		baselines.Parrotfish{},
		baselines.COSE{Evaluations: 20},
	} {
		t.Run(method.String(), func(t *testing.T) {
			solverstest.Run(t, func() solvers.Method { return method }, solverstest.Traits{})
		})
	}
}
