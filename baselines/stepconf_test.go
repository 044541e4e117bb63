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
	"eevee/traces"
)

// stepLaw is the time in seconds that an instance of a stage runs.
type stepLaw func(stage int, c models.StageConfig) float64

// stepDefinition makes a workflow without a file: after[i] are the parents of
// stage i.
func stepDefinition(t testing.TB, after ...[]int) *models.Definition {
	t.Helper()
	return &models.Definition{Workflow: baselines.GraphOf(t, after...), MBPerVCPU: models.AWSMBPerVCPU, Price: models.PriceAWS}
}

var (
	stepMemory      = []int{512, 1024, 1769, 3538, 5307, 7076}
	stepParallelism = []int{1, 2, 8, 32, 64}
)

// stepMapping is a mapping delay in seconds that is flat up to 30 instances.
func stepMapping(p int) float64 { return 0.3 + 0.02*math.Max(0, float64(p-30)) }

// stepProfile is a profile without noise on a grid of sizes.
func stepProfile(t testing.TB, def *models.Definition, law stepLaw) *models.Profile {
	t.Helper()
	return profileOf(t, def, stepRows(def, law, 1, 0))
}

// stepRows are the rows of one epoch, in which instances start that much later
// than they do warm.
func stepRows(def *models.Definition, law stepLaw, epoch int32, later float64) (rows []traces.Record) {
	for _, m := range stepMemory {
		for _, p := range stepParallelism {
			for i := range def.Workflow.Len() {
				rows = append(rows, traces.Record{
					Workflow: def.Workflow.Name(), Execution: fmt.Sprintf("%dx%d, epoch %d", p, m, epoch), Stage: def.Workflow.Stage(i).Name, Epoch: new(epoch),
					MemoryMB: int32(m), Parallelism: new(int32(p)), Statistic: traces.Mean,
					Cold: new(stepMapping(p) + later), Read: new(0.), Compute: new(law(i, def.StageConfig(m, p))), Write: new(0.),
				})
			}
		}
	}
	return rows
}

func profileOf(t testing.TB, def *models.Definition, rows []traces.Record) *models.Profile {
	t.Helper()
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	return profile
}

func stepSpace(t testing.TB, def *models.Definition, parallelism ...int) *models.Space {
	t.Helper()
	choices := make([][]models.StageConfig, def.Workflow.Len())
	for i := range choices {
		for _, p := range parallelism {
			for _, m := range stepMemory {
				choices[i] = append(choices[i], def.StageConfig(m, p))
			}
		}
	}
	space, err := models.NewSpace(def.Workflow, choices, nil)
	if err != nil {
		t.Fatal(err)
	}
	return space
}

// stepLaws are a stage of one thread and two that use many cores, of different
// size.
func stepLaws(stage int, c models.StageConfig) float64 {
	g, u := 1/float64(c.Parallelism), c.VCPU
	size := float64(1 + stage%4)
	switch stage % 3 {
	case 0: // one thread
		return size*(6*g/(math.Min(u, 1)+0.1)) + 0.2
	case 1: // the exponential case above one core
		if u >= 1 {
			return size*(20*g+0.5)*math.Exp(-0.8*u) + 0.3
		}
		return size*9*g/(u+0.05) + 0.3
	default: // the ratio throughout
		return size*12*g/(u+0.3) + 0.4
	}
}

// stepWorld does exactly what the model expects.
type stepWorld struct {
	workflow *models.Workflow
	model    *baselines.StepConfModel
	slower   []float64 // per stage, s; nil: nothing
}

func (s stepWorld) Workflow() *models.Workflow { return s.workflow }

func (s stepWorld) Stage(i int, c models.StageConfig, _ int) (sim.Behaviour, error) {
	exec := s.model.InstanceTime(i, c)
	if s.slower != nil {
		exec += s.slower[i]
	}
	task := sim.Task{Cold: int64(s.model.MappingDelay(i, c.Parallelism) * 1e9), Compute: int64(exec * 1e9)}
	return stepBehaviour(slices.Repeat([]sim.Task{task}, c.Parallelism)), nil
}

type stepBehaviour []sim.Task

func (b stepBehaviour) Tasks(*sim.Chance, []sim.Task) []sim.Task { return b }
func (stepBehaviour) Origin() string                             { return "law" }
func (stepBehaviour) Warnings() []string                         { return nil }

func fitSteps(t testing.TB, def *models.Definition) *baselines.StepConfModel {
	t.Helper()
	m, err := baselines.FitStepConf(stepProfile(t, def, stepLaws))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// runPolicy simulates one run and returns it with its decisions.
func runPolicy(t testing.TB, world sim.World, p models.Policy) (latency, cost float64, chosen models.Config, ready []float64) {
	t.Helper()
	summary, err := sim.SimulatePolicy(context.Background(), world, p, 1, sim.Settings{}, func(r *sim.Run) error {
		for _, s := range r.Stages {
			ready = append(ready, s.Ready)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range summary.Stages {
		chosen = append(chosen, models.StageConfig{Memory: s.Choices[0].MemoryMB, Parallelism: s.Choices[0].Parallelism})
	}
	return summary.Latency.Mean, summary.Cost.Mean, chosen, ready
}

// The fit finds the laws that made the profile, at recorded sizes and between.
func TestStepConfFitFindsTheLaw(t *testing.T) {
	def := stepDefinition(t, nil, []int{0}, []int{1}, []int{2}, []int{3}, []int{4})
	m := fitSteps(t, def)
	for i := range def.Workflow.Len() {
		for _, p := range []int{1, 3, 8, 31, 64} {
			if got, want := m.MappingDelay(i, p), stepMapping(p); math.Abs(got-want) > 1e-9 {
				t.Errorf("mapping delay of %d instances %v s, want %v", p, got, want)
			}
			for _, memory := range []int{512, 900, 1769, 2500, 7076} {
				c := def.StageConfig(memory, p)
				if got, want := m.InstanceTime(i, c), stepLaws(i, c); math.Abs(got/want-1) > 1e-5 {
					t.Errorf("stage %d under %v: %v s, the law says %v", i, c, got, want)
				}
			}
		}
	}
}

// On a chain without variance every step takes the cheapest configuration
// below its share by Eq. 13, worked out here from the model alone, and the
// workflow meets its limit.
func TestStepConfOnAChain(t *testing.T) {
	def := stepDefinition(t, nil, []int{0}, []int{1}, []int{2}, []int{3})
	m, space, price := fitSteps(t, def), stepSpace(t, def, 1, 2, 8, 32), models.MustPrice(models.PriceAWS)
	cost := func(i int, c models.StageConfig) float64 { return price.Stage(c, m.Time(i, c)) }
	for _, literal := range []bool{false, true} {
		weight := make([]float64, space.Workflow.Len())
		total := 0.0
		for i := range weight {
			best := math.NaN()
			for _, c := range space.Choices(i) {
				if x := cost(i, c) * m.Time(i, c); math.IsNaN(best) || x < best != literal && x != best {
					best, weight[i] = x, m.Time(i, c)
				}
			}
			total += weight[i]
		}
		for _, limit := range []float64{1.01 * total, 1.5 * total, 4 * total} {
			policy, err := baselines.StepConf{Limit: limit, Price: price, Literal: literal}.Policy(m, space)
			if err != nil {
				t.Fatal(err)
			}
			latency, _, chosen, _ := runPolicy(t, stepWorld{workflow: def.Workflow, model: m}, policy)
			if latency >= limit {
				t.Errorf("%v: %v s, the limit is %v s", policy, latency, limit)
			}
			now, left := 0.0, total
			for i, got := range chosen {
				share := weight[i] / left * (limit - now)
				var want models.StageConfig
				for _, c := range space.Choices(i) {
					if m.Time(i, c) < share && (want.Parallelism == 0 || cost(i, c) < cost(i, want)) {
						want = c
					}
				}
				if got.Memory != want.Memory || got.Parallelism != want.Parallelism {
					t.Errorf("%v, limit %v s: stage %d takes %v, its share of %v s asks for %v", policy, limit, i, got, share, want)
				}
				now += m.Time(i, want)
				left -= weight[i]
			}
		}
	}
}

// randomSteps draws a graph.
func randomSteps(t *rapid.T, most int) [][]int {
	after := make([][]int, rapid.IntRange(1, most).Draw(t, "stages"))
	for i := range after {
		for p := range i {
			if rapid.IntRange(0, 2).Draw(t, "edge") == 0 {
				after[i] = append(after[i], p)
			}
		}
	}
	return after
}

// Without variance a workflow of any form meets a limit above the length of
// its critical path under the most cost-effective configurations: every stage
// then has a configuration that fits into its share, so that it meets the
// latest finish times cached for joins.
func TestStepConfKeepsCachedFinishTimes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		def := stepDefinition(t, randomSteps(r, 8)...)
		m, space := fitSteps(t, def), stepSpace(t, def, 1, 4, 16)
		price := models.MustPrice(models.PriceAWS)
		weight := make([]float64, def.Workflow.Len())
		for i := range weight {
			best := math.Inf(1)
			for _, c := range space.Choices(i) {
				if x := price.Stage(c, m.Time(i, c)) * m.Time(i, c); x < best {
					best, weight[i] = x, m.Time(i, c)
				}
			}
		}
		limit := def.Workflow.Latency(weight) * rapid.Float64Range(1.001, 3).Draw(r, "factor")
		policy, err := baselines.StepConf{Limit: limit, Price: price}.Policy(m, space)
		if err != nil {
			t.Fatal(err)
		}
		if latency, _, chosen, _ := runPolicy(t, stepWorld{workflow: def.Workflow, model: m}, policy); latency >= limit {
			r.Fatalf("%v s under %v, the limit is %v s", latency, chosen, limit)
		}
	})
}

// What happens after a decision does not change it.
func TestStepConfDoesNotSeeTheFuture(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		def := stepDefinition(t, randomSteps(r, 7)...)
		m, space := fitSteps(t, def), stepSpace(t, def, 1, 4, 16)
		policy, err := baselines.StepConf{Limit: rapid.Float64Range(3, 40).Draw(r, "limit"), Price: models.MustPrice(models.PriceAWS)}.Policy(m, space)
		if err != nil {
			t.Fatal(err)
		}
		world := stepWorld{workflow: def.Workflow, model: m}
		_, _, before, ready := runPolicy(t, world, policy)
		stage := rapid.IntRange(0, def.Workflow.Len()-1).Draw(r, "stage")
		world.slower = make([]float64, def.Workflow.Len())
		world.slower[stage] = rapid.Float64Range(0.1, 30).Draw(r, "slower")
		_, _, after, readyAfter := runPolicy(t, world, policy)
		expectedEnd := ready[stage] + m.Time(stage, def.StageConfig(before[stage].Memory, before[stage].Parallelism))
		for i := range before {
			if ready[i] < expectedEnd-1e-6 && (before[i] != after[i] || ready[i] != readyAfter[i]) {
				r.Fatalf("stage %d, ready at %v s, is decided as %v; as %v where stage %d ends later than %v s", i, ready[i], before[i], after[i], stage, expectedEnd)
			}
		}
	})
}

// A stage that overruns leaves less to the next ones, which never get slower
// for it.
func TestStepConfCatchesUp(t *testing.T) {
	def := stepDefinition(t, nil, []int{0}, []int{1})
	m, space := fitSteps(t, def), stepSpace(t, def, 1, 4, 16)
	policy, err := baselines.StepConf{Limit: 20, Price: models.MustPrice(models.PriceAWS)}.Policy(m, space)
	if err != nil {
		t.Fatal(err)
	}
	_, _, easy, _ := runPolicy(t, stepWorld{workflow: def.Workflow, model: m}, policy)
	_, _, late, _ := runPolicy(t, stepWorld{workflow: def.Workflow, model: m, slower: []float64{12, 0, 0}}, policy)
	time := func(i int, c models.StageConfig) float64 {
		return m.Time(i, def.StageConfig(c.Memory, c.Parallelism))
	}
	if easy[0] != late[0] {
		t.Errorf("the first stage is decided as %v and as %v", easy[0], late[0])
	}
	if a, b := time(1, late[1])-time(1, easy[1]), time(2, late[2])-time(2, easy[2]); a > 0 || b > 0 || a+b == 0 {
		t.Errorf("12 s late, stages take %v, else %v; want faster ones", late, easy)
	}
}

// The offline optimum equals the best of all configurations, and no variant
// that keeps the limit is cheaper.
func TestStepConfOptimalIsTheBest(t *testing.T) {
	ctx := context.Background()
	for _, after := range [][][]int{{nil, {0}, {1}}, {nil, nil, {0, 1}}, {nil, {0}, {0}, {1, 2}}} {
		def := stepDefinition(t, after...)
		m, space, price := fitSteps(t, def), stepSpace(t, def, 1, 8), models.MustPrice(models.PriceAWS)
		for _, limit := range []float64{6, 9, 14, 30} {
			s := baselines.StepConf{Limit: limit, Price: price}
			optimal, err := s.Optimal(ctx, m, space)
			if err != nil {
				t.Fatal(err)
			}
			outcome := func(c models.Config) (latency, cost float64) {
				times := make([]float64, len(c))
				for i := range c {
					times[i] = m.Time(i, c[i])
					cost += price.Stage(c[i], times[i])
				}
				return def.Workflow.Latency(times), cost
			}
			least := math.Inf(1)
			pick := make([]int, len(after))
			for i := 0; i < len(pick); {
				if latency, cost := outcome(space.Config(pick)); latency <= limit {
					least = math.Min(least, cost)
				}
				for i = 0; i < len(pick); i++ {
					if pick[i]++; pick[i] < len(space.Choices(i)) {
						break
					}
					pick[i] = 0
				}
			}
			latency, cost := outcome(optimal.Config)
			if math.IsInf(least, 1) {
				continue
			}
			if latency > limit || math.Abs(cost/least-1) > 1e-9 {
				t.Errorf("limit %v s: %v takes %v s and costs %v USD; the best of all costs %v", limit, optimal.Config, latency, cost, least)
			}
			for _, vary := range []baselines.StepConfVary{baselines.VaryBoth, baselines.VaryNone} {
				s.Vary = vary
				static, err := s.Static(m, space)
				if err != nil {
					t.Fatal(err)
				}
				if latency, cost := outcome(static.Config); latency <= limit && cost < least*(1-1e-9) {
					t.Errorf("limit %v s: %v costs %v USD, less than the optimum of %v", limit, static, cost, least)
				}
			}
		}
	}
}

// Variants decide what their names say.
func TestStepConfVariants(t *testing.T) {
	def := stepDefinition(t, nil, []int{0}, []int{0}, []int{1, 2})
	m, space := fitSteps(t, def), stepSpace(t, def, 2, 4, 16)
	for vary, name := range map[baselines.StepConfVary]string{
		baselines.VaryBoth: "stepconf", baselines.VaryInter: "stepconf:inter", baselines.VaryIntra: "stepconf:intra", baselines.VaryNone: "stepconf:memory",
	} {
		s := baselines.StepConf{Limit: 8, Price: models.MustPrice(models.PriceAWS), Vary: vary, Processes: []int{1, 2, 4}}
		policy, err := s.Policy(m, space)
		if err != nil {
			t.Fatal(err)
		}
		if policy.String() != name {
			t.Errorf("%v is called %q", name, policy)
		}
		decider := policy.Begin()
		c := make(models.Config, 4)
		for i := range c {
			c[i] = decider.Decide(i, models.Progress{Now: float64(i), End: make([]float64, 4), Config: c}).StageConfig
			inter, intra := vary == baselines.VaryBoth || vary == baselines.VaryInter, vary == baselines.VaryBoth || vary == baselines.VaryIntra
			if !inter && c[i].Parallelism != 2 || !intra && c[i].Processes != 1 {
				t.Errorf("%s decides %d instances and %d processes", name, c[i].Parallelism, c[i].Processes)
			}
			for _, q := range s.Processes {
				other := c[i]
				if other.Processes = q; intra && m.Time(i, other) < m.Time(i, c[i]) {
					t.Errorf("%s decides %d processes in %d MB; %d are faster and cost no more", name, c[i].Processes, c[i].Memory, q)
				}
			}
		}
	}
}

// In the world of the bundled traces, decisions stay inside the space, with
// all its rules, and are the same whatever the number of cores.
func TestStepConfStaysInsideTheSpace(t *testing.T) {
	for workflow, limit := range map[string]float64{"ml": 40, "video": 60, "tpcds": 30} {
		def, world, profile, space := bundledWorld(t, workflow)
		m, err := baselines.FitStepConf(profile)
		if err != nil {
			t.Fatal(err)
		}
		for _, vary := range []baselines.StepConfVary{baselines.VaryBoth, baselines.VaryIntra} {
			policy, err := baselines.StepConf{Limit: limit, Price: models.MustPrice(def.Price), Vary: vary, Cost: models.DecisionCost{Latency: 0.05, USD: 1e-6}}.Policy(m, space)
			if err != nil {
				t.Fatal(err)
			}
			var first []string
			for cores := range 3 {
				var lines []string
				_, err := sim.SimulatePolicy(context.Background(), world, policy, 300, sim.Settings{Seed: 5, Cores: cores + 1, Keep: sim.KeepStages}, func(r *sim.Run) error {
					var c models.Config
					for _, row := range r.Records(nil) {
						if row.Statistic == traces.Mean {
							c = append(c, def.StageConfig(int(row.MemoryMB), int(*row.Parallelism)))
						}
					}
					if _, err := space.Locate(c); err != nil {
						t.Fatalf("%v: run %d: %v", policy, r.Replication, err)
					}
					lines = append(lines, fmt.Sprint(c, r.Latency, r.Cost))
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
			}
			slices.Sort(first)
			if vary == baselines.VaryBoth && len(slices.Compact(first)) < 2 {
				t.Errorf("%s: all runs are the same", workflow)
			}
		}
	}
}

// bundledWorld is the bundled trace of a workflow, as a world and as a profile.
func bundledWorld(t testing.TB, workflow string) (*models.Definition, sim.World, *models.Profile, *models.Space) {
	t.Helper()
	def, err := models.Load(workflow)
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err := models.BundledTrace(workflow)
	if err != nil {
		t.Fatal(err)
	}
	world, err := sim.NewReplay(def.Workflow, rows, sim.ReplaySettings{})
	if err != nil {
		t.Fatal(err)
	}
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	space, err := def.Space("")
	if err != nil {
		t.Fatal(err)
	}
	return def, world, profile, space
}

func TestStepConfErrors(t *testing.T) {
	def := stepDefinition(t, nil)
	m, space := fitSteps(t, def), stepSpace(t, def, 1)
	other := stepSpace(t, stepDefinition(t, nil), 1)
	for want, s := range map[string]baselines.StepConf{
		"latency limit -1 s":         {Limit: -1},
		"latency limit NaN s":        {Limit: math.NaN()},
		"unknown value 9 of Vary":    {Limit: 1, Vary: 9},
		"0 processes":                {Limit: 1, Processes: []int{2, 0}},
		"decision cost: latency NaN": {Limit: 1, Cost: models.DecisionCost{Latency: math.NaN()}},
	} {
		if _, err := s.Policy(m, space); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one that says %q", s, err, want)
		}
	}
	if _, err := (baselines.StepConf{Limit: 1}).Policy(m, other); err == nil || !strings.Contains(err.Error(), "the space is of workflow") {
		t.Errorf("a space of another workflow: error %v", err)
	}
}

// The optimum over time keeps the limit by the model, costs no less than the
// proved optimum, and no more than that of a limit that is shorter by a step per
// stage.
func TestStepConfOptimumOverTime(t *testing.T) {
	def := stepDefinition(t, nil, []int{0}, []int{0}, []int{1, 2}, []int{3})
	m, space, price := fitSteps(t, def), stepSpace(t, def, 1, 2, 8), models.MustPrice(models.PriceAWS)
	cost := func(p models.StaticPolicy) (usd, latency float64) {
		times := make([]float64, space.Workflow.Len())
		for i, c := range p.Config {
			times[i] = m.Time(i, c)
			usd += price.Stage(c, times[i])
		}
		return usd, space.Workflow.Latency(times)
	}
	exact := func(limit float64) float64 {
		p, err := baselines.StepConf{Limit: limit, Price: price}.Optimal(context.Background(), m, space)
		if err != nil {
			t.Fatal(err)
		}
		usd, _ := cost(p)
		return usd
	}
	const steps = 400
	for _, limit := range []float64{25, 40, 80, 200} {
		p, err := baselines.StepConf{Limit: limit, Price: price}.OptimalOverTime(m, space, steps)
		if err != nil {
			t.Fatal(err)
		}
		usd, latency := cost(p)
		shorter := limit * (1 - float64(space.Workflow.Len())/steps)
		if latency > limit+1e-9 || usd < exact(limit)-1e-12 || usd > exact(shorter)+1e-12 {
			t.Errorf("limit %v s: %v s and %v USD; the optima are %v and, of %v s, %v USD", limit, latency, usd, exact(limit), shorter, exact(shorter))
		}
	}
	fastest, err := baselines.StepConf{Limit: 0.1, Price: price}.OptimalOverTime(m, space, steps)
	if err != nil {
		t.Fatal(err)
	}
	if _, latency := cost(fastest); latency < 0.1 {
		t.Errorf("a limit of 0.1 s is kept with %v s", latency)
	}
	if _, err := (baselines.StepConf{Limit: 9, Price: price}).OptimalOverTime(m, space, 0); err == nil {
		t.Error("no steps are taken")
	}
}

// BenchmarkStepConf decides all stages of workflows in layers of four, each of
// which waits for two of the layer before. The metric us/decision is the mean
// over the stages of a run; one decision looks at the stages that are left.
func BenchmarkStepConf(b *testing.B) {
	for _, stages := range []int{10, 50, 200} {
		b.Run(fmt.Sprint(stages), func(b *testing.B) {
			after := make([][]int, stages)
			for i := 4; i < stages; i++ {
				layer := i - i%4 - 4
				after[i] = []int{layer + i%4, layer + (i+1)%4}
			}
			def := stepDefinition(b, after...)
			model := fitSteps(b, def)
			policy, err := baselines.StepConf{Limit: 5 * float64(stages), Price: models.MustPrice(def.Price)}.Policy(model, stepSpace(b, def, 1, 2, 8))
			if err != nil {
				b.Fatal(err)
			}
			end := slices.Repeat([]float64{math.NaN()}, stages)
			for b.Loop() {
				decider := policy.Begin()
				c := make(models.Config, stages)
				for i := range c {
					c[i] = decider.Decide(i, models.Progress{Now: float64(i), End: end, Config: c}).StageConfig
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*stages), "us/decision")
		})
	}
}

// A model of another workflow does what the stages do that it is like.
func TestStepConfModelAs(t *testing.T) {
	def := stepDefinition(t, nil, []int{0}, []int{1})
	m := fitSteps(t, def)
	w := baselines.GraphOf(t, nil, []int{0}, []int{0}, []int{1, 2})
	like := []int{2, 0, 1, 2}
	other, err := m.As(w, like)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range like {
		for _, c := range stepSpace(t, def, 1, 8).Choices(0) {
			if got, want := other.Time(i, c), m.Time(k, c); got != want {
				t.Errorf("stage %d under %v: %v s, stage %d takes %v s", i, c, got, k, want)
			}
		}
	}
	for _, wrong := range [][]int{{0, 1}, {0, 1, 2, 3}, {0, 1, 2, -1}} {
		if _, err := m.As(w, wrong); err == nil {
			t.Errorf("like %v is accepted", wrong)
		}
	}
}
