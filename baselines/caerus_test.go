package baselines

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"eevee/internal/recordings"
	"eevee/models"
	"eevee/solvers"
	"eevee/traces"
)

// uniformProblem is a recorded workflow of the Jolteon artifact under a bound
// on the latency, for methods that do not look at it.
func uniformProblem(t testing.TB, workflow string, limit float64) *solvers.Problem {
	t.Helper()
	return recordedProblem(t, workflow, limit, 500)
}

// referenceRun is a run of the Jolteon artifact for Ditto or Caerus.
type referenceRun struct {
	Args      string `json:"args"`
	Workflow  string `json:"workflow"`
	Scheduler string `json:"scheduler"`
	BoundType string `json:"bound_type"`
	Total     string `json:"tp"`
	VCPU      string `json:"nv"`
	Final     struct {
		Parallelism []int     `json:"num_funcs"`
		VCPU        []float64 `json:"num_vcpus"`
		Ratio       []float64 `json:"parallelism_ratio"`
	} `json:"final"`
}

func referenceRuns(t testing.TB, scheduler string) []referenceRun {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(recordings.Reference(t), "jolteon_reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Cases []json.RawMessage `json:"cases"`
	}
	text = regexp.MustCompile(`\bNaN\b`).ReplaceAll(text, []byte("null"))
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	var runs []referenceRun
	for _, raw := range all.Cases {
		var c struct {
			Scheduler string `json:"scheduler"`
		}
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		if c.Scheduler != scheduler {
			continue
		}
		var r referenceRun
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	if len(runs) == 0 {
		t.Fatalf("the reference has no run of %s", scheduler)
	}
	return runs
}

func (r referenceRun) total(t testing.TB) int {
	n, err := strconv.Atoi(r.Total)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (r referenceRun) vcpu(t testing.TB) float64 {
	v, err := strconv.ParseFloat(r.VCPU, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// same compares with the configuration of a run. The artifact cuts memory to
// whole MB before it prints vCPU, which is 1/1792 vCPU at most.
func (r referenceRun) same(c models.Config) bool {
	for i := range c {
		if c[i].Parallelism != r.Final.Parallelism[i] || math.Abs(c[i].VCPU-r.Final.VCPU[i]) > 1./1792 {
			return false
		}
	}
	return len(c) == len(r.Final.Parallelism)
}

func solved(t testing.TB, p *solvers.Problem, m solvers.Method) solvers.Solution {
	t.Helper()
	if err := m.Supports(p); err != nil {
		t.Fatalf("%s: %v", m, err)
	}
	s, err := m.Solve(context.Background(), p, models.Streams{Seed: 1})
	if err != nil {
		t.Fatalf("%s: %v", m, err)
	}
	return s
}

// Input sizes in MB of the reference's runs (reference section 6): "base" and
// "alt" for ml and video.
var referenceSizes = map[string][][]float64{
	"ml":    {{0, 25.8, 75.8, 0}, {0, 25.8, 33.8, 0}},
	"video": {{80, 80, 6.4, 12.8}, {100, 80, 6.4, 12.8}},
	"tpcds": {{1470, 4, 1470, 98, 320 + 5 + 10.3 + 4, 27, 7.5 + .06 + .012, .1}},
}

// With the sizes that a run of the artifact assumed, Caerus has its ratios and
// its configuration.
func TestCaerusIsTheArtifact(t *testing.T) {
	seen := map[string]int{}
	for _, r := range referenceRuns(t, "caerus") {
		p := uniformProblem(t, r.Workflow, 60)
		p.InputBytes = slices.Clone(referenceSizes[r.Workflow][seen[r.Workflow]])
		seen[r.Workflow]++
		sizes, _, err := Caerus{}.sizes(p)
		if err != nil {
			t.Fatal(err)
		}
		for i, share := range normalised(sizes) {
			if math.Abs(share-r.Final.Ratio[i]) > 1e-12 {
				t.Errorf("%s: stage %d has a share of %v, the artifact gives it %v", r.Args, i, share, r.Final.Ratio[i])
			}
		}
		c := Caerus{Own: true}
		if got := solved(t, p, c).Config; !r.same(got) {
			t.Errorf("%s: %v, the artifact has %v of %v vCPU", r.Args, got, r.Final.Parallelism, r.Final.VCPU)
		}
		// The bundled settings are those of the run.
		c.Total, c.VCPU = r.total(t), r.vcpu(t)
		if got := solved(t, p, c).Config; !r.same(got) {
			t.Errorf("%s: with its settings given: %v", r.Args, got)
		}
	}
	if !reflect.DeepEqual(seen, map[string]int{"ml": 2, "video": 2, "tpcds": 1}) {
		t.Errorf("runs %v", seen)
	}
}

// The configurations that the paper's Figure 9 was explained with (claims.md,
// A.4), with the sizes that are inferred for it. They lie on the grids of the
// workflows.
func TestCaerusOfFigure9(t *testing.T) {
	for workflow, want := range map[string]struct {
		d    []int
		vcpu float64
	}{
		"ml": {[]int{1, 8, 8, 1}, 2.5}, "video": {[]int{8, 8, 4, 4}, 3}, "tpcds": {[]int{20, 1, 20, 4, 4, 4, 4, 1}, .7},
	} {
		p := uniformProblem(t, workflow, 60)
		for _, c := range []Caerus{{}, {Own: true}} {
			s := solved(t, p, c)
			for i, sc := range s.Config {
				if sc.Parallelism != want.d[i] || sc.VCPU != want.vcpu {
					t.Errorf("%s on %s: stage %d has %d instances of %v vCPU, want %d of %v", c, workflow, i, sc.Parallelism, sc.VCPU, want.d[i], want.vcpu)
				}
			}
			if _, err := p.Space.Locate(s.Config); err != nil {
				t.Errorf("%s on %s: %v", c, workflow, err)
			}
			if len(s.Warnings) != 1 || !strings.HasPrefix(s.Warnings[0], "input sizes are inferred") {
				t.Errorf("%s on %s: warnings %q", c, workflow, s.Warnings)
			}
		}
	}
}

// The launch times of the three rules on a recorded workflow: never waiting,
// each stage ends when its parents and it are done; the rest of the order is
// that of the rules.
func TestCaerusSchedule(t *testing.T) {
	p := uniformProblem(t, "tpcds", 60)
	w := p.Workflow()
	lambda, err := newLambdaJob(p.Profile)
	if err != nil {
		t.Fatal(err)
	}
	nimble := solved(t, p, Caerus{})
	lazy, eager, pipelined := solved(t, p, Caerus{Launch: CaerusLazy}), solved(t, p, Caerus{Launch: CaerusEager}), solved(t, p, Caerus{Pipelined: true})
	end := make([]float64, w.Len())
	for i := range w.Len() {
		ready := 0.0
		for _, parent := range w.Parents(i) {
			ready = max(ready, end[parent])
		}
		s, x := lambda.stages[i], nimble.Config[i].VCPU*float64(nimble.Config[i].Parallelism)
		want := max(0, ready-s.cold)
		end[i] = want + s.cold
		for _, step := range []DittoTime{s.read, s.compute, s.write} {
			end[i] += max(0, step.At(x)) // a fit may fall below zero
		}
		if got := nimble.Schedule.Launch[i]; math.Abs(got-want) > 1e-9 {
			t.Errorf("stage %d is launched at %v s, want %v s", i, got, want)
		}
		if eager.Schedule.Launch[i] != 0 || lazy.Schedule.Launch[i] < nimble.Schedule.Launch[i] || pipelined.Schedule.Launch[i] > nimble.Schedule.Launch[i]+1e-9 {
			t.Errorf("stage %d is launched at %v s, lazily at %v s, eagerly at %v s, pipelined at %v s", i,
				nimble.Schedule.Launch[i], lazy.Schedule.Launch[i], eager.Schedule.Launch[i], pipelined.Schedule.Launch[i])
		}
	}
	if pipelined.Schedule.Launch[w.Len()-1] >= nimble.Schedule.Launch[w.Len()-1] {
		t.Error("pipelining gains nothing")
	}
	if nimble.Schedule.Prewarm != nil {
		t.Error("Caerus starts instances ahead")
	}
}

// smallProblem is a workflow that no artifact knows, with a made-up profile of
// a/x + b times.
func smallProblem(t testing.TB, stages []models.Stage, choices [][]models.StageConfig, rules []models.Rule) *solvers.Problem {
	t.Helper()
	w, err := models.NewWorkflow("small", stages)
	if err != nil {
		t.Fatal(err)
	}
	space, err := models.NewSpace(w, choices, rules)
	if err != nil {
		t.Fatal(err)
	}
	def := &models.Definition{Workflow: w, MBPerVCPU: 1000}
	var rows []traces.Record
	for k, d := range []int32{2, 4, 8} {
		for i, s := range stages {
			if s.MaxParallelism == 1 {
				d = 1
			}
			a := float64(int(4) << i)
			for epoch := range int32(3) {
				rows = append(rows, traces.Record{
					Execution: strconv.Itoa(k) + "/" + strconv.Itoa(int(epoch)), Stage: s.Name, Epoch: new(epoch), Statistic: traces.Mean,
					MemoryMB: int32(1000 * (1 + k)), Parallelism: new(d),
					Cold: new(.5), Read: new(a / float64(int(d)*(1+k))), Compute: new(3*a/float64(int(d)*(1+k)) + .1), Write: new(.25),
				})
			}
		}
	}
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]models.StageSample, w.Len())
	for i := range samples {
		samples[i] = halving{}
	}
	scenarios, err := models.NewScenarios(w, models.PriceBook{USDPerGBSecond: 1e-5}, 20, samples)
	if err != nil {
		t.Fatal(err)
	}
	p, err := solvers.NewProblem(space, scenarios, solvers.Bound{Metric: solvers.Latency, Limit: 10, Percentile: 90, Confidence: 99, Rule: solvers.Plugin})
	if err != nil {
		t.Fatal(err)
	}
	p.Profile = profile
	return p
}

// halving is a stage of 8 s divided by its instances, in every scenario.
type halving struct{}

func (halving) Times(c models.StageConfig, _ int, latency, billed []float64) {
	for _, out := range [][]float64{latency, billed} {
		for k := range out {
			out[k] = 8 / float64(c.Parallelism)
		}
	}
}

func (halving) ReadsInput() bool { return false }

func sizes(d []int, vcpu ...float64) []models.StageConfig {
	var list []models.StageConfig
	for _, n := range d {
		for _, v := range vcpu {
			list = append(list, models.StageConfig{Memory: int(1000 * v), VCPU: v, Parallelism: n})
		}
	}
	return list
}

func twoStages(t testing.TB) *solvers.Problem {
	return smallProblem(t, []models.Stage{{Name: "a"}, {Name: "b", After: []string{"a"}}, {Name: "c", After: []string{"b"}, MaxParallelism: 1}},
		[][]models.StageConfig{sizes([]int{2, 4, 8}, 1, 2), sizes([]int{2, 4, 8}, 1, 2), sizes([]int{1}, 1, 2)}, nil)
}

func TestCaerusDividesByTheProblemsSizes(t *testing.T) {
	p := twoStages(t)
	if err := (Caerus{}).Supports(p); err == nil || err.Error() != "the sizes of the inputs of workflow small are not known, and instances are divided by them" {
		t.Errorf("without sizes: %v", err)
	}
	for _, c := range []struct {
		bytes []float64
		total int
		want  []int
	}{
		{[]float64{300, 100, 5000}, 8, []int{8, 2, 1}}, // 6 and 2 of 8, on the grid
		{[]float64{100, 100, 0}, 8, []int{4, 4, 1}},
		{[]float64{0, 100, 0}, 100, []int{2, 8, 1}},
		{[]float64{0, 0, 7}, 8, []int{2, 2, 1}},
	} {
		p.InputBytes = c.bytes
		s := solved(t, p, Caerus{Total: c.total, VCPU: 1.5})
		for i, sc := range s.Config {
			if sc.Parallelism != c.want[i] || sc.VCPU != 2 {
				t.Errorf("%v bytes: %v, want %v instances of 2 vCPU", c.bytes, s.Config, c.want)
			}
		}
		if len(s.Warnings) > 0 && strings.Contains(s.Warnings[0], "inferred") {
			t.Errorf("given sizes are called inferred: %q", s.Warnings)
		}
	}
	p.InputBytes = []float64{300, 100, 0}
	own := solved(t, p, Caerus{Total: 10, VCPU: 1.5, Own: true})
	if got, want := own.Config.String(), "7x1500MB 2x1500MB 1x1500MB"; got != want {
		t.Errorf("in its own space: %s, want %s", got, want)
	}
	// Where nothing is published, the middle of the space: 4 + 4 + 1
	// instances of 1 vCPU.
	if got, want := solved(t, p, Caerus{Own: true}).Config.String(), "6x1000MB 2x1000MB 1x1000MB"; got != want {
		t.Errorf("with the settings of the space: %s, want %s", got, want)
	}
	for _, bad := range [][]float64{{1}, {1, -2, 3}, {1, math.NaN(), 3}, {math.Inf(1), 1, 1}} {
		p.InputBytes = bad
		if err := (Caerus{}).Supports(p); err == nil {
			t.Errorf("sizes %v are supported", bad)
		}
	}
}

func TestUniformMethodsSayWhatTheyAre(t *testing.T) {
	p := twoStages(t)
	p.InputBytes = []float64{1, 1, 1}
	for _, m := range []solvers.Method{Caerus{VCPU: -1}, Caerus{Total: -3}, Caerus{VCPU: math.NaN()}, Caerus{Launch: "soon"}, Ditto{Total: -1}, Ditto{Objective: "speed"}} {
		if err := m.Supports(p); err == nil {
			t.Errorf("%s is supported", m)
		}
	}
	names := map[string]solvers.Method{
		"caerus": Caerus{}, "caerus:own": Caerus{Own: true}, "caerus:pipelined:eager": Caerus{Pipelined: true, Launch: CaerusEager},
		"caerus:total=8:vcpu=0.5": Caerus{Total: 8, VCPU: .5}, "ditto": Ditto{}, "ditto:latency": Ditto{Objective: solvers.Latency},
		"ditto:cost:own:divisible:compat": Ditto{Objective: solvers.Cost, Own: true, Divisible: true, Compat: true},
	}
	for want, m := range names {
		if m.String() != want {
			t.Errorf("%q is called %q", want, m)
		}
		if strings.Contains(want, "=") {
			continue
		}
		options := strings.Split(want, ":")
		var got solvers.Method
		var err error
		if options[0] == "caerus" {
			got, err = NewCaerus(options[1:]...)
		} else {
			got, err = NewDitto(options[1:]...)
		}
		if err != nil || got != m {
			t.Errorf("%q makes %+v (%v)", want, got, err)
		}
	}
	if _, err := NewCaerus("fast"); err == nil {
		t.Error("caerus:fast")
	}
	if _, err := NewDitto("fast"); err == nil {
		t.Error("ditto:fast")
	}
}

// A method that looks at no bound says what its answer keeps.
func TestUniformMethodsLookAtNoBound(t *testing.T) {
	p := twoStages(t)
	p.InputBytes = []float64{1, 1, 0}
	for _, m := range []solvers.Method{Caerus{Total: 8}, Ditto{Objective: solvers.Latency, Total: 8}} {
		r, err := solvers.Solve(context.Background(), p, m, models.Streams{Seed: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Solution.Status != solvers.NotFound || r.Feasible {
			t.Errorf("%s: %s, feasible %t", m, r.Solution.Status, r.Feasible)
		}
		keeps := solvers.OrderStatistic(r.Outcome.Latency, 2)
		if r.Solution.Enforced != keeps || !(keeps > p.Bound.Limit) {
			t.Errorf("%s: says that it keeps %v, it keeps %v", m, r.Solution.Enforced, keeps)
		}
		loose := *r.Solution.Schedule
		p2 := twoStages(t)
		p2.InputBytes, p2.Bound.Limit = p.InputBytes, keeps
		s := solved(t, p2, m)
		if s.Status != solvers.Done || s.Enforced != keeps || s.Config.String() != r.Solution.Config.String() || !reflect.DeepEqual(*s.Schedule, loose) {
			t.Errorf("%s: under the limit that it keeps: %+v", m, s)
		}
	}
}

func TestUniformMethodsEndWhenCancelled(t *testing.T) {
	p := twoStages(t)
	p.InputBytes = []float64{1, 1, 0}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, m := range []solvers.Method{Caerus{}, Ditto{}} {
		s, err := m.Solve(ctx, p, models.Streams{})
		if err != nil || s.Status != solvers.LimitHit || s.Config != nil {
			t.Errorf("%s: %+v, %v", m, s, err)
		}
	}
}

func TestUniformMethodsAreDeterministic(t *testing.T) {
	for _, m := range []solvers.Method{Caerus{}, Ditto{Objective: solvers.Latency}, Ditto{Objective: solvers.Cost, Compat: true}} {
		p := uniformProblem(t, "tpcds", 60)
		first, err := m.Solve(context.Background(), p, models.Streams{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		second, err := m.Solve(context.Background(), p, models.Streams{Seed: 2})
		if err != nil {
			t.Fatal(err)
		}
		first.Reachable, second.Reachable = 0, 0
		if !reflect.DeepEqual(first, second) {
			t.Errorf("%s: %+v and %+v", m, first, second)
		}
	}
}

// The nearest configuration is admissible, is the wanted one where that is,
// and no other is nearer.
func TestSnap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "stages")
		stages := make([]models.Stage, n)
		choices := make([][]models.StageConfig, n)
		for i := range stages {
			stages[i].Name = string(rune('a' + i))
			d := rapid.SliceOfNDistinct(rapid.IntRange(1, 12), 1, 4, rapid.ID[int]).Draw(t, "parallelism")
			choices[i] = sizes(d, rapid.SliceOfNDistinct(rapid.SampledFrom([]float64{.5, 1, 2, 3}), 1, 3, rapid.ID[float64]).Draw(t, "vcpu")...)
		}
		w, err := models.NewWorkflow("random", stages)
		if err != nil {
			t.Fatal(err)
		}
		var rules []models.Rule
		for i := 1; i < n; i++ {
			if rapid.Bool().Draw(t, "rule") {
				rules = append(rules, models.Rule{Stage: i, Of: rapid.IntRange(0, i-1).Draw(t, "of"), Times: rapid.IntRange(1, 2).Draw(t, "times"), Equal: rapid.IntRange(0, 3).Draw(t, "equal") == 0})
			}
		}
		space, err := models.NewSpace(w, choices, rules)
		if err != nil {
			t.Fatal(err)
		}
		want := make(models.Config, n)
		for i := range want {
			want[i] = models.StageConfig{Parallelism: rapid.IntRange(1, 16).Draw(t, "wanted"), VCPU: rapid.Float64Range(.25, 4).Draw(t, "wanted vcpu")}
		}
		got, err := snap(space, want)
		if space.Size().Sign() == 0 {
			if err == nil {
				t.Fatalf("%v of an empty space", got)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := space.Locate(got); err != nil {
			t.Fatal(err)
		}
		if len(rules) > 0 {
			return
		}
		for i, c := range got {
			for _, other := range choices[i] {
				// The next larger parallelism, or the largest.
				if up := other.Parallelism >= want[i].Parallelism; up && (c.Parallelism < want[i].Parallelism || other.Parallelism < c.Parallelism) ||
					c.Parallelism < want[i].Parallelism && other.Parallelism > c.Parallelism {
					t.Errorf("stage %d: %d instances for %d wanted, with %d to be had", i, c.Parallelism, want[i].Parallelism, other.Parallelism)
				}
			}
		}
	})
}

// Coupled stages: those that others follow keep what they want.
func TestSnapWithRules(t *testing.T) {
	p := uniformProblem(t, "tpcds", 60)
	for _, c := range []struct {
		want, snapped []int
	}{
		{[]int{30, 1, 10, 3, 40, 1, 48, 1}, []int{32, 1, 32, 4, 32, 4, 32, 1}},
		{[]int{6, 1, 40, 3, 40, 1, 48, 1}, []int{8, 1, 8, 4, 8, 4, 8, 1}},
		{[]int{99, 1, 40, 99, 40, 17, 2, 1}, []int{48, 1, 48, 48, 40, 20, 4, 1}},
	} {
		config := make(models.Config, len(c.want))
		for i, d := range c.want {
			config[i] = models.StageConfig{Parallelism: d, VCPU: .55}
		}
		got, err := snap(p.Space, config)
		if err != nil {
			t.Fatal(err)
		}
		for i, sc := range got {
			vcpu := .6
			if sc.Parallelism == 8 && (i == 0 || i == 2) {
				vcpu = 1 // the only size of a scan of 8
			}
			if sc.Parallelism != c.snapped[i] || sc.VCPU != vcpu {
				t.Errorf("%v: %v, want %v", c.want, got, c.snapped)
			}
		}
	}
}
