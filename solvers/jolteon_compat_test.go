package solvers

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"eevee/internal/recordings"
	"eevee/models"
)

// artifactModel are the deviations of the artifact that concern the model.
var artifactModel = models.JolteonOptions{DropConstants: true, ShareDraws: true}

// pipelineStages are the configurations between the artifact's steps, as
// "1/32/8/1 @ 4/4/4/4".
type pipelineStages struct{ rounded, probed string }

// pipelines reads the reference's table of them, by published run.
func pipelines(t testing.TB) map[string]pipelineStages {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(recordings.Reference(t), "jolteon_reference.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "### Stages of the pipeline")
	table, _, _ = strings.Cut(table, "\n## ")
	config := func(cell string) string {
		cell, _, _ = strings.Cut(cell, "(")
		return strings.TrimSpace(cell)
	}
	list := make(map[string]pipelineStages)
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		name := strings.Fields(strings.Join(cells[min(1, len(cells)-1):min(2, len(cells))], ""))
		if len(cells) < 8 || len(name) != 3 {
			continue
		}
		metric := map[string]string{"late": "latency", "cost": "cost"}[name[1]]
		list[name[0]+"/"+metric+"/"+name[2]] = pipelineStages{config(cells[4]), config(cells[5])}
	}
	if len(list) != 54 {
		t.Fatalf("the reference shows the steps of %d runs, want 54", len(list))
	}
	return list
}

// inReferenceForm writes a configuration as the reference does.
func inReferenceForm(c models.Config) string {
	var d, v []string
	for _, s := range c {
		d = append(d, fmt.Sprint(s.Parallelism))
		v = append(v, fmt.Sprint(s.VCPU))
	}
	return strings.Join(d, "/") + " @ " + strings.Join(v, "/")
}

// fromReferenceForm reads "1/8/4/1 @ 1/2/0.6/0.6".
func fromReferenceForm(t testing.TB, c *compat, text string) models.Config {
	t.Helper()
	d, v, _ := strings.Cut(text, " @ ")
	var config models.Config
	sizes := strings.Split(v, "/")
	for i, s := range strings.Split(d, "/") {
		var parallelism int
		var vcpu float64
		if _, err := fmt.Sscan(s, &parallelism); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(sizes[i], &vcpu); err != nil {
			t.Fatal(err)
		}
		config = append(config, c.stage(parallelism, vcpu))
	}
	return config
}

// final returns the configuration that the artifact returned.
func (r publishedRun) final(c *compat) models.Config {
	var config models.Config
	for i, d := range r.Final.NumFuncs {
		config = append(config, c.stage(d, r.Final.NumVCPUs[i]))
	}
	return config
}

func compatOf(t testing.TB, p *Problem) *compat {
	t.Helper()
	c, err := newCompat(p, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What the program knows of the artifact is what the reference recorded of it:
// starting points, and rounding and repairs, which leave no choice, on each of
// the 54 runs.
func TestCompatStepsAreTheArtifacts(t *testing.T) {
	steps := pipelines(t)
	runs, problems := publishedProblems(t, artifactModel)
	for i, run := range runs {
		c := compatOf(t, problems[i])
		var start []float64
		var relaxed []models.Point
		for k, s := range c.Stages {
			start = append(start, s.Start[0], s.Start[1])
			relaxed = append(relaxed, point(run.Relaxed.X[2*k], run.Relaxed.X[2*k+1]))
		}
		if !slices.Equal(start, run.XInit) {
			t.Errorf("%s: starts at %v, the artifact at %v", run, start, run.XInit)
		}
		if got, want := inReferenceForm(c.config(c.round(relaxed))), steps[run.String()].rounded; got != want {
			t.Errorf("%s: %v is rounded to %s, by the artifact to %s", run, run.Relaxed.X, got, want)
		}
		config := fromReferenceForm(t, c, steps[run.String()].probed)
		c.repair(config)
		if got, want := inReferenceForm(config), inReferenceForm(run.final(c)); got != want {
			t.Errorf("%s: %s is repaired to %s, by the artifact to %s", run, steps[run.String()].probed, got, want)
		}
	}
}

// From the artifact's own relaxed point the probe ends where the artifact's
// ends, wherever the sample leaves that open: its percentiles are of other
// random numbers, and a move is taken or not by fractions of a percent. In most
// runs it is the same configuration out of hundreds probed, and of the rest
// most are as good.
func TestCompatProbeFollowsTheArtifact(t *testing.T) {
	if testing.Short() {
		t.Skip("probes every published run")
	}
	steps := pipelines(t)
	runs, problems := publishedProblems(t, artifactModel)
	same, near := 0, 0
	for i, run := range runs {
		c := compatOf(t, problems[i])
		var relaxed []models.Point
		for k := range c.Stages {
			relaxed = append(relaxed, point(run.Relaxed.X[2*k], run.Relaxed.X[2*k+1]))
		}
		l, ok := c.newProbe(context.Background()).run(c.round(relaxed))
		if !ok {
			t.Fatal("interrupted")
		}
		got, want := c.config(l), steps[run.String()].probed
		if inReferenceForm(got) == want {
			same++
			near++
			continue
		}
		ratio := c.objective(got) / c.objective(fromReferenceForm(t, c, want))
		if math.Abs(math.Log(ratio)) < 0.05 {
			near++
		}
		t.Logf("%s: %s, the artifact %s; objective %.4f of the artifact's", run, inReferenceForm(got), want, ratio)
	}
	t.Logf("the probe ends at the artifact's configuration in %d of 54 runs, within 5 %% of its objective in %d", same, near)
	if same <= 27 || near < 45 {
		t.Errorf("same configuration in %d of 54 runs, objective within 5 %% in %d", same, near)
	}
}

// objective is the artifact's: at the mean parameters, of its critical path.
func (c *compat) objective(config models.Config) float64 {
	w := c.problem.Workflow()
	latency, cost := make([]float64, 1), make([]float64, 1)
	sum := map[Metric]float64{}
	for i := range config {
		c.central.Columns(i, config[i], w.InputParallelism(config, i), latency, cost)
		sum[Cost] += cost[0] / 1e-5
		if slices.Contains(c.path, i) {
			sum[Latency] += latency[0]
		}
	}
	return sum[c.problem.Objective()]
}

// The whole of it on the 54 published runs. Two replays of the artifact itself
// differ in 9 of them, as its solver's path depends on the linear algebra
// underneath (claims.md A.1), so that is what another solver and other random
// numbers may differ by: 18 runs break their bound there, 9 to 27 may here; at
// least 45 objectives are within 10 % of the artifact's. No run says done when
// it breaks its bound, and every loosened bound is reported.
func TestCompatOnPublishedRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("solves every published run")
	}
	runs, problems := publishedProblems(t, artifactModel)
	broken, theirs, near, loosened := 0, 0, 0, 0
	var ratios []float64
	for i, run := range runs {
		p := problems[i]
		c := compatOf(t, p)
		if got := c.objective(run.final(c)); math.Abs(got-run.Final.Objective) > 1e-4*run.Final.Objective {
			t.Errorf("%s: the artifact's objective is computed as %v, it says %v", run, got, run.Final.Objective)
		}
		report, err := Solve(context.Background(), p, Jolteon{Compat: true}, models.Streams{Seed: 1}, nil)
		if err != nil {
			t.Fatalf("%s: %v", run, err)
		}
		s := report.Solution
		if s.Config == nil {
			t.Errorf("%s: no configuration, status %s", run, s.Status)
			continue
		}
		if _, err := p.Space.Locate(s.Config); err != nil {
			t.Errorf("%s: %v", run, err)
		}
		if run.Violates || run.ViolatesMaxPath {
			theirs++
		}
		told := func(what string) bool {
			return slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, what) })
		}
		switch {
		case !report.Feasible:
			broken++
			if s.Status != NotFound || !told("exceed the bound") {
				t.Errorf("%s: breaks its bound with status %s, warnings %q", run, s.Status, s.Warnings)
			}
		case s.Status != Done:
			t.Errorf("%s: keeps its bound with status %s", run, s.Status)
		}
		if s.Enforced != p.Bound.Limit {
			loosened++
		}
		if (s.Enforced != p.Bound.Limit) != told("was solved under") || s.Enforced < p.Bound.Limit {
			t.Errorf("%s: enforced limit %v of %v, warnings %q", run, s.Enforced, p.Bound.Limit, s.Warnings)
		}
		ratio := c.objective(s.Config) / run.Final.Objective
		ratios = append(ratios, ratio)
		if math.Abs(ratio-1) <= 0.1 {
			near++
		} else {
			t.Logf("%s: objective %.4f of the artifact's, %s against %s", run, ratio, inReferenceForm(s.Config), inReferenceForm(run.final(c)))
		}
	}
	slices.Sort(ratios)
	t.Logf("%d of 54 break their bound (the artifact: %d), %d were loosened; %d objectives within 10 %% of the artifact's; ratio: min %.3f, quartiles %.3f %.3f %.3f, max %.3f",
		broken, theirs, loosened, near, ratios[0], ratios[13], ratios[27], ratios[40], ratios[53])
	if theirs != 18 {
		t.Errorf("the reference counts %d broken bounds, the published figure is 18", theirs)
	}
	if broken < 9 || broken > 27 || near < 45 {
		t.Errorf("%d of 54 break their bound, %d objectives within 10 %%", broken, near)
	}
}

func TestCompatSupports(t *testing.T) {
	p := recordedProblem(t, "ml/latency/40")
	if err := (Jolteon{Compat: true}).Supports(p); err != nil {
		t.Errorf("ml: %v", err)
	}
	p.Model = nil
	if err := (Jolteon{Compat: true}).Supports(p); err == nil || !strings.Contains(err.Error(), "mean parameters") {
		t.Errorf("without a model: %v", err)
	}
	if err := (Jolteon{Compat: true}).Supports(largeProblem(t, 10)); err == nil || !strings.Contains(err.Error(), "ml, video and tpcds") {
		t.Errorf("another workflow: %v", err)
	}
	if err := (Jolteon{}).Supports(p); err != nil {
		t.Errorf("the paper's method: %v", err)
	}
}

func TestCompatIsCancelled(t *testing.T) {
	p := recordedProblem(t, "tpcds/cost/1700")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, err := Jolteon{Compat: true}.Solve(ctx, p, models.Streams{})
	if err != nil || s.Status != LimitHit || s.Config != nil {
		t.Errorf("status %s, configuration %v, error %v", s.Status, s.Config, err)
	}
}

// The other starting points are those of the artifact's runs on sensitivity.
func TestCompatStartsAreTheArtifacts(t *testing.T) {
	_, problems := publishedProblems(t, artifactModel, "video")
	problem := problems[0]
	compared := 0
	for _, r := range referenceRuns(t) {
		from, ok := strings.CutPrefix(r.Sections[0], "sensitiveness:")
		if !ok {
			continue
		}
		compared++
		c, err := newCompat(problem, from)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.start(); !slices.Equal(got, r.XInit) {
			t.Errorf("%s from %s: starts at %v, the artifact at %v", r, from, got, r.XInit)
		}
	}
	if compared != 15 {
		t.Errorf("%d runs on sensitivity, want 15", compared)
	}
	nowhere := Jolteon{Compat: true, From: "nowhere"}
	if err := nowhere.Supports(problem); err == nil || !strings.Contains(err.Error(), `"nowhere"`) {
		t.Errorf("%v: error %v", nowhere, err)
	}
}
