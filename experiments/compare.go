package experiments

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"eevee/models"
	"eevee/sim"
	"eevee/solvers"
)

// CompareSchema names the JSON form of a Comparison.
const CompareSchema = "eevee.compare/1"

// Comparison is several methods on the same problem, the same scenarios, the
// same holdout and the same simulated world.
type Comparison struct {
	Schema string     `json:"schema"`
	Cells  []Compared `json:"cells"` // in the order in which the methods were named
}

// Compared is one method of a Comparison.
type Compared struct {
	Result
	Unsupported string     `json:"unsupported,omitempty"` // why the method cannot handle the problem; the rest is then empty
	GapToExact  *float64   `json:"gap_to_exact"`          // relative distance of the objective to the proved optimum; null where either is missing or the bound is broken
	Ties        []string   `json:"ties"`                  // methods whose objective cannot be told apart from this one's
	Simulated   *Simulated `json:"simulated"`             // what the configuration does in the world of the trace
}

// Keeps reports whether the configuration keeps the bound on the sample.
func (c Compared) Keeps() bool {
	return c.Bound.Violations != nil && *c.Bound.Violations <= c.Bound.AllowedViolations
}

// objective returns the mean objective, NaN where there is none.
func (c Compared) objective() float64 {
	switch {
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

// SimPoint is one metric over simulated runs.
type SimPoint struct {
	Mean float64  `json:"mean"`
	P95  float64  `json:"p95"`
	Lo   *float64 `json:"p95_lo"` // of the interval; null where there are too few runs
	Hi   *float64 `json:"p95_hi"`
}

// CompareOptions are the options of Compare.
type CompareOptions struct {
	Methods []string // names as NewMethod knows them
	Bound   solvers.Bound
	Samples int // as in Request
	Seed    uint64
	Runs    int // of the simulator per method; 0: none
}

// Compare lets every method solve one problem, on common random numbers, both
// cores at work, and re-checks every answer on one holdout and in the
// simulator. done is told of every method that has ended; it may be nil.
func (s *Setup) Compare(ctx context.Context, o CompareOptions, done func()) (Comparison, error) {
	methods := make([]solvers.Method, len(o.Methods))
	for i, name := range o.Methods {
		var err error
		if methods[i], err = NewMethod(name); err != nil {
			return Comparison{}, err
		}
	}
	shared, err := s.Problem(o.Bound, o.Samples, o.Seed)
	if err != nil {
		return Comparison{}, err
	}
	var world sim.World
	if o.Runs > 0 && len(s.Trace.Rows) > 0 {
		if world, err = sim.NewReplay(s.Definition.Workflow, s.Trace.Rows, sim.ReplaySettings{}); err != nil {
			return Comparison{}, err
		}
	}
	cells := make([]Compared, len(methods))
	objectives := make([][]float64, len(methods)) // on the holdout, per scenario
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, m := range methods {
		work.Go(func() error {
			var err error
			cells[i], objectives[i], err = s.cell(ctx, shared, m, o, world)
			if done != nil {
				done()
			}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return Comparison{}, err
	}
	relate(cells, objectives, o.Bound.Confidence)
	return Comparison{Schema: CompareSchema, Cells: cells}, nil
}

// cell lets one method answer. Every method gets a problem of its own around
// the shared scenarios, so that its evaluations are counted apart.
func (s *Setup) cell(ctx context.Context, shared *solvers.Problem, m solvers.Method, o CompareOptions, world sim.World) (Compared, []float64, error) {
	p, err := solvers.NewProblem(shared.Space, shared.Scenarios, shared.Bound)
	if err != nil {
		return Compared{}, nil, err
	}
	p.Profile, p.Model, p.InputBytes = shared.Profile, shared.Model, shared.InputBytes
	if reason := m.Supports(p); reason != nil {
		c := Compared{Unsupported: reason.Error()}
		c.Schema, c.Workflow, c.Method, c.Seed = ResultSchema, s.Definition.Workflow.Name(), m.String(), o.Seed
		return c, nil, nil
	}
	answer, err := s.Answer(ctx, p, Request{Bound: o.Bound, Method: m, Samples: o.Samples, Seed: o.Seed})
	if err != nil {
		return Compared{}, nil, err
	}
	c := Compared{Result: s.Result(answer)}
	config := answer.Report.Solution.Config
	if config == nil {
		return c, nil, nil
	}
	if world != nil {
		if c.Simulated, err = simulated(ctx, world, config, s.Price, o); err != nil {
			return Compared{}, nil, fmt.Errorf("method %s: %w", m, err)
		}
	}
	return c, answer.Report.Holdout.Outcome.Bounded(o.Bound.Metric.Other()), nil
}

func simulated(ctx context.Context, world sim.World, config models.Config, price models.PriceBook, o CompareOptions) (*Simulated, error) {
	summary, err := sim.Simulate(ctx, world, config, o.Runs, sim.Settings{Seed: o.Seed, Price: price, Cores: 1}, nil)
	if err != nil {
		return nil, err
	}
	point := func(d sim.Distribution) SimPoint {
		p := SimPoint{Mean: d.Mean, P95: d.P95.Value}
		if d.P95.Interval != nil {
			p.Lo, p.Hi = &d.P95.Interval.Lo, &d.P95.Interval.Hi
		}
		return p
	}
	return &Simulated{Runs: summary.Runs, LatencyS: point(summary.Latency), CostUSD: point(summary.Cost), Warnings: len(summary.Warnings)}, nil
}

// relate fills in what a cell says about the others: its gap to the proved
// optimum, and the methods whose mean objective on the holdout cannot be told
// apart from its own. Since all share the holdout the differences are paired.
func relate(cells []Compared, objectives [][]float64, confidence float64) {
	optimum := math.NaN()
	for _, c := range cells {
		if c.Status == solvers.Optimal {
			optimum = c.objective()
		}
	}
	for i := range cells {
		if gap := (cells[i].objective() - optimum) / optimum; cells[i].Keeps() && !math.IsNaN(gap) {
			cells[i].GapToExact = &gap
		}
		for j := range cells {
			if i != j && objectives[i] != nil && objectives[j] != nil && tie(objectives[i], objectives[j], confidence) {
				cells[i].Ties = append(cells[i].Ties, cells[j].Method)
			}
		}
	}
}

// tie reports whether the interval of the mean difference holds 0: by the
// normal approximation, which is good for a holdout of 100,000.
func tie(a, b []float64, confidence float64) bool {
	n := float64(len(a))
	mean := 0.0
	for k := range a {
		mean += (a[k] - b[k]) / n
	}
	variance := 0.0
	for k := range a {
		d := a[k] - b[k] - mean
		variance += d * d / (n - 1)
	}
	z := math.Sqrt2 * math.Erfinv(confidence/100)
	return math.Abs(mean) <= z*math.Sqrt(variance/n)
}

// Ranked returns the order in which a table shows the cells: those that keep
// the bound first, by objective; then the others; then the unsupported.
func (c Comparison) Ranked() []int {
	order := make([]int, len(c.Cells))
	for i := range order {
		order[i] = i
	}
	class := func(i int) int {
		switch cell := c.Cells[i]; {
		case cell.Unsupported != "":
			return 3
		case len(cell.Config) == 0:
			return 2
		case !cell.Keeps():
			return 1
		}
		return 0
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if d := class(a) - class(b); d != 0 {
			return d
		}
		return cmp.Compare(c.Cells[a].objective(), c.Cells[b].objective())
	})
	return order
}
