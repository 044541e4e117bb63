package baselines

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/traces"
)

// A stage whose parent ends at 1.5 + 6 s for sure and whose instances take
// 1.5 s to start is started at 6 s: neither it nor its input waits.
func TestPrewarmMeetsTheInput(t *testing.T) {
	constant := func(v float64) []float64 { return []float64{v, v, v} }
	for _, c := range []struct{ step, want float64 }{{0.1, 6}, {0.5, 6}, {0.35, 5.95}, {7, 0}} {
		w := orionWarming{
			parents: [][]int{nil, {0}}, instances: []float64{1, 4}, rank: 2,
			start: [][]float64{constant(1.5), constant(1.5)}, latency: [][]float64{constant(6), constant(2)},
			end: [][]float64{constant(0), constant(0)}, last: constant(0), slack: constant(0)[:2],
		}
		started, ok := w.delay(context.Background(), c.step)
		if !ok || started[0] != 0 || math.Abs(started[1]-c.want) > 1e-9 {
			t.Errorf("steps of %v s: started at %v, want 0 and %v", c.step, started, c.want)
		}
	}
}

// randomWarming draws runs of a random graph.
func randomWarming(t *rapid.T) orionWarming {
	source := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
	n, runs := 2+source.IntN(4), 5+source.IntN(40)
	w := orionWarming{rank: runs/2 + source.IntN(runs-runs/2), last: make([]float64, runs), slack: make([]float64, n)}
	for i := range n {
		var parents []int
		for p := range i {
			if source.IntN(2) == 0 {
				parents = append(parents, p)
			}
		}
		start, latency := make([]float64, runs), make([]float64, runs)
		for k := range runs {
			start[k], latency[k] = 2*source.Float64(), 1+3*source.Float64()
		}
		w.parents = append(w.parents, parents)
		w.instances = append(w.instances, float64(1+source.IntN(8)))
		w.start, w.latency, w.end = append(w.start, start), append(w.latency, latency), append(w.end, make([]float64, runs))
	}
	return w
}

// outcome is the percentile of the latency and the idle time, counted out run
// by run.
func (w *orionWarming) outcome(started []float64) (latency, idle float64) {
	runs := len(w.last)
	var ends []float64
	for k := range runs {
		end := make([]float64, len(w.parents))
		for i, parents := range w.parents {
			ready := 0.0
			for _, p := range parents {
				ready = max(ready, end[p])
			}
			warm := started[i] + w.start[i][k]
			if warm < ready {
				idle += w.instances[i] * (ready - warm)
			}
			end[i] = max(warm, ready) + w.latency[i][k]
		}
		ends = append(ends, slices.Max(end))
	}
	slices.Sort(ends)
	return ends[w.rank], idle / float64(runs)
}

// The greedy search by its definition, one step at a time from all at once:
// the same starting times, no later percentile, less idle time, and no step
// left to make.
func TestPrewarmIsGreedy(t *testing.T) {
	const step = 0.25 // exact in binary
	moved := 0
	rapid.Check(t, func(t *rapid.T) {
		w := randomWarming(t)
		got, ok := w.delay(context.Background(), step)
		if !ok {
			t.Fatal("ended")
		}
		started := make([]float64, len(w.parents))
		latency, idle := w.outcome(started)
		for {
			best, least := -1, idle-1e-9
			for i := range started {
				if len(w.parents[i]) == 0 {
					continue
				}
				started[i] += step
				if later, waits := w.outcome(started); later <= latency && waits < least {
					best, least = i, waits
				}
				started[i] -= step
			}
			if best < 0 {
				break
			}
			started[best] += step
			idle = least
			moved++
		}
		for i := range started {
			if math.Abs(got[i]-started[i]) > 1e-9 {
				t.Fatalf("started at %v, step by step at %v", got, started)
			}
		}
	})
	if moved == 0 {
		t.Error("no instance was ever started later")
	}
}

// On the toy with all three rights: a simulation with draws of its own sees the
// same percentile as with all instances started at once (to a step, as the
// draws are others), and less than a quarter of the idle time.
func TestOrionPrewarms(t *testing.T) {
	p := toyProblem(t, 20, toyRows(traces.P95))
	s := solveOrion(t, Orion{}, p)
	at := s.Schedule.Prewarm
	if len(at) != 3 || !math.IsNaN(at[0]) {
		t.Fatalf("schedule %v, want none for the first stage and times for two", at)
	}
	const runs = 50_000
	w := orionWarming{parents: directParents(p.Workflow()), rank: runs * 95 / 100, last: make([]float64, runs)}
	source := rand.New(rand.NewPCG(11, 12))
	for i, c := range s.Config {
		curve, err := newOrionCurve(p.Profile, i, c.Parallelism)
		if err != nil {
			t.Fatal(err)
		}
		stage := orionStage{curve: curve, workers: c.Parallelism}
		w.instances = append(w.instances, float64(c.Parallelism))
		w.start, w.latency = append(w.start, make([]float64, runs)), append(w.latency, make([]float64, runs))
		latency := stage.latency(c)
		for k := range runs {
			w.start[i][k] = curve.start.quantile(source.Float64())
			w.latency[i][k] = latency.quantile(source.Float64())
		}
	}
	at[0] = 0
	ahead, idle := w.outcome(at)
	atOnce, idleAtOnce := w.outcome(make([]float64, 3))
	if ahead > atOnce+0.1 {
		t.Errorf("started at %v: p95 is %v s, with all at once %v s", at, ahead, atOnce)
	}
	if idle > idleAtOnce/4 {
		t.Errorf("started at %v: %v s idle, with all at once %v s", at, idle, idleAtOnce)
	}
	other := toyProblem(t, 20, slices.DeleteFunc(toyRows(traces.P95), func(r traces.Record) bool { return *r.Epoch == 0 }))
	s = solveOrion(t, Orion{}, other)
	if s.Schedule != nil || !slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "no first epoch") }) {
		t.Errorf("no first epoch: schedule %v, warnings %q", s.Schedule, s.Warnings)
	}
}

// Draws have the distribution they are drawn from.
func TestDraw(t *testing.T) {
	a := atoms{{1, 0.2}, {2, 0.5}, {4, 0.3}}
	values := make([]float64, 50_000)
	a.draw(models.Streams{Seed: 1}.New("draw"), values)
	for _, x := range a {
		hits := 0
		for _, v := range values {
			if v == x.value {
				hits++
			}
		}
		n := float64(len(values))
		if got, sd := float64(hits)/n, math.Sqrt(x.prob*(1-x.prob)/n); math.Abs(got-x.prob) > 4.5*sd {
			t.Errorf("%v is drawn with share %v, want %v", x.value, got, x.prob)
		}
	}
}
