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

// BenchmarkExact proves the published runs of each workflow, BenchmarkJolteon
// solves them. The metric artifact/run is the geometric mean, over the runs, of
// the CPU time that the artifact's solver and probe took (reference, timing)
// divided by ours; -v prints the figures of every run.
func BenchmarkExact(b *testing.B) {
	benchmarkPublished(b, Exact{}, models.JolteonOptions{})
}

func BenchmarkJolteon(b *testing.B) {
	for _, compat := range []bool{false, true} {
		method := Jolteon{Compat: compat}
		b.Run(method.String(), func(b *testing.B) {
			benchmarkPublished(b, method, models.JolteonOptions{DropConstants: compat, ShareDraws: compat})
		})
	}
}

func benchmarkPublished(b *testing.B, method Method, options models.JolteonOptions) {
	for _, workflows := range [][]string{{"ml"}, {"video"}, {"tpcds"}, {"ml", "video", "tpcds"}} {
		name := workflows[0]
		if len(workflows) > 1 {
			name = "all"
		}
		b.Run(name, func(b *testing.B) {
			var runs []publishedRun
			var problems []*Problem
			for _, w := range workflows {
				r, p := publishedProblems(b, options, w)
				runs, problems = append(runs, r...), append(problems, p...)
			}
			used := make([]time.Duration, len(runs))
			proved := 0
			for b.Loop() {
				proved = 0
				for i, p := range problems {
					before := cpuTime(b)
					s, err := method.Solve(context.Background(), p, models.Streams{})
					used[i] += cpuTime(b) - before
					if err != nil {
						b.Fatal(err)
					}
					if s.Status == Optimal || s.Status == Infeasible {
						proved++
					}
				}
			}
			ratio, total, worst := 0.0, 0.0, 0.0
			for i, run := range runs {
				seconds := used[i].Seconds() / float64(b.N)
				reference := run.Timing.Median.Solve + run.Timing.Median.Probe
				b.Logf("%v: %.2f ms, artifact %.0f ms, ratio %.0f", run, 1e3*seconds, 1e3*reference, reference/seconds)
				ratio += math.Log(reference / seconds)
				total += seconds
				worst = max(worst, seconds)
			}
			n := float64(len(runs))
			b.ReportMetric(math.Exp(ratio/n), "artifact/run")
			b.ReportMetric(1e3*total/n, "cpu-ms/run")
			b.ReportMetric(1e3*worst, "worst-cpu-ms")
			b.ReportMetric(float64(proved), "proved")
		})
	}
}

// BenchmarkFrontier finds both frontiers of tpcds to 0.1 %. The metric
// artifact/point is the CPU time that the artifact's solver and probe took for one
// bound of that kind (reference, timing; mean over the runs), divided by ours for
// one point of the frontier.
func BenchmarkFrontier(b *testing.B) {
	runs, problems := publishedProblems(b, models.JolteonOptions{}, "tpcds")
	for _, metric := range []Metric{Latency, Cost} {
		b.Run(string(metric), func(b *testing.B) {
			var p *Problem
			artifact, count := 0.0, 0.0
			for i, run := range runs {
				if problems[i].Bound.Metric == metric {
					p = problems[i]
					artifact += run.Timing.Median.Solve + run.Timing.Median.Probe
					count++
				}
			}
			points, before := 0, cpuTime(b)
			for b.Loop() {
				f, err := Exact{}.Frontier(context.Background(), p, 1e-3, nil)
				if err != nil || !f.Complete {
					b.Fatalf("complete %v, %v", f.Complete, err)
				}
				points = len(f.Points)
			}
			used := (cpuTime(b) - before).Seconds() / float64(b.N)
			b.ReportMetric(float64(points), "points")
			b.ReportMetric(used, "cpu-s")
			b.ReportMetric(artifact/count/(used/float64(points)), "artifact/point")
		})
	}
}
