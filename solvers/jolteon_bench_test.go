package solvers

import (
	"context"
	"math"
	"testing"
	"time"

	"eevee/models"
)

// BenchmarkJolteon solves the published runs of each workflow. The metric
// artifact/run is the geometric mean of the ratio of the CPU time that the
// artifact's solver and probe took (reference, timing) to the time of ours.
func BenchmarkJolteon(b *testing.B) {
	for _, compat := range []bool{false, true} {
		method := Jolteon{Compat: compat}
		for _, workflow := range []string{"ml", "video", "tpcds"} {
			b.Run(method.String()+"/"+workflow, func(b *testing.B) {
				var artifact []float64 // CPU seconds
				runs, problems := publishedProblems(b, models.JolteonOptions{DropConstants: compat, ShareDraws: compat}, workflow)
				for _, run := range runs {
					artifact = append(artifact, run.Timing.Median.Solve+run.Timing.Median.Probe)
				}
				ratio := 0.0
				for b.Loop() {
					for i, p := range problems {
						start := time.Now()
						if _, err := method.Solve(context.Background(), p, models.Streams{}); err != nil {
							b.Fatal(err)
						}
						ratio += math.Log(artifact[i] / time.Since(start).Seconds())
					}
				}
				n := float64(b.N * len(problems))
				b.ReportMetric(math.Exp(ratio/n), "artifact/run")
				b.ReportMetric(b.Elapsed().Seconds()*1e3/n, "ms/run")
			})
		}
	}
}
