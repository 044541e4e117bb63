package experiments

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"eevee/internal/recordings"
	"eevee/models"
	"eevee/traces"
	"eevee/traces/logs"
)

// pacslab returns the recorded invocations of the six functions of
// pacslab/SLApp-PerfCost-MdlOpt, each as the profile of a workflow of one stage:
// 43 memory sizes with 200 invocations each. All that was recorded of an
// invocation is its duration.
func pacslab(t testing.TB) []*models.Profile {
	t.Helper()
	mapping, err := logs.LoadMapping("pacslab")
	if err != nil {
		t.Fatal(err)
	}
	all, _, report, err := logs.ImportAll(t.Context(), logs.Options{Workflow: "pacslab", Mapping: &mapping},
		filepath.Join(recordings.Dir(t), "pacslab-slappmdlopt/optimization/profile-functions/OptAlg_lambda_logs.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 51_597 {
		t.Fatalf("%d rows, want 51,597: %+v", len(all), report)
	}
	rows := map[string][]traces.Record{}
	sizes := map[string][]string{}
	for n, r := range all {
		function, size := r.Stage, strconv.Itoa(int(r.MemoryMB))
		if !slices.Contains(sizes[function], size) {
			sizes[function] = append(sizes[function], size)
		}
		r.Workflow, r.Stage, r.Execution = function, "function", fmt.Sprint(n)
		r.Parallelism, r.Epoch, r.Cold = new(int32(1)), new(int32(1)), new(0.0)
		rows[function] = append(rows[function], r)
	}
	var profiles []*models.Profile
	for _, function := range slices.Sorted(func(yield func(string) bool) {
		for f := range rows {
			if !yield(f) {
				return
			}
		}
	}) {
		def, err := models.ParseDefinition(function, []byte(`
name: `+function+`
title: one function
source: pacslab/SLApp-PerfCost-MdlOpt
mb_per_vcpu: 1769
price: aws-x86
stages:
  - {name: function, max_parallelism: 1}
spaces:
  - name: recorded
    source: the recorded sizes
    stages:
      - {stage: function, choices: [{parallelism: [1], memory_mb: [`+strings.Join(sizes[function], ", ")+`]}]}
`))
		if err != nil {
			t.Fatal(err)
		}
		p, err := models.NewProfile(def, rows[function])
		if err != nil {
			t.Fatal(err)
		}
		profiles = append(profiles, p)
	}
	return profiles
}
