package models_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"eevee/models"
)

// sum is the figure that terms stand for, in scenario k.
func sum(terms []models.Term, k int) float64 {
	total := 0.0
	for _, t := range terms {
		if t.Column == nil {
			total += t.Factor
		} else {
			total += t.Factor * t.Column[k]
		}
	}
	return total
}

// derivative is the partial derivative that terms stand for, in scenario k.
func derivative(terms []models.Term, k int, by func(models.Term) float64) float64 {
	total := 0.0
	for _, t := range terms {
		if t.Column == nil {
			total += by(t)
		} else {
			total += by(t) * t.Column[k]
		}
	}
	return total
}

// On the grid the terms of every stage give what Columns gives.
func TestTermsAgreeWithColumns(t *testing.T) {
	for _, workflow := range []string{"ml", "video", "tpcds"} {
		def, profile := loadProfile(t, workflow)
		m, err := models.FitJolteon(profile, models.JolteonOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Sample(20, models.MustPrice(models.PriceJolteon), models.Streams{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		space, err := def.Space("")
		if err != nil {
			t.Fatal(err)
		}
		latency, cost := make([]float64, s.Len()), make([]float64, s.Len())
		for i := range def.Workflow.Len() {
			for _, c := range space.Choices(i) {
				for _, input := range []int{4, 16} {
					s.Columns(i, c, input, latency, cost)
					l, u := s.Terms(i, models.Point{
						Parallelism: float64(c.Parallelism), VCPU: c.VCPU, Memory: float64(c.Memory), InputParallelism: float64(input),
					})
					for k := range latency {
						// The absolute part: large terms of both signs cancel.
						if !within(sum(l, k), latency[k], 1e-12, 1e-11) || !within(sum(u, k), cost[k], 1e-12, 1e-15) {
							t.Fatalf("%s stage %d %v: terms give %v s and %v USD, columns %v and %v", workflow, i, c, sum(l, k), sum(u, k), latency[k], cost[k])
						}
					}
				}
			}
		}
	}
}

// The derivatives of every term agree with central differences, off the grid.
func TestTermsDerivatives(t *testing.T) {
	for _, workflow := range []string{"ml", "video", "tpcds"} {
		def, profile := loadProfile(t, workflow)
		m, err := models.FitJolteon(profile, models.JolteonOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Sample(3, models.MustPrice(models.PriceJolteon), models.Streams{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		source := rand.New(rand.NewPCG(1, 2))
		for i := range def.Workflow.Len() {
			for range 10 {
				p := models.Point{Parallelism: 1, VCPU: 0.5 + 3*source.Float64(), InputParallelism: 4 + 20*source.Float64()}
				if def.Workflow.Stage(i).Splittable() {
					p.Parallelism = 2 + 30*source.Float64()
				}
				p.Memory = p.VCPU * def.MBPerVCPU
				latency, cost := s.Terms(i, p)
				for name, by := range map[string]struct {
					of   func(models.Term) float64
					move func(*models.Point, float64)
					at   float64
				}{
					"parallelism": {func(t models.Term) float64 { return t.ByParallelism }, func(p *models.Point, h float64) { p.Parallelism += h }, p.Parallelism},
					"vcpu": {func(t models.Term) float64 { return t.ByVCPU }, func(p *models.Point, h float64) {
						p.VCPU += h
						p.Memory = p.VCPU * def.MBPerVCPU
					}, p.VCPU},
					"input": {func(t models.Term) float64 { return t.ByInput }, func(p *models.Point, h float64) { p.InputParallelism += h }, p.InputParallelism},
				} {
					if name == "parallelism" && !def.Workflow.Stage(i).Splittable() {
						continue
					}
					h := 1e-5 * by.at
					up, down := p, p
					by.move(&up, h)
					by.move(&down, -h)
					lu, cu := s.Terms(i, up)
					ld, cd := s.Terms(i, down)
					for k := range s.Len() {
						for _, f := range []struct {
							figure   string
							terms    []models.Term
							up, down []models.Term
						}{{"latency", latency, lu, ld}, {"cost", cost, cu, cd}} {
							want := (sum(f.up, k) - sum(f.down, k)) / (2 * h)
							got := derivative(f.terms, k, by.of)
							// Truncation is of order h^2, cancellation of 1e-16/h,
							// both relative to terms that may cancel.
							scale := 0.0
							for _, term := range f.terms {
								scale += math.Abs(derivative([]models.Term{term}, k, by.of)) + math.Abs(sum([]models.Term{term}, k))/by.at
							}
							if math.Abs(got-want) > 1e-8*scale+1e-12 {
								t.Errorf("%s stage %d at %+v: d %s / d %s is %v, differences give %v", workflow, i, p, f.figure, name, got, want)
							}
						}
					}
				}
			}
		}
	}
}

// plane is a stage that is defined for whole instances only. Its times are
// linear in them, so that interpolation must be exact, and not in size.
type plane struct{ noise []float64 }

func (s plane) ReadsInput() bool { return true }

func (s plane) Times(c models.StageConfig, input int, latency, billed []float64) {
	for k, z := range s.noise {
		if latency != nil {
			latency[k] = s.latency(float64(c.Parallelism), c.VCPU, float64(input), z)
		}
		if billed != nil {
			billed[k] = 2 * s.latency(float64(c.Parallelism), c.VCPU, float64(input), z)
		}
	}
}

func (plane) latency(d, v, input, z float64) float64 { return 100 - 2*d + 0.5*input + z/v }

func TestTermsOfAnyStage(t *testing.T) {
	w, err := models.NewWorkflow("w", []models.Stage{{Name: "a"}, {Name: "b", After: []string{"a"}}})
	if err != nil {
		t.Fatal(err)
	}
	price := models.MustPrice(models.PriceAWS)
	noise := []float64{1, 5, 9}
	s, err := models.NewScenarios(w, price, len(noise), []models.StageSample{plane{noise}, plane{noise}})
	if err != nil {
		t.Fatal(err)
	}
	p := models.Point{Parallelism: 3.3, VCPU: 1.7, Memory: 1.7 * 2000, InputParallelism: 5.8}
	latency, cost := s.Terms(1, p)
	for k, z := range noise {
		want := plane{}.latency(3.3, 1.7, 5.8, z)
		if got := sum(latency, k); !within(got, want, 1e-12, 0) {
			t.Errorf("latency %v, want %v", got, want)
		}
		// Billed time is rounded up to a millisecond, by half of one on average.
		usd := 3.3 * ((2*want+price.BillingStepS/2)*p.Memory/1024*price.USDPerGBSecond + price.USDPerRequest)
		if got := sum(cost, k); !within(got, usd, 1e-12, 0) {
			t.Errorf("cost %v, want %v", got, usd)
		}
		for _, by := range []struct {
			name      string
			of        func(models.Term) float64
			want, tol float64
		}{
			{"parallelism", func(t models.Term) float64 { return t.ByParallelism }, -2, 1e-9},
			{"input", func(t models.Term) float64 { return t.ByInput }, 0.5, 1e-9},
			// The central difference of 1/v over 1 % is off by 1e-4.
			{"vcpu", func(t models.Term) float64 { return t.ByVCPU }, -z / (1.7 * 1.7), 2e-4},
		} {
			if got := derivative(latency, k, by.of); !within(got, by.want, by.tol, 0) {
				t.Errorf("d latency / d %s is %v, want %v", by.name, got, by.want)
			}
		}
	}
}
