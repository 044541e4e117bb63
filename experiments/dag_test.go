//go:build unix

package experiments

import (
	"context"
	"fmt"
	"math"
	"slices"
	"syscall"
	"testing"
	"time"

	"eevee/models"
	"eevee/solvers"
)

// cpuLimit is a context that ends once the process has used some CPU time, so
// that other processes on the machine do not matter.
type cpuLimit struct {
	context.Context
	until time.Duration
}

func cpuUsed(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (c cpuLimit) Err() error {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil && time.Duration(u.Utime.Nano()+u.Stime.Nano()) > c.until {
		return context.DeadlineExceeded
	}
	return nil
}

// generatedProblem poses a bound that is neither loose nor out of reach: the
// percentile that a configuration in the middle of the space has.
func generatedProblem(t testing.TB, shape DAGShape, stages, scenarios int, seed uint64, metric solvers.Metric) *solvers.Problem {
	t.Helper()
	g, err := GenerateDAG(shape, stages, scenarios, models.Streams{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	bound := solvers.Bound{Metric: metric, Limit: 1, Percentile: 95, Confidence: 99.9, Rule: solvers.Plugin}
	p, err := solvers.NewProblem(g.Space, g.Scenarios, bound)
	if err != nil {
		t.Fatal(err)
	}
	pick := slices.Repeat([]int{len(g.Space.Choices(0)) / 2}, stages)
	allowed, err := p.Allowed()
	if err != nil {
		t.Fatal(err)
	}
	p.Bound.Limit = solvers.OrderStatistic(p.Evaluate(g.Space.Config(pick)).Bounded(metric), allowed)
	return p
}

// The same seed gives the same workflow, another one another; every family has
// the number of stages asked for and can be solved.
func TestGeneratedDAGs(t *testing.T) {
	for _, shape := range DAGShapes {
		for _, stages := range []int{1, 5, 16} {
			a := generatedProblem(t, shape, stages, 200, 1, solvers.Latency)
			b := generatedProblem(t, shape, stages, 200, 1, solvers.Latency)
			c := generatedProblem(t, shape, stages, 200, 2, solvers.Latency)
			if a.Workflow().Len() != stages {
				t.Errorf("%s: %d stages, not %d", shape, a.Workflow().Len(), stages)
			}
			if a.Bound.Limit != b.Bound.Limit || a.Bound.Limit == c.Bound.Limit {
				t.Errorf("%s, %d stages: limits %v, %v with the same seed, %v with another", shape, stages, a.Bound.Limit, b.Bound.Limit, c.Bound.Limit)
			}
			if stages > 5 {
				continue
			}
			s, err := solvers.Exact{}.Solve(context.Background(), a, models.Streams{})
			if err != nil || s.Status != solvers.Optimal {
				t.Errorf("%s, %d stages: %s, %v", shape, stages, s.Status, err)
			}
		}
	}
	if _, err := GenerateDAG("star", 3, 10, models.Streams{}); err == nil {
		t.Error("a shape that there is none of was generated")
	}
}

// BenchmarkLarge searches workflows of 16, 32 and 64 stages with 28 choices
// each, on 10,000 scenarios: 20 of every size, five of each family, under a
// bound on either metric, for 2 s of the process's CPU time, with 64 stages for
// 20 s. It reports the median and the largest gap that is proved. That takes a
// quarter of an hour of CPU time; short runs search one workflow of every size
// for a moment.
func BenchmarkLarge(b *testing.B) {
	type size struct {
		stages  int
		seconds float64
	}
	sizes, seeds, shapes := []size{{16, 2}, {32, 2}, {64, 20}}, uint64(5), DAGShapes
	if testing.Short() {
		sizes, seeds, shapes = []size{{16, 0.2}, {32, 0.2}, {64, 0.2}}, 1, DAGShapes[:1]
	}
	for _, size := range sizes {
		for _, metric := range []solvers.Metric{solvers.Latency, solvers.Cost} {
			b.Run(fmt.Sprintf("%d/%s", size.stages, metric), func(b *testing.B) {
				var gaps []float64
				optimal := 0
				for b.Loop() {
					gaps, optimal = gaps[:0], 0
					for seed := range seeds {
						for _, shape := range shapes {
							p := generatedProblem(b, shape, size.stages, 10_000, seed, metric)
							ctx := cpuLimit{context.Background(), cpuUsed(b) + time.Duration(size.seconds*1e9)}
							s, err := solvers.Exact{}.Solve(ctx, p, models.Streams{})
							if err != nil {
								b.Fatal(err)
							}
							b.Logf("%s %d: %s, gap %.3f %%", shape, seed, s.Status, 100*s.Gap())
							if gaps = append(gaps, s.Gap()); s.Status == solvers.Optimal {
								optimal++
							}
						}
					}
				}
				slices.Sort(gaps)
				n := len(gaps)
				b.ReportMetric(50*(gaps[(n-1)/2]+gaps[n/2]), "median-gap-%")
				b.ReportMetric(100*gaps[n-1], "largest-gap-%")
				b.ReportMetric(float64(optimal), "optimal")
				if math.IsInf(gaps[n-1], 1) {
					b.Error("a search proved nothing")
				}
			})
		}
	}
}

// BenchmarkStages solves generated workflows of more and more stages under a
// latency bound with the paper's method, whose work should grow in proportion to
// them: the CPU time per stage and scenario stays what it is.
func BenchmarkStages(b *testing.B) {
	for _, stages := range []int{4, 8, 16, 32} {
		b.Run(fmt.Sprint(stages), func(b *testing.B) {
			const scenarios = 2000
			p := generatedProblem(b, Layered, stages, scenarios, 1, solvers.Latency)
			before := cpuUsed(b)
			for b.Loop() {
				if _, err := (solvers.Jolteon{}).Solve(context.Background(), p, models.Streams{}); err != nil {
					b.Fatal(err)
				}
			}
			used := (cpuUsed(b) - before).Seconds() / float64(b.N)
			b.ReportMetric(1e3*used, "cpu-ms/op")
			b.ReportMetric(1e6*used/float64(stages*scenarios), "cpu-us/stage-scenario")
		})
	}
}
