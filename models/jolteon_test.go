package models_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"eevee/internal/recordings"
	"eevee/models"
	"eevee/traces"
)

// reference is what the published artifact computes on its own profiles.
type reference struct {
	Params map[string]struct {
		Stages []struct {
			SelectedVar   map[string]string  `json:"selected_var"`
			Coeffs        map[string]float64 `json:"coeffs"`
			ReadParams    []float64          `json:"read_params"`
			ComputeParams []float64          `json:"compute_params"`
			WriteParams   []float64          `json:"write_params"`
			ReadCov       [][]float64        `json:"read_cov"`
			ComputeCov    [][]float64        `json:"compute_cov"`
			WriteCov      [][]float64        `json:"write_cov"`
			ConstDropped  float64            `json:"const_dropped_in_samples"`
			Candidates    map[string]map[string]struct {
				Params []float64 `json:"params"`
				RMSE   float64   `json:"rmse"`
				MAE    float64   `json:"mae_pct"`
			} `json:"candidate_fits"`
		} `json:"stages"`
	} `json:"params"`
	Cases []struct {
		Args      string  `json:"args"`
		Workflow  string  `json:"workflow"`
		Scheduler string  `json:"scheduler"`
		BoundType string  `json:"bound_type"`
		Bound     float64 `json:"bound"`
		Final     struct {
			NumFuncs   []int     `json:"num_funcs"`
			NumVCPUs   []float64 `json:"num_vcpus"`
			Objective  float64   `json:"objective_mean_params"`
			Constraint float64   `json:"constraint_mean_params"`
			StageCost  []float64 `json:"stage_cost_mean_params"`
			StageLat   []float64 `json:"stage_lat_mean_params"`
			LatP50     float64   `json:"lat_p50"`
			MaxPathP95 float64   `json:"maxpath_p95"`
			CostP95    float64   `json:"cost_p95"`
		} `json:"final"`
	} `json:"cases"`
}

func loadReference(t testing.TB) reference {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(recordings.Reference(t), "jolteon_reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(bytes.ReplaceAll(text, []byte("NaN"), []byte("null")), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

var profileFile = map[string]string{"ml": "ML-Pipeline", "video": "Video-Analytics", "tpcds": "tpcds-dsq95"}

func loadProfile(t testing.TB, workflow string) (*models.Definition, *models.Profile) {
	t.Helper()
	def, err := models.Load(workflow)
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err := traces.Import("jolteon-profile", workflow, filepath.Join(recordings.Dir(t), "jolteon", profileFile[workflow]+"_profile.json"))
	if err != nil {
		t.Fatal(err)
	}
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		t.Fatal(err)
	}
	return def, profile
}

// early names the steps where the iteration behind the reference stopped
// before the least-squares solution; everywhere else coefficients agree to
// 1e-3 (most to 1e-6).
var early = map[string]bool{"tpcds stage2 compute": true}

func TestJolteonFitAgreesWithReference(t *testing.T) {
	ref := loadReference(t)
	for _, workflow := range models.Bundled() {
		want := ref.Params[workflow]
		_, profile := loadProfile(t, workflow)
		m, err := models.FitJolteon(profile, models.JolteonOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range m.Stages() {
			w := want.Stages[i]
			for _, step := range []struct {
				name   string
				fit    models.StepFit
				params []float64
				cov    [][]float64
			}{
				{"read", s.Read, w.ReadParams, w.ReadCov},
				{"compute", s.Compute, w.ComputeParams, w.ComputeCov},
				{"write", s.Write, w.WriteParams, w.WriteCov},
			} {
				name := workflow + " " + s.Name + " " + step.name
				if string(step.fit.Basis) != w.SelectedVar[step.name] {
					t.Errorf("%s: fitted on %s, the reference on %s", name, step.fit.Basis, w.SelectedVar[step.name])
					continue
				}
				// The reference's own curve, so that coefficients that nearly
				// cancel are compared by what they say about time.
				theirs := step.fit
				theirs.Params = step.params
				for _, o := range profile.Warm(i) {
					a, b := step.fit.At(o.Config, o.InputParallelism), theirs.At(o.Config, o.InputParallelism)
					if !within(a, b, 1e-4, 1e-12) {
						t.Errorf("%s at %v: %v s, the reference %v s", name, o.Config, a, b)
					}
				}
				rmse := w.Candidates[step.name][w.SelectedVar[step.name]].RMSE
				if limit := rmse * rmse * float64(step.fit.N); step.fit.SSR > limit*(1+1e-9)+1e-24 {
					t.Errorf("%s: sum of squares %v, the reference reaches %v", name, step.fit.SSR, limit)
				}
				for j, v := range step.params {
					if !early[name] && !within(step.fit.Params[j], v, 1e-3, 1e-9) {
						t.Errorf("%s: coefficient %d is %v, in the reference %v", name, j, step.fit.Params[j], v)
					}
				}
				for j, row := range step.fit.Cov() {
					for k, v := range row {
						if !within(v, step.cov[j][k], 1e-3, 1e-18) {
							t.Errorf("%s: covariance %d,%d is %v, in the reference %v", name, j, k, v, step.cov[j][k])
						}
					}
				}
			}
		}
	}
}

// The exact solution that the reference misses (issue text: -0.0032633 against
// its -0.0032252), which the least-squares solution must reach.
func TestEarlyStopIsNamed(t *testing.T) {
	_, profile := loadProfile(t, "tpcds")
	m, err := models.FitJolteon(profile, models.JolteonOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Stages()[2].Compute.Params[2]; !within(got, -0.0032633, 1e-4, 0) {
		t.Errorf("tpcds stage2 compute: x2 is %v, want -0.0032633", got)
	}
}

func within(a, b, relative, absolute float64) bool {
	return math.Abs(a-b) <= relative*math.Abs(b)+absolute
}

// In every published run the central scenario gives the artifact's stage
// latencies, stage costs and objective for the configuration it chose.
func TestCentralScenarioGivesTheArtifactsObjective(t *testing.T) {
	ref := loadReference(t)
	cold := map[string]float64{"ml": 60, "video": 85, "tpcds": 75}
	central := map[string]*models.Scenarios{}
	defs := map[string]*models.Definition{}
	for _, workflow := range models.Bundled() {
		def, profile := loadProfile(t, workflow)
		m, err := models.FitJolteon(profile, models.JolteonOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if central[workflow], err = m.Central(cold[workflow], models.MustPrice(models.PriceJolteon)); err != nil {
			t.Fatal(err)
		}
		defs[workflow] = def
	}
	runs := 0
	for _, c := range ref.Cases {
		if c.Scheduler != "jolteon" {
			continue
		}
		runs++
		s, w := central[c.Workflow], defs[c.Workflow].Workflow
		config := make(models.Config, w.Len())
		for i, d := range c.Final.NumFuncs {
			v := c.Final.NumVCPUs[i]
			config[i] = models.StageConfig{Memory: int(math.Round(v * 1792)), VCPU: v, Parallelism: d}
		}
		stage := make([]float64, w.Len())
		sum := 0.0
		for i := range config {
			latency, cost := make([]float64, 1), make([]float64, 1)
			s.Columns(i, config[i], w.InputParallelism(config, i), latency, cost)
			if !within(latency[0], c.Final.StageLat[i], 1e-4, 0) || !within(cost[0]*1e5, c.Final.StageCost[i], 1e-4, 0) {
				t.Errorf("%s: stage %d takes %v s and costs %v, in the reference %v s and %v", c.Args, i, latency[0], cost[0]*1e5, c.Final.StageLat[i], c.Final.StageCost[i])
			}
			stage[i] = latency[0]
			sum += cost[0] * 1e5
		}
		switch c.BoundType {
		case "latency":
			if !within(sum, c.Final.Objective, 1e-4, 0) {
				t.Errorf("%s: cost %v, in the reference %v", c.Args, sum, c.Final.Objective)
			}
		case "cost":
			// The artifact minimises the latency of one path only.
			if got := w.Latency(stage); got < c.Final.Objective*(1-1e-4) {
				t.Errorf("%s: latency %v is below that of one of its paths, %v", c.Args, got, c.Final.Objective)
			}
		}
	}
	if runs < 54 {
		t.Errorf("the reference holds %d runs of the artifact, want at least 54", runs)
	}
}

// With the artifact's deviations switched on, its percentiles are reproduced
// to sampling error although the random numbers differ.
func TestSampledPercentilesAgreeWithReference(t *testing.T) {
	ref := loadReference(t)
	for _, workflow := range models.Bundled() {
		_, profile := loadProfile(t, workflow)
		m, err := models.FitJolteon(profile, models.JolteonOptions{DropConstants: true, ShareDraws: true})
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Sample(20_000, models.MustPrice(models.PriceJolteon), models.Streams{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range ref.Cases {
			if c.Scheduler != "jolteon" || c.Workflow != workflow || c.BoundType != "latency" || strings.Contains(c.Args, "-ss") {
				continue
			}
			config := make(models.Config, len(c.Final.NumFuncs))
			for i, d := range c.Final.NumFuncs {
				v := c.Final.NumVCPUs[i]
				config[i] = models.StageConfig{Memory: int(math.Round(v * 1792)), VCPU: v, Parallelism: d}
			}
			latency, cost := s.Outcomes(config)
			// 5 %: the 95th percentile of 2715 draws has a standard error of
			// 1 to 2 % here, and the signs of shared random numbers are free.
			if got := models.QuantileR7(latency, 0.95); !within(got, c.Final.MaxPathP95, 0.05, 0) {
				t.Errorf("%s: p95 latency %v s, in the reference %v s", c.Args, got, c.Final.MaxPathP95)
			}
			if got := 1e5 * models.QuantileR7(cost, 0.95); !within(got, c.Final.CostP95, 0.05, 0) {
				t.Errorf("%s: p95 cost %v, in the reference %v", c.Args, got, c.Final.CostP95)
			}
		}
	}
}
