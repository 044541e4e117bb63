package papers

import (
	"context"
	"math"
	"testing"

	"eevee/experiments"
	"eevee/internal/recordings"
	"eevee/models"
	"eevee/sim"
)

// constant is a chain whose stages always take the given times, s.
type constant struct {
	workflow *models.Workflow
	takes    []float64
}

func (c constant) Workflow() *models.Workflow { return c.workflow }

func (c constant) Stage(i int, s models.StageConfig, _ int) (sim.Behaviour, error) {
	return proportional{c.workflow, c.takes[i] * float64(s.Memory)}.Stage(i, s, 0)
}

// By hand: stages of 10 and 5 s, on one and three instances that take 2 s to start.
func TestOutcomesOfStarts(t *testing.T) {
	w, err := models.NewWorkflow("two", []models.Stage{{Name: "first"}, {Name: "second", After: []string{"first"}}})
	if err != nil {
		t.Fatal(err)
	}
	o := newOrionStarts()
	o.Sigma, o.Executions = 0, 100
	world := constant{w, []float64{10, 5}}
	config := models.Config{{Memory: 1000, VCPU: 1, Parallelism: 1}, {Memory: 1000, VCPU: 1, Parallelism: 3}}
	b := &bench{setup: &experiments.Setup{}}
	for _, c := range []struct{ at, latency, waits float64 }{
		{0, 17, 10},
		{6, 17, 4},
		{10, 17, 0},
		{11, 18, 0}, // ready a second after the first stage has ended
		{13, 19, 0}, // asked for before they are started: started at once
		{9.5, 17, 0.5},
	} {
		planned := &models.Schedule{Prewarm: []float64{math.NaN(), c.at}}
		got, err := o.outcomes(context.Background(), 1, world, config, o.platform(b, 2), planned)
		if err != nil {
			t.Fatal(err)
		}
		busy := 12 + 3*7.0
		ours := got[startsOrion]
		// Quantiles under load come from buckets.
		if math.Abs(ours.p95/c.latency-1) > sim.QuantileError {
			t.Errorf("started at %v s: p95 %v s, want %v", c.at, ours.p95, c.latency)
		}
		if want := busy / (busy + 3*c.waits); c.at <= 10 && math.Abs(ours.utilisation-want) > 0.005 {
			t.Errorf("started at %v s: utilisation %v, want %v", c.at, ours.utilisation, want)
		}
		if c.at <= 10 && math.Abs(ours.ready[1]-12) > 1e-6 {
			t.Errorf("started at %v s: the second stage is ready after %v s, want 12", c.at, ours.ready[1])
		}
		if all, none := got[startsAtOnce], got[startsOnReady]; math.Abs(all.p95/17-1) > sim.QuantileError || math.Abs(none.p95/19-1) > sim.QuantileError || none.utilisation != 1 {
			t.Errorf("all at once %+v, none %+v", all, none)
		}
	}
}

// What the artifact's delays are said to do holds.
func TestOrionStarts(t *testing.T) {
	f, err := Reproduce(context.Background(), selected(t, "orion-starts"), quickOptions(experiments.Sources{Recordings: recordings.Dir(t)}))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"latency", "kept", "idle", "order", "ahead"} {
		if c := claimOf(t, f, "orion-starts."+id); c.Verdict != Shape {
			t.Errorf("%s: %s, %s", c.ID, c.Verdict, c.Why)
		}
	}
}
