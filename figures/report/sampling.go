package report

import (
	"fmt"

	"eevee/experiments/papers"
	"eevee/figures"
)

// sampleSizes is the table of sample sizes.
func sampleSizes(rows papers.SampleSizes) []figures.Picture {
	t := figures.Table{Columns: []figures.Column{
		{Name: "workflow"}, {Name: "configurations"}, {Name: "formula, artifact's count"}, {Name: "formula, true count"}, {Name: "rule certified"},
	}}
	for _, r := range rows.Rows {
		t.Rows = append(t.Rows, []any{r.Workflow, r.Space, r.Published, r.TrueSize, r.Certified})
	}
	return []figures.Picture{{Name: rows.Name, Caption: "samples that guarantees ask for, at the 95th percentile and a confidence of 99.9 %", Drawing: t}}
}

// feasibleSets draws how much of a space is feasible over the number of samples,
// and how much of that is too risky.
func feasibleSets(rows papers.FeasibleSets) []figures.Picture {
	chart := func(label string) figures.Chart {
		c := figures.Chart{
			Title: figures.OnTrace(rows.Workflow+", "+rows.Bound, rows.Recorded),
			X:     figures.Axis{Label: "samples", Log: true}, Y: figures.Axis{Label: label, Unit: "%", IncludeZero: true},
		}
		for _, r := range rows.Rules {
			c.Cast = append(c.Cast, r.Rule)
		}
		return c
	}
	feasible, risky := chart("configurations that are feasible"), chart("of them with a risk above 5 %")
	feasible.References = []figures.Reference{{Kind: figures.Horizontal, Value: 100 * float64(rows.True) / float64(rows.Space), Text: "true risk at most 5 %"}}
	for _, r := range rows.Rules {
		a, b := figures.Series{Name: r.Rule, Line: true, Marker: true}, figures.Series{Name: r.Rule, Line: true, Marker: true}
		for _, s := range r.Sizes {
			x := float64(s.Samples)
			a.Points = append(a.Points, figures.Point{X: x, Y: 100 * s.Feasible, YLo: 100 * s.Lo, YHi: 100 * s.Hi})
			b.Points = append(b.Points, figures.Point{X: x, Y: 100 * s.TooRisky, YLo: 100 * s.RiskyLo, YHi: 100 * s.RiskyHi})
		}
		feasible.Series, risky.Series = append(feasible.Series, a), append(risky.Series, b)
	}
	return []figures.Picture{
		{Name: rows.Name, Caption: fmt.Sprintf("%s: share of %d configurations that a sample calls feasible, over its size (mean over samples, bar from the least to the most)", rows.Workflow, rows.Space), Drawing: feasible},
		{Name: rows.Name + "-risk", Caption: rows.Workflow + ": share of the feasible configurations whose true risk is above 5 %", Drawing: risky},
	}
}
