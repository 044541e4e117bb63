package papers

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"eevee/experiments"
	"eevee/models"
	"eevee/solvers"
)

// Explorer is what bounds cost: per workflow and bounded metric the proved
// frontier, and what every method does at a few of its bounds.
type Explorer struct {
	Percentile float64   // of the bounded metric, percent
	Risk       float64   // the share of runs that may exceed a bound
	Levels     []float64 // of ExplorerPoint.Quantiles
	Trades     []ExplorerTrade
}

func (Explorer) rows() {}

// ExplorerTrade is one trade-off: a percentile of one metric against the mean of
// the other one.
type ExplorerTrade struct {
	Workflow  string
	Title     string
	Recorded  bool
	Metric    solvers.Metric // the bounded one
	Stages    []string
	Samples   int     // scenarios that a point is proved on
	Allowed   int     // of them that may exceed its percentile
	Unseen    int     // scenarios behind risks and quantiles of points
	Tolerance float64 // relative
	Complete  bool
	Points    []ExplorerPoint // the percentile rising, the mean falling
	Bounds    []ExplorerBound // rising
}

// ExplorerPoint is one point of a frontier. The bounded metric is in s or USD,
// and so is the other one.
type ExplorerPoint struct {
	Config         models.Config
	Percentile     float64 // of the bounded metric, on the sample
	Mean           float64 // of the other one, on the sample
	LowerBound     float64 // no configuration with at most this percentile has a lower mean there
	Risk           float64 // share of unseen scenarios above Percentile
	RiskLo, RiskHi float64
	Latency, Cost  experiments.Percentiles // on unseen scenarios
	Quantiles      []float64               // of the latency on unseen scenarios, s
}

// ExplorerBound is what methods do under one bound.
type ExplorerBound struct {
	Limit   float64
	Answers []ExplorerAnswer
}

// ExplorerAnswer is the answer of one method or policy to a bound.
type ExplorerAnswer struct {
	Method      string
	Unsupported string // why the method cannot answer; the rest is then empty
	Decides     experiments.When
	Answered    bool
	Says        solvers.Status
	Config      models.Config // nil for what decides during the run
	Violations  int           // on the sample, of Allowed
	Allowed     int
	Unseen      int // scenarios behind Risk and Mean
	Risk        float64
	RiskLo      float64
	RiskHi      float64
	Mean        float64        // of the other metric, on unseen scenarios
	Excess      float64        // of Mean over that of the proved optimum, relative; NaN: there is none
	Executed    ExecutedFigure // of the bounded metric, in the replay world
}

// Judged says whether a bound is kept, as far as an interval can tell.
type Judged string

// What an interval tells.
const (
	Keeps   Judged = "keeps"
	Breaks  Judged = "breaks"
	Unclear Judged = "unclear"
)

func judged(lo, hi, limit float64) Judged {
	switch {
	case hi <= limit:
		return Keeps
	case lo > limit:
		return Breaks
	}
	return Unclear
}

// Infeasible reports whether it is proved that no configuration keeps the bound.
func (a ExplorerAnswer) Infeasible() bool { return a.Says == solvers.Infeasible }

// Admits reports whether the method says that its answer breaks the bound.
func (a ExplorerAnswer) Admits() bool { return a.Says == solvers.NotFound }

// Optimal reports whether the answer is proved to be the best on the sample.
func (a ExplorerAnswer) Optimal() bool { return a.Says == solvers.Optimal }

// OnSample says whether the bound is kept on the method's own sample.
func (a ExplorerAnswer) OnSample() Judged {
	v := float64(a.Violations)
	return judged(v, v, float64(a.Allowed))
}

// OnUnseen says whether unseen scenarios exceed the limit with at most the risk.
func (a ExplorerAnswer) OnUnseen(risk float64) Judged { return judged(a.RiskLo, a.RiskHi, risk) }

// InReplay says whether the percentile of the executions is below the limit.
func (a ExplorerAnswer) InReplay(limit float64) Judged {
	return judged(a.Executed.P95Lo, a.Executed.P95Hi, limit)
}

// explorer computes an Explorer.
type explorer struct {
	About          Statement `yaml:",inline"`
	Tolerance      float64   `yaml:"tolerance"`
	QuickTolerance float64   `yaml:"quick_tolerance"`
	Policies       []string  `yaml:"policies,flow"`
	Slow           []string  `yaml:"slow,flow"`
	Panels         []struct {
		Workflow string    `yaml:"workflow"`
		Latency  []float64 `yaml:"latency_s,flow"`
		Cost     []float64 `yaml:"cost_usd,flow"`
	} `yaml:"panels"`
}

func newExplorer() Experiment { return mustFacts[explorer]("data/explorer.yaml") }

func (e *explorer) Statement() Statement { return e.About }

// explored is one bounded metric of one workflow.
type explored struct {
	workflow string
	metric   solvers.Metric
	limits   []float64
}

func (e *explorer) trades(quick bool) []explored {
	var all []explored
	for _, p := range e.Panels {
		all = append(all,
			explored{p.Workflow, solvers.Latency, thin(p.Latency, quick)},
			explored{p.Workflow, solvers.Cost, thin(p.Cost, quick)})
	}
	return all
}

// methods are those that answer before a run.
func (e *explorer) methods(quick bool) []string {
	return slices.DeleteFunc(experiments.Methods(), func(name string) bool {
		return name == "exhaustive" || quick && slices.Contains(e.Slow, name)
	})
}

func (e *explorer) Cells(quick bool) []Cell {
	var cells []Cell
	for _, t := range e.trades(quick) {
		for _, limit := range t.limits {
			for _, m := range e.methods(quick) {
				cells = append(cells, Cell{t.workflow, t.metric, limit, m})
			}
		}
	}
	return cells
}

// How many scenarios that no method saw points and policies are judged on.
const (
	pointsUnseen      = 20_000
	quickPointsUnseen = 5_000
	policiesUnseen    = 5_000
)

// quantileLevels are the levels of the quantiles of a point.
var quantileLevels = []float64{0.005, 0.025, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.45, 0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 0.975, 0.995}

func (e *explorer) Find(ctx context.Context, lab *Lab) (Finding, error) {
	quick := lab.options.Quick
	trades := e.trades(quick)
	rows := Explorer{Percentile: publishedPercentile, Risk: publishedRisk, Levels: quantileLevels, Trades: make([]ExplorerTrade, len(trades))}
	// It is the last of many experiments to have its cells: without more than one
	// trade at a time a core would be idle in the end.
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, t := range trades {
		group.Go(func() (err error) {
			rows.Trades[i], err = e.trade(inner, lab, t)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Finding{}, err
	}
	found := Finding{Rows: rows, Notes: []string{
		fmt.Sprintf("risks and intervals at %v %%; whoever decides during the run is judged on %d unseen scenarios, everybody else on all of them", publishedConfidence, policiesUnseen),
		"the rule plugin guarantees nothing: an answer at the limit of its sample, as an optimum is, may exceed the risk a little on other scenarios",
	}}
	if quick {
		found.Notes = append(found.Notes, fmt.Sprintf("a quick run leaves out %v and every second bound, and judges points of the frontier on %d unseen scenarios", e.Slow, quickPointsUnseen))
	}
	return found, nil
}

// trade looks at one bounded metric of one workflow.
func (e *explorer) trade(ctx context.Context, lab *Lab, t explored) (ExplorerTrade, error) {
	quick := lab.options.Quick
	b, err := lab.bench(t.workflow)
	if err != nil {
		return ExplorerTrade{}, err
	}
	w := b.setup.Definition.Workflow
	trade := ExplorerTrade{
		Workflow: t.workflow, Title: shortTitle(b.setup.Definition), Recorded: b.recorded(), Metric: t.metric,
		Samples: b.samples, Tolerance: e.Tolerance,
	}
	if quick {
		trade.Tolerance = e.QuickTolerance
	}
	for i := range w.Len() {
		trade.Stages = append(trade.Stages, w.Stage(i).Name)
	}
	if err := lab.explore(ctx, b, &trade); err != nil {
		return trade, err
	}
	for _, limit := range t.limits {
		bound := ExplorerBound{Limit: limit}
		for _, m := range e.methods(quick) {
			bound.Answers = append(bound.Answers, answerOf(lab.Result(Cell{t.workflow, t.metric, limit, m}), b.holdout.Len()))
		}
		if t.metric == solvers.Latency {
			policies, err := lab.policies(ctx, b, e.Policies, Cell{t.workflow, t.metric, limit, ""})
			if err != nil {
				return trade, err
			}
			bound.Answers = append(bound.Answers, policies...)
		}
		bound.relate(b, t.metric)
		trade.Bounds = append(trade.Bounds, bound)
	}
	return trade, nil
}

// explore fills in the frontier of a trade.
func (l *Lab) explore(ctx context.Context, b *bench, t *ExplorerTrade) error {
	// The limit does not matter: there is none of the frontier as a whole.
	p, err := b.setup.Pose(b.sample, Cell{t.Workflow, t.Metric, 1, ""}.bound())
	if err != nil {
		return err
	}
	f, err := solvers.Exact{}.Frontier(ctx, p, t.Tolerance, nil)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	n := pointsUnseen
	if l.options.Quick {
		n = quickPointsUnseen
	}
	unseen := head(b.holdout, n)
	t.Allowed, t.Complete, t.Unseen = f.Allowed, f.Complete, unseen.Len()
	for _, point := range slices.Backward(f.Points) {
		latency, cost := unseen.Outcomes(point.Config)
		above := solvers.Exceeding((solvers.Outcome{Latency: latency, Cost: cost}).Bounded(t.Metric), point.Percentile)
		slices.Sort(latency)
		q := ExplorerPoint{
			Config: point.Config, Percentile: point.Percentile, Mean: point.Objective, LowerBound: point.LowerBound,
			Latency: experiments.PercentilesOf(latency), Cost: experiments.PercentilesOf(cost),
		}
		q.Risk = float64(above) / float64(t.Unseen)
		q.RiskLo, q.RiskHi = solvers.BinomialInterval(above, t.Unseen, publishedConfidence)
		for _, level := range quantileLevels {
			q.Quantiles = append(q.Quantiles, models.SortedQuantileR7(latency, level))
		}
		t.Points = append(t.Points, q)
	}
	return nil
}

// head returns the first n scenarios, or all if there are fewer.
func head(s *models.Scenarios, n int) *models.Scenarios {
	if s.Len() <= n {
		return s
	}
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return s.Select(rows)
}

// answerOf is the answer of a method to a cell.
func answerOf(r CellResult, unseen int) ExplorerAnswer {
	a := ExplorerAnswer{
		Method: r.Method, Unsupported: r.Unsupported, Decides: experiments.Before, Answered: r.Answered(), Says: r.Status, Config: r.Config,
		Violations: r.Violations, Allowed: r.Allowed, Unseen: unseen, Risk: r.Risk, RiskLo: r.RiskLo, RiskHi: r.RiskHi,
		Mean: math.NaN(), Excess: math.NaN(),
	}
	if a.Answered {
		a.Executed = r.ExecutedBounded()
		a.Mean = r.Cost.Mean
		if r.Metric == solvers.Cost {
			a.Mean = r.Latency.Mean
		}
	}
	return a
}
