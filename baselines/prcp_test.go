package baselines

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
	"eevee/solvers"
)

// Worked by hand. Times at 1, 2 and 4 GB: s0 8, 5, 3, so costs 8, 10, 12; s1 6,
// 4, 2.5, so costs 6, 8, 10.
//
// Time per cost from the cheapest: s0 3/2 and 5/4, s1 2/2 and 3.5/4. Then s0
// has 2/2 from 2 to 4 GB, and wins over s1's 2/2 as the first of equals. Time
// alone: s0 to 4 GB at once (5), then s1 to 4 GB (3.5). Time per memory: s0
// 3/1 and 5/3, s1 2/1 and 3.5/3 per GB; then s1's 2/1 is ahead of s0's 2/2.
func TestBestPerformanceUnderABudget(t *testing.T) {
	s0, s1 := fixedStage{1024: 8, 2048: 5, 4096: 3}, fixedStage{1024: 6, 2048: 4, 4096: 2.5}
	for _, c := range []struct {
		ratio  PRCPRatio
		budget float64
		want   []int
		status solvers.Status
	}{
		{"", 13, []int{1024, 1024}, solvers.NotFound},
		{"", 14, []int{1024, 1024}, solvers.Done},
		{"", 16, []int{2048, 1024}, solvers.Done},
		{"", 18, []int{4096, 1024}, solvers.Done},
		{"", 20, []int{4096, 2048}, solvers.Done},
		{"", 22, []int{4096, 4096}, solvers.Done},
		{PRCPWorkflowPerCost, 18, []int{4096, 1024}, solvers.Done},
		{PRCPTimePerMemory, 16, []int{2048, 1024}, solvers.Done},
		{PRCPTimePerMemory, 18, []int{2048, 2048}, solvers.Done},
		{PRCPLargest, 18, []int{4096, 1024}, solvers.Done},
		{PRCPLargest, 17, []int{2048, 1024}, solvers.Done}, // s0 to 4 GB and s1 to 4 GB are too dear, s0 to 2 GB comes next
	} {
		p := fixedProblem(t, within(solvers.Cost, c.budget), nil, s0, s1)
		s, err := PRCP{Ratio: c.ratio}.Solve(context.Background(), p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Status != c.status || !slices.Equal(memories(s.Config), c.want) {
			t.Errorf("%s with %v USD: %s, %v; want %s, %v", PRCP{Ratio: c.ratio}, c.budget, s.Status, s.Config, c.status, c.want)
		}
	}
}

// s1 and s2 follow s0 in parallel. With 1 USD to spend, s1 wins most time for
// itself (4 s), but the workflow then waits for s2, and s0 wins more for it
// (1.5 s instead of 1 s).
func TestTimeOfTheWorkflowCounts(t *testing.T) {
	for ratio, want := range map[PRCPRatio][]int{
		PRCPTimePerCost:     {1024, 2048, 1024},
		PRCPWorkflowPerCost: {2048, 1024, 1024},
	} {
		p := fixedProblem(t, within(solvers.Cost, 22), [][]int{nil, {0}, {0}},
			fixedStage{1024: 4, 2048: 2.5}, fixedStage{1024: 9, 2048: 5}, fixedStage{1024: 8})
		s, err := PRCP{Ratio: ratio}.Solve(context.Background(), p, models.Streams{})
		if err != nil || s.Status != solvers.Done || !slices.Equal(memories(s.Config), want) {
			t.Errorf("%s: %s, %v, %v; want %v", ratio, s.Status, s.Config, err, want)
		}
	}
}

// A move that loses nothing is better than any that does.
func TestFreeMovesComeFirst(t *testing.T) {
	for _, loss := range []float64{0, -1} {
		if r := (prcpMove{benefit: 1, loss: loss}).ratio(); !math.IsInf(r, 1) {
			t.Errorf("loss %v: ratio %v", loss, r)
		}
	}
}

// The mirror image, on the same numbers: from 4 GB, both give 2 USD for 2 s
// (s0) or 1.5 s (s1) at the first step, and for 3 s and 2 s at the second.
func TestBestCostUnderALatency(t *testing.T) {
	s0, s1 := fixedStage{1024: 8, 2048: 5, 4096: 3}, fixedStage{1024: 6, 2048: 4, 4096: 2.5}
	for _, c := range []struct {
		limit  float64
		want   []int
		status solvers.Status
	}{
		{5.4, []int{4096, 4096}, solvers.NotFound},
		{5.5, []int{4096, 4096}, solvers.Done},
		{7, []int{4096, 2048}, solvers.Done},
		// s1 to 2 GB (2/1.5 USD/s); then s0 to 2 GB and s1 to 1 GB win the same
		// (2/2), s0 is the first.
		{9, []int{2048, 2048}, solvers.Done},
		{11, []int{2048, 1024}, solvers.Done},
		{14, []int{1024, 1024}, solvers.Done},
	} {
		p := fixedProblem(t, within(solvers.Latency, c.limit), nil, s0, s1)
		s, err := PRCP{}.Solve(context.Background(), p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Status != c.status || !slices.Equal(memories(s.Config), c.want) {
			t.Errorf("within %v s: %s, %v; want %s, %v", c.limit, s.Status, s.Config, c.status, c.want)
		}
	}
}

// Off the critical path time costs nothing: whatever the graph, with ratios of
// the workflow's time a stage that cannot delay the workflow ends at its
// cheapest size.
func TestSlackIsFree(t *testing.T) {
	// s1 and s2 in parallel; s1 is never below 5 s, s2 never above 4 s.
	p := fixedProblem(t, within(solvers.Latency, 6), [][]int{nil, {0}, {0}},
		fixedStage{1024: 1}, fixedStage{1024: 9, 2048: 5}, fixedStage{1024: 4, 2048: 2.5})
	s, err := PRCP{Ratio: PRCPWorkflowPerCost}.Solve(context.Background(), p, models.Streams{})
	if err != nil || s.Status != solvers.Done || !slices.Equal(memories(s.Config), []int{1024, 2048, 1024}) {
		t.Errorf("%+v, %v", s, err)
	}
}

// On random chains with a single scenario the answer keeps the bound, no single
// move of a stage to another size is both admissible and better, and with an
// unlimited bound the answer is the optimum.
func TestPRCPEndsWhereNoMoveHelps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "stages")
		stages := make([]fixedStage, n)
		for i := range stages {
			stages[i] = fixedStage{}
			for k := range rapid.IntRange(1, 4).Draw(t, "sizes") {
				stages[i][1024<<k] = rapid.Float64Range(1, 10).Draw(t, "time")
			}
		}
		metric := rapid.SampledFrom([]solvers.Metric{solvers.Latency, solvers.Cost}).Draw(t, "metric")
		ratio := rapid.SampledFrom(prcpRatios).Draw(t, "ratio")
		limit := rapid.SampledFrom([]float64{10, 20, 40, 1e6}).Draw(t, "limit")
		p := fixedProblem(t, within(metric, limit), nil, stages...)
		s, err := PRCP{Ratio: ratio}.Solve(context.Background(), p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Status != solvers.Done {
			return
		}
		if o := p.Evaluate(s.Config); o.Violations > 0 {
			t.Fatalf("%v breaks the bound", s.Config)
		}
		for i := range stages {
			for _, other := range p.Space.Choices(i) {
				c := s.Config.Clone()
				c[i] = other
				if o := p.Evaluate(c); o.Violations == 0 && o.Objective < s.Objective*(1-1e-12) {
					t.Fatalf("%v is better than %v", c, s.Config)
				}
			}
		}
		if limit == 1e6 {
			best, err := solvers.Exact{}.Solve(context.Background(), p, models.Streams{})
			if err != nil || math.Abs(best.Objective-s.Objective) > 1e-9*best.Objective {
				t.Fatalf("without a bound %v, the optimum is %v", s.Objective, best.Objective)
			}
		}
	})
}
