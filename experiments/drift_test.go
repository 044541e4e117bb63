package experiments

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"eevee/models"
)

// Where nothing has changed, anything is called a drift in at most 5 % of all
// recordings; where times have moved by 0.7 standard deviations, or only their
// spread has tripled, it is found.
func TestDriftKeepsItsLevelAndFindsDrift(t *testing.T) {
	if testing.Short() {
		t.Skip("needs many repetitions")
	}
	def := oneStage(t)
	const repetitions = 60
	alarms := map[string]int{}
	for k := range repetitions {
		draw := func(stream uint64, shift, spread float64) *models.Profile {
			source := rand.New(rand.NewPCG(uint64(k), stream))
			return made(t, def, 12, 8, func(int, int) float64 { return sd * (shift + spread*source.NormFloat64()) })
		}
		before := draw(1, 0, 1)
		for name, after := range map[string]*models.Profile{
			"same": draw(2, 0, 1), "moved": draw(3, 0.7, 1), "wider": draw(4, 0, 3),
		} {
			rows, err := Drift(context.Background(), before, after, 1)
			if err != nil {
				t.Fatal(err)
			}
			// Only compute takes time.
			if len(rows) != 1 || rows[0].Step != "compute" || rows[0].Configurations != 12 || rows[0].Before != 96 || rows[0].After != 96 {
				t.Fatalf("rows %+v", rows)
			}
			if rows[0].Drifted {
				alarms[name]++
			}
			if want := math.Exp(0.7 * sd); name == "moved" && k == 0 && !(rows[0].RatioLo < want && want < rows[0].RatioHi) {
				t.Errorf("ratio %v in [%v, %v], the truth is %.3f", rows[0].Ratio, rows[0].RatioLo, rows[0].RatioHi, want)
			}
			if name == "wider" && rows[0].Drifted && rows[0].Changed > driftLevel {
				t.Errorf("another spread is taken for a movement: %+v", rows[0])
			}
		}
	}
	// 60 times 0.05 is 3; more than 9 happens with probability 0.001.
	if alarms["same"] > 9 {
		t.Errorf("%d of %d recordings without a change are called a drift", alarms["same"], repetitions)
	}
	for _, name := range []string{"moved", "wider"} {
		if alarms[name] < repetitions*9/10 {
			t.Errorf("%s: %d of %d drifts are found", name, alarms[name], repetitions)
		}
	}
}

// In one stratum without ties the test of movement is Wilcoxon's, whose exact
// distribution is known: 4 against 4 in complete order has p = 2/70.
func TestPermutationTestIsWilcoxonsInOneStratum(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 1))
	moved, changed, err := permute(context.Background(), []stratum{{[]float64{1, 2, 3, 4, 5, 6, 7, 8}, 4}}, 200_000, source)
	if err != nil {
		t.Fatal(err)
	}
	want := 2.0 / 70 // of Cramér and von Mises too: complete order is the most extreme
	e := 4 * math.Sqrt(want*(1-want)/200_000)
	if math.Abs(moved-want) > e || math.Abs(changed-want) > e {
		t.Errorf("p-values %v and %v, theory says %v +- %v", moved, changed, want, e)
	}
}

// Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, and never less than before:
// 0.02, 0.03, 0.06, 0.06.
func TestHolm(t *testing.T) {
	got := holm([]float64{0.01, 0.04, 0.03, 0.005})
	for k, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		if math.Abs(got[k]-want) > 1e-12 {
			t.Errorf("adjusted p-values %v", got)
			break
		}
	}
	if one := holm([]float64{0.9, 0.8}); slices.Max(one) > 1 {
		t.Errorf("adjusted p-values %v exceed 1", one)
	}
}

// Configurations that only one recording holds say nothing about drift.
func TestDriftNeedsCommonConfigurations(t *testing.T) {
	def := oneStage(t)
	p := made(t, def, 6, 3, func(c, k int) float64 { return float64(c + k) })
	first := p.Stage(0)[0].Config
	even := p.Select(func(o models.Observation) bool { return o.Config == first })
	odd := p.Select(func(o models.Observation) bool { return o.Config != first })
	if _, err := Drift(context.Background(), even, odd, 1); err == nil {
		t.Error("recordings without a common configuration were compared")
	}
}
