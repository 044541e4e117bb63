package baselines

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// landscape is a random search problem: sizes per stage and a value and a
// latency for every state. Latency falls with every size.
type landscape struct {
	largest []int
	value   map[string]float64
	latency map[string]float64
}

func randomLandscape(t *rapid.T) landscape {
	l := landscape{value: map[string]float64{}, latency: map[string]float64{}}
	l.largest = rapid.SliceOfN(rapid.IntRange(0, 3), 1, 4).Draw(t, "largest")
	source := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	per := make([][]float64, len(l.largest))
	for i, n := range l.largest {
		for range n + 1 {
			per[i] = append(per[i], float64(source.IntN(8)))
		}
		slices.SortFunc(per[i], func(a, b float64) int { return int(b - a) })
	}
	for _, state := range l.states() {
		key := fmt.Sprint(state)
		for i, k := range state {
			l.latency[key] += per[i][k]
		}
		l.value[key] = float64(source.IntN(5))
	}
	return l
}

func (l landscape) states() (all [][]int) {
	all = [][]int{{}}
	for _, n := range l.largest {
		var longer [][]int
		for _, s := range all {
			for k := range n + 1 {
				longer = append(longer, append(slices.Clone(s), k))
			}
		}
		all = longer
	}
	return all
}

// search runs bestFirst for a target and returns what it visited, in order.
func (l landscape) search(target float64) (firstState, []string) {
	var visited []string
	f := bestFirst(context.Background(), l.largest, 1<<20, func(state []int) (float64, bool) {
		key := fmt.Sprint(state)
		visited = append(visited, key)
		return l.value[key], l.latency[key] <= target
	})
	return f, visited
}

// The definition of best-first search, checked step by step: every state that
// is visited but the first comes from the one that has the lowest value of all
// that were not yet taken out, no state is visited twice, and the first that
// satisfies ends the search.
func TestBestFirstTakesTheBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := randomLandscape(t)
		target := rapid.Float64Range(-1, 20).Draw(t, "target")
		f, visited := l.search(target)

		open, known := []string{}, map[string]bool{}
		at := 0
		visit := func(state []int) bool { // whether the search goes on
			key := fmt.Sprint(state)
			if known[key] {
				return true
			}
			known[key] = true
			if at >= len(visited) || visited[at] != key {
				t.Fatalf("visit %d is not %v: %v", at, key, visited)
			}
			at++
			open = append(open, key)
			return l.latency[key] > target
		}
		parse := map[string][]int{}
		for _, s := range l.states() {
			parse[fmt.Sprint(s)] = s
		}
		goesOn := visit(make([]int, len(l.largest)))
		for goesOn && len(open) > 0 {
			best := 0
			for k, key := range open {
				if l.value[key] < l.value[open[best]] {
					best = k
				}
			}
			from := parse[open[best]]
			open = slices.Delete(open, best, best+1)
			for i := 0; goesOn && i < len(from); i++ {
				if from[i] < l.largest[i] {
					child := slices.Clone(from)
					child[i]++
					goesOn = visit(child)
				}
			}
		}
		if at != len(visited) || f.looked != len(visited) {
			t.Fatalf("%d states looked at, %d visited, %d due", f.looked, len(visited), at)
		}
		if goesOn {
			if f.state != nil {
				t.Fatalf("found %v, which does not satisfy", f.state)
			}
			if len(known) != len(l.states()) {
				t.Fatalf("gave up after %d of %d states", len(known), len(l.states()))
			}
			return
		}
		if got := fmt.Sprint(f.state); got != visited[len(visited)-1] || l.latency[got] > target {
			t.Fatalf("found %v; the first that satisfies is %v", got, visited[len(visited)-1])
		}
		for _, key := range visited[:len(visited)-1] {
			if l.latency[key] <= target {
				t.Fatalf("%v satisfies and was passed over", key)
			}
		}
	})
}

// The order of visits does not depend on the target: a tighter one is found
// later on the same way. With one stage, whose cost grows with its size, it is
// then not cheaper either.
func TestBestFirstUnderTighterTargets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := randomLandscape(t)
		before, seen := firstState{}, []string(nil)
		for target := 20.0; target >= 0; target-- {
			f, visited := l.search(target)
			if f.looked < before.looked || !slices.Equal(visited[:len(seen)], seen) {
				t.Fatalf("target %v: visits %v, before %v", target, visited, seen)
			}
			if len(l.largest) == 1 && f.state != nil && before.state != nil && f.state[0] < before.state[0] {
				t.Fatalf("target %v: size %v is smaller than %v under a looser one", target, f.state, before.state)
			}
			before, seen = f, visited
		}
	})
}

func TestBestFirstEnds(t *testing.T) {
	never := func([]int) (float64, bool) { return 0, false }
	if f := bestFirst(context.Background(), []int{9, 9}, 17, never); !f.ended || f.looked != 17 || f.state != nil {
		t.Errorf("budget of 17: %+v", f)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	f := bestFirst(ctx, []int{9, 9}, 1000, func([]int) (float64, bool) {
		if n++; n == 5 {
			cancel()
		}
		return 0, false
	})
	if !f.ended || f.looked != 5 {
		t.Errorf("cancelled after 5 states: %+v", f)
	}
	if f := bestFirst(context.Background(), []int{9, 9}, 1000, never); f.ended || f.looked != 100 || f.state != nil {
		t.Errorf("nothing satisfies: %+v", f)
	}
	if f := steepest(context.Background(), []int{9, 9}, 17, never); !f.ended || f.looked != 17 {
		t.Errorf("steepest, budget of 17: %+v", f)
	}
}

// Steepest descent: every move is the lowest of the neighbours, and there is no
// way back.
func TestSteepest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := randomLandscape(t)
		target := rapid.Float64Range(-1, 20).Draw(t, "target")
		f := steepest(context.Background(), l.largest, 1<<20, func(state []int) (float64, bool) {
			key := fmt.Sprint(state)
			return l.latency[key], l.latency[key] <= target
		})
		state := make([]int, len(l.largest))
		for l.latency[fmt.Sprint(state)] > target {
			best, least := -1, math.Inf(1)
			for i := range state {
				if next := slices.Clone(state); state[i] < l.largest[i] {
					next[i]++
					if v := l.latency[fmt.Sprint(next)]; v < least {
						best, least = i, v
					}
				}
			}
			if best < 0 {
				if f.state != nil {
					t.Fatalf("found %v beyond the last state", f.state)
				}
				return
			}
			state[best]++
		}
		if !slices.Equal(f.state, state) {
			t.Fatalf("found %v, want %v", f.state, state)
		}
	})
}

// hopeless never denies a state that keeps the bound.
func TestHopelessIsProof(t *testing.T) {
	denied, open := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		const width = 1
		source := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		m := orionGraph(source, width)
		m.limit = source.IntN(120)
		m.percentile = 0.5 + source.Float64()/2
		if !m.hopeless() {
			open++
			return
		}
		denied++
		largest := make([]int, len(m.options))
		for i, list := range m.options {
			largest[i] = len(list) - 1
		}
		for _, state := range (landscape{largest: largest}).states() {
			if _, _, kept := m.look(m.picked(state)); kept {
				t.Fatalf("%v keeps the bound", state)
			}
		}
	})
	if denied == 0 || open == 0 {
		t.Errorf("%d denied, %d open: neither may be none", denied, open)
	}
}
