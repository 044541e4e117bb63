package sim

import (
	"math"
	"testing"
)

// unaudit turns audits off for a long simulation.
func unaudit(t testing.TB) {
	before := auditEvery
	auditEvery = 0
	t.Cleanup(func() { auditEvery = before })
}

// The number of cold starts follows from the rule by which warm instances are
// chosen. The limits are those that independent simulators stayed within, over
// seeds, for 300,000 invocations; single seeds have a standard deviation of 15
// (W1, most recent first) and 6 (W2), so that the mean over seeds is compared.
func TestColdStartsByWarmChoice(t *testing.T) {
	unaudit(t)
	const n = 300_000
	seeds := uint64(8)
	if testing.Short() {
		seeds = 2
	}
	for _, test := range []struct {
		serving
		rule     WarmChoice
		low, top float64
	}{
		{w1, MostRecent, 386, 413}, {w1, LongestIdle, 11, 12},
		{w2, MostRecent, 54, 72}, {w2, LongestIdle, 18, 19},
	} {
		sum := 0.0
		for seed := range seeds {
			f := test.load(t, n, test.rule, seed+1).Functions[0]
			sum += float64(f.ColdStarts)
			if f.Instances != f.ColdStarts || f.Invocations != n {
				t.Errorf("%s %s: %d invocations, %d cold starts of %d instances", test.name, test.rule, f.Invocations, f.ColdStarts, f.Instances)
			}
		}
		mean := sum / float64(seeds)
		t.Logf("%s %s: %.2f cold starts", test.name, test.rule, mean)
		if math.Round(mean) < test.low || math.Round(mean) > test.top {
			t.Errorf("%s %s: %.2f cold starts over %d seeds, want %v to %v", test.name, test.rule, mean, seeds, test.low, test.top)
		}
	}
}
