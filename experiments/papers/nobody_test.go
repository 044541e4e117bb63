package papers

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"eevee/experiments"
	"eevee/internal/recordings"
	"eevee/models"
	"eevee/solvers"
)

// answerJudged is an answer under a bound of 10 s, with its violations of 5 allowed,
// its cost, the lower end of its risk and the 95th percentile of its runs.
func answerJudged(violations int, status solvers.Status, cost, riskLo, p95 float64) CellResult {
	r := CellResult{Cell: Cell{"ml", solvers.Latency, 10, "x"}, Config: models.Config{{}}, Status: status, Violations: violations, Allowed: 5, RiskLo: riskLo}
	r.Cost.Mean, r.Executed.Latency.P95 = cost, p95
	return r
}

// Breaks are counted by what judges them, and distances only where the bound is
// kept.
func TestViolationsAreCounted(t *testing.T) {
	optimum := answerJudged(5, solvers.Optimal, 2, 0.04, 9)
	var b BoundsKeptBy
	for _, r := range []CellResult{
		answerJudged(5, solvers.Done, 3, 0.04, 9),      // keeps it everywhere
		answerJudged(6, solvers.Done, 1, 0.06, 9),      // breaks it in silence
		answerJudged(6, solvers.NotFound, 1, 0.04, 11), // says so
	} {
		b.count(r, optimum)
	}
	if b.Answered != 3 || b.Own != 2 || b.Silent != 1 || b.Unseen != 1 || b.Executed != 1 {
		t.Errorf("%+v", b)
	}
	if p := b.Percents(); !slices.Equal(p, []float64{50}) {
		t.Errorf("distances %v, want 50 %%", p)
	}
	if s := b.Shares(); math.Abs(s[0]-200.0/3) > 1e-9 {
		t.Errorf("shares %v", s)
	}
	if s := (BoundsKeptBy{}).Shares(); !math.IsNaN(s[0]) {
		t.Errorf("shares of no answers %v", s)
	}
}

// A point is below a frontier if it is cheaper than what is proved for one that
// is as slow, and only then.
func TestBelowTheFrontier(t *testing.T) {
	f := ProvedFrontier{Points: []PlanePoint{{20, 5, 4.9}, {10, 8, 7.8}}}
	for q, want := range map[PlanePoint]bool{
		{LatencyS: 20, CostUSD: 4.8}: true,
		{LatencyS: 15, CostUSD: 4.8}: true,
		{LatencyS: 10, CostUSD: 7.7}: true,
		{LatencyS: 10, CostUSD: 7.9}: false, // within what is not proved
		{LatencyS: 21, CostUSD: 4.8}: false, // slower than all that is proved
		{LatencyS: 15, CostUSD: 6}:   false,
	} {
		if f.isBelow(q) != want {
			t.Errorf("%v is below: %v", q, !want)
		}
	}
}

// A stronger bound whose optimum is cheaper refutes the claim on regret; one that
// nothing keeps does not.
func TestRegretClaimCanFail(t *testing.T) {
	g := newRegret().(*regret)
	rows := RegretFields{Recorded: true, Percentiles: []float64{90, 99}, Confidences: []float64{90, 99}, Optimum: [][]float64{{1, 2}, {1, math.NaN()}}}
	if c := g.claim(rows); c.Verdict != Reproduced {
		t.Errorf("%s: %s", c.Verdict, c.Why)
	}
	rows.Optimum[1][0] = 0.5
	if c := g.claim(rows); c.Verdict != NotReproduced || !strings.Contains(c.Why, "ours 1") {
		t.Errorf("%s: %s", c.Verdict, c.Why)
	}
}

// A model that covers less than it states is not called reproduced in any way.
func TestCoverageClaimCanFail(t *testing.T) {
	c := newCoverage().(*coverage)
	rows := ModelCoverages{Recorded: true, Level: 95, Workflows: []string{"a", "b"}}
	for percents, want := range map[[2]float64]Verdict{{94, 97}: Reproduced, {94, 60}: NotReproduced, {50, 60}: NotReproduced} {
		m := ModelCoverage{Model: "jolteon"}
		for _, p := range percents {
			m.Stages = append(m.Stages, Coverage{Runs: 10, Percent: p})
		}
		claim := c.claim(rows, m)
		if claim.Verdict != want || want == NotReproduced && (strings.Contains(claim.Why, "order") || !strings.Contains(claim.Why, "Cause: ")) {
			t.Errorf("%v: %s, %s", percents, claim.Verdict, claim.Why)
		}
	}
}

// Every launch rule is what it is known for on the graphs that are drawn, and a
// NIMBLE that costs more than lazy launching refutes the claim.
func TestLaunchGains(t *testing.T) {
	found, err := Reproduce(context.Background(), selected(t, "caerus"), quickOptions(experiments.Sources{}))
	if err != nil {
		t.Fatal(err)
	}
	rows := found.Findings[0].Rows.(LaunchGains)
	for _, g := range slices.Concat(rows.Workflows, rows.Graphs) {
		if g.Lazy.JCT < g.Nimble.JCT-1e-9 || g.Eager.Cost < g.Nimble.Cost-1e-9 || math.Abs(g.Lazy.Cost-g.Nimble.Cost) > 1e-9*g.Lazy.Cost {
			t.Errorf("%+v", g)
		}
	}
	// Where objects are read when they are complete, NIMBLE ends as early as
	// eager launching.
	for _, g := range rows.Workflows {
		if math.Abs(g.Nimble.JCT-g.Eager.JCT) > 1e-9 {
			t.Errorf("%+v", g)
		}
	}
	rows.Graphs[0].Nimble.Cost *= 2
	if c := newCaerus().(*caerus).optimal(rows); c.Verdict != NotReproduced {
		t.Errorf("%s: %s", c.Verdict, c.Why)
	}
}

// On recordings: the artifact breaks as many bounds as the reference says, no
// answer lies below a frontier, exact breaks no reachable bound on its own sample
// and what breaks one in silence is the artifact alone; Orion's released copy is
// off by what Table 5 prints, and Ditto's column contradicts itself in four rows.
func TestFiguresNobodyHas(t *testing.T) {
	if testing.Short() {
		t.Skip("solves and executes many cells")
	}
	found, err := Reproduce(context.Background(), selected(t, "violations", "frontier", "regret", "orion", "table5"), quickOptions(experiments.Sources{Recordings: recordings.Dir(t)}))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"violations.artifact", "frontier", "regret", "orion.mape"} {
		if c := claimOf(t, found, id); c.Verdict != Reproduced {
			t.Errorf("%s: %s, %s", id, c.Verdict, c.Why)
		}
	}
	ditto := claimOf(t, found, "table5.ditto")
	if ditto.Verdict != NotReproduced || !strings.HasPrefix(ditto.Why, "4 of 6 values") || !strings.Contains(ditto.Why, "contradict themselves") {
		t.Errorf("%s: %s", ditto.Verdict, ditto.Why)
	}
	for _, f := range found.Findings {
		rows, ok := f.Rows.(BoundsKept)
		if !ok {
			continue
		}
		if rows.Reachable == 0 || rows.Infeasible == 0 {
			t.Errorf("%d reachable, %d not", rows.Reachable, rows.Infeasible)
		}
		for _, s := range rows.Systems {
			switch {
			case s.System == optimumMethod && (s.Own > 0 || slices.Max(s.Percents()) != 0):
				t.Errorf("%+v", s)
			case s.System != MethodArtifact && s.Silent > 0:
				t.Errorf("%s breaks %d bounds in silence", s.System, s.Silent)
			case s.System == MethodArtifact && s.Silent != s.Own:
				t.Errorf("the artifact says something: %+v", s)
			}
		}
	}
}

// The facts on violations are those of the reference: 18 of 54 runs.
func TestViolationFacts(t *testing.T) {
	breaks := 0
	for _, run := range artifactRuns() {
		if run.Breaks {
			breaks++
		}
	}
	if v := newViolations(); v.OwnBreaks != breaks {
		t.Errorf("%d runs break their bound by the text, %d by the facts", v.OwnBreaks, breaks)
	}
}
