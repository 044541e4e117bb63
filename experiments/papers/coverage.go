package papers

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"eevee/experiments"
)

// ModelCoverages say how often recorded times stay below predicted percentiles,
// for configurations that the models never saw.
type ModelCoverages struct {
	Name      string // of the pictures
	Recorded  bool
	Level     float64 // percent
	Workflows []string
	Models    []ModelCoverage
}

func (ModelCoverages) rows() {}

// ModelCoverage is one model, with a result for every workflow.
type ModelCoverage struct {
	Model  string
	Stages []Coverage // of single stages
	Whole  []Coverage // of whole runs
}

// Coverage is the share of recorded times below the predicted percentile, with
// its interval, in percent; NaN where a workflow was left out.
type Coverage struct {
	Runs                int
	Percent, Lo, Hi     float64
	Width               float64 // predicted percentile over predicted median, at the median
	MAPEP50, MAPEPUpper float64 // mean absolute error of the predicted median and percentile, percent
}

// coverage validates models on recordings.
type coverage struct {
	About     Statement         `yaml:",inline"`
	Level     float64           `yaml:"level"`
	Tolerance Tolerance         `yaml:"tolerance"`
	Resamples int               `yaml:"resamples"`
	Workflows []coverageFacts   `yaml:"workflows"`
	Quick     coverageFacts     `yaml:"quick"`
	Papers    map[string]string `yaml:"papers"` // by model
	Causes    map[string]string `yaml:"causes"`
}

type coverageFacts struct {
	Workflow string   `yaml:"workflow"`
	Models   []string `yaml:"models,flow"`
}

func newCoverage() Experiment { return mustFacts[coverage]("data/coverage.yaml") }

func (c *coverage) Statement() Statement { return c.About }

func (c *coverage) Cells(bool) []Cell { return nil }

func (c *coverage) Find(ctx context.Context, lab *Lab) (Finding, error) {
	workflows := c.Workflows
	if lab.options.Quick {
		workflows = []coverageFacts{c.Quick}
	}
	rows := ModelCoverages{Name: c.About.ID, Recorded: true, Level: c.Level}
	found := Finding{Notes: []string{
		"papers report errors on configurations that the model was fitted to; a bound that a model promises rests on what is here",
		"coverage alone flatters wide predictions: the picture of whole runs stands beside the table with widths and errors",
	}}
	for i, w := range workflows {
		b, err := lab.bench(w.Workflow)
		if err != nil {
			return found, err
		}
		rows.Recorded = rows.Recorded && b.recorded()
		rows.Workflows = append(rows.Workflows, shortTitle(b.setup.Definition))
		forecasters, err := experiments.Forecasters(strings.Join(w.Models, ","))
		if err != nil {
			return found, err
		}
		v, err := experiments.Validate(ctx, b.setup.Profile, experiments.ValidationOptions{Models: forecasters, Seed: lab.options.Seed, Resamples: c.Resamples})
		if err != nil {
			return found, err
		}
		found.Notes = append(found.Notes, v.Warnings...)
		for _, r := range v.Rows {
			if math.Abs(100*r.Level-c.Level) > 1e-9 || r.Stage != experiments.AllStages && r.Stage != experiments.EndToEnd {
				continue
			}
			m := rows.model(r.Model, len(workflows))
			of := &m.Stages[i]
			if r.Stage == experiments.EndToEnd {
				of = &m.Whole[i]
			}
			*of = Coverage{Runs: r.N, Percent: 100 * r.Coverage, Lo: 100 * r.CoverageLo, Hi: 100 * r.CoverageHi, Width: r.WidthRatio, MAPEP50: 100 * r.MAPE50, MAPEPUpper: 100 * r.MAPE95}
		}
	}
	for _, m := range rows.Models {
		found.Claims = append(found.Claims, c.claim(rows, m))
	}
	found.Rows = rows
	return found, nil
}

// model returns the row of a model, which it adds if need be.
func (c *ModelCoverages) model(name string, workflows int) *ModelCoverage {
	i := slices.IndexFunc(c.Models, func(m ModelCoverage) bool { return m.Model == name })
	if i < 0 {
		m := ModelCoverage{Model: name}
		for range workflows {
			none := Coverage{Percent: math.NaN(), Lo: math.NaN(), Hi: math.NaN(), Width: math.NaN(), MAPEP50: math.NaN(), MAPEPUpper: math.NaN()}
			m.Stages, m.Whole = append(m.Stages, none), append(m.Whole, none)
		}
		i = len(c.Models)
		c.Models = append(c.Models, m)
	}
	return &c.Models[i]
}

// claim compares what a model covers of single stages with what it states.
func (c *coverage) claim(rows ModelCoverages, m ModelCoverage) Claim {
	var comp comparison
	for i, w := range rows.Workflows {
		if m.Stages[i].Runs > 0 {
			comp.add(w, "covered_percent", c.Level, m.Stages[i].Percent, c.Tolerance)
		}
	}
	claim := comp.claim(Claim{
		ID: c.About.ID + "." + m.Model, Paper: c.Papers[m.Model], Title: fmt.Sprintf("Share of held-out times below the 95th percentile that model %s predicts", m.Model), Unit: "%",
		Tolerance: c.Tolerance.String() + " points", Figure: rows.Name + ".png", Data: rows.Name + "-models.csv",
	}, rows.Recorded)
	// What is stated is one number.
	return claim.orderMeansNothing().because(c.Causes[m.Model])
}
