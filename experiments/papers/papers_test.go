package papers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"eevee/experiments"
	"eevee/internal/recordings"
	"eevee/models"
	"eevee/solvers"
)

// quickOptions are those of a quick run whose durations are all zero.
func quickOptions(sources experiments.Sources) Options {
	return Options{Sources: sources, Seed: 1, Quick: true, Clock: Clock{Wall: func() time.Time { return time.Time{} }}}
}

func selected(t *testing.T, ids ...string) []Experiment {
	t.Helper()
	chosen, err := Select(ids, nil)
	if err != nil {
		t.Fatal(err)
	}
	return chosen
}

// onRecordings runs, once for all tests, everything that is compared with
// measurements.
func onRecordings(t *testing.T) Findings {
	t.Helper()
	if testing.Short() {
		t.Skip("runs most experiments")
	}
	sources := experiments.Sources{Recordings: recordings.Dir(t)}
	found, err := recordedFindings(sources)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var (
	recordedOnce  sync.Once
	recordedFound Findings
	recordedErr   error
)

func recordedFindings(s experiments.Sources) (Findings, error) {
	recordedOnce.Do(func() {
		var chosen []Experiment
		if chosen, recordedErr = Select([]string{"fig9", "fig10", "fig11", "table3", "table5"}, nil); recordedErr == nil {
			recordedFound, recordedErr = Reproduce(context.Background(), chosen, quickOptions(s))
		}
	})
	return recordedFound, recordedErr
}

func claimOf(t *testing.T, f Findings, id string) Claim {
	t.Helper()
	all := f.Claims().Claims
	i := slices.IndexFunc(all, func(c Claim) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("no claim %q", id)
	}
	return all[i]
}

// printed writes a value of a claim with two decimals.
func printed(values []Value) []string {
	var all []string
	for _, v := range values {
		all = append(all, fmt.Sprintf("%.2f", *v.Value))
	}
	return all
}

// Table 3 comes out to the printed digits.
func TestTable3(t *testing.T) {
	c := claimOf(t, onRecordings(t), "table3")
	// (16, 4), (8, 2), (4, 1) and the mean absolute error, P50 and P95 by turns.
	want := []string{"-6.07", "0.29", "6.87", "5.47", "-5.80", "-4.50", "6.25", "3.42"}
	if got := printed(c.Reproduced); !slices.Equal(got, want) || c.Verdict != Reproduced {
		t.Errorf("%s: %v, want %v", c.Verdict, got, want)
	}
}

// With the artifact's two draws the predictions behind Table 5 come out to the
// printed digits, and its errors to rounding; with the full sample they do not.
func TestTable5(t *testing.T) {
	f := onRecordings(t)
	predictions := claimOf(t, f, "table5.predictions")
	want := []string{"11.53", "12.25", "11.48", "12.24", "15.34", "16.01", "23.76", "24.02", "31.98", "32.02", "49.06", "49.92"}
	if got := printed(predictions.Reproduced); !slices.Equal(got, want) || predictions.Verdict != Reproduced {
		t.Errorf("%s: predictions %v, want %v", predictions.Verdict, got, want)
	}
	if c := claimOf(t, f, "table5"); c.Verdict != Reproduced {
		t.Errorf("errors: %s, %s", c.Verdict, c.Why)
	}
	if c := claimOf(t, f, "table5.full.predictions"); c.Verdict != Reproduced {
		t.Errorf("predictions with the full sample: %s, %s", c.Verdict, c.Why)
	}
	full := claimOf(t, f, "table5.full")
	if full.Verdict != NotReproduced {
		t.Errorf("errors with the full sample: %s, %s", full.Verdict, full.Why)
	}
	// The published errors of 95th percentiles with the full sample, C0 to C5.
	for i, want := range []float64{20.9, 29.9, 31.1, 22.9, 13.3, 6.8} {
		v := full.Reproduced[2*i+1]
		if off := *v.Value - want; off < -3 || off > 3 {
			t.Errorf("%s: error of the 95th percentile %.1f %%, want %.1f", v.At, *v.Value, want)
		}
	}
}

// What is known not to agree stays visible: the cost of ML under 40 s.
func TestKnownDiscrepancy(t *testing.T) {
	for _, id := range []string{"fig9c", "fig9c.artifact"} {
		c := claimOf(t, onRecordings(t), id)
		if !strings.Contains(c.Why, "Known discrepancy: mean_cost_usd at latency 40 s: reported 0.00713") {
			t.Errorf("%s: %s", id, c.Why)
		}
	}
}

// The artifact's own configurations, executed in the replay world, are where
// Figure 9 has them for tpcds and video.
func TestReplayedArtifact(t *testing.T) {
	for _, id := range []string{"fig9a.artifact", "fig9b.artifact"} {
		if c := claimOf(t, onRecordings(t), id); c.Verdict != Reproduced {
			t.Errorf("%s: %s, %s", id, c.Verdict, c.Why)
		}
	}
}

// results are all results of cells in the findings.
func results(f Findings) []CellResult {
	var all []CellResult
	for _, one := range f.Findings {
		var answers []MethodAnswers
		switch rows := one.Rows.(type) {
		case Frontier:
			for _, p := range rows.Panels {
				answers = append(answers, p.Answers...)
			}
		case Tightness:
			for _, p := range rows.Panels {
				answers = append(answers, p.Answers...)
			}
		}
		for _, a := range answers {
			all = append(all, a.Results...)
		}
	}
	return all
}

// No method of ours breaks its bound in silence, and the optimum is never worse
// than another answer that keeps the bound.
func TestAnswers(t *testing.T) {
	all := results(onRecordings(t))
	best := map[Cell]CellResult{} // the optimum, by its cell without the method
	for _, r := range all {
		if r.Status == solvers.Optimal {
			c := r.Cell
			c.Method = ""
			best[c] = r
		}
	}
	broken := 0
	for _, r := range all {
		if r.Method == MethodArtifact {
			continue
		}
		if r.Breaks() {
			broken++
			if !r.Admits() {
				t.Errorf("%v: %d of %d scenarios exceed the limit, %d may, and the status is %s", r.Cell, r.Violations, r.Samples, r.Allowed, r.Status)
			}
		}
		if r.Executed.Runs != 500 {
			t.Errorf("%v: %d runs", r.Cell, r.Executed.Runs)
		}
		for _, e := range []ExecutedFigure{r.Executed.Latency, r.Executed.Cost} {
			if !(e.P95Lo <= e.P95 && e.P95 <= e.P95Hi && e.P50 <= e.P95) {
				t.Errorf("%v: executed %+v", r.Cell, e)
			}
		}
		if !(r.RiskLo <= r.Risk && r.Risk <= r.RiskHi) {
			t.Errorf("%v: risk %v not in [%v, %v]", r.Cell, r.Risk, r.RiskLo, r.RiskHi)
		}
	}
	if broken == 0 || len(best) == 0 {
		t.Errorf("%d answers break their bound, %d are optimal: nothing was tested", broken, len(best))
	}
	for _, r := range all {
		c := r.Cell
		c.Method = ""
		optimum, ok := best[c]
		if !ok || r.Breaks() {
			continue
		}
		// The holdout's means are not those of the sample, hence the slack.
		ours, theirs := optimum.Cost.Mean, r.Cost.Mean
		if r.Metric == solvers.Cost {
			ours, theirs = optimum.Latency.Mean, r.Latency.Mean
		}
		if ours > 1.02*theirs {
			t.Errorf("%v: the optimum has a mean of %v, this keeps the bound with %v", r.Cell, ours, theirs)
		}
	}
}

// A cell has the answer that "eevee solve" gives to the same question.
func TestCellIsASolve(t *testing.T) {
	sources := experiments.Sources{Recordings: recordings.Dir(t)}
	cell := Cell{"ml", solvers.Latency, 40, "exact"}
	lab := newLab(quickOptions(sources))
	got, err := lab.answer(context.Background(), cell)
	if err != nil {
		t.Fatal(err)
	}
	b, err := lab.bench("ml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := b.setup.Solve(context.Background(), experiments.Request{Bound: cell.bound(), Method: solvers.Exact{}, Samples: 2715, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if !got.Config.Same(want.Report.Solution.Config) || got.Violations != want.Report.Solution.Violations || got.Allowed != 135 {
		t.Errorf("%+v, want %+v", got, want.Report.Solution)
	}
}

func TestSelection(t *testing.T) {
	all := selected(t)
	if len(all) != len(IDs()) {
		t.Errorf("%d of %d experiments", len(all), len(IDs()))
	}
	some := selected(t, "table3", "fig9", "table3")
	if len(some) != 2 || some[0].Statement().ID != "fig9" || some[1].Statement().ID != "table3" {
		t.Errorf("%v", some)
	}
	without, err := Select([]string{"table3", "fig9"}, []string{"fig9", "fig13"})
	if err != nil || len(without) != 1 || without[0].Statement().ID != "table3" {
		t.Errorf("%v, %v", without, err)
	}
	if _, err := Select([]string{"fig9"}, []string{"fig9"}); err == nil {
		t.Error("nothing is selected, and that is no error")
	}
	_, err = Select([]string{"table3"}, []string{"fig98"})
	if err == nil || !strings.Contains(err.Error(), `"fig98"`) {
		t.Errorf("error %v", err)
	}
	_, err = Select([]string{"fig9", "fig99"}, nil)
	if err == nil || !strings.Contains(err.Error(), `"fig99"`) {
		t.Fatalf("error %v", err)
	}
	for _, id := range IDs() {
		if !strings.Contains(err.Error(), id) {
			t.Errorf("%v does not list %s", err, id)
		}
	}
}

// An interrupted run ends with an error and not with half of the findings.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	o := quickOptions(experiments.Sources{})
	o.Progress = func(done, _ int) {
		if done == 2 {
			cancel()
		}
	}
	if found, err := Reproduce(ctx, selected(t, "fig10"), o); err == nil {
		t.Errorf("found %d findings", len(found.Findings))
	}
}

// Everything is counted once, up to the total.
func TestProgress(t *testing.T) {
	var seen []int
	o := quickOptions(experiments.Sources{})
	o.Progress = func(done, total int) {
		if total != 3+1+1 { // cells of gantt, gantt, table3
			t.Errorf("total %d", total)
		}
		seen = append(seen, done)
	}
	if _, err := Reproduce(context.Background(), selected(t, "gantt", "table3"), o); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(seen, []int{1, 2, 3, 4, 5}) {
		t.Errorf("%v", seen)
	}
}

// The runs of the Gantt chart hang together: the critical path ends with the
// last stage, and no task starts before its stage is ready.
func TestTimelines(t *testing.T) {
	found, err := Reproduce(context.Background(), selected(t, "gantt"), quickOptions(experiments.Sources{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found.Findings[0].Rows.(Timelines).Panels {
		if len(p.Spans) == 0 || len(p.Critical) == 0 {
			t.Fatalf("%s: %d spans, critical path %v", p.Name, len(p.Spans), p.Critical)
		}
		start, end := map[string]float64{}, map[string]float64{}
		for _, s := range p.Spans {
			if first, ok := start[s.Stage]; !ok || s.Start < first {
				start[s.Stage] = s.Start
			}
			end[s.Stage] = max(end[s.Stage], s.End)
		}
		latest := 0.0
		for _, e := range end {
			latest = max(latest, e)
		}
		if p.LatencyS != latest || end[p.Critical[len(p.Critical)-1]] != latest || start[p.Critical[0]] != 0 {
			t.Errorf("%s: latency %v, last end %v, critical path %v", p.Name, p.LatencyS, latest, p.Critical)
		}
		for i := 1; i < len(p.Critical); i++ {
			if gap := start[p.Critical[i]] - end[p.Critical[i-1]]; gap < -1e-9 || gap > 1e-9 {
				t.Errorf("%s: %v s between %s and %s", p.Name, gap, p.Critical[i-1], p.Critical[i])
			}
		}
		def, err := models.Load(strings.TrimPrefix(p.Name, "gantt-"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range def.Workflow.Len() {
			for _, parent := range def.Workflow.Parents(i) {
				if child, parent := def.Workflow.Stage(i).Name, def.Workflow.Stage(parent).Name; start[child] < end[parent]-1e-9 {
					t.Errorf("%s: %s starts at %v, %s ends at %v", p.Name, child, start[child], parent, end[parent])
				}
			}
		}
	}
}
