package experiments

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"eevee/models"
)

// A model that knows the truth covers 95 % from the first recording on, and has
// settled there; every part has the runs that it says.
func TestLearningCurveOfTheTruthIsFlat(t *testing.T) {
	source := rand.New(rand.NewPCG(3, 5))
	const configurations, runs = 40, 10
	p := made(t, oneStage(t), configurations, runs, func(int, int) float64 { return sd * source.NormFloat64() })
	fitted := 0
	model := truth{1}.forecaster("truth")
	check := Forecaster{"truth", func(p *models.Profile, s models.Streams) (Predictor, error) {
		if n := len(p.Stage(0)); n < 12 || n > configurations*runs*9/10 {
			t.Errorf("fitted to %d runs", n)
		}
		return model.Fit(p, s)
	}}
	l, err := Learn(context.Background(), p, []Forecaster{check}, 1, func(int, int) { fitted++ })
	if err != nil {
		t.Fatal(err)
	}
	if want := learningRepetitions * (len(learningParts()) + 4); fitted != want {
		t.Errorf("%d fits, want %d", fitted, want)
	}
	for _, r := range l.Rows {
		if r.Runs != r.Configurations*r.RunsEach {
			t.Errorf("%d runs of %d configurations, %d of each", r.Runs, r.Configurations, r.RunsEach)
		}
		held := float64(learningRepetitions * (configurations - r.Configurations) * runs)
		// Repetitions share recordings: as if there were only one.
		if e := 4 * math.Sqrt(0.95*0.05*learningRepetitions/held); math.Abs(r.Coverage-0.95) > e {
			t.Errorf("%+v covers %.3f, theory says 0.95 +- %.3f", r, r.Coverage, e)
		}
		if want := math.Exp(1.6449 * sd); math.Abs(r.WidthRatio-want) > 0.01 {
			t.Errorf("width %v, theory says %v", r.WidthRatio, want)
		}
	}
}

// A curve settles where it stays near its end, not where it only comes by.
func TestSettled(t *testing.T) {
	curve := func(coverage ...float64) []LearningRow {
		var list []LearningRow
		for k, c := range coverage {
			list = append(list, LearningRow{Runs: 10 * (k + 1), Coverage: c, WidthRatio: 1.2})
		}
		return list
	}
	if from := settled(curve(0.95, 0.80, 0.94, 0.96, 0.95)); from == nil || *from != 30 {
		t.Errorf("settled from %v, want 30", from)
	}
	if from := settled(curve(0.8, 0.9, 0.95)); from != nil {
		t.Errorf("settled from %d while it rises", *from)
	}
	noisy := curve(0.8, 0.9, 0.95)
	noisy[1].CoverageSE = 0.03 // 0.90 and 0.95 cannot be told apart
	if from := settled(noisy); from == nil || *from != 20 {
		t.Errorf("settled from %v, want 20", from)
	}
}
