package papers

import (
	"context"
	"fmt"
	"math"
	"slices"

	"eevee/solvers"
)

// Frontier is latency over cost of a workflow under several bounds.
type Frontier struct{ Panels []FrontierPanel }

func (Frontier) rows() {}

// FrontierPanel is one workflow of a Frontier.
type FrontierPanel struct {
	Name     string // of the picture
	Workflow string // title
	Recorded bool
	Reported []FrontierPoint
	Answers  []MethodAnswers
}

// FrontierPoint is a published point.
type FrontierPoint struct {
	System   string
	Bound    string  // as BoundText; empty where it is not known
	LatencyS float64 // s
	CostUSD  float64 // USD
}

// MethodAnswers are the answers of one method, in the order of the bounds.
type MethodAnswers struct {
	Method  string
	Results []CellResult
}

// fig9 executes the answers to the bounds of Figure 9.
type fig9 struct {
	About  Statement   `yaml:",inline"`
	Panels []fig9Panel `yaml:"panels"`
}

type fig9Panel struct {
	Name      string `yaml:"name"`
	Workflow  string `yaml:"workflow"`
	Tolerance struct {
		Latency Tolerance `yaml:"latency"`
		Cost    Tolerance `yaml:"cost"`
	} `yaml:"tolerance"`
	Points []fig9Point `yaml:"points"`
}

type fig9Point struct {
	Bound    boundFact `yaml:",inline"`
	LatencyS float64   `yaml:"latency_s"`
	CostUSD  float64   `yaml:"cost_usd"`
	Known    string    `yaml:"known"` // of the cost: a discrepancy that is known
}

func newFig9() Experiment { return mustFacts[fig9]("data/fig9.yaml") }

func (f *fig9) Statement() Statement { return f.About }

// points are the bounds of a panel; a quick run takes every second one.
func (p fig9Panel) points(quick bool) []fig9Point { return thin(p.Points, quick) }

// thin leaves out every second element of a quick run.
func thin[T any](all []T, quick bool) []T {
	if !quick {
		return all
	}
	var some []T
	for i := 0; i < len(all); i += 2 {
		some = append(some, all[i])
	}
	return some
}

func (f *fig9) Cells(quick bool) []Cell {
	var cells []Cell
	for _, p := range f.Panels {
		for _, point := range p.points(quick) {
			for _, m := range comparedMethods() {
				cells = append(cells, point.Bound.cell(p.Workflow, m))
			}
		}
	}
	return cells
}

func (f *fig9) Find(_ context.Context, lab *Lab) (Finding, error) {
	var found Finding
	var rows Frontier
	var all []CellResult
	for _, p := range f.Panels {
		b, err := lab.bench(p.Workflow)
		if err != nil {
			return found, err
		}
		panel := FrontierPanel{Name: p.Name, Workflow: shortTitle(b.setup.Definition), Recorded: b.recorded()}
		points := p.points(lab.options.Quick)
		for _, m := range comparedMethods() {
			answers := MethodAnswers{Method: m}
			for _, point := range points {
				answers.Results = append(answers.Results, lab.Result(point.Bound.cell(p.Workflow, m)))
			}
			panel.Answers = append(panel.Answers, answers)
			all = append(all, answers.Results...)
		}
		for _, point := range points {
			panel.Reported = append(panel.Reported, FrontierPoint{
				System: "Jolteon", Bound: point.Bound.cell(p.Workflow, "").BoundText(), LatencyS: point.LatencyS, CostUSD: point.CostUSD,
			})
		}
		panel.Reported = append(panel.Reported, newBaselines().reported(p.Workflow)...)
		rows.Panels = append(rows.Panels, panel)
		found.Claims = append(found.Claims, p.claims(panel, points)...)
	}
	found.Rows = rows
	found.Notes = notesOn(all)
	return found, nil
}

// claims compares the published points with the executed answers of our
// version of the artifact, and with those of the artifact itself.
func (p fig9Panel) claims(panel FrontierPanel, points []fig9Point) []Claim {
	var claims []Claim
	for _, m := range subjects {
		results := panel.Answers[slices.Index(comparedMethods(), m)].Results
		c := comparison{resolution: digitised}
		for i, point := range points {
			latency, cost := math.NaN(), math.NaN()
			if r := results[i]; r.Answered() {
				latency, cost = r.Executed.Latency.P50, r.Executed.Cost.Mean
			}
			at := results[i].BoundText()
			c.add(at, "p50_latency_s", point.LatencyS, latency, p.Tolerance.Latency)
			c.add(at, "mean_cost_usd", point.CostUSD, cost, p.Tolerance.Cost)
			if point.Known != "" {
				c.pairs[len(c.pairs)-1].known = point.Known + optimum(panel, i)
			}
		}
		claims = append(claims, c.claim(Claim{
			ID: p.Name + subjectID(m), Title: fmt.Sprintf("Figure 9, %s: latency and cost of Jolteon, %s", panel.Workflow, subjectTitle(m)),
			Unit:      "s, USD",
			Tolerance: fmt.Sprintf("latency %v, cost %v", p.Tolerance.Latency, p.Tolerance.Cost),
			Figure:    p.Name + ".png", Data: p.Name + ".csv",
		}, panel.Recorded).because(subjectCause(m, panel.Answers, c)))
	}
	return claims
}

// optimum says what the proved optimum under bound i costs.
func optimum(panel FrontierPanel, i int) string {
	for _, answers := range panel.Answers {
		if r := answers.Results[i]; r.Status == solvers.Optimal && r.Metric == solvers.Latency {
			return fmt.Sprintf("; the optimum under this bound, which %s proves, costs %s by the model and %s executed",
				r.Method, amount(solvers.Cost, r.Cost.Mean), amount(solvers.Cost, r.Executed.Cost.Mean))
		}
	}
	return ""
}
