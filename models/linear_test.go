package models_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"eevee/models"
)

// Selected scenarios are the same ones, and weighted sums those of the columns,
// for a linear model, for one that is not, and for a price that rounds.
func TestSelectAndWeigh(t *testing.T) {
	const n = 300
	def, err := models.Load("tpcds")
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err := models.BundledTrace("tpcds")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	jolteon, err := models.FitJolteon(profile, models.JolteonOptions{})
	if err != nil {
		t.Fatal(err)
	}
	calibrated, err := models.FitCalibrated(profile, models.CalibratedSettings{})
	if err != nil {
		t.Fatal(err)
	}
	space, err := def.Space("")
	if err != nil {
		t.Fatal(err)
	}
	source := rand.New(rand.NewPCG(1, 2))
	picked := make([]int32, 40)
	for k := range picked {
		picked[k] = int32(source.IntN(n))
	}
	weights := make([]float64, n)
	for k := range weights {
		weights[k] = source.Float64()
	}
	for _, model := range []models.Model{jolteon, calibrated} {
		for _, price := range []string{models.PriceJolteon, models.PriceAWS} {
			s, err := model.Sample(n, models.MustPrice(price), models.Streams{Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			few := s.Select(picked)
			for i := range s.Workflow().Len() {
				for _, c := range []models.StageConfig{space.Choices(i)[0], space.Choices(i)[len(space.Choices(i))-1]} {
					const in = 8
					latency, cost := make([]float64, n), make([]float64, n)
					s.Columns(i, c, in, latency, cost)
					l, u := make([]float64, len(picked)), make([]float64, len(picked))
					few.Columns(i, c, in, l, u)
					for k, r := range picked {
						if l[k] != latency[r] || u[k] != cost[r] {
							t.Fatalf("%s, %s, stage %d: scenario %d is (%v, %v), selected (%v, %v)", model.Name(), price, i, r, latency[r], cost[r], l[k], u[k])
						}
					}
					sum := func(x []float64) (s float64) {
						for k, w := range weights {
							s += w * x[k]
						}
						return s
					}
					for what, pair := range map[string][2]float64{
						"latency": {s.WeighLatency(i, weights)(c, in), sum(latency)},
						"cost":    {s.WeighCost(i, weights)(c, in), sum(cost)},
					} {
						if math.Abs(pair[0]-pair[1]) > 1e-10*math.Abs(pair[1]) {
							t.Errorf("%s, %s, stage %d: weighted %s %v, its column gives %v", model.Name(), price, i, what, pair[0], pair[1])
						}
					}
				}
			}
		}
	}
}
