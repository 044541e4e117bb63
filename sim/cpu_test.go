package sim

import (
	"math"
	"testing"
)

func TestSlowdown(t *testing.T) {
	cpu := MustPlatform("aws-lambda-x86").CPU
	for _, c := range []struct {
		memory         int
		parallel, want float64
	}{
		{1769, 0, 1}, {1769, 1, 1},
		{885, 0, 1769.0 / 885}, {885, 1, 1769.0 / 885}, // below one vCPU all work slows down alike
		{128, 0.5, 1769.0 / 128},
		{3538, 0, 1}, {10240, 0, 1}, // the plateau of a single thread
		{3538, 1, 0.5}, {3538, 0.5, 0.75}, // Amdahl
		{10240, 1, 1769.0 / 10240},
	} {
		if got := cpu.Slowdown(c.memory, c.parallel); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%d MB, parallel share %v: slowdown %v, want %v", c.memory, c.parallel, got, c.want)
		}
	}
	cpu.MaxVCPU = 2
	if got := cpu.Slowdown(10240, 1); got != 0.5 {
		t.Errorf("2 vCPU at most: slowdown %v, want 0.5", got)
	}
	if got := (CPU{}).Slowdown(128, 0); got != 1 {
		t.Errorf("memory that buys no speed: slowdown %v", got)
	}
}
