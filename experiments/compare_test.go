package experiments

import (
	"context"
	"encoding/json"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
)

func bundledSetup(t testing.TB, workflow string) *Setup {
	t.Helper()
	def, err := models.Load(workflow)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := Sources{}.Trace(workflow, "")
	if err != nil {
		t.Fatal(err)
	}
	if trace.Origin != OriginBundled || len(trace.SHA256) != 64 {
		t.Fatalf("without recordings the trace is %s with checksum %q", trace.Origin, trace.SHA256)
	}
	s, err := NewSetup(def, trace, Choice{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// In a comparison no method that keeps the bound beats exact, every method is
// judged on the same holdout, and a method that cannot take the problem says
// why.
func TestCompare(t *testing.T) {
	s := bundledSetup(t, "ml")
	names, err := ContenderNames("all,exhaustive")
	if err != nil {
		t.Fatal(err)
	}
	for _, metric := range []solvers.Metric{solvers.Latency, solvers.Cost} {
		bound := solvers.Bound{Metric: metric, Limit: 40, Percentile: 95, Confidence: 99, Rule: solvers.Plugin}
		if metric == solvers.Cost {
			bound.Limit = 0.01
		}
		r, err := s.Compare(context.Background(), CompareOptions{Methods: names, Bound: bound, Samples: 400, Seed: 1, Runs: 100}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Cells) != len(names) {
			t.Fatalf("%d cells for %d methods", len(r.Cells), len(names))
		}
		keep := 0
		for _, c := range r.Cells {
			switch {
			case c.Unsupported != "":
				t.Logf("%s: %s", c.Method, c.Unsupported)
			case c.GapToExact != nil:
				keep++
				// A policy knows what has happened in the run, so that it may do
				// better than one configuration for all runs.
				if *c.GapToExact < -1e-9 && c.Decides == Before {
					t.Errorf("%s, %s: beats the proved optimum by %v", metric, c.Method, -*c.GapToExact)
				}
				if c.Simulated == nil || c.Simulated.Runs != 100 || c.Holdout.N != solvers.HoldoutSize {
					t.Errorf("%s, %s: holdout %+v, simulated %+v", metric, c.Method, c.Holdout, c.Simulated)
				}
			}
			if c.Method == "exhaustive" && c.GapToExact != nil && math.Abs(*c.GapToExact) > 1e-9 {
				t.Errorf("%s: exhaustive is %v off exact", metric, *c.GapToExact)
			}
		}
		policies := map[When]int{}
		for i, c := range r.Cells {
			if c.Method != names[i] {
				t.Errorf("%s: cell %d is of %s, want %s", metric, i, c.Method, names[i])
			}
			if !isPolicy(c.Method) {
				continue
			}
			if refused := c.Unsupported != ""; refused != (metric == solvers.Cost) {
				t.Errorf("%s: %s is refused because of %q", metric, c.Method, c.Unsupported)
			} else if refused {
				continue
			}
			policies[c.Decides]++
			if (c.Decides == Before) != (len(c.Config) > 0) || (c.Decides == During) != (len(c.Choices) > 0) {
				t.Errorf("%s decides %s the run: config %v, choices %v", c.Method, c.Decides, c.Config, c.Choices)
			}
			shares := map[string]float64{}
			for _, d := range c.Choices {
				shares[d.Stage] += d.Share
			}
			for stage, sum := range shares {
				if math.Abs(sum-1) > 1e-9 {
					t.Errorf("%s: the shares of stage %s add up to %v", c.Method, stage, sum)
				}
			}
			if c.Simulated == nil || c.Simulated.Runs != 100 || c.Holdout.N != solvers.HoldoutSize || c.Evaluations != 0 {
				t.Errorf("%s: holdout %+v, simulated %+v", c.Method, c.Holdout, c.Simulated)
			}
		}
		if metric == solvers.Latency && (policies[During] != 7 || policies[Before] != 3) {
			t.Errorf("policies that decide during and before the run: %v", policies)
		}
		if keep < 3 {
			t.Errorf("%s: only %d methods keep the bound", metric, keep)
		}
		ranked := r.Ranked()
		ranked = slices.DeleteFunc(ranked, func(i int) bool { return r.Cells[i].Decides == During })
		if first := r.Cells[ranked[0]]; first.Method != "exact" && first.Method != "exhaustive" {
			t.Errorf("%s: %s is ranked before the optimum", metric, first.Method)
		}
	}
}

// A policy that always takes the configuration of a method is that method in
// every figure of the comparison: it is judged on the same footing.
func TestPoliciesStandOnTheFootingOfMethods(t *testing.T) {
	s := bundledSetup(t, "video")
	bound := solvers.Bound{Metric: solvers.Latency, Limit: 40, Percentile: 95, Confidence: 99, Rule: solvers.Plugin}
	problem, err := s.Problem(bound, 400, 1)
	if err != nil {
		t.Fatal(err)
	}
	o := CompareOptions{Methods: []string{"exact"}, Bound: bound, Samples: 400, Seed: 1, Runs: 200}
	r, err := s.Compare(context.Background(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	config := make(models.Config, len(r.Cells[0].Config))
	for i, c := range r.Cells[0].Config {
		config[i] = models.StageConfig{Memory: c.MemoryMB, VCPU: c.VCPU, Parallelism: c.Parallelism}
	}
	world, err := sim.NewReplay(s.Definition.Workflow, s.Trace.Rows, sim.ReplaySettings{})
	if err != nil {
		t.Fatal(err)
	}
	c := contest{Setup: s, options: o, problem: problem, world: world, holdout: func() (*models.Scenarios, error) { return s.Holdout(1, 0, solvers.HoldoutSize) }}
	// Not a StaticPolicy, so that it decides in every scenario and run.
	got, objective, err := c.judge(context.Background(), "shadow", shadow{models.StaticPolicy{Config: config}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := r.Cells[0]
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got/want-1) > 1e-9 {
			t.Errorf("%s is %v, that of the configuration %v", what, got, want)
		}
	}
	near("sample p95", got.Predicted.Latency.P95, want.Predicted.Latency.P95)
	near("sample cost", got.Predicted.Cost.Mean, want.Predicted.Cost.Mean)
	near("holdout cost", *got.Holdout.ObjectiveMeanUSD, *want.Holdout.ObjectiveMeanUSD)
	near("simulated p95", got.Simulated.LatencyS.P95, want.Simulated.LatencyS.P95)
	near("simulated cost", got.Simulated.CostUSD.Mean, want.Simulated.CostUSD.Mean)
	if got.Holdout.Violations != want.Holdout.Violations || *got.Bound.Violations != *want.Bound.Violations {
		t.Errorf("violations %d and %d, those of the configuration %d and %d", *got.Bound.Violations, got.Holdout.Violations, *want.Bound.Violations, want.Holdout.Violations)
	}
	if len(objective) != solvers.HoldoutSize || got.Decides != During || len(got.Choices) != len(config) {
		t.Errorf("%d scenarios, decides %s, choices %v", len(objective), got.Decides, got.Choices)
	}
}

// shadow hides that a policy is static.
type shadow struct{ models.Policy }

// Where nothing chosen before would do, janus says whose number of instances it
// keeps.
func TestJanusSaysWhatItStartsFrom(t *testing.T) {
	s := bundledSetup(t, "ml")
	for _, c := range []struct {
		limit float64
		says  bool
	}{{5, true}, {100, false}} {
		p, err := NewPolicy(context.Background(), "janus", PolicySetting{Definition: s.Definition, Rows: s.Trace.Rows, Space: s.Space, Price: s.Price, Limit: c.limit, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		list := p.(interface{ Warnings() []string }).Warnings()
		if said := len(list) > 0 && strings.HasPrefix(list[0], "no configuration keeps"); said != c.says {
			t.Errorf("limit %v s: warnings %q", c.limit, list)
		}
	}
}

// The same seed gives the same comparison, whatever the number of cores.
func TestCompareIsReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("compares all methods twice")
	}
	s := bundledSetup(t, "ml")
	o := CompareOptions{
		Methods: []string{"exact", "cose", "stepconf", "janus", "ditto:cost"}, Samples: 300, Seed: 3, Runs: 50,
		Bound: solvers.Bound{Metric: solvers.Latency, Limit: 40, Percentile: 90, Confidence: 99, Rule: solvers.Plugin},
	}
	var texts []string
	for _, cores := range []int{1, 3} {
		before := runtime.GOMAXPROCS(cores)
		r, err := s.Compare(context.Background(), o, nil)
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Cells {
			r.Cells[i].Runtime = nil
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		t.Errorf("on three cores\n%s\non one\n%s", texts[1], texts[0])
	}
}

func TestTie(t *testing.T) {
	a, b, c := make([]float64, 1000), make([]float64, 1000), make([]float64, 1000)
	for k := range a {
		a[k] = float64(k % 7)
		b[k] = a[k] + float64(k%2) - 0.5 // a mean difference of 0
		c[k] = b[k] + 0.2
	}
	if !tie(a, b, 99) {
		t.Error("a mean difference of 0 is told apart")
	}
	// The difference has mean 0.2 and standard error 0.5/sqrt(1000) = 0.016.
	if tie(a, c, 99) {
		t.Error("a mean difference of 12 standard errors is not told apart")
	}
}

func TestContenderNames(t *testing.T) {
	for _, list := range []string{"magic", "exact,magic", "jolteon:fast", "jolteon:from=small", "jolteon:compat:from=", "exact:fast", ""} {
		if _, err := ContenderNames(list); err == nil {
			t.Errorf("the list %q is accepted", list)
		}
		if _, err := MethodNames(list); err == nil {
			t.Errorf("the list %q is accepted for methods", list)
		}
	}
	if names, err := ContenderNames("janus,all"); err != nil || names[0] != "janus" || len(names) != len(Methods())-1+len(PolicyNames()) {
		t.Errorf("names %v (%v)", names, err)
	}
	if _, err := MethodNames("janus"); err == nil || !strings.Contains(err.Error(), "simulate --policy janus") {
		t.Errorf("a policy for a method: %v", err)
	}
	got, err := ContenderNames("ditto:cost,all,exact")
	if err != nil || got[0] != "ditto:cost" || strings.Count(strings.Join(got, " "), "exact") != 1 {
		t.Errorf("names %v (%v)", got, err)
	}
	// Every name that is listed makes a method of that name.
	for _, name := range append(Methods(), "jolteon:compat:from=small") {
		m, err := NewMethod(name)
		if err != nil || m.String() != name {
			t.Errorf("the method %s is %v (%v)", name, m, err)
		}
	}
}

// BenchmarkCompare is what a user waits for: everything that can be compared,
// on the largest bundled workflow.
func BenchmarkCompare(b *testing.B) {
	s := bundledSetup(b, "tpcds")
	names, err := ContenderNames("all")
	if err != nil {
		b.Fatal(err)
	}
	bound := solvers.Bound{Metric: solvers.Latency, Limit: 40, Percentile: 95, Confidence: 99.9, Rule: solvers.Certified}
	for b.Loop() {
		if _, err := s.Compare(context.Background(), CompareOptions{Methods: names, Bound: bound, Seed: 1, Runs: 2000}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
