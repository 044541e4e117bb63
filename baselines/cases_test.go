package baselines

import (
	"fmt"
	"path/filepath"
	"testing"

	"eevee/internal/recordings"
	"eevee/models"
	"eevee/solvers"
	"eevee/traces"
)

// recordedProfile returns a workflow of the Jolteon artifact and its recorded
// profile.
func recordedProfile(t testing.TB, workflow string) (*models.Definition, *models.Profile) {
	t.Helper()
	file := map[string]string{"ml": "ML-Pipeline", "video": "Video-Analytics", "tpcds": "tpcds-dsq95"}[workflow]
	def, err := models.Load(workflow)
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err := traces.Import("jolteon-profile", workflow, filepath.Join(recordings.Dir(t), "jolteon", file+"_profile.json"))
	if err != nil {
		t.Fatal(err)
	}
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	return def, profile
}

// recordedProblem bounds the p95 of the latency of a recorded workflow, on so
// many scenarios of the Jolteon model.
func recordedProblem(t testing.TB, workflow string, limit float64, scenarios int) *solvers.Problem {
	t.Helper()
	def, profile := recordedProfile(t, workflow)
	model, err := models.FitJolteon(profile, models.JolteonOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sample, err := model.Sample(scenarios, models.MustPrice(def.Price), models.Streams{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	p, err := solvers.NewProblem(def.Spaces[0].Space, sample, solvers.Bound{
		Metric: solvers.Latency, Limit: limit, Percentile: 95, Confidence: 99.9, Rule: solvers.Plugin,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Profile, p.Model = profile, model
	return p
}

// GraphOf makes a workflow of edges: after[i] are the parents of stage i, which
// is called s and its number. The external tests of the package use it too.
func GraphOf(t testing.TB, after ...[]int) *models.Workflow {
	t.Helper()
	var stages []models.Stage
	for i, parents := range after {
		s := models.Stage{Name: fmt.Sprint("s", i)}
		for _, p := range parents {
			s.After = append(s.After, fmt.Sprint("s", p))
		}
		stages = append(stages, s)
	}
	w, err := models.NewWorkflow("graph", stages)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// OptionForms returns the options of all methods that have any, as help shows
// them.
func OptionForms() map[string][]string {
	all := map[string][]string{}
	for method, options := range map[string][]option{
		"random": new(RandomSearch).options(), "powertuning": new(PowerTuning).options(), "slam": new(SLAM).options(), "grandslam": new(GrandSLAM).options(),
		"prcp": new(PRCP).options(), "parrotfish": new(Parrotfish).options(), "cose": new(COSE).options(), "ditto": new(Ditto).options(),
		"caerus": new(Caerus).options(), "orion": new(Orion).options(),
	} {
		for _, o := range options {
			all[method] = append(all[method], o.form)
		}
	}
	return all
}
