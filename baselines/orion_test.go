package baselines

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"eevee/models"
	"eevee/solvers"
	"eevee/traces"
)

// orionGraph returns a model of a diamond whose stages have random options.
func orionGraph(source *rand.Rand, width float64) *orionModel {
	w, err := models.NewWorkflow("diamond", []models.Stage{
		{Name: "a"}, {Name: "b", After: []string{"a"}}, {Name: "c", After: []string{"a"}}, {Name: "d", After: []string{"b", "c"}},
	})
	if err != nil {
		panic(err)
	}
	m := &orionModel{workflow: w, parents: directParents(w), width: width}
	for range w.Len() {
		var list []orionOption
		for range 1 + source.IntN(3) {
			values := make([]float64, 1+source.IntN(4))
			for k := range values {
				values[k] = 40 * source.Float64()
			}
			list = append(list, orionOption{latency: empirical(values).bin(width)})
		}
		m.options = append(m.options, list)
	}
	return m
}

// toy is a workflow of three stages, the middle one of which can be split, and
// what its stages take: work / size + fixed, in s, with size in 1000 MB.
const toy = `name: toy
mb_per_vcpu: 1000
price: aws-x86
stages:
  - {name: split, max_parallelism: 1}
  - {name: work, after: [split]}
  - {name: join, after: [split, work], max_parallelism: 1}
spaces:
  - name: grid
    stages:
      - {stage: split, choices: [{parallelism: [1], memory_mb: [1000, 2000, 3000, 4000]}]}
      - {stage: work, choices: [{parallelism: [2, 4, 8], memory_mb: [1000, 2000, 3000, 4000, 8000]}]}
      - {stage: join, choices: [{parallelism: [1], memory_mb: [1000, 2000, 3000, 4000]}]}
`

// toyRun is what one instance takes, in s: size in 1000 MB, u is its luck.
func toyRun(stage string, size, u float64) traces.Record {
	work := map[string]float64{"split": 4, "work": 16, "join": 2}[stage]
	cold, read, compute, write := 0.1+0.1*u, 0.2, work/size*(1+u/4), 0.3
	return traces.Record{Stage: stage, MemoryMB: int32(1000 * size), Cold: &cold, Read: &read, Compute: &compute, Write: &write}
}

// toyRows are the rows of a profile at 1000, 2000 and 4000 MB with 4 instances
// of the middle stage: aggregates, or single invocations.
func toyRows(statistic traces.Statistic) (rows []traces.Record) {
	source := rand.New(rand.NewPCG(7, 8))
	for _, size := range []float64{1, 2, 4} {
		for epoch := range int32(6) {
			for _, stage := range []string{"split", "work", "join"} {
				instances := int32(1)
				if stage == "work" {
					instances = 4
				}
				rowsOf := instances
				if statistic != traces.Invocation {
					rowsOf = 1
				}
				for range rowsOf {
					r := toyRun(stage, size, source.Float64())
					if epoch == 0 {
						*r.Cold += 1.5 // the start of an instance
					}
					r.Workflow, r.Execution, r.Statistic, r.Source = "toy", fmt.Sprint(size, "/", epoch), statistic, traces.Synthetic
					r.Epoch, r.Parallelism = &epoch, &instances
					rows = append(rows, r)
				}
			}
		}
	}
	return rows
}

// toySample is the toy in scenarios, one draw of luck for every scenario.
type toySample struct {
	stage string
	luck  []float64
}

func (toySample) ReadsInput() bool { return false }

func (s toySample) Times(c models.StageConfig, _ int, latency, billed []float64) {
	for k, u := range s.luck {
		r := toyRun(s.stage, float64(c.Memory)/1000, u)
		exec := *r.Read + *r.Compute + *r.Write
		if billed != nil {
			billed[k] = exec
		}
		if latency != nil {
			latency[k] = *r.Cold + exec
		}
	}
}

func toyProblem(t testing.TB, limit float64, rows []traces.Record) *solvers.Problem {
	t.Helper()
	def, err := models.ParseDefinition("toy", []byte(toy))
	if err != nil {
		t.Fatal(err)
	}
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	source := rand.New(rand.NewPCG(9, 10))
	var samples []models.StageSample
	for i := range def.Workflow.Len() {
		s := toySample{def.Workflow.Stage(i).Name, make([]float64, 500)}
		for k := range s.luck {
			s.luck[k] = source.Float64()
		}
		samples = append(samples, s)
	}
	scenarios, err := models.NewScenarios(def.Workflow, models.MustPrice(def.Price), 500, samples)
	if err != nil {
		t.Fatal(err)
	}
	p, err := solvers.NewProblem(def.Spaces[0].Space, scenarios, solvers.Bound{
		Metric: solvers.Latency, Limit: limit, Percentile: 95, Confidence: 99, Rule: solvers.Plugin,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Profile = profile
	return p
}

func solveOrion(t testing.TB, o Orion, p *solvers.Problem) solvers.Solution {
	t.Helper()
	if err := o.Supports(p); err != nil {
		t.Fatalf("%v: %v", o, err)
	}
	s, err := o.Solve(context.Background(), p, models.Streams{Seed: 1})
	if err != nil {
		t.Fatalf("%v: %v", o, err)
	}
	return s
}

// Interpolation at, between, below and above recorded sizes.
func TestOrionCurve(t *testing.T) {
	p := toyProblem(t, 20, toyRows(traces.P95))
	c, err := newOrionCurve(p.Profile, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	s := orionStage{curve: c, workers: 4}
	at := func(memory int) atoms {
		return s.latency(models.StageConfig{Memory: memory, VCPU: float64(memory) / 1000, Parallelism: 4})
	}
	recorded := func(memory int) atoms {
		var walls []float64
		for _, o := range p.Profile.Warm(1) {
			if o.Config.Memory == memory {
				walls = append(walls, o.P95.Cold+o.P95.Exec())
			}
		}
		return empirical(walls)
	}
	same := cmpopts.EquateApprox(0, 1e-12)
	for _, memory := range []int{1000, 2000, 4000} {
		if len(recorded(memory)) != 5 {
			t.Fatalf("%d warm runs at %d MB, want 5", len(recorded(memory)), memory)
		}
		if d := cmp.Diff(recorded(memory), at(memory), cmp.AllowUnexported(atom{}), same); d != "" {
			t.Errorf("%d MB is recorded (-recorded +curve):\n%s", memory, d)
		}
	}
	// 3000 MB lies half way, 1250 MB a quarter of the way.
	for k := range 5 {
		low, middle, high := recorded(1000)[k].value, recorded(2000)[k].value, recorded(4000)[k].value
		if got, want := at(3000)[k].value, (middle+high)/2; math.Abs(got-want) > 1e-12 {
			t.Errorf("value %d at 3000 MB is %v, want %v", k, got, want)
		}
		if got, want := at(1250)[k].value, low+(middle-low)/4; math.Abs(got-want) > 1e-12 {
			t.Errorf("value %d at 1250 MB is %v, want %v", k, got, want)
		}
		if got, want := at(500)[k].value, 2*low; math.Abs(got-want) > 1e-12 {
			t.Errorf("value %d at 500 MB is %v, want twice that at 1000 MB, %v", k, got, want)
		}
		if got := at(8000)[k].value; got != high {
			t.Errorf("value %d at 8000 MB is %v, want that at 4000 MB, %v", k, got, high)
		}
	}
	// With a parallelism that was not recorded, sizes are vCPU in total: 2 x 4
	// are as 4 x 2.
	c, err = newOrionCurve(p.Profile, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	other := orionStage{curve: c, workers: 2}
	got := other.latency(models.StageConfig{Memory: 4000, VCPU: 4, Parallelism: 2})
	if d := cmp.Diff(recorded(2000), got, cmp.AllowUnexported(atom{}), same); d != "" {
		t.Errorf("2 x 4000 MB (-4 x 2000 MB +curve):\n%s", d)
	}
}

// The longest run bounds the number of bins, of aggregates and of invocations.
func TestOrionCurveKnowsTheLongest(t *testing.T) {
	for _, statistic := range []traces.Statistic{traces.P95, traces.Invocation} {
		rows := toyRows(statistic)
		want := 0.0
		for _, r := range rows {
			if r.Stage == "work" && *r.Epoch > 0 {
				want = max(want, *r.Cold+*r.Read+*r.Compute+*r.Write)
			}
		}
		c, err := newOrionCurve(toyProblem(t, 20, rows).Profile, 1, 4)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.longest(); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: longest run is %v s, want %v", statistic, got, want)
		}
	}
}

// The start of an instance is 1.5 s in the toy.
func TestOrionCurveKnowsStarts(t *testing.T) {
	p := toyProblem(t, 20, toyRows(traces.P95))
	c, err := newOrionCurve(p.Profile, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	if low, high := c.start[0].value, c.start[len(c.start)-1].value; low < 1.4 || high > 1.6 {
		t.Errorf("instances start in %v to %v s, want 1.5 give or take the 0.1 s that delays vary by", low, high)
	}
}

// What is chosen keeps the bound by an independent count: all combinations of
// recorded runs, no bins.
func TestOrionKeepsTheBound(t *testing.T) {
	gaveUp := 0
	for _, limit := range []float64{5, 9, 12, 15, 20, 25, 40} {
		for _, o := range []Orion{{}, {Steepest: true}, {Steps: OrionSteps{1000, 4000, 100}}} {
			p := toyProblem(t, limit, toyRows(traces.P95))
			s := solveOrion(t, o, p)
			if s.Config == nil {
				t.Fatalf("%v, %v s: %+v", o, limit, s)
			}
			stages := make([]atoms, 3)
			for i, c := range s.Config {
				curve, err := newOrionCurve(p.Profile, i, c.Parallelism)
				if err != nil {
					t.Fatal(err)
				}
				stages[i] = (&orionStage{curve: curve, workers: c.Parallelism}).latency(c)
			}
			within := func(limit float64) (p float64) {
				for _, x := range stages[0] {
					for _, y := range stages[1] {
						for _, z := range stages[2] {
							if x.value+y.value+z.value <= limit {
								p += x.prob * y.prob * z.prob
							}
						}
					}
				}
				return p
			}
			// Three stages are rounded to bins, so that what lies within three
			// bins of the limit may count on either side.
			off := 3 * limit / 1000
			if slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "no configuration keeps") }) {
				gaveUp++
				if p := within(limit - off); p >= 0.95 {
					t.Errorf("%v, %v s: gives up at %v, which keeps %v s with probability %v", o, limit, s.Config, limit-off, p)
				}
			} else if p := within(limit + off); p < 0.95-1e-9 {
				t.Errorf("%v, %v s: %v keeps %v s with probability %v", o, limit, s.Config, limit+off, p)
			}
		}
	}
	if gaveUp != 3 {
		t.Errorf("%d of 21 searches gave up, want the three under 5 s", gaveUp)
	}
}

// What is chosen is what best-first search by cost times latency finds first,
// with cost and percentile of every state worked out from the recorded rows:
// times between recorded sizes on a line, all combinations of runs, no bins.
func TestOrionSearchesByCostAndLatency(t *testing.T) {
	p := toyProblem(t, 20, toyRows(traces.P95))
	price := p.Scenarios.Price()
	sizes := make([][]models.StageConfig, 3)
	walls, costs := make([][][]float64, 3), make([][]float64, 3) // by stage and size
	for i := range sizes {
		recorded := map[int][]float64{} // walls, ascending
		exec := map[int]float64{}
		for _, o := range p.Profile.Warm(i) {
			recorded[o.Config.Memory] = append(recorded[o.Config.Memory], o.P95.Cold+o.P95.Read+o.P95.Compute+o.P95.Write)
			exec[o.Config.Memory] += (o.P95.Read + o.P95.Compute + o.P95.Write) / 5
			slices.Sort(recorded[o.Config.Memory])
		}
		recorded[3000], recorded[8000] = make([]float64, 5), recorded[4000]
		for k := range recorded[3000] {
			recorded[3000][k] = (recorded[2000][k] + recorded[4000][k]) / 2
		}
		exec[3000], exec[8000] = (exec[2000]+exec[4000])/2, exec[4000]
		for _, c := range p.Space.Choices(i) {
			if i != 1 || c.Parallelism == 4 {
				sizes[i] = append(sizes[i], c)
				walls[i] = append(walls[i], recorded[c.Memory])
				costs[i] = append(costs[i], price.Stage(c, exec[c.Memory]))
			}
		}
	}
	percentile := func(state []int) float64 {
		var sums []float64
		for _, x := range walls[0][state[0]] {
			for _, y := range walls[1][state[1]] {
				for _, z := range walls[2][state[2]] {
					sums = append(sums, x+y+z)
				}
			}
		}
		slices.Sort(sums)
		return sums[118] // the 119th of 125: the first that 95 % do not exceed
	}
	largest := []int{len(sizes[0]) - 1, len(sizes[1]) - 1, len(sizes[2]) - 1}
	chosen := map[string]bool{}
	for limit := 7.0; limit < 26; limit += 0.5 {
		f := bestFirst(context.Background(), largest, 1000, func(state []int) (float64, bool) {
			latency := percentile(state)
			cost := 0.0
			for i, k := range state {
				cost += costs[i][k]
			}
			return cost * latency, latency <= limit
		})
		if f.state == nil {
			continue
		}
		p.Bound.Limit = limit
		s := solveOrion(t, Orion{NoPrewarming: true, Bin: 0.0005}, p)
		for i, k := range f.state {
			if s.Config[i] != sizes[i][k] {
				t.Errorf("%v s: stage %d is %v, want %v", limit, i, s.Config[i], sizes[i][k])
			}
		}
		chosen[s.Config.String()] = true
	}
	if len(chosen) < 5 {
		t.Errorf("%d different answers to all limits; the test sees too little", len(chosen))
	}
}

// A latency of exactly the limit keeps it.
func TestOrionLimitIsInclusive(t *testing.T) {
	p := toyProblem(t, 3, bundleRows([][]float64{{3, 3, 3, 3}, {3, 3, 3, 3}}))
	s := solveOrion(t, Orion{Parallelism: []int{1, 4, 1}}, p)
	if s.Config[1].Memory != 1000 || slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "no configuration keeps") }) {
		t.Errorf("3 s at 1000 MB under a limit of 3 s: %v, %q", s.Config, s.Warnings)
	}
}

// Each right does its part and no other.
func TestOrionRights(t *testing.T) {
	p := toyProblem(t, 20, toyRows(traces.P95))
	all := solveOrion(t, Orion{}, p)
	if all.Status != solvers.Done || all.Schedule == nil {
		t.Fatalf("all rights: %+v", all)
	}
	if s := solveOrion(t, Orion{NoSizing: true}, p); s.Config[0].Memory != 4000 || s.Config[1].Memory != 8000 || s.Config[2].Memory != 4000 {
		t.Errorf("without sizing: %v, want the largest", s.Config)
	}
	if s := solveOrion(t, Orion{NoPrewarming: true}, p); s.Schedule != nil || cmp.Diff(all.Config, s.Config) != "" {
		t.Errorf("without pre-warming: %v, schedule %v; with it %v", s.Config, s.Schedule, all.Config)
	}
	bundling := func(s solvers.Solution) bool {
		return slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "bundled") })
	}
	if s := solveOrion(t, Orion{NoBundling: true}, p); bundling(s) || !bundling(all) {
		t.Errorf("warnings with bundling %q, without %q", all.Warnings, s.Warnings)
	}
}

func TestOrionParallelism(t *testing.T) {
	p := toyProblem(t, 20, toyRows(traces.P95))
	for _, c := range []struct {
		name  string
		o     Orion
		bytes []float64
		want  int
	}{
		{"the recorded one", Orion{}, nil, 4},
		{"as set", Orion{Parallelism: []int{1, 8, 1}}, nil, 8},
		{"by size, 4 instances", Orion{}, []float64{5, 100, 5}, 4},
		{"by size, 7 instances: 8 is nearer than 4", Orion{Instances: 7}, []float64{5, 100, 5}, 8},
		{"by size, 2 instances", Orion{Instances: 2}, []float64{0, 1e9, 0}, 2},
		{"stages that cannot be split have no share", Orion{Instances: 8}, []float64{100, 100, 100}, 8},
	} {
		p.InputBytes = c.bytes
		if s := solveOrion(t, c.o, p); s.Config[1].Parallelism != c.want {
			t.Errorf("%s: parallelism %d, want %d", c.name, s.Config[1].Parallelism, c.want)
		}
	}
}

func TestOrionSupports(t *testing.T) {
	rows := toyRows(traces.P95)
	for _, c := range []struct {
		name, want string
		o          Orion
		change     func(p *solvers.Problem)
		rows       func(rows []traces.Record)
	}{
		{name: "cost", want: "on cost", change: func(p *solvers.Problem) { p.Bound.Metric = solvers.Cost }},
		{name: "cost, compat", o: Orion{Compat: true}, want: "on cost", change: func(p *solvers.Problem) { p.Bound.Metric = solvers.Cost }},
		{name: "no profile", want: "without a profile", change: func(p *solvers.Problem) { p.Profile = nil }},
		{name: "compat", o: Orion{Compat: true}, want: `not this "toy"`},
		{name: "no warm run", want: `stage "split": the profile has no warm run`, rows: func(rows []traces.Record) {
			for k := range rows {
				rows[k].Epoch = new(int32)
			}
		}},
		{name: "step missing", want: `stage "work": execution "4/2": neither`, rows: func(rows []traces.Record) {
			for k := range rows {
				if rows[k].Execution == "4/2" && rows[k].Stage == "work" {
					rows[k].Write = nil
				}
			}
		}},
		{name: "parallelism", o: Orion{Parallelism: []int{1, 5, 1}}, want: `stage "work"`},
		{name: "too few", o: Orion{Parallelism: []int{1, 4}}, want: "2 values of parallelism"},
		{name: "input sizes", want: "2 input sizes", change: func(p *solvers.Problem) { p.InputBytes = []float64{1, 2} }},
		{name: "steps", o: Orion{Steps: OrionSteps{2000, 1000, 64}}, want: "from 2000 to 1000"},
		{name: "bundles", o: Orion{Bundles: []int{2, 0}}, want: "bundles of 0"},
		{name: "bins", o: Orion{Bin: math.NaN()}, want: "bins of NaN"},
		{name: "narrow bins", o: Orion{Bin: 1e-9}, want: "too narrow"},
		{name: "draws", o: Orion{Draws: -1}, want: "-1 draws"},
	} {
		changed := slices.Clone(rows)
		if c.rows != nil {
			c.rows(changed)
		}
		p := toyProblem(t, 20, changed)
		if c.change != nil {
			c.change(p)
		}
		err := c.o.Supports(p)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", c.name, err, c.want)
		}
		if _, again := c.o.Solve(context.Background(), p, models.Streams{}); again == nil || again.Error() != err.Error() {
			t.Errorf("%s: Solve says %v, Supports %v", c.name, again, err)
		}
	}
}

func TestOrionOptions(t *testing.T) {
	for _, name := range []string{
		"orion", "orion:compat", "orion:independent:steepest:own-steps", "orion:no-sizing:no-bundling:no-prewarming",
		"orion:compat:parallelism=1/8/8/1", "orion:no-sizing:steps=1024-8192/512",
	} {
		var options []string
		if _, list, ok := strings.Cut(name, ":"); ok {
			options = strings.Split(list, ":")
		}
		o, err := NewOrion(options...)
		if err != nil || o.String() != name {
			t.Errorf("%s: is %v, error %v", name, o, err)
		}
	}
	// Every option changes a setting of its own; own-steps are given steps.
	seen := map[string]bool{}
	for _, known := range new(Orion).options() {
		o, err := NewOrion(known.form)
		key := fmt.Sprintf("%+v", struct{ Orion }{o})
		if again := known.form == fmt.Sprintf("steps=%v", OrionOwnSteps); err != nil || seen[key] != again || reflect.DeepEqual(o, Orion{}) {
			t.Errorf("option %s: %+v, error %v", known.form, o, err)
		}
		seen[key] = true
	}
	for option, want := range map[string]string{"fast": `no option "fast"; it has compat, independent`, "steps=1000": "want sizes as steps=1000-10240/64", "steps=1-2/3x": "want sizes", "parallelism=1/x": `"x" is not a number`, "parallelism=0": `"0" is not`} {
		if _, err := NewOrion(option); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not say %q", option, err, want)
		}
	}
}

// Same seed, same answer, and the problem is as it was.
func TestOrionIsDeterministic(t *testing.T) {
	for _, statistic := range []traces.Statistic{traces.P95, traces.Invocation} {
		p := toyProblem(t, 15, toyRows(statistic))
		before := fmt.Sprintf("%+v %+v", p.Bound, p.Profile)
		first := solveOrion(t, Orion{}, p)
		if d := cmp.Diff(first, solveOrion(t, Orion{}, p), cmpopts.EquateNaNs()); d != "" {
			t.Errorf("%s: other answer to the same problem:\n%s", statistic, d)
		}
		if d := cmp.Diff(first, solveOrion(t, Orion{}, toyProblem(t, 15, toyRows(statistic))), cmpopts.EquateNaNs()); d != "" {
			t.Errorf("%s: other answer to an equal problem:\n%s", statistic, d)
		}
		if after := fmt.Sprintf("%+v %+v", p.Bound, p.Profile); after != before {
			t.Errorf("%s: the problem has changed:\n%s\n%s", statistic, before, after)
		}
	}
}

func TestOrionObeysCancellation(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := toyProblem(t, 9, toyRows(traces.P95))
	s, err := Orion{}.Solve(ctx, p, models.Streams{})
	if err != nil || s.Status != solvers.LimitHit {
		t.Errorf("cancelled: status %s, error %v", s.Status, err)
	}
	if s, err := (Orion{Budget: 1, NoPrewarming: true}).Solve(context.Background(), p, models.Streams{}); err != nil || s.Status != solvers.LimitHit {
		t.Errorf("budget of 1: status %s, error %v", s.Status, err)
	}
}

// An answer that breaks the bound on the sample is not called done, and one
// that cannot be found is not called infeasible: nothing is proved.
func TestOrionIsJudgedOnTheSample(t *testing.T) {
	p := toyProblem(t, 5, toyRows(traces.P95))
	s := solveOrion(t, Orion{}, p)
	if s.Status != solvers.NotFound || s.Violations == 0 || len(s.Warnings) == 0 {
		t.Errorf("a limit below every run: %+v", s)
	}
	p = toyProblem(t, 20, toyRows(traces.P95))
	s = solveOrion(t, Orion{}, p)
	o := p.Evaluate(s.Config)
	if s.Status != solvers.Done || s.Objective != o.Objective || s.Violations != o.Violations {
		t.Errorf("%+v, on the sample %v and %d violations", s, o.Objective, o.Violations)
	}
	if _, err := p.Space.Locate(s.Config); err != nil {
		t.Errorf("the answer left the space: %v", err)
	}
}

// Predictions against the percentiles of the sums of recorded runs, counted
// out. Each of the three stages is rounded to a bin.
func TestOrionPredict(t *testing.T) {
	p := toyProblem(t, 20, toyRows(traces.P95))
	c := models.Config{{Memory: 1000, VCPU: 1, Parallelism: 1}, {Memory: 2000, VCPU: 2, Parallelism: 4}, {Memory: 4000, VCPU: 4, Parallelism: 1}}
	var sums []float64
	for _, x := range p.Profile.Warm(0) {
		for _, y := range p.Profile.Warm(1) {
			for _, z := range p.Profile.Warm(2) {
				if x.Config.Memory == 1000 && y.Config.Memory == 2000 && z.Config.Memory == 4000 {
					sums = append(sums, x.P95.Cold+x.P95.Exec()+y.P95.Cold+y.P95.Exec()+z.P95.Cold+z.P95.Exec())
				}
			}
		}
	}
	slices.Sort(sums)
	got, err := Orion{}.Predict(p.Profile, c, 50, 95)
	if err != nil {
		t.Fatal(err)
	}
	for k, rank := range []int{63, 119} { // of 125: ceil(0.5*125), ceil(0.95*125)
		if want := sums[rank-1]; math.Abs(got[k]-want) > 3*sums[124]/longestBins+1e-9 {
			t.Errorf("percentile %d of 2 is %v, counted %v", k+1, got[k], want)
		}
	}
	for _, o := range []Orion{{}, {Compat: true}} {
		if _, err := o.Predict(p.Profile, c[:2], 50); err == nil || !strings.Contains(err.Error(), "2 stages") {
			t.Errorf("%v: a configuration of two stages: error %v", o, err)
		}
	}
}
