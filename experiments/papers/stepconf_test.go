package papers

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"eevee/experiments"
	"eevee/internal/recordings"
	"eevee/models"
	"eevee/sim"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// mixed is a law of functions of one thread and of many cores.
func mixed(function string, u, jobs float64) float64 {
	if oneThread(function) {
		return 1.5 * jobs
	}
	return 8*jobs*(0.1+0.9/u) + 0.1
}

// stepConfIDs are the experiments on StepConf and Janus whose numbers are not
// times.
func stepConfIDs() []string {
	return slices.DeleteFunc(IDs(), func(id string) bool {
		return id != "janus" && !strings.HasPrefix(id, "stepconf-") || strings.HasSuffix(id, "scaling")
	})
}

// The data of every figure on StepConf and Janus is golden on functions that
// follow a law and the bundled trace, and a second run gives the same bytes.
func TestStepConfGolden(t *testing.T) {
	if testing.Short() {
		t.Skip("runs all experiments on StepConf twice")
	}
	sources := profileByLaw(t, wholeVCPU, mixed)
	ids := stepConfIDs()
	first, second := golden(found(t, sources, ids...)), golden(found(t, sources, ids...))
	if !bytes.Equal(first, second) {
		t.Error("two runs differ")
	}
	path := filepath.Join("testdata", "stepconf.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, first, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, want) {
		t.Errorf("the data differs from %s; run with -update and read the diff. Now:\n%s", path, first)
	}
}

// golden writes what a panel shows: per series its size, its mean and its last
// number, to five digits.
func golden(f Findings) []byte {
	var b bytes.Buffer
	for _, one := range f.Findings {
		for _, p := range one.Rows.(Panels) {
			fmt.Fprintf(&b, "%s: %s\n", p.Name, p.Title)
			line := func(name string, numbers []float64) {
				sum := 0.0
				for _, v := range numbers {
					sum += v
				}
				fmt.Fprintf(&b, "  %s: %d, mean %.5g, last %.5g\n", name, len(numbers), sum/float64(len(numbers)), numbers[len(numbers)-1])
			}
			switch {
			case p.Curves != nil:
				for _, c := range p.Curves.Curves {
					var y []float64
					for _, q := range c.Points {
						y = append(y, q.Y)
					}
					line(c.Name, y)
				}
			case p.Fields != nil:
				for i, row := range p.Fields.Values {
					line(p.Fields.Names[1][i], row)
				}
			case p.Spreads != nil:
				for _, s := range p.Spreads.Series {
					for _, five := range s.Five {
						line(s.Name, five[:])
					}
				}
			case p.Levels != nil:
				for _, s := range p.Levels.Series {
					line(s.Name, s.Values)
				}
			}
		}
	}
	return b.Bytes()
}

// The generated world does what its law says: without variation and cold starts the
// latency of a configuration is the longest path through times worked out here.
func TestStepWorldFollowsItsLaw(t *testing.T) {
	w, err := newLab(quickOptions(profileByLaw(t, wholeVCPU, mixed))).generated()
	if err != nil {
		t.Fatal(err)
	}
	world := *w.world.(*stepWorld)
	facts := *world.stepConfFacts
	facts.Cold.Share, world.stepConfFacts = 0, &facts
	world.laws = slices.Clone(world.laws)
	config := make(models.Config, w.space.Workflow.Len())
	ends := make([]float64, len(config))
	latency, billed := 0.0, 0.0
	for i := range config {
		world.laws[i].sigma = 0
		c := w.space.Choices(i)[(7*i)%len(w.space.Choices(i))]
		c.Processes = 1 + i%3
		config[i] = c
		l := world.laws[i]
		p := float64(c.Parallelism)
		u := min(float64(c.Memory)/1769, float64(c.Processes))
		busy := facts.Fixed + l.work/p/u
		if u >= 1 {
			busy = facts.Fixed + l.work/p*(1-l.ratio) + l.work/p*l.ratio/u
		}
		mapping := 0.2 + 0.005*p + 0.06*max(0, p-30)
		for _, parent := range w.space.Workflow.Parents(i) {
			ends[i] = max(ends[i], ends[parent])
		}
		ends[i] += mapping + busy
		latency = max(latency, ends[i])
		billed += p * busy * float64(c.Memory) / 1024
	}
	s, err := sim.Simulate(context.Background(), &world, config, 3, sim.Settings{Price: w.price}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(s.Latency.Mean-latency) > 1e-6 || s.Latency.StdDev > 1e-9 {
		t.Errorf("latency %v s (deviation %v), want %v", s.Latency.Mean, s.Latency.StdDev, latency)
	}
	if math.Abs(s.GBSeconds/billed-1) > 1e-3 { // billed times are rounded up to a millisecond
		t.Errorf("%v GB s, want %v", s.GBSeconds, billed)
	}
	for i, l := range w.world.(*stepWorld).laws {
		if l.work < facts.LeastWork || l.work > facts.MostWork || l.ratio < 0 || l.ratio > 1 {
			t.Errorf("step %d: %+v", i, l)
		}
	}
}

// The ratio of a recorded function is found again: 0.9 for those of many cores by
// the law above, but for their constant part, and 0 for those of one thread.
func TestRecordedRatio(t *testing.T) {
	all, err := functionsOf(profileByLaw(t, wholeVCPU, mixed))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 11 {
		t.Errorf("%d functions; the second cut has the times of the first", len(all))
	}
	for _, f := range all {
		want := 0.9
		if oneThread(f.name) {
			want = 0
		}
		if math.Abs(f.ratio()-want) > 0.02 {
			t.Errorf("%s: ratio %v, want %v", f.name, f.ratio(), want)
		}
		for _, s := range f.scatter() {
			if s > 1e-6 {
				t.Errorf("%s: scatter %v without any", f.name, s)
			}
		}
	}
}

// Gains compare within an equal budget and an equal performance.
func TestGainOver(t *testing.T) {
	at := func(mean, cost float64) stepOutcome { return stepOutcome{mean: mean, cost: cost} }
	theirs := []stepOutcome{at(100, 2), at(80, 3)} // the dearer one buys time, nothing else
	for name, test := range map[string]struct {
		ours []stepOutcome
		want variantGain
	}{
		"none":           {nil, variantGain{1, 0}},
		"faster, dearer": {[]stepOutcome{at(10, 4)}, variantGain{1, 0}},
		"both":           {[]stepOutcome{at(50, 2), at(20, 3), at(100, 1)}, variantGain{4, 0.5}},
		"itself":         {theirs, variantGain{1, 0}},
	} {
		got := gainOver(test.ours, theirs)
		if math.Abs(got.faster-test.want.faster) > 1e-12 || math.Abs(got.cheaper-test.want.cheaper) > 1e-12 {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

func TestOutcome(t *testing.T) {
	o := stepOutcome{latency: []float64{1, 2, 2, 3, 5}}
	for limit, want := range map[float64]float64{0.5: 0, 1: 0.2, 2: 0.6, 4: 0.8, 5: 1} {
		if got := o.kept(limit); got != want {
			t.Errorf("%v of the runs keep %v s, want %v", got, limit, want)
		}
	}
	if five := o.five(); five[2] != 2 || !slices.IsSorted(five[:]) {
		t.Errorf("%v", five)
	}
}

// On recordings StepConf is the optimum's equal under loose bounds, all variants
// converge, and every verdict that is not shape has a cause or says what is
// missing.
func TestStepConfOnRecordings(t *testing.T) {
	if testing.Short() {
		t.Skip("runs all experiments on StepConf")
	}
	f := stepConfFound(t)
	for _, c := range f.Claims().Claims {
		if c.Verdict == Reproduced {
			t.Errorf("%s: called reproduced, though its figure has no values", c.ID)
		}
		if c.Verdict == NotReproduced && !strings.Contains(c.Why, "Cause: ") && c.ID != "stepconf-fig3.one-thread" {
			t.Errorf("%s: no cause: %s", c.ID, c.Why)
		}
	}
	for _, id := range []string{"stepconf-fig19-synthetic.optimum", "stepconf-fig19-video.optimum"} {
		c := claimOf(t, f, id)
		if last := *c.Reproduced[len(c.Reproduced)-1].Value; math.Abs(last) > 0.02 {
			t.Errorf("%s: under the loosest bound StepConf costs %v more than the optimum", id, last)
		}
	}
}

// The response times of the artifact come out to the millisecond from its profiles,
// and so does what follows from them.
func TestChunkFuncOnRecordings(t *testing.T) {
	f := found(t, experiments.Sources{Recordings: recordings.Dir(t)}, "chunkfunc")
	for id, want := range map[string]Verdict{
		"chunkfunc.facedet-chunkfunc": Reproduced, "chunkfunc.facedet-slam": Reproduced, "chunkfunc.facedet-stepconf": Reproduced,
		"chunkfunc.vidpro-chunkfunc": Reproduced, "chunkfunc.vidpro-slam": NotReproduced, "chunkfunc.vidpro-stepconf": Reproduced,
		"chunkfunc.adherence": Reproduced, "chunkfunc.gain": Reproduced, "chunkfunc.cost": Reproduced, "chunkfunc.cost-published": NotReproduced,
	} {
		if c := claimOf(t, f, id); c.Verdict != want || want == NotReproduced && !strings.Contains(c.Why, "Cause: ") {
			t.Errorf("%s: %s, %s", id, c.Verdict, c.Why)
		}
	}
}

var stepConfOnce = sync.OnceValues(func() (Findings, error) {
	chosen, err := Select(stepConfIDs(), nil)
	if err != nil {
		return Findings{}, err
	}
	return Reproduce(context.Background(), chosen, quickOptions(experiments.Sources{Recordings: stepConfDir}))
})

var stepConfDir string

func stepConfFound(t *testing.T) Findings {
	t.Helper()
	stepConfDir = recordings.Dir(t)
	f, err := stepConfOnce()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Facts are those of the inventory of claims, which lies beside the recordings.
func TestStepConfFacts(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(recordings.Dir(t)), "claims.md"))
	if err != nil {
		t.Skip(err)
	}
	says := func(row, want string) {
		t.Helper()
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "| "+row+" |") {
				if !strings.Contains(line, want) {
					t.Errorf("%s does not say %q: %s", row, want, line)
				}
				return
			}
		}
		t.Errorf("no row %s", row)
	}
	w := newStepConfFacts()
	says("S16", fmt.Sprintf("m %d values, p %d, q %d = %d configs/step", len(w.Memory), len(w.Parallelism), len(w.Processes), len(w.Memory)*len(w.Parallelism)*len(w.Processes)))
	says("S10", fmt.Sprintf("max relative error ≤ %.0f %%", 100*newStepConfFig10().ErrorAtMost))
	f18 := newStepConfFig18()
	says("S2", fmt.Sprintf("%v× faster at equal budget; %.1f %% cheaper", f18.Reported.Faster, 100*f18.Reported.Cheaper))
	says("S3", fmt.Sprintf("≤ %.2f %% higher cost", 100*newStepConfFig19().AboveOptimum))
	says("N1", fmt.Sprintf("+%.1f %%", 100*newJanus().Reported.Saved))
	if !reflect.DeepEqual(newStepConfFig10().Memory, w.Memory) {
		t.Errorf("the grid of the error is %v, that of the workflow %v", newStepConfFig10().Memory, w.Memory)
	}
}
