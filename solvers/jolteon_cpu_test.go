//go:build unix

package solvers

import (
	"context"
	"math"
	"syscall"
	"testing"
	"time"

	"eevee/models"
)

// cpuTime returns the CPU time that the process has used.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkJolteon solves the published runs of each workflow. The metric
// artifact/run is the geometric mean, over the runs, of the CPU time that the
// artifact's solver and probe took (reference, timing) divided by ours.
func BenchmarkJolteon(b *testing.B) {
	for _, compat := range []bool{false, true} {
		method := Jolteon{Compat: compat}
		for _, workflow := range []string{"ml", "video", "tpcds"} {
			b.Run(method.String()+"/"+workflow, func(b *testing.B) {
				runs, problems := publishedProblems(b, models.JolteonOptions{DropConstants: compat, ShareDraws: compat}, workflow)
				used := make([]time.Duration, len(runs))
				for b.Loop() {
					for i, p := range problems {
						before := cpuTime(b)
						if _, err := method.Solve(context.Background(), p, models.Streams{}); err != nil {
							b.Fatal(err)
						}
						used[i] += cpuTime(b) - before
					}
				}
				ratio, total := 0.0, 0.0
				for i, run := range runs {
					seconds := used[i].Seconds() / float64(b.N)
					ratio += math.Log((run.Timing.Median.Solve + run.Timing.Median.Probe) / seconds)
					total += seconds
				}
				n := float64(len(runs))
				b.ReportMetric(math.Exp(ratio/n), "artifact/run")
				b.ReportMetric(1e3*total/n, "cpu-ms/run")
			})
		}
	}
}
