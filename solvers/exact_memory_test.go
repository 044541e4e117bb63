package solvers_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"

	"eevee/models"
	"eevee/solvers"
)

// shared is a stage whose work is split over the vCPUs of its instances. It is
// neither linear nor selectable, so that every column is computed and kept.
type shared struct{ work []float64 }

func (s shared) ReadsInput() bool { return false }

func (s shared) Times(c models.StageConfig, _ int, latency, billed []float64) {
	for _, out := range [][]float64{latency, billed} {
		for k := range out {
			out[k] = s.work[k]/(c.VCPU*float64(c.Parallelism)) + 0.1*float64(c.Parallelism)
		}
	}
}

// forkJoin returns a problem of two branches and what follows them, under an aim
// with three bounds that bind by turns.
func forkJoin(t *testing.T, n int) *solvers.Problem {
	w, err := models.NewWorkflow("w", []models.Stage{
		{Name: "a"}, {Name: "b", After: []string{"a"}}, {Name: "c"}, {Name: "d", After: []string{"b", "c"}}, {Name: "e", After: []string{"d"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	source := rand.New(rand.NewPCG(1, 2))
	var choices [][]models.StageConfig
	var stages []models.StageSample
	middle := make(models.Config, w.Len())
	for i := range w.Len() {
		var list []models.StageConfig
		for d := 1; d <= 6; d++ {
			for m := 1; m <= 6; m++ {
				list = append(list, models.StageConfig{Memory: 512 * m, VCPU: 0.3 * float64(m), Parallelism: d})
			}
		}
		work := make([]float64, n)
		for k := range work {
			work[k] = 2 + 3*source.ExpFloat64()
		}
		choices, stages, middle[i] = append(choices, list), append(stages, shared{work}), list[14]
	}
	space, err := models.NewSpace(w, choices, nil)
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := models.NewScenarios(w, models.MustPrice(models.PriceAWS), n, stages)
	if err != nil {
		t.Fatal(err)
	}
	latency, cost := scenarios.Outcomes(middle)
	bound := func(m solvers.Metric, values []float64, percentile float64) solvers.Bound {
		return solvers.Bound{
			Metric: m, Limit: models.QuantileR7(values, percentile/100), Percentile: percentile, Confidence: 99, Rule: solvers.Plugin,
		}
	}
	p, err := solvers.NewProblem(space, scenarios, bound(solvers.Latency, latency, 60))
	if err != nil {
		t.Fatal(err)
	}
	p.Further = []solvers.Bound{bound(solvers.Latency, latency, 95), bound(solvers.Cost, cost, 70)}
	return p
}

// The scenarios that are hard for further bounds have columns of their own, and
// the searches that lost give theirs back.
func TestExactCountsTheColumnsOfEveryBound(t *testing.T) {
	kept, counted, sample, err := solvers.Kept(forkJoin(t, 1000))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d numbers are kept, %d counted; %d on the sample alone", kept, counted, sample)
	if kept > counted || kept <= sample {
		t.Errorf("%d numbers are kept, %d counted; %d on the sample alone", kept, counted, sample)
	}
}

// What is said to be taken at most is not less than what is in use at any moment
// of the search.
func TestExactKeepsToItsMemory(t *testing.T) {
	const n = 3000
	for name, aim := range map[string]func(p *solvers.Problem){
		"one bound":    func(p *solvers.Problem) { p.Further = nil },
		"three bounds": func(*solvers.Problem) {},
	} {
		t.Run(name, func(t *testing.T) {
			p := forkJoin(t, n)
			aim(p)
			stated := solvers.Exact{}.Memory(p)
			inUse := func() int64 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				return int64(m.HeapAlloc)
			}
			before, peak := inUse(), int64(0)
			var ended atomic.Bool
			looked := make(chan int)
			go func() {
				looks := 0
				for ; !ended.Load(); looks++ {
					peak = max(peak, inUse()-before)
				}
				looked <- looks
			}()
			s, err := solvers.Exact{}.Solve(context.Background(), p, models.Streams{})
			ended.Store(true)
			looks := <-looked
			if err != nil || s.Status != solvers.Optimal {
				t.Fatalf("status %s, error %v", s.Status, err)
			}
			got := fmt.Sprintf("%.1f MB in use at most, %d looks; %.1f MB stated", float64(peak)/1e6, looks, float64(stated)/1e6)
			t.Log(got)
			if peak > stated || looks < 3 {
				t.Error(got)
			}
		})
	}
}
