package baselines

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"eevee/models"
)

// StepConf is StepConf (Wen et al., INFOCOM'22): before every step it decides
// memory, instances (inter-function parallelism) and processes inside an
// instance (intra-function parallelism) of that step, under a limit on the
// latency of the workflow. Policy makes the online method of it (Algorithm 2);
// Static, NoNo and Optimal are what the paper compares it with.
//
// The configuration-aware pre-warming of its extension (TPDS'24) is an option
// of the online method; only the abstract is known to us.
type StepConf struct {
	Limit float64 // s, on the latency of the workflow
	Price models.PriceBook

	// Literal takes Eq. 12 as it is printed, which makes the configuration
	// with the largest product of cost and time the most cost-effective one.
	// The default takes the smallest.
	Literal bool
	// FreeMapping charges an instance for the time it runs. The default
	// charges it for the time of the whole step, mapping delay included, as
	// the paper's cost model does.
	FreeMapping bool
	// Vary says which parallelism is decided; zero value: both.
	Vary StepConfVary
	// Processes are the numbers of processes to choose from; nil: what was
	// recorded, which profiles do not tell (StepConfModel).
	Processes []int
	// Prewarm starts instances for the stages that come next, of the
	// configurations that they are predicted to get (see prewarm). It concerns
	// the online method only.
	Prewarm bool
	// Cost is what one decision takes: the optimiser's function before every
	// step and its cache. The paper gives no numbers; the zero value charges
	// nothing.
	Cost models.DecisionCost
}

// StepConfVary says which parallelism StepConf decides.
type StepConfVary int

// The variants of the paper's comparison (Fig. 18 to 21). A parallelism that
// is not decided is the least that the space has.
const (
	VaryBoth  StepConfVary = iota
	VaryInter              // instances, one process each
	VaryIntra              // processes in as few instances as can be
	VaryNone               // neither: memory only
)

// stepConfChoice is one configuration of one stage.
type stepConfChoice struct {
	config models.StageConfig
	time   float64 // s
	billed float64 // s, per instance
	cost   float64 // USD
}

// stepConfTable is the choices of every stage, from the cheapest on, and the
// time of its most cost-effective one.
type stepConfTable struct {
	StepConf
	model   *StepConfModel
	space   *models.Space
	choices [][]stepConfChoice
	weight  []float64 // s
}

func (s StepConf) table(m *StepConfModel, space *models.Space) (*stepConfTable, error) {
	switch {
	case space.Workflow != m.workflow:
		return nil, fmt.Errorf("stepconf: the space is of workflow %s, the model of workflow %s", space.Workflow.Name(), m.workflow.Name())
	case !(s.Limit > 0) || math.IsInf(s.Limit, 0):
		return nil, fmt.Errorf("stepconf: latency limit %v s is not a positive number", s.Limit)
	case s.Vary < VaryBoth || s.Vary > VaryNone:
		return nil, fmt.Errorf("stepconf: unknown value %d of Vary", s.Vary)
	}
	if err := s.Cost.Check(); err != nil {
		return nil, fmt.Errorf("stepconf: %w", err)
	}
	processes := []int{0}
	if len(s.Processes) > 0 {
		if processes = s.Processes; slices.Min(processes) < 1 {
			return nil, fmt.Errorf("stepconf: %d processes", slices.Min(processes))
		}
		if s.Vary == VaryInter || s.Vary == VaryNone {
			processes = []int{1}
		}
	}
	t := &stepConfTable{StepConf: s, model: m, space: space}
	if s.Vary == VaryIntra || s.Vary == VaryNone {
		var err error
		if t.space, err = leastParallelism(space); err != nil {
			return nil, err
		}
	}
	for i := range space.Workflow.Len() {
		var list []stepConfChoice
		for _, c := range t.space.Choices(i) {
			// More time never costs less, so the number of processes that is
			// fastest is also the cheapest.
			var best stepConfChoice
			for k, q := range processes {
				c.Processes = q
				if x := s.choice(m, i, c); k == 0 || x.time < best.time {
					best = x
				}
			}
			list = append(list, best)
		}
		slices.SortStableFunc(list, func(a, b stepConfChoice) int {
			return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.time, b.time))
		})
		t.choices = append(t.choices, list)
		t.weight = append(t.weight, s.effective(list).time)
	}
	return t, nil
}

func (s StepConf) choice(m *StepConfModel, i int, c models.StageConfig) stepConfChoice {
	x := stepConfChoice{config: c, time: m.Time(i, c)}
	if x.billed = x.time; s.FreeMapping {
		x.billed = m.InstanceTime(i, c)
	}
	x.cost = s.Price.Stage(c, x.billed)
	return x
}

// effective returns the most cost-effective choice (Eq. 12).
func (s StepConf) effective(list []stepConfChoice) stepConfChoice {
	by := func(a, b stepConfChoice) int { return cmp.Compare(a.cost*a.time, b.cost*b.time) }
	if s.Literal {
		return slices.MaxFunc(list, by)
	}
	return slices.MinFunc(list, by)
}

// leastParallelism returns the part of a space in which every stage has the
// least parallelism that it can have.
func leastParallelism(space *models.Space) (*models.Space, error) {
	w := space.Workflow
	choices := make([][]models.StageConfig, w.Len())
	partial := make(models.Config, w.Len())
	for i := range choices {
		for _, c := range space.Choices(i) { // sorted by parallelism
			if partial[i].Parallelism != 0 && c.Parallelism != partial[i].Parallelism {
				break
			}
			before := partial[i]
			if partial[i] = c; !space.Extends(partial) {
				partial[i] = before
				continue
			}
			choices[i] = append(choices[i], c)
		}
		if len(choices[i]) == 0 {
			return nil, errors.New("stepconf: the space holds no configuration: its rules contradict each other")
		}
	}
	return models.NewSpace(w, choices, space.Rules())
}

// pick returns the cheapest choice of stage i that takes less than the given
// time, or else the fastest one. Only choices count that the space admits
// together with what was decided.
func (t *stepConfTable) pick(i int, limit float64, decided models.Config) stepConfChoice {
	var with models.Config
	admitted := map[int]bool{} // by parallelism
	admits := func(c models.StageConfig) bool {
		if len(t.space.Rules()) == 0 {
			return true
		}
		ok, known := admitted[c.Parallelism]
		if !known {
			if with == nil {
				with = decided.Clone()
			}
			with[i] = c
			ok = t.space.Extends(with)
			admitted[c.Parallelism] = ok
		}
		return ok
	}
	fastest := -1
	for k, x := range t.choices[i] {
		if !admits(x.config) {
			continue
		}
		if x.time < limit {
			return x
		}
		if fastest < 0 || x.time < t.choices[i][fastest].time {
			fastest = k
		}
	}
	if fastest < 0 {
		panic(fmt.Sprintf("stepconf: no choice of stage %q goes with %v, which was decided before", t.space.Workflow.Stage(i).Name, decided))
	}
	return t.choices[i][fastest]
}

// Policy returns the online method.
func (s StepConf) Policy(m *StepConfModel, space *models.Space) (models.Policy, error) {
	t, err := s.table(m, space)
	if err != nil {
		return nil, err
	}
	return &stepConfPolicy{t}, nil
}

// stepConfPolicy is Algorithm 2.
type stepConfPolicy struct{ *stepConfTable }

// String returns the name of the variant.
func (p *stepConfPolicy) String() string {
	name := map[StepConfVary]string{VaryBoth: "stepconf", VaryInter: "stepconf:inter", VaryIntra: "stepconf:intra", VaryNone: "stepconf:memory"}[p.Vary]
	if p.Literal {
		name += ":literal"
	}
	if p.Prewarm {
		name += ":prewarm"
	}
	return name
}

// Begin returns a decider with an empty cache: the workflow is one part, to
// end at the limit.
func (p *stepConfPolicy) Begin() models.Decider {
	n := p.space.Workflow.Len()
	whole := &stepConfPart{deadline: p.Limit}
	d := &stepConfDecider{
		stepConfTable: p.stepConfTable, parts: make([]*stepConfPart, n), expected: make([]float64, n),
		next: make([]int, n), length: make([]float64, n), start: make([]float64, n),
	}
	for i := range n {
		whole.stages = append(whole.stages, i)
		d.parts[i] = whole
	}
	return d
}

// stepConfPart is an entry of the cache: stages that share a latest finish
// time, in the workflow's order. None of them is decided.
type stepConfPart struct {
	stages   []int
	deadline float64 // s since the start of the run
}

// stepConfDecider holds the cache of a run: the part that every stage is in,
// nil once it is decided. A decision takes time in proportion to the stages and
// edges of one part at a time.
type stepConfDecider struct {
	*stepConfTable
	parts    []*stepConfPart
	expected []float64 // s since the start of the run; when the model expects decided stages to end, for pre-warming

	// Of the critical path found last, per stage of its part. Scratch.
	next   []int     // the stage after it on the longest path from it, -1 for none
	length []float64 // s; of that path
	start  []float64 // s since the start of the run; when a stage of the critical path has to start
}

// Decide configures the stage and, with Prewarm, starts instances for those
// that come next.
func (d *stepConfDecider) Decide(stage int, p models.Progress) models.Decision {
	now := p.Now + d.Cost.Latency
	decision := models.Decision{StageConfig: d.decide(stage, now, p.Config), Cost: d.Cost}
	if d.Prewarm {
		decision.Prewarm = d.prewarm(stage, now, p, decision.StageConfig)
	}
	return decision
}

// decide divides the time that is left for the stage's part along its critical
// path, in proportion to the times of the most cost-effective configurations,
// and takes the cheapest configuration that fits into the stage's share, or
// else the fastest (Eq. 13 and Algorithm 2).
//
// Stages beside the path form parts of their own, which must end when the
// first stage of the path that waits for them has to start; the paper leaves
// open what happens at joins, so the earliest of these times counts, and stays
// as it was cached when the path is divided again. A stage beside the path is
// looked for in its part in the same way.
func (d *stepConfDecider) decide(stage int, now float64, decided models.Config) models.StageConfig {
	for {
		part := d.parts[stage]
		path, total := d.criticalPath(part)
		d.divide(part, path, total, now)
		if path[0] == stage {
			d.parts[stage].stages = path[1:]
			d.parts[stage] = nil
			share := d.weight[stage] / total * (part.deadline - now)
			return d.pick(stage, share, decided).config
		}
		if slices.Contains(path, stage) {
			panic(fmt.Sprintf("stepconf: stage %q is decided before a stage that it waits for", d.space.Workflow.Stage(stage).Name))
		}
	}
}

// criticalPath returns the path through the stages of a part whose weights have
// the largest sum, and that sum.
func (d *stepConfDecider) criticalPath(part *stepConfPart) (path []int, total float64) {
	w := d.space.Workflow
	first := -1
	for _, i := range slices.Backward(part.stages) {
		next := -1
		for _, c := range w.Children(i) {
			if d.parts[c] == part && (next < 0 || d.length[c] > d.length[next]) {
				next = c
			}
		}
		d.next[i], d.length[i] = next, d.weight[i]
		if next >= 0 {
			d.length[i] += d.length[next]
		}
		if first < 0 || d.length[i] >= d.length[first] {
			first = i
		}
	}
	for i := first; i >= 0; i = d.next[i] {
		path = append(path, i)
	}
	return path, d.length[first]
}

// divide caches a part as what its critical path makes of it: the path, and the
// stages beside it.
func (d *stepConfDecider) divide(part *stepConfPart, path []int, total, now float64) {
	w := d.space.Workflow
	along := &stepConfPart{stages: path, deadline: part.deadline}
	at := now
	for _, i := range path {
		d.parts[i] = along
		d.start[i] = at
		at += d.weight[i] / total * (part.deadline - now)
	}
	// Stages beside the path hang together along edges between them.
	for _, i := range part.stages {
		if d.parts[i] != part {
			continue
		}
		branch := &stepConfPart{stages: []int{i}, deadline: part.deadline}
		d.parts[i] = branch
		reach := func(near []int) {
			for _, j := range near {
				if d.parts[j] == part {
					d.parts[j] = branch
					branch.stages = append(branch.stages, j)
				}
			}
		}
		for k := 0; k < len(branch.stages); k++ {
			j := branch.stages[k]
			reach(w.Parents(j))
			reach(w.Children(j))
			for _, c := range w.Children(j) {
				if d.parts[c] == along {
					branch.deadline = min(branch.deadline, d.start[c])
				}
			}
		}
		slices.Sort(branch.stages)
	}
}
