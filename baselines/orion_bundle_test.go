package baselines

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"eevee/models"
	"eevee/solvers"
	"eevee/traces"
)

// bundleRows are rows of single invocations of the toy: in every run the middle
// stage has as many workers as there are times, which are those at 1000 MB in
// s, half of them at twice the size, and so on. Nothing else takes time.
func bundleRows(runs [][]float64) (rows []traces.Record) {
	zero := 0.0
	for _, size := range []int32{1, 2, 4, 8} {
		for k, times := range runs {
			for _, stage := range []string{"split", "work", "join"} {
				instances := int32(1)
				if stage == "work" {
					instances = int32(len(times))
				}
				for i := range instances {
					epoch, compute := int32(k+1), 0.0
					if stage == "work" {
						compute = times[i] / float64(size)
					}
					rows = append(rows, traces.Record{
						Workflow: "toy", Execution: fmt.Sprint(size, "/", k), Stage: stage, Epoch: &epoch, Statistic: traces.Invocation,
						MemoryMB: 1000 * size, Parallelism: &instances, Source: traces.Synthetic,
						Cold: &zero, Read: &zero, Compute: &compute, Write: &zero,
					})
				}
			}
		}
	}
	return rows
}

func bundleStage(t testing.TB, runs [][]float64) *orionStage {
	t.Helper()
	p := toyProblem(t, 20, bundleRows(runs))
	c, err := newOrionCurve(p.Profile, 1, len(runs[0]))
	if err != nil {
		t.Fatal(err)
	}
	return &orionStage{curve: c, workers: len(runs[0]), correlated: true, price: models.MustPrice(models.PriceAWS)}
}

// By hand: two workers of 10 s and 2 s have 12 s of work for two shares of the
// size, and the long one alone takes 5 s on both.
func TestBundlesShareTheirSize(t *testing.T) {
	s := bundleStage(t, [][]float64{{10, 2, 4, 4}})
	for _, c := range []struct {
		bundle int
		want   []float64
	}{
		{1, []float64{10, 2, 4, 4}},
		{2, []float64{6, 4}},
		{3, []float64{16.0 / 3, 1.5}}, // 3000 MB lie half way from 2000 to 4000: the last one takes 3/8 of 4 s
		{4, []float64{5}},
		{8, []float64{2.5}}, // 20 s on eight shares, but the long one alone needs 1.25 s: 2.5
	} {
		ends, execs := s.instances(&s.curve.records[0], c.bundle)
		if d := cmp.Diff([][]float64{c.want}, execs, cmpopts.EquateApprox(0, 1e-12)); d != "" {
			t.Errorf("bundles of %d (-want +got):\n%s", c.bundle, d)
		}
		if d := cmp.Diff(execs, ends); d != "" {
			t.Errorf("bundles of %d: there is no delay, but ends differ from times:\n%s", c.bundle, d)
		}
	}
}

// Bundles are billed by their instances: two of 6 s and 4 s in place of four
// workers of 10 s, 2 s, 4 s and 4 s.
func TestBundlesAreBilled(t *testing.T) {
	s := bundleStage(t, [][]float64{{10, 2, 4, 4}})
	alone := models.StageConfig{Memory: 1000, VCPU: 1, Parallelism: 4}
	if got, want := s.cost(alone), s.price.Stage(alone, 5); !orionNear(got/want, 1, 1e-12) {
		t.Errorf("four workers cost %v, want %v", got, want)
	}
	pairs := models.StageConfig{Memory: 2000, VCPU: 2, Parallelism: 2, Bundle: 2}
	if got, want := s.cost(pairs), s.price.Stage(pairs, 5); !orionNear(got/want, 1, 1e-12) {
		t.Errorf("two pairs cost %v, want %v", got, want)
	}
	all := models.StageConfig{Memory: 8000, VCPU: 8, Parallelism: 1, Bundle: 8}
	if got, want := s.cost(all), s.price.Stage(all, 2.5); !orionNear(got/want, 1, 1e-12) {
		t.Errorf("one instance costs %v, want %v", got, want)
	}
}

// Sharing conserves work: an instance is never done before its work is at full
// speed, nor before its longest worker alone, nor later than the longest of its
// workers on a share of its own. Equal workers gain nothing.
func TestBundlesConserveWork(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bundle := rapid.SampledFrom([]int{2, 4}).Draw(rt, "bundle")
		equal := rapid.Bool().Draw(rt, "equal")
		times := rapid.SliceOfNDistinct(rapid.Float64Range(0.5, 20), 4, 4, rapid.ID[float64]).Draw(rt, "times")
		if equal {
			times = []float64{times[0], times[0], times[0], times[0]}
		}
		s := bundleStage(t, [][]float64{times})
		_, execs := s.instances(&s.curve.records[0], bundle)
		for k, took := range execs[0] {
			mine := times[k*bundle : (k+1)*bundle]
			work := sum(mine) / float64(bundle)
			longest := slices.Max(mine)
			if took < work-1e-9 || took < longest/float64(bundle)-1e-9 || took > longest+1e-9 {
				rt.Fatalf("workers %v in one instance: %v s", mine, took)
			}
			if equal && !orionNear(took, longest, 1e-9) {
				rt.Fatalf("equal workers of %v s in one instance: %v s", longest, took)
			}
		}
	})
}

// Where one worker in four is long, bundling makes the stage faster at no extra
// cost and is chosen; the answer stays inside the space. Where all are equal it
// is not.
func TestOrionBundlesSkewedWorkers(t *testing.T) {
	skewed := make([][]float64, 20)
	even := make([][]float64, 20)
	source := rand.New(rand.NewPCG(1, 1))
	for k := range skewed {
		scale := 1 + 0.1*source.Float64()
		skewed[k] = []float64{9 * scale, scale, scale, scale, 9 * scale, scale, scale, scale}
		even[k] = []float64{3 * scale, 3 * scale, 3 * scale, 3 * scale, 3 * scale, 3 * scale, 3 * scale, 3 * scale}
	}
	solve := func(runs [][]float64, o Orion) (*solvers.Problem, solvers.Solution) {
		p := toyProblem(t, 6, bundleRows(runs))
		o.Parallelism = []int{1, 8, 1}
		return p, solveOrion(t, o, p)
	}
	p, s := solve(skewed, Orion{Bundles: []int{2, 4}})
	c := s.Config[1]
	if c.Bundle < 2 || c.Parallelism*c.Bundle != 8 {
		t.Fatalf("skewed workers: %v with bundle %d, want bundles of 8 workers", s.Config, c.Bundle)
	}
	if _, err := p.Space.Locate(s.Config); err != nil {
		t.Error(err)
	}
	if _, s := solve(skewed, Orion{}); s.Config[1].Bundle != 2 && s.Config[1].Bundle != 5 {
		t.Errorf("skewed workers: bundle %d of those tried by default, want 2 or 5", s.Config[1].Bundle)
	}
	_, plain := solve(skewed, Orion{NoBundling: true})
	if plain.Config[1].Bundle != 0 || plain.Config[1].Parallelism != 8 {
		t.Errorf("no bundling: %v with bundle %d", plain.Config, plain.Config[1].Bundle)
	}
	predict := func(c models.Config) float64 {
		q, err := Orion{}.Predict(p.Profile, c, 95)
		if err != nil {
			t.Fatal(err)
		}
		return q[0]
	}
	apart := s.Config.Clone()
	apart[1] = models.StageConfig{Memory: c.Memory / c.Bundle, VCPU: c.VCPU / float64(c.Bundle), Parallelism: 8}
	if bundled, alone := predict(s.Config), predict(apart); bundled >= alone {
		t.Errorf("p95 is %v s bundled and %v s with the same workers apart", bundled, alone)
	}
	if _, s := solve(even, Orion{}); s.Config[1].Bundle > 1 {
		t.Errorf("equal workers: %v with bundle %d, want none", s.Config, s.Config[1].Bundle)
	}
	for _, s := range []solvers.Solution{s, plain} {
		if slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "bundled") }) {
			t.Errorf("single invocations are known, but warned %q", s.Warnings)
		}
	}
}

// Two stages whose instances must be as many can only be bundled together, and
// stages are decided one by one: neither is.
func TestOrionBundlesKeepTheRules(t *testing.T) {
	p := toyProblem(t, 6, bundleRows([][]float64{{9, 1, 1, 1, 9, 1, 1, 1}}))
	var choices [][]models.StageConfig
	for i := range 3 {
		choices = append(choices, p.Space.Choices(i))
	}
	rules := []models.Rule{{Stage: 1, Of: 0, Times: 8, Equal: true}}
	space, err := models.NewSpace(p.Workflow(), choices, rules)
	if err != nil {
		t.Fatal(err)
	}
	p.Space = space
	s := solveOrion(t, Orion{}, p)
	if _, err := space.Locate(s.Config); err != nil || s.Config[1].Bundle > 1 {
		t.Errorf("%v with bundle %d: %v", s.Config, s.Config[1].Bundle, err)
	}
}
