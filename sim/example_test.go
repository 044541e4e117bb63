package sim_test

import (
	"context"
	"fmt"
	"log"

	"eevee/models"
	"eevee/sim"
	"eevee/traces"
)

// A recorded run of two stages is replayed. The four tasks of the second stage
// take 9 s on average, and 10 s at their p95; the stage took 12 s.
func ExampleSimulate() {
	w, err := models.NewWorkflow("report", []models.Stage{
		{Name: "split", MaxParallelism: 1},
		{Name: "count", After: []string{"split"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	row := func(stage string, d int32, statistic traces.Statistic, cold, read, compute, write float64) traces.Record {
		return traces.Record{
			Workflow: "report", Execution: "monday", Stage: stage, Statistic: statistic, MemoryMB: 1769, Parallelism: &d,
			Cold: &cold, Read: &read, Compute: &compute, Write: &write, Source: traces.Recorded,
		}
	}
	world, err := sim.NewReplay(w, []traces.Record{
		row("split", 1, traces.Mean, 0.2, 1, 3, 0.8),
		row("count", 4, traces.Mean, 3, 2, 6, 1),
		row("count", 4, traces.P95, 2, 2, 7, 1),
	}, sim.ReplaySettings{})
	if err != nil {
		log.Fatal(err)
	}
	config := models.Config{{Memory: 1769, Parallelism: 1}, {Memory: 1769, Parallelism: 4}}
	summary, err := sim.Simulate(context.Background(), world, config, 10, sim.Settings{Seed: 1}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("latency %.1f s, cost %.6f USD\n", summary.Latency.Mean, summary.Cost.Mean)
	for _, s := range summary.Stages {
		fmt.Printf("%s: %.1f s, billed %.1f s (%s)\n", s.Stage, s.Latency, s.Billed, s.Origin)
	}
	// Output:
	// latency 17.0 s, cost 0.001176 USD
	// split: 5.0 s, billed 4.8 s (recorded 1x1769MB, 1 execution)
	// count: 12.0 s, billed 36.0 s (recorded 4x1769MB reading from 1, 1 execution)
}

// A function that takes a second is called 0.5 times per second, at random. Of
// the time that an instance costs to keep, the platform bills nothing: only
// requests, the time that functions run, and initialisation.
func ExampleLoad() {
	w, err := models.NewWorkflow("thumbnail", []models.Stage{{Name: "resize", MaxParallelism: 1}})
	if err != nil {
		log.Fatal(err)
	}
	one, cold, compute := int32(1), 0.0, 1.0
	world, err := sim.NewReplay(w, []traces.Record{{
		Workflow: "thumbnail", Execution: "monday", Stage: "resize", Statistic: traces.Mean, MemoryMB: 1769, Parallelism: &one,
		Cold: &cold, Compute: &compute, Source: traces.Recorded,
	}}, sim.ReplaySettings{})
	if err != nil {
		log.Fatal(err)
	}
	platform := &sim.Platform{
		Name:      "small",
		Instances: sim.Instances{KeepAlive: 600, WarmChoice: sim.MostRecent},
		ColdStart: sim.ColdStart{Init: sim.Mixture{{Median: 0.4}}, BilledInit: true},
		Limits:    sim.Limits{Concurrency: 3, Queue: true},
		Price:     models.MustPrice(models.PriceAWS),
	}
	summary, err := sim.Load(context.Background(), []sim.Workload{{
		World: world, Config: models.Config{{Memory: 1769, Parallelism: 1}}, Arrivals: sim.Poisson{Rate: 0.5},
	}}, sim.LoadSettings{Platform: platform, Seed: 1, Duration: 86_400, Warmup: 3600}, nil)
	if err != nil {
		log.Fatal(err)
	}
	load, function := summary.Workloads[0], summary.Functions[0]
	fmt.Printf("latency: p50 %.1f s, p99 %.1f s\n", load.Latency.P50, load.Latency.P99)
	fmt.Printf("%.2f requests at a time, at most %d\n", function.BusySeconds/(summary.Simulated-3600), summary.Peak)
	fmt.Printf("cost of an execution: %.7f USD\n", load.Cost.Mean)
	// Output:
	// latency: p50 1.0 s, p99 1.2 s
	// 0.50 requests at a time, at most 3
	// cost of an execution: 0.0000290 USD
}
