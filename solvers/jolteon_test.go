package solvers

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"eevee/models"
)

// The published sizes (claims.md B), for 4, 6 and 8 stages.
func TestSampleSize(t *testing.T) {
	for stages, want := range map[int]int{4: 2715, 5: 2715, 6: 3381, 8: 4048} {
		if got := SampleSize(stages, 0.05, 0, 0.001); got != want {
			t.Errorf("%d stages: %d scenarios, want %d", stages, got, want)
		}
	}
	// With the exponent that the paper's text has, reference section 7, 5.
	for stages, want := range map[int64]int{4: 4048, 8: 6714} {
		size := new(big.Int).Exp(big.NewInt(28), big.NewInt(stages), nil)
		if got := HoeffdingSize(size, 0.05, 0, 0.001); got != want {
			t.Errorf("28^%d configurations: %d scenarios, want %d", stages, got, want)
		}
	}
}

// What the formula claims, against the exact binomial tail: the probability
// that any of the configurations with a risk above the limit passes is at most
// confErr. What it does not claim: with the risk's share of violations a
// configuration of that very risk passes about every other time.
func TestHoeffdingSizeGuarantees(t *testing.T) {
	for _, c := range []struct {
		size                      int64
		risk, approxRisk, confErr float64
	}{
		{784, 0.05, 0, 0.001},
		{1_000_000, 0.05, 0, 0.001},
		{1_000_000, 0.1, 0.02, 0.01},
		{1_000_000_000_000, 0.01, 0, 1e-6},
	} {
		size := big.NewInt(c.size)
		n := HoeffdingSize(size, c.risk, c.approxRisk, c.confErr)
		passes := logBinomialCDF(int(c.approxRisk*float64(n)), n, c.risk)
		if logInt(size)+passes > math.Log(c.confErr) {
			t.Errorf("%+v: with %d scenarios the union bound is %v", c, n, math.Exp(logInt(size)+passes))
		}
		if share := math.Exp(logBinomialCDF(int(c.risk*float64(n)), n, c.risk)); share < 0.4 {
			t.Errorf("%+v: a share of risk violations passes with probability %v only", c, share)
		}
	}
}

// On the 54 published runs: no answer breaks its bound and is called done, none
// is better than the optimum, and together they are close to it. The paper
// gives no gap to the optimum; its artifact is at about 1.12 of it, in geometric
// mean over the 36 runs where it keeps the bound (reference section 2,
// optimality ratio), much of that by its deviations. The method without them
// must do better by far: 1.03 is the limit set here.
func TestJolteonOnPublishedRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("solves every published run")
	}
	runs, problems := publishedProblems(t, models.JolteonOptions{})
	optima := mlOptima(t, runs, problems)
	sum, worst, solved, missed := 0.0, 1.0, 0, 0
	for i, p := range problems {
		report, err := Solve(context.Background(), p, Jolteon{}, models.Streams{Seed: 1}, nil)
		if err != nil {
			t.Fatalf("%s: %v", runs[i], err)
		}
		s := report.Solution
		if s.Config == nil || s.Enforced != p.Bound.Limit {
			t.Errorf("%s: config %v, enforced limit %v of %v", runs[i], s.Config, s.Enforced, p.Bound.Limit)
			continue
		}
		if _, err := p.Space.Locate(s.Config); err != nil {
			t.Errorf("%s: %v", runs[i], err)
		}
		if slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "the answer breaks the bound") }) {
			t.Errorf("%s: the method said done, and Solve had to correct it", runs[i])
		}
		optimum, ok := optima[runs[i].String()]
		if !ok {
			exact, err := Exact{}.Solve(context.Background(), p, models.Streams{})
			if err != nil {
				t.Fatal(err)
			}
			if optimum = exact.Objective; exact.Status == Infeasible {
				optimum = math.Inf(1)
			}
		}
		switch {
		case s.Status == Done && report.Feasible:
			ratio := s.Objective / optimum
			if ratio < 1-1e-9 {
				t.Errorf("%s: objective %v is below the optimum %v", runs[i], s.Objective, optimum)
			}
			if ratio > 1.02 {
				t.Logf("%s: %.4f of the optimum, %v", runs[i], ratio, s.Config)
			}
			sum += math.Log(ratio)
			worst = max(worst, ratio)
			solved++
		case s.Status == NotFound && !report.Feasible && len(s.Warnings) > 0:
			if !math.IsInf(optimum, 1) {
				missed++
				t.Logf("%s: missed a feasible configuration", runs[i])
			}
		default:
			t.Errorf("%s: status %s, %d violations of %d allowed, warnings %q", runs[i], s.Status, s.Violations, report.Allowed, s.Warnings)
		}
	}
	mean := math.Exp(sum / float64(solved))
	t.Logf("%d runs solved at %.4f of the optimum (geometric mean), the worst at %.4f; %d feasible ones missed", solved, mean, worst, missed)
	if mean > 1.03 || missed > 0 {
		t.Errorf("geometric mean %.4f of the optimum, %d feasible runs missed", mean, missed)
	}
}

// mlOptima finds the optimum of every ml run by looking at all configurations
// once, +Inf where none is feasible.
func mlOptima(t *testing.T, runs []publishedRun, problems []*Problem) map[string]float64 {
	t.Helper()
	optima := make(map[string]float64)
	var all *Problem
	for i, p := range problems {
		if runs[i].Workflow == "ml" {
			optima[runs[i].String()], all = math.Inf(1), p
		}
	}
	allowed, err := all.Allowed()
	if err != nil {
		t.Fatal(err)
	}
	order := indices(all.Scenarios.Len())
	err = Enumerate(context.Background(), all, func(_ []int, latency, cost []float64) {
		reach, means := make(map[Metric]float64), map[Metric]float64{Latency: Mean(latency), Cost: Mean(cost)}
		for metric, values := range map[Metric][]float64{Latency: latency, Cost: cost} {
			largestFirst(order, values, allowed+1)
			reach[metric] = values[order[allowed]]
		}
		for i, p := range problems {
			if name := runs[i].String(); runs[i].Workflow == "ml" && reach[p.Bound.Metric] <= p.Bound.Limit {
				optima[name] = min(optima[name], means[p.Objective()])
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return optima
}

// The same problem, made anew, gives the same answer, whatever the streams:
// all randomness is in the scenarios.
func TestJolteonIsDeterministic(t *testing.T) {
	for _, name := range []string{"ml/latency/40", "video/cost/1300", "tpcds/latency/35"} {
		p := recordedProblem(t, name)
		first, err := Jolteon{}.Solve(context.Background(), p, models.Streams{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(3) {
			q := recordedProblem(t, name) // everything anew
			again, err := Jolteon{}.Solve(context.Background(), q, models.Streams{Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(first.Config, again.Config) || first.Objective != again.Objective || first.Violations != again.Violations {
				t.Errorf("%s: %v (%v), then %v (%v)", name, first.Config, first.Objective, again.Config, again.Objective)
			}
		}
	}
}

// 18 s is out of reach for ml (reference section 7); 40 s is not.
func TestJolteonReportsTheClosestMiss(t *testing.T) {
	p := recordedProblem(t, "ml/latency/18")
	s, err := Jolteon{}.Solve(context.Background(), p, models.Streams{})
	if err != nil {
		t.Fatal(err)
	}
	exact, err := Exact{}.Solve(context.Background(), p, models.Streams{})
	if err != nil {
		t.Fatal(err)
	}
	allowed, _ := p.Allowed()
	reached := OrderStatistic(p.Evaluate(s.Config).Latency, allowed)
	if s.Status != NotFound || len(s.Warnings) == 0 || s.Violations <= allowed {
		t.Errorf("status %s, %d violations, warnings %q", s.Status, s.Violations, s.Warnings)
	}
	if exact.Status != Infeasible || reached < exact.Reachable || !strings.Contains(s.Warnings[0], fmt.Sprintf("%.6g s", reached)) {
		t.Errorf("the closest keeps %v s, the best there is %v s; warnings %q", reached, exact.Reachable, s.Warnings)
	}
	// The smallest limit that is reached is kept.
	p.Bound.Limit = reached
	if s, err = (Jolteon{}).Solve(context.Background(), p, models.Streams{}); err != nil || s.Status != Done {
		t.Errorf("limit %v: status %s, error %v", reached, s.Status, err)
	}
}

// Under the certified rule fewer scenarios may exceed the limit, and the answer
// keeps to that.
func TestJolteonKeepsTheCertifiedRule(t *testing.T) {
	for _, name := range []string{"ml/latency/40", "video/cost/1000"} {
		p := recordedProblem(t, name)
		plugin, err := Jolteon{}.Solve(context.Background(), p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		p.Bound.Rule = Certified
		allowed, err := p.Allowed()
		if err != nil {
			t.Fatal(err)
		}
		certified, err := Jolteon{}.Solve(context.Background(), p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		if certified.Status != Done || certified.Violations > allowed || allowed >= 135 {
			t.Errorf("%s: status %s with %d violations, %d allowed", name, certified.Status, certified.Violations, allowed)
		}
		exact, err := Exact{}.Solve(context.Background(), p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		if certified.Objective < exact.Objective*(1-1e-9) || certified.Objective > exact.Objective*1.1 {
			t.Errorf("%s: objective %v, the optimum is %v (plug-in %v)", name, certified.Objective, exact.Objective, plugin.Objective)
		}
	}
}

// largeProblem has 32 stages in layers of 4, 28 choices each.
func largeProblem(t testing.TB, n int) *Problem {
	t.Helper()
	var stages []models.Stage
	for i := range 32 {
		s := models.Stage{Name: fmt.Sprint("s", i)}
		if i >= 4 {
			for _, k := range []int{0, 1} {
				s.After = append(s.After, fmt.Sprint("s", i/4*4-4+(i+k)%4))
			}
		}
		stages = append(stages, s)
	}
	p, _ := posynomialProblem(t, stages, n, Bound{Metric: Latency, Limit: 45, Percentile: 95, Confidence: 99, Rule: Plugin})
	return p
}

// On cancellation the method returns within 50 ms, and what it returns keeps
// the bound. The quickest of a few attempts counts: others may use the machine.
func TestJolteonIsCancelled(t *testing.T) {
	p := largeProblem(t, 3000)
	for _, after := range []time.Duration{0, 20 * time.Millisecond, 200 * time.Millisecond} {
		quickest := time.Duration(math.MaxInt64)
		for range 5 {
			ctx, cancel := context.WithCancel(context.Background())
			var cancelled time.Time
			done := make(chan struct{})
			time.AfterFunc(after, func() {
				cancelled = time.Now()
				cancel()
				close(done)
			})
			s, err := Jolteon{Budget: 10_000_000}.Solve(ctx, p, models.Streams{})
			returned := time.Now()
			if err != nil {
				t.Fatal(err)
			}
			<-done
			if s.Status != LimitHit {
				t.Fatalf("cancelled after %v: status %s", after, s.Status)
			}
			if s.Config != nil {
				allowed, _ := p.Allowed()
				o := p.Evaluate(s.Config)
				if o.Violations > allowed || o.Violations != s.Violations || math.Abs(o.Objective-s.Objective) > 1e-9*o.Objective {
					t.Errorf("cancelled after %v: %d violations and objective %v, said to be %d and %v", after, o.Violations, o.Objective, s.Violations, s.Objective)
				}
			}
			if quickest = min(quickest, returned.Sub(cancelled)); quickest < 50*time.Millisecond {
				break
			}
		}
		if quickest > 50*time.Millisecond {
			t.Errorf("cancelled after %v: returned %v later", after, quickest)
		}
	}
}

// With many paths, of which none is listed, the answer still keeps the bound.
func TestJolteonOnALargeWorkflow(t *testing.T) {
	p := largeProblem(t, 500)
	report, err := Solve(context.Background(), p, Jolteon{Budget: 20_000}, models.Streams{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Solution.Status != Done || !report.Feasible {
		t.Errorf("status %s, %d violations, %d allowed", report.Solution.Status, report.Outcome.Violations, report.Allowed)
	}
}

// Seconds and dollars are a matter of units: times and limit in another unit of
// time give the same configuration. The factors are powers of two, so that
// rounding plays no part.
func TestJolteonDoesNotDependOnUnits(t *testing.T) {
	chain := []models.Stage{{Name: "a"}, {Name: "b", After: []string{"a"}}, {Name: "c", After: []string{"a"}}, {Name: "d", After: []string{"b", "c"}}}
	for _, bound := range []Bound{{Metric: Latency, Limit: 12}, {Metric: Cost, Limit: 40e-4}} {
		bound.Percentile, bound.Confidence, bound.Rule = 95, 99, Plugin
		p, drawn := posynomialProblem(t, chain, 200, bound)
		first, err := Jolteon{}.Solve(context.Background(), p, models.Streams{})
		if err != nil {
			t.Fatal(err)
		}
		for _, factor := range []float64{1024, 1. / 1024} {
			var samples []models.StageSample
			for _, s := range drawn {
				scaled := posynomial{slices.Clone(s.a), slices.Clone(s.b), slices.Clone(s.c)}
				for k := range scaled.a {
					scaled.a[k] *= factor
					scaled.b[k] *= factor
					scaled.c[k] *= factor
				}
				samples = append(samples, scaled)
			}
			price := p.Scenarios.Price()
			scaledBound := bound
			if bound.Metric == Latency {
				price.USDPerRequest *= factor
				scaledBound.Limit *= factor
			} else {
				price.USDPerGBSecond /= factor
			}
			s, err := models.NewScenarios(p.Workflow(), price, 200, samples)
			if err != nil {
				t.Fatal(err)
			}
			q, err := NewProblem(p.Space, s, scaledBound)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Jolteon{}.Solve(context.Background(), q, models.Streams{})
			if err != nil {
				t.Fatal(err)
			}
			if first.Status != Done || again.Status != Done || !slices.Equal(first.Config, again.Config) {
				t.Errorf("%s, times %v: %s %v instead of %s %v", bound.Metric, factor, again.Status, again.Config, first.Status, first.Config)
			}
		}
	}
}
