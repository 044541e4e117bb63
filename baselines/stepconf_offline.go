package baselines

import (
	"context"
	"fmt"

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
