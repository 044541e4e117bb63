package experiments

import (
	"math"

	"eevee/models"
)

// jointRun is one recorded run of a workflow: what every stage did in it.
type jointRun []models.Observation

// jointRuns returns the warm runs of a profile in which all stages were
// recorded, in the order of the trace.
func jointRuns(p *models.Profile) []jointRun {
	at := map[string]jointRun{}
	found := map[string]int{}
	for i := range p.Workflow.Len() {
		for _, o := range p.Warm(i) {
			if at[o.Execution] == nil {
				at[o.Execution] = make(jointRun, p.Workflow.Len())
			}
			at[o.Execution][i] = o
			found[o.Execution]++
		}
	}
	var runs []jointRun
	for _, o := range p.Warm(0) {
		if found[o.Execution] == p.Workflow.Len() {
			runs = append(runs, at[o.Execution])
			found[o.Execution] = 0 // listed
		}
	}
	return runs
}

// config returns the configuration that the run was recorded under.
func (r jointRun) config() models.Config {
	c := make(models.Config, len(r))
	for i, o := range r {
		c[i] = o.Config
	}
	return c
}

// latency returns the recorded latency of the run in s, NaN where the times of a
// stage are missing: in a profile the four steps of a stage add up to the time
// from its being ready to the end of its last instance. A delay that was not
// recorded counts as none.
func (r jointRun) latency(w *models.Workflow) float64 {
	times := make([]float64, len(r))
	for i, o := range r {
		times[i] = executionTime(o)
		if math.IsNaN(times[i]) {
			return math.NaN()
		}
		if !math.IsNaN(o.Mean.Cold) {
			times[i] += o.Mean.Cold
		}
	}
	return w.Latency(times)
}

// executionTime returns the time in s that the instances of a stage ran, mean
// over them: the sum of the steps that were recorded, NaN where none was. The
// log of a function may have nothing but its duration.
func executionTime(o models.Observation) float64 {
	sum, known := 0.0, false
	for _, v := range stepTimes(o.Mean) {
		if !math.IsNaN(v) {
			sum, known = sum+v, true
		}
	}
	if !known {
		return math.NaN()
	}
	return sum
}

// fold is a recorded configuration of the workflow with the executions under
// it: what is held out at once. Repetitions of a configuration resemble each
// other more than they resemble the rest, so that leaving out single runs would
// flatter a model.
type fold struct {
	configuration string
	executions    map[string]bool
}

// configurationFolds divides the executions of a profile by the configuration
// of all their stages, in the order of the trace.
func configurationFolds(p *models.Profile) []fold {
	configuration := map[string]string{}
	var order []string // executions
	for i := range p.Workflow.Len() {
		for _, o := range p.Stage(i) {
			of, ok := configuration[o.Execution]
			if !ok {
				order = append(order, o.Execution)
			} else {
				of += " "
			}
			configuration[o.Execution] = of + o.Config.String()
		}
	}
	at := map[string]int{}
	var folds []fold
	for _, e := range order {
		c := configuration[e]
		k, ok := at[c]
		if !ok {
			k = len(folds)
			at[c] = k
			folds = append(folds, fold{c, map[string]bool{}})
		}
		folds[k].executions[e] = true
	}
	return folds
}

// without returns the profile of all other configurations, and held that of
// this one.
func (f fold) without(p *models.Profile) *models.Profile {
	return p.Select(func(o models.Observation) bool { return !f.executions[o.Execution] })
}

func (f fold) held(p *models.Profile) *models.Profile {
	return p.Select(func(o models.Observation) bool { return f.executions[o.Execution] })
}

// inside reports whether a configuration of a stage lies within the recorded
// range of memory and parallelism of a profile.
func inside(p *models.Profile, stage int, c models.StageConfig) bool {
	lo, hi := models.StageConfig{Memory: math.MaxInt, Parallelism: math.MaxInt}, models.StageConfig{}
	for _, o := range p.Warm(stage) {
		lo.Memory, hi.Memory = min(lo.Memory, o.Config.Memory), max(hi.Memory, o.Config.Memory)
		lo.Parallelism, hi.Parallelism = min(lo.Parallelism, o.Config.Parallelism), max(hi.Parallelism, o.Config.Parallelism)
	}
	return lo.Memory <= c.Memory && c.Memory <= hi.Memory && lo.Parallelism <= c.Parallelism && c.Parallelism <= hi.Parallelism
}
