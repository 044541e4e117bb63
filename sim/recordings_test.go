package sim

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"eevee/internal/recordings"
	"eevee/models"
	"eevee/traces"
)

// profile is a recorded profile of the Jolteon artifact.
type profile struct {
	def  *models.Definition
	grid []traces.ProfileConfig
	rows []traces.Record
}

func readProfile(t testing.TB, workflow string) profile {
	t.Helper()
	file := map[string]string{"ml": "ML-Pipeline", "video": "Video-Analytics", "tpcds": "tpcds-dsq95"}[workflow]
	rows, _, err := traces.Import("jolteon-profile", workflow, filepath.Join(recordings.Dir(t), "jolteon", file+"_profile.json"))
	if err != nil {
		t.Fatal(err)
	}
	def, err := models.Load(workflow)
	if err != nil {
		t.Fatal(err)
	}
	layout, _ := traces.JolteonLayout(workflow)
	return profile{def, layout.Grid, rows}
}

// config returns the configuration that a point of the grid stands for.
func (p profile) config(g traces.ProfileConfig) models.Config {
	var c models.Config
	for i := range p.def.Workflow.Len() {
		d := int(g.Parallelism)
		if !p.def.Workflow.Stage(i).Splittable() {
			d = 1
		}
		c = append(c, p.def.StageConfig(int(g.MemoryMB), d))
	}
	return c
}

// recorded is what a profile holds of one stage in one run.
type recorded struct{ mean, p95 models.Steps }

// runs returns the recorded runs at a point of the grid in the given epochs:
// per run, one value per stage.
func (p profile) runs(g traces.ProfileConfig, epochs ...int32) [][]recorded {
	var runs [][]recorded
	for _, epoch := range epochs {
		stages := make([]recorded, p.def.Workflow.Len())
		id := fmt.Sprintf("%s/epoch%d/%v", p.def.Workflow.Name(), epoch, g)
		found := 0
		for _, r := range p.rows {
			if r.Execution != id {
				continue
			}
			i, _ := p.def.Workflow.Index(r.Stage)
			s := models.Steps{Cold: *r.Cold, Read: *r.Read, Compute: *r.Compute, Write: *r.Write}
			if r.Statistic == traces.Mean {
				stages[i].mean = s
			} else {
				stages[i].p95 = s
			}
			found++
		}
		if found == 2*len(stages) {
			runs = append(runs, stages)
		}
	}
	return runs
}

func (r recorded) wall() float64 { return r.mean.Cold + r.mean.Exec() }

var jolteonWorkflows = []string{"ml", "video", "tpcds"}

// For every recorded configuration, the mean latency and the mean billed time
// of every stage and of the workflow agree with the recorded ones. A run picks
// one of two recorded executions, so the standard error of a mean over n runs
// is half their difference over sqrt(n); 4 of them are allowed, and a
// nanosecond per rounded number.
func TestReplayReproducesRecordedMeans(t *testing.T) {
	const runs = 400
	for _, name := range jolteonWorkflows {
		p := readProfile(t, name)
		world, err := NewReplay(p.def.Workflow, p.rows, ReplaySettings{})
		if err != nil {
			t.Fatal(err)
		}
		for k, g := range p.grid {
			recordings := p.runs(g, 1, 2)
			if len(recordings) != 2 {
				t.Fatalf("%s %v: %d recorded runs", name, g, len(recordings))
			}
			c := p.config(g)
			summary := simulate(t, world, c, runs, Settings{Seed: uint64(k), Price: models.MustPrice(models.PriceJolteon)}, nil)
			agree := func(what string, got float64, recorded func([]recorded) float64) {
				t.Helper()
				a, b := recorded(recordings[0]), recorded(recordings[1])
				within := 4*math.Abs(a-b)/2/math.Sqrt(runs) + 1e-7
				if want := (a + b) / 2; math.Abs(got-want) > within {
					t.Errorf("%s %v: %s %.6f, recorded %.6f, allowed difference %.6f", name, g, what, got, want, within)
				}
			}
			for i, s := range summary.Stages {
				agree(s.Stage+" latency", s.Latency, func(r []recorded) float64 { return r[i].wall() })
				agree(s.Stage+" billed time", s.Billed, func(r []recorded) float64 { return float64(c[i].Parallelism) * r[i].mean.Exec() })
			}
			agree("latency of the workflow", summary.Latency.Mean, func(r []recorded) float64 {
				walls := make([]float64, len(r))
				for i := range r {
					walls[i] = r[i].wall()
				}
				return p.def.Workflow.Latency(walls)
			})
			if len(summary.Warnings) != 1 || !strings.HasPrefix(summary.Warnings[0], "the 400 runs have 2 different latencies") {
				t.Errorf("%s %v: warnings %q", name, g, summary.Warnings)
			}
		}
	}
}

// Replaying a recorded configuration gives the recording back: every run is
// one recorded execution, with the recorded mean and p95 of every step of
// every stage, cold included, to a nanosecond or two of rounding.
func TestReplayGivesRecordingsBack(t *testing.T) {
	for _, name := range jolteonWorkflows {
		p := readProfile(t, name)
		for _, test := range []struct {
			epochs Epochs
			list   []int32
		}{{WarmEpochs, []int32{1, 2}}, {ColdEpochs, []int32{0}}, {AllEpochs, []int32{0, 1, 2}}} {
			world, err := NewReplay(p.def.Workflow, p.rows, ReplaySettings{Epochs: test.epochs})
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range p.grid {
				recordings := p.runs(g, test.list...)
				seen := map[int]int{}
				simulate(t, world, p.config(g), 40, Settings{Keep: KeepStages}, func(r *Run) error {
					best, distance := 0, math.Inf(1)
					for k := range recordings {
						if d := distanceTo(r, recordings[k]); d < distance {
							best, distance = k, d
						}
					}
					seen[best]++
					if distance > 5e-9 {
						t.Errorf("%s %v run %d: differs from the nearest recorded execution by %g s", name, g, r.Replication, distance)
					}
					return nil
				})
				if len(seen) != len(recordings) {
					t.Errorf("%s %v: runs took the executions %v, %d were recorded", name, g, seen, len(recordings))
				}
			}
		}
	}
}

// distanceTo returns the largest difference between a run and a recorded
// execution, in seconds.
func distanceTo(r *Run, stages []recorded) float64 {
	distance := 0.0
	for i := range r.Stages {
		s := &r.Stages[i]
		distance = max(distance, math.Abs(s.Latency()-stages[i].wall()))
		for k, v := range fields(s.Mean) {
			distance = max(distance, math.Abs(v-fields(stages[i].mean)[k]))
		}
		for k, v := range fields(s.P95) {
			distance = max(distance, math.Abs(v-fields(stages[i].p95)[k]))
		}
	}
	return distance
}

// Every recorded size is estimated from all others and compared with what was
// recorded there. The two recorded executions themselves differ by 2 % in
// billed time (median).
func TestInterpolationAgainstRecordings(t *testing.T) {
	for _, name := range jolteonWorkflows {
		p := readProfile(t, name)
		w := p.def.Workflow
		var errs []float64
		for _, g := range p.grid {
			others := slices.DeleteFunc(slices.Clone(p.rows), func(r traces.Record) bool {
				return strings.HasSuffix(r.Execution, "/"+g.String())
			})
			world, err := NewReplay(w, others, ReplaySettings{})
			if err != nil {
				t.Fatal(err)
			}
			c := p.config(g)
			recordings := p.runs(g, 1, 2)
			for i := range c {
				if !w.Stage(i).Splittable() && w.InputParent(i) < 0 {
					continue // recorded at this size by the runs at other parallelisms
				}
				b, err := world.Stage(i, c[i], w.InputParallelism(c, i))
				if err != nil {
					t.Fatal(err)
				}
				busy := int64(0)
				takes := b.(*replayed).takes
				for _, take := range takes {
					for _, task := range take.tasks {
						busy += task.Busy()
					}
				}
				got := seconds(busy) / float64(len(takes)*c[i].Parallelism)
				want := (recordings[0][i].mean.Exec() + recordings[1][i].mean.Exec()) / 2
				errs = append(errs, math.Abs(got/want-1))
			}
		}
		median, p90 := models.QuantileR7(errs, 0.5), models.QuantileR7(errs, 0.9)
		t.Logf("%s: %d sizes of stages, error of the billed time: median %.1f %%, p90 %.1f %%", name, len(errs), 100*median, 100*p90)
		if median > 0.08 || p90 > 0.25 {
			t.Errorf("%s: error of the billed time of sizes left out: median %.3f, p90 %.3f", name, median, p90)
		}
	}
}
