package experiments

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
)

// CompareSchema names the JSON form of a Comparison.
const CompareSchema = "eevee.compare/2"

// Comparison is several methods and policies on the same problem, the same
// scenarios, the same holdout and the same simulated world.
type Comparison struct {
	Schema string     `json:"schema"`
	Cells  []Compared `json:"cells"` // in the order in which the methods were named
	Notes  []string   `json:"notes"` // what the reader of the cells must know
}

// Compared is one method or policy of a Comparison.
type Compared struct {
	Result
	Unsupported string     `json:"unsupported,omitempty"` // why the method cannot handle the problem; the rest is then empty
	Decides     When       `json:"decides"`
	Choices     []Decided  `json:"choices"`      // what a policy decided on the holdout, by stage; empty where Config was decided before
	GapToExact  *float64   `json:"gap_to_exact"` // relative distance of the objective to the proved optimum of one configuration for all scenarios; null where either is missing or the bound is broken
	Ties        []string   `json:"ties"`         // methods whose objective cannot be told apart from this one's
	Simulated   *Simulated `json:"simulated"`    // what the configuration does in the world of the trace
}

// When says when a configuration is decided.
type When string

// Before the run, for all runs; or during it, stage by stage.
const (
	Before When = "before"
	During When = "during"
)

// Answered reports whether there is something to compare.
func (c Compared) Answered() bool { return c.Predicted != nil }

// Keeps reports whether the answer keeps the bound on the sample.
func (c Compared) Keeps() bool {
	return keptBound(c.Bound) && !slices.ContainsFunc(c.Further, func(b ResultBound) bool { return !keptBound(b) })
}

func keptBound(b ResultBound) bool { return b.Kept != nil && *b.Kept }

// objective returns what is minimised, NaN where there is none.
func (c Compared) objective() float64 {
	switch {
	case c.Objective.PercentileS != nil:
		return *c.Objective.PercentileS
	case c.Objective.PercentileUSD != nil:
		return *c.Objective.PercentileUSD
	case c.Objective.MeanS != nil:
		return *c.Objective.MeanS
	case c.Objective.MeanUSD != nil:
		return *c.Objective.MeanUSD
	}
	return math.NaN()
}

// Simulated is the verdict of the simulator, which shares no code with the
// model.
type Simulated struct {
	Runs     int      `json:"runs"`
	LatencyS SimPoint `json:"latency_s"`
	CostUSD  SimPoint `json:"cost_usd"`
	Warnings int      `json:"warnings"` // sizes that were not recorded, and the like
}

// SimPoint is one metric over simulated runs, with the intervals of both
// figures at 95 % confidence; null where there are too few runs.
type SimPoint struct {
	Mean   float64  `json:"mean"`
	MeanLo *float64 `json:"mean_lo"`
	MeanHi *float64 `json:"mean_hi"`
	P95    float64  `json:"p95"`
	Lo     *float64 `json:"p95_lo"`
	Hi     *float64 `json:"p95_hi"`
}

// CompareOptions are the options of Compare.
type CompareOptions struct {
	Methods []string // names as ContenderNames returns them
	Bound   solvers.Bound
	Further []solvers.Bound // as in Request
	Samples int             // as in Request
	Seed    uint64
	Runs    int // of the simulator per method; 0: none

	// Percentile of the objective to minimise; 0: its mean.
	Percentile float64
}

// aim returns what is asked of every configuration.
func (o CompareOptions) aim() solvers.Aim {
	return solvers.Aim{Bound: o.Bound, Further: o.Further, Percentile: o.Percentile}
}

// contest is what the cells of a comparison share.
type contest struct {
	*Setup
	options CompareOptions
	problem *solvers.Problem
	world   sim.World // nil: nothing is simulated
	holdout func() (*models.Scenarios, error)
}

// Compare lets every method solve one problem, on common random numbers, both
// cores at work, and re-checks every answer on one holdout and in the
// simulator. done is told of every method that has ended; it may be nil.
func (s *Setup) Compare(ctx context.Context, o CompareOptions, done func()) (Comparison, error) {
	c := contest{Setup: s, options: o}
	cells := make([]func(context.Context) (Compared, []float64, error), len(o.Methods))
	for i, name := range o.Methods {
		if isPolicy(name) {
			cells[i] = func(ctx context.Context) (Compared, []float64, error) { return c.policyCell(ctx, name) }
			continue
		}
		m, err := NewMethod(name)
		if err != nil {
			return Comparison{}, err
		}
		cells[i] = func(ctx context.Context) (Compared, []float64, error) { return c.methodCell(ctx, m) }
	}
	var err error
	if c.problem, err = s.ProblemOf(o.aim(), o.Samples, o.Seed); err != nil {
		return Comparison{}, err
	}
	c.holdout = sync.OnceValues(func() (*models.Scenarios, error) { return s.Holdout(o.Seed, 0, solvers.HoldoutSize) })
	if o.Runs > 0 && len(s.Trace.Rows) > 0 {
		if c.world, err = sim.NewReplay(s.Definition.Workflow, s.Trace.Rows, sim.ReplaySettings{}); err != nil {
			return Comparison{}, err
		}
	}
	r := Comparison{Schema: CompareSchema, Cells: make([]Compared, len(cells))}
	objectives := make([][]float64, len(cells)) // on the holdout, per scenario
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, cell := range cells {
		work.Go(func() error {
			var err error
			r.Cells[i], objectives[i], err = cell(ctx)
			if done != nil {
				done()
			}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return Comparison{}, err
	}
	relate(r.Cells, objectives, o.Bound.Confidence)
	r.Notes = append(s.ModelWarnings(), c.notes(r.Cells)...)
	return r, nil
}

// methodCell lets one method answer. Every method gets a problem of its own
// around the shared scenarios, so that its evaluations are counted apart.
func (c *contest) methodCell(ctx context.Context, m solvers.Method) (Compared, []float64, error) {
	p, err := c.pose(c.problem.Scenarios, c.problem.Aim)
	if err != nil {
		return Compared{}, nil, err
	}
	if reason := m.Supports(p); reason != nil {
		return c.unsupported(m.String(), Before, reason), nil, nil
	}
	answer, err := c.answer(ctx, p, Request{Bound: c.options.Bound, Further: c.options.Further, Percentile: c.options.Percentile, Method: m, Seed: c.options.Seed}, func(attempt, n int) (*models.Scenarios, error) {
		if attempt == 0 && n == solvers.HoldoutSize {
			return c.holdout()
		}
		return c.Holdout(c.options.Seed, attempt, n)
	})
	if err != nil {
		return Compared{}, nil, err
	}
	cell := Compared{Result: c.Result(answer), Decides: Before}
	if answer.Report.Solution.Config == nil {
		return cell, nil, nil
	}
	err = c.simulate(ctx, &cell, models.StaticPolicy{Config: answer.Report.Solution.Config})
	return cell, c.objective(answer.Report.Holdout.Outcome), err
}

// unsupported is the cell of a method that cannot handle the problem.
func (c *contest) unsupported(name string, decides When, reason error) Compared {
	cell := Compared{Unsupported: reason.Error(), Decides: decides}
	cell.Schema, cell.Workflow, cell.Method, cell.Seed = ResultSchema, c.Definition.Workflow.Name(), name, c.options.Seed
	return cell
}

// objective returns what is minimised, per scenario.
func (c *contest) objective(o solvers.Outcome) []float64 {
	return o.Bounded(c.options.Bound.Metric.Other())
}

// simulate executes an answer in the world of the trace: a configuration as it
// is, a policy deciding in every run.
func (c *contest) simulate(ctx context.Context, cell *Compared, p models.Policy) error {
	if c.world == nil {
		return nil
	}
	request := Simulation{Policy: p}
	if static, ok := p.(models.StaticPolicy); ok {
		request = Simulation{Config: static.Config}
	}
	summary, err := request.execute(ctx, c.world, c.options.Runs, sim.Settings{Seed: c.options.Seed, Price: c.Price, Cores: 1}, nil)
	if err != nil {
		return fmt.Errorf("method %s: %w", cell.Method, err)
	}
	point := func(d sim.Distribution) SimPoint {
		p := SimPoint{Mean: d.Mean, P95: d.P95.Value}
		if d.MeanInterval != nil {
			p.MeanLo, p.MeanHi = &d.MeanInterval.Lo, &d.MeanInterval.Hi
		}
		if d.P95.Interval != nil {
			p.Lo, p.Hi = &d.P95.Interval.Lo, &d.P95.Interval.Hi
		}
		return p
	}
	cell.Simulated = &Simulated{Runs: summary.Runs, LatencyS: point(summary.Latency), CostUSD: point(summary.Cost), Warnings: len(summary.Warnings)}
	return nil
}
