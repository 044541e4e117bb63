//go:build unix

package experiments

import (
	"context"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"eevee/internal/recordings"
	"eevee/models"
	"eevee/solvers"
)

// mostTasks is the size of the instances that are solved here.
const mostTasks = 64

// Workflows imported from WfFormat can be solved: on every WfCommons instance of
// up to 64 tasks exact finds a configuration that keeps the bound, with a
// certified gap, under bounds on either metric. Their tasks ran once, so how they
// vary and scale is drawn as it is for generated workflows, about the recorded
// runtimes.
func TestImportedWorkflowsAreSolved(t *testing.T) {
	solved := 0
	var gaps []float64
	err := filepath.WalkDir(filepath.Join(recordings.Dir(t), "wfcommons-subset"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "schema") || !strings.Contains(path, ".json") {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		instance, err := models.ReadWfFormat(file, path)
		if err != nil {
			return err
		}
		if len(instance.Tasks) > mostTasks || testing.Short() && solved > 0 {
			return nil
		}
		solved++
		for _, metric := range []solvers.Metric{solvers.Latency, solvers.Cost} {
			p := importedProblem(t, instance, metric)
			ctx := cpuLimit{context.Background(), cpuUsed(t) + 150*time.Millisecond}
			r, err := solvers.Solve(ctx, p, solvers.Exact{}, models.Streams{Seed: 1}, nil)
			if err != nil {
				return err
			}
			gap := r.Solution.Gap()
			if s := r.Solution.Status; s != solvers.Optimal && s != solvers.LimitHit || !r.Feasible || math.IsInf(gap, 1) {
				t.Errorf("%s, %s: status %s, feasible %v, gap %v", d.Name(), metric, s, r.Feasible, gap)
			}
			if r.Solution.LowerBound > r.Outcome.Objective*(1+1e-12) {
				t.Errorf("%s, %s: objective %v below what is proved, %v", d.Name(), metric, r.Outcome.Objective, r.Solution.LowerBound)
			}
			gaps = append(gaps, gap)
			t.Logf("%s, %d tasks, %s: %s, gap %.2g %%", d.Name(), len(instance.Tasks), metric, r.Solution.Status, 100*gap)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if solved == 0 {
		t.Fatal("no instance is small enough")
	}
	slices.Sort(gaps)
	t.Logf("%d instances, median gap %.2g %%", solved, 100*gaps[len(gaps)/2])
}

// importedProblem poses a bound that a configuration in the middle of the space
// keeps.
func importedProblem(t *testing.T, instance *models.WfInstance, metric solvers.Metric) *solvers.Problem {
	t.Helper()
	w, err := instance.Workflow("imported")
	if err != nil {
		t.Fatal(err)
	}
	runtime := map[string]float64{}
	for _, task := range instance.Tasks {
		runtime[task.ID] = max(0.1, task.RuntimeS) // NaN stays: the instances have them all
	}
	var choices []models.StageConfig
	for m := 512; m <= 3584; m += 512 {
		choices = append(choices, models.StageConfig{Memory: m, VCPU: float64(m) / models.AWSMBPerVCPU, Parallelism: 1})
	}
	space, err := models.NewSpace(w, slices.Repeat([][]models.StageConfig{choices}, w.Len()), nil)
	if err != nil {
		t.Fatal(err)
	}
	source := models.Streams{Seed: 1}.New("imported")
	input := make([]float64, 1000)
	for k := range input {
		input[k] = math.Exp(0.1 * source.NormFloat64())
	}
	var samples []models.StageSample
	for i := range w.Len() {
		samples = append(samples, drawWork(source, runtime[w.Stage(i).Name], input))
	}
	scenarios, err := models.NewScenarios(w, models.MustPrice(models.PriceAWS), len(input), samples)
	if err != nil {
		t.Fatal(err)
	}
	p, err := solvers.NewProblem(space, scenarios, solvers.Bound{Metric: metric, Limit: 1, Percentile: 95, Confidence: 99.9, Rule: solvers.Plugin})
	if err != nil {
		t.Fatal(err)
	}
	allowed, err := p.Allowed()
	if err != nil {
		t.Fatal(err)
	}
	middle := p.Evaluate(space.Config(slices.Repeat([]int{len(choices) / 2}, w.Len())))
	p.Bound.Limit = solvers.OrderStatistic(middle.Bounded(metric), allowed)
	return p
}
