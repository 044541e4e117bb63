package papers

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"eevee/models"
)

// stepConfFig14 compares durations under bounds.
type stepConfFig14 struct {
	About       Statement `yaml:",inline"`
	Factors     []float64 `yaml:"factors,flow"`
	DrawnFactor float64   `yaml:"drawn_factor"`
	KeptAtLeast float64   `yaml:"kept_at_least"`
}

func newStepConfFig14() *stepConfFig14 {
	return mustFacts[stepConfFig14]("data/stepconf-fig14.yaml")
}

func (f *stepConfFig14) Statement() Statement { return f.About }

func (f *stepConfFig14) Cells(bool) []Cell { return nil }

// stepConfFigures are the numbers of the figures about a workload: of the box
// plot, of the distributions, and what is in them.
var stepConfFigures = map[string]struct {
	boxes, distributions string
	methods              []string
}{
	"synthetic": {"14", "16", []string{stepConf, stepConfStatic}},
	"video":     {"15", "17", []string{stepConf, stepConfStatic, stepConfNoNo}},
}

func (f *stepConfFig14) Find(ctx context.Context, lab *Lab) (Finding, error) {
	workloads, err := lab.stepWorkloads()
	if err != nil {
		return Finding{}, err
	}
	found := Finding{Notes: []string{
		"StepConf looks at expected times only: what the last steps take beyond them nobody makes up for",
		"bounds are multiples of the latency that the fitted model expects of the fastest configuration",
	}}
	var rows Panels
	gaps := map[string]float64{}
	for i, id := range []string{"synthetic", "video"} {
		w := workloads[i]
		var kept, spread, static shape
		outcomes, err := f.outcomes(ctx, lab, w, stepConfFigures[id].methods)
		if err != nil {
			return found, err
		}
		gap := 0.0
		for k, factor := range f.Factors {
			at := fmt.Sprintf("%v times the fastest", factor)
			ours, theirs, interquartile := math.NaN(), math.NaN(), math.NaN()
			if w != nil {
				limit := outcomes.limits[k]
				a, b := outcomes.of[stepConf][k], outcomes.of[stepConfStatic][k]
				ours, theirs = a.kept(limit), b.kept(limit)
				p, q := a.five(), b.five()
				interquartile = (p[3] - p[1]) / (q[3] - q[1])
				gap += (q[4] - p[4]) / limit / float64(len(f.Factors))
			}
			kept.atLeast(at, "share_within_bound", ours, f.KeptAtLeast)
			spread.atMost(at, "interquartile_range_relative_to_static", interquartile, 1)
			static.atMost(at, "share_of_static_within_bound_relative_to_stepconf", theirs/ours, 1)
		}
		still := ""
		if w != nil {
			if still, err = f.still(ctx, lab, w); err != nil {
				return found, err
			}
		}
		name := f.About.ID + "-" + id
		figures := stepConfFigures[id]
		base := func(of, title, tolerance string) Claim {
			c := Claim{ID: name + "." + of, Title: title, Unit: "1", Tolerance: tolerance, Data: name + ".csv"}
			if w != nil {
				c.Figure = name + ".png"
			}
			return c
		}
		for _, c := range []struct {
			shape
			claim Claim
			cause string
		}{
			{kept, base("kept", fmt.Sprintf("Figures %s and %s: StepConf keeps the SLO", figures.boxes, figures.distributions), fmt.Sprintf("at least %s %% of the runs", digits(100*f.KeptAtLeast))),
				"the time of the last steps varies and no step after them makes up for it, and cold starts are not expected at all: " + still},
			{spread, base("spread", "Figure "+figures.boxes+": and spreads less than static", "interquartile range at most that of static"),
				"a step that ends early gives its time to a cheaper configuration of the next, which is another source of spread where what varies is small"},
			{static, base("static", "Figure "+figures.distributions+": static keeps it less often", "at most as often as StepConf"),
				"static takes the cheapest configuration within a share fixed before the run, and what a coarse grid leaves of it is slack, which StepConf spends (by how the method works; not examined apart)"},
		} {
			if w == nil {
				found.Claims = append(found.Claims, c.missing(c.claim, chunkFuncMissing))
				continue
			}
			found.Claims = append(found.Claims, w.judged(c.shape, c.claim, c.cause))
		}
		if w != nil {
			gaps[id] = gap
			rows = append(rows, f.panels(w, name, outcomes)...)
		}
	}
	var larger shape
	base := Claim{ID: f.About.ID + ".gap", Title: "Figures 14 and 15: the gap between static and StepConf is larger for video", Unit: "1",
		Tolerance: "larger than that of the generated workflow", Figure: f.About.ID + "-video.png", Data: f.About.ID + "-video.csv"}
	larger.atLeast("mean over the bounds", "gap_of_p95_of_video_relative_to_bound", gaps["video"], gaps["synthetic"])
	if workloads[0] == nil {
		found.Claims = append(found.Claims, larger.missing(base, chunkFuncMissing))
	} else {
		found.Claims = append(found.Claims, workloads[1].judged(larger, base, "how often instances start cold in the recordings, in the first of three epochs, is not how often they did in the paper's runs (by how the method works; not examined apart)"))
	}
	found.Rows = rows
	return found, nil
}

// still says how many bounds StepConf keeps where what it does not expect does not
// happen: in the generated workflow no variation and no cold starts, in the recorded
// one no cold epoch.
func (f *stepConfFig14) still(ctx context.Context, lab *Lab, w *stepWorkload) (string, error) {
	on, runs := *w, 1
	what := "without variation and cold starts"
	if world, ok := w.world.(*stepWorld); ok {
		quiet, facts := *world, *world.stepConfFacts
		facts.Cold.Share = 0
		quiet.stepConfFacts, quiet.laws = &facts, slices.Clone(world.laws)
		for i := range quiet.laws {
			quiet.laws[i].sigma = 0
		}
		on.world = &quiet
	} else {
		b, err := lab.bench(w.id)
		if err != nil {
			return "", err
		}
		on.world, runs, what = b.world, lab.stepConfRuns()/2, "without the cold epoch"
	}
	o, err := on.under(ctx, []string{stepConf}, f.Factors, runs, lab.options.Seed)
	if err != nil {
		return "", err
	}
	kept := 0
	for k, one := range o.of[stepConf] {
		if one.kept(o.limits[k]) >= f.KeptAtLeast {
			kept++
		}
	}
	text := fmt.Sprintf("%s it keeps %d of the %d bounds", what, kept, len(f.Factors))
	if kept < len(f.Factors) {
		text += ", and misses the others by what varies between warm runs and by the error of its model"
	}
	return text, nil
}

// stepConfOutcomes are runs under bounds, by method.
type stepConfOutcomes struct {
	limits []float64
	of     map[string][]stepOutcome
}

func (f *stepConfFig14) outcomes(ctx context.Context, lab *Lab, w *stepWorkload, methods []string) (stepConfOutcomes, error) {
	if w == nil {
		return stepConfOutcomes{}, nil
	}
	return w.under(ctx, methods, f.Factors, lab.stepConfRuns(), lab.options.Seed)
}

// under executes the workflow under every method and bound, which is a multiple of
// the latency of the fastest configuration.
func (w *stepWorkload) under(ctx context.Context, methods []string, factors []float64, runs int, seed uint64) (stepConfOutcomes, error) {
	o := stepConfOutcomes{of: map[string][]stepOutcome{}}
	fastest := w.fastest()
	for _, factor := range factors {
		limit := factor * fastest
		o.limits = append(o.limits, limit)
		for _, m := range methods {
			one, err := w.run(ctx, m, limit, runs, seed)
			if err != nil {
				return o, err
			}
			o.of[m] = append(o.of[m], one)
		}
	}
	return o, nil
}

// panels are the box plot and the distributions.
func (f *stepConfFig14) panels(w *stepWorkload, name string, o stepConfOutcomes) Panels {
	boxes := Spreads{X: "bound (s)", Y: Quantity{Label: "latency", Unit: "s", Log: true}, Limits: o.limits, Limit: "bound"}
	for _, limit := range o.limits {
		boxes.Groups = append(boxes.Groups, strconv.FormatFloat(limit, 'f', 1, 64))
	}
	curves := Curves{X: Quantity{Label: "latency", Unit: "s", Log: true}, Y: Quantity{Label: "share of runs"}}
	for _, m := range stepConfFigures[w.id].methods {
		series := SpreadSeries{Name: m}
		for k, one := range o.of[m] {
			series.Five = append(series.Five, one.five())
			if f.Factors[k] != f.DrawnFactor {
				continue
			}
			curve := Curve{Name: m, Line: true}
			for p := range cdfPoints + 1 {
				q := float64(p) / cdfPoints
				curve.Points = append(curve.Points, CurvePoint{X: models.SortedQuantileR7(one.latency, q), Y: q})
			}
			curves.Curves = append(curves.Curves, curve)
			curves.Marks = []CurveMark{{Vertical: true, At: o.limits[k], Text: "bound"}}
		}
		boxes.Series = append(boxes.Series, series)
	}
	return Panels{
		{Name: name, Title: w.titled(), Spreads: &boxes,
			Caption: w.title + ": latency per bound (quartiles and median, whiskers from the 5th to the 95th percentile)"},
		{Name: name + "-cdf", Title: w.titled(), Curves: &curves,
			Caption: fmt.Sprintf("%s: distribution of the latency under a bound of %v times the fastest configuration's", w.title, f.DrawnFactor)},
	}
}

// cdfPoints is how many parts a distribution is drawn in.
const cdfPoints = 50
