package papers

import (
	"context"
	"fmt"
	"math"

	"eevee/baselines"
)

// dittoRedis schedules the queries that were recorded on Redis.
type dittoRedis struct {
	About             Statement `yaml:",inline"`
	ReplayTolerance   Tolerance `yaml:"replay_tolerance"`
	MeasuredTolerance Tolerance `yaml:"measured_tolerance"`
	Setting           string    `yaml:"setting"`
	Queries           []struct {
		Query  int     `yaml:"query"`
		JCT    float64 `yaml:"jct_s"`
		Nimble float64 `yaml:"nimble_jct_s"`
		Replay struct {
			JCT    float64 `yaml:"jct_s"`
			Even   float64 `yaml:"even_s"`
			BySize float64 `yaml:"by_size_s"`
		} `yaml:"replay"`
	} `yaml:"queries"`
}

func newDittoRedis() Experiment { return mustFacts[dittoRedis]("data/ditto_redis.yaml") }

func (d *dittoRedis) Statement() Statement { return d.About }

func (d *dittoRedis) Cells(bool) []Cell { return nil }

func (d *dittoRedis) Find(ctx context.Context, lab *Lab) (Finding, error) {
	files, err := dittoFiles(lab.options.Sources)
	if err != nil {
		return Finding{}, err
	}
	s := dittoSchedules{files: files, profiles: dittoOnRedis}
	var replay, measured comparison
	panel := dittoPanel(d.About.ID, "Queries over 100 GB on Redis", "completion time", "s",
		"completion times on Redis under Ditto and NIMBLE, scheduled from recorded profiles and as reported")
	for _, q := range d.Queries {
		ditto, even, bySize, err := s.times(ctx, q.Query, d.Setting)
		if err != nil {
			return Finding{}, err
		}
		at := fmt.Sprintf("query %d", q.Query)
		replay.add(at+", Ditto", "jct_s", q.Replay.JCT, ditto, d.ReplayTolerance)
		replay.add(at+", NIMBLE with one parallelism", "jct_s", q.Replay.Even, even, d.ReplayTolerance)
		replay.add(at+", NIMBLE by size", "jct_s", q.Replay.BySize, bySize, d.ReplayTolerance)
		measured.add(at+", Ditto", "jct_s", q.JCT, ditto, d.MeasuredTolerance)
		measured.add(at+", NIMBLE", "jct_s", q.Nimble, bySize, d.MeasuredTolerance)
		panel.addGroup(fmt.Sprint("Q", q.Query), ditto, q.JCT, bySize, q.Nimble)
	}
	return Finding{
		Rows: SideBySide{[]SideBySidePanel{panel}},
		Claims: []Claim{
			dittoClaim(files != nil, replay, Claim{
				ID: d.About.ID + ".replay", Title: "Figure 10: completion times, against a replay of the artifact", Unit: "s",
				Tolerance: d.ReplayTolerance.String(), Data: panel.Name + ".csv",
			}, ""),
			dittoClaim(files != nil, measured, Claim{
				ID: d.About.ID + ".fig10", Title: "Figure 10: completion times, measured", Unit: "s",
				Tolerance: d.MeasuredTolerance.String(), Figure: panel.Name + ".png", Data: panel.Name + ".csv",
			}, "the schedule is predicted from fitted times of 100 GB and the stages of 1 TB, the bars were measured"),
		},
	}, nil
}

// times returns the completion times of a query: Ditto's, and NIMBLE's with one
// parallelism for all stages and by the size of inputs.
func (s dittoSchedules) times(ctx context.Context, query int, setting string) (ditto, even, bySize float64, err error) {
	none := math.NaN()
	if s.files == nil {
		return none, none, none, nil
	}
	job, err := s.job(query)
	if err != nil {
		return none, none, none, err
	}
	slots, err := s.setting(setting)
	if err != nil {
		return none, none, none, err
	}
	plan, err := baselines.DittoScheduler{Slots: slots.Slots, Artifact: true}.Plan(ctx, job)
	if err != nil {
		return none, none, none, err
	}
	total := divisibleSlots(job, slots)
	one, err := job.FixedPlan(job.ParallelismEvenly(total))
	if err != nil {
		return none, none, none, err
	}
	sized, err := job.FixedPlan(job.ParallelismBySize(total))
	return plan.JCT, one.JCT, sized.JCT, err
}

// dittoPanel is a picture of Ditto and NIMBLE, ours and reported.
func dittoPanel(name, title, quantity, unit, caption string) SideBySidePanel {
	p := SideBySidePanel{Name: name, Title: title, Caption: caption, Recorded: true, By: "query", Quantity: quantity, Unit: unit}
	for _, s := range []string{"Ditto", "Ditto, reported", "NIMBLE", "NIMBLE, reported"} {
		p.Series = append(p.Series, SideBySideSeries{Name: s})
	}
	return p
}

// addGroup adds a group with a value for every series.
func (p *SideBySidePanel) addGroup(name string, values ...float64) {
	p.Groups = append(p.Groups, name)
	for i, v := range values {
		p.Series[i].Values = append(p.Series[i].Values, v)
	}
}

// dittoClaim is a claim that needs the recorded profiles.
func dittoClaim(recorded bool, c comparison, base Claim, cause string) Claim {
	if !recorded {
		return c.withoutProfiles(base)
	}
	return c.claim(base, true).because(cause)
}
