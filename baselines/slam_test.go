package baselines

import (
	"context"
	"slices"
	"testing"

	"eevee/models"
	"eevee/solvers"
)

// Worked by hand. Times at 1, 2 and 4 GB: s0 8, 6, 5; s1 6, 3, 2. The heap
// raises s0 (8), then s0 and s1 are equal (6, 6): s0 first; then s1 (6).
func TestSLAM(t *testing.T) {
	s0, s1 := fixedStage{1024: 8, 2048: 6, 4096: 5}, fixedStage{1024: 6, 2048: 3, 4096: 2}
	for _, c := range []struct {
		method SLAM
		limit  float64
		want   []int
		status solvers.Status
		looks  int
	}{
		{SLAM{}, 14, []int{1024, 1024}, solvers.Done, 1},
		{SLAM{}, 13, []int{2048, 1024}, solvers.Done, 2},
		{SLAM{}, 11.5, []int{4096, 1024}, solvers.Done, 3},
		{SLAM{}, 8, []int{4096, 2048}, solvers.Done, 4},
		{SLAM{}, 7, []int{4096, 4096}, solvers.Done, 5},
		{SLAM{}, 6.9, []int{4096, 4096}, solvers.NotFound, 5},
		// Costs in GB-seconds: s0 8, 12, 20; s1 6, 6, 8. The first step of s0
		// costs 50 % more for 25 % of the time: it stays out after it. That of
		// s1 costs nothing: back it goes, to be raised once more.
		{SLAM{Cost: true}, 12, []int{2048, 1024}, solvers.Done, 2},
		{SLAM{Cost: true}, 9, []int{2048, 2048}, solvers.Done, 3},
		{SLAM{Cost: true}, 8, []int{2048, 4096}, solvers.Done, 4},
		{SLAM{Cost: true}, 7, []int{2048, 4096}, solvers.NotFound, 4},
	} {
		p := fixedProblem(t, within(solvers.Latency, c.limit), nil, s0, s1)
		s, err := c.method.Solve(context.Background(), p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Status != c.status || !slices.Equal(memories(s.Config), c.want) || p.Evaluations() != c.looks {
			t.Errorf("%s within %v s: %s, %v after %d evaluations; want %s, %v after %d", c.method, c.limit, s.Status, s.Config, p.Evaluations(), c.status, c.want, c.looks)
		}
	}
}
