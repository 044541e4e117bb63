package papers

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"eevee/experiments"
	"eevee/internal/recordings"
	"eevee/models"
)

// The facts of Figure 8 are those that the artifact was run with, and so are the
// bundled workflows.
func TestFig8IsTheArtifacts(t *testing.T) {
	var reference struct {
		Params map[string]struct {
			Critical []int   `json:"critical_path"`
			Paths    [][]int `json:"all_paths"`
			Stages   []struct {
				Stage    int
				Parallel bool `json:"allow_parallel"`
				Parents  []int
			}
		}
	}
	readReference(t, "jolteon_reference.json", &reference)
	stage := func(i int) string { return fmt.Sprint("stage", i) }
	for _, f := range mustFacts[fig8]("data/fig8.yaml").Workflows {
		want := reference.Params[f.Workflow]
		if len(f.Stages) != len(want.Stages) || f.Paths != len(want.Paths) {
			t.Errorf("%s: %d stages and %d paths, want %d and %d", f.Workflow, len(f.Stages), f.Paths, len(want.Stages), len(want.Paths))
		}
		for k, i := range want.Critical {
			if f.CriticalPath[k] != stage(i) {
				t.Errorf("%s: critical path %v, want %v", f.Workflow, f.CriticalPath, want.Critical)
			}
		}
		for _, s := range want.Stages {
			var after []string
			for _, p := range s.Parents {
				after = append(after, stage(p))
			}
			slices.Sort(after)
			if !slices.Equal(after, f.After[stage(s.Stage)]) || s.Parallel == slices.Contains(f.Unsplittable, stage(s.Stage)) {
				t.Errorf("%s, %d: waits for %v, want %v", f.Workflow, s.Stage, f.After[stage(s.Stage)], after)
			}
		}
	}
}

// Every way in which a workflow can differ from the published one is found.
func TestFig8FindsDefects(t *testing.T) {
	fact := mustFacts[fig8]("data/fig8.yaml").Workflows[0]
	if d := fact.defects(workflowOf(t, fact.Workflow)); len(d) > 0 {
		t.Errorf("defects %q", d)
	}
	for want, broken := range map[string][]models.Stage{
		"stage2 waits for [stage0]": {{Name: "stage0", MaxParallelism: 1}, {Name: "stage1", After: []string{"stage0"}}, {Name: "stage2", After: []string{"stage0"}}, {Name: "stage3", After: []string{"stage0", "stage2"}, MaxParallelism: 1}},
		"stage3 can be split: true": {{Name: "stage0", MaxParallelism: 1}, {Name: "stage1", After: []string{"stage0"}}, {Name: "stage2", After: []string{"stage0", "stage1"}}, {Name: "stage3", After: []string{"stage0", "stage2"}}},
		"no stage3":                 {{Name: "stage0", MaxParallelism: 1}, {Name: "stage1", After: []string{"stage0"}}, {Name: "stage2", After: []string{"stage0", "stage1"}}},
	} {
		w, err := models.NewWorkflow("broken", broken)
		if err != nil {
			t.Fatal(err)
		}
		if c := fact.claim("x", "x", w); c.Verdict != NotReproduced || !strings.Contains(c.Why, want) {
			t.Errorf("%s: %s, want %q", c.Verdict, c.Why, want)
		}
	}
}

func workflowOf(t *testing.T, name string) *models.Workflow {
	t.Helper()
	def, err := models.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return def.Workflow
}

// Sensitivity: what the artifact returned from every starting point.
func TestSensitivityFacts(t *testing.T) {
	var reference struct {
		Cases []struct {
			Sections []string
			Bound    float64
			Final    struct {
				Objective float64 `json:"objective_mean_params"`
			}
		}
	}
	readReference(t, "jolteon_reference.json", &reference)
	facts := mustFacts[sensitivity]("data/sensitivity.yaml")
	compared := 0
	for _, c := range reference.Cases {
		for _, section := range c.Sections {
			start, ok := strings.CutPrefix(section, "sensitiveness")
			if !ok {
				continue
			}
			if start = strings.TrimPrefix(start, ":"); start == "" {
				start = "default"
			}
			for _, b := range facts.Bounds {
				if b.Bound.LatencyS != c.Bound {
					continue
				}
				compared++
				if got := b.Artifact[slices.Index(facts.Starts, start)]; math.Abs(got-c.Final.Objective*1e-5) > 5e-8 {
					t.Errorf("latency %v from %s: %v USD, want %v", c.Bound, start, got, c.Final.Objective*1e-5)
				}
			}
		}
	}
	if want := len(facts.Starts) * len(facts.Bounds); compared != want {
		t.Errorf("%d of %d compared", compared, want)
	}
}

// The factors of the abstract are those of the digitised points that the pairs
// name: to 5 %, as both points are digitised to 2 %, and losses to 4 points.
func TestHeadlinesAreThoseOfFigure9(t *testing.T) {
	points := map[string]FrontierPoint{}
	for _, p := range mustFacts[fig9]("data/fig9.yaml").Panels {
		for _, q := range p.Points {
			points[q.Bound.cell(p.Workflow, "Jolteon").String()] = FrontierPoint{LatencyS: q.LatencyS, CostUSD: q.CostUSD}
		}
	}
	for _, p := range newBaselines().Panels {
		for _, s := range p.Systems {
			for _, q := range s.Points {
				points[q.Bound.cell(p.Workflow, s.Name).String()] = s.reported(q)
			}
		}
	}
	as := func(p FrontierPoint) CellResult {
		r := CellResult{Config: models.Config{{}}}
		r.Executed.Latency.P50, r.Executed.Cost.Mean = p.LatencyS, p.CostUSD
		return r
	}
	for _, g := range mustFacts[headlines]("data/headlines.yaml").Gains {
		against, ok := points[g.Against.cell(g.Workflow, g.System).String()]
		jolteon, found := points[g.Jolteon.cell(g.Workflow, "Jolteon").String()]
		if !ok || !found {
			t.Errorf("%s: points %v and %v", g.ID, against, jolteon)
			continue
		}
		factor, loss := g.of(as(against), as(jolteon))
		if math.Abs(factor/g.Factor-1) > 0.05 || g.Loss != nil && math.Abs(loss-*g.Loss) > 4 {
			t.Errorf("%s: the points give %.3f and %.1f %%", g.ID, factor, loss)
		}
	}
}

// Where no sample may be violated, more samples never admit more; the artifact's
// configurations are the printed ones; and the sample sizes are golden.
func TestTextAndTables(t *testing.T) {
	found, err := Reproduce(context.Background(), selected(t, "fig8", "fig12", "table4", "sampling", "samplesize"), quickOptions(experiments.Sources{Recordings: recordings.Dir(t)}))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"fig8-ml", "fig8-video", "fig8-tpcds", "fig12a", "table4", "samplesize"} {
		if c := claimOf(t, found, id); c.Verdict != Reproduced {
			t.Errorf("%s: %s, %s", id, c.Verdict, c.Why)
		}
	}
	if c := claimOf(t, found, "sampling"); c.Verdict != Shape {
		t.Errorf("sampling: %s, %s", c.Verdict, c.Why)
	}
	for _, f := range found.Findings {
		switch rows := f.Rows.(type) {
		case FeasibleSets:
			sizes := rows.Rules[0].Sizes
			for i, s := range sizes[1:] {
				if s.Feasible > sizes[i].Feasible {
					t.Errorf("%d samples admit %v, %d admit %v", s.Samples, s.Feasible, sizes[i].Samples, sizes[i].Feasible)
				}
			}
			// A guarantee at 99.9 % over the draw of a sample: none of the few here
			// may miss it.
			certified := rows.Rules[len(rows.Rules)-1]
			for _, s := range certified.Sizes {
				if s.RiskyHi > 0 {
					t.Errorf("certified with %d samples: %v are too risky", s.Samples, s.RiskyHi)
				}
			}
			if len(certified.Sizes) == 0 || certified.Sizes[0].Samples < 332 {
				t.Errorf("certified from %v on; it needs 332 samples", certified.Sizes)
			}
		case StepBands:
			for _, p := range rows.Panels {
				for _, q := range p.Points {
					if !(q.Min < q.Mean && q.Mean < q.Max) || len(q.Times) == 0 {
						t.Errorf("%s at %v vCPU: %+v", p.Name, q.VCPU, q)
					}
				}
			}
		}
	}
}

// What cannot be reproduced has no value of ours, and says what is missing.
func TestMissing(t *testing.T) {
	found, err := Reproduce(context.Background(), selected(t, "missing"), quickOptions(experiments.Sources{}))
	if err != nil {
		t.Fatal(err)
	}
	plain := regexp.MustCompile(`^missing: .{10,}`)
	for _, c := range found.Claims().Claims {
		if c.Verdict != NotReproducible || !plain.MatchString(c.Why) || c.Paper == "" || c.Paper == "several" {
			t.Errorf("%+v", c)
		}
		for _, v := range c.Reproduced {
			if v.Value != nil {
				t.Errorf("%s: a value out of nothing", c.ID)
			}
		}
	}
}
