package sim

import (
	"math"
	"testing"

	"eevee/models"
	"eevee/traces"
)

func fitted(t testing.TB, p profile) models.Model {
	t.Helper()
	profile, err := models.NewProfile(p.def, p.rows)
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.FitJolteon(profile, models.JolteonOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The world of a model has the latencies and the costs that its scenarios have:
// their mean and percentiles over all scenarios are those of the runs, within
// what sampling leaves.
func TestGenerativeWorldIsItsModel(t *testing.T) {
	p := bundledProfile(t, "tpcds")
	m := fitted(t, p)
	world, err := NewGenerative(m, GenerativeSettings{Seed: 5, Scenarios: 2000})
	if err != nil {
		t.Fatal(err)
	}
	c := p.config(traces.ProfileConfig{MemoryMB: 2000, Parallelism: 12})
	price := models.MustPrice(models.PriceJolteon)
	const runs = 20_000
	scenarios, err := m.Sample(2000, price, models.Streams{Seed: 5}.Sub("world"))
	if err != nil {
		t.Fatal(err)
	}
	latency, cost := scenarios.Outcomes(c)
	summary := simulate(t, world, c, runs, Settings{Seed: 1, Price: price}, nil)
	agree := func(name string, values []float64, d Distribution) {
		t.Helper()
		mean, squares := 0.0, 0.0
		for _, v := range values {
			mean += v / float64(len(values))
		}
		for _, v := range values {
			squares += (v - mean) * (v - mean) / float64(len(values))
		}
		if within := 4 * math.Sqrt(squares/runs); math.Abs(d.Mean-mean) > within {
			t.Errorf("%s: mean %v, of the scenarios %v within %v", name, d.Mean, mean, within)
		}
		for q, got := range map[float64]Quantile{0.5: d.P50, 0.95: d.P95} {
			if want := models.QuantileR7(values, q); want < got.Interval.Lo*(1-1e-3) || want > got.Interval.Hi*(1+1e-3) {
				t.Errorf("%s: p%v in %v, of the scenarios %v", name, 100*q, *got.Interval, want)
			}
		}
	}
	agree("latency", latency, summary.Latency)
	agree("cost", cost, summary.Cost)
	other, err := NewGenerative(m, GenerativeSettings{Seed: 6, Scenarios: 2000})
	if err != nil {
		t.Fatal(err)
	}
	if simulate(t, other, c, 100, Settings{Seed: 1}, nil).Latency == simulate(t, world, c, 100, Settings{Seed: 1}, nil).Latency {
		t.Error("another seed draws the same scenarios")
	}
	// Alone on a platform without limits, executions are runs.
	alone := load(t, Workload{World: world, Config: c, Arrivals: Poisson{0.001}},
		LoadSettings{Platform: &Platform{Price: price}, Seed: 2, Executions: runs}, nil).Workloads[0]
	if i := summary.Latency.MeanInterval; math.Abs(alone.Latency.Mean-summary.Latency.Mean) > 2*(i.Hi-i.Lo) || math.Abs(alone.Cost.Mean/summary.Cost.Mean-1) > 0.01 {
		t.Errorf("under load, latency %v s and cost %v USD; alone %v and %v", alone.Latency.Mean, alone.Cost.Mean, summary.Latency.Mean, summary.Cost.Mean)
	}
}
