package baselines_test

import (
	"testing"

	"eevee/baselines"
	"eevee/solvers"
	"eevee/solvers/solverstest"
)

func TestDittoAndCaerusConform(t *testing.T) {
	for _, c := range []struct {
		fresh func() solvers.Method
		own   bool
	}{
		{func() solvers.Method { return baselines.Ditto{Objective: solvers.Latency} }, false},
		{func() solvers.Method { return baselines.Ditto{Objective: solvers.Cost, Divisible: true} }, false},
		{func() solvers.Method { return baselines.Ditto{Own: true, Compat: true} }, true},
		{func() solvers.Method { return baselines.Caerus{} }, false},
		{func() solvers.Method {
			return baselines.Caerus{Own: true, Pipelined: true, Launch: baselines.CaerusEager}
		}, true},
	} {
		t.Run(c.fresh().String(), func(t *testing.T) { solverstest.Run(t, c.fresh, solverstest.Traits{OwnSpace: c.own}) })
	}
}
