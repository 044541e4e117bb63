package papers

import (
	"context"
	"fmt"
	"slices"

	"eevee/experiments"
	"eevee/models"
	"eevee/solvers"
)

// ProvedFrontiers are frontiers with the answers of systems.
type ProvedFrontiers struct{ Panels []ProvedFrontier }

func (ProvedFrontiers) rows() {}

// ProvedFrontier is the frontier of one workflow: the 95th percentile of latency
// against the mean cost, on one sample.
type ProvedFrontier struct {
	Name     string // of the picture
	Workflow string // title
	Recorded bool
	Points   []PlanePoint // latency falling, cost rising
	Systems  []PlaneSystem
	Below    int // answers below the frontier by more than its tolerance
}

// PlanePoint is a 95th percentile of latency in s, a mean cost in USD and a
// lower bound of the cost under that latency.
type PlanePoint struct{ LatencyS, CostUSD, LowerUSD float64 }

// PlaneSystem are the answers of a system.
type PlaneSystem struct {
	System string
	Points []PlanePoint // without lower bounds
}

// frontierOfAll proves frontiers and puts answers beside them.
type frontierOfAll struct {
	About     Statement `yaml:",inline"`
	Workflows []string  `yaml:"workflows,flow"`
	Tolerance float64   `yaml:"tolerance"`
}

func newFrontier() Experiment { return mustFacts[frontierOfAll]("data/frontier.yaml") }

func (f *frontierOfAll) Statement() Statement { return f.About }

// quickFrontier is the tolerance of a quick run.
const quickFrontier = 0.05

// cells are the answers of a system to bounds on the latency of a workflow.
func (f *frontierOfAll) cells(workflow string, s violating, quick bool) []Cell {
	return slices.DeleteFunc(s.cells(newViolations().bounds(quick)), func(c Cell) bool {
		return c.Workflow != workflow || c.Metric != solvers.Latency
	})
}

// workflows of a quick run are the one that has answers then.
func (f *frontierOfAll) workflows(quick bool) []string {
	if quick {
		return []string{quickWorkflow}
	}
	return f.Workflows
}

func (f *frontierOfAll) Cells(quick bool) []Cell {
	var cells []Cell
	for _, w := range f.workflows(quick) {
		for _, s := range newViolations().systems() {
			cells = append(cells, f.cells(w, s, quick)...)
		}
	}
	return cells
}

func (f *frontierOfAll) Find(ctx context.Context, lab *Lab) (Finding, error) {
	tolerance := f.Tolerance
	if lab.options.Quick {
		tolerance = quickFrontier
	}
	var rows ProvedFrontiers
	var found Finding
	recorded, below, answers := true, 0, 0
	for _, name := range f.workflows(lab.options.Quick) {
		b, err := lab.bench(name)
		if err != nil {
			return found, err
		}
		recorded = recorded && b.recorded()
		// The limit does not matter; there is none of the frontier as a whole.
		p, err := b.setup.Problem(Cell{Workflow: name, Metric: solvers.Latency, Limit: 1}.bound(), b.samples, lab.options.Seed)
		if err != nil {
			return found, err
		}
		front, err := solvers.Exact{}.Frontier(ctx, p, tolerance, nil)
		if err != nil {
			return found, err
		}
		if err := ctx.Err(); err != nil {
			return found, err
		}
		panel := ProvedFrontier{Name: f.About.ID + "-" + name, Workflow: shortTitle(b.setup.Definition), Recorded: b.recorded()}
		for _, q := range front.Points {
			panel.Points = append(panel.Points, PlanePoint{q.Percentile, q.Objective, q.LowerBound})
		}
		seen := map[string]PlanePoint{}
		for _, s := range newViolations().systems() {
			system := PlaneSystem{System: s.Name}
			for _, c := range f.cells(name, s, lab.options.Quick) {
				r := lab.Result(c)
				if !r.Answered() {
					continue
				}
				q := planeOf(p, r.Config, seen)
				if !slices.Contains(system.Points, q) {
					system.Points = append(system.Points, q)
				}
				answers++
				if panel.isBelow(q) && admits(b.setup.Space, r.Config) {
					panel.Below++
				}
			}
			panel.Systems = append(panel.Systems, system)
		}
		below += panel.Below
		found.Notes = append(found.Notes, fmt.Sprintf("%s: %d points, each proved to %s %%", name, len(panel.Points), digits(100*tolerance)))
		rows.Panels = append(rows.Panels, panel)
	}
	var c comparison
	c.add(fmt.Sprintf("%d answers", answers), "answers_below", 0, float64(below), Tolerance{})
	found.Claims = []Claim{c.claim(Claim{
		ID: f.About.ID, Title: "Answers of any system below the proved frontier", Unit: "answers", Tolerance: "none",
		Figure: rows.Panels[0].Name + ".png", Data: rows.Panels[0].Name + ".csv",
	}, recorded)}
	found.Notes = append(found.Notes, "the artifact's own configurations need not be in the space, so that they alone may lie below")
	found.Rows = rows
	return found, nil
}

// planeOf judges a configuration on the sample of a problem; configurations that
// were seen before are not judged again.
func planeOf(p *solvers.Problem, c models.Config, seen map[string]PlanePoint) PlanePoint {
	key := c.String()
	if q, ok := seen[key]; ok {
		return q
	}
	o := p.Evaluate(c)
	seen[key] = PlanePoint{LatencyS: experiments.PercentilesOf(o.Latency).P95, CostUSD: experiments.PercentilesOf(o.Cost).Mean}
	return seen[key]
}

// isBelow reports whether an answer is cheaper than what is proved for some
// point of the frontier that is at least as slow.
func (f ProvedFrontier) isBelow(q PlanePoint) bool {
	for _, point := range f.Points {
		if point.LatencyS >= q.LatencyS && q.CostUSD < point.LowerUSD*(1-1e-9) {
			return true
		}
	}
	return false
}
