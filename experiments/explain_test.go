package experiments

import (
	"context"
	"math"
	"slices"
	"testing"

	"eevee/models"
	"eevee/solvers"
)

// explained solves a problem on a bundled trace and explains the answer.
func explained(t *testing.T, workflow string, bound solvers.Bound, samples int) (*Setup, *solvers.Problem, models.Config, int, Explanation) {
	t.Helper()
	def, err := models.Load(workflow)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := Sources{}.Trace(workflow, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSetup(def, trace, Choice{Model: "jolteon"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Problem(bound, samples, 3)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Answer(context.Background(), p, Request{Bound: bound, Method: solvers.Exact{}, Samples: samples, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	c, allowed := a.Report.Solution.Config, a.Report.Allowed
	e, err := s.Explain(context.Background(), p, c, allowed, 3)
	if err != nil {
		t.Fatal(err)
	}
	return s, p, c, allowed, e
}

func pluginBound(m solvers.Metric, limit float64) solvers.Bound {
	return solvers.Bound{Metric: m, Limit: limit, Percentile: 95, Confidence: 99.9, Rule: solvers.Plugin}
}

// What a stage has to spare is exactly what it can take more: with a little less
// in every scenario the bound holds, with a little more it is broken.
func TestSpareIsWhatBreaksTheBound(t *testing.T) {
	s, p, c, allowed, e := explained(t, "tpcds", pluginBound(solvers.Latency, 45), 800)
	w := s.Definition.Workflow
	columns := make([][]float64, len(c))
	for i := range c {
		columns[i] = make([]float64, 800)
		p.Scenarios.Columns(i, c[i], w.InputParallelism(c, i), columns[i], nil)
	}
	exceeding := func(stage int, more float64) (count int) {
		one := make([]float64, len(c))
		for k := range 800 {
			for i := range c {
				one[i] = columns[i][k]
			}
			one[stage] += more
			if w.Latency(one) > p.Bound.Limit {
				count++
			}
		}
		return count
	}
	for i, stage := range e.Stages {
		most := *stage.Spare.S
		if within := exceeding(i, most-1e-9); within > allowed {
			t.Errorf("%s: has %v s to spare, but less than that breaks the bound: %d scenarios, %d may", stage.Stage, most, within, allowed)
		}
		if beyond := exceeding(i, most+1e-6); beyond <= allowed {
			t.Errorf("%s: has %v s to spare, but more than that keeps the bound", stage.Stage, most)
		}
	}
	if least := slices.MinFunc(e.Stages, func(a, b StageShare) int {
		return int(math.Copysign(1, *a.Spare.S-*b.Spare.S))
	}); math.Abs(*least.Spare.S-*e.Margin.S) > 1e-9 {
		t.Errorf("the least that a stage has to spare is %v s, the limit could be %v s lower", *least.Spare.S, *e.Margin.S)
	}
}

// Shares of paths and of stages on them are those of the longest path of every
// scenario, found here by looking at all paths.
func TestPathSharesAgainstAllPaths(t *testing.T) {
	s, p, c, _, e := explained(t, "tpcds", pluginBound(solvers.Latency, 45), 500)
	w := s.Definition.Workflow
	paths, complete := w.Paths()
	if !complete {
		t.Fatal("too many paths")
	}
	longest := map[string]float64{}
	critical := make([]float64, len(c))
	columns := make([][]float64, len(c))
	for i := range c {
		columns[i] = make([]float64, 500)
		p.Scenarios.Columns(i, c[i], w.InputParallelism(c, i), columns[i], nil)
	}
	for k := range 500 {
		best, way := math.Inf(-1), []int(nil)
		for _, path := range paths {
			sum := 0.0
			for _, i := range path {
				sum += columns[i][k]
			}
			if sum > best {
				best, way = sum, path
			}
		}
		name := ""
		for _, i := range way {
			name += w.Stage(i).Name + " "
			critical[i] += 1.0 / 500
		}
		longest[name] += 1.0 / 500
	}
	for _, path := range e.Paths {
		name := ""
		for _, stage := range path.Stages {
			name += stage + " "
		}
		if math.Abs(longest[name]-path.Longest) > 1e-9 {
			t.Errorf("path %sis the longest in %v of the scenarios, want %v", name, path.Longest, longest[name])
		}
	}
	for i, stage := range e.Stages {
		if math.Abs(critical[i]-stage.Critical) > 1e-9 {
			t.Errorf("%s: critical %v, want %v", stage.Stage, stage.Critical, critical[i])
		}
	}
}

// The runner-up, what is best without each choice and the answers under other
// limits are those of the enumeration of the whole space.
func TestAlternativesAgainstEnumeration(t *testing.T) {
	if testing.Short() {
		t.Skip("enumerates a whole space")
	}
	samples := 200
	for _, bound := range []solvers.Bound{pluginBound(solvers.Latency, 40), pluginBound(solvers.Cost, 0.0095)} {
		s, p, c, allowed, e := explained(t, "ml", bound, samples)
		limits := []float64{bound.Limit}
		for _, factor := range otherLimits {
			limits = append(limits, factor*bound.Limit)
		}
		best := make([]float64, len(limits)) // by limit
		without := make([]float64, len(c))   // by stage
		for i := range best {
			best[i] = math.Inf(1)
		}
		for i := range without {
			without[i] = math.Inf(1)
		}
		pick := make([]int, len(c))
		var walk func(i int)
		walk = func(i int) {
			if i < len(c) {
				for k := range s.Space.Choices(i) {
					pick[i] = k
					walk(i + 1)
				}
				return
			}
			other := s.Space.Config(pick)
			if _, err := s.Space.Locate(other); err != nil {
				return
			}
			o := p.Evaluate(other)
			percentile := solvers.OrderStatistic(o.Bounded(bound.Metric), allowed)
			for k, limit := range limits {
				if percentile <= limit {
					best[k] = min(best[k], o.Objective)
				}
			}
			if percentile <= bound.Limit {
				for k := range c {
					if !other[k].Same(c[k]) {
						without[k] = min(without[k], o.Objective)
					}
				}
			}
		}
		walk(0)
		for k, stage := range e.Stages {
			switch {
			case stage.Otherwise == nil:
				if !math.IsInf(without[k], 1) {
					t.Errorf("%s: %s: nothing else is said to keep the bound, but something does", bound.Metric, stage.Stage)
				}
			case math.Abs(stage.Otherwise.Premium-(without[k]/best[0]-1)) > 1e-9:
				t.Errorf("%s: %s: otherwise %+v, want %+v", bound.Metric, stage.Stage, stage.Otherwise.Premium, without[k]/best[0]-1)
			}
		}
		if want := slices.Min(without)/best[0] - 1; e.RunnerUp == nil || math.Abs(e.RunnerUp.Premium-want) > 1e-9 {
			t.Errorf("%s: runner-up %+v, want a premium of %v", bound.Metric, e.RunnerUp, want)
		}
		for k, l := range e.Limits {
			want := best[k+1]
			switch {
			case l.Objective == nil:
				if !math.IsInf(want, 1) {
					t.Errorf("%s: limit %v cannot be kept, it says, but it can", bound.Metric, limits[k+1])
				}
			case math.Abs(*l.Premium-(want/best[0]-1)) > 1e-9:
				t.Errorf("%s: limit %v: premium %v, want %v", bound.Metric, limits[k+1], *l.Premium, want/best[0]-1)
			}
		}
	}
}

// A step is what it says when it is taken.
func TestStepsAreWhatTheySay(t *testing.T) {
	s, p, c, allowed, e := explained(t, "video", pluginBound(solvers.Latency, 40), 400)
	if len(e.Steps) == 0 {
		t.Fatal("no step lowers the percentile")
	}
	before := p.Evaluate(c)
	for _, step := range e.Steps {
		i, _ := s.Definition.Workflow.Index(step.Stage)
		changed := c.Clone()
		changed[i] = s.Definition.StageConfig(step.MemoryMB, step.Parallelism)
		changed[i].VCPU = step.VCPU
		o := p.Evaluate(changed)
		lowers := solvers.OrderStatistic(before.Latency, allowed) - solvers.OrderStatistic(o.Latency, allowed)
		raises := o.Objective - before.Objective
		if math.Abs(lowers-*step.Lowers.S) > 1e-9 || math.Abs(raises-*step.Raises.MeanUSD) > 1e-12 {
			t.Errorf("%s: lowers %v s for %v USD, want %v for %v", step.Stage, *step.Lowers.S, *step.Raises.MeanUSD, lowers, raises)
		}
		if !step.Free && !(raises > 0) {
			t.Errorf("%s: is not free, but costs %v", step.Stage, raises)
		}
	}
}
