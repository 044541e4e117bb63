package papers

import (
	"context"
	"fmt"
	"math"

	"eevee/baselines"
	"eevee/solvers"
)

// dittoAblation schedules queries with parts of Ditto.
type dittoAblation struct {
	About             Statement `yaml:",inline"`
	MeasuredTolerance Tolerance `yaml:"measured_tolerance"`
	Setting           string    `yaml:"setting"`
	Queries           []struct {
		Query     int             `yaml:"query"`
		JCT       ablationFigures `yaml:"jct_s"`
		Cost      ablationFigures `yaml:"cost"`
		KnownJCT  string          `yaml:"known_jct"` // a discrepancy between figures
		KnownCost string          `yaml:"known_cost"`
	} `yaml:"queries"`
}

// ablationFigures is one figure of the variants.
type ablationFigures struct {
	Ditto  float64 `yaml:"ditto"`
	Group  float64 `yaml:"group"`
	DoP    float64 `yaml:"dop"`
	Nimble float64 `yaml:"nimble"`
}

// variants are the names of the variants that are built.
var variants = []string{"Ditto", "NIMBLE+DoP", "NIMBLE"}

func (a ablationFigures) list() []float64 { return []float64{a.Ditto, a.DoP, a.Nimble} }

func newDittoAblation() Experiment { return mustFacts[dittoAblation]("data/ditto_ablation.yaml") }

func (d *dittoAblation) Statement() Statement { return d.About }

func (d *dittoAblation) Cells(bool) []Cell { return nil }

func (d *dittoAblation) Find(ctx context.Context, lab *Lab) (Finding, error) {
	files, err := dittoFiles(lab.options.Sources)
	if err != nil {
		return Finding{}, err
	}
	s := dittoSchedules{files: files, profiles: dittoOnS3}
	var jct, cost comparison
	var group comparison // of NIMBLE+Group, which is not built
	times, costs := d.panel("jct", "completion time", "s"), d.panel("cost", "cost", "GB s")
	for _, q := range d.Queries {
		ours, err := s.variants(ctx, q.Query, d.Setting)
		if err != nil {
			return Finding{}, err
		}
		var seconds, spent []float64
		for i, name := range variants {
			at := fmt.Sprintf("query %d, %s", q.Query, name)
			jct.add(at, "jct_s", q.JCT.list()[i], ours[i].JCT, d.MeasuredTolerance)
			cost.add(at, "cost_gbs", q.Cost.list()[i], ours[i].CostGBs, d.MeasuredTolerance)
			seconds, spent = append(seconds, ours[i].JCT, q.JCT.list()[i]), append(spent, ours[i].CostGBs, q.Cost.list()[i])
		}
		jct.pairs[len(jct.pairs)-1].known = q.KnownJCT
		cost.pairs[len(cost.pairs)-len(variants)].known = q.KnownCost
		at := fmt.Sprintf("query %d, NIMBLE+Group", q.Query)
		group.add(at, "jct_s", q.JCT.Group, math.NaN(), Tolerance{})
		group.add(at, "cost_gbs", q.Cost.Group, math.NaN(), Tolerance{})
		times.addGroup(fmt.Sprint("Q", q.Query), append(seconds, q.JCT.Group)...)
		costs.addGroup(fmt.Sprint("Q", q.Query), append(spent, q.Cost.Group)...)
	}
	claim := func(suffix, title, unit string, c comparison, panel SideBySidePanel) Claim {
		return dittoClaim(files != nil, c, Claim{
			ID: d.About.ID + suffix, Title: "Figure 12: " + title, Unit: unit, Tolerance: d.MeasuredTolerance.String(),
			Figure: panel.Name + ".png", Data: panel.Name + ".csv",
		}, "the schedule is predicted from fitted times, the bars were measured; costs of NIMBLE are those of slots by the size of inputs")
	}
	missing := Claim{
		ID: d.About.ID + ".group", Title: "Figure 12: NIMBLE with the groups of Ditto", Unit: "s, GB s", Tolerance: "none",
		Verdict: NotReproducible, Why: "missing: how the published scheduler places groups under NIMBLE's parallelism; it decides both at once", Data: times.Name + ".csv",
	}
	missing.Reported, missing.Reproduced = group.values()
	return Finding{
		Rows:   SideBySide{[]SideBySidePanel{times, costs}},
		Claims: []Claim{claim(".jct", "completion times", "s", jct, times), claim(".cost", "costs", "GB s", cost, costs), missing},
		Notes:  []string{"for query 1 Figure 12 has 279.75 s for NIMBLE and Figure 8a 340.22 s, and 2644.9 GB s for Ditto where Figure 9a has 2708.5"},
	}, nil
}

func (d *dittoAblation) panel(name, quantity, unit string) SideBySidePanel {
	p := SideBySidePanel{
		Name: d.About.ID + "-" + name, Title: "Parts of Ditto: " + quantity, By: "query", Quantity: quantity, Unit: unit, Recorded: true,
		Caption: quantity + " of queries with parts of Ditto, scheduled from recorded profiles and as reported",
	}
	for _, v := range variants {
		p.Series = append(p.Series, SideBySideSeries{Name: v}, SideBySideSeries{Name: v + ", reported"})
	}
	p.Series = append(p.Series, SideBySideSeries{Name: "NIMBLE+Group, reported"})
	return p
}

// variants schedules a query under every variant, each for the figure in
// question; NaN without files.
func (s dittoSchedules) variants(ctx context.Context, query int, setting string) ([]JobFigures, error) {
	found := make([]JobFigures, len(variants))
	if s.files == nil {
		for i := range found {
			found[i] = JobFigures{math.NaN(), math.NaN()}
		}
		return found, nil
	}
	var err error
	if found[0], found[2], err = s.figures(ctx, query, setting); err != nil {
		return nil, err
	}
	job, err := s.job(query)
	if err != nil {
		return nil, err
	}
	slots, err := s.setting(setting)
	if err != nil {
		return nil, err
	}
	for _, objective := range []solvers.Metric{solvers.Latency, solvers.Cost} {
		p, err := baselines.DittoScheduler{Objective: objective, Slots: slots.Slots, Artifact: true, Ungrouped: true}.Plan(ctx, job)
		if err != nil {
			return nil, err
		}
		if objective == solvers.Latency {
			found[1].JCT = p.JCT
		} else {
			found[1].CostGBs = p.CostGBs
		}
	}
	return found, nil
}
