package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/models"
	"eevee/traces"
)

// deciding is a policy made of a function.
type deciding func(stage int, p models.Progress) models.Decision

func (deciding) String() string                                              { return "deciding" }
func (d deciding) Begin() models.Decider                                     { return d }
func (d deciding) Decide(stage int, p models.Progress) (dec models.Decision) { return d(stage, p) }

// told decides what a configuration says, without the simulator knowing.
func told(c models.Config) deciding {
	return func(stage int, _ models.Progress) models.Decision { return models.Decision{StageConfig: c[stage]} }
}

func simulatePolicy(t testing.TB, world World, p models.Policy, runs int, s Settings, each func(*Run) error) *Summary {
	t.Helper()
	summary, err := SimulatePolicy(context.Background(), world, p, runs, s, each)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// rowsOf simulates and returns the rows of all runs but for their names, which
// differ between a configuration and a policy.
func rowsOf(simulate func(each func(*Run) error) *Summary) (rows []traces.Record, summary *Summary) {
	summary = simulate(func(r *Run) error {
		rows = r.Records(rows)
		return nil
	})
	for k := range rows {
		rows[k].Execution = ""
	}
	return rows, summary
}

// Decisions that do not depend on the run give the runs of the configuration,
// bit for bit: in a law of our own, in recordings where every stage was
// recorded in the same executions, and between recorded sizes.
func TestToldPolicyIsTheConfiguration(t *testing.T) {
	w := graph(t, nil, nil, []int{0}, []int{1, 2}, []int{0, 3})
	p := bundledProfile(t, "tpcds")
	replay := newReplay(t, p.def.Workflow, p.rows, ReplaySettings{})
	for _, c := range []struct {
		name  string
		world World
		models.Config
	}{
		{"law", law{w, func(_ int, s *rand.Rand) Task {
			return Task{s.Int64N(1e9), s.Int64N(1e9), s.Int64N(1e9), s.Int64N(1e9)}
		}}, config(3, 1, 7, 2, 4)},
		{"recorded", replay, p.config(p.grid[3])},
		{"between", replay, p.config(traces.ProfileConfig{MemoryMB: 2000, Parallelism: 11})},
	} {
		for _, price := range models.Prices() {
			s := Settings{Seed: 7, Keep: KeepTasks, Price: models.MustPrice(price), LatencyLimit: 4}
			want, fixed := rowsOf(func(each func(*Run) error) *Summary { return simulate(t, c.world, c.Config, 20, s, each) })
			got, online := rowsOf(func(each func(*Run) error) *Summary {
				return simulatePolicy(t, c.world, told(c.Config), 20, s, each)
			})
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%s, %s: other rows (-configuration +policy):\n%s", c.name, price, d)
			}
			if d := cmp.Diff([]any{fixed.Latency, fixed.Cost, fixed.GBSeconds, fixed.LatencyViolations, fixed.Warnings},
				[]any{online.Latency, online.Cost, online.GBSeconds, online.LatencyViolations, online.Warnings}); d != "" {
				t.Errorf("%s, %s: other summary (-configuration +policy):\n%s", c.name, price, d)
			}
			for i, stage := range online.Stages {
				want := []StageChoice{{c.Config[i].Memory, c.Config[i].Parallelism, 20, fixed.Stages[i].Origin}}
				if !slices.Equal(stage.Choices, want) {
					t.Errorf("%s: stage %s was decided as %v, want %v", c.name, stage.Stage, stage.Choices, want)
				}
			}
		}
	}
}

// A static policy is the configuration, also where stages are tied together in
// a way that takes all of it to know.
func TestStaticPolicyIsTheConfiguration(t *testing.T) {
	p := bundledProfile(t, "tpcds")
	world := newReplay(t, p.def.Workflow, p.rows, ReplaySettings{})
	c := p.config(p.grid[0])
	c[len(c)-1] = p.config(p.grid[len(p.grid)-1])[len(c)-1]
	want, fixed := rowsOf(func(each func(*Run) error) *Summary {
		return simulate(t, world, c, 100, Settings{Keep: KeepTasks}, each)
	})
	got, static := rowsOf(func(each func(*Run) error) *Summary {
		return simulatePolicy(t, world, models.StaticPolicy{Config: c}, 100, Settings{Keep: KeepTasks}, each)
	})
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("other rows (-configuration +policy):\n%s", d)
	}
	if static.Policy = ""; cmp.Diff(fixed, static) != "" {
		t.Errorf("other summary:\n%s", cmp.Diff(fixed, static))
	}
}

// A launch time in the future delays the functions of a stage, one that has
// passed does not, and neither is a cost of deciding.
func TestLaunchTimesAreKept(t *testing.T) {
	w := graph(t, nil, []int{0}, []int{1})
	world := law{w, func(int, *rand.Rand) Task { return Task{Compute: 2e9} }}
	launch := []float64{0.5, 1, 7}
	late := deciding(func(stage int, _ models.Progress) models.Decision {
		return models.Decision{StageConfig: config(1)[0], Launch: launch[stage], Cost: models.DecisionCost{Latency: 0.25}}
	})
	simulatePolicy(t, world, late, 3, Settings{Keep: KeepTasks}, func(r *Run) error {
		for i, want := range []struct{ ready, end float64 }{{0, 2.5}, {2.5, 4.75}, {4.75, 9}} {
			s := r.Stages[i]
			if s.Ready != want.ready || s.End != want.end || s.Deciding.Latency != 0.25 {
				t.Errorf("stage %d runs from %v to %v s after deciding for %v s, want %v", i, s.Ready, s.End, s.Deciding.Latency, want)
			}
		}
		return nil
	})
}

// reacting decides by what happened: more instances the later it is.
func reacting(stage int, p models.Progress) models.Decision {
	return models.Decision{
		StageConfig: models.StageConfig{Memory: 1024 + 128*(int(p.Now*10)%5), VCPU: 1, Parallelism: 1 + int(p.Now*100)%7},
		Cost:        models.DecisionCost{Latency: 0.25, USD: 1e-6},
	}
}

func TestPolicySameSeedSameBytes(t *testing.T) {
	w := graph(t, nil, nil, []int{0}, []int{1}, []int{2, 3})
	world := law{w, func(_ int, s *rand.Rand) Task { return Task{Cold: s.Int64N(1e9), Compute: s.Int64N(3e9)} }}
	bytesOn := func(cores int) []byte {
		rows, summary := rowsOf(func(each func(*Run) error) *Summary {
			return simulatePolicy(t, world, deciding(reacting), 3*chunkRuns+5, Settings{Seed: 3, Keep: KeepTasks, Cores: cores}, each)
		})
		text, err := json.Marshal([]any{rows, summary})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	want := bytesOn(1)
	for _, cores := range []int{2, 3, 7} {
		if !bytes.Equal(want, bytesOn(cores)) {
			t.Errorf("other bytes on %d cores", cores)
		}
	}
	if n := strings.Count(string(want), `"runs":`) - 1; n < 10 {
		t.Errorf("the policy made %d different decisions; the test wants many", n)
	}
}

// A decider sees what has happened, and nothing else.
func TestProgressIsThePast(t *testing.T) {
	w := graph(t, nil, nil, []int{0}, []int{0, 1}, []int{2, 3}, []int{1})
	world := law{w, func(_ int, s *rand.Rand) Task { return Task{Cold: s.Int64N(1e9), Compute: s.Int64N(3e9)} }}
	type seen struct {
		now    float64
		end    []float64
		config models.Config
	}
	var asked map[int]seen
	spy := deciding(func(stage int, p models.Progress) models.Decision {
		if p.Now == 0 && stage == 0 {
			asked = map[int]seen{}
		}
		if _, twice := asked[stage]; twice {
			t.Errorf("stage %d is decided twice", stage)
		}
		asked[stage] = seen{p.Now, slices.Clone(p.End), p.Config.Clone()}
		return reacting(stage, p)
	})
	simulatePolicy(t, world, spy, 200, Settings{Cores: 1}, func(r *Run) error {
		for i, stage := range r.Stages {
			at := asked[i]
			if at.now != stage.Ready {
				t.Fatalf("stage %d is ready at %v s, decided at %v s", i, stage.Ready, at.now)
			}
			for k, other := range r.Stages {
				ended, decided := !math.IsNaN(at.end[k]), at.config[k].Parallelism > 0
				switch {
				case ended && (at.end[k] != other.End || other.End > at.now):
					t.Fatalf("at %v s stage %d is said to have ended at %v s; it did at %v s", at.now, k, at.end[k], other.End)
				case !ended && other.End < at.now:
					t.Fatalf("at %v s it is not known that stage %d ended at %v s", at.now, k, other.End)
				case decided && (k == i || other.Ready > at.now):
					t.Fatalf("at %v s stage %d is decided, which was ready at %v s", at.now, k, other.Ready)
				case !decided && other.Ready < at.now:
					t.Fatalf("at %v s it is not known how stage %d was decided at %v s", at.now, k, other.Ready)
				}
			}
			for _, parent := range w.Parents(i) {
				if math.IsNaN(at.end[parent]) {
					t.Fatalf("stage %d is decided before its parent %d has ended", i, parent)
				}
			}
		}
		return nil
	})
}

// Deciding is charged: a chain takes longer by what its decisions take, and the
// cost of a run is the sum of the invoices and of the decisions.
func TestDecisionsAreCharged(t *testing.T) {
	w := graph(t, nil, []int{0}, []int{1})
	world := law{w, func(_ int, s *rand.Rand) Task { return Task{Cold: s.Int64N(1e9), Compute: s.Int64N(3e9)} }}
	c := config(2, 3, 4)
	cost := []models.DecisionCost{{Latency: 0.5, USD: 1e-3}, {}, {Latency: 0.125, USD: 2e-3}}
	var free []Run
	simulate(t, world, c, 50, Settings{Keep: KeepTasks}, func(r *Run) error {
		free = append(free, Run{Latency: r.Latency, Cost: r.Cost})
		return nil
	})
	charged := deciding(func(stage int, _ models.Progress) models.Decision {
		return models.Decision{StageConfig: c[stage], Cost: cost[stage]}
	})
	summary := simulatePolicy(t, world, charged, 50, Settings{Keep: KeepTasks}, func(r *Run) error {
		invoices := 0.0
		for _, row := range r.Records(nil) {
			if row.Statistic == traces.Invocation {
				invoices += *row.CostUSD
			}
		}
		was := free[r.Replication]
		if math.Abs(r.Latency-was.Latency-0.625) > 1e-9 {
			t.Errorf("run %d takes %v s, %v s without decisions of 0.625 s", r.Replication, r.Latency, was.Latency)
		}
		if math.Abs(r.Cost-invoices-3e-3) > 1e-12 || math.Abs(invoices-was.Cost) > 1e-12 {
			t.Errorf("run %d costs %v USD: invoices of %v and decisions of 0.003; %v without decisions", r.Replication, r.Cost, invoices, was.Cost)
		}
		for i, stage := range r.Stages {
			if stage.Deciding != cost[i] {
				t.Errorf("stage %d took %+v to decide, want %+v", i, stage.Deciding, cost[i])
			}
		}
		return nil
	})
	if d := summary.Deciding; math.Abs(d.Latency-0.625) > 1e-12 || math.Abs(d.Cost-3e-3) > 1e-15 {
		t.Errorf("the summary says that decisions take %+v", d)
	}
}

// Stages that were recorded together stay together in a replay under a policy.
func TestPolicyReplaysExecutionsJointly(t *testing.T) {
	p := bundledProfile(t, "ml")
	world := newReplay(t, p.def.Workflow, p.rows, ReplaySettings{})
	c := p.config(p.grid[2])
	walls := map[[2]float64]bool{}
	simulatePolicy(t, world, told(c), 400, Settings{}, func(r *Run) error {
		walls[[2]float64{r.Stages[1].Latency(), r.Stages[2].Latency()}] = true
		return nil
	})
	if len(walls) != 2 { // the profile has two warm executions of every configuration
		t.Errorf("stages 1 and 2 take %d pairs of times, want those of the two executions: %v", len(walls), walls)
	}
}

func TestPolicyErrors(t *testing.T) {
	w := graph(t, nil, []int{0})
	world := law{w, func(int, *rand.Rand) Task { return Task{Compute: 1e9} }}
	for want, d := range map[string]models.Decision{
		`run 0: stage "b": 0 instances`:    {StageConfig: models.StageConfig{Memory: 128, VCPU: 1}},
		`run 0: stage "b": 0 MB of memory`: {StageConfig: models.StageConfig{VCPU: 1, Parallelism: 1}},
		`run 0: stage "b": 2 processes`:    {StageConfig: models.StageConfig{Memory: 128, Parallelism: 1, Processes: 2}},
		`run 0: decision cost: latency -1`: {StageConfig: config(1)[0], Cost: models.DecisionCost{Latency: -1}},
		`run 0: decision cost: NaN USD`:    {StageConfig: config(1)[0], Cost: models.DecisionCost{USD: math.NaN()}},
	} {
		bad := deciding(func(stage int, _ models.Progress) models.Decision {
			if stage == 1 {
				return d
			}
			return models.Decision{StageConfig: config(3)[0]}
		})
		for _, cores := range []int{1, 2} {
			summary, err := SimulatePolicy(context.Background(), world, bad, 500, Settings{Cores: cores}, nil)
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "policy deciding") || summary != nil {
				t.Errorf("error %v, want one that says %q", err, want)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	summary, err := SimulatePolicy(ctx, world, told(config(1, 1)), 1000, Settings{}, func(r *Run) error {
		if r.Replication == 9 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || summary == nil || summary.Runs != 10 {
		t.Errorf("cancelled after 10 runs: summary %v, error %v", summary, err)
	}
	if _, err := SimulatePolicy(context.Background(), world, models.StaticPolicy{Config: config(1)}, 1, Settings{}, nil); err == nil {
		t.Error("a static policy of one stage configures a workflow of two")
	}
}

func BenchmarkPolicy(b *testing.B) {
	p := bundledProfile(b, "tpcds")
	world := newReplay(b, p.def.Workflow, p.rows, ReplaySettings{})
	c := p.config(p.grid[2])
	b.ReportAllocs()
	b.ResetTimer()
	simulatePolicy(b, world, told(c), b.N, Settings{Cores: 1}, nil)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}
