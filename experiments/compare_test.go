package experiments

import (
	"context"
	"math"
	"strings"
	"testing"

	"eevee/models"
	"eevee/solvers"
)

func bundledSetup(t *testing.T, workflow string) *Setup {
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
	names, err := MethodNames("all,exhaustive")
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
				if *c.GapToExact < -1e-9 {
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
		if keep < 3 {
			t.Errorf("%s: only %d methods keep the bound", metric, keep)
		}
		ranked := r.Ranked()
		if first := r.Cells[ranked[0]]; first.Method != "exact" && first.Method != "exhaustive" {
			t.Errorf("%s: %s is ranked before the optimum", metric, first.Method)
		}
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

func TestMethodNames(t *testing.T) {
	for _, list := range []string{"magic", "exact,magic", "jolteon:fast", "exact:fast", ""} {
		if _, err := MethodNames(list); err == nil {
			t.Errorf("the list %q is accepted", list)
		}
	}
	got, err := MethodNames("ditto:cost,all,exact")
	if err != nil || got[0] != "ditto:cost" || strings.Count(strings.Join(got, " "), "exact") != 1 {
		t.Errorf("names %v (%v)", got, err)
	}
	// Every name that is listed makes a method of that name.
	for _, name := range Methods() {
		m, err := NewMethod(name)
		if err != nil || m.String() != name {
			t.Errorf("the method %s is %v (%v)", name, m, err)
		}
	}
}
