package papers

import (
	"math"
	"testing"

	"eevee/models"
	"pgregory.net/rapid"
)

// Processes that share a vCPU take what queueing says: one works off everything,
// with a vCPU for each the longest decides, and equal ones keep all vCPU busy.
func TestProcessTime(t *testing.T) {
	f := processFacts{Start: 0.5}
	for name, test := range map[string]struct {
		jobs []float64
		q    int
		vcpu float64
		want float64
	}{
		"one process":           {[]float64{1, 2, 3}, 1, 4, 6.5},
		"one on half a vCPU":    {[]float64{1, 2, 3}, 1, 0.5, 13},
		"a vCPU for each":       {[]float64{1, 5, 2}, 3, 3, 5.5},
		"equal ones on one":     {[]float64{1, 1, 1, 1}, 4, 1, 6},
		"equal ones on two":     {[]float64{1, 1, 1, 1}, 4, 2, 3},
		"the short one is done": {[]float64{1, 3}, 2, 1, 5}, // 1.5 each until 3 s, then 2 more
	} {
		if got := f.time(test.jobs, test.q, test.vcpu); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%s: %v s, want %v", name, got, test.want)
		}
	}
}

// No number of processes is faster than all work on all vCPU, or than the longest
// job.
func TestProcessTimeIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := processFacts{Jobs: rapid.IntRange(1, 30).Draw(t, "jobs"), Job: 1, Sigma: 0.5, Start: 0.1}
		jobs := f.draw(models.Streams{Seed: rapid.Uint64().Draw(t, "seed")}.New("jobs"))
		q, vcpu := rapid.IntRange(1, 8).Draw(t, "q"), rapid.Float64Range(0.2, 8).Draw(t, "vcpu")
		sum, longest := float64(q)*f.Start, 0.0
		for _, j := range jobs {
			sum, longest = sum+j, max(longest, j)
		}
		got := f.time(jobs, q, vcpu)
		if got < sum/min(vcpu, float64(q))-1e-9 || got < (f.Start+longest)/min(1, vcpu)-1e-9 || got > sum/min(1, vcpu)+1e-9 {
			t.Fatalf("%v s for %v s of work in %d processes on %v vCPU, the longest job %v s", got, sum, q, vcpu, longest)
		}
	})
}

// The slope of a line is found, and the elasticity of a power.
func TestSlopes(t *testing.T) {
	x := []float64{1, 2, 5, 9}
	var y, z []float64
	for _, v := range x {
		y, z = append(y, 3*v-1), append(z, 4*math.Pow(v, -0.7))
	}
	if got := line(x, y); math.Abs(got-3) > 1e-12 {
		t.Errorf("slope %v, want 3", got)
	}
	if got := slope(append(x, 3), append(z, math.NaN())); math.Abs(got+0.7) > 1e-12 {
		t.Errorf("elasticity %v, want -0.7", got)
	}
}
