package solvers_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/solvers"
)

// aimKinds are the ways in which an aim can hold more than one percentile of one
// metric, one by one and together.
var aimKinds = []string{"several", "joint", "cvar", "percentile", "all"}

// drawAim makes the aim of a random problem one of a kind. Limits lie around
// what random configurations do, so that bounds bind by turns, some problems
// have no answer, and some figures tie with their limit.
func drawAim(t *rapid.T, p *solvers.Problem, kind string) {
	near := func(m solvers.Metric, percentile float64, cvar bool) float64 {
		pick := make([]int, p.Workflow().Len())
		for i := range pick {
			pick[i] = rapid.IntRange(0, len(p.Space.Choices(i))-1).Draw(t, "choice")
		}
		values := p.Evaluate(p.Space.Config(pick)).Bounded(m)
		at := solvers.TailMean(values, percentile)
		if !cvar {
			at = solvers.OrderStatistic(values, worse(len(values), percentile))
		}
		limit := at * rapid.SampledFrom([]float64{0.7, 0.9, 1, 1, 1.1, 1.5}).Draw(t, "times")
		if !(limit > 0) || math.IsInf(limit, 1) {
			return 1
		}
		return limit
	}
	percentile := func() float64 { return rapid.SampledFrom([]float64{50, 80, 95, 99}).Draw(t, "percentile") }
	add := func(n int) {
		for range n {
			b := p.Bound
			b.Also, b.Measure = 0, solvers.Quantile
			b.Metric = rapid.SampledFrom([]solvers.Metric{solvers.Latency, solvers.Cost}).Draw(t, "on")
			b.Percentile = percentile()
			b.Limit = near(b.Metric, b.Percentile, false)
			p.Further = append(p.Further, b)
		}
	}
	if kind == "several" || kind == "all" {
		add(rapid.IntRange(1, 2).Draw(t, "bounds"))
	}
	if kind == "joint" || kind == "all" {
		p.Bound.Also = near(p.Objective(), p.Bound.Percentile, false)
	}
	if kind == "cvar" || kind == "all" {
		add(1)
		p.Further[len(p.Further)-1].Measure = solvers.CVaR
		p.Further[len(p.Further)-1].Limit = near(p.Further[len(p.Further)-1].Metric, p.Further[len(p.Further)-1].Percentile, true)
		if kind == "cvar" && rapid.Bool().Draw(t, "alone") {
			b := p.Further[0]
			if b.Metric == p.Bound.Metric {
				p.Bound, p.Further = b, nil
			}
		}
	}
	if kind == "percentile" || kind == "all" && rapid.Bool().Draw(t, "of percentile") {
		p.Percentile = percentile()
	}
}

func TestExactEqualsExhaustiveUnderAims(t *testing.T) {
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	for _, kind := range aimKinds {
		t.Run(kind, func(t *testing.T) {
			seen := map[solvers.Status]int{}
			for range rounds {
				rapid.Check(t, func(t *rapid.T) {
					p := drawProblem(t)
					if p.Space.Size().Sign() == 0 {
						t.Skip("the rules leave no configuration")
					}
					drawAim(t, p, kind)
					seen[agree(t, kind, p)]++
				})
			}
			if seen[solvers.Optimal] == 0 || seen[solvers.Infeasible] == 0 && kind != "percentile" {
				t.Errorf("the problems are all of one sort: %v", seen)
			}
		})
	}
}

// Exhaustive itself against the definitions of all that an aim can hold, each
// written down here once more, in the plainest way there is.
func TestExhaustiveIsTheDefinitionOfAims(t *testing.T) {
	for _, kind := range aimKinds {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				p := drawProblem(t)
				drawAim(t, p, kind)
				best := math.Inf(1)
				eachConfig(p.Space, func(c models.Config) {
					latency, cost := p.Scenarios.Outcomes(c)
					for _, b := range append([]solvers.Bound{p.Bound}, p.Further...) {
						if !kept(b, latency, cost) {
							return
						}
					}
					values := latency
					if p.Bound.Metric == solvers.Latency {
						values = cost
					}
					v := 0.0
					for _, x := range values {
						v += x / float64(len(values))
					}
					if p.Percentile != 0 {
						sorted := slices.Sorted(slices.Values(values))
						v = sorted[len(sorted)-1-worse(len(sorted), p.Percentile)]
					}
					best = min(best, v)
				})
				s, err := solvers.Exhaustive{}.Solve(context.Background(), p, models.Streams{})
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case math.IsInf(best, 1):
					if s.Status != solvers.Infeasible {
						t.Fatalf("status %s with %v; no configuration keeps the bounds", s.Status, s.Objective)
					}
				case s.Status != solvers.Optimal || math.Abs(s.Objective-best) > 1e-12*best:
					t.Fatalf("status %s, objective %v; the best of all is %v", s.Status, s.Objective, best)
				}
			})
		})
	}
}

// worse is floor(n * (1 - percentile/100)) of percentiles that are whole.
func worse(n int, percentile float64) int { return n * (100 - int(percentile)) / 100 }

// kept judges one bound under the rule plugin.
func kept(b solvers.Bound, latency, cost []float64) bool {
	n := len(latency)
	on := map[solvers.Metric][]float64{solvers.Latency: latency, solvers.Cost: cost}
	if b.Measure == solvers.CVaR {
		// The least of t + E[max(x - t, 0)]/r, which is attained at a value.
		least := math.Inf(1)
		for _, t := range on[b.Metric] {
			sum := 0.0
			for _, x := range on[b.Metric] {
				sum += max(x-t, 0)
			}
			if v := t + sum/(float64(n)*(100-b.Percentile)/100); v < least {
				least = v
			}
		}
		if float64(n)*(100-b.Percentile) < 100 { // the tail holds no whole scenario
			least = slices.Max(on[b.Metric])
		}
		return least <= b.Limit*(1+1e-12)
	}
	over := 0
	for k := range n {
		if on[b.Metric][k] > b.Limit || b.Also > 0 && on[b.Metric.Other()][k] > b.Also {
			over++
		}
	}
	return over <= worse(n, b.Percentile)
}

// eachConfig shows every admissible configuration.
func eachConfig(space *models.Space, show func(models.Config)) {
	pick := make([]int, space.Workflow.Len())
	for {
		if c := space.Config(pick); admitted(space, c) {
			show(c)
		}
		i := 0
		for ; i < len(pick); i++ {
			if pick[i]++; pick[i] < len(space.Choices(i)) {
				break
			}
			pick[i] = 0
		}
		if i == len(pick) {
			return
		}
	}
}
