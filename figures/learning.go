package figures

import (
	"fmt"

	"eevee/experiments"
)

// learning draws learning curves: coverage and width over the number of recorded
// runs that a model was fitted to, once with more configurations and once with
// more runs of each.
func learning(l experiments.Learning, recorded bool) []Picture {
	var all []Picture
	for _, along := range []experiments.Along{experiments.AlongConfigurations, experiments.AlongRuns} {
		what := fmt.Sprintf("%s, more %s: over the number of recorded runs", l.Workflow, along)
		coverage := learningCurve(l, along, recorded, Axis{Label: "recorded times below the predicted p95", Unit: "%"}, func(r experiments.LearningRow) (float64, float64) {
			return 100 * r.Coverage, 100 * r.CoverageSE
		})
		if len(coverage.Series) == 0 {
			continue
		}
		coverage.References = []Reference{{Kind: Horizontal, Value: 95, Text: "95 %"}}
		width := learningCurve(l, along, recorded, Axis{Label: "predicted p95 over p50"}, func(r experiments.LearningRow) (float64, float64) {
			return r.WidthRatio, r.WidthRatioSE
		})
		all = append(all,
			Picture{"learning-coverage-" + string(along), what + ", coverage of the 95th percentile (bars: two standard errors)", coverage},
			Picture{"learning-width-" + string(along), what + ", width of the bound (bars: two standard errors)", width},
		)
	}
	t := Table{Title: l.Workflow + ", learning curves", Columns: []Column{
		{Name: "model"}, {Name: "more"}, {Name: "runs"}, {Name: "configurations"}, {Name: "runs of each"},
		{Name: "covered", Unit: "%", Decimals: 1}, {Name: "standard error", Unit: "%", Decimals: 1},
		{Name: "width ratio", Decimals: 2}, {Name: "its standard error", Decimals: 2}, {Name: "MAPE", Unit: "%", Decimals: 1},
	}}
	for _, r := range l.Rows {
		t.Rows = append(t.Rows, []any{
			r.Model, string(r.Along), r.Runs, r.Configurations, r.RunsEach,
			100 * r.Coverage, 100 * r.CoverageSE, r.WidthRatio, r.WidthRatioSE, 100 * r.MAPE,
		})
	}
	return append(all, Picture{"learning", l.Workflow + ": learning curves", t})
}

// learningCurve draws one figure of every model with bars of two standard errors.
func learningCurve(l experiments.Learning, along experiments.Along, recorded bool, y Axis, of func(experiments.LearningRow) (value, se float64)) Chart {
	c := Chart{
		Title: OnTrace(l.Workflow+", configurations that were not fitted to", recorded), Cast: Forecasters,
		X: Axis{Label: "recorded runs", Log: true}, Y: y,
	}
	for _, r := range l.Rows {
		if r.Along != along {
			continue
		}
		if len(c.Series) == 0 || c.Series[len(c.Series)-1].Name != r.Model {
			c.Series = append(c.Series, Series{Name: r.Model, Line: true, Marker: true})
		}
		at := &c.Series[len(c.Series)-1]
		value, se := of(r)
		at.Points = append(at.Points, Point{X: float64(r.Runs), Y: value, YLo: value - 2*se, YHi: value + 2*se})
	}
	return c
}
