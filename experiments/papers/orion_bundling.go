package papers

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"eevee/baselines"
	"eevee/models"
	"eevee/sim"
	"eevee/traces"
)

// orionBundling packs the workers of a stage into instances.
type orionBundling struct {
	About     Statement `yaml:",inline"`
	Workflow  string    `yaml:"workflow"`
	Workers   int       `yaml:"workers"`
	WorkerMB  int       `yaml:"worker_mb"`
	MostMB    int       `yaml:"most_mb"`
	Published []struct {
		Bundle int     `yaml:"bundle"`
		P50    float64 `yaml:"p50"`
		P95    float64 `yaml:"p95"`
		Cost   float64 `yaml:"cost"`
	} `yaml:"reported"`
	Tolerance      Tolerance `yaml:"tolerance"`
	CVs            []float64 `yaml:"cvs,flow"`
	ModelCV        float64   `yaml:"model_cv"`
	ModelTolerance float64   `yaml:"model_tolerance"`
	Profiled       int       `yaml:"profile_runs"` // of every size
}

func newOrionBundling() *orionBundling {
	return mustFacts[orionBundling]("data/orion-bundling.yaml")
}

func (o *orionBundling) Statement() Statement { return o.About }

func (o *orionBundling) Cells(bool) []Cell { return nil }

// asRecorded is the coefficient of variation that leaves the workers as they were
// recorded.
const asRecorded = -1

// bundleOutcome is how the workflow fares with bundles of one size.
type bundleOutcome struct{ p50, p95, gbSeconds float64 }

func (o *orionBundling) Find(ctx context.Context, lab *Lab) (Finding, error) {
	b, err := lab.bench(o.Workflow)
	if err != nil {
		return Finding{}, err
	}
	recorded, err := o.outcomes(ctx, lab, b.setup.Definition, b.world, asRecorded)
	if err != nil {
		return Finding{}, err
	}
	var latency, cost comparison
	var order, skew, model shape
	alone, paper := recorded[0], o.Published[0]
	for k, of := range o.Published[1:] {
		at := fmt.Sprintf("bundles of %d", of.Bundle)
		ours := recorded[k+1]
		latency.add(at, "p50_relative_to_none", of.P50/paper.P50, ours.p50/alone.p50, o.Tolerance)
		latency.add(at, "p95_relative_to_none", of.P95/paper.P95, ours.p95/alone.p95, o.Tolerance)
		cost.add(at, "cost_relative_to_none", of.Cost/paper.Cost, ours.gbSeconds/alone.gbSeconds, o.Tolerance)
		// The order is that of the published figures.
		if last := o.Published[k]; of.P95 < last.P95 {
			order.atMost(at, fmt.Sprintf("p95_relative_to_%d", last.Bundle), ours.p95/recorded[k].p95, 1)
		} else {
			order.atLeast(at, fmt.Sprintf("p95_relative_to_%d", paper.Bundle), ours.p95/alone.p95, 1)
		}
	}
	gains := Curves{X: Quantity{Label: "coefficient of variation of the workers' work"}, Y: Quantity{Label: "p95 relative to no bundles"}, Cast: o.names(), Marks: []CurveMark{{At: 1, Text: "no bundles"}}}
	for _, of := range o.Published[1:] {
		gains.Curves = append(gains.Curves, Curve{Name: bundleName(of.Bundle), Line: true, Marker: true})
	}
	unequal := map[float64][]bundleOutcome{}
	for k, cv := range o.CVs {
		if lab.options.Quick && k%2 == 1 {
			continue
		}
		if unequal[cv], err = o.outcomes(ctx, lab, b.setup.Definition, b.world, cv); err != nil {
			return Finding{}, err
		}
		for k := range gains.Curves {
			c := &gains.Curves[k]
			c.Points = append(c.Points, CurvePoint{X: cv, Y: unequal[cv][k+1].p95 / unequal[cv][0].p95})
		}
	}
	for k, c := range gains.Curves {
		if !o.capped(o.Published[k+1].Bundle) {
			last := len(c.Points) - 1
			skew.atMost(fmt.Sprintf("%s, CV %v", c.Name, c.Points[last].X), "p95_relative_to_none", c.Points[last].Y, 1)
			skew.atMost(c.Name, "p95_relative_to_none_beyond_that_of_equal_workers", c.Points[last].Y-c.Points[0].Y, 0)
		}
	}
	predicted, err := o.predicted(ctx, lab, b.setup.Definition, b.world)
	if err != nil {
		return Finding{}, err
	}
	for k, of := range o.Published {
		model.near(bundleName(of.Bundle), "predicted_p95_relative_to_simulated", predicted[k]/unequal[o.ModelCV][k].p95, 1, o.ModelTolerance)
	}
	id := o.About.ID
	base := func(of, title, tolerance, panel string) Claim {
		return Claim{ID: id + "." + of, Title: title, Unit: "1", Tolerance: tolerance, Figure: panel + ".png", Data: panel + ".csv"}
	}
	judged := func(c Claim) Claim {
		if !b.recorded() {
			return c.withoutRecordings()
		}
		return c
	}
	other := "the functions are others: what sharing an instance gains and costs depends on how much faster they are with more memory, and on how unequal their workers are. " + o.nearest(gains)
	return Finding{
		Rows: append(o.panels(recorded, !b.recorded()), Panel{Name: id + "-skew", Title: "Bundles and unequal workers", Curves: &gains, Generated: !b.recorded(),
			Caption: shortTitle(b.setup.Definition) + ": 95th percentile of the latency over how unequal the workers of a stage are, relative to instances of one worker"}),
		Claims: []Claim{
			judged(order.claim(base("order", "Bundling Manager, Video: five workers to an instance end before two, two before one, and ten after one", "the order", id), other)),
			latency.claim(base("latency", "Bundling Manager, Video: latency relative to no bundles", o.Tolerance.String(), id), b.recorded()).because(other),
			cost.claim(base("cost", "Bundling Manager, Video: cost relative to no bundles", o.Tolerance.String(), id+"-cost"), b.recorded()).because(other),
			judged(skew.claim(base("skew", "The more unequal the workers, the more sharing an instance gains", "at most 1, and at most 0", id+"-skew"), "")),
			judged(model.claim(base("model", fmt.Sprintf("Orion's model of a bundle against simulated instances, workers with a CV of %v", o.ModelCV), "±"+digits(100*o.ModelTolerance)+" %", id),
				"the model hands work on as if a worker were as many times faster as it has memory; the recorded functions are not, so that the last workers hold an instance for longer (where they are, model and simulation agree)")),
		},
		Notes: []string{
			fmt.Sprintf("by the artifact's figures every bundle costs more than none, so that a rule that admits no additional cost would not bundle; its own choice, %d, is that of the lowest p95", o.best()),
			"the latency and cost of the artifact are those of ten runs on AWS Lambda, of which the first counts for the cost only",
		},
	}, nil
}

// nearest says with how unequal workers the gains come closest to the published ones,
// where instances have all the memory of their workers.
func (o *orionBundling) nearest(gains Curves) string {
	best, least := 0, math.Inf(1)
	for i := range gains.Curves[0].Points {
		distance := 0.0
		for k, of := range o.Published[1:] {
			if !o.capped(of.Bundle) {
				distance = max(distance, math.Abs(gains.Curves[k].Points[i].Y-of.P95/o.Published[0].P95))
			}
		}
		if distance < least {
			best, least = i, distance
		}
	}
	var of []string
	for _, c := range gains.Curves {
		of = append(of, fmt.Sprintf("%s in %s", digits(c.Points[best].Y), c.Name))
	}
	return fmt.Sprintf("With workers whose work has a CV of %v, the nearest of the sweep, p95 is %s", gains.Curves[0].Points[best].X, strings.Join(of, ", "))
}

// best is the bundle with the lowest published percentile.
func (o *orionBundling) best() int {
	best := o.Published[0]
	for _, of := range o.Published {
		if of.P95 < best.P95 {
			best = of
		}
	}
	return best.Bundle
}

func bundleName(n int) string {
	if n == 1 {
		return "no bundles"
	}
	return fmt.Sprintf("bundles of %d", n)
}

// names fixes the looks of the bundles.
func (o *orionBundling) names() (names []string) {
	for _, of := range o.Published {
		names = append(names, bundleName(of.Bundle))
	}
	return names
}

// capped reports whether an instance cannot have as much memory as its workers have
// on their own.
func (o *orionBundling) capped(bundle int) bool { return bundle*o.WorkerMB > o.MostMB }

// config is that of bundles of one size.
func (o *orionBundling) config(def *models.Definition, w bundledWorld) models.Config {
	c := def.StageConfig(min(w.bundle*o.WorkerMB, o.MostMB), w.instances())
	return slices.Repeat(models.Config{c}, def.Workflow.Len())
}

// outcomes simulates the workflow with every bundle, under the same draws.
func (o *orionBundling) outcomes(ctx context.Context, lab *Lab, def *models.Definition, world sim.World, cv float64) ([]bundleOutcome, error) {
	var list []bundleOutcome
	for _, of := range o.Published {
		w := bundledWorld{World: world, workers: o.Workers, bundle: of.Bundle, cv: cv}
		s, err := sim.Simulate(ctx, w, o.config(def, w), lab.runs()/2, sim.Settings{Seed: lab.options.Seed}, nil)
		if err != nil {
			return nil, err
		}
		list = append(list, bundleOutcome{s.Latency.P50.Value, s.Latency.P95.Value, s.GBSeconds})
	}
	return list, nil
}

// predicted returns the 95th percentile that Orion's model has for every bundle, in s,
// from runs of single workers at the sizes that the bundles are about.
func (o *orionBundling) predicted(ctx context.Context, lab *Lab, def *models.Definition, world sim.World) ([]float64, error) {
	runs := o.Profiled
	if lab.options.Quick {
		runs /= 2
	}
	var sizes []int
	for _, of := range o.Published {
		whole := min(of.Bundle*o.WorkerMB, o.MostMB)
		sizes = append(sizes, whole, whole/of.Bundle)
	}
	slices.Sort(sizes)
	var rows []traces.Record
	for _, size := range slices.Compact(sizes) {
		c := slices.Repeat(models.Config{def.StageConfig(size, o.Workers)}, def.Workflow.Len())
		w := bundledWorld{World: world, workers: o.Workers, bundle: 1, cv: o.ModelCV}
		keep := func(r *sim.Run) error {
			from := len(rows)
			rows = r.Records(rows)
			for k := range rows[from:] {
				rows[from+k].Execution = fmt.Sprintf("%d MB, %s", size, rows[from+k].Execution)
			}
			return nil
		}
		if _, err := sim.Simulate(ctx, w, c, runs, sim.Settings{Seed: lab.options.Seed + 1, Keep: sim.KeepTasks}, keep); err != nil {
			return nil, err
		}
	}
	profile, err := models.NewProfile(def, rows)
	if err != nil {
		return nil, err
	}
	var list []float64
	for _, of := range o.Published {
		c := o.config(def, bundledWorld{workers: o.Workers, bundle: of.Bundle})
		for i := range c {
			c[i].Bundle = of.Bundle
		}
		p, err := baselines.Orion{}.Predict(profile, c, publishedPercentile)
		if err != nil {
			return nil, err
		}
		list = append(list, p[0])
	}
	return list, nil
}

// panels are the published figures beside ours.
func (o *orionBundling) panels(ours []bundleOutcome, generated bool) Panels {
	bars := func(name, label string, published func(k int) float64, simulated func(bundleOutcome) float64) Panel {
		l := Levels{X: "workers per instance", Y: Quantity{Label: label + " relative to no bundles"}, Series: []LevelSeries{{Name: "orion, reported", Like: "orion"}, {Name: "orion"}}}
		for k, of := range o.Published {
			l.Groups = append(l.Groups, fmt.Sprint(of.Bundle))
			l.Series[0].Values = append(l.Series[0].Values, published(k)/published(0))
			l.Series[1].Values = append(l.Series[1].Values, simulated(ours[k])/simulated(ours[0]))
		}
		return Panel{Name: name, Title: "Bundles of workers", Levels: &l, Generated: generated,
			Caption: "Video analytics, 30 workers in every stage: " + label + " relative to instances of one worker, reported of the paper's application on AWS Lambda and simulated of ours"}
	}
	return Panels{
		bars(o.About.ID, "p95 of the latency", func(k int) float64 { return o.Published[k].P95 }, func(b bundleOutcome) float64 { return b.p95 }),
		bars(o.About.ID+"-cost", "cost", func(k int) float64 { return o.Published[k].Cost }, func(b bundleOutcome) float64 { return b.gbSeconds }),
	}
}
