package baselines_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"eevee/baselines"
	"eevee/models"
	"eevee/sim"
)

// function is a stage whose time in every scenario is a number of steps for
// each of its sizes, of 1, 2, ... vCPU.
type function [][]int // per size, per scenario

const functionStep = 0.5 // s

func functionConfig(size int) models.StageConfig {
	return models.StageConfig{Memory: 1769 * (size + 1), VCPU: float64(size + 1), Parallelism: 1}
}

func (f function) Times(c models.StageConfig, _ int, latency, billed []float64) {
	for _, to := range [][]float64{latency, billed} {
		for k := range to {
			to[k] = functionStep * float64(f[int(c.VCPU)-1][k])
		}
	}
}

func (function) ReadsInput() bool { return false }

// functions are a workflow of them; slower times go into its world only.
type functions struct {
	workflow *models.Workflow
	list     []function
	slower   float64 // factor; 0: 1
}

func (f functions) Workflow() *models.Workflow { return f.workflow }

func (f functions) Stage(i int, c models.StageConfig, _ int) (sim.Behaviour, error) {
	slower := f.slower
	if slower == 0 {
		slower = 1
	}
	var b functionBehaviour
	for _, steps := range f.list[i][int(c.VCPU)-1] {
		b = append(b, sim.Task{Compute: int64(slower * functionStep * float64(steps) * 1e9)})
	}
	return b, nil
}

// functionBehaviour takes the time of a random scenario.
type functionBehaviour []sim.Task

func (b functionBehaviour) Tasks(chance *sim.Chance, tasks []sim.Task) []sim.Task {
	return append(tasks, b[chance.Stream.IntN(len(b))])
}
func (functionBehaviour) Origin() string     { return "law" }
func (functionBehaviour) Warnings() []string { return nil }

func (f functions) space(t testing.TB) *models.Space {
	t.Helper()
	choices := make([][]models.StageConfig, len(f.list))
	for i, sizes := range f.list {
		for size := range sizes {
			choices[i] = append(choices[i], functionConfig(size))
		}
	}
	space, err := models.NewSpace(f.workflow, choices, nil)
	if err != nil {
		t.Fatal(err)
	}
	return space
}

func (f functions) scenarios(t testing.TB) *models.Scenarios {
	t.Helper()
	samples := make([]models.StageSample, len(f.list))
	for i := range f.list {
		scaled := slices.Clone(f.list[i])
		for size := range scaled {
			scaled[size] = slices.Clone(scaled[size])
			for k := range scaled[size] {
				if f.slower != 0 {
					scaled[size][k] = int(math.Ceil(f.slower * float64(scaled[size][k])))
				}
			}
		}
		samples[i] = scaled
	}
	s, err := models.NewScenarios(f.workflow, models.MustPrice(models.PriceAWS), len(f.list[0][0]), samples)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f functions) policy(t testing.TB, j baselines.Janus) *baselines.JanusPolicy {
	t.Helper()
	space := f.space(t)
	j.Base, j.Step = space.Config(make([]int, len(f.list))), functionStep
	p, err := j.Synthesise(space, f.scenarios(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// drawFunctions draws a series-parallel workflow: a chain, or a chain with
// branches in it.
func drawFunctions(t *rapid.T, scenarios int) functions {
	after := rapid.SampledFrom([][][]int{
		{nil}, {nil, {0}}, {nil, {0}, {1}}, {nil, {0}, {0, 1}, {2}},
		{nil, nil}, {nil, {0}, {0}, {1, 2}}, {nil, nil, {0, 1}}, {nil, {0}, nil, {1, 2}, {3}}, {nil, nil, {0, 1}, {0, 1}},
	}).Draw(t, "workflow")
	var stages []models.Stage
	f := functions{}
	for i, parents := range after {
		s := models.Stage{Name: fmt.Sprint("f", i)}
		for _, p := range parents {
			s.After = append(s.After, fmt.Sprint("f", p))
		}
		stages = append(stages, s)
		var sizes function
		most := rapid.IntRange(1, 14).Draw(t, "steps")
		for range rapid.IntRange(1, 3).Draw(t, "sizes") {
			var steps []int
			for range scenarios {
				steps = append(steps, max(1, most-rapid.IntRange(0, 4).Draw(t, "less")))
			}
			if scenarios == 1 {
				steps[0] = most
			}
			sizes = append(sizes, steps)
			most = max(1, most-rapid.IntRange(0, 6).Draw(t, "faster"))
		}
		f.list = append(f.list, sizes)
	}
	w, err := models.NewWorkflow("functions", stages)
	if err != nil {
		panic(err)
	}
	f.workflow = w
	return f
}

// Without variance, late binding uses exactly the CPU of the best sizes of all
// that keep the limit, and keeps it.
func TestJanusWithoutVarianceIsOptimal(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := drawFunctions(r, 1)
		limit := functionStep * float64(rapid.IntRange(1, 50).Draw(r, "limit"))
		space := f.space(t)
		best := math.Inf(1)
		pick := make([]int, len(f.list))
		for i := 0; i < len(pick); {
			times, cpu := make([]float64, len(pick)), 0.0
			for i, k := range pick {
				times[i] = functionStep * float64(f.list[i][k][0])
				cpu += functionConfig(k).VCPU
			}
			if f.workflow.Latency(times) <= limit {
				best = math.Min(best, cpu)
			}
			for i = 0; i < len(pick); i++ {
				if pick[i]++; pick[i] < len(space.Choices(i)) {
					break
				}
				pick[i] = 0
			}
		}
		policy := f.policy(t, baselines.Janus{Limit: limit})
		latency, _, chosen, _ := runPolicy(t, f, policy)
		misses, decisions := policy.Misses()
		if decisions != len(f.list) || (misses > 0) != math.IsInf(best, 1) {
			r.Fatalf("%d misses in %d decisions; the best sizes take %v vCPU", misses, decisions, best)
		}
		if misses > 0 {
			return
		}
		cpu := 0.0
		for _, c := range chosen {
			cpu += float64(c.Memory) / 1769
		}
		if latency > limit || math.Abs(cpu-best) > 1e-9 {
			r.Fatalf("%v: %v s with a limit of %v s, and %v vCPU; the best sizes take %v", chosen, latency, limit, cpu, best)
		}
	})
}

// A run that starts with enough time for the worst case never misses, and ends
// in time, whatever the functions do: a function that is planned at a lower
// percentile can be made up for.
func TestJanusProvidesForTheWorst(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := drawFunctions(r, 6)
		worst := make([]float64, len(f.list)) // of the size that is best at its worst
		for i, sizes := range f.list {
			worst[i] = math.Inf(1)
			for _, steps := range sizes {
				worst[i] = math.Min(worst[i], functionStep*float64(slices.Max(steps)))
			}
		}
		limit := f.workflow.Latency(worst) + functionStep*float64(rapid.IntRange(0, 20).Draw(r, "more"))
		policy := f.policy(t, baselines.Janus{Limit: limit, Worst: 100, Percentiles: []float64{10, 50, 80}})
		summary, err := sim.SimulatePolicy(context.Background(), f, policy, 40, sim.Settings{Cores: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if misses, _ := policy.Misses(); misses > 0 || summary.Latency.Max > limit+1e-9 {
			r.Fatalf("%d misses, and up to %v s with a limit of %v s", misses, summary.Latency.Max, limit)
		}
	})
}

// Functions that have become slower than their profile make the hints stale,
// and hints from a new profile are not.
func TestJanusRegeneratesStaleHints(t *testing.T) {
	w := stepDefinition(t, nil, []int{0}, []int{1}).Workflow
	sizes := function{{9, 10, 11, 12}, {6, 7, 7, 8}, {4, 4, 5, 5}}
	f := functions{workflow: w, list: []function{sizes, sizes, sizes}}
	limit := functionStep * 16
	policy := f.policy(t, baselines.Janus{Limit: limit, MissLimit: 5})
	simulate := func(world sim.World, p *baselines.JanusPolicy) {
		if _, err := sim.SimulatePolicy(context.Background(), world, p, 200, sim.Settings{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if simulate(f, policy); policy.Stale() {
		misses, decisions := policy.Misses()
		t.Errorf("stale in the world of the profile: %d misses of %d", misses, decisions)
	}
	slow := f
	slow.slower = 2
	if simulate(slow, policy); !policy.Stale() {
		misses, decisions := policy.Misses()
		t.Errorf("functions take twice as long and the hints are not stale: %d misses of %d", misses, decisions)
	} else if w := policy.Warnings(); len(w) != 1 || !strings.Contains(w[0], "found no hint") {
		t.Errorf("stale hints, and warnings %q", w)
	}
	j := policy.Janus
	j.Limit = 2 * limit
	fresh, err := j.Synthesise(f.space(t), f.scenarios(t))
	if err != nil {
		t.Fatal(err)
	}
	again, err := fresh.Regenerate(slow.scenarios(t))
	if err != nil {
		t.Fatal(err)
	}
	if simulate(slow, again); again.Stale() {
		misses, decisions := again.Misses()
		t.Errorf("stale after regeneration: %d misses of %d", misses, decisions)
	} else if w := again.Warnings(); w != nil {
		t.Errorf("hints that are not stale, and warnings %q", w)
	}
	if misses, decisions := fresh.Misses(); misses != 0 || decisions != 0 {
		t.Errorf("regeneration counts %d misses of %d for the old hints", misses, decisions)
	}
}

// In the world of the bundled traces Janus stays inside the space, keeps the
// parallelism of its base, and does the same on any number of cores.
func TestJanusStaysInsideTheSpace(t *testing.T) {
	for workflow, limit := range map[string]float64{"ml": 40, "tpcds": 30} {
		def, world, profile, space := bundledWorld(t, workflow)
		model, err := models.FitJolteon(profile, models.JolteonOptions{})
		if err != nil {
			t.Fatal(err)
		}
		scenarios, err := model.Sample(500, models.MustPrice(def.Price), models.Streams{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		base, err := baselines.EarlyBinding(context.Background(), space, scenarios, limit, 99)
		if err != nil {
			t.Fatal(err)
		}
		policy, err := baselines.Janus{Limit: limit, Base: base}.Synthesise(space, scenarios)
		if err != nil {
			t.Fatal(err)
		}
		var first []string
		for cores := range 3 {
			var lines []string
			summary, err := sim.SimulatePolicy(context.Background(), world, policy, 200, sim.Settings{Seed: 5, Cores: cores + 1}, func(r *sim.Run) error {
				lines = append(lines, fmt.Sprint(r.Latency, r.Cost))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = lines
			}
			if !slices.Equal(first, lines) {
				t.Errorf("%s: other runs on %d cores", workflow, cores+1)
			}
			for i, s := range summary.Stages {
				for _, x := range s.Choices {
					c := base.Clone()
					c[i] = def.StageConfig(x.MemoryMB, x.Parallelism)
					if _, err := space.Locate(c); err != nil || x.Parallelism != base[i].Parallelism {
						t.Errorf("%s: stage %s runs as %+v: %v", workflow, s.Stage, x, err)
					}
				}
			}
		}
	}
}

func TestJanusErrors(t *testing.T) {
	f := functions{workflow: stepDefinition(t, nil).Workflow, list: []function{{{1}}}}
	space, scenarios := f.space(t), f.scenarios(t)
	base := space.Config([]int{0})
	for want, j := range map[string]baselines.Janus{
		"latency limit 0 s":           {Base: base},
		"percentile 99.5 is not":      {Base: base, Limit: 1, Percentiles: []float64{99.5}},
		"percentile 101 is not":       {Base: base, Limit: 1, Worst: 101},
		"weight 0.5 of the head":      {Base: base, Limit: 1, HeadWeight: 0.5},
		"a grid of -1 s":              {Base: base, Limit: 1, Step: -1},
		"a grid of 1e-09 s":           {Base: base, Limit: 1, Step: 1e-9},
		"miss limit 101 is not":       {Base: base, Limit: 1, MissLimit: 101},
		"decision cost: latency -1 s": {Base: base, Limit: 1, Cost: models.DecisionCost{Latency: -1}},
		"base configuration":          {Limit: 1},
	} {
		if _, err := j.Synthesise(space, scenarios); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one that says %q", j, err, want)
		}
	}
	crossed := stepDefinition(t, nil, nil, []int{0, 1}, []int{1}).Workflow
	n := functions{workflow: crossed, list: []function{{{1}}, {{1}}, {{1}}, {{1}}}}
	if _, err := (baselines.Janus{Limit: 1, Base: n.space(t).Config(make([]int, 4))}).Synthesise(n.space(t), n.scenarios(t)); err == nil || !strings.Contains(err.Error(), "neither in sequence nor side by side") {
		t.Errorf("a workflow that is not series-parallel: error %v", err)
	}
}
