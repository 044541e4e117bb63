package papers

import (
	"context"
	"fmt"
	"math"

	"eevee/models"
)

// StageErrors are errors of the predicted latency of a stage.
type StageErrors struct {
	Name     string // of the table
	Workflow string // title
	Stage    string
	Rows     []StageError
}

func (StageErrors) rows() {}

// StageError is the error at one configuration. Percentiles are in s, errors in
// percent of the actual value.
type StageError struct {
	Parallelism int
	VCPU        float64
	Predicted   Median95
	Actual      Median95
	Error       Median95
	Reported    Median95
}

// Median95 is a 50th and a 95th percentile.
type Median95 struct{ P50, P95 float64 }

func median95(values []float64) Median95 {
	return Median95{models.QuantileR7(values, 0.50), models.QuantileR7(values, 0.95)}
}

// errorOf returns the relative errors of a prediction in percent.
func errorOf(predicted, actual Median95) Median95 {
	return Median95{100 * (predicted.P50/actual.P50 - 1), 100 * (predicted.P95/actual.P95 - 1)}
}

// meanAbsolute returns the mean of the absolute values.
func meanAbsolute(list []Median95) Median95 {
	var sum Median95
	for _, m := range list {
		sum.P50 += math.Abs(m.P50)
		sum.P95 += math.Abs(m.P95)
	}
	n := float64(len(list))
	return Median95{sum.P50 / n, sum.P95 / n}
}

// percentFact is a pair of printed errors.
type percentFact struct {
	P50 float64 `yaml:"p50_percent"`
	P95 float64 `yaml:"p95_percent"`
}

func (p percentFact) pair() Median95 { return Median95(p) }

// table3 predicts the latency of a stage from the artifact's two draws.
type table3 struct {
	About     Statement `yaml:",inline"`
	Tolerance Tolerance `yaml:"tolerance"`
	Workflow  string    `yaml:"workflow"`
	Stage     string    `yaml:"stage"`
	Rows      []struct {
		Parallelism int         `yaml:"parallelism"`
		VCPU        float64     `yaml:"vcpu"`
		Printed     percentFact `yaml:",inline"`
	} `yaml:"rows"`
	MeanAbsolute percentFact `yaml:"mean_absolute"`
}

func newTable3() Experiment { return mustFacts[table3]("data/table3.yaml") }

func (t *table3) Statement() Statement { return t.About }

func (t *table3) Cells(bool) []Cell { return nil }

func (t *table3) Find(_ context.Context, lab *Lab) (Finding, error) {
	b, err := lab.bench(t.Workflow)
	if err != nil {
		return Finding{}, err
	}
	def := b.setup.Definition
	stage, _ := def.Workflow.Index(t.Stage)
	draws, err := artifactDraws(b.setup.Model.(*models.Jolteon), b.setup.Price)
	if err != nil {
		return Finding{}, err
	}
	rows := StageErrors{Name: t.About.ID, Workflow: shortTitle(def), Stage: t.Stage}
	c := comparison{}
	var errors []Median95
	for _, r := range t.Rows {
		config := configOf(def, []int{r.Parallelism}, []float64{r.VCPU})[0]
		latency := make([]float64, draws.Len())
		draws.Columns(stage, config, 0, latency, nil)
		row := StageError{
			Parallelism: r.Parallelism, VCPU: r.VCPU,
			Predicted: median95(latency), Actual: median95(warmLatencies(b.setup.Profile, stage, config)), Reported: r.Printed.pair(),
		}
		row.Error = errorOf(row.Predicted, row.Actual)
		rows.Rows = append(rows.Rows, row)
		errors = append(errors, row.Error)
		c.addErrors(fmt.Sprintf("(%d, %s)", r.Parallelism, digits(r.VCPU)), r.Printed.pair(), row.Error, t.Tolerance, t.Tolerance)
	}
	c.addErrors("mean absolute", t.MeanAbsolute.pair(), meanAbsolute(errors), t.Tolerance, t.Tolerance)
	claim := c.claim(Claim{
		ID: t.About.ID, Title: fmt.Sprintf("Table 3: error of the predicted latency of %s, stage %s, from the artifact's two draws", shortTitle(def), t.Stage),
		Unit: "%", Tolerance: fmt.Sprintf("the printed digits (%v)", t.Tolerance), Data: t.About.ID + ".csv",
	}, b.recorded())
	return Finding{Claims: []Claim{claim}, Rows: rows}, nil
}

// addErrors adds the errors of both percentiles.
func (c *comparison) addErrors(at string, reported, ours Median95, t50, t95 Tolerance) {
	c.add(at, "p50_error_percent", reported.P50, ours.P50, t50)
	c.add(at, "p95_error_percent", reported.P95, ours.P95, t95)
}

// warmLatencies returns the latency in s of a stage in the warm recorded
// executions of a configuration: the wall time, which in a profile is the sum of
// the means of all four steps.
func warmLatencies(p *models.Profile, stage int, c models.StageConfig) []float64 {
	var latency []float64
	for _, o := range p.Warm(stage) {
		if o.Config.Same(c) {
			latency = append(latency, o.Mean.Cold+o.Mean.Exec())
		}
	}
	return latency
}
