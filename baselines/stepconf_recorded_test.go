package baselines_test

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"eevee/baselines"
	"eevee/internal/recordings"
	"eevee/models"
	"eevee/traces"
)

// How far the fit is from the recorded times of warm runs. The paper reports at
// most 10 % for its own functions (Fig. 12 and 13). On the Jolteon profiles the
// median keeps that; the largest errors do not: single recorded stragglers, and
// stage 3 of ml, whose time grows with the parallelism of its input, at which
// the model does not look.
func TestStepConfFitOnRecordings(t *testing.T) {
	dir := recordings.Dir(t)
	set, err := traces.FindSet("jolteon")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range set.Files {
		rows, _, err := traces.Import("jolteon-profile", f.Workflow, filepath.Join(dir, set.Name, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		def, err := models.Load(f.Workflow)
		if err != nil {
			t.Fatal(err)
		}
		profile, err := models.NewProfile(def, rows)
		if err != nil {
			t.Fatal(err)
		}
		m, err := baselines.FitStepConf(profile)
		if err != nil {
			t.Fatal(err)
		}
		var errs []float64
		for i := range def.Workflow.Len() {
			for _, o := range profile.Warm(i) {
				errs = append(errs, math.Abs(m.Time(i, o.Config)/(o.Mean.Cold+o.Mean.Exec())-1))
			}
		}
		slices.Sort(errs)
		median, largest := models.SortedQuantileR7(errs, 0.5), errs[len(errs)-1]
		t.Logf("%s: median error %.3f, p95 %.3f, largest %.3f of %d", f.Workflow, median, models.SortedQuantileR7(errs, 0.95), largest, len(errs))
		if median > 0.10 {
			t.Errorf("%s: median relative error of stage times %.3f", f.Workflow, median)
		}
	}
}
