package report

import (
	"fmt"
	"math"

	"eevee/experiments/papers"
	"eevee/figures"
)

// modelCoverages draws how often recorded times stay below what models predict.
func modelCoverages(rows papers.ModelCoverages) []figures.Picture {
	stated := figures.BarSeries{Name: "stated"}
	for range rows.Workflows {
		stated.Bars = append(stated.Bars, figures.Bar{Value: rows.Level})
	}
	bars := func(what string, of func(papers.ModelCoverage) []papers.Coverage) figures.Bars {
		b := figures.Bars{
			Title: figures.OnTrace(what+" that no model saw", rows.Recorded), X: "workflow", Groups: rows.Workflows, Cast: figures.Forecasters,
			Y: figures.Axis{Label: fmt.Sprintf("recorded times below predicted p%v", rows.Level), Unit: "%"}, Series: []figures.BarSeries{stated},
		}
		for _, m := range rows.Models {
			s := figures.BarSeries{Name: m.Model}
			for _, c := range of(m) {
				if math.IsNaN(c.Percent) {
					s.Bars = append(s.Bars, figures.Bar{Missing: true})
				} else {
					s.Bars = append(s.Bars, figures.Bar{Value: c.Percent, Lo: c.Lo, Hi: c.Hi})
				}
			}
			b.Series = append(b.Series, s)
		}
		return b
	}
	return []figures.Picture{
		{Name: rows.Name, Caption: "share of recorded times of stages below the predicted 95th percentile, for configurations that were held out (bar: 95 % interval)", Drawing: bars("Times of stages", func(m papers.ModelCoverage) []papers.Coverage { return m.Stages })},
		{Name: rows.Name + "-runs", Caption: "the same for the latency of whole runs", Drawing: bars("Whole runs", func(m papers.ModelCoverage) []papers.Coverage { return m.Whole })},
		{Name: rows.Name + "-models", Caption: "coverage, width of the bound and errors", Drawing: coverageTable(rows)},
	}
}

func coverageTable(rows papers.ModelCoverages) figures.Table {
	t := figures.Table{Columns: []figures.Column{
		{Name: "workflow"}, {Name: "of"}, {Name: "model"}, {Name: "runs"},
		{Name: "covered", Unit: "%", Decimals: 1}, {Name: "from", Unit: "%", Decimals: 1}, {Name: "to", Unit: "%", Decimals: 1},
		{Name: "p95 over p50", Decimals: 2}, {Name: "error of p50", Unit: "%", Decimals: 1}, {Name: "error of p95", Unit: "%", Decimals: 1},
	}}
	for i, w := range rows.Workflows {
		for _, of := range []struct {
			what string
			of   func(papers.ModelCoverage) papers.Coverage
		}{
			{"stages", func(m papers.ModelCoverage) papers.Coverage { return m.Stages[i] }},
			{"whole runs", func(m papers.ModelCoverage) papers.Coverage { return m.Whole[i] }},
		} {
			for _, m := range rows.Models {
				if c := of.of(m); c.Runs > 0 {
					t.Rows = append(t.Rows, []any{w, of.what, m.Model, c.Runs, c.Percent, c.Lo, c.Hi, known(c.Width), known(c.MAPEP50), known(c.MAPEPUpper)})
				}
			}
		}
	}
	return t
}
