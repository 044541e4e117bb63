package solvers_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"eevee/solvers"
)

// Of all configurations with a bounded function at most that of a given one,
// rounding finds the cheapest, as enumeration does; where latency is minimised,
// what it says of that is a lower bound.
func TestRoundingFindsTheBestNearTheRelaxation(t *testing.T) {
	cheapest, bounds := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t)
		var picks [][]int
		pick := make([]int, p.Workflow().Len())
		for done := false; !done; {
			if admitted(p.Space, p.Space.Config(pick)) {
				picks = append(picks, append([]int(nil), pick...))
			}
			done = true
			for i := range pick {
				if pick[i]++; pick[i] < len(p.Space.Choices(i)) {
					done = false
					break
				}
				pick[i] = 0
			}
		}
		if len(picks) == 0 {
			t.Skip("the rules leave no configuration")
		}
		as := rapid.SampledFrom(picks).Draw(t, "as")
		near, ok := solvers.Round(p, as)
		if !ok || !near.Whole {
			t.Skip("there is no price, or too much to look at")
		}
		const rounding = 1 + 1e-9
		target := near.Bounded(as)
		found := math.Inf(1)
		if near.Found != nil {
			if !admitted(p.Space, p.Space.Config(near.Found)) || near.Bounded(near.Found) > target*rounding {
				t.Fatalf("%v breaks the rules, or its function %v is above %v", near.Found, near.Bounded(near.Found), target)
			}
			found = p.Evaluate(p.Space.Config(near.Found)).Objective
			if near.AtLeast > found*rounding {
				t.Errorf("the objective %v is said to be at least %v", found, near.AtLeast)
			}
			bounds++
		}
		if p.Objective() == solvers.Latency {
			return // which is more than its linear function
		}
		best := math.Inf(1)
		for _, other := range picks {
			if near.Bounded(other) <= target/rounding {
				best = min(best, p.Evaluate(p.Space.Config(other)).Objective)
			}
		}
		if found > best*rounding {
			t.Errorf("%v costs %v; the cheapest costs %v", near.Found, found, best)
		}
		if found < math.Inf(1) {
			cheapest++
		}
	})
	if cheapest == 0 || bounds == 0 {
		t.Errorf("%d configurations were compared with enumeration, of %d found", cheapest, bounds)
	}
}
