package baselines

import (
	"math"
	"slices"
	"strings"
	"testing"

	"eevee/models"
	"eevee/solvers"
	"eevee/traces"
)

// Under "compat" the shares are those of the artifact, to what its iterative
// fit leaves, and the configurations those of claims.md A.4, with the bundled
// settings as with those of the run.
func TestDittoIsTheArtifact(t *testing.T) {
	runs := referenceRuns(t, "ditto")
	if len(runs) != 6 {
		t.Fatalf("%d runs of Ditto in the reference", len(runs))
	}
	for _, r := range runs {
		p := uniformProblem(t, r.Workflow, 60)
		d := Ditto{Objective: solvers.Metric(r.BoundType), Own: true, Compat: true}
		share, err := d.shares(p)
		if err != nil {
			t.Fatal(err)
		}
		ratio := slices.Clone(r.Final.Ratio) // of all stages
		for i := range ratio {
			if !p.Workflow().Stage(i).Splittable() {
				ratio[i] = 0
			}
		}
		for i, want := range normalised(ratio) {
			if math.Abs(share[i]-want) > 1e-7 {
				t.Errorf("%s: stage %d has a share of %v, the artifact gives it %v", r.Args, i, share[i], want)
			}
		}
		if got := solved(t, p, d).Config; !r.same(got) {
			t.Errorf("%s: %v, the artifact has %v of %v vCPU", r.Args, got, r.Final.Parallelism, r.Final.VCPU)
		}
		d.Total, d.VCPU = r.total(t), r.vcpu(t)
		if got := solved(t, p, d).Config; !r.same(got) {
			t.Errorf("%s: with its settings given: %v", r.Args, got)
		}
	}
}

// Fitted against its own configurations, Ditto-L has another answer for video
// and tpcds (reference section 5), Ditto-C the same.
func TestDittoWithItsOwnProfile(t *testing.T) {
	for _, c := range []struct {
		workflow  string
		objective solvers.Metric
		own, grid []int
		vcpu      float64
	}{
		{"ml", solvers.Latency, []int{1, 32, 7, 1}, []int{1, 32, 8, 1}, 4},
		{"ml", solvers.Cost, []int{1, 8, 4, 1}, []int{1, 8, 4, 1}, .6},
		{"video", solvers.Latency, []int{32, 32, 16, 32}, []int{32, 32, 16, 32}, 5},
		{"video", solvers.Cost, []int{4, 4, 4, 4}, []int{4, 4, 4, 4}, 1},
		{"tpcds", solvers.Latency, []int{48, 1, 48, 4, 32, 4, 16, 1}, []int{48, 1, 48, 4, 32, 4, 16, 1}, 1},
		{"tpcds", solvers.Cost, []int{8, 1, 8, 4, 4, 4, 4, 1}, []int{8, 1, 8, 4, 4, 4, 4, 1}, .5},
	} {
		p := uniformProblem(t, c.workflow, 60)
		for _, d := range []Ditto{{Objective: c.objective, Own: true}, {Objective: c.objective}} {
			want := c.own
			if !d.Own {
				want = c.grid
			}
			s := solved(t, p, d)
			for i, sc := range s.Config {
				vcpu := c.vcpu
				if c.workflow == "tpcds" && (i == 0 || i == 2) {
					vcpu = 1 // a scan of 8 needs a whole one
				}
				if sc.Parallelism != want[i] || sc.VCPU != vcpu {
					t.Errorf("%s on %s: stage %d has %d instances of %v vCPU, want %d of %v", d, c.workflow, i, sc.Parallelism, sc.VCPU, want[i], vcpu)
				}
			}
			if _, err := p.Space.Locate(s.Config); err != nil && !d.Own {
				t.Errorf("%s on %s: %v", d, c.workflow, err)
			}
		}
	}
}

// Without an objective of its own, Ditto takes the problem's.
func TestDittoTakesTheProblemsObjective(t *testing.T) {
	p := uniformProblem(t, "ml", 60)
	if got, want := solved(t, p, Ditto{}).Config.String(), solved(t, p, Ditto{Objective: solvers.Cost}).Config.String(); got != want {
		t.Errorf("under a bound on the latency: %s, want %s", got, want)
	}
	p.Bound = solvers.Bound{Metric: solvers.Cost, Limit: .02, Percentile: 95, Confidence: 99.9, Rule: solvers.Plugin}
	if got, want := solved(t, p, Ditto{}).Config.String(), solved(t, p, Ditto{Objective: solvers.Latency}).Config.String(); got != want {
		t.Errorf("under a bound on the cost: %s, want %s", got, want)
	}
}

// A chain of times 16/x, 32/x and, not to be split, 64/x: Ditto divides by the
// roots, and by default takes the part of the last stage away afterwards.
func TestDittoDividesAChain(t *testing.T) {
	p := twoStages(t)
	for _, d := range []Ditto{{Objective: solvers.Latency}, {Objective: solvers.Cost}, {Objective: solvers.Latency, Divisible: true}} {
		share, err := d.shares(p)
		if err != nil {
			t.Fatal(err)
		}
		want := []float64{1 / (1 + math.Sqrt2), math.Sqrt2 / (1 + math.Sqrt2), 0}
		for i := range want {
			if math.Abs(share[i]-want[i]) > 1e-9 {
				t.Errorf("%s: shares %v, want %v", d, share, want)
			}
		}
	}
	// 20 of them are 8.28 and 11.7.
	if got, want := solved(t, p, Ditto{Objective: solvers.Latency, Total: 20, VCPU: 1, Own: true}).Config.String(), "8x1000MB 11x1000MB 1x1000MB"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// The largest of the space: 8 + 8 + 1 of 2 vCPU; the smallest: 2 + 2 + 1 of 1.
	if got, want := solved(t, p, Ditto{Objective: solvers.Latency, Own: true}).Config.String(), "7x2000MB 9x2000MB 1x2000MB"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := solved(t, p, Ditto{Objective: solvers.Cost, Own: true}).Config.String(), "2x1000MB 2x1000MB 1x1000MB"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDittoSupports(t *testing.T) {
	grid := sizes([]int{2, 4}, 1)
	shape := func(stages ...models.Stage) *solvers.Problem {
		choices := make([][]models.StageConfig, len(stages))
		for i := range choices {
			choices[i] = grid
		}
		return smallProblem(t, stages, choices, nil)
	}
	noProfile := twoStages(t)
	noProfile.Profile = nil
	for _, c := range []struct {
		name string
		p    *solvers.Problem
		want string
	}{
		{"several ends", shape(models.Stage{Name: "a"}, models.Stage{Name: "b", After: []string{"a"}}, models.Stage{Name: "c", After: []string{"a"}}),
			"workflow small ends in 2 stages; Ditto's merging of stages ends in one"},
		{"no profile", noProfile, "the problem has no profile to fit the step times to"},
		{"crossed", shape(models.Stage{Name: "a"}, models.Stage{Name: "b"}, models.Stage{Name: "c", After: []string{"a", "b"}}, models.Stage{Name: "d", After: []string{"b"}},
			models.Stage{Name: "e", After: []string{"c", "d"}}), "job small: the workflow is not made of stages in series and in parallel, and Ditto merges no others"},
		{"empty space", smallProblem(t, []models.Stage{{Name: "a"}, {Name: "b", After: []string{"a"}}}, [][]models.StageConfig{sizes([]int{2}, 1), sizes([]int{4}, 1)},
			[]models.Rule{{Stage: 1, Of: 0, Times: 1, Equal: true}}), "the coupling rules of the space admit no configuration"},
	} {
		if err := (Ditto{Objective: solvers.Latency}).Supports(c.p); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	diamond := shape(models.Stage{Name: "a"}, models.Stage{Name: "b", After: []string{"a"}}, models.Stage{Name: "c", After: []string{"a"}}, models.Stage{Name: "d", After: []string{"b", "c"}})
	if err := (Ditto{}).Supports(diamond); err != nil {
		t.Errorf("a diamond: %v", err)
	}
}

// A profile at one configuration determines no division, and says so.
func TestDittoNeedsTwoConfigurations(t *testing.T) {
	p := twoStages(t)
	def := &models.Definition{Workflow: p.Workflow(), MBPerVCPU: 1000}
	var rows []traces.Record
	for _, s := range []string{"a", "b", "c"} {
		rows = append(rows, traces.Record{
			Execution: "1", Stage: s, Statistic: traces.Mean, MemoryMB: 1000, Parallelism: new(int32(1)), Read: new(1.), Compute: new(1.), Write: new(1.),
		})
	}
	var err error
	if p.Profile, err = models.NewProfile(def, rows); err != nil {
		t.Fatal(err)
	}
	err = (Ditto{}).Supports(p)
	if err == nil || !strings.Contains(err.Error(), `stage "a": the profile holds one parallelism only`) {
		t.Errorf("%v", err)
	}
	rows[0].Read = nil
	if p.Profile, err = models.NewProfile(def, rows); err != nil {
		t.Fatal(err)
	}
	err = (Ditto{}).Supports(p)
	if err == nil || !strings.Contains(err.Error(), `stage "a": no run of the profile has the means of all steps`) {
		t.Errorf("%v", err)
	}
	// Caerus does without, and without launch times.
	p.InputBytes = []float64{1, 1, 0}
	s := solved(t, p, Caerus{})
	if s.Schedule != nil || len(s.Warnings) == 0 || !strings.Contains(strings.Join(s.Warnings, "\n"), "launch times") {
		t.Errorf("%+v", s)
	}
}
