package papers

import (
	"context"
	"time"

	"eevee/models"
)

// FitTimes are times of one piece of work, such as to fit the model of a
// workflow.
type FitTimes struct {
	Name string // of the table
	What string // was timed
	Rows []FitTime
}

func (FitTimes) rows() {}

// FitTime is the time of one workflow; the reported one is in s, 0 where none is
// known.
type FitTime struct {
	Workflow string // title, and what else is needed to know it
	Reported float64
	TimeTaken
}

// table6 measures how long it takes to fit a model.
type table6 struct {
	About Statement `yaml:",inline"`
	Limit float64   `yaml:"limit_s"`
	Rows  []struct {
		Workflow string  `yaml:"workflow"`
		Seconds  float64 `yaml:"seconds"`
	} `yaml:"rows"`
}

func newTable6() Experiment { return mustFacts[table6]("data/table6.yaml") }

func (t *table6) Statement() Statement { return t.About }

func (t *table6) Cells(bool) []Cell { return nil }

// How often a fit is timed, unless that takes long.
const (
	fitRepetitions = 7
	fitEnough      = 200 * time.Millisecond
)

func (t *table6) Find(ctx context.Context, lab *Lab) (Finding, error) {
	rows := FitTimes{Name: t.About.ID + "-timings", What: "time to train the model"}
	c := comparison{}
	for _, r := range t.Rows {
		b, err := lab.bench(r.Workflow)
		if err != nil {
			return Finding{}, err
		}
		taken, err := lab.options.Clock.measure(fitRepetitions, fitEnough, func() error {
			profile, err := models.NewProfile(b.setup.Definition, b.setup.Trace.Rows)
			if err != nil {
				return err
			}
			_, err = models.FitJolteon(profile, models.JolteonOptions{})
			return err
		})
		if err != nil {
			return Finding{}, err
		}
		rows.Rows = append(rows.Rows, FitTime{Workflow: shortTitle(b.setup.Definition), Reported: r.Seconds, TimeTaken: taken})
		// The claim is an upper limit: how far below it a time is does not
		// matter.
		c.add(r.Workflow, "fit_s", r.Seconds, taken.Seconds(), Tolerance{Below: 1, Absolute: t.Limit - r.Seconds})
	}
	claim := c.timed(Claim{
		ID: t.About.ID, Title: "Table 6: time to train the model", Unit: "s",
		Tolerance: "at most " + digits(t.Limit) + " s", Data: rows.Name + ".csv",
	})
	return Finding{Claims: []Claim{claim}, Rows: rows}, nil
}
