package experiments

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"eevee/models"
)

// On the recorded invocations of six functions, configurations that the
// calibrated model chooses by one half of them keep 30 bounds in the other half:
// the hypothesis that the risk is at most the stated one is rejected for at most
// one of them, 5 % of 30 being 1.5.
func TestDecisionsHoldOnTheOtherHalf(t *testing.T) {
	if testing.Short() {
		t.Skip("fits the calibrated model to 26,000 invocations")
	}
	rows, err := Decide(context.Background(), pacslab(t), "calibrated", models.MustPrice(models.PriceAWS), 1)
	if err != nil {
		t.Fatal(err)
	}
	rejected, decided := 0, 0
	for _, r := range rows {
		if r.Config == "" {
			continue
		}
		decided++
		if r.Runs != 100 {
			t.Errorf("%s, limit %.3g s: %d runs judge it, want the other 100 of %s", r.Workflow, r.Limit, r.Runs, r.Config)
		}
		if r.Rejected {
			rejected++
			t.Logf("rejected: %+v", r)
		}
	}
	if len(rows) != 30 || decided < 20 {
		t.Errorf("%d of %d bounds led to a decision, want most of 30", decided, len(rows))
	}
	if rejected > 1 {
		t.Errorf("%d of 30 bounds are refuted", rejected)
	}
}

// The choices of a model that halves all spread must be refuted, and those of the
// truth not.
func TestDecisionsOfAnOverconfidentModelAreRefuted(t *testing.T) {
	source := rand.New(rand.NewPCG(7, 5))
	def := oneStage(t)
	p := made(t, def, 30, 400, func(int, int) float64 { return sd * source.NormFloat64() })
	one, other := halves(p, models.Streams{Seed: 1})
	if a, b := len(one.Stage(0)), len(other.Stage(0)); a != 6000 || b != 6000 {
		t.Fatalf("halves of %d and %d runs", a, b)
	}
	for _, spread := range []float64{1, 0.5} {
		scenarios, err := models.NewScenarios(def.Workflow, models.MustPrice(models.PriceAWS), 10_000, []models.StageSample{lognormal{spread}})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := decide(one, other, scenarios)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Config == "" || r.Runs != 200 {
				t.Fatalf("%+v", r)
			}
			switch small := r.P < 0.01; {
			case spread == 1 && small:
				t.Errorf("the truth is refuted: %+v", r)
			case spread == 0.5 && !small && r.Predicted > 0.01:
				t.Errorf("half the spread is not refuted: %+v", r)
			}
		}
	}
}

// lognormal is the truth of made traces, with its spread scaled.
type lognormal struct{ spread float64 }

func (lognormal) ReadsInput() bool { return false }

func (m lognormal) Times(c models.StageConfig, _ int, latency, billed []float64) {
	for _, column := range [][]float64{latency, billed} {
		for k := range column {
			z := distuv.UnitNormal.Quantile((float64(k) + 0.5) / float64(len(column)))
			column[k] = medianTime(c) * math.Exp(m.spread*sd*z)
		}
	}
}

// P(Bin(n, p) >= x) by adding up.
func TestBinomialTail(t *testing.T) {
	for _, c := range []struct{ x, n int }{{0, 5}, {1, 20}, {7, 40}, {40, 40}} {
		bin := distuv.Binomial{N: float64(c.n), P: 0.05}
		want := 0.0
		for x := c.x; x <= c.n; x++ {
			want += bin.Prob(float64(x))
		}
		if got := binomialTail(c.x, c.n, 0.05); math.Abs(got-want) > 1e-12 {
			t.Errorf("P(Bin(%d, 0.05) >= %d) = %v, want %v", c.n, c.x, got, want)
		}
	}
}
