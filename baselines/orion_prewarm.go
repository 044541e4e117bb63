package baselines

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"eevee/models"
)

// orionWarming simulates runs of the workflow whose instances are started at
// given times (algorithms.md 2.4): in every run
//
//	end = max(end of the parents, started + start) + latency
//
// per stage, with start and latency drawn once and for all. An instance is busy
// while it starts and runs, and idle while it waits for its input.
type orionWarming struct {
	parents   [][]int
	instances []float64
	start     [][]float64 // per stage and run, s
	latency   [][]float64
	rank      int     // of the percentile among the ends of the runs
	latest    float64 // the percentile that must not be raised, s

	end   [][]float64 // per stage and run, s
	last  []float64   // per run: end of the workflow, s
	slack []float64   // per stage: the least time that its instances wait in any run, s
}

// prewarm returns when to start the instances of every stage, in s after the
// start of the run. From all at once, it makes the step of one stage that
// takes most off the idle time, as long as that does not raise the percentile
// of the latency.
//
// Inferred: utilisation = busy / (busy + idle) counts every instance of a
// stage; busy does not depend on starting times, so that the largest gain of
// utilisation is the largest loss of idle time. Of two readings, "no step that
// raises the latency" is taken; the Orion artifact divides utilisation by it.
// Stages that start the run cannot be started ahead of it.
func (m *orionModel) prewarm(ctx context.Context, o Orion, state []int, draws *rand.Rand) (s *models.Schedule, warning string) {
	step, n := o.PrewarmStep, o.Draws
	if step <= 0 {
		step = 0.1
	}
	if n <= 0 {
		n = 10_000
	}
	w := orionWarming{
		parents: m.parents, rank: int(math.Ceil(m.percentile*float64(n)-1e-9)) - 1,
		last: make([]float64, n), slack: make([]float64, len(state)),
	}
	some := false
	for i, option := range m.picked(state) {
		s := &m.stages[i]
		w.instances = append(w.instances, float64(option.config.Parallelism))
		start := make([]float64, n)
		if s.curve.start != nil {
			some = true
			s.curve.start.draw(draws, start)
		}
		latency := make([]float64, n)
		s.latency(option.config).draw(draws, latency)
		w.start, w.latency = append(w.start, start), append(w.latency, latency)
		w.end = append(w.end, make([]float64, n))
	}
	if !some {
		return nil, "the profile has no first epoch to tell how long instances take to start; nothing is pre-warmed"
	}
	started, ok := w.delay(ctx, step)
	if !ok {
		return nil, "the search for starting times was ended; nothing is pre-warmed"
	}
	for i := range started {
		if len(m.parents[i]) == 0 || m.stages[i].curve.start == nil {
			started[i] = math.NaN()
		}
	}
	return &models.Schedule{Prewarm: started}, ""
}

// draw fills values with independent draws of the distribution.
func (a atoms) draw(source *rand.Rand, values []float64) {
	sums := make([]float64, len(a))
	sum := 0.0
	for k, x := range a {
		sum += x.prob
		sums[k] = sum
	}
	for i := range values {
		k, _ := slices.BinarySearch(sums, source.Float64()*sum)
		values[i] = a[min(k, len(a)-1)].value
	}
}

// delay returns the starting times, false if the context ended the search.
func (w *orionWarming) delay(ctx context.Context, step float64) ([]float64, bool) {
	steps := make([]int, len(w.parents))
	started := make([]float64, len(w.parents))
	// To the microsecond, so that 58 steps of 0.1 s are 5.8 s.
	at := func(i, k int) { steps[i], started[i] = k, math.Round(float64(k)*step*1e6)/1e6 }

	w.run(started)
	w.latest = w.percentile()
	// Steps after which a stage still waits for its input in every run change
	// no end of any. Whether another step is allowed and what it saves does not
	// depend on them, so they may be made first, all at once.
	for i, least := range w.slack {
		if len(w.parents[i]) > 0 {
			at(i, max(0, int(math.Floor(least/step))))
		}
	}
	idle, _ := w.run(started)
	for {
		best, least := -1, idle
		for i, k := range steps {
			if len(w.parents[i]) == 0 {
				continue
			}
			if ctx.Err() != nil {
				return nil, false
			}
			at(i, k+1)
			if waiting, ok := w.run(started); ok && waiting < least-1e-9 {
				best, least = i, waiting
			}
			at(i, k)
		}
		if best < 0 {
			return started, true
		}
		at(best, steps[best]+1)
		idle = least
	}
}

// run simulates all runs. It returns the mean idle time over instances in s,
// and whether the latest end that the percentile allows is kept; it leaves how
// long every stage waits for its input at least.
func (w *orionWarming) run(started []float64) (idle float64, kept bool) {
	clear(w.last)
	for i, end := range w.end {
		waited, least := 0.0, math.Inf(1)
		for k := range end {
			ready := 0.0
			for _, p := range w.parents[i] {
				ready = max(ready, w.end[p][k])
			}
			warm := started[i] + w.start[i][k]
			waited += max(0, ready-warm)
			least = min(least, ready-warm)
			end[k] = max(ready, warm) + w.latency[i][k]
			w.last[k] = max(w.last[k], end[k])
		}
		w.slack[i] = least
		idle += w.instances[i] * waited
	}
	later := 0
	for _, end := range w.last {
		if end > w.latest {
			later++
		}
	}
	return idle / float64(len(w.last)), later <= len(w.last)-1-w.rank
}

// percentile returns the percentile of the latency in the runs simulated last.
func (w *orionWarming) percentile() float64 {
	sorted := slices.Clone(w.last)
	slices.Sort(sorted)
	return sorted[w.rank]
}
