package baselines

import (
	"container/heap"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"eevee/models"
	"eevee/solvers"
)

// orionModel is what Orion searches: the options of every stage and how their
// latencies compose.
type orionModel struct {
	workflow   *models.Workflow
	space      *models.Space
	parents    [][]int
	width      float64 // of a bin, s
	limit      int     // bins that are within the limit: up to this one
	percentile float64 // 0 to 1
	stages     []orionStage
	steps      OrionSteps
	mbPerVCPU  float64 // for sizes outside the space

	options [][]orionOption // per stage, ascending size, for the bundles at hand
}

// orionOption is one choice for a stage.
type orionOption struct {
	config  models.StageConfig
	latency binned
	cost    float64 // mean, USD
}

// model reads what Orion needs out of a problem.
func (o Orion) model(p *solvers.Problem) (*orionModel, error) {
	if err := o.accepts(p); err != nil {
		return nil, err
	}
	w := p.Workflow()
	if err := o.check(w); err != nil {
		return nil, err
	}
	d, err := o.parallelism(p)
	if err != nil {
		return nil, err
	}
	m := &orionModel{
		workflow: w, space: p.Space, parents: directParents(w),
		percentile: p.Bound.Percentile / 100, steps: o.Steps, mbPerVCPU: mbPerVCPU(p.Space),
	}
	longest := 0.0
	for i := range w.Len() {
		curve, err := newOrionCurve(p.Profile, i, d[i])
		if err != nil {
			return nil, err
		}
		longest += curve.longest()
		m.stages = append(m.stages, orionStage{curve: curve, workers: d[i], correlated: !o.Independent, price: p.Scenarios.Price()})
	}
	if m.width = o.Bin; m.width == 0 {
		m.width = max(p.Bound.Limit/1000, longest/longestBins)
	}
	if most := 1e7; longest/m.width > most {
		return nil, fmt.Errorf("bins of %v s are too narrow for runs of %.3g s; they may be %.0e", m.width, longest, most)
	}
	m.limit = int(math.Floor(p.Bound.Limit/m.width + 1e-9))
	return m, nil
}

// sizes returns what stage i may be with so many workers per instance,
// ascending.
func (m *orionModel) sizes(i, bundle int) []models.StageConfig {
	instances := (m.stages[i].workers + bundle - 1) / bundle
	var list []models.StageConfig
	if m.steps != (OrionSteps{}) {
		for memory := m.steps.From; memory <= m.steps.To; memory += m.steps.Step {
			list = append(list, models.StageConfig{Memory: memory, VCPU: float64(memory) / m.mbPerVCPU, Parallelism: instances})
		}
	} else {
		for _, c := range m.space.Choices(i) {
			if c.Parallelism == instances {
				list = append(list, c)
			}
		}
	}
	if bundle > 1 {
		for k := range list {
			list[k].Bundle = bundle
		}
	}
	return list
}

// bundled sets the options of every stage to those with the given bundle.
func (m *orionModel) bundled(bundles []int) {
	m.options = make([][]orionOption, len(m.stages))
	for i, bundle := range bundles {
		for _, c := range m.sizes(i, bundle) {
			m.options[i] = append(m.options[i], m.option(i, c))
		}
	}
}

func (m *orionModel) option(i int, c models.StageConfig) orionOption {
	return orionOption{c, m.stages[i].latency(c).bin(m.width), m.stages[i].cost(c)}
}

// end returns the distribution of the workflow's latency.
func (m *orionModel) end(picked []orionOption) binned {
	latency := make([]binned, len(picked))
	for i, option := range picked {
		latency[i] = option.latency
	}
	return composed(m.parents, m.workflow.Sinks(), latency)
}

func (m *orionModel) picked(state []int) []orionOption {
	list := make([]orionOption, len(state))
	for i, k := range state {
		list[i] = m.options[i][k]
	}
	return list
}

// look returns the percentile of the latency (s) and the mean cost (USD) of a
// state, and whether it keeps the bound.
func (m *orionModel) look(picked []orionOption) (latency, cost float64, kept bool) {
	for _, option := range picked {
		cost += option.cost
	}
	at := m.end(picked).quantile(m.percentile)
	return float64(at) * m.width, cost, at <= m.limit
}

// hopeless reports whether no state can keep the bound: not even if every stage
// had at every time y the largest P(latency <= y) of all its sizes.
func (m *orionModel) hopeless() bool {
	best := make([]orionOption, len(m.options))
	for i, list := range m.options {
		best[i] = list[0]
		for _, option := range list[1:] {
			best[i].latency = best[i].latency.fastest(option.latency)
		}
	}
	_, _, kept := m.look(best)
	return !kept
}

// maxOrionRounds bounds how often sizes and bundles are chosen in turn.
const maxOrionRounds = 4

// rightSizes chooses sizes and bundles in turn until the bundles stay.
func (m *orionModel) rightSizes(ctx context.Context, o Orion) orionFound {
	bundles := make([]int, len(m.stages))
	for i := range bundles {
		bundles[i] = 1
	}
	var warnings []string
	if !o.NoBundling && slices.ContainsFunc(m.stages, func(s orionStage) bool { return s.workers > 1 && !s.curve.invocations() }) {
		warnings = append(warnings, "workers were bundled only where the profile holds single invocations: mean and percentile do not tell short workers from long ones")
	}
	looked := 0
	for round := 1; ; round++ {
		m.bundled(bundles)
		found := m.rightSize(ctx, o)
		looked += found.looked
		found.looked, found.warnings = looked, warnings
		if found.ended || o.NoBundling || round == maxOrionRounds {
			return found
		}
		next := m.bundle(found.state, o.Bundles)
		if slices.Equal(next, bundles) {
			return found
		}
		bundles = next
	}
}

// rightSize searches the sizes for the bundles at hand. Where there is no
// answer it ends with the largest size of every stage, as the Jolteon artifact
// does (inferred for Orion itself).
func (m *orionModel) rightSize(ctx context.Context, o Orion) orionFound {
	largest := make([]int, len(m.options))
	for i, list := range m.options {
		largest[i] = len(list) - 1
	}
	f := orionFound{state: largest}
	if _, _, f.met = m.look(m.picked(largest)); !o.NoSizing && !m.hopeless() {
		search, budget := bestFirst, o.Budget
		if o.Steepest {
			search = steepest
		}
		if budget == 0 {
			budget = 50_000
		}
		first := search(ctx, largest, budget, func(state []int) (float64, bool) {
			latency, cost, kept := m.look(m.picked(state))
			if o.Steepest {
				return latency, kept
			}
			return cost * latency, kept
		})
		f.looked, f.ended = first.looked, first.ended
		if first.state != nil {
			f.state, f.met = first.state, true
		}
	}
	f.config = make(models.Config, len(f.state))
	for i, option := range m.picked(f.state) {
		f.config[i] = option.config
	}
	return f
}

// firstState is the outcome of bestFirst.
type firstState struct {
	state  []int // the first one that satisfies, nil where there is none
	looked int   // states looked at
	ended  bool  // by the budget or the context
}

// bestFirst is Orion's search over states, one number from 0 to largest[i] per
// stage. From the smallest state on, it takes the state with the lowest value
// out of a queue, the earliest one of equals, and looks at those with one
// number higher by one, in the order of stages. The first that satisfies is the
// answer; it need not be the cheapest (algorithms.md 2.2, where value is cost
// times latency).
//
// Inferred: the smallest state itself is looked at, too.
func bestFirst(ctx context.Context, largest []int, budget int, look func(state []int) (value float64, satisfies bool)) firstState {
	var f firstState
	seen := make(map[string]bool)
	var queue stateQueue
	visit := func(state []int) bool {
		key := stateKey(state)
		if seen[key] {
			return false
		}
		seen[key] = true
		value, satisfies := look(state)
		f.looked++
		if satisfies {
			f.state = state
			return true
		}
		heap.Push(&queue, queuedState{value, f.looked, state})
		return false
	}
	if visit(make([]int, len(largest))) {
		return f
	}
	for queue.Len() > 0 {
		from := heap.Pop(&queue).(queuedState).state
		for i, k := range from {
			if k == largest[i] {
				continue
			}
			if f.ended = f.looked >= budget || ctx.Err() != nil; f.ended {
				return f
			}
			child := slices.Clone(from)
			child[i]++
			if visit(child) {
				return f
			}
		}
	}
	return f
}

// steepest goes from the smallest state to the one with the lowest value among
// those with one number higher by one, the earliest stage's of equals, until
// one satisfies or none is left.
func steepest(ctx context.Context, largest []int, budget int, look func(state []int) (value float64, satisfies bool)) firstState {
	var f firstState
	state := make([]int, len(largest))
	_, satisfies := look(state)
	f.looked++
	for !satisfies {
		best, least := -1, math.Inf(1)
		for i := range state {
			if state[i] == largest[i] {
				continue
			}
			if f.ended = f.looked >= budget || ctx.Err() != nil; f.ended {
				return f
			}
			state[i]++
			value, ok := look(state)
			state[i]--
			f.looked++
			if best < 0 || value < least {
				best, least, satisfies = i, value, ok
			}
		}
		if best < 0 {
			return f
		}
		state[best]++
	}
	f.state = state
	return f
}

// stateKey names a state whose numbers are below 65536.
func stateKey(state []int) string {
	key := make([]byte, 0, 2*len(state))
	for _, k := range state {
		key = binary.LittleEndian.AppendUint16(key, uint16(k))
	}
	return string(key)
}

// queuedState is a state with its value and its place in the order of visits.
type queuedState struct {
	value float64
	place int
	state []int
}

// stateQueue is a heap of states, the lowest value first.
type stateQueue []queuedState

func (q stateQueue) Len() int { return len(q) }
func (q stateQueue) Less(i, j int) bool {
	if q[i].value != q[j].value {
		return q[i].value < q[j].value
	}
	return q[i].place < q[j].place
}
func (q stateQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *stateQueue) Push(x any)   { *q = append(*q, x.(queuedState)) }
func (q *stateQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
