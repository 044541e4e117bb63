package papers

import (
	"context"
	"fmt"
	"math"

	"eevee/solvers"
)

// headlines compares pairs of answers.
type headlines struct {
	About         Statement `yaml:",inline"`
	Tolerance     Tolerance `yaml:"tolerance"`
	LossTolerance Tolerance `yaml:"loss_tolerance"`
	Gains         []gain    `yaml:"gains"`
}

// gain is by which factor the answer of Jolteon to one bound is better than that
// of another system to another, in one metric, and by how much worse in the
// other.
type gain struct {
	ID       string         `yaml:"id"`
	Title    string         `yaml:"title"`
	Workflow string         `yaml:"workflow"`
	Metric   solvers.Metric `yaml:"metric"`
	Factor   float64        `yaml:"factor"`
	Loss     *float64       `yaml:"loss_percent"` // nil: the text says nothing about it
	System   string         `yaml:"system"`
	Method   string         `yaml:"method"`
	Against  boundFact      `yaml:"against"`
	Jolteon  boundFact      `yaml:"jolteon"`
}

func newHeadlines() Experiment { return mustFacts[headlines]("data/headlines.yaml") }

func (h *headlines) Statement() Statement { return h.About }

func (h *headlines) Cells(bool) []Cell {
	var cells []Cell
	for _, g := range h.Gains {
		cells = append(cells, g.Against.cell(g.Workflow, g.Method))
		for _, m := range comparedMethods() {
			cells = append(cells, g.Jolteon.cell(g.Workflow, m))
		}
	}
	return cells
}

func (h *headlines) Find(_ context.Context, lab *Lab) (Finding, error) {
	var found Finding
	panel := SideBySidePanel{
		Name: h.About.ID, Title: "Gains of Jolteon over Orion and Ditto", By: "gain", Quantity: "factor", Recorded: true,
		Caption: "by which factor configurations of Jolteon are better than those of other systems: reported, and of executions in the replay world",
		Series:  []SideBySideSeries{{Name: JolteonReported}},
	}
	for _, m := range comparedMethods() {
		panel.Series = append(panel.Series, SideBySideSeries{Name: m})
	}
	for _, g := range h.Gains {
		b, err := lab.bench(g.Workflow)
		if err != nil {
			return found, err
		}
		panel.Recorded = panel.Recorded && b.recorded()
		against := lab.Result(g.Against.cell(g.Workflow, g.Method))
		panel.Groups = append(panel.Groups, g.Title)
		panel.Series[0].Values = append(panel.Series[0].Values, g.Factor)
		for i, m := range comparedMethods() {
			factor, _ := g.of(against, lab.Result(g.Jolteon.cell(g.Workflow, m)))
			panel.Series[1+i].Values = append(panel.Series[1+i].Values, factor)
		}
		for _, m := range subjects {
			answer := lab.Result(g.Jolteon.cell(g.Workflow, m))
			found.Claims = append(found.Claims, h.claim(g, against, answer, m, b.recorded()))
		}
	}
	found.Rows = SideBySide{[]SideBySidePanel{panel}}
	found.Notes = []string{"the text does not say which points it compares; other pairs of points of Figure 9 give other factors"}
	return found, nil
}

// of returns the factor by which an answer of Jolteon is better, and by how many
// percent it is worse in the other metric; NaN where an answer is missing.
func (g gain) of(against, jolteon CellResult) (factor, loss float64) {
	if !against.Answered() || !jolteon.Answered() {
		return math.NaN(), math.NaN()
	}
	a, j := against.Executed, jolteon.Executed
	if g.Metric == solvers.Cost {
		return a.Cost.Mean / j.Cost.Mean, 100 * (j.Latency.P50/a.Latency.P50 - 1)
	}
	return a.Latency.P50 / j.Latency.P50, 100 * (j.Cost.Mean/a.Cost.Mean - 1)
}

func (h *headlines) claim(g gain, against, jolteon CellResult, method string, recorded bool) Claim {
	factor, loss := g.of(against, jolteon)
	at := fmt.Sprintf("%s, %s at %s against %s at %s", g.Workflow, method, jolteon.BoundText(), g.System, against.BoundText())
	c := comparison{resolution: digitised}
	c.add(at, "factor", g.Factor, factor, h.Tolerance)
	tolerance := "factor " + h.Tolerance.String()
	if g.Loss != nil {
		c.add(at, "loss_percent", *g.Loss, loss, h.LossTolerance)
		tolerance += fmt.Sprintf(", loss %v points", h.LossTolerance)
	}
	claim := c.claim(Claim{
		ID: g.ID + subjectID(method), Title: fmt.Sprintf("Abstract: %s, %s", g.Title, subjectTitle(method)), Unit: "times, %",
		Tolerance: tolerance, Figure: h.About.ID + ".png", Data: h.About.ID + ".csv",
	}, recorded)
	// The order that a factor stands for: Jolteon's figure is the lower one.
	if recorded && claim.Verdict != Reproduced {
		claim.Verdict = NotReproduced
		if factor > 1 {
			claim.Verdict = Shape
			claim.Why += "; Jolteon still is the better one"
		}
	}
	if claim.Verdict != Reproduced {
		claim.Why += fmt.Sprintf("; executed, %s takes %s and costs %s, %s %s and %s", method, amount(solvers.Latency, jolteon.Executed.Latency.P50),
			amount(solvers.Cost, jolteon.Executed.Cost.Mean), g.System, amount(solvers.Latency, against.Executed.Latency.P50), amount(solvers.Cost, against.Executed.Cost.Mean))
	}
	return claim
}
