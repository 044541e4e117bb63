package solvers_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/solvers"
)

// A space that is divided at stages, part by part, has the same optimum; also
// where the mixture holds choices that never end.
func TestDividedSpacesEqualExhaustive(t *testing.T) {
	defer solvers.Shrink()()
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	optimal := 0
	for round := range rounds {
		kinds := kinds
		if round%2 == 1 {
			kinds = []string{"infinite"}
		}
		rapid.Check(t, func(t *rapid.T) {
			p := drawProblemOf(t, kinds)
			if p.Space.Size().Sign() == 0 {
				t.Skip("the rules leave no configuration")
			}
			// Only mean latency is minimised that way: a limit on what some
			// configuration costs.
			pick := make([]int, p.Workflow().Len())
			for i := range pick {
				pick[i] = rapid.IntRange(0, len(p.Space.Choices(i))-1).Draw(t, "pick")
			}
			costs := p.Evaluate(p.Space.Config(pick)).Bounded(solvers.Cost)
			limit := models.QuantileR7(costs, rapid.Float64Range(0.3, 1).Draw(t, "quantile"))
			if !(limit > 0) || limit > 1e6 {
				t.Skip("there is no such limit")
			}
			p.Bound.Metric, p.Bound.Limit = solvers.Cost, limit
			if agree(t, "divided space", p) == solvers.Optimal {
				optimal++
			}
		})
	}
	if optimal == 0 {
		t.Error("no problem had an optimum")
	}
}

// What is mixed of choices that are gone moves to the nearest one, and of one that
// never ends to the fastest; a part in which nothing ends is not looked at.
func TestMixtureMovesToWhatIsLeft(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name    string
		latency []float64 // of the choices, s
		share   []float64
		dead    []bool
		want    []float64
		none    bool
	}{
		{"nearest", []float64{10, 7, 4, 1}, []float64{0.25, 0.5, 0, 0.25}, []bool{true, true, false, false}, []float64{0, 0, 0.75, 0.25}, false},
		{"never ends", []float64{inf, 7, 4, 5}, []float64{0.5, 0.5, 0, 0}, []bool{true, false, false, false}, []float64{0, 0.5, 0.5, 0}, false},
		{"nothing ends", []float64{1, inf, inf, inf}, []float64{1, 0, 0, 0}, []bool{true, false, false, false}, nil, true},
		{"nothing left", []float64{1, 2, 3, 4}, []float64{1, 0, 0, 0}, []bool{true, true, true, true}, nil, true},
	} {
		w, err := models.NewWorkflow("w", []models.Stage{{Name: "s", MaxParallelism: 1}})
		if err != nil {
			t.Fatal(err)
		}
		stage := rawStage{latency: map[[3]int][]float64{}, billed: map[[3]int][]float64{}}
		var choices []models.StageConfig
		for k, l := range c.latency {
			o := models.StageConfig{Memory: 512 * (k + 1), VCPU: 1, Parallelism: 1}
			choices = append(choices, o)
			key := [3]int{o.Memory, o.Parallelism, 0}
			stage.latency[key], stage.billed[key] = []float64{l, l}, []float64{1, 1}
		}
		space, err := models.NewSpace(w, [][]models.StageConfig{choices}, nil)
		if err != nil {
			t.Fatal(err)
		}
		sample, err := models.NewScenarios(w, models.MustPrice(models.PriceAWS), 2, []models.StageSample{stage})
		if err != nil {
			t.Fatal(err)
		}
		p, err := solvers.NewProblem(space, sample, solvers.Bound{Metric: solvers.Cost, Limit: 1, Percentile: 50, Confidence: 99, Rule: solvers.Plugin})
		if err != nil {
			t.Fatal(err)
		}
		share, ok := solvers.Move(p, [][]float64{c.share}, [][]bool{c.dead})
		if ok == c.none {
			t.Errorf("%s: %v, want %v", c.name, ok, !c.none)
		}
		if ok && !slices.Equal(share[0], c.want) {
			t.Errorf("%s: %v, want %v", c.name, share[0], c.want)
		}
	}
}
