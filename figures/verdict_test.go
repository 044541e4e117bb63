package figures

import (
	"strings"
	"testing"

	"eevee/experiments"
)

// A bound is drawn where it can be seen, and named where it lies far beyond what
// was predicted and measured; many runs are a line.
func TestVerdictShowsItsBound(t *testing.T) {
	for _, c := range []struct {
		limit float64
		runs  int
		drawn bool
	}{{2, 10, true}, {5.9, 10, true}, {6.1, 10, false}, {100, 80, false}} {
		v := &experiments.Verdict{Workflow: "app", Runs: c.runs, Bound: &experiments.VerdictBound{Percentile: 95, LimitS: &c.limit}}
		for k := range c.runs {
			v.Points = append(v.Points, experiments.VerdictPoint{LatencyS: 2 * float64(k+1) / float64(c.runs), CostUSD: 1})
			v.Samples.Latency, v.Samples.Cost = append(v.Samples.Latency, 1), append(v.Samples.Cost, 1)
		}
		chart := Verdict(v)[0].Drawing.(Chart)
		vertical := false
		for _, r := range chart.References {
			vertical = vertical || r.Kind == Vertical && r.Value == c.limit
		}
		if vertical != c.drawn || strings.Contains(chart.Title, "lies beyond") == c.drawn {
			t.Errorf("limit %v: drawn %v, title %q", c.limit, vertical, chart.Title)
		}
		if line := chart.Series[1].Line; line != (c.runs > mostMarked) {
			t.Errorf("%d runs: line %v", c.runs, line)
		}
	}
}
