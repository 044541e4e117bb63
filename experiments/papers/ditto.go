package papers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"eevee/baselines"
	"eevee/experiments"
	"eevee/solvers"
)

// ScheduledQueries are queries as Ditto and NIMBLE schedule them.
type ScheduledQueries struct {
	Name string // of the table
	Rows []ScheduledQuery
}

func (ScheduledQueries) rows() {}

// ScheduledQuery is one query on servers with certain slots: completion times
// in s and costs in GB s, NaN where the profiles are missing.
type ScheduledQuery struct {
	Query                         int
	Setting                       string // of the slots
	Ditto, Nimble                 JobFigures
	ReportedDitto, ReportedNimble JobFigures
}

// JobFigures are the two figures of a scheduled job. NIMBLE's are those of two
// plans: with one parallelism for all stages, and by the size of inputs.
type JobFigures struct{ JCT, CostGBs float64 }

// dittoQueries schedules the recorded queries of Ditto's artifact.
type dittoQueries struct {
	About             Statement `yaml:",inline"`
	FitTolerance      Tolerance `yaml:"fit_tolerance"`
	LaunchTolerance   Tolerance `yaml:"launch_tolerance"`
	ReplayTolerance   Tolerance `yaml:"replay_tolerance"`
	MeasuredTolerance Tolerance `yaml:"measured_tolerance"`
	Fits              []struct {
		Query int     `yaml:"query"`
		Stage int     `yaml:"stage"`
		A     float64 `yaml:"a_s"`
		B     float64 `yaml:"b_s"`
		BTo   float64 `yaml:"b_to_s"`
	} `yaml:"fits"`
	Timeline struct {
		Query       int    `yaml:"query"`
		Setting     string `yaml:"setting"`
		Parallelism []int  `yaml:"parallelism,flow"`
		Starts      []struct {
			Stage  int     `yaml:"stage"`
			Start  float64 `yaml:"start_s"`
			Nimble float64 `yaml:"nimble_s"`
		} `yaml:"starts"`
	} `yaml:"timeline"`
	Headline struct {
		Sooner  float64 `yaml:"times_sooner"`
		Cheaper float64 `yaml:"times_cheaper"`
	} `yaml:"headline"`
	Queries []struct {
		Query    int          `yaml:"query"`
		Setting  string       `yaml:"setting"`
		Measured dittoFigures `yaml:",inline"`
		Replay   dittoFigures `yaml:"replay"`
	} `yaml:"queries"`
}

type dittoFigures struct {
	JCT        float64 `yaml:"jct_s"`
	NimbleJCT  float64 `yaml:"nimble_jct_s"`
	Cost       float64 `yaml:"cost"`
	NimbleCost float64 `yaml:"nimble_cost"`
}

func newDitto() Experiment { return mustFacts[dittoQueries]("data/ditto.yaml") }

func (d *dittoQueries) Statement() Statement { return d.About }

func (d *dittoQueries) Cells(bool) []Cell { return nil }

// dittoProfiles is the folder of the profiles below that of all recordings.
const dittoProfiles = "ditto-profiles"

func (d *dittoQueries) Find(ctx context.Context, lab *Lab) (Finding, error) {
	files, err := dittoFiles(lab.options.Sources)
	if err != nil {
		return Finding{}, err
	}
	s := dittoSchedules{files: files, profiles: dittoOnS3}
	fits, err := d.fits(s)
	if err != nil {
		return Finding{}, err
	}
	parallelism, starts, nimble, err := d.timeline(ctx, s)
	if err != nil {
		return Finding{}, err
	}
	var jct, cost, measuredJCT, measuredCost comparison
	rows := ScheduledQueries{Name: d.About.ID}
	for _, q := range d.Queries {
		ditto, nimble, err := s.figures(ctx, q.Query, q.Setting)
		if err != nil {
			return Finding{}, err
		}
		rows.Rows = append(rows.Rows, ScheduledQuery{
			Query: q.Query, Setting: q.Setting, Ditto: ditto, Nimble: nimble,
			ReportedDitto: JobFigures{q.Measured.JCT, q.Measured.Cost}, ReportedNimble: JobFigures{q.Measured.NimbleJCT, q.Measured.NimbleCost},
		})
		at := fmt.Sprintf("query %d on %s", q.Query, q.Setting)
		jct.add(at+", Ditto", "jct_s", q.Replay.JCT, ditto.JCT, d.ReplayTolerance)
		jct.add(at+", NIMBLE", "jct_s", q.Replay.NimbleJCT, nimble.JCT, d.ReplayTolerance)
		cost.add(at+", Ditto", "cost_gbs", q.Replay.Cost, ditto.CostGBs, d.ReplayTolerance)
		cost.add(at+", NIMBLE", "cost_gbs", q.Replay.NimbleCost, nimble.CostGBs, d.ReplayTolerance)
		measuredJCT.add(at+", Ditto", "jct_s", q.Measured.JCT, ditto.JCT, d.MeasuredTolerance)
		measuredJCT.add(at+", NIMBLE", "jct_s", q.Measured.NimbleJCT, nimble.JCT, d.MeasuredTolerance)
		measuredCost.add(at+", Ditto", "cost_gbs", q.Measured.Cost, ditto.CostGBs, d.MeasuredTolerance)
		measuredCost.add(at+", NIMBLE", "cost_gbs", q.Measured.NimbleCost, nimble.CostGBs, d.MeasuredTolerance)
	}
	claim := func(id, title, unit, tolerance, cause string, c comparison) Claim {
		base := Claim{ID: d.About.ID + "." + id, Title: title, Unit: unit, Tolerance: tolerance, Data: d.About.ID + ".csv"}
		if id == "fig8" || id == "fig9" {
			base.Figure = d.About.ID + "-" + id + ".png"
		}
		if files == nil {
			return c.withoutProfiles(base)
		}
		return c.claim(base, true).because(cause)
	}
	predicted := "the schedule is predicted from fitted times, the bars were measured; " +
		"a replay of the published scheduler comes to the values found here, so what is off was not run with that code on these profiles"
	return Finding{
		Claims: []Claim{
			claim("fig11", "Figure 11: fits of whole stages", "s", "a "+d.FitTolerance.String()+", b the printed digits", "", fits),
			claim("fig15.parallelism", "Figure 15: parallelism of query 95 on zipf-0.9", "instances", "the same", "", parallelism),
			claim("fig15.starts", "Figure 15: launch times of query 95 under Ditto", "s", d.LaunchTolerance.String(), "", starts),
			claim("fig15.nimble", "Figure 15: launch times of query 95 under NIMBLE", "s", d.LaunchTolerance.String(), "", nimble),
			claim("jct.replay", "Completion times, against a replay of the artifact", "s", d.ReplayTolerance.String(), "", jct),
			claim("cost.replay", "Costs, against a replay of the artifact", "GB s", d.ReplayTolerance.String(), "", cost),
			claim("fig8", "Figure 8: completion times, measured", "s", d.MeasuredTolerance.String(), predicted, measuredJCT),
			claim("fig9", "Figure 9: costs, measured", "GB s", d.MeasuredTolerance.String(), predicted, measuredCost),
			claim("headline", "Abstract: up to 2.5 times sooner and 1.8 times cheaper than NIMBLE", "times", d.MeasuredTolerance.String(), predicted,
				rows.gains(d.Headline.Sooner, d.Headline.Cheaper, d.MeasuredTolerance)).orderMeansNothing(),
		},
		Rows: rows,
		Notes: []string{
			"stages 4, 8 and 9 of Figure 15 are left out: they start whole seconds away from what the published profiles give",
		},
	}, nil
}

// gains compares by how much Ditto is better than NIMBLE at most.
func (s ScheduledQueries) gains(jct, cost float64, t Tolerance) (c comparison) {
	// No maximum of nothing: without profiles all figures are NaN.
	ours := JobFigures{math.Inf(-1), math.Inf(-1)}
	for _, r := range s.Rows {
		ours.JCT, ours.CostGBs = max(ours.JCT, r.Nimble.JCT/r.Ditto.JCT), max(ours.CostGBs, r.Nimble.CostGBs/r.Ditto.CostGBs)
	}
	c.add("the query and slots with the largest", "times_sooner", jct, ours.JCT, t)
	c.add("the query and slots with the largest", "times_cheaper", cost, ours.CostGBs, t)
	return c
}

// withoutProfiles is claim where there is nothing to schedule.
func (c *comparison) withoutProfiles(base Claim) Claim {
	base.Reported, base.Reproduced = c.values()
	base.Verdict = NotReproducible
	base.Why = fmt.Sprintf("the recorded profiles of the artifact are missing, and nothing stands in for them; they are looked for in the folder %s of the recordings", dittoProfiles)
	return base
}

// dittoFiles returns the recorded profiles of Ditto's artifact, nil where they
// are not at hand.
func dittoFiles(s experiments.Sources) (fs.FS, error) {
	if s.Recordings == "" {
		return nil, nil
	}
	dir := filepath.Join(s.Recordings, dittoProfiles)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s: is a file; Ditto's profiles are a folder", dir)
	}
	return os.DirFS(dir), nil
}

// dittoSchedules schedules the recorded queries; without files every figure is
// NaN.
type dittoSchedules struct {
	files    fs.FS
	profiles string // folder of the profiles
}

// The folders of the profiles: 1 TB on S3 and 100 GB on Redis.
const (
	dittoOnS3    = "s3-1t"
	dittoOnRedis = "redis-100g"
)

func (s dittoSchedules) job(query int) (*baselines.DittoJob, error) {
	return baselines.LoadDittoJob(s.files, fmt.Sprintf("configs/dsq%d.txt", query), fmt.Sprintf("profiles/%s/q%d", s.profiles, query), baselines.DittoDegreesPaper)
}

func (s dittoSchedules) setting(name string) (baselines.DittoSetting, error) {
	return baselines.LoadDittoSetting(s.files, "configs/setting-"+name+".txt")
}

// figures returns what Ditto's artifact and NIMBLE make of a query.
func (s dittoSchedules) figures(ctx context.Context, query int, setting string) (ditto, nimble JobFigures, err error) {
	if s.files == nil {
		none := JobFigures{math.NaN(), math.NaN()}
		return none, none, nil
	}
	job, err := s.job(query)
	if err != nil {
		return ditto, nimble, err
	}
	slots, err := s.setting(setting)
	if err != nil {
		return ditto, nimble, err
	}
	total := divisibleSlots(job, slots)
	fast, err := baselines.DittoScheduler{Objective: solvers.Latency, Slots: slots.Slots, Artifact: true}.Plan(ctx, job)
	if err != nil {
		return ditto, nimble, err
	}
	cheap, err := baselines.DittoScheduler{Objective: solvers.Cost, Slots: slots.Slots, Artifact: true}.Plan(ctx, job)
	if err != nil {
		return ditto, nimble, err
	}
	even, err := job.FixedPlan(job.ParallelismEvenly(total))
	if err != nil {
		return ditto, nimble, err
	}
	bySize, err := job.FixedPlan(job.ParallelismBySize(total))
	return JobFigures{fast.JCT, cheap.CostGBs}, JobFigures{even.JCT, bySize.CostGBs}, err
}

// divisibleSlots is what the stages that can be split share: the others have a
// slot each.
func divisibleSlots(job *baselines.DittoJob, setting baselines.DittoSetting) int {
	total := 0
	for _, n := range setting.Slots {
		total += n
	}
	for _, stage := range job.Stages {
		if stage.Single {
			total--
		}
	}
	return total
}

// fits compares the fits of whole stages.
func (d *dittoQueries) fits(s dittoSchedules) (c comparison, err error) {
	for _, f := range d.Fits {
		whole := baselines.DittoTime{A: math.NaN(), B: math.NaN()}
		if s.files != nil {
			job, err := s.job(f.Query)
			if err != nil {
				return c, err
			}
			whole = job.Stages[f.Stage-1].Whole()
		}
		at := fmt.Sprintf("query %d, stage %d", f.Query, f.Stage)
		c.add(at, "a_s", f.A, whole.A, d.FitTolerance)
		// The paper's fits are iterative ones: b inherits their precision.
		c.add(at, "b_s", f.B, whole.B, Tolerance{Absolute: f.BTo / 2, Below: d.FitTolerance.Below, Above: d.FitTolerance.Above})
	}
	return c, nil
}

// timeline compares the golden of Figure 15.
func (d *dittoQueries) timeline(ctx context.Context, s dittoSchedules) (parallelism, starts, nimble comparison, err error) {
	t := d.Timeline
	plan, fixed := baselines.DittoPlan{}, baselines.DittoPlan{}
	if s.files != nil {
		job, err := s.job(t.Query)
		if err != nil {
			return parallelism, starts, nimble, err
		}
		setting, err := s.setting(t.Setting)
		if err != nil {
			return parallelism, starts, nimble, err
		}
		if plan, err = (baselines.DittoScheduler{Slots: setting.Slots, Artifact: true}).Plan(ctx, job); err != nil {
			return parallelism, starts, nimble, err
		}
		if fixed, err = job.FixedPlan(slices.Repeat([]int{setting.Parallelism}, len(job.Stages))); err != nil {
			return parallelism, starts, nimble, err
		}
	}
	for i, want := range t.Parallelism {
		got := math.NaN()
		if plan.Parallelism != nil {
			got = float64(plan.Parallelism[i])
		}
		parallelism.add(fmt.Sprintf("stage %d", i+1), "parallelism", float64(want), got, Tolerance{})
	}
	launch := func(p baselines.DittoPlan, stage int) float64 {
		if p.Launch == nil {
			return math.NaN()
		}
		return p.Launch[stage-1]
	}
	for _, v := range t.Starts {
		at := fmt.Sprintf("stage %d", v.Stage)
		starts.add(at, "start_s", v.Start, launch(plan, v.Stage), d.LaunchTolerance)
		nimble.add(at, "start_s", v.Nimble, launch(fixed, v.Stage), d.LaunchTolerance)
	}
	return parallelism, starts, nimble, nil
}
