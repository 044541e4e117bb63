package papers

import (
	"context"
	"math"
	"testing"

	"eevee/models"
)

func janusOutcomes(t *testing.T, cv, factor float64) (map[string]bindingOutcome, float64) {
	t.Helper()
	o, slo, err := newJanus().outcomes(context.Background(), cv, factor, 400, 1)
	if err != nil {
		t.Fatal(err)
	}
	return o, slo
}

// Without variation nothing is gained by waiting: every binding takes the same CPU
// and keeps the SLO, but for the grid of budgets.
func TestJanusWithoutVariation(t *testing.T) {
	o, slo := janusOutcomes(t, 1e-9, 1.2)
	for name, b := range o {
		if off := b.cpu/o[bindOracle].cpu - 1; off < -1e-6 || off > 0.01 {
			t.Errorf("%s: %v more CPU than the oracle", name, off)
		}
		if b.p99 > slo*(1+1e-6) {
			t.Errorf("%s: p99 %v s, the SLO is %v s", name, b.p99, slo)
		}
	}
}

// Under an SLO that the smallest sizes keep everybody takes them.
func TestJanusUnderALooseSLO(t *testing.T) {
	o, _ := janusOutcomes(t, 0.3, 20)
	for name, b := range o {
		if math.Abs(b.cpu/o[bindOracle].cpu-1) > 1e-6 {
			t.Errorf("%s: %v vCPU s, the oracle %v", name, b.cpu, o[bindOracle].cpu)
		}
	}
}

// The oracle is never worse than a fixed configuration, in any run: worked out over
// all of them.
func TestJanusOracle(t *testing.T) {
	j := newJanus()
	j.VCPUStep = 1
	c, err := j.chain(0.5, 20, models.Streams{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	const slo = 1.6
	sizes := j.sizes()
	if len(sizes) != 3 {
		t.Fatalf("%d sizes from 1 to 3 vCPU", len(sizes))
	}
	total := 0.0
	for run := range 20 {
		best := math.Inf(1)
		fastest := 0.0
		for _, a := range sizes {
			for _, b := range sizes {
				for _, d := range sizes {
					cpu, time := 0.0, 0.0
					for i, s := range []models.StageConfig{a, b, d} {
						x := j.mean(i, s.VCPU) * c.varies[i][run]
						cpu, time = cpu+s.VCPU*x, time+x
					}
					if fastest = cpu; time <= slo {
						best = min(best, cpu)
					}
				}
			}
		}
		if math.IsInf(best, 1) {
			best = fastest
		}
		total += best / 20
	}
	if got := c.oracle(slo).cpu; math.Abs(got/total-1) > 1e-9 {
		t.Errorf("%v vCPU s, all configurations tried give %v", got, total)
	}
}

// The variation has the mean 1 and the coefficient that was asked for.
func TestJanusVariation(t *testing.T) {
	const n, cv = 40_000, 0.5
	c, err := newJanus().chain(cv, n, models.Streams{Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range c.varies {
		sum, squares := 0.0, 0.0
		for _, v := range x {
			sum, squares = sum+v, squares+v*v
		}
		mean := sum / n
		got := math.Sqrt(squares/n-mean*mean) / mean
		if math.Abs(mean-1) > 5*cv/math.Sqrt(n) || math.Abs(got-cv) > 0.03 {
			t.Errorf("function %d: mean %v, CV %v", i, mean, got)
		}
	}
}
