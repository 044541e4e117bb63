package baselines

import (
	"container/heap"
	"context"

	"eevee/models"
	"eevee/solvers"
)

// SLAM chooses sizes for a latency objective (CLOUD'22; algorithms.md 10,
// which knows it through the artifact of ChunkFunc): all functions begin at
// their smallest size, and a max-heap gives the one that takes longest one
// size more, until the workflow is fast enough.
//
// How long a function takes is its mean over the scenarios. When the workflow
// is fast enough is judged by the bound, on the problem's sample, so that its
// answer is on the footing of the others (inferred: no source says which
// percentile SLAM keeps). It does not decide parallelism.
type SLAM struct {
	// Cost is the variant that minds what a size costs: a function goes back
	// into the heap only if its cost rose by no larger a share than its time
	// fell.
	Cost bool

	Parallelism Instances
}

// NewSLAM returns SLAM with the named options: cost and parallelism=1/8/8/1.
func NewSLAM(options ...string) (SLAM, error) {
	var s SLAM
	if err := readOptions("slam", options, s.options()); err != nil {
		return SLAM{}, err
	}
	return s, nil
}

func (s *SLAM) options() []option {
	return []option{toggle("cost", &s.Cost), instances(&s.Parallelism)}
}

// String returns "slam" and its options, as "slam:cost".
func (s SLAM) String() string { return nameWith("slam", s.options()) }

// Supports asks for a bound on latency.
func (s SLAM) Supports(p *solvers.Problem) error {
	if err := p.Plain(); err != nil {
		return err
	}
	if err := onLatency("SLAM", p); err != nil {
		return err
	}
	_, err := newSizing(p, s.Parallelism)
	return err
}

// Solve implements solvers.Method. It draws nothing.
func (s SLAM) Solve(ctx context.Context, p *solvers.Problem, _ models.Streams) (solvers.Solution, error) {
	sizes, err := newSizing(p, s.Parallelism)
	if err != nil {
		return solvers.Solution{}, err
	}
	t, err := newContest(p)
	if err != nil {
		return solvers.Solution{}, err
	}
	pick := make([]int, len(sizes.choices))
	h := &slamHeap{}
	for i := range pick {
		heap.Push(h, slamStage{i, sizes.at(i, 0).latency})
	}
	for {
		if ctx.Err() != nil {
			return t.solution(true), nil
		}
		config := sizes.config(pick)
		outcome, kept := t.try(config)
		if kept {
			return t.answer(config, outcome), nil
		}
		raised := false
		for h.Len() > 0 && !raised {
			i := heap.Pop(h).(slamStage).stage
			if pick[i]+1 == len(sizes.choices[i]) {
				continue // at its largest size, it stays out
			}
			before := sizes.at(i, pick[i])
			pick[i]++
			raised = true
			now := sizes.at(i, pick[i])
			rise, fall := now.cost/before.cost-1, 1-now.latency/before.latency
			if !s.Cost || rise <= fall {
				heap.Push(h, slamStage{i, now.latency})
			}
		}
		if !raised {
			return t.solution(false), nil
		}
	}
}

// slamStage is a stage with how long it takes in its size, s.
type slamStage struct {
	stage   int
	latency float64
}

// slamHeap has the stage that takes longest on top, the first one of equals.
type slamHeap []slamStage

func (h slamHeap) Len() int { return len(h) }
func (h slamHeap) Less(a, b int) bool {
	if h[a].latency != h[b].latency {
		return h[a].latency > h[b].latency
	}
	return h[a].stage < h[b].stage
}
func (h slamHeap) Swap(a, b int) { h[a], h[b] = h[b], h[a] }

// Push implements heap.Interface.
func (h *slamHeap) Push(x any) { *h = append(*h, x.(slamStage)) }

// Pop implements heap.Interface.
func (h *slamHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
