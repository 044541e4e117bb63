// Package sim executes workflows in simulated time.
//
// A World says what the cloud really does: how long the tasks of a stage take
// under a configuration. It is not the model that a solver was given, so that
// the simulation is an independent judge of what a solver claims. Replay is
// the world of recorded executions, Generative that of a fitted model.
//
// Simulate runs a workflow in a world under a configuration, many times, and
// summarises latency and cost. A stage is ready when all its parents have
// ended; its tasks then start, one per instance; it ends with the slowest of
// them; and the workflow ends with its last stage:
//
//	world, err := sim.NewReplay(workflow, rows, sim.ReplaySettings{})
//	summary, err := sim.Simulate(ctx, world, config, 10_000, sim.Settings{Seed: 1}, nil)
//
// SimulatePolicy does the same for a policy (models.Policy), which decides the
// configuration of every stage when the stage is ready.
//
// Runs are replications: run i draws from streams of its own, so that its
// result depends on the seed and on i only, whatever the number of cores. A
// run can be turned into rows of a trace (Run.Records), which can be replayed
// in turn, and into a timeline (Run.Spans, WriteChromeTrace).
//
// Load simulates executions that come while others are under way, of one or
// many workloads that share a Platform: the account's limits, instances that
// start, stay warm and expire, throttling and retries, orchestration, storage
// and prices. Arrivals say when executions come. Its metrics are streamed, so
// that memory grows with what is under way at the same time, not with what was
// simulated, and no invocation allocates:
//
//	platform, err := sim.LoadPlatform("aws-stepfunctions-standard")
//	arrivals, err := sim.ParseArrivals("poisson:10/s")
//	summary, err := sim.Load(ctx, []sim.Workload{{World: world, Config: config, Arrivals: arrivals}},
//		sim.LoadSettings{Platform: platform, Seed: 1, Duration: 3600, Warmup: 300}, nil)
//
// Its invariants (conservation, causality, capacity, work conservation, and
// money that equals the sum of bills) are audited in every test run.
//
// Inside, time is int64 nanoseconds since the start of the run and money is
// int64 pico-dollars, so that sums are exact and do not depend on their order.
// Outside, times are float64 seconds and money is float64 USD.
package sim
