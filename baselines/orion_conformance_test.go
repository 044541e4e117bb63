package baselines_test

import (
	"testing"

	"eevee/baselines"
	"eevee/solvers"
	"eevee/solvers/solverstest"
)

func TestOrionConforms(t *testing.T) {
	for _, c := range []struct {
		orion  baselines.Orion
		traits solverstest.Traits
	}{
		{baselines.Orion{}, solverstest.Traits{}},
		{baselines.Orion{NoSizing: true, NoBundling: true, Draws: 500}, solverstest.Traits{}},
		{baselines.Orion{Steepest: true, Independent: true, NoPrewarming: true}, solverstest.Traits{}},
		{baselines.Orion{Steps: baselines.OrionSteps{From: 1000, To: 10240, Step: 512}, Draws: 500}, solverstest.Traits{OwnSpace: true}},
		{baselines.Orion{Compat: true}, solverstest.Traits{OwnSpace: true}},
	} {
		t.Run(c.orion.String(), func(t *testing.T) {
			solverstest.Run(t, func() solvers.Method { return c.orion }, c.traits)
		})
	}
}
