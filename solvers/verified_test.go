package solvers_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"eevee/models"
	"eevee/solvers"
)

// fixed is a method that always answers the same.
type fixed struct{ config models.Config }

func (fixed) String() string                    { return "fixed" }
func (fixed) Supports(p *solvers.Problem) error { return nil }

func (f fixed) Solve(_ context.Context, p *solvers.Problem, _ models.Streams) (solvers.Solution, error) {
	o := p.Evaluate(f.config)
	return solvers.Solution{Status: solvers.Done, Config: f.config, Objective: o.Objective, Violations: o.Violations,
		LowerBound: math.Inf(-1), Reachable: math.NaN(), Enforced: p.Bound.Limit}, nil
}

// coins is a stage that takes 2 s with the given probability, else 1 s, whatever
// its configuration.
func coins(n int, risk float64, source *rand.Rand) exponential {
	draws := make([]float64, n)
	for k := range draws {
		if draws[k] = 1; source.Float64() < risk {
			draws[k] = 2
		}
	}
	return exponential{draws}
}

// An answer whose true risk is just above what the bound allows, but which looks
// better on the sample, is accepted as rarely as the confidence says, although
// it may try again and again: every attempt has a holdout of its own, and a
// fifth of what the confidence leaves. The share is that of theory, 1 - (1-a)^5
// with a the exact probability that one holdout is that lucky; if an attempt
// spent all of the confidence, two thirds would pass.
func TestVerifiedSpendsItsConfidenceOverAttempts(t *testing.T) {
	if testing.Short() {
		t.Skip("draws holdouts by the dozen")
	}
	const (
		problems   = 1500
		holdout    = 2000
		trueRisk   = 0.0501
		confidence = 80
		attempts   = 5
		limit      = 1.5
	)
	w, err := models.NewWorkflow("w", []models.Stage{{Name: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	config := models.Config{{Memory: 1769, VCPU: 1, Parallelism: 1}}
	space, err := models.NewSpace(w, [][]models.StageConfig{config}, nil)
	if err != nil {
		t.Fatal(err)
	}
	price := models.MustPrice(models.PriceAWS)
	source := rand.New(rand.NewPCG(1, 2))
	draw := func(n int, risk float64) *models.Scenarios {
		s, err := models.NewScenarios(w, price, n, []models.StageSample{coins(n, risk, source)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}

	share := confidence + (100-confidence)*(attempts-1.0)/attempts
	bin := distuv.Binomial{N: holdout, P: trueRisk}
	lucky := 0.0
	for x := 0; x <= holdout && solvers.BinomialUpper(x, holdout, share) <= 0.05; x++ {
		lucky += bin.Prob(float64(x))
	}
	want := 1 - math.Pow(1-lucky, attempts)
	if want > 1-confidence/100.0 {
		t.Fatalf("theory accepts %v, more than the confidence leaves", want)
	}

	sample := draw(1000, 0) // looks as if it never took long
	accepted := 0
	for range problems {
		p, err := solvers.NewProblem(space, sample, solvers.Bound{Metric: solvers.Latency, Limit: limit, Percentile: 95, Confidence: confidence, Rule: solvers.Verified})
		if err != nil {
			t.Fatal(err)
		}
		tried, margin := 0, -1
		r, err := solvers.Solve(context.Background(), p, fixed{config}, models.Streams{}, func(attempt, _ int) (*models.Scenarios, error) {
			if attempt != tried {
				t.Fatalf("attempt %d follows %d", attempt, tried)
			}
			if p.Bound.Margin <= max(0, margin) {
				t.Fatalf("attempt %d has margin %d after %d", attempt, p.Bound.Margin, margin)
			}
			tried, margin = tried+1, p.Bound.Margin
			return draw(holdout, trueRisk), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case r.Solution.Status == solvers.Done:
			accepted++
		case r.Solution.Status != solvers.NotFound || tried != attempts:
			t.Fatalf("status %s after %d attempts", r.Solution.Status, tried)
		}
	}
	got := float64(accepted) / problems
	if e := 4 * math.Sqrt(want*(1-want)/problems); math.Abs(got-want) > e {
		t.Errorf("%.4f of the answers are accepted, theory says %.4f +- %.4f", got, want, e)
	}
}
