package solvers_test

import (
	"testing"

	"eevee/solvers"
	"eevee/solvers/solverstest"
)

func TestConformance(t *testing.T) {
	for _, c := range []struct {
		method solvers.Method
		traits solverstest.Traits
	}{
		{solvers.Exact{}, solverstest.Traits{Proves: true, Aims: true}},
		// The larger spaces are left to TestExactEqualsExhaustiveOnPublishedRuns.
		{solvers.Exhaustive{MaxConfigs: 10_000}, solverstest.Traits{Proves: true, Aims: true}},
		{solvers.Jolteon{}, solverstest.Traits{}},
		// The artifact rounds and repairs by rules of its own.
		{solvers.Jolteon{Compat: true}, solverstest.Traits{OwnSpace: true}},
	} {
		t.Run(c.method.String(), func(t *testing.T) {
			solverstest.Run(t, func() solvers.Method { return c.method }, c.traits)
		})
	}
}
