package solvers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"eevee/internal/recordings"
	"eevee/models"
	"eevee/traces"
)

// publishedRun is one run of the published artifact on its own profiles, in
// its own units: seconds and 1e-5 USD.
type publishedRun struct {
	Workflow  string   `json:"workflow"`
	Scheduler string   `json:"scheduler"`
	Sections  []string `json:"sections"`
	BoundType string   `json:"bound_type"`
	Bound     float64  `json:"bound"`
	Final     struct {
		NumFuncs  []int     `json:"num_funcs"`
		NumVCPUs  []float64 `json:"num_vcpus"`
		Objective float64   `json:"objective_mean_params"`
	} `json:"final"`
	SampleSize int       `json:"sample_size"`
	XInit      []float64 `json:"x_init"`
	Relaxed    struct {
		X []float64 `json:"x"`
	} `json:"relaxed"`
	Violates        bool `json:"violates_own_bound"`
	ViolatesMaxPath bool `json:"violates_bound_maxpath"`
	Timing          struct {
		Median struct {
			Solve float64 `json:"solve_cpu"`
			Probe float64 `json:"probe_cpu"`
		} `json:"median"`
	} `json:"timing"`
}

func (r publishedRun) String() string {
	return fmt.Sprintf("%s/%s/%g", r.Workflow, r.BoundType, r.Bound)
}

// bound is the chance constraint of the run.
func (r publishedRun) bound() Bound {
	b := Bound{Metric: Metric(r.BoundType), Limit: r.Bound, Percentile: 95, Confidence: 99.9, Rule: Plugin}
	if b.Metric == Cost {
		b.Limit *= 1e-5
	}
	return b
}

// referenceRuns returns all runs of the reference.
func referenceRuns(t testing.TB) []publishedRun {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(recordings.Reference(t), "jolteon_reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []publishedRun `json:"cases"`
	}
	if err := json.Unmarshal(bytes.ReplaceAll(text, []byte("NaN"), []byte("null")), &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// publishedRuns returns the 54 runs of the paper's sections on overall
// performance, guarantees and sensitivity.
func publishedRuns(t testing.TB) []publishedRun {
	t.Helper()
	var runs []publishedRun
	seen := make(map[string]bool)
	for _, r := range referenceRuns(t) {
		wanted := slices.ContainsFunc(r.Sections, func(s string) bool {
			return s == "overall" || s == "guarantee" || s == "sensitiveness"
		})
		if r.Scheduler == "jolteon" && wanted && !seen[r.String()] {
			seen[r.String()] = true
			runs = append(runs, r)
		}
	}
	if len(runs) != 54 {
		t.Fatalf("the reference holds %d published runs, want 54", len(runs))
	}
	return runs
}

// recordedModel fits the model to the published profile of a workflow.
func recordedModel(t testing.TB, workflow string, options models.JolteonOptions) (*models.Definition, *models.Jolteon) {
	t.Helper()
	def, err := models.Load(workflow)
	if err != nil {
		t.Fatal(err)
	}
	name := map[string]string{"ml": "ML-Pipeline", "video": "Video-Analytics", "tpcds": "tpcds-dsq95"}[workflow] + "_profile.json"
	f, err := os.Open(filepath.Join(recordings.Dir(t), "jolteon", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	layout, _ := traces.JolteonLayout(workflow)
	rows, err := traces.ReadJolteonProfile(f, name, layout)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.FitJolteon(profile, options)
	if err != nil {
		t.Fatal(err)
	}
	return def, m
}

// publishedProblems returns the published runs and their problems, on samples
// of the size that the artifact drew; of the given workflows, if any are given.
func publishedProblems(t testing.TB, options models.JolteonOptions, workflows ...string) ([]publishedRun, []*Problem) {
	t.Helper()
	type subject struct {
		space     *models.Space
		model     *models.Jolteon
		scenarios *models.Scenarios
	}
	subjects := make(map[string]subject)
	runs := slices.DeleteFunc(publishedRuns(t), func(r publishedRun) bool {
		return len(workflows) > 0 && !slices.Contains(workflows, r.Workflow)
	})
	var problems []*Problem
	for _, r := range runs {
		s, ok := subjects[r.Workflow]
		if !ok {
			def, m := recordedModel(t, r.Workflow, options)
			space, err := def.Space("")
			if err != nil {
				t.Fatal(err)
			}
			scenarios, err := m.Sample(r.SampleSize, models.MustPrice(models.PriceJolteon), models.Streams{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			s = subject{space, m, scenarios}
			subjects[r.Workflow] = s
		}
		p, err := NewProblem(s.space, s.scenarios, r.bound())
		if err != nil {
			t.Fatal(err)
		}
		p.Model = s.model
		problems = append(problems, p)
	}
	return runs, problems
}

// recordedProblem returns the problem of one published run, as
// "ml/latency/40".
func recordedProblem(t testing.TB, name string) *Problem {
	t.Helper()
	workflow, _, _ := strings.Cut(name, "/")
	runs, problems := publishedProblems(t, models.JolteonOptions{}, workflow)
	for i, r := range runs {
		if r.String() == name {
			return problems[i]
		}
	}
	t.Fatalf("no published run %s", name)
	return nil
}
