//go:build unix

package experiments

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
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

// instanceFiles returns the WfCommons instances among the recordings.
func instanceFiles(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(filepath.Join(recordings.Dir(t), "wfcommons-subset"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(path, ".json") && !strings.Contains(path, "schema") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func importInstance(t *testing.T, q InstanceRequest) *ImportedInstance {
	t.Helper()
	w, err := OpenWorkflow(q.Instance)
	if err != nil {
		t.Fatal(err)
	}
	im, err := ImportInstance(w, q)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// rawTask is what an instance says of a task, read apart from the reader.
type rawTask struct {
	ID      string
	Runtime float64 `json:"runtimeInSeconds"`
	CPU     float64 `json:"avgCPU"`
	Memory  float64 `json:"memoryInBytes"`
}

func rawTasks(t *testing.T, path string) []rawTask {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil && strings.HasSuffix(path, ".gz") {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(text)); err == nil {
			text, err = io.ReadAll(z)
		}
	}
	var file struct {
		Workflow struct{ Execution struct{ Tasks []rawTask } }
	}
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.Workflow.Execution.Tasks
}

// Every published instance becomes a workflow and a model that are read back as
// they were. On one vCPU a task that used at most one core takes as long as was
// recorded, in half of that its computing twice as long; no size is admissible
// that has less memory than it had.
func TestInstancesAreImportedAsRecorded(t *testing.T) {
	paths := instanceFiles(t)
	if len(paths) < 30 {
		t.Fatalf("%d instances; expected 32", len(paths))
	}
	if testing.Short() {
		paths = paths[:5]
	}
	for _, path := range paths {
		im := importInstance(t, InstanceRequest{Instance: path, Law: models.StatedLaw{Dispersion: 0.2}, Memory: []int{886, 1769, 4096}})
		text, err := im.Definition.Text()
		if err != nil {
			t.Fatal(err)
		}
		def, err := models.ParseDefinition(path, text)
		if err != nil {
			t.Error(err)
			continue
		}
		var file bytes.Buffer
		if err := im.Model.Write(&file, models.ModelMeta{Trace: models.TraceRef{Source: "file", SHA256: im.Report.SHA256}}); err != nil {
			t.Error(err)
			continue
		}
		read, _, err := models.ReadModel(&file, path, def)
		if err != nil {
			t.Error(err)
			continue
		}
		m := read.(*models.Stated)
		for _, task := range rawTasks(t, path) {
			i, ok := def.Workflow.Index(task.ID)
			if !ok {
				t.Errorf("%s: no stage %q", path, task.ID)
				continue
			}
			share := task.CPU / 100
			if share == 0 {
				share = 1
			}
			if share <= 1 {
				one, _ := m.Law().MeanTime(m.Stages()[i], 1)
				half, _ := m.Law().MeanTime(m.Stages()[i], 0.5)
				if want := task.Runtime * (1 + share); math.Abs(one-task.Runtime) > 1e-9*one || math.Abs(half-want) > 1e-9*half {
					t.Errorf("%s: task %q ran %v s with %v %% CPU and is modelled as %v s on one vCPU, %v s on half of one", path, task.ID, task.Runtime, task.CPU, one, half)
				}
			}
			if least := def.Spaces[0].Choices(i)[0].Memory; float64(least)*(1<<20) < task.Memory {
				t.Errorf("%s: task %q had %v bytes and may get %d MB", path, task.ID, task.Memory, least)
			}
		}
	}
}

// mostTasks is the size of the instances that are solved here.
const mostTasks = 64

// Workflows imported from WfFormat can be solved: on every WfCommons instance of
// up to 64 tasks exact finds a configuration that keeps the bound, with a
// certified gap, under bounds on either metric.
func TestImportedWorkflowsAreSolved(t *testing.T) {
	solved := 0
	var gaps []float64
	for _, path := range instanceFiles(t) {
		im := importInstance(t, InstanceRequest{
			Instance: path, Memory: []int{512, 1024, 1536, 2048, 2560, 3072, 3584},
			Law: models.StatedLaw{Dispersion: 0.2, Correlation: 0.3, ParallelFraction: 0.8, Delay: 0.1},
		})
		if len(im.Model.Stages()) > mostTasks || testing.Short() && solved > 0 {
			continue
		}
		solved++
		for _, metric := range []solvers.Metric{solvers.Latency, solvers.Cost} {
			p := importedProblem(t, im, metric)
			ctx := cpuLimit{t.Context(), cpuUsed(t) + 150*time.Millisecond}
			r, err := solvers.Solve(ctx, p, solvers.Exact{}, models.Streams{Seed: 1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			name, gap := filepath.Base(path), r.Solution.Gap()
			if s := r.Solution.Status; s != solvers.Optimal && s != solvers.LimitHit || !r.Feasible || math.IsInf(gap, 1) {
				t.Errorf("%s, %s: status %s, feasible %v, gap %v", name, metric, s, r.Feasible, gap)
			}
			if r.Solution.LowerBound > r.Outcome.Objective*(1+1e-12) {
				t.Errorf("%s, %s: objective %v below what is proved, %v", name, metric, r.Outcome.Objective, r.Solution.LowerBound)
			}
			gaps = append(gaps, gap)
			t.Logf("%s, %d tasks, %s: %s, gap %.2g %%", name, len(im.Model.Stages()), metric, r.Solution.Status, 100*gap)
		}
	}
	if solved == 0 {
		t.Fatal("no instance is small enough")
	}
	slices.Sort(gaps)
	t.Logf("%d instances, median gap %.2g %%", solved, 100*gaps[len(gaps)/2])
}

// importedProblem poses a bound that a configuration in the middle of the space
// keeps.
func importedProblem(t *testing.T, im *ImportedInstance, metric solvers.Metric) *solvers.Problem {
	t.Helper()
	space := im.Definition.Spaces[0].Space
	scenarios, err := im.Model.Sample(1000, models.MustPrice(im.Definition.Price), models.Streams{Seed: 1})
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
	middle := make([]int, space.Workflow.Len())
	for i := range middle {
		middle[i] = len(space.Choices(i)) / 2
	}
	p.Bound.Limit = solvers.OrderStatistic(p.Evaluate(space.Config(middle)).Bounded(metric), allowed)
	return p
}
