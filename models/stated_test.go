package models_test

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
)

// twoTasks is a workflow of two stages that cannot be split, with one recorded
// run each.
func twoTasks(t testing.TB) (*models.Definition, []models.StatedStage) {
	t.Helper()
	def, err := models.ParseDefinition("two.yaml", []byte(`name: two
stages:
  - {name: a, max_parallelism: 1}
  - {name: b, after: [a], max_parallelism: 1}
spaces:
  - name: all
    stages:
      - {stage: a, choices: [{parallelism: [1], memory_mb: [512, 1769, 3538]}]}
      - {stage: b, choices: [{parallelism: [1], memory_mb: [512, 1769, 3538]}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	return def, []models.StatedStage{{"a", 10, 0.6, 1}, {"b", 10, 1, 2}}
}

func stated(t testing.TB, law models.StatedLaw) (*models.Definition, *models.Stated) {
	t.Helper()
	def, stages := twoTasks(t)
	m, err := models.NewStated(def.Workflow, law, stages)
	if err != nil {
		t.Fatal(err)
	}
	return def, m
}

// Times worked out by hand, and derivatives by differences.
func TestStatedLaw(t *testing.T) {
	_, stages := twoTasks(t)
	for _, c := range []struct {
		stage    int
		parallel float64
		speed    float64
		vcpu     float64
		want     float64
	}{
		{0, 0, 1, 1, 10},        // as recorded
		{0, 0, 1, 2, 10},        // one thread does not gain
		{0, 0, 1, 0.5, 16},      // 4 s of waiting, 6 s of computing at half speed
		{0, 0.5, 1, 2, 8.5},     // half of the computing at twice the speed
		{0, 0.5, 2, 2, 6.25},    // and all of it on a faster core
		{1, 0.5, 1, 2, 10},      // recorded on two cores: as recorded on two
		{1, 1, 1, 1, 20},        // all of it twice as long on one
		{1, 0.5, 1, 1, 40. / 3}, // 1/(1 - 0.5 + 0.5/2)
	} {
		law := models.StatedLaw{Dispersion: 0.1, ParallelFraction: c.parallel, Speed: c.speed}
		got, slope := law.MeanTime(stages[c.stage], c.vcpu)
		if math.Abs(got-c.want) > 1e-12*c.want {
			t.Errorf("%+v: %v s, want %v", c, got, c.want)
		}
		const step = 1e-6
		up, _ := law.MeanTime(stages[c.stage], c.vcpu*(1+step))
		if difference := (up - got) / (c.vcpu * step); math.Abs(difference-slope) > 1e-4*(1+math.Abs(slope)) {
			t.Errorf("%+v: slope %v, by a difference %v", c, slope, difference)
		}
	}
}

// What is drawn has the mean, the dispersion and the correlation that were
// stated, up to five standard errors.
func TestStatedSampleIsWhatIsStated(t *testing.T) {
	const n = 100_000
	for _, law := range []models.StatedLaw{{Dispersion: 0.2}, {Dispersion: 0.6, Correlation: 0.5, Delay: 0.25}, {Dispersion: 0.1, Correlation: 1}} {
		def, m := stated(t, law)
		s, err := m.Sample(n, models.MustPrice(models.PriceAWS), models.Streams{Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		c := def.StageConfig(1769, 1)
		logs := make([][]float64, 2)
		sigma := math.Sqrt(math.Log1p(law.Dispersion * law.Dispersion))
		for i := range logs {
			latency, billed := make([]float64, n), make([]float64, n)
			s.Times(i, c, 0, latency, billed)
			want, _ := law.MeanTime(m.Stages()[i], 1)
			sum, logSum, square := 0.0, 0.0, 0.0
			for k, v := range billed {
				if math.Abs(latency[k]-v-law.Delay) > 1e-12*latency[k] {
					t.Fatalf("%+v: %v s billed and a latency of %v s", law, v, latency[k])
				}
				sum += v / want
				logs[i] = append(logs[i], math.Log(v/want))
				logSum += logs[i][k]
			}
			for _, v := range logs[i] {
				square += (v - logSum/n) * (v - logSum/n)
			}
			if e := sum/n - 1; math.Abs(e) > 5*law.Dispersion/math.Sqrt(n) {
				t.Errorf("%+v: the mean is off by %v", law, e)
			}
			if e := math.Sqrt(square/n) - sigma; math.Abs(e) > 5*sigma/math.Sqrt(2*n) {
				t.Errorf("%+v: the standard deviation of the logarithm is off by %v", law, e)
			}
		}
		product := 0.0
		for k := range n {
			product += (logs[0][k] + sigma*sigma/2) * (logs[1][k] + sigma*sigma/2) / (sigma * sigma)
		}
		if e := product/n - law.Correlation; math.Abs(e) > 5*math.Sqrt((1+law.Correlation*law.Correlation)/n) {
			t.Errorf("%+v: the correlation is off by %v", law, e)
		}
	}
}

// Selections, weighted sums and terms agree with the times themselves.
func TestStatedSampleIsLinear(t *testing.T) {
	def, m := stated(t, models.StatedLaw{Dispersion: 0.4, Correlation: 0.3, ParallelFraction: 0.7, Delay: 0.5})
	const n = 20
	price := models.MustPrice(models.PriceJolteon) // without rounding: exactly linear
	s, err := m.Sample(n, price, models.Streams{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, 1).Draw(t, "stage")
		c := def.StageConfig(rapid.IntRange(128, 10240).Draw(t, "memory"), 1)
		weights := rapid.SliceOfN(rapid.Float64Range(0, 2), n, n).Draw(t, "weights")
		rows := rapid.SliceOfN(rapid.Int32Range(0, n-1), 1, n).Draw(t, "rows")
		latency, cost := make([]float64, n), make([]float64, n)
		s.Columns(i, c, 0, latency, cost)
		near := func(what string, got, want float64) {
			if math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
				t.Fatalf("%s: %v, want %v", what, got, want)
			}
		}
		near("weighted latency", s.WeighLatency(i, weights)(c, 0), models.Weigh(weights, latency))
		near("weighted cost", s.WeighCost(i, weights)(c, 0), models.Weigh(weights, cost))
		near("mean latency", s.WeighLatency(i, nil)(c, 0), models.Weigh(nil, latency))
		some := make([]float64, len(rows))
		s.Select(rows).Columns(i, c, 0, some, nil)
		for k, r := range rows {
			near("selected latency", some[k], latency[r])
		}
		terms, _ := s.Terms(i, models.Point{Parallelism: 1, VCPU: c.VCPU, Memory: float64(c.Memory)})
		for k := range latency {
			sum := 0.0
			for _, term := range terms {
				x := 1.0
				if term.Column != nil {
					x = term.Column[k]
				}
				sum += term.Factor * x
			}
			near("latency by terms", sum, latency[k])
		}
	})
}

// A model that was saved draws the same scenarios, bit by bit, and its file is
// what the published schema says.
func TestStatedFileRoundTrip(t *testing.T) {
	def, m := stated(t, models.StatedLaw{Dispersion: 0.25, Correlation: 0.1, ParallelFraction: 0.9, Speed: 1.5, Delay: 0.1})
	path := filepath.Join(t.TempDir(), "model.json")
	if err := m.Save(path, someTrace); err != nil {
		t.Fatal(err)
	}
	loaded, meta, err := models.LoadModel(path, def)
	if err != nil {
		t.Fatal(err)
	}
	if meta != someTrace || loaded.Name() != "stated" {
		t.Errorf("model %s of trace %v", loaded.Name(), meta)
	}
	price := models.MustPrice(models.PriceAWS)
	a, err := m.Sample(50, price, models.Streams{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := loaded.Sample(50, price, models.Streams{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	config := models.Config{def.StageConfig(512, 1), def.StageConfig(3538, 1)}
	latency, cost := a.Outcomes(config)
	latency2, cost2 := b.Outcomes(config)
	if !slices.Equal(latency, latency2) || !slices.Equal(cost, cost2) {
		t.Error("the saved model draws other scenarios")
	}
	var text bytes.Buffer
	if err := m.Write(&text, someTrace); err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(text.Bytes(), &value); err != nil {
		t.Fatal(err)
	}
	if err := newJSONSchema(t, models.StatedFileSchema()).check(value); err != nil {
		t.Error(err)
	}
}

func TestStatedDefects(t *testing.T) {
	def, m := stated(t, models.StatedLaw{Dispersion: 0.25})
	var b bytes.Buffer
	if err := m.Write(&b, someTrace); err != nil {
		t.Fatal(err)
	}
	for _, c := range []modelDefect{
		{"dispersion", `"dispersion": 0.25`, `"dispersion": 0`, `m.json: law: dispersion 0 leaves nothing to chance`},
		{"too much", `"dispersion": 0.25`, `"dispersion": 25`, `m.json: law: dispersion 25 is not from 0 to 10`},
		{"fraction", `"parallel_fraction": 0`, `"parallel_fraction": 1.5`, `m.json: law: parallel fraction 1.5 is not from 0 to 1`},
		{"speed", `"speed": 1`, `"speed": 0`, `m.json: law.speed: is 0`},
		{"time", `"time_s": 10`, `"time_s": -1`, `m.json: stages[0].time_s: is -1`},
		{"share", `"cpu_share": 0.6`, `"cpu_share": 1.6`, `m.json: stages[0].cpu_share: is 1.6`},
		{"cores", `"cores": 2`, `"cores": 0.5`, `m.json: stages[1].cores: is 0.5`},
		{"name", `"name": "b"`, `"name": "c"`, `m.json: stages[1].name: is "c", stage 1 of workflow two is "b"`},
		{"workflow", `"workflow": "two"`, `"workflow": "three"`, `m.json: workflow: is "three", want "two"`},
		{"unknown", `"law": \{`, `"law": {"colour": 1,`, `m.json: law.colour: unknown field`},
		{"missing", `"speed": 1,`, ``, `m.json: law.speed: is missing`},
	} {
		_, _, err := models.ReadModel(strings.NewReader(c.apply(t, b.String())), "m.json", def)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line that says %s", c.name, err, c.want)
		}
	}
	if _, err := models.NewStated(load(t, "ml").Workflow, m.Law(), m.Stages()); err == nil {
		t.Error("a model of two stages was made for four")
	}
	if _, err := models.NewStated(def.Workflow, models.StatedLaw{}, m.Stages()); err == nil || !strings.Contains(err.Error(), "dispersion 0") {
		t.Errorf("error %v without a dispersion", err)
	}
}
