package experiments

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"eevee/internal/recordings"
	"eevee/models"
	"eevee/traces"
)

// pacslab returns the recorded invocations of the six functions of
// pacslab/SLApp-PerfCost-MdlOpt, each as the profile of a workflow of one stage:
// 43 memory sizes with 200 invocations each. All that was recorded of an
// invocation is its duration.
func pacslab(t testing.TB) []*models.Profile {
	t.Helper()
	file, err := os.Open(filepath.Join(recordings.Dir(t), "pacslab-slappmdlopt/optimization/profile-functions/OptAlg_lambda_logs.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(unzipped)
	head, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int { return slices.Index(head, name) }
	rows := map[string][]traces.Record{}
	sizes := map[string][]string{}
	for n := 0; ; n++ {
		line, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		function, size := line[column("Function")], line[column("Memory_Size")]
		memory, err1 := strconv.Atoi(size)
		ms, err2 := strconv.ParseFloat(line[column("Duration")], 64)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if !slices.Contains(sizes[function], size) {
			sizes[function] = append(sizes[function], size)
		}
		rows[function] = append(rows[function], traces.Record{
			Workflow: function, Execution: fmt.Sprint(n), Stage: "function", Statistic: traces.Invocation, MemoryMB: int32(memory),
			Parallelism: new(int32(1)), Epoch: new(int32(1)),
			Cold: new(0.0), Read: new(0.0), Compute: new(ms / 1000), Write: new(0.0),
		})
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
