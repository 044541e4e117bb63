package baselines

import (
	"errors"
	"fmt"
	"math"

	"eevee/models"
	"eevee/traces"
)

// lambdaJob is what Ditto and NIMBLE know about a workflow of functions: every
// step of a stage fitted as a/x + b, x the vCPU of all its instances, to the
// mean times of the profile's warm runs. Times at equal x are averaged before,
// so that every x counts the same (both as in the Jolteon artifact).
type lambdaJob struct {
	workflow *models.Workflow
	stages   []lambdaStage
}

type lambdaStage struct {
	cold                 float64 // s, mean delay until the functions of a warm run are running
	read, compute, write DittoTime
}

// newLambdaJob fits a job to a profile.
func newLambdaJob(profile *models.Profile) (*lambdaJob, error) {
	return fitLambdaJob(profile, func(_ int, all []models.Observation) []models.Observation { return all })
}

// jolteonMBPerVCPU is the memory that buys one vCPU in the Jolteon artifact.
const jolteonMBPerVCPU = 1792

// misalignedLambdaJob fits the job as the Jolteon artifact does (reference
// section 7, 17): the k-th row of every epoch is taken to have been run under
// the k-th configuration of the profile of workflow ml, whatever the workflow,
// and rows beyond those are left out.
func misalignedLambdaJob(profile *models.Profile) (*lambdaJob, error) {
	ml, _ := traces.JolteonLayout("ml")
	return fitLambdaJob(profile, func(stage int, all []models.Observation) []models.Observation {
		var list []models.Observation
		seen := map[int]int{}
		for _, o := range all {
			k := seen[o.Epoch]
			seen[o.Epoch]++
			if k >= len(ml.Grid) {
				continue
			}
			g := ml.Grid[k]
			o.Config = models.StageConfig{Memory: int(g.MemoryMB), VCPU: float64(g.MemoryMB) / jolteonMBPerVCPU, Parallelism: int(g.Parallelism)}
			if !profile.Workflow.Stage(stage).Splittable() {
				o.Config.Parallelism = 1
			}
			list = append(list, o)
		}
		return list
	})
}

func fitLambdaJob(profile *models.Profile, rows func(int, []models.Observation) []models.Observation) (*lambdaJob, error) {
	w := profile.Workflow
	j := &lambdaJob{workflow: w}
	var errs []error
	for i := range w.Len() {
		all := profile.Warm(i)
		if len(all) == 0 {
			all = profile.Stage(i) // a trace without epochs
		}
		s, err := fitLambdaStage(rows(i, all))
		if err != nil {
			errs = append(errs, fmt.Errorf("stage %q: %w", w.Stage(i).Name, err))
		}
		j.stages = append(j.stages, s)
	}
	return j, errors.Join(errs...)
}

func fitLambdaStage(all []models.Observation) (lambdaStage, error) {
	// The points of the fit, in the order in which they first appear.
	type point struct{ read, compute, write, n float64 }
	var x []float64
	at := map[float64]*point{}
	var s lambdaStage
	var cold float64
	for _, o := range all {
		m := o.Mean
		if math.IsNaN(m.Exec()) {
			continue
		}
		kd := math.Round(o.Config.VCPU*float64(o.Config.Parallelism)*10) / 10
		p, ok := at[kd]
		if !ok {
			p = &point{}
			at[kd] = p
			x = append(x, kd)
		}
		p.read, p.compute, p.write, p.n = p.read+m.Read, p.compute+m.Compute, p.write+m.Write, p.n+1
		if !math.IsNaN(m.Cold) {
			s.cold, cold = s.cold+m.Cold, cold+1
		}
	}
	if len(x) == 0 {
		return s, errors.New("no run of the profile has the means of all steps")
	}
	if cold > 0 {
		s.cold /= cold
	}
	for _, step := range []struct {
		of   func(*point) float64
		into *DittoTime
	}{
		{func(p *point) float64 { return p.read / p.n }, &s.read},
		{func(p *point) float64 { return p.compute / p.n }, &s.compute},
		{func(p *point) float64 { return p.write / p.n }, &s.write},
	} {
		y := make([]float64, len(x))
		for k, kd := range x {
			y[k] = step.of(at[kd])
		}
		var err error
		if *step.into, err = fitDittoTime(x, y); err != nil {
			return s, err
		}
	}
	return s, nil
}

// ditto returns the workflow as a DittoJob: every stage holds the same memory,
// as all instances have one size.
func (j *lambdaJob) ditto() *DittoJob {
	d := &DittoJob{Name: j.workflow.Name()}
	for i, s := range j.stages {
		stage := DittoStage{
			Name: j.workflow.Stage(i).Name, Single: !j.workflow.Stage(i).Splittable(), Exchange: AllGather, MemoryGB: 1,
			Setup: DittoTime{B: s.cold}, Compute: s.compute, Write: s.write,
		}
		from := j.workflow.Parents(i)
		if len(from) == 0 {
			from = []int{-1}
		}
		for k, p := range from {
			r := DittoRead{From: p}
			if k == 0 {
				r.Time = s.read // recorded for all inputs together
			}
			stage.Reads = append(stage.Reads, r)
		}
		d.Stages = append(d.Stages, stage)
	}
	return d
}

// tasks returns the stages under a configuration as NIMBLE sees them. A step
// that was fitted below zero takes no time.
func (j *lambdaJob) tasks(c models.Config, breaking bool) []NimbleTask {
	tasks := make([]NimbleTask, len(j.stages))
	for i, s := range j.stages {
		x := c[i].VCPU * float64(c[i].Parallelism)
		at := func(t DittoTime) float64 { return max(0, t.At(x)) }
		read := NimbleStep{Work: at(s.read)}
		for _, p := range j.workflow.Parents(i) {
			read.Inputs = append(read.Inputs, NimbleInput{From: p, Breaking: breaking})
		}
		tasks[i] = NimbleTask{Setup: max(0, s.cold), Steps: []NimbleStep{read, {Work: at(s.compute) + at(s.write)}}}
		if !breaking {
			tasks[i].Output = at(s.write)
		}
	}
	return tasks
}
