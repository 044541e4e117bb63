package papers

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"eevee/experiments"
	"eevee/internal/recordings"
	"eevee/models"
	"eevee/sim"
)

// By hand: workers whose work is 1, 2 and 3 s alone on a third of an instance.
func TestSharedTime(t *testing.T) {
	work := []float64{1, 2, 3}
	alone := func(speedup func(active int) float64) [][]float64 {
		var list [][]float64
		for n := 1; n <= 3; n++ {
			row := slices.Clone(work)
			for j := range row {
				row[j] /= speedup(n)
			}
			list = append(list, row)
		}
		return list
	}
	for _, c := range []struct {
		name    string
		speedup func(active int) float64
		want    float64
	}{
		// All of the instance is at work all the time.
		{"as fast as there is memory", func(n int) float64 { return 3 / float64(n) }, 2},
		{"no faster with more memory", func(int) float64 { return 1 }, 3},
		// 1 s together, then the second third takes 1/1.2 s, the last 1/2 s.
		{"faster by the rule", func(n int) float64 { return []float64{2, 1.2, 1}[n-1] }, 1 + 1/1.2 + 0.5},
	} {
		if got := sharedTime(alone(c.speedup), 0, 3); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v s, want %v", c.name, got, c.want)
		}
	}
	if got := sharedTime([][]float64{{0, 0}, {0, 0}}, 0, 2); got != 0 {
		t.Errorf("workers without work take %v s", got)
	}
}

// Whatever the speeds: never faster than the longest worker with all of the instance
// and never slower than with its part, never faster than all work at the highest speed
// of the instance; and independent of the order of the workers.
func TestSharedTimeBounds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(rt, "workers")
		work := rapid.SliceOfN(rapid.Float64Range(0.1, 10), n, n).Draw(rt, "work")
		// Speed of one worker by how many are active: falling, but by no more than
		// their number.
		speed := make([]float64, n)
		speed[n-1] = 1
		for k := n - 2; k >= 0; k-- {
			speed[k] = speed[k+1] * rapid.Float64Range(1, float64(k+2)/float64(k+1)).Draw(rt, "speed")
		}
		alone := make([][]float64, n)
		for k := range alone {
			for _, x := range work {
				alone[k] = append(alone[k], x/speed[k])
			}
		}
		took := sharedTime(alone, 0, n)
		sum := 0.0
		for _, x := range work {
			sum += x
		}
		longest := slices.Max(work)
		if took < longest/speed[0]-1e-9 || took > longest+1e-9 || took < sum/float64(n)-1e-9 {
			rt.Fatalf("%v s for work %v at speeds %v", took, work, speed)
		}
		for k := range alone {
			slices.Reverse(alone[k])
		}
		if again := sharedTime(alone, 0, n); math.Abs(again-took) > 1e-9 {
			rt.Fatalf("%v s, in another order %v", took, again)
		}
	})
}

// proportional is a workflow of one stage whose workers take so many seconds with all
// memory, and in proportion longer with less.
type proportional struct {
	workflow *models.Workflow
	second   float64 // MB s
}

func (p proportional) Workflow() *models.Workflow { return p.workflow }

func (p proportional) Stage(_ int, c models.StageConfig, _ int) (sim.Behaviour, error) {
	return slices.Repeat(proportionalTasks{{Compute: nanoseconds(p.second / float64(c.Memory))}}, c.Parallelism), nil
}

type proportionalTasks []sim.Task

func (p proportionalTasks) Tasks(_ *sim.Chance, tasks []sim.Task) []sim.Task {
	return append(tasks, p...)
}
func (proportionalTasks) Origin() string     { return "law" }
func (proportionalTasks) Warnings() []string { return nil }

func oneStage(t *testing.T) *models.Definition {
	t.Helper()
	w, err := models.NewWorkflow("one", []models.Stage{{Name: "work"}})
	if err != nil {
		t.Fatal(err)
	}
	return &models.Definition{Workflow: w, MBPerVCPU: models.AWSMBPerVCPU, Price: models.PriceAWS}
}

// Without bundles a stage of N workers takes as long as the largest of N log-normal
// times, whose mean is the integral of 1 - F(y)^N. With all of them in one instance,
// and time in proportion to memory, it takes as long as their mean.
func TestBundlesAndOrderStatistics(t *testing.T) {
	const workers, cv, runs = 12, 0.8, 5000
	def := oneStage(t)
	o := &orionBundling{WorkerMB: 600, MostMB: 600 * workers}
	mean := func(bundle int) sim.Distribution {
		w := bundledWorld{World: proportional{def.Workflow, 600 * 5}, workers: workers, bundle: bundle, cv: cv}
		s, err := sim.Simulate(context.Background(), w, o.config(def, w), runs, sim.Settings{Seed: 5, Confidence: 99.9}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s.Latency
	}
	sigma := math.Sqrt(math.Log(1 + cv*cv))
	mixture := sim.Mixture{{Median: 5 * math.Exp(-sigma*sigma/2), Sigma: sigma}}
	largest := 0.0
	const step = 0.002
	for y := step / 2; y < 200; y += step {
		largest += step * (1 - math.Pow(mixture.CDF(y), workers))
	}
	for bundle, want := range map[int]float64{1: largest, workers: 5} {
		if got := mean(bundle).MeanInterval; got.Lo > want || got.Hi < want {
			t.Errorf("bundles of %d: mean between %v and %v s, want %v", bundle, got.Lo, got.Hi, want)
		}
	}
	last := mean(1).Mean
	for _, bundle := range []int{2, 3, 4, 6, 12} {
		now := mean(bundle).Mean
		if now >= last {
			t.Errorf("bundles of %d take %v s, smaller ones %v", bundle, now, last)
		}
		last = now
	}
}

// Where workers are as many times faster as they have memory, Orion's model of a bundle
// says what is simulated; that is what the claim gives as the cause where it does not.
func TestOrionModelsProportionalBundles(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates and profiles thousands of runs")
	}
	def := oneStage(t)
	o := &orionBundling{Workers: 30, WorkerMB: 1024, MostMB: 10240, ModelCV: 0.5, Profiled: 300}
	o.Published = newOrionBundling().Published
	lab := newLab(Options{Seed: 3})
	world := proportional{def.Workflow, 1024 * 5}
	predicted, err := o.predicted(context.Background(), lab, def, world)
	if err != nil {
		t.Fatal(err)
	}
	simulated, err := o.outcomes(context.Background(), lab, def, world, o.ModelCV)
	if err != nil {
		t.Fatal(err)
	}
	for k, of := range o.Published {
		// Percentiles of some hundred runs scatter by 2 to 3 %.
		if ratio := predicted[k] / simulated[k].p95; math.Abs(ratio-1) > 0.06 {
			t.Errorf("bundles of %d: predicted %v s, simulated %v", of.Bundle, predicted[k], simulated[k].p95)
		}
	}
}

// A stage has as many instances as its workers fill.
func TestBundledInstances(t *testing.T) {
	def := oneStage(t)
	w := bundledWorld{World: proportional{def.Workflow, 1000}, workers: 7, bundle: 3, cv: asRecorded}
	if n := w.instances(); n != 3 {
		t.Errorf("%d instances", n)
	}
	if _, err := w.Stage(0, def.StageConfig(1000, 2), 0); err == nil {
		t.Error("two instances for seven workers in threes are simulated")
	}
	b, err := w.Stage(0, def.StageConfig(900, 3), 0)
	if err != nil {
		t.Fatal(err)
	}
	tasks := b.Tasks(&sim.Chance{Stream: rand.New(rand.NewPCG(1, 1))}, nil)
	var got []int64
	for _, task := range tasks {
		got = append(got, task.Compute)
	}
	// Three on 300 MB each, three more, and one that has all 900 MB.
	if want := []int64{nanoseconds(1000. / 300), nanoseconds(1000. / 300), nanoseconds(1000. / 900)}; !slices.Equal(got, want) {
		t.Errorf("%v ns, want %v", got, want)
	}
}

// The order of the published figures comes out, and the more unequal workers are the
// more a bundle gains.
func TestOrionBundling(t *testing.T) {
	f, err := Reproduce(context.Background(), selected(t, "orion-bundling"), quickOptions(experiments.Sources{Recordings: recordings.Dir(t)}))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"order", "latency", "cost", "skew"} {
		if c := claimOf(t, f, "orion-bundling."+id); c.Verdict != Shape {
			t.Errorf("%s: %s, %s", c.ID, c.Verdict, c.Why)
		}
	}
	if c := claimOf(t, f, "orion-bundling.model"); c.Verdict != NotReproduced {
		t.Errorf("%s: %s, %s", c.ID, c.Verdict, c.Why)
	}
}
