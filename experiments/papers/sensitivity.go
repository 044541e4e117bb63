package papers

import (
	"context"
	"fmt"
	"slices"
)

// sensitivity solves the same problems from several starting points.
type sensitivity struct {
	About     Statement `yaml:",inline"`
	Workflow  string    `yaml:"workflow"`
	Starts    []string  `yaml:"starts,flow"`
	Tolerance Tolerance `yaml:"tolerance"`
	Bounds    []struct {
		Bound    boundFact `yaml:",inline"`
		Artifact []float64 `yaml:"artifact_usd,flow"` // one per start
	} `yaml:"bounds"`
}

func newSensitivity() Experiment { return mustFacts[sensitivity]("data/sensitivity.yaml") }

func (s *sensitivity) Statement() Statement { return s.About }

// cells are the cells of bound i, one per start.
func (s *sensitivity) cells(i int) []Cell {
	var cells []Cell
	for k, start := range s.Starts {
		method := "jolteon:compat"
		if k > 0 {
			method += ":from=" + start
		}
		cells = append(cells, s.Bounds[i].Bound.cell(s.Workflow, method))
	}
	return cells
}

func (s *sensitivity) Cells(quick bool) []Cell {
	var cells []Cell
	for i := range s.Bounds {
		if quick && i > 0 {
			break
		}
		cells = append(cells, s.cells(i)...)
	}
	return cells
}

func (s *sensitivity) Find(_ context.Context, lab *Lab) (Finding, error) {
	b, err := lab.bench(s.Workflow)
	if err != nil {
		return Finding{}, err
	}
	panel := SideBySidePanel{
		Name: s.About.ID, Title: shortTitle(b.setup.Definition), Recorded: b.recorded(), By: "bound", Quantity: "predicted cost per run, mean", Unit: "USD",
		Caption: "predicted mean cost of the answers of jolteon:compat from the artifact's starting points",
	}
	for _, start := range s.Starts {
		panel.Series = append(panel.Series, SideBySideSeries{Name: start})
	}
	c := comparison{}
	var notes []string
	for i, bound := range s.Bounds {
		if lab.options.Quick && i > 0 {
			break
		}
		var costs []float64
		broken := 0
		for k, cell := range s.cells(i) {
			r := lab.Result(cell)
			costs = append(costs, r.Cost.Mean)
			panel.Series[k].Values = append(panel.Series[k].Values, r.Cost.Mean)
			if r.Breaks() {
				broken++
			}
		}
		at := bound.Bound.cell(s.Workflow, "").BoundText()
		panel.Groups = append(panel.Groups, at)
		c.add(at, "spread_percent", spread(bound.Artifact), spread(costs), s.Tolerance)
		if broken > 0 {
			notes = append(notes, fmt.Sprintf("%s: from %d of %d starting points the answer breaks the bound on its own sample, and says so", at, broken, len(s.Starts)))
		}
	}
	claim := c.claim(Claim{
		ID: s.About.ID, Title: "Sensitivity: by how much costs differ between starting points, jolteon:compat", Unit: "%",
		Tolerance: s.Tolerance.String() + " points", Figure: panel.Name + ".png", Data: panel.Name + ".csv",
	}, b.recorded())
	return Finding{Rows: SideBySide{[]SideBySidePanel{panel}}, Claims: []Claim{claim}, Notes: notes}, nil
}

// spread is by how many percent the largest value is above the smallest.
func spread(values []float64) float64 { return 100 * (slices.Max(values)/slices.Min(values) - 1) }
