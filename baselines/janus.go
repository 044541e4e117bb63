package baselines

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"eevee/models"
	"eevee/solvers"
)

// Janus is late binding of CPU sizes in the manner of Janus ("It Takes Two to
// Tango", IPDPS'25). Sourced are its idea and its parts: sizes chosen before a
// run must provide for the worst case, so a function's size is chosen when it
// is ready, by the time that is left; a synthesiser on the side of the
// developer turns profiles into hints and condenses them, and an adapter on
// the side of the provider looks them up. The paper's body is not public to
// us: everything in detail, from timeout and resilience to the treatment of
// branches, misses and regeneration, is a reconstruction (algorithms.md 7),
// and no number of the paper can be checked against it.
//
// Only the size of instances is bound late; their number stays that of a
// configuration chosen before (EarlyBinding). Sizes are chosen to use the
// least CPU, in vCPU over all instances, as in the paper, not to cost least.
type Janus struct {
	Limit float64 // s, on the latency of the workflow

	// Base is the configuration whose parallelism is kept.
	Base models.Config
	// Worst is the percentile that must fit: a function planned at a lower
	// one must be able to overrun up to it. 0: JanusWorst.
	Worst float64
	// Percentiles are those at which the function to be bound may be planned;
	// Worst always is. nil: 50, 75, 90 and 95. An empty list leaves out the
	// exploration.
	Percentiles []float64
	// HeadWeight is what CPU of the function to be bound counts, relative to
	// the rest, whose sizes are provisional; at least 1. 0: 1.
	HeadWeight float64
	// Step is the grid of budgets in seconds; times are rounded up to it.
	// 0: 10 ms, or a 20,000th of Limit where that is more.
	Step float64
	// MissLimit is the share of misses, in percent, above which the hints
	// count as stale. 0: 1.
	MissLimit float64
	// Cost is what one lookup takes; the zero value charges nothing.
	Cost models.DecisionCost
}

// JanusWorst is the percentile that Janus provides for where none is set.
const JanusWorst = 99

// effective returns the settings with defaults filled in.
func (j Janus) effective() (Janus, error) {
	wrong := func(format string, args ...any) (Janus, error) {
		return j, fmt.Errorf("janus: "+format, args...)
	}
	if !(j.Limit > 0) || math.IsInf(j.Limit, 0) {
		return wrong("latency limit %v s is not a positive number", j.Limit)
	}
	if j.Worst == 0 {
		j.Worst = JanusWorst
	}
	if j.Percentiles == nil {
		j.Percentiles = []float64{50, 75, 90, 95}
	}
	for _, p := range append([]float64{j.Worst}, j.Percentiles...) {
		if !(p > 0 && p <= j.Worst && p <= 100) {
			return wrong("percentile %v is not above 0 and at most the worst one, %v", p, j.Worst)
		}
	}
	if j.HeadWeight == 0 {
		j.HeadWeight = 1
	}
	if !(j.HeadWeight >= 1) || math.IsInf(j.HeadWeight, 0) {
		return wrong("weight %v of the head is not at least 1", j.HeadWeight)
	}
	if j.Step == 0 {
		j.Step = max(0.01, j.Limit/20_000)
	}
	if !(j.Step > 0) || j.Limit/j.Step > 1e6 {
		return wrong("a grid of %v s for budgets of up to %v s", j.Step, j.Limit)
	}
	if j.MissLimit == 0 {
		j.MissLimit = 1
	}
	if !(j.MissLimit > 0 && j.MissLimit <= 100) {
		return wrong("miss limit %v is not above 0 and at most 100 percent", j.MissLimit)
	}
	if err := j.Cost.Check(); err != nil {
		return wrong("%w", err)
	}
	return j, nil
}

// EarlyBinding returns the cheapest configuration that keeps a limit in
// seconds at a percentile of the scenarios, chosen before any run; where none
// does, the closest miss.
func EarlyBinding(ctx context.Context, space *models.Space, scenarios *models.Scenarios, limit, percentile float64) (models.Config, error) {
	p, err := solvers.NewProblem(space, scenarios, solvers.Bound{
		Metric: solvers.Latency, Limit: limit, Percentile: percentile, Confidence: 50, Rule: solvers.Plugin,
	})
	if err != nil {
		return nil, err
	}
	s, err := solvers.Exact{}.Solve(ctx, p, models.Streams{})
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case s.Config == nil:
		return nil, fmt.Errorf("janus: no configuration was found for a limit of %v s", limit)
	}
	return s.Config, nil
}

// JanusPolicy is the adapter with its hints. It counts misses over all of its
// runs; the sum does not depend on their order.
type JanusPolicy struct {
	Janus
	space    *models.Space
	sizes    [][]models.StageConfig // per stage
	fastest  []int                  // per stage: the size to take on a miss
	places   []janusPlace           // per stage
	series   int                    // number of series
	lookups  atomic.Int64
	misses   atomic.Int64
	hintRows int
}

// janusPlace says where an element stands.
type janusPlace struct {
	hints  *janusHints
	series int         // number of the series, 0 being the whole workflow
	at     int         // position in it
	parent *janusPlace // the branches that the series is one of; nil for the whole workflow
}

// Synthesise profiles the functions on the scenarios and makes the hints. The
// workflow must be series-parallel.
func (j Janus) Synthesise(space *models.Space, scenarios *models.Scenarios) (*JanusPolicy, error) {
	j, err := j.effective()
	if err != nil {
		return nil, err
	}
	w := space.Workflow
	if scenarios.Workflow() != w {
		return nil, fmt.Errorf("janus: the space is of workflow %s, the scenarios of workflow %s", w.Name(), scenarios.Workflow().Name())
	}
	if _, err := space.Locate(j.Base); err != nil {
		return nil, fmt.Errorf("janus: base configuration: %w", err)
	}
	root, err := janusParts(w)
	if err != nil {
		return nil, err
	}
	p := &JanusPolicy{Janus: j, space: space, fastest: make([]int, w.Len()), places: make([]janusPlace, w.Len())}
	options := make([][]janusOption, w.Len())
	latency := make([]float64, scenarios.Len())
	for i := range w.Len() {
		var sizes []models.StageConfig
		for _, c := range space.Choices(i) {
			if c.Parallelism != j.Base[i].Parallelism {
				continue
			}
			scenarios.Columns(i, c, w.InputParallelism(j.Base, i), latency, nil)
			slices.Sort(latency)
			sizes = append(sizes, c)
			options[i] = append(options[i], j.option(c, latency))
		}
		p.sizes = append(p.sizes, sizes)
		for k, o := range options[i] {
			if o.worst <= options[i][p.fastest[i]].worst {
				p.fastest[i] = k
			}
		}
	}
	p.compose(root, nil, options)
	return p, nil
}

// option describes a size by its latencies in ascending order.
func (j Janus) option(c models.StageConfig, sorted []float64) janusOption {
	cells := func(percentile float64) int {
		// Whole cells but for rounding error are not rounded up. A fitted
		// model may have negative times far out.
		cells := math.Ceil(models.SortedQuantileR7(sorted, percentile/100)/j.Step - 1e-9)
		return int(max(0, min(cells, 2*j.Limit/j.Step+1)))
	}
	o := janusOption{cpu: c.VCPU * float64(c.Parallelism), worst: cells(j.Worst)}
	for _, p := range j.Percentiles {
		o.early = append(o.early, cells(p))
	}
	o.early = append(o.early, o.worst)
	return o
}

// cells returns the number of whole steps in a budget of so many seconds.
func (j Janus) cells(budget float64) int {
	return int(math.Floor(min(budget, j.Limit)/j.Step + 1e-9))
}

// compose makes the hints of a series, branches first, and tells its stages
// where they stand.
func (p *JanusPolicy) compose(s *janusSeries, parent *janusPlace, stage [][]janusOption) *janusHints {
	number := p.series
	p.series++
	cells := p.cells(p.Limit)
	var options [][]janusOption
	places := make([]*janusPlace, len(s.elements))
	for e, element := range s.elements {
		places[e] = &janusPlace{series: number, at: e, parent: parent}
		if element.stage >= 0 {
			options = append(options, stage[element.stage])
			continue
		}
		var branches []*janusHints
		for _, b := range element.branches {
			branches = append(branches, p.compose(b, places[e], stage))
		}
		options = append(options, shares(branches, cells))
	}
	hints := synthesise(options, cells, p.HeadWeight)
	for e, element := range s.elements {
		places[e].hints = hints
		p.hintRows += len(hints.tables[e].starts)
		if element.stage >= 0 {
			p.places[element.stage] = *places[e]
		}
	}
	return hints
}

// String returns "janus", and "janus:worst" without exploration.
func (p *JanusPolicy) String() string {
	if len(p.Percentiles) == 0 {
		return "janus:worst"
	}
	return "janus"
}

// Rows returns the number of rows of all tables.
func (p *JanusPolicy) Rows() int { return p.hintRows }

// Misses returns how many of the decisions of all runs so far found no hint,
// because too little time was left.
func (p *JanusPolicy) Misses() (misses, decisions int) {
	return int(p.misses.Load()), int(p.lookups.Load())
}

// Stale reports whether the share of misses exceeds MissLimit: the developer
// is asked to profile again. Runs are independent replications, so hints are
// regenerated between simulations and never during one.
func (p *JanusPolicy) Stale() bool {
	misses, decisions := p.Misses()
	return float64(misses) > p.MissLimit/100*float64(decisions)
}

// Warnings say that the hints are stale.
func (p *JanusPolicy) Warnings() []string {
	if !p.Stale() {
		return nil
	}
	misses, decisions := p.Misses()
	return []string{fmt.Sprintf("%.1f %% of the decisions of %s found no hint, because too little time was left, and took the fastest size; the hints go with a limit above %v s or a new profile",
		100*float64(misses)/float64(decisions), p, p.Limit)}
}

// Regenerate returns a policy with the same settings, whose hints come from
// new scenarios, and which has missed nothing yet.
func (p *JanusPolicy) Regenerate(scenarios *models.Scenarios) (*JanusPolicy, error) {
	return p.Synthesise(p.space, scenarios)
}

// Begin returns a decider for a run in which only the deadline of the whole
// workflow is set.
func (p *JanusPolicy) Begin() models.Decider {
	d := &janusDecider{JanusPolicy: p, deadline: slices.Repeat([]float64{math.NaN()}, p.series)}
	d.deadline[0] = p.Limit
	return d
}

// janusDecider holds the deadlines of a run.
type janusDecider struct {
	*JanusPolicy
	deadline []float64 // per series, s since the start of the run; NaN: not set
}

// Decide looks up the size for the time that is left to the series of the
// stage. On a miss the stage gets its fastest size.
func (d *janusDecider) Decide(stage int, p models.Progress) models.Decision {
	now := p.Now + d.Cost.Latency
	place := &d.places[stage]
	k := place.hints.tables[place.at].lookup(d.cells(d.until(place, now) - now))
	d.lookups.Add(1)
	if k < 0 {
		d.misses.Add(1)
		k = d.fastest[stage]
	}
	return models.Decision{StageConfig: d.sizes[stage][k], Cost: d.Cost}
}

// until returns the deadline of the series in which a place is. Branches get
// theirs when the first of their functions is decided: the share of the budget
// that the hints give to all of them. On a miss they get none, so that all of
// their functions miss.
func (d *janusDecider) until(place *janusPlace, now float64) float64 {
	if block := place.parent; block != nil && math.IsNaN(d.deadline[place.series]) {
		share := -d.Step
		if k := block.hints.tables[block.at].lookup(d.cells(d.until(block, now) - now)); k >= 0 {
			share = float64(block.hints.options[block.at][k].worst) * d.Step
		}
		d.deadline[place.series] = now + share
	}
	return d.deadline[place.series]
}
