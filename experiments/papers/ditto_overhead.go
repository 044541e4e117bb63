package papers

import (
	"context"
	"fmt"
	"math"

	"eevee/baselines"
	"eevee/solvers"
)

// dittoOverhead measures what scheduling takes.
type dittoOverhead struct {
	About   Statement `yaml:",inline"`
	Setting string    `yaml:"setting"`
	Queries []int     `yaml:"queries,flow"`
}

func newDittoOverhead() *dittoOverhead {
	return mustFacts[dittoOverhead]("data/ditto-overhead.yaml")
}

func (o *dittoOverhead) Statement() Statement { return o.About }

func (o *dittoOverhead) Cells(bool) []Cell { return nil }

func (o *dittoOverhead) Find(ctx context.Context, lab *Lab) (Finding, error) {
	files, err := dittoFiles(lab.options.Sources)
	if err != nil {
		return Finding{}, err
	}
	s := dittoSchedules{files: files, profiles: dittoOnS3}
	rows := FitTimes{Name: o.About.ID + "-timings", What: "time to schedule a query and to build its model; the printed values were not seen"}
	claims := []Claim{
		{ID: o.About.ID + ".schedule", Title: "Tables 1 and 2: time to schedule a query"},
		{ID: o.About.ID + ".model", Title: "Tables 1 and 2: time to build the model of a query"},
	}
	var schedule, model unprinted
	var unknown comparison
	for _, q := range o.Queries {
		at := fmt.Sprintf("query %d", q)
		if files == nil {
			unknown.add(at, "taken_s", math.NaN(), math.NaN(), Tolerance{})
			continue
		}
		building, scheduling, err := o.times(ctx, lab, s, q)
		if err != nil {
			return Finding{}, err
		}
		rows.Rows = append(rows.Rows,
			FitTime{Workflow: at + ", model", TimeTaken: building},
			FitTime{Workflow: at + ", schedule", TimeTaken: scheduling})
		model.add(at, "taken_s", building.Seconds())
		schedule.add(at, "taken_s", scheduling.Seconds())
	}
	for k, ours := range []unprinted{schedule, model} {
		c := &claims[k]
		c.Unit, c.Tolerance, c.Data = "s", "none", rows.Name+".csv"
		if files == nil {
			*c = unknown.withoutProfiles(*c)
			continue
		}
		*c = ours.claim(*c, "missing: the printed values; ours are the times of this program on the same profiles")
	}
	return Finding{Claims: claims, Rows: rows}, nil
}

// times measures one query.
func (o *dittoOverhead) times(ctx context.Context, lab *Lab, s dittoSchedules, query int) (building, scheduling TimeTaken, err error) {
	slots, err := s.setting(o.Setting)
	if err != nil {
		return building, scheduling, err
	}
	var job *baselines.DittoJob
	building, err = lab.options.Clock.measure(fitRepetitions, fitEnough, func() (err error) {
		job, err = s.job(query)
		return err
	})
	if err != nil {
		return building, scheduling, err
	}
	scheduling, err = lab.options.Clock.measure(fitRepetitions, fitEnough, func() error {
		_, err := baselines.DittoScheduler{Objective: solvers.Latency, Slots: slots.Slots, Artifact: true}.Plan(ctx, job)
		return err
	})
	return building, scheduling, err
}
