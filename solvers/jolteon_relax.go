package solvers

import (
	"math"
	"slices"

	"eevee/models"
)

// relaxation is the sampled problem over real parallelism and vCPU, as a
// program for sqp:
//
//	minimise  mean objective
//	such that metric(path, scenario) <= limit  for every path, and every
//	          scenario but the allowed worst; coupling rules; box
//
// There is one constraint per path and scenario, which keeps every constraint
// smooth (algorithms.md 1.2), but none is made before it matters: a scenario
// is represented by its longest path at the current point. Of the sampled
// constraints sqp sees those that were active in the last step and the worst
// ones now, the candidates for support constraints; the others are redundant.
//
// The scenarios that may be left out are the worst at the current point. Any
// choice of k of them is sound, for the number of violations is what the rule
// of the bound speaks about (sampling and discarding: Campi and Garatti, J.
// Optim. Theory Appl. 148, 2011); with k = 0 this is the program of the paper.
type relaxation struct {
	bounded, objective *figure
	limit              float64
	allowed            int
	unit               float64 // of constraints: they are (metric - limit)/unit
	worth              float64 // of objectives: they are mean/worth

	variables []variable
	stages    []stageVariables
	rules     []models.Rule // among variables
	points    []models.Point

	order     []int     // scenarios, the worst and the candidates in front
	excess    []float64 // per scenario, in units
	discarded []bool
	paths     [][]int // in reverse
	pathID    map[string]int

	stagesAll []int // every stage
	slopes    slopes
	known     map[constraintID]bool
	path      []int
	key       []byte
}

// variable is one degree of freedom: x between lo and hi.
type variable struct {
	from, to float64 // range of the quantity: instances or vCPU
	log      bool    // the quantity is from*(to/from)^x, 0 <= x <= 1; otherwise it is x
}

func (v variable) at(x float64) (quantity, slope float64) {
	if !v.log {
		return x, 1
	}
	width := math.Log(v.to / v.from)
	quantity = v.from * math.Exp(x*width)
	return quantity, quantity * width
}

// stageVariables says how the configuration of a stage follows from the
// variables: quantity = times * variable, or fixed where the variable is -1.
type stageVariables struct {
	parallelism, vcpu           int
	times                       float64 // of parallelism, for stages coupled by equality
	fixedParallelism, fixedVCPU float64
	memoryPerVCPU               float64
	slopeParallelism, slopeVCPU float64 // of the quantities by x, at the current point
}

// newRelaxation relaxes the problem over the box hull of its space. Variables
// are on a logarithmic scale: it makes a time a/d and a cost d*v*t convex where
// the coefficients are positive, as geometric programming does, and coupling
// rules linear.
func newRelaxation(p *Problem, allowed int) *relaxation {
	r := &relaxation{
		bounded:   newFigure(p.Scenarios, p.Bound.Metric, nil),
		objective: newFigure(p.Scenarios, p.Objective(), nil),
		limit:     p.Bound.Limit, unit: p.Bound.Limit, allowed: allowed, worth: 1,
	}
	r.relaxSpace(p.Space)
	r.prepare()
	return r
}

// relaxSpace makes the variables of the box hull of the space. Stages whose
// parallelism is tied by equality share one.
func (r *relaxation) relaxSpace(space *models.Space) {
	ties := tie(space)
	r.stages = make([]stageVariables, len(ties))
	for i, t := range ties {
		s := &r.stages[i]
		*s = stageVariables{parallelism: -1, vcpu: -1, times: 1, fixedParallelism: t.low}
		if t.leader < 0 && t.low < t.up {
			s.parallelism = len(r.variables)
			r.variables = append(r.variables, variable{from: t.low, to: t.up, log: true})
		}
		choices := space.Choices(i)
		smallest, largest := choices[0], choices[0]
		for _, c := range choices {
			if c.VCPU < smallest.VCPU {
				smallest = c
			}
			if c.VCPU > largest.VCPU {
				largest = c
			}
		}
		s.fixedVCPU, s.memoryPerVCPU = smallest.VCPU, float64(largest.Memory)/largest.VCPU
		if smallest.VCPU < largest.VCPU {
			s.vcpu = len(r.variables)
			r.variables = append(r.variables, variable{from: smallest.VCPU, to: largest.VCPU, log: true})
		}
	}
	for i, t := range ties {
		if t.leader >= 0 {
			leader := r.stages[t.leader]
			r.stages[i].parallelism, r.stages[i].times = leader.parallelism, t.times
			r.stages[i].fixedParallelism = t.times * leader.fixedParallelism
		}
	}
	for _, rule := range space.Rules() {
		if !rule.Equal {
			r.rules = append(r.rules, rule)
		}
	}
}

// tied is the range of the parallelism of a stage, and the stage of whose
// parallelism it is a multiple; -1 for none.
type tied struct {
	low, up float64
	leader  int
	times   float64
}

// tie finds the stages that equality couples. Chains of equalities, and those
// that leave no common range, are left to rounding.
func tie(space *models.Space) []tied {
	var ties []tied
	for i := range space.Workflow.Len() {
		choices := space.Choices(i)
		ties = append(ties, tied{
			low: float64(choices[0].Parallelism), up: float64(choices[len(choices)-1].Parallelism), leader: -1,
		})
	}
	leads := make([]bool, len(ties))
	for _, rule := range space.Rules() {
		stage, of, times := &ties[rule.Stage], &ties[rule.Of], float64(rule.Times)
		if !rule.Equal || stage.leader >= 0 || of.leader >= 0 || leads[rule.Stage] {
			continue
		}
		low, up := max(of.low, stage.low/times), min(of.up, stage.up/times)
		if low > up {
			continue
		}
		of.low, of.up = low, up
		stage.leader, stage.times = rule.Of, times
		leads[rule.Of] = true
	}
	return ties
}

// prepare makes the buffers.
func (r *relaxation) prepare() {
	n := r.bounded.scenarios.Len()
	r.points = make([]models.Point, len(r.stages))
	r.order = indices(n)
	r.excess = make([]float64, n)
	r.discarded = make([]bool, n)
	r.pathID = make(map[string]int)
	r.stagesAll, r.slopes = indices(len(r.stages)), make(slopes, len(r.stages))
	r.known = make(map[constraintID]bool)
}

func (r *relaxation) box() (lo, hi []float64) {
	for _, v := range r.variables {
		if v.log {
			lo, hi = append(lo, 0), append(hi, 1)
		} else {
			lo, hi = append(lo, v.from), append(hi, v.to)
		}
	}
	return lo, hi
}

// configure sets the points of the stages from the variables.
func (r *relaxation) configure(x []float64) []models.Point {
	w := r.bounded.scenarios.Workflow()
	for i := range r.stages {
		s, p := &r.stages[i], &r.points[i]
		p.Parallelism, p.VCPU = s.fixedParallelism, s.fixedVCPU
		if s.parallelism >= 0 {
			d, slope := r.variables[s.parallelism].at(x[s.parallelism])
			p.Parallelism, s.slopeParallelism = s.times*d, s.times*slope
		}
		if s.vcpu >= 0 {
			p.VCPU, s.slopeVCPU = r.variables[s.vcpu].at(x[s.vcpu])
		}
		p.Memory = p.VCPU * s.memoryPerVCPU
		if parent := w.InputParent(i); parent >= 0 {
			p.InputParallelism = r.points[parent].Parallelism
		}
	}
	return r.points
}

func (r *relaxation) at(x []float64) value {
	for i, p := range r.configure(x) {
		latency, cost := r.bounded.scenarios.Terms(i, p)
		r.bounded.set(i, latency, cost)
		if r.objective.scenarios != r.bounded.scenarios {
			latency, cost = r.objective.scenarios.Terms(i, p)
		}
		r.objective.set(i, latency, cost)
	}
	if r.objective.metric == Latency {
		r.objective.evaluate()
	}
	v := value{objective: r.objective.mean() / r.worth}
	for s, metric := range r.bounded.evaluate() {
		e := (metric - r.limit) / r.unit
		if math.IsNaN(e) {
			e = math.Inf(1)
		}
		r.excess[s] = e
		v.total += max(0, e)
	}
	largestFirst(r.order, r.excess, r.allowed+1)
	clear(r.discarded)
	for _, s := range r.order[:r.allowed] {
		r.discarded[s] = true
	}
	v.worst = r.excess[r.order[r.allowed]]
	for k := range r.rules {
		e := r.rule(k)
		v.worst = max(v.worst, e)
		v.total += max(0, e)
	}
	return v
}

// chain adds the derivatives by the configuration of the stages to those by
// the variables.
func (r *relaxation) chain(d slopes, scale float64, g []float64) {
	w := r.bounded.scenarios.Workflow()
	for i := range d {
		s := &r.stages[i]
		if s.parallelism >= 0 {
			g[s.parallelism] += scale * d[i].byParallelism * s.slopeParallelism
		}
		if s.vcpu >= 0 {
			g[s.vcpu] += scale * d[i].byVCPU * s.slopeVCPU
		}
		if parent := w.InputParent(i); parent >= 0 && d[i].byInput != 0 {
			if in := &r.stages[parent]; in.parallelism >= 0 {
				g[in.parallelism] += scale * d[i].byInput * in.slopeParallelism
			}
		}
	}
}

func (r *relaxation) gradient(g []float64) {
	clear(g)
	clear(r.slopes)
	r.objective.meanSlopes(r.slopes)
	r.chain(r.slopes, 1/r.worth, g)
}

// cuts offers, besides the kept constraints, the worst scenarios that are not
// left out: twice as many as there are variables, which is more than can be
// active at a vertex.
func (r *relaxation) cuts(keep []constraintID) []cut {
	more := min(2*len(r.variables)+2, len(r.order)-r.allowed)
	most, n := len(r.rules)+len(keep)+more, len(r.variables)
	list := make([]cut, 0, most)
	gradients := make([]float64, most*n)
	clear(r.known)
	add := func(id constraintID) {
		if !r.known[id] {
			r.known[id] = true
			k := len(list)
			list = append(list, r.linearise(id, gradients[k*n:(k+1)*n:(k+1)*n]))
		}
	}
	for k := range r.rules {
		add(constraintID{scenario: -1 - k})
	}
	for _, id := range keep {
		if id.scenario >= 0 && !r.discarded[id.scenario] {
			add(id)
		}
	}
	candidates := r.order[r.allowed:]
	largestFirst(candidates, r.excess, more)
	for _, s := range candidates[:more] {
		add(constraintID{s, r.pathOf(s)})
	}
	return list
}

// pathOf names the longest path of scenario s.
func (r *relaxation) pathOf(s int) int {
	if r.bounded.metric == Cost || r.bounded.path != nil {
		return 0
	}
	r.path = r.bounded.longest(s, r.path[:0])
	r.key = r.key[:0]
	for _, i := range r.path {
		r.key = append(r.key, byte(i), byte(i>>8))
	}
	id, ok := r.pathID[string(r.key)]
	if !ok {
		id = len(r.paths)
		r.pathID[string(r.key)] = id
		r.paths = append(r.paths, slices.Clone(r.path))
	}
	return id
}

func (r *relaxation) cut(id constraintID) cut {
	return r.linearise(id, make([]float64, len(r.variables)))
}

// linearise makes a cut of a constraint. The gradient is zero, and becomes its.
func (r *relaxation) linearise(id constraintID, gradient []float64) cut {
	if id.scenario < 0 {
		return r.ruleCut(-1-id.scenario, gradient)
	}
	stages := r.stagesAll
	switch {
	case r.bounded.metric == Cost:
	case r.bounded.path != nil:
		stages = r.bounded.path
	default:
		stages = r.paths[id.path]
	}
	clear(r.slopes)
	metric := r.bounded.at(id.scenario, stages, r.slopes)
	r.chain(r.slopes, 1/r.unit, gradient)
	return cut{id: id, value: (metric - r.limit) / r.unit, gradient: gradient}
}

// rule is the value of the coupling rule k, on the logarithmic scale.
func (r *relaxation) rule(k int) float64 {
	rule := r.rules[k]
	return math.Log(r.points[rule.Stage].Parallelism / (float64(rule.Times) * r.points[rule.Of].Parallelism))
}

// ruleCut is the coupling rule k; see linearise.
func (r *relaxation) ruleCut(k int, gradient []float64) cut {
	rule := r.rules[k]
	c := cut{id: constraintID{scenario: -1 - k}, value: r.rule(k), gradient: gradient}
	if s := r.stages[rule.Stage]; s.parallelism >= 0 {
		c.gradient[s.parallelism] += s.slopeParallelism / r.points[rule.Stage].Parallelism
	}
	if s := r.stages[rule.Of]; s.parallelism >= 0 {
		c.gradient[s.parallelism] -= s.slopeParallelism / r.points[rule.Of].Parallelism
	}
	return c
}
