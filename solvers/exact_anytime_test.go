//go:build unix

package solvers

import (
	"context"
	"math"
	"testing"
	"time"

	"eevee/models"
)

// A cancelled search ends at once: it uses less than 50 ms of CPU time after
// the cancellation, wherever it is then.
func TestExactEndsWithin50Milliseconds(t *testing.T) {
	_, problems := publishedProblems(t, models.JolteonOptions{}, "tpcds")
	cut := 0
	for i, p := range problems {
		ctx, cancel := context.WithCancel(context.Background())
		at := make(chan time.Duration, 1)
		timer := time.AfterFunc(time.Duration(1+2*i)*time.Millisecond, func() {
			at <- cpuTime(t)
			cancel()
		})
		s, err := Exact{}.Solve(ctx, p, models.Streams{})
		ended := cpuTime(t)
		if err != nil {
			t.Fatal(err)
		}
		if timer.Stop() {
			cancel()
			continue
		}
		if after := ended - <-at; s.Status == LimitHit {
			cut++
			if after > 50*time.Millisecond {
				t.Errorf("%v %v: ended %v of CPU time after the cancellation", p.Bound.Metric, p.Bound.Limit, after)
			}
		}
	}
	if cut == 0 {
		t.Error("no search was cut short")
	}
}

// What progress tells is true: the lower bound is never above the optimum, the
// incumbent never below, and both only get better.
func TestProgressIsTrue(t *testing.T) {
	_, problems := publishedProblems(t, models.JolteonOptions{}, "tpcds")
	for _, p := range problems[:6] {
		var told []Progress
		ctx := WithProgress(context.Background(), func(p Progress) { told = append(told, p) })
		s, err := Exact{}.Solve(ctx, p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Status != Optimal {
			continue
		}
		if len(told) == 0 {
			t.Errorf("%v %v: no progress", p.Bound.Metric, p.Bound.Limit)
		}
		before := Progress{math.Inf(1), math.Inf(-1), 0}
		for _, now := range told {
			if now.Objective > before.Objective || now.LowerBound < before.LowerBound || now.Nodes < before.Nodes {
				t.Errorf("progress %v after %v", now, before)
			}
			if now.LowerBound > s.Objective*(1+1e-12) || now.Objective < s.Objective*(1-1e-12) {
				t.Errorf("progress %v, the optimum is %v", now, s.Objective)
			}
			before = now
		}
	}
}
