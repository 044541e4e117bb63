package papers

import (
	"context"
	"fmt"
)

// overhead measures how long solving takes with the samples that are needed.
type overhead struct {
	About     Statement `yaml:",inline"`
	Workflow  string    `yaml:"workflow"`
	Samples   int       `yaml:"samples"`
	Tolerance Tolerance `yaml:"tolerance"`
	Limits    []struct {
		Bound boundFact `yaml:",inline"`
		Limit float64   `yaml:"limit_s"`
	} `yaml:"limits"`
}

func newOverhead() Experiment { return mustFacts[overhead]("data/overhead.yaml") }

func (o *overhead) Statement() Statement { return o.About }

func (o *overhead) Cells(bool) []Cell { return nil }

func (o *overhead) Find(ctx context.Context, lab *Lab) (Finding, error) {
	b, err := lab.bench(o.Workflow)
	if err != nil {
		return Finding{}, err
	}
	rows := FitTimes{Name: o.About.ID + "-timings", What: "time to solve with the number of samples that is needed; reported are upper limits"}
	c := comparison{}
	for _, l := range o.Limits {
		cell := l.Bound.cell(o.Workflow, "")
		taken, err := lab.timeSolving(ctx, b, cell.bound(), timedMethods[0], o.Samples)
		if err != nil {
			return Finding{}, err
		}
		at := fmt.Sprintf("%s, %s, %d samples", shortTitle(b.setup.Definition), cell.BoundText(), o.Samples)
		rows.Rows = append(rows.Rows, FitTime{Workflow: at, Reported: l.Limit, TimeTaken: taken})
		c.add(at, "solve_s", l.Limit, taken.Seconds(), o.Tolerance)
	}
	claim := c.timed(Claim{
		ID: o.About.ID, Title: "Text: time to solve TPC-DS with 4048 samples, " + timedMethods[0], Unit: "s", Tolerance: o.Tolerance.String() + " the reported limit", Data: rows.Name + ".csv",
	})
	return Finding{Claims: []Claim{claim}, Rows: rows}, nil
}
