package solvers

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"

	"eevee/models"
)

// Exhaustive looks at every admissible configuration. It is the oracle that
// Exact is compared with, and a yardstick of what cleverness saves.
type Exhaustive struct {
	// MaxConfigs refuses larger spaces; 0 means 10 million.
	MaxConfigs int64
}

// String returns "exhaustive".
func (Exhaustive) String() string { return "exhaustive" }

// Supports refuses spaces that are too large to enumerate.
func (e Exhaustive) Supports(p *Problem) error {
	limit := e.MaxConfigs
	if limit == 0 {
		limit = 10_000_000
	}
	if size := p.Space.Size(); size.Cmp(big.NewInt(limit)) > 0 {
		return fmt.Errorf("a space of %v configurations is too large to enumerate; the limit is %d", size, limit)
	}
	return nil
}

// Solve enumerates the space.
func (e Exhaustive) Solve(ctx context.Context, p *Problem, _ models.Streams) (Solution, error) {
	demands, err := p.Demands()
	if err != nil {
		return Solution{}, err
	}
	best := oracle{problem: p, demands: demands, objective: math.Inf(1), reachable: math.Inf(1)}
	err = Enumerate(ctx, p, best.visit)
	s := Solution{Objective: math.NaN(), LowerBound: math.Inf(-1), Reachable: math.NaN(), Enforced: p.Bound.Limit}
	if best.incumbent != nil {
		s.Config, s.Objective = p.Space.Config(best.incumbent), best.objective
	}
	switch {
	case err != nil:
		s.Status = LimitHit
	case best.incumbent != nil:
		s.Status, s.LowerBound = Optimal, best.objective
	default:
		s.Status, s.LowerBound, s.Reachable = Infeasible, math.Inf(1), best.reachable
		if best.closest != nil {
			s.Config = p.Space.Config(best.closest)
		}
	}
	return s, nil
}

// oracle keeps the best of the configurations it is shown.
type oracle struct {
	problem   *Problem
	demands   []Demand
	objective float64
	incumbent []int
	reachable float64 // the smallest limit of the first bound that any configuration keeps, while none is feasible
	closest   []int
}

func (o *oracle) visit(pick []int, latency, cost []float64) {
	// A configuration whose objective is infinite is none: nothing is worse.
	if keepsAll(o.demands, latency, cost) {
		if v := o.problem.value(latency, cost); v < o.objective {
			o.objective, o.incumbent = v, slices.Clone(pick)
		}
		return
	}
	if o.incumbent != nil {
		return
	}
	if at := reach(o.demands, latency, cost); at < o.reachable && !math.IsInf(o.problem.value(latency, cost), 1) {
		o.reachable, o.closest = at, slices.Clone(pick)
	}
}

// Enumerate shows every admissible configuration of the problem's space to
// visit, with its latency and cost in every scenario; the slices are reused. It
// goes stage by stage in the workflow's order, so that what the stages before
// contribute is computed once.
func Enumerate(ctx context.Context, p *Problem, visit func(pick []int, latency, cost []float64)) error {
	t, err := newTable(ctx, p)
	if err != nil {
		return err
	}
	e := &enumeration{ctx: ctx, problem: p, table: t, visit: visit, pick: make([]int, p.Workflow().Len())}
	for range e.pick {
		e.ends = append(e.ends, make([]float64, t.n))
		e.costs = append(e.costs, make([]float64, t.n))
	}
	e.latency = make([]float64, t.n)
	return e.stage(0)
}

// enumeration walks the tree of all configurations, one level per stage.
type enumeration struct {
	ctx     context.Context
	problem *Problem
	table   *table
	visit   func(pick []int, latency, cost []float64)

	pick        []int
	ends, costs [][]float64 // per stage: end of the stage, cost up to and with it
	latency     []float64
}

func (e *enumeration) stage(i int) error {
	w := e.problem.Workflow()
	if i == w.Len() {
		e.visit(e.pick, e.longest(), e.costs[i-1])
		return e.ctx.Err()
	}
	in := 0
	if parent := w.InputParent(i); parent >= 0 {
		in = e.problem.Space.Choices(parent)[e.pick[parent]].Parallelism
	}
	start := make([]float64, e.table.n)
	for x, parent := range w.Parents(i) {
		for k, end := range e.ends[parent] {
			if x == 0 || end > start[k] {
				start[k] = end
			}
		}
	}
	before := make([]float64, e.table.n)
	if i > 0 {
		before = e.costs[i-1]
	}
	for j := range e.problem.Space.Choices(i) {
		e.pick[i] = j
		if !e.admitted(i) {
			continue
		}
		col := e.table.at(i, j, in)
		end, cost := e.ends[i], e.costs[i]
		for k, v := range col.latency {
			end[k] = v + start[k]
		}
		for k, v := range col.cost {
			cost[k] = before[k] + v
		}
		if err := e.stage(i + 1); err != nil {
			return err
		}
	}
	return nil
}

// longest returns the latency of the workflow in every scenario.
func (e *enumeration) longest() []float64 {
	sinks := e.problem.Workflow().Sinks()
	if len(sinks) == 1 {
		return e.ends[sinks[0]]
	}
	copy(e.latency, e.ends[sinks[0]])
	for _, s := range sinks[1:] {
		for k, v := range e.ends[s] {
			e.latency[k] = max(e.latency[k], v)
		}
	}
	return e.latency
}

// admitted reports whether the choice of stage i goes with those before it.
func (e *enumeration) admitted(i int) bool {
	d := func(s int) int { return e.problem.Space.Choices(s)[e.pick[s]].Parallelism }
	for _, r := range e.problem.Space.Rules() {
		if max(r.Stage, r.Of) == i && !r.Admits(d(r.Stage), d(r.Of)) {
			return false
		}
	}
	return true
}
