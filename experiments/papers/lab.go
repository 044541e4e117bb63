package papers

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"eevee/experiments"
	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
)

// Lab is what one experiment works with: the setups of workflows, and the
// results of the cells that were planned. Labs of one run share both.
type Lab struct {
	*shared
	mu   sync.Mutex
	used map[string]bool // workflows that the experiment looked at
}

// shared is what all experiments of a run have in common.
type shared struct {
	options Options

	sharing sync.Mutex // guards the maps
	results map[Cell]CellResult
	benches map[string]*bench

	functions func() ([]recordedFunction, error) // of ChunkFunc's profiles, read once; nil where there are none
	generated func() (*stepWorkload, error)      // of StepConf, made once; nil without those profiles
}

// bench is a workflow that is ready for experiments. It is made once.
type bench struct {
	once    sync.Once
	err     error
	setup   *experiments.Setup
	world   *sim.Replay
	holdout *models.Scenarios
	samples int // of a problem
	sample  *models.Scenarios
	mu      sync.Mutex
	trials  map[string]*trial // by configuration: bounds often have the same answer
}

// trial is what does not depend on the bound of a configuration: the percentiles
// that the model predicts, and how it is executed.
type trial struct {
	once          sync.Once
	err           error
	latency, cost experiments.Percentiles
	executed      Executed
}

func newLab(o Options) *Lab {
	s := &shared{options: o, results: map[Cell]CellResult{}, benches: map[string]*bench{}}
	s.functions = sync.OnceValues(func() ([]recordedFunction, error) { return functionsOf(o.Sources) })
	s.generated = sync.OnceValues(func() (*stepWorkload, error) {
		functions, err := s.functions()
		if err != nil || functions == nil {
			return nil, err
		}
		return newStepConfFacts().synthetic(functions)
	})
	return &Lab{shared: s, used: map[string]bool{}}
}

// of returns the lab for an experiment that looks at the given cells.
func (l *Lab) of(cells []Cell) *Lab {
	own := &Lab{shared: l.shared, used: map[string]bool{}}
	for _, c := range cells {
		own.used[c.Workflow] = true
	}
	return own
}

// put fills in the result of a planned cell.
func (l *Lab) put(c Cell, r CellResult) {
	l.sharing.Lock()
	defer l.sharing.Unlock()
	l.results[c] = r
}

// Result returns the result of a planned cell.
func (l *Lab) Result(c Cell) CellResult {
	l.sharing.Lock()
	defer l.sharing.Unlock()
	r, ok := l.results[c]
	if !ok {
		panic(fmt.Sprintf("papers: cell %v was not planned", c))
	}
	return r
}

// bench returns the workflow of the given name, ready for experiments.
func (l *Lab) bench(workflow string) (*bench, error) {
	l.mu.Lock()
	l.used[workflow] = true
	l.mu.Unlock()
	l.sharing.Lock()
	b := l.benches[workflow]
	if b == nil {
		b = &bench{trials: map[string]*trial{}}
		l.benches[workflow] = b
	}
	l.sharing.Unlock()
	b.once.Do(func() { b.err = b.prepare(workflow, l.options) })
	return b, b.err
}

// prepare fits the published model and price to the trace that is at hand.
func (b *bench) prepare(workflow string, o Options) error {
	def, err := models.Load(workflow)
	if err != nil {
		return err
	}
	trace, err := o.Sources.Trace(workflow, "")
	if err != nil {
		return err
	}
	if b.setup, err = experiments.NewSetup(def, trace, experiments.Choice{Model: "jolteon", Price: "jolteon"}); err != nil {
		return err
	}
	if b.world, err = sim.NewReplay(def.Workflow, trace.Rows, sim.ReplaySettings{}); err != nil {
		return err
	}
	b.samples = solvers.SampleSize(def.Workflow.Len(), publishedRisk, 0, publishedConfErr)
	if b.sample, err = b.setup.Scenarios(b.samples, o.Seed); err != nil {
		return err
	}
	unseen := solvers.HoldoutSize
	if o.Quick {
		unseen = 10_000
	}
	b.holdout, err = b.setup.Model.Sample(unseen, b.setup.Price, experiments.HoldoutStreams(o.Seed))
	return err
}

// artifactScenarios draws scenarios as the published artifact does: without some
// of the constants, and with the same random numbers for every stage.
func (b *bench) artifactScenarios(n int, seed uint64) (*models.Scenarios, error) {
	m, err := models.FitJolteon(b.setup.Profile, models.JolteonOptions{DropConstants: true, ShareDraws: true})
	if err != nil {
		return nil, err
	}
	return m.Sample(n, b.setup.Price, experiments.SampleStreams(seed))
}

// recorded reports whether the workflow's trace is one of recordings.
func (b *bench) recorded() bool { return b.setup.Trace.Origin != experiments.OriginBundled }

// traces lists the traces that the experiment used, by workflow.
func (l *Lab) traces() []TraceUsed {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sharing.Lock()
	defer l.sharing.Unlock()
	var used []TraceUsed
	for name := range l.used {
		trace := l.benches[name].setup.Trace
		used = append(used, TraceUsed{name, trace.Origin, trace.SHA256})
	}
	slices.SortFunc(used, byWorkflow)
	return used
}

// runs is how often a configuration is executed.
func (l *Lab) runs() int {
	if l.options.Quick {
		return 500
	}
	return 2000
}

// answer lets the method of a cell solve its problem, checks the answer on the
// holdout and executes it.
func (l *Lab) answer(ctx context.Context, c Cell) (CellResult, error) {
	fail := func(err error) (CellResult, error) { return CellResult{}, fmt.Errorf("%v: %w", c, err) }
	b, err := l.bench(c.Workflow)
	if err != nil {
		return fail(err)
	}
	p, err := b.setup.Pose(b.sample, c.bound())
	if err != nil {
		return fail(err)
	}
	r := CellResult{Cell: c, Samples: b.samples}
	if r.Allowed, err = p.Allowed(); err != nil {
		return fail(err)
	}
	if c.Method == MethodArtifact {
		if r.Config, err = artifactAnswer(b.setup.Definition, c); err != nil {
			return fail(err)
		}
		r.Violations = p.Evaluate(r.Config).Violations
	} else {
		method, err := experiments.NewMethod(c.Method)
		if err != nil {
			return fail(err)
		}
		if reason := method.Supports(p); reason != nil {
			return CellResult{Cell: c, Unsupported: reason.Error()}, nil
		}
		report, err := solvers.Solve(ctx, p, method, models.Streams{Seed: l.options.Seed}, nil)
		if err == nil {
			err = ctx.Err() // a search that was cut short is no result
		}
		if err != nil {
			return fail(err)
		}
		s := report.Solution
		r.Status, r.Config, r.Violations, r.Warnings = s.Status, s.Config, s.Violations, s.Warnings
	}
	if !r.Answered() {
		return r, nil
	}
	latency, cost := b.holdout.Outcomes(r.Config)
	r.risk(latency, cost)
	t := b.trial(r.Config)
	t.once.Do(func() { t.err = l.try(ctx, b, r.Config, latency, cost, t) })
	r.Latency, r.Cost, r.Executed = t.latency, t.cost, t.executed
	if t.err != nil {
		return fail(t.err)
	}
	return r, nil
}

// risk fills in how often the answer exceeds its bound, from its outcomes on the
// holdout.
func (r *CellResult) risk(latency, cost []float64) {
	above := solvers.Exceeding((solvers.Outcome{Latency: latency, Cost: cost}).Bounded(r.Metric), r.Limit)
	n := len(latency)
	r.Risk = float64(above) / float64(n)
	r.RiskLo, r.RiskHi = solvers.BinomialInterval(above, n, publishedConfidence)
}

// trial returns the trial of a configuration, which may still have to be made.
func (b *bench) trial(c models.Config) *trial {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := fmt.Sprint(c)
	if b.trials[key] == nil {
		b.trials[key] = &trial{}
	}
	return b.trials[key]
}

// try predicts percentiles of a configuration from its outcomes on the holdout
// and executes it in the replay world.
func (l *Lab) try(ctx context.Context, b *bench, c models.Config, latency, cost []float64, t *trial) error {
	t.latency, t.cost = experiments.PercentilesOf(latency), experiments.PercentilesOf(cost)
	summary, err := sim.Simulate(ctx, b.world, c, l.runs(), l.settings(b), nil)
	if err != nil {
		return err
	}
	t.executed, err = executedOf(summary)
	return err
}

func (l *Lab) settings(b *bench) sim.Settings {
	return sim.Settings{Seed: l.options.Seed, Price: b.setup.Price}
}

func executedOf(s *sim.Summary) (Executed, error) {
	figure := func(d sim.Distribution) (ExecutedFigure, error) {
		if d.P95.Interval == nil {
			return ExecutedFigure{}, fmt.Errorf("%d runs are too few for an interval of the 95th percentile; it takes %d", s.Runs, d.P95.Needs)
		}
		return ExecutedFigure{Mean: d.Mean, P50: d.P50.Value, P95: d.P95.Value, P95Lo: d.P95.Interval.Lo, P95Hi: d.P95.Interval.Hi}, nil
	}
	e := Executed{Runs: s.Runs, Warnings: s.Warnings}
	var err error
	if e.Latency, err = figure(s.Latency); err != nil {
		return e, err
	}
	e.Cost, err = figure(s.Cost)
	return e, err
}
