package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
)

// Whatever the platform, the workflow and the load, the invariants hold after
// every single event, and everything that was asked for ends.
func TestInvariants(t *testing.T) {
	before := auditEvery
	auditEvery = 1
	t.Cleanup(func() { auditEvery = before })
	rapid.Check(t, func(t *rapid.T) {
		time := func(name string, most float64) float64 {
			return rapid.SampledFrom([]float64{0, 0, most / 10, most}).Draw(t, name)
		}
		mixture := func(name string, most float64) Mixture {
			if m := time(name, most); m > 0 {
				return Mixture{{Median: m, Sigma: 0.3}}
			}
			return nil
		}
		count := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
		often := func(name string) float64 { return rapid.SampledFrom([]float64{0, 0, 0.1}).Draw(t, name) }
		retry := []Retrier{{ErrorEquals: []string{"States.ALL"}, MaxAttempts: attempts(count("retries", 3)), IntervalSeconds: 0.5}}
		p := &Platform{
			Instances: Instances{KeepAlive: time("keep-alive", 5), WarmChoice: rapid.SampledFrom(WarmChoices).Draw(t, "choice"), Concurrency: count("slots", 3)},
			ColdStart: ColdStart{Delay: mixture("delay", 0.2), Init: mixture("init", 1), BilledInit: rapid.Bool().Draw(t, "billed")},
			Limits:    Limits{Concurrency: count("concurrency", 6) * 2, Queue: rapid.Bool().Draw(t, "queue"), Timeout: time("timeout", 4), RequestsPerInstance: time("requests", 10)},
			Variation: Variation{InstanceSD: often("instance"), RunSD: often("run"), Straggler: often("straggler"), StragglerFactor: 3},
			Failures:  Failures{Crash: often("crash"), StartFailure: often("start")},
			Retry:     retry,
			Orchestration: Orchestration{
				Kind: rapid.SampledFrom([]Orchestrator{Direct, Standard, Express}).Draw(t, "kind"), Invoke: mixture("invoke", 0.1), Transition: mixture("transition", 0.1),
				MapConcurrency: count("map", 3), MaxDuration: time("duration", 20),
			},
			Network:  Network{Burst: 10, Peak: 20, Rate: 5},
			Storage:  Storage{Read: StorageRequest{Latency: mixture("read", 0.1), Rate: time("rate", 50)}},
			Price:    models.MustPrice(models.PriceAWS),
			Services: models.ServicePrices{Standard: models.StandardPrice{USDPerTransition: 2.5e-5}, Express: models.ExpressPrice{USDPerRequest: 1e-6, USDPerGBHour: 0.06}},
		}
		if n := count("scaling", 4); n > 0 {
			p.Limits.ScaleInstances, p.Limits.ScaleWindow = n, 1
		}
		if p.Limits.Concurrency == 0 || p.Limits.Concurrency > 4 {
			f := Function{Stage: "b", Provisioned: count("provisioned", 2), Prewarmed: count("prewarmed", 2)}
			if reserved := count("reserved", 2); reserved > 0 {
				f.Reserved = reserved + f.Provisioned
			}
			if rapid.Bool().Draw(t, "moves") {
				f.ReadMB, f.ReadRequests, f.WriteMB, f.WriteRequests = 20, 2, 5, 1
			}
			p.Functions = []Function{f}
		}
		n := rapid.IntRange(1, 4).Draw(t, "stages")
		after := make([][]int, n)
		var c models.Config
		for i := range n {
			for parent := range i {
				if rapid.Bool().Draw(t, "edge") {
					after[i] = append(after[i], parent)
				}
			}
			c = append(c, config(rapid.IntRange(1, 4).Draw(t, "parallelism"))...)
		}
		var stages []models.Stage
		for i, parents := range after {
			s := models.Stage{Name: string(rune('a' + i))}
			for _, parent := range parents {
				s.After = append(s.After, string(rune('a'+parent)))
			}
			stages = append(stages, s)
		}
		w, err := models.NewWorkflow("test", stages)
		if err != nil {
			t.Fatal(err)
		}
		world := law{w, func(_ int, s *rand.Rand) Task {
			return Task{Cold: s.Int64N(2) * s.Int64N(1e8), Read: s.Int64N(1e8), Compute: int64(s.ExpFloat64() * 1e9), Write: s.Int64N(1e8)}
		}}
		workloads := []Workload{
			{Name: "open", World: world, Config: c, Arrivals: Poisson{rapid.SampledFrom([]float64{0.2, 2, 20}).Draw(t, "rate")}},
			{Name: "closed", World: world, Config: c, Arrivals: Closed{Users: 2, Think: 1}},
		}
		switch rapid.IntRange(0, 2).Draw(t, "who") {
		case 0:
			workloads[0].Policy = deciding(func(stage int, p models.Progress) models.Decision {
				d := models.Decision{StageConfig: c[stage], Cost: models.DecisionCost{Latency: 0.1, USD: 1e-6}, Launch: float64(stage)}
				if stage+1 < n {
					d.Prewarm = []models.Prewarm{{Stage: stage + 1, StageConfig: c[stage+1], At: p.Now + 0.5}}
				}
				if stage > 0 {
					d.Placement.Group = "late"
				}
				return d
			})
		case 1:
			s := &models.Schedule{}
			for i := range n {
				s.Launch, s.Prewarm = append(s.Launch, float64(i)/2), append(s.Prewarm, float64(i)/3)
			}
			workloads[0].Schedule = s
		}
		const executions = 40
		handed := 0
		s, err := Load(context.Background(), workloads, LoadSettings{
			Platform: p, Seed: rapid.Uint64().Draw(t, "seed"), Executions: executions,
			Keep: rapid.SampledFrom([]Keep{KeepTotals, KeepTasks, KeepRequests}).Draw(t, "keep"),
		}, func(*Run) error { handed++; return nil })
		if err != nil {
			if handed == 0 && strings.Contains(err.Error(), "_concurrency") {
				return // limits that contradict the workflow
			}
			if workloads[0].Schedule != nil && p.Limits.Queue && strings.Contains(err.Error(), "wait for each other") {
				return // functions that were launched early hold all of the account
			}
			t.Fatal(err)
		}
		failed := 0
		for _, w := range s.Workloads {
			for _, k := range w.Failed {
				failed += k
			}
		}
		if s.Asked != executions || s.Ended != executions || handed+failed != executions {
			t.Fatalf("%d executions asked for, %d ended, %d handed out, %d failed", s.Asked, s.Ended, handed, failed)
		}
	})
}

// The audit notices what is wrong.
func TestAuditNotices(t *testing.T) {
	d, err := newDeployment([]Workload{{World: newExponential(t, 1), Config: config(1), Arrivals: Poisson{10}}},
		LoadSettings{Platform: crowded(), Executions: 200, Replications: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*cloud){
		"a request is lost":     func(c *cloud) { c.inFlight++ },
		"a limit is exceeded":   func(c *cloud) { c.limit = c.shared - 1 },
		"a bill is lost":        func(c *cloud) { c.audit.billed++ },
		"an execution is lost":  func(c *cloud) { c.asked++ },
		"an instance is lost":   func(c *cloud) { c.functions[0].warm.live++ },
		"somebody waits idly":   func(c *cloud) { c.functions[0].queue.n++ },
		"an instance is shared": func(c *cloud) { c.functions[0].warm.instances[0].active++ },
	} {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		c := d.cloud(0, nil)
		c.audit.every = 0
		c.each = func(r *Run) error {
			if r.Replication == 50 {
				return fmt.Errorf("enough")
			}
			return nil
		}
		if err := c.run(ctx); err == nil {
			t.Fatal("the simulation went on")
		}
		if c.shared == 0 {
			t.Fatal("nothing is under way")
		}
		c.check() // in order so far
		spoil(c)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: nobody noticed", name)
				}
			}()
			c.check()
		}()
	}
}
