package papers

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"eevee/internal/recordings"
	"eevee/models"
	"eevee/solvers"
)

// readReference reads a file of reference figures of the artifact.
func readReference(t *testing.T, name string, to any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(recordings.Reference(t), name))
	if err != nil {
		t.Fatal(err)
	}
	// Python writes NaN, which JSON does not have.
	text = regexp.MustCompile(`\b(NaN|-?Infinity)\b`).ReplaceAll(text, []byte("null"))
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

// The artifact's configurations are those of its 54 published runs, 18 of which
// break their own bound.
func TestArtifactRuns(t *testing.T) {
	var reference struct {
		Cases []struct {
			Workflow  string
			Scheduler string
			Sections  []string
			BoundType string `json:"bound_type"`
			Bound     float64
			Final     struct {
				NumFuncs []int     `json:"num_funcs"`
				NumVCPUs []float64 `json:"num_vcpus"`
			}
			ViolatesOwn bool `json:"violates_own_bound"`
			ViolatesMax bool `json:"violates_bound_maxpath"`
		}
	}
	readReference(t, "jolteon_reference.json", &reference)
	compared, breaks := 0, 0
	for _, want := range reference.Cases {
		published := slices.ContainsFunc(want.Sections, func(s string) bool {
			return s == "overall" || s == "guarantee" || s == "sensitiveness"
		})
		if want.Scheduler != "jolteon" || !published {
			continue
		}
		cell := Cell{want.Workflow, solvers.Latency, want.Bound, MethodArtifact}
		if want.BoundType == "cost" {
			cell.Metric, cell.Limit = solvers.Cost, want.Bound/1e5
		}
		run, ok := artifactRunOf(cell)
		if !ok {
			t.Errorf("%v: no such run", cell)
			continue
		}
		compared++
		if !slices.Equal(run.Parallelism, want.Final.NumFuncs) || !slices.Equal(run.VCPU, want.Final.NumVCPUs) {
			t.Errorf("%v: %v %v, want %v %v", cell, run.Parallelism, run.VCPU, want.Final.NumFuncs, want.Final.NumVCPUs)
		}
		broken := want.ViolatesOwn || cell.Metric == solvers.Latency && want.ViolatesMax
		if run.Breaks != broken {
			t.Errorf("%v: breaks its bound: %v, want %v", cell, run.Breaks, broken)
		}
		if broken {
			breaks++
		}
	}
	if n := len(artifactRuns()); compared != 54 || n != 54 || breaks != 18 {
		t.Errorf("%d runs, %d of them in the reference, %d break their bound; want 54, 54 and 18", n, compared, breaks)
	}
}

func TestArtifactDraws(t *testing.T) {
	var reference struct {
		Draws map[string][][][6]float64
	}
	readReference(t, "jolteon_two_draws.json", &reference)
	facts := mustFacts[struct {
		Workflow string         `yaml:"workflow"`
		Stages   [][][6]float64 `yaml:"stages"`
	}]("data/two_draws.yaml")
	want := reference.Draws[facts.Workflow]
	if !slices.EqualFunc(facts.Stages, want, func(a, b [][6]float64) bool { return slices.Equal(a, b) }) {
		t.Errorf("draws %v, want %v", facts.Stages, want)
	}
}

// Every statement says what it must before it runs; ids are unique, and those of
// the catalogue.
func TestStatements(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range catalogue {
		s := e.create().Statement()
		if s.ID != e.id {
			t.Errorf("%s is listed as %s", s.ID, e.id)
		}
		if s.ID == "" || s.Paper == "" || s.Title == "" || s.Claim == "" || s.Data == "" || s.RefutedBy == "" && !strings.HasPrefix(s.Claim, "None") {
			t.Errorf("incomplete: %+v", s)
		}
		if seen[s.ID] {
			t.Errorf("id %s twice", s.ID)
		}
		seen[s.ID] = true
	}
}

// Facts on figures are complete and in plausible units: whatever is missing in a
// file reads as zero.
func TestFactsArePlausible(t *testing.T) {
	between := func(what string, v, lo, hi float64) {
		t.Helper()
		if !(v >= lo && v <= hi) {
			t.Errorf("%s: %v is not between %v and %v", what, v, lo, hi)
		}
	}
	f9 := mustFacts[fig9]("data/fig9.yaml")
	for _, p := range f9.Panels {
		if len(p.Points) != 7 {
			t.Errorf("%s: %d points, want 7", p.Name, len(p.Points))
		}
		for i, q := range p.Points {
			between(p.Name, q.LatencyS, 5, 90)
			between(p.Name, q.CostUSD, 0.005, 0.03)
			if (q.Bound.LatencyS > 0) == (q.Bound.CostUSD > 0) {
				t.Errorf("%s, point %d: a point has one bound", p.Name, i)
			}
			if i > 0 && q.LatencyS <= p.Points[i-1].LatencyS {
				t.Errorf("%s, point %d: points come in the order of their latency", p.Name, i)
			}
		}
	}
	for _, p := range newBaselines().Panels {
		var points []string
		for _, s := range p.Systems {
			points = append(points, fmt.Sprint(s.Name, " ", len(s.Points)))
			for _, q := range s.Points {
				between(s.Name, q.Reported.LatencyS, 5, 90)
				between(s.Name, q.Reported.CostUSD, 0.005, 0.03)
				between(s.Name, q.Replayed.P50, 5, 90)
				between(s.Name, q.Replayed.P95, q.Replayed.P50, 1.5*q.Replayed.P50)
				between(s.Name, q.Replayed.CostUSD, 0.005, 0.03)
			}
		}
		if want := []string{"Caerus 1", "Ditto-L 1", "Ditto-C 1", "Orion 5"}; !slices.Equal(points, want) {
			t.Errorf("%s: points %q, want %q", p.Workflow, points, want)
		}
	}
	for name, n := range map[string]int{"data/fig10.yaml": 9, "data/fig11.yaml": 8} {
		f := mustFacts[tightness](name)
		if len(f.Panels) != 3 {
			t.Errorf("%s: %d panels", name, len(f.Panels))
		}
		for _, p := range f.Panels {
			if len(p.Points) != n {
				t.Errorf("%s: %d bounds, want %d", p.Name, len(p.Points), n)
			}
			for _, q := range p.Points {
				// The claim of both figures, but for the digitisation.
				between(p.Name+" p95", q.P95, 0.4*q.Bound, 1.02*q.Bound)
			}
		}
	}
	for _, p := range mustFacts[fig13]("data/fig13.yaml").Panels {
		for _, c := range p.Curves {
			if len(c.Seconds) != 5 || !slices.IsSorted(c.Seconds) {
				t.Errorf("%s, %s: times %v", p.Name, c.Workflow, c.Seconds)
			}
		}
	}
	t5 := mustFacts[table5]("data/table5.yaml")
	var jolteon []Median95
	for _, r := range t5.Rows {
		jolteon = append(jolteon, r.Jolteon.pair())
	}
	// The printed mean follows from the printed rows.
	got, want := meanAbsolute(jolteon), t5.MeanAbsolute.Jolteon.pair()
	if math.Abs(got.P50-want.P50) > 0.01 || math.Abs(got.P95-want.P95) > 0.01 {
		t.Errorf("mean absolute error of the rows %v, printed %v", got, want)
	}
}

// The configurations of all facts are ones that their workflow can have.
func TestFactConfigurations(t *testing.T) {
	for _, run := range artifactRuns() {
		def, err := models.Load(run.Workflow)
		if err != nil {
			t.Fatal(err)
		}
		w := def.Workflow
		if len(run.Parallelism) != w.Len() || len(run.VCPU) != w.Len() {
			t.Errorf("%+v: not one value per stage", run)
			continue
		}
		for i, c := range configOf(def, run.Parallelism, run.VCPU) {
			if c.Parallelism < 1 || c.Memory < 500 || !w.Stage(i).Splittable() && c.Parallelism != 1 {
				t.Errorf("%+v: stage %d cannot be %v", run, i, c)
			}
		}
	}
}
