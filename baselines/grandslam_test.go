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

// The shares along a path never add up to more than the limit, those of the
// longest path add up to it, and stages on it have shares in proportion to
// their means.
func TestLatencyShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "stages")
		mean, stages := make([]float64, n), make([]fixedStage, n)
		for i := range mean {
			mean[i] = rapid.Float64Range(0.1, 10).Draw(t, "mean")
			stages[i] = fixedStage{1024: mean[i]}
		}
		p := fixedProblem(t, within(solvers.Latency, 1), drawGraph(t, n), stages...)
		const limit = 30
		shares := latencyShares(p.Workflow(), mean, limit)
		paths, _ := p.Workflow().Paths()
		most, longest, length := 0.0, []int(nil), 0.0
		for _, path := range paths {
			total, l := 0.0, 0.0
			for _, i := range path {
				total += shares[i]
				l += mean[i]
			}
			if l > length {
				longest, length = path, l
			}
			most = max(most, total)
		}
		if math.Abs(most-limit) > 1e-9 {
			t.Fatalf("the shares of a path add up to %v", most)
		}
		for _, i := range longest {
			if want := limit * mean[i] / length; math.Abs(shares[i]-want) > 1e-9 {
				t.Fatalf("share %v of a stage of the longest path, want %v", shares[i], want)
			}
		}
	})
}

// Worked by hand: means over the sizes are 6 and 3, so that a limit of 9 s is
// divided into 6 and 3. In GB-seconds s0 costs 8, 10, 16 and s1 5, 6, 4.
func TestGrandSLAM(t *testing.T) {
	s0, s1 := fixedStage{1024: 9, 2048: 5, 4096: 4}, fixedStage{1024: 5, 2048: 3, 4096: 1}
	for _, c := range []struct {
		limit    float64
		want     []int
		status   solvers.Status
		warnings int
	}{
		{9, []int{2048, 4096}, solvers.Done, 0}, // 4 GB is the cheaper one of those that s1 can have
		{15, []int{1024, 4096}, solvers.Done, 0},
		{3, []int{4096, 4096}, solvers.NotFound, 2}, // shares 2 and 1
		{5, []int{4096, 4096}, solvers.Done, 1},     // shares 3.3 and 1.7; s1 makes up for s0
	} {
		for _, method := range []GrandSLAM{{}, {Mean: true}} {
			p := fixedProblem(t, within(solvers.Latency, c.limit), nil, s0, s1)
			s, err := method.Solve(context.Background(), p, models.Streams{})
			if err != nil {
				t.Fatal(err)
			}
			if s.Status != c.status || !slices.Equal(memories(s.Config), c.want) || len(s.Warnings) != c.warnings {
				t.Errorf("%s within %v s: %s, %v, warnings %q; want %s, %v, %d", method, c.limit, s.Status, s.Config, s.Warnings, c.status, c.want, c.warnings)
			}
		}
	}
}
