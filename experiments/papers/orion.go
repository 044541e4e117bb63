package papers

import (
	"context"
	"fmt"
	"math"

	"eevee/baselines"
	"eevee/models"
	"eevee/solvers"
)

// OrionSearches are what Orion and other searches find.
type OrionSearches struct {
	Name     string // of the pictures
	Recorded bool
	Rows     []OrionSearch
}

func (OrionSearches) rows() {}

// OrionSearch is the answer of one search, with the times at which it starts
// instances ahead, in s after the start of the run; NaN: it does not.
type OrionSearch struct {
	Workflow string // title
	Stages   []string
	Answer   CellResult
	Prewarm  []float64
}

// orion compares searches, predictions and violations of Orion.
type orion struct {
	About         Statement   `yaml:",inline"`
	MAPE          percentFact `yaml:"mape"`
	MAPETolerance Tolerance   `yaml:"mape_tolerance"`
	SMIless       struct {
		Violations float64 `yaml:"violations_percent"`
		Cost       float64 `yaml:"cost_ratio"`
	} `yaml:"smiless"`
	SMIlessTolerance Tolerance     `yaml:"smiless_tolerance"`
	Searches         []orionSearch `yaml:"searches"`
}

type orionSearch struct {
	Workflow string    `yaml:"workflow"`
	Bound    boundFact `yaml:",inline"`
}

// orionMethod leaves the starts ahead of time out, which change no answer.
const orionMethod = "orion:no-prewarming"

// searchMethods are Orion and what it is compared with; a quick run leaves the
// slow one out.
func searchMethods(quick bool) []string {
	if quick {
		return []string{orionMethod, "uniform"}
	}
	return []string{orionMethod, "cose", "uniform"}
}

func newOrion() Experiment { return mustFacts[orion]("data/orion.yaml") }

func (o *orion) Statement() Statement { return o.About }

// searches of a quick run are those of the first workflow.
func (o *orion) searches(quick bool) []orionSearch {
	if quick {
		return o.Searches[:1]
	}
	return o.Searches
}

// bounds are the bounds on latency of the published runs.
func (o *orion) bounds(quick bool) []Cell {
	return violating{Only: solvers.Latency}.cells(newViolations().bounds(quick))
}

func (o *orion) Cells(quick bool) []Cell {
	var cells []Cell
	for _, s := range o.searches(quick) {
		for _, m := range searchMethods(quick) {
			cells = append(cells, s.Bound.cell(s.Workflow, m))
		}
	}
	for _, c := range o.bounds(quick) {
		for _, m := range []string{orionMethod, optimumMethod} {
			c.Method = m
			cells = append(cells, c)
		}
	}
	return cells
}

func (o *orion) Find(ctx context.Context, lab *Lab) (Finding, error) {
	rows := OrionSearches{Name: o.About.ID, Recorded: true}
	var searches []Claim
	for _, s := range o.searches(lab.options.Quick) {
		found, err := o.search(ctx, lab, s)
		if err != nil {
			return Finding{}, err
		}
		rows.Rows = append(rows.Rows, found...)
		b, err := lab.bench(s.Workflow)
		if err != nil {
			return Finding{}, err
		}
		rows.Recorded = rows.Recorded && b.recorded()
		searches = append(searches, o.searchClaim(s, found, b.recorded()))
	}
	predictions, err := o.predictions(lab)
	if err != nil {
		return Finding{}, err
	}
	return Finding{
		Rows:   rows,
		Claims: append(append(searches, predictions...), o.smiless(lab, rows.Recorded)),
		Notes: []string{
			"sizes of the paper's own applications (targets of 25 s) cannot be shown: the recorded runs may not be passed on. What its bundles and starts ahead of time do is shown by orion-bundling and orion-starts",
		},
	}, nil
}

// search returns the answers of all searches to one bound.
func (o *orion) search(ctx context.Context, lab *Lab, s orionSearch) ([]OrionSearch, error) {
	b, err := lab.bench(s.Workflow)
	if err != nil {
		return nil, err
	}
	w := b.setup.Definition.Workflow
	var found []OrionSearch
	for _, m := range searchMethods(lab.options.Quick) {
		row := OrionSearch{Workflow: shortTitle(b.setup.Definition), Answer: lab.Result(s.Bound.cell(s.Workflow, m))}
		for i := range w.Len() {
			row.Stages, row.Prewarm = append(row.Stages, w.Stage(i).Name), append(row.Prewarm, math.NaN())
		}
		found = append(found, row)
	}
	p, err := b.setup.Problem(s.Bound.cell(s.Workflow, "").bound(), b.samples, lab.options.Seed)
	if err != nil {
		return nil, err
	}
	report, err := solvers.Solve(ctx, p, baselines.Orion{}, models.Streams{Seed: lab.options.Seed}, nil)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	for i := range w.Len() {
		if at, ok := report.Solution.Schedule.PrewarmAt(i); ok {
			found[0].Prewarm[i] = at
		}
	}
	return found, nil
}

// searchClaim says whether Orion's answer is the cheapest of those that keep the
// bound on the sample.
func (o *orion) searchClaim(s orionSearch, found []OrionSearch, recorded bool) Claim {
	claim := Claim{
		ID: o.About.ID + "." + s.Workflow, Title: fmt.Sprintf("%s, %s: sizes of Orion cost less than those of Bayesian optimisation and of one size for all", found[0].Workflow, found[0].Answer.BoundText()),
		Unit: "USD", Tolerance: "the order", Figure: o.About.ID + ".png", Data: o.About.ID + "-searches.csv", Verdict: Shape,
	}
	ours := found[0].Answer
	for _, f := range found {
		name := seriesOf(f.Answer.Method)
		cost := math.NaN()
		if f.Answer.Answered() && !f.Answer.Breaks() {
			cost = f.Answer.Cost.Mean
		}
		claim.Reported = append(claim.Reported, Value{At: name, Of: "mean_cost_usd"})
		claim.Reproduced = append(claim.Reproduced, valueOf(name, "mean_cost_usd", cost))
		if cost < ours.Cost.Mean {
			claim.Verdict = NotReproduced
		}
	}
	switch {
	case !ours.Answered() || ours.Breaks():
		claim.Verdict, claim.Why = NotReproduced, fmt.Sprintf("by the model of Jolteon Orion's answer breaks the bound: %d of %d scenarios exceed it, %d may. "+
			"Cause: Orion keeps the bound by distributions between recorded sizes of two runs each, which promise more than they hold (coverage.orion)", ours.Violations, ours.Samples, ours.Allowed)
	case claim.Verdict == NotReproduced:
		claim.Why = "another search finds a cheaper answer that keeps the bound. Cause: Orion takes the first sizes that meet the target, and leaves the parallelism as it is, which the others choose as well"
	default:
		claim.Why = "no other search finds a cheaper answer; the paper's numbers are those of other applications"
	}
	if !recorded {
		claim = claim.withoutRecordings()
	}
	return claim
}

// seriesOf is a method without the options that change no answer.
func seriesOf(method string) string {
	if method == orionMethod {
		return "orion"
	}
	return method
}

// predictions compares the errors of the released copy on the configurations of
// Table 5: of each, and on average.
func (o *orion) predictions(lab *Lab) ([]Claim, error) {
	facts := mustFacts[table5]("data/table5.yaml")
	b, err := lab.bench(facts.Workflow)
	if err != nil {
		return nil, err
	}
	var errors []Median95
	var rows, mean comparison
	for _, r := range facts.Rows {
		p, err := baselines.Orion{Compat: true}.Predict(b.setup.Profile, configOf(b.setup.Definition, r.Parallelism, r.VCPU), 50, publishedPercentile)
		if err != nil {
			return nil, err
		}
		measured := r.Measured.pair()
		one := errorOf(Median95{p[0], p[1]}, measured)
		errors = append(errors, one)
		rows.addErrors(r.Config, r.Orion.pair(), one, facts.rounding(p[0], measured.P50), facts.rounding(p[1], measured.P95))
	}
	mean.addErrors("mean absolute", o.MAPE.pair(), meanAbsolute(errors), o.MAPETolerance, o.MAPETolerance)
	data := o.About.ID + "-searches.csv"
	rounding := "predictions and measurements to " + digits(facts.PredictedTo) + " s"
	return []Claim{
		rows.claim(Claim{ID: o.About.ID + ".errors", Title: "Table 5 of Jolteon: errors of Orion's predictions", Unit: "%", Tolerance: rounding, Data: data}, b.recorded()),
		mean.claim(Claim{
			ID: o.About.ID + ".mape", Title: "Table 5 of Jolteon: mean absolute error of Orion's predictions", Unit: "%",
			Tolerance: o.MAPETolerance.String() + " points (" + rounding + ")", Data: data,
		}, b.recorded()),
	}, nil
}

// smiless counts how often Orion's answers break reachable bounds, and what they
// cost beside the optimum.
func (o *orion) smiless(lab *Lab, recorded bool) Claim {
	reachable, broken := 0, 0
	var ratios []float64
	for _, c := range o.bounds(lab.options.Quick) {
		c.Method = optimumMethod
		best := lab.Result(c)
		c.Method = orionMethod
		r := lab.Result(c)
		if best.Status != solvers.Optimal || !r.Answered() {
			continue
		}
		reachable++
		if r.Breaks() {
			broken++
			continue
		}
		ratios = append(ratios, r.Cost.Mean/best.Cost.Mean)
	}
	ratio := math.NaN()
	if len(ratios) > 0 {
		ratio = solvers.Mean(ratios)
	}
	var c comparison
	at := fmt.Sprintf("%d bounds", reachable)
	c.add(at, "bounds_broken_percent", o.SMIless.Violations, share(broken, reachable), o.SMIlessTolerance)
	c.add(at, "cost_over_optimum", o.SMIless.Cost, ratio, o.SMIlessTolerance)
	claim := c.claim(Claim{
		ID: o.About.ID + ".smiless", Paper: "SMIless (2024)", Title: "What SMIless reports of Orion: bounds broken, and cost", Unit: "%, times",
		Tolerance: o.SMIlessTolerance.String(), Data: o.About.ID + "-searches.csv",
	}, recorded)
	return claim.orderMeansNothing().because("their setting is another one (applications, limits, and systems that are compared); here bounds are those of the published runs of Jolteon, and the cost is relative to the proved optimum of those that are kept")
}
