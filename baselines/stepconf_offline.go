package baselines

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"eevee/models"
	"eevee/solvers"
)

// Static returns what the paper calls static: a deadline-based heuristic in
// the manner of Kijak et al. (2018) that is run once, before the workflow
// starts. The levels of the workflow share the limit in proportion to their
// longest time under the most cost-effective configurations, and every stage
// takes the cheapest configuration that fits into the share of its level, or
// else the fastest. With VaryNone it is the paper's No-No, which decides
// neither kind of parallelism. The paper does not spell the heuristic out;
// this is a reconstruction of it (algorithms.md 6.2).
func (s StepConf) Static(m *StepConfModel, space *models.Space) (models.StaticPolicy, error) {
	t, err := s.table(m, space)
	if err != nil {
		return models.StaticPolicy{}, err
	}
	w := space.Workflow
	level := make([]int, w.Len())
	times := make([]float64, w.Len()) // per level
	total := 0.0
	for i := range w.Len() {
		for _, p := range w.Parents(i) {
			level[i] = max(level[i], level[p]+1)
		}
		more := max(0, t.weight[i]-times[level[i]])
		times[level[i]] += more
		total += more
	}
	name := "stepconf:static"
	if s.Vary == VaryNone {
		name = "stepconf:no-no"
	}
	c := make(models.Config, w.Len())
	for i := range c {
		c[i] = t.pick(i, s.Limit*times[level[i]]/total, c).config
	}
	return models.StaticPolicy{Name: name, Config: c}, nil
}

// Optimal returns the cheapest configuration that keeps the limit if nothing
// fluctuates: the paper's offline optimum. It is found by solvers.Exact, on the
// one scenario that the model expects. Where no configuration keeps the limit
// it is the fastest one.
func (s StepConf) Optimal(ctx context.Context, m *StepConfModel, space *models.Space) (models.StaticPolicy, error) {
	t, err := s.table(m, space)
	if err != nil {
		return models.StaticPolicy{}, err
	}
	expected := make([]models.StageSample, space.Workflow.Len())
	for i := range expected {
		e := stepConfExpected{}
		for _, x := range t.choices[i] {
			e[[2]int{x.config.Memory, x.config.Parallelism}] = x
		}
		expected[i] = e
	}
	scenarios, err := models.NewScenarios(space.Workflow, s.Price, 1, expected)
	if err != nil {
		return models.StaticPolicy{}, err
	}
	problem, err := solvers.NewProblem(t.space, scenarios, solvers.Bound{
		Metric: solvers.Latency, Limit: s.Limit, Percentile: 50, Confidence: 50, Rule: solvers.Plugin,
	})
	if err != nil {
		return models.StaticPolicy{}, err
	}
	solution, err := solvers.Exact{}.Solve(ctx, problem, models.Streams{})
	switch {
	case err != nil:
		return models.StaticPolicy{}, err
	case ctx.Err() != nil:
		return models.StaticPolicy{}, ctx.Err()
	case solution.Config == nil:
		return models.StaticPolicy{}, fmt.Errorf("stepconf: no configuration was found for a limit of %v s", s.Limit)
	}
	c := solution.Config.Clone()
	for i := range c {
		c[i] = expected[i].(stepConfExpected)[[2]int{c[i].Memory, c[i].Parallelism}].config
	}
	return models.StaticPolicy{Name: "stepconf:optimal", Config: c}, nil
}

// stepConfExpected is what the model expects of one stage, by memory and
// parallelism.
type stepConfExpected map[[2]int]stepConfChoice

// Times writes the expected times.
func (e stepConfExpected) Times(c models.StageConfig, _ int, latency, billed []float64) {
	x := e[[2]int{c.Memory, c.Parallelism}]
	for k := range latency {
		latency[k] = x.time
	}
	for k := range billed {
		billed[k] = x.billed
	}
}

// ReadsInput returns false: the model does not look at the input's parallelism.
func (stepConfExpected) ReadsInput() bool { return false }

// OptimalOverTime is Optimal for workflows that are series-parallel and whose
// space has no rules: a dynamic program over time in so many equal steps of the
// limit, as the paper describes it. Times are rounded up to a step, so that the
// configuration keeps the limit; it is the cheapest one of a limit that is
// shorter by at most a step per stage on a path. Where no configuration keeps
// the limit it is the fastest one.
func (s StepConf) OptimalOverTime(m *StepConfModel, space *models.Space, steps int) (models.StaticPolicy, error) {
	t, err := s.table(m, space)
	if err != nil {
		return models.StaticPolicy{}, err
	}
	if steps < 1 || len(space.Rules()) > 0 {
		return models.StaticPolicy{}, fmt.Errorf("stepconf: the optimum over time needs at least one step, not %d, and a space without rules, not with %d", steps, len(space.Rules()))
	}
	parts, err := janusParts(space.Workflow)
	if err != nil {
		return models.StaticPolicy{}, err
	}
	root := t.seriesOverTime(parts, steps)
	c := make(models.Config, space.Workflow.Len())
	if math.IsInf(root.cost[steps], 1) {
		for i := range c {
			c[i] = slices.MinFunc(t.choices[i], func(a, b stepConfChoice) int { return cmp.Compare(a.time, b.time) }).config
		}
	} else {
		root.take(steps, c)
	}
	return models.StaticPolicy{Name: "stepconf:optimal", Config: c}, nil
}

// stepConfOverTime is a part of a workflow: the least cost to end within so many
// steps, and what writes the configuration that it takes.
type stepConfOverTime struct {
	cost []float64 // USD, per number of steps from 0; +Inf where there is none
	take func(steps int, c models.Config)
}

func (t *stepConfTable) stageOverTime(i, steps int) stepConfOverTime {
	best := slices.Repeat([]int{-1}, steps+1)
	out := stepConfOverTime{cost: slices.Repeat([]float64{math.Inf(1)}, steps+1)}
	for k, x := range t.choices[i] {
		first := math.Ceil(x.time/t.Limit*float64(steps) - 1e-9)
		for n := max(0, int(min(first, float64(steps+1)))); n <= steps; n++ {
			if x.cost < out.cost[n] {
				out.cost[n], best[n] = x.cost, k
			}
		}
	}
	out.take = func(n int, c models.Config) { c[i] = t.choices[i][best[n]].config }
	return out
}

func (t *stepConfTable) seriesOverTime(s *janusSeries, steps int) stepConfOverTime {
	var all stepConfOverTime
	for k, e := range s.elements {
		next := stepConfOverTime{}
		if e.stage >= 0 {
			next = t.stageOverTime(e.stage, steps)
		} else {
			next = t.branchesOverTime(e.branches, steps)
		}
		if k == 0 {
			all = next
			continue
		}
		all = sequenceOverTime(all, next)
	}
	return all
}

// branchesOverTime gives branches that run side by side the same time.
func (t *stepConfTable) branchesOverTime(branches []*janusSeries, steps int) stepConfOverTime {
	out := stepConfOverTime{cost: make([]float64, steps+1)}
	var parts []stepConfOverTime
	for _, b := range branches {
		part := t.seriesOverTime(b, steps)
		parts = append(parts, part)
		for n, v := range part.cost {
			out.cost[n] += v
		}
	}
	out.take = func(n int, c models.Config) {
		for _, p := range parts {
			p.take(n, c)
		}
	}
	return out
}

// sequenceOverTime divides time between two parts that run one after the other.
func sequenceOverTime(a, b stepConfOverTime) stepConfOverTime {
	out := stepConfOverTime{cost: slices.Repeat([]float64{math.Inf(1)}, len(a.cost))}
	first := make([]int, len(a.cost))
	for x, before := range a.cost {
		if math.IsInf(before, 1) || x > 0 && before == a.cost[x-1] {
			continue // more time for the same cost
		}
		for y := 0; x+y < len(out.cost); y++ {
			if v := before + b.cost[y]; v < out.cost[x+y] {
				out.cost[x+y], first[x+y] = v, x
			}
		}
	}
	out.take = func(n int, c models.Config) {
		a.take(first[n], c)
		b.take(n-first[n], c)
	}
	return out
}
