package papers

import (
	"context"
	"fmt"
	"math"

	"eevee/baselines"
)

// dittoSteps divides the times of stages into steps.
type dittoSteps struct {
	About       Statement `yaml:",inline"`
	Query       int       `yaml:"query"`
	Parallelism float64   `yaml:"parallelism"`
}

func newDittoSteps() Experiment { return mustFacts[dittoSteps]("data/ditto_steps.yaml") }

func (d *dittoSteps) Statement() Statement { return d.About }

func (d *dittoSteps) Cells(bool) []Cell { return nil }

func (d *dittoSteps) Find(_ context.Context, lab *Lab) (Finding, error) {
	files, err := dittoFiles(lab.options.Sources)
	if err != nil {
		return Finding{}, err
	}
	panel := SideBySidePanel{
		Name: d.About.ID, Title: fmt.Sprintf("Query %d at a parallelism of %v", d.Query, d.Parallelism), Recorded: true,
		By: "stage", Quantity: "time of a task", Unit: "s", Caption: "what the tasks of every stage spend their time on, by the times fitted to the recorded profiles",
	}
	for _, step := range []string{"setup", "read", "compute", "write"} {
		panel.Series = append(panel.Series, SideBySideSeries{Name: step})
	}
	stages, little := 0, 0
	if files != nil {
		job, err := dittoSchedules{files: files, profiles: dittoOnS3}.job(d.Query)
		if err != nil {
			return Finding{}, err
		}
		for i, s := range job.Stages {
			steps := d.steps(s)
			panel.addGroup(fmt.Sprint(i+1), steps...)
			stages++
			if steps[0] < steps[1]+steps[2] {
				little++
			}
		}
	} else {
		panel.addGroup("none", math.NaN(), math.NaN(), math.NaN(), math.NaN())
	}
	claim := Claim{
		ID: d.About.ID, Title: "Figure 14: stages that read and compute longer than they are set up", Unit: "stages", Tolerance: "more than half",
		Reported: []Value{{At: "of query 95", Of: "stages"}}, Reproduced: []Value{{At: "of query 95", Of: "stages"}},
		Figure: panel.Name + ".png", Data: panel.Name + ".csv",
	}
	if files == nil {
		claim.Verdict, claim.Why = NotReproducible, (&comparison{}).withoutProfiles(claim).Why
	} else {
		claim.Reproduced[0] = valueOf("of query 95", "stages", float64(little))
		claim.Verdict = Shape
		if 2*little <= stages {
			claim.Verdict = NotReproduced
		}
		claim.Why = fmt.Sprintf("the values of the figure are not known; %d of %d stages read and compute longer than they are set up", little, stages)
	}
	return Finding{Rows: SideBySide{[]SideBySidePanel{panel}}, Claims: []Claim{claim}}, nil
}

// steps returns the times of setup, read, compute and write. Times that were
// fitted below zero count as none.
func (d *dittoSteps) steps(s baselines.DittoStage) []float64 {
	x := d.Parallelism
	at := func(t baselines.DittoTime) float64 { return max(0, t.At(x)) }
	read := 0.0
	for _, r := range s.Reads {
		read += at(r.Time)
	}
	return []float64{at(s.Setup), read, at(s.EarlyCompute) + at(s.Compute), at(s.Write)}
}
