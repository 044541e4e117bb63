package baselines_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"eevee/baselines"
)

// sizedChain is a workflow of two stages in a row. Stage 0 takes 10, 6 and 2 s for
// the small input and twice as much for the large one, which fails at its first
// size; stage 1 takes 4, 3 and 1 s whatever it reads.
func sizedChain(t testing.TB) *baselines.SizedWorkflow {
	t.Helper()
	w := &baselines.SizedWorkflow{Workflow: baselines.GraphOf(t, nil, []int{0}), Stages: []baselines.SizedStage{
		{Inputs: []int64{100, 200}, Choices: []baselines.SizedChoice{
			{Memory: 128, Runs: []baselines.SizedRun{{100, 10, 1}}},
			{Memory: 256, Runs: []baselines.SizedRun{{100, 6, 2}, {200, 12, 4}}},
			{Memory: 512, Runs: []baselines.SizedRun{{100, 2, 5}, {200, 4, 10}}},
		}},
		{Inputs: []int64{50}, Choices: []baselines.SizedChoice{
			{Memory: 128, Runs: []baselines.SizedRun{{50, 4, 1}}},
			{Memory: 256, Runs: []baselines.SizedRun{{50, 3, 2}}},
			{Memory: 512, Runs: []baselines.SizedRun{{50, 1, 4}}},
		}},
	}}
	if err := w.Check(); err != nil {
		t.Fatal(err)
	}
	return w
}

// Worked out by hand. The mean of stage 0 is (10+6+12+2+4)/5 = 6.8 s, that of
// stage 1 is 8/3 s, so that stage 0 gets the share 6.8/(6.8+8/3) = 0.718.
func TestChunkFuncByHand(t *testing.T) {
	w := sizedChain(t)
	run := func(p baselines.SizedPolicy, bytes int64, limit float64) baselines.SizedOutcome {
		return w.Run(p, baselines.SizedInput{Bytes: bytes, Outputs: []int64{50, 50}}, limit)
	}
	chunk := baselines.NewChunkFunc(w)
	for _, test := range []struct {
		bytes   int64
		limit   float64
		chosen  []int
		seconds float64
		usd     float64
	}{
		{100, 20, []int{0, 0}, 14, 2}, // 14.4 s are enough for 10
		{100, 10, []int{1, 0}, 10, 3}, // 7.2 s for 6, then 4 s are left
		{90, 10, []int{1, 0}, 10, 3},  // as the next larger input
		{200, 20, []int{1, 0}, 16, 5}, // the first size fails on it
		{900, 20, []int{1, 0}, 16, 5}, // beyond all inputs: as the largest
		{200, 10, []int{2, 0}, 8, 11}, // 7.2 s for 4
		{100, 1, []int{2, 2}, 3, 9},   // nothing fits: the fastest
	} {
		got := run(chunk, test.bytes, test.limit)
		if !slices.Equal(got.Chosen, test.chosen) || math.Abs(got.Latency-test.seconds) > 1e-9 || math.Abs(got.Cost-test.usd) > 1e-9 || got.Larger != 0 {
			t.Errorf("%d bytes in %v s: %+v, want %v, %v s, %v USD", test.bytes, test.limit, got, test.chosen, test.seconds, test.usd)
		}
	}
	// StepConf looks at 100 bytes in all sizes. By cost per second stages weigh 10 and 4 s,
	// so that stage 0 gets 5/7 of 14.1 s and its first size, at which 200 bytes fail; they
	// run in the second, for 12 s.
	stepConf := baselines.NewSizedStepConf(w, false)
	if got := run(stepConf, 200, 14.1); got.Chosen[0] != 0 || got.Larger != 1 || got.Latency != 13 {
		t.Errorf("StepConf: %+v", got)
	}
	// By the product of cost and time stage 0 weighs 10 s (10, 12, 10: the first), stage 1
	// weighs 4 s (4, 6, 4), as above.
	if a, b := run(stepConf, 100, 14.1), run(baselines.NewSizedStepConf(w, true), 100, 14.1); !slices.Equal(a.Chosen, b.Chosen) {
		t.Errorf("%+v and %+v", a, b)
	}
	// SLAM raises stage 0 until 12 s are kept: 14 s, then 6+4.
	slam, ok := baselines.NewSizedSLAM(w, baselines.SizedInput{Bytes: 100, Outputs: []int64{50, 50}}, 12)
	if !ok || !slices.Equal(slam, []int{1, 0}) {
		t.Errorf("SLAM: %v, %v", slam, ok)
	}
	if _, ok := baselines.NewSizedSLAM(w, baselines.SizedInput{Bytes: 200, Outputs: []int64{50, 50}}, 2); ok {
		t.Error("SLAM keeps 2 s, which no sizes do")
	}
}

// A looser limit never costs ChunkFunc more than the tightest, and no run is faster
// than the fastest sizes or cheaper than the cheapest.
func TestChunkFuncBounds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := &baselines.SizedWorkflow{Workflow: baselines.GraphOf(t, nil, []int{0}, []int{0}, []int{1, 2})}
		for range w.Workflow.Len() {
			s := baselines.SizedStage{Inputs: []int64{10, 20}}
			for k := range 4 {
				c := baselines.SizedChoice{Memory: 128 << k}
				for _, bytes := range s.Inputs {
					c.Runs = append(c.Runs, baselines.SizedRun{bytes, rapid.Float64Range(0.1, 10).Draw(r, "s"), rapid.Float64Range(0.1, 10).Draw(r, "usd")})
				}
				s.Choices = append(s.Choices, c)
			}
			w.Stages = append(w.Stages, s)
		}
		in := baselines.SizedInput{Bytes: rapid.Int64Range(1, 25).Draw(r, "bytes"), Outputs: []int64{5, 5, 5, 5}}
		chunk := baselines.NewChunkFunc(w)
		fastest, loose := w.Run(chunk, in, 0), w.Run(chunk, in, 1e6)
		got := w.Run(chunk, in, rapid.Float64Range(1, 60).Draw(r, "limit"))
		if got.Latency < fastest.Latency-1e-9 || got.Cost < loose.Cost-1e-9 || loose.Cost > fastest.Cost+1e-9 {
			r.Fatalf("%+v is not between %+v and %+v", got, fastest, loose)
		}
	})
}
