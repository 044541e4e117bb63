package solvers_test

import (
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/solvers"
)

// plane is what every configuration of a problem does, one by one: percentile
// and mean.
func plane(t fataler, p *solvers.Problem) (percentile, mean []float64) {
	allowed, err := p.Allowed()
	if err != nil {
		t.Fatalf("%v", err)
	}
	err = solvers.Enumerate(context.Background(), p, func(_ []int, latency, cost []float64) {
		bounded, objective := latency, cost
		if p.Bound.Metric == solvers.Cost {
			bounded, objective = cost, latency
		}
		sum := 0.0
		for _, v := range objective {
			sum += v
		}
		percentile = append(percentile, solvers.OrderStatistic(bounded, allowed))
		mean = append(mean, sum/float64(len(objective)))
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return percentile, mean
}

const rounding = 1e-9 // relative, of sums in another order

// The frontier of a small problem, with and without tolerance, against all of
// its configurations.
func TestFrontierCoversAllConfigurations(t *testing.T) {
	rounds := 5
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		rapid.Check(t, func(t *rapid.T) {
			p := drawProblem(t)
			if p.Space.Size().Sign() == 0 {
				t.Skip("the rules leave no configuration")
			}
			tolerance := rapid.SampledFrom([]float64{0, 0.001, 0.1}).Draw(t, "tolerance")
			f, err := solvers.Exact{}.Frontier(context.Background(), p, tolerance, nil)
			if err != nil {
				t.Fatal(err)
			}
			percentile, mean := plane(t, p)
			finite := false
			for i, q := range percentile {
				finite = finite || !math.IsInf(q+mean[i], 1)
			}
			if !f.Complete || (len(f.Points) > 0) != finite {
				t.Fatalf("complete %v, %d points; some are finite: %v", f.Complete, len(f.Points), finite)
			}
			for i, q := range percentile {
				covered := math.IsInf(q+mean[i], 1)
				for _, point := range f.Points {
					covered = covered || point.Percentile <= q*(1+tolerance)*(1+rounding) && point.Objective <= mean[i]*(1+tolerance)*(1+rounding)
				}
				if !covered {
					t.Fatalf("nothing covers percentile %v, mean %v within %v: %+v", q, mean[i], tolerance, f.Points)
				}
			}
			for k, point := range f.Points {
				least := math.Inf(1)
				for i, q := range percentile {
					if q <= point.Percentile { // to the last bit: costs of many choices all but tie
						least = min(least, mean[i])
					}
				}
				if point.LowerBound > least*(1+rounding) || point.Objective < least*(1-rounding) {
					t.Fatalf("point %d: proved %v, mean %v; the least of all is %v", k, point.LowerBound, point.Objective, least)
				}
				if k > 0 && (f.Points[k-1].Percentile <= point.Percentile || f.Points[k-1].Objective >= point.Objective) {
					t.Fatalf("points %d and %d are not ordered: %+v", k-1, k, f.Points)
				}
				if _, err := p.Space.Locate(point.Config); err != nil {
					t.Fatal(err)
				}
				if got := solvers.OrderStatistic(point.Outcome.Bounded(p.Bound.Metric), f.Allowed); got != point.Percentile {
					t.Fatalf("point %d: percentile %v, the configuration has %v", k, point.Percentile, got)
				}
			}
		})
	}
}

// Every published run lies on or above the frontier of its workflow.
func TestPublishedRunsLieOnTheFrontier(t *testing.T) {
	const tolerance = 0.01
	for name, p := range published(t, "ml") {
		f, err := solvers.Exact{}.Frontier(context.Background(), p, tolerance, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := solvers.Exact{}.Solve(context.Background(), p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		lowest, below := math.Inf(1), math.Inf(-1)
		for _, point := range f.Points {
			if point.Percentile <= p.Bound.Limit*(1+tolerance) {
				lowest = min(lowest, point.Objective)
			}
			if point.Percentile >= p.Bound.Limit {
				below = max(below, point.LowerBound)
			}
		}
		switch s.Status {
		case solvers.Optimal:
			if s.Objective < below*(1-rounding) || lowest > s.Objective*(1+tolerance) {
				t.Errorf("%s: optimum %v, the frontier has %v and proves %v", name, s.Objective, lowest, below)
			}
		case solvers.Infeasible:
			if last := f.Points[len(f.Points)-1]; math.Abs(last.Percentile/s.Reachable-1) > tolerance {
				t.Errorf("%s: reachable is %v, the frontier ends at %v", name, s.Reachable, last.Percentile)
			}
		}
		if testing.Short() {
			return
		}
	}
}
