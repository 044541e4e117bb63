package experiments

import (
	"context"
	"math"
	"testing"

	"eevee/models"
)

// counting is a model whose 95th percentile lies 1/sqrt(runs) above its median,
// runs being those of one configuration; others tell it nothing.
type counting struct{ runs int }

func (m counting) Execution(int, models.StageConfig, int) ([]float64, error) { return m.Latency(nil) }

func (m counting) Latency(models.Config) ([]float64, error) {
	sample := make([]float64, 2001)
	for k := range sample {
		sample[k] = 10 + (float64(k)/2000-0.5)/0.45/math.Sqrt(float64(m.runs))
	}
	return sample, nil
}

// The configuration that the bound hangs on is found, and the widths are those
// of theory: 1/sqrt(3+n) after n runs beside the three that were recorded.
func TestNeedFindsWhatTheBoundHangsOn(t *testing.T) {
	p := made(t, oneStage(t), 9, 3, func(c, k int) float64 { return 0.1 * float64(c-k) })
	hangsOn := p.Stage(0)[4*3].Config
	model := Forecaster{"counting", func(p *models.Profile, _ models.Streams) (Predictor, error) {
		n := len(p.Select(func(o models.Observation) bool { return o.Config == hangsOn }).Stage(0))
		return counting{n}, nil
	}}
	need, err := FindNeed(context.Background(), p, model, models.Config{p.Stage(0)[0].Config}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(need.Width-1/math.Sqrt(3)) > 1e-9 {
		t.Errorf("width %v, theory says %v", need.Width, 1/math.Sqrt(3))
	}
	if len(need.Rows) != 9 || need.Rows[0].Configuration != (models.Config{hangsOn}).String() {
		t.Fatalf("of %d configurations %s is first, want %v", len(need.Rows), need.Rows[0].Configuration, hangsOn)
	}
	for _, r := range need.Runs {
		if want := 1 / math.Sqrt(3+float64(r.Runs)); math.Abs(r.Width-want) > 1e-9 {
			t.Errorf("width %v after %d runs, theory says %v", r.Width, r.Runs, want)
		}
	}
	for _, r := range need.Rows[1:] {
		if r.Tied || math.Abs(r.Reduction) > 1e-12 {
			t.Errorf("%s: %+v, but it tells nothing", r.Configuration, r)
		}
	}
}

// Runs that are made up follow the fitted terms at their configuration and
// deviate from them as recorded runs do.
func TestFuturesDeviateAsRecordedRunsDo(t *testing.T) {
	s := bundledSetup(t, "ml")
	f, err := newFuture(s.Profile)
	if err != nil {
		t.Fatal(err)
	}
	config := jointRuns(s.Profile)[7].config()
	recorded := map[int]map[float64]bool{}
	for i := range config {
		recorded[i] = map[float64]bool{}
		for _, o := range s.Profile.Warm(i) {
			fit := f.stages[i].Compute.At(o.Config, o.InputParallelism)
			recorded[i][math.Round(1e9*(o.Mean.Compute-fit))] = true
		}
	}
	for _, run := range f.runs(config, 50, models.Streams{Seed: 1}.New("test")) {
		for i, o := range run {
			if o.Config != config[i] || o.Epoch != 1 {
				t.Fatalf("stage %d ran as %v in epoch %d", i, o.Config, o.Epoch)
			}
			deviation := math.Round(1e9 * (o.Mean.Compute - f.stages[i].Compute.At(o.Config, o.InputParallelism)))
			if !recorded[i][deviation] && math.Abs(o.Mean.Compute-f.least[i][1]/2) > 1e-9 {
				t.Errorf("stage %d: compute takes %v s, which deviates by %v s from its term: nothing recorded does", i, o.Mean.Compute, 1e-9*deviation)
			}
		}
	}
	more := s.Profile.With(f.runs(config, 3, models.Streams{Seed: 1}.New("test"))...)
	if got, was := len(more.Stage(2)), len(s.Profile.Stage(2)); got != was+3 {
		t.Errorf("%d observations beside 3 new ones", got-3)
	}
}
