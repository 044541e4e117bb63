package experiments_test

import (
	"context"
	"math"
	"testing"

	"eevee/experiments"
	"eevee/internal/recordings"
	"eevee/models"
)

// profile returns the published recordings of a workflow.
func profile(t testing.TB, workflow string) *models.Profile {
	t.Helper()
	def, err := models.Load(workflow)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := experiments.Sources{Recordings: recordings.Dir(t)}.Trace(workflow, "")
	if err != nil {
		t.Fatal(err)
	}
	p, err := models.NewProfile(def, trace.Rows)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// row returns the row of a model and stage at a level.
func row(t testing.TB, v experiments.Validation, model, stage string, level float64) experiments.ValidationRow {
	t.Helper()
	for _, r := range v.Rows {
		if r.Model == model && r.Stage == stage && r.Level == level {
			return r
		}
	}
	t.Fatalf("workflow %s: no row of model %s, %s, level %v; warnings %q", v.Workflow, model, stage, level, v.Warnings)
	return experiments.ValidationRow{}
}

// What was measured before this harness existed, on the same recordings: the
// published model covers 74, 76 and 70 % at a nominal 95 %, and plain residual
// resampling 91, 91 and 94 % at 1.20, 1.24 and 1.13 times the prediction. Those
// are rounded Monte Carlo figures with another generator, under which one point
// may fall on the other side of its bound.
func TestValidationMeasuresWhatIsKnown(t *testing.T) {
	for _, c := range []struct {
		workflow                           string
		points                             int
		published, resampling, widthBefore float64
	}{
		{"ml", 184, 0.74, 0.91, 1.20},
		{"video", 192, 0.76, 0.91, 1.24},
		{"tpcds", 496, 0.70, 0.94, 1.13},
	} {
		t.Run(c.workflow, func(t *testing.T) {
			t.Parallel()
			published, err := experiments.Forecasters("jolteon,orion,ditto,stepconf,empirical")
			if err != nil {
				t.Fatal(err)
			}
			v, err := experiments.Validate(context.Background(), profile(t, c.workflow), experiments.ValidationOptions{Seed: 1, Models: published})
			if err != nil {
				t.Fatal(err)
			}
			rounded := 0.005 + 1/float64(c.points)
			jolteon := row(t, v, "jolteon", experiments.AllStages, 0.95)
			if jolteon.N != c.points || math.Abs(jolteon.Coverage-c.published) > rounded {
				t.Errorf("jolteon covers %.4f of %d, measured before: %.2f of %d", jolteon.Coverage, jolteon.N, c.published, c.points)
			}
			resampling := row(t, v, "empirical", experiments.AllStages, 0.95)
			if math.Abs(resampling.Coverage-c.resampling) > rounded || math.Abs(resampling.WidthRatio-c.widthBefore) > 0.025 {
				t.Errorf("resampling covers %.4f at width %.3f, measured before: %.2f at %.2f",
					resampling.Coverage, resampling.WidthRatio, c.resampling, c.widthBefore)
			}
			if len(v.Warnings) > 0 {
				t.Errorf("warnings %q", v.Warnings)
			}
			// A point prediction has no spread: at every level it covers the
			// same.
			for _, model := range []string{"ditto", "stepconf"} {
				low, high := row(t, v, model, experiments.AllStages, 0.50), row(t, v, model, experiments.AllStages, 0.99)
				if low.Coverage != high.Coverage || high.WidthRatio != 1 {
					t.Errorf("%s covers %.3f at 50 %% and %.3f at 99 %% with width %.3f", model, low.Coverage, high.Coverage, high.WidthRatio)
				}
			}
		})
	}
}
