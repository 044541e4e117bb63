package baselines

import (
	"math"
	"slices"

	"eevee/models"
)

// instances packs the recorded workers of every run into instances of bundle
// workers, in the order of the trace, and returns the end (delay and billed
// time) and the billed time of every instance, in seconds.
//
// Inferred (algorithms.md 2.3): an instance of b workers has b times the size
// and gives it to whoever has work left, so that it takes
//
//	max( longest worker alone at b times the size, sum of its workers' times / b )
//
// where a worker alone keeps its percentile among the workers at the larger
// size, and its work is its time on its own share of the size. The delay of an
// instance is that of its first worker. The Orion artifact measures bundles
// instead.
func (s *orionStage) instances(r *orionRecord, bundle int) (ends, execs [][]float64) {
	var rank func(exec float64) float64
	if bundle > 1 {
		rank = s.faster(r, bundle)
	}
	for _, run := range r.runs {
		var end, exec []float64
		for from := 0; from < len(run.exec); from += bundle {
			to := min(from+bundle, len(run.exec))
			took := run.exec[from]
			if bundle > 1 {
				alone, work := 0.0, 0.0
				for _, x := range run.exec[from:to] {
					alone = max(alone, rank(x))
					work += x
				}
				took = max(alone, work/float64(bundle))
			}
			exec = append(exec, took)
			end = append(end, run.cold[from]+took)
		}
		ends, execs = append(ends, end), append(execs, exec)
	}
	return ends, execs
}

// faster returns the function from the billed time of a worker at a record to
// that of the same percentile at bundle times its size.
func (s *orionStage) faster(r *orionRecord, bundle int) func(exec float64) float64 {
	here, there := s.curve.exec(r.size), s.curve.exec(r.size*float64(bundle))
	times := make([]float64, 0, len(here))
	mapped := make(map[float64]float64, len(here))
	sum := 0.0
	for _, x := range here {
		times = append(times, x.value)
		mapped[x.value] = there.quantile(sum + x.prob/2)
		sum += x.prob
	}
	return func(exec float64) float64 {
		k, _ := slices.BinarySearch(times, exec)
		return mapped[times[k]]
	}
}

// bundle returns the bundle of every stage that has the lowest percentile of
// the workflow's latency, among those that do not cost more than no bundling
// (algorithms.md 2.3).
//
// Inferred: stages are decided one after the other, in the state that the sizes
// were chosen in; a worker keeps its size, so that an instance of b has b times
// as much, or the next larger size that there is.
func (m *orionModel) bundle(state []int, tried []int) []int {
	if tried == nil {
		tried = []int{2, 5, 10}
	}
	picked := m.picked(state)
	bundles := make([]int, len(state))
	for i := range picked {
		s := &m.stages[i]
		was := picked[i].config
		bundles[i] = max(1, was.Bundle)
		if s.workers == 1 || !s.curve.invocations() {
			continue
		}
		worker := (was.Memory + bundles[i] - 1) / bundles[i]
		alone, ok := m.holding(i, 1, worker)
		if !ok {
			continue
		}
		most := m.option(i, alone).cost
		best, lowest := picked[i], math.Inf(1)
		for _, b := range append([]int{1}, tried...) {
			c, ok := m.holding(i, b, worker*b)
			if !ok || b > s.workers || !m.admits(picked, i, c) {
				continue
			}
			picked[i] = m.option(i, c)
			latency, _, _ := m.look(picked)
			if picked[i].cost <= most && latency < lowest {
				lowest, best, bundles[i] = latency, picked[i], b
			}
		}
		picked[i] = best
	}
	return bundles
}

// holding returns the smallest choice of stage i with the given bundle and at
// least the given memory.
func (m *orionModel) holding(i, bundle, memory int) (models.StageConfig, bool) {
	for _, c := range m.sizes(i, bundle) {
		if c.Memory >= memory {
			return c, true
		}
	}
	return models.StageConfig{}, false
}

// admits reports whether the rules of the space admit c for stage i beside what
// is picked for the others.
func (m *orionModel) admits(picked []orionOption, i int, c models.StageConfig) bool {
	instances := func(k int) int {
		if k == i {
			return c.Parallelism
		}
		return picked[k].config.Parallelism
	}
	for _, r := range m.space.Rules() {
		if (r.Stage == i || r.Of == i) && !r.Admits(instances(r.Stage), instances(r.Of)) {
			return false
		}
	}
	return true
}
