package models

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// Followed is what the workflow does in every scenario when a policy decides
// its stages.
type Followed struct {
	Latency, Cost []float64 // per scenario, s and USD

	// Choices are the configurations that were decided, by stage, the one of
	// the most scenarios first.
	Choices [][]FollowedChoice
}

// FollowedChoice is one configuration that a policy decided for a stage.
type FollowedChoice struct {
	StageConfig
	Scenarios int // in which it was decided
}

// Follow lets a policy decide the stages in every scenario as it does in a run:
// every scenario has a decider of its own, stages are decided in the order in
// which they are ready, equal times in the order of the workflow, and a stage
// behaves as the scenario says under what was decided for it and its input. So
// the outcome of a policy has a distribution on the same draws as that of a
// configuration.
//
// Decisions take the time and the money that they say. Scenarios have no
// instances: pre-warming and placement are without effect. The error is that of
// a decision that cannot be followed, or of the context.
func (s *Scenarios) Follow(ctx context.Context, p Policy) (Followed, error) {
	n := s.workflow.Len()
	if static, ok := p.(StaticPolicy); ok {
		return s.takeAsItIs(static.Config), ctx.Err()
	}
	f := followers{scenarios: s, columns: make([]map[followedStage]*followedColumns, n)}
	for i := range f.columns {
		f.columns[i] = map[followedStage]*followedColumns{}
	}
	out := Followed{Latency: make([]float64, s.n), Cost: make([]float64, s.n), Choices: make([][]FollowedChoice, n)}
	for k := range s.n {
		if k%256 == 0 && ctx.Err() != nil {
			return Followed{}, ctx.Err()
		}
		var err error
		if out.Latency[k], out.Cost[k], err = f.run(p.Begin(), k); err != nil {
			return Followed{}, fmt.Errorf("policy %s: scenario %d: %w", p, k, err)
		}
	}
	for i, columns := range f.columns {
		count := map[StageConfig]int{}
		for at, c := range columns {
			count[at.config] += c.scenarios
		}
		for c, scenarios := range count {
			out.Choices[i] = append(out.Choices[i], FollowedChoice{c, scenarios})
		}
		slices.SortFunc(out.Choices[i], func(a, b FollowedChoice) int {
			return cmp.Or(cmp.Compare(b.Scenarios, a.Scenarios), cmp.Compare(a.Memory, b.Memory), cmp.Compare(a.Parallelism, b.Parallelism),
				cmp.Compare(a.Processes, b.Processes), cmp.Compare(a.Bundle, b.Bundle))
		})
	}
	return out, nil
}

// takeAsItIs is what Follow comes to where every scenario has one configuration.
func (s *Scenarios) takeAsItIs(c Config) Followed {
	out := Followed{Choices: make([][]FollowedChoice, len(c))}
	out.Latency, out.Cost = s.Outcomes(c)
	for i := range c {
		out.Choices[i] = []FollowedChoice{{c[i], s.n}}
	}
	return out
}

// followers is what the scenarios under a policy have in common: the columns of
// every stage under everything that was decided for it so far.
type followers struct {
	scenarios *Scenarios
	columns   []map[followedStage]*followedColumns // per stage
}

type followedStage struct {
	config           StageConfig
	inputParallelism int // 0 where the stage does not depend on it
}

type followedColumns struct {
	latency, cost []float64
	scenarios     int // that used it
}

// run follows a decider through scenario k.
func (f *followers) run(d Decider, k int) (latency, cost float64, err error) {
	w := f.scenarios.workflow
	n := w.Len()
	ready, end := make([]float64, n), make([]float64, n)
	p := Progress{End: make([]float64, n), Config: make(Config, n)}
	for i := range n {
		p.End[i], end[i] = math.NaN(), math.NaN()
	}
	for range n {
		// The next stage is the first one to be ready of those whose parents
		// are decided: no other can be ready before.
		next := -1
		for i := range n {
			if p.Config[i].Parallelism > 0 || !f.parentsDecided(i, p.Config) {
				continue
			}
			ready[i] = 0
			for _, parent := range w.Parents(i) {
				ready[i] = max(ready[i], end[parent])
			}
			if next < 0 || ready[i] < ready[next] {
				next = i
			}
		}
		p.Now = ready[next]
		for i, e := range end {
			if e <= p.Now {
				p.End[i] = e
			}
		}
		decision := d.Decide(next, p)
		if err := decision.Check(n); err != nil {
			return 0, 0, err
		}
		c := decision.StageConfig
		if c.Parallelism < 1 || !(c.VCPU > 0) || c.Memory < 1 {
			return 0, 0, fmt.Errorf("stage %q cannot run as %v", w.Stage(next).Name, c)
		}
		p.Config[next] = c
		columns := f.of(next, c, w.InputParallelism(p.Config, next))
		columns.scenarios++
		end[next] = max(p.Now+decision.Cost.Latency, decision.Launch) + columns.latency[k]
		latency = max(latency, end[next])
		cost += columns.cost[k] + decision.Cost.USD
	}
	return latency, cost, nil
}

func (f *followers) parentsDecided(i int, c Config) bool {
	for _, parent := range f.scenarios.workflow.Parents(i) {
		if c[parent].Parallelism == 0 {
			return false
		}
	}
	return true
}

func (f *followers) of(i int, c StageConfig, inputParallelism int) *followedColumns {
	if !f.scenarios.ReadsInput(i) {
		inputParallelism = 0
	}
	at := followedStage{c, inputParallelism}
	columns, ok := f.columns[i][at]
	if !ok {
		columns = &followedColumns{latency: make([]float64, f.scenarios.n), cost: make([]float64, f.scenarios.n)}
		f.scenarios.Columns(i, c, inputParallelism, columns.latency, columns.cost)
		f.columns[i][at] = columns
	}
	return columns
}
