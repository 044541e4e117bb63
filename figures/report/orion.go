package report

import (
	"math"
	"slices"

	"eevee/experiments/papers"
	"eevee/figures"
)

// orionSearches draws what searches find, and lists sizes and starts.
func orionSearches(rows papers.OrionSearches) []figures.Picture {
	b := figures.Bars{
		Title: figures.OnTrace("Searches for sizes", rows.Recorded), X: "workflow", Y: figures.Axis{Label: "cost per run, mean", Unit: "¢"}, Cast: figures.Methods,
	}
	t := figures.Table{Columns: []figures.Column{
		{Name: "workflow"}, {Name: "bound"}, {Name: "method"}, {Name: "stage"}, {Name: "memory", Unit: "MB"}, {Name: "instances"},
		{Name: "started ahead at", Unit: "s", Decimals: 1}, {Name: "p50 of the run", Unit: "s", Decimals: 1}, {Name: "p95 of the run", Unit: "s", Decimals: 1},
		{Name: "cost of the run", Unit: "USD", Decimals: 5}, {Name: "keeps the bound"},
	}}
	for _, r := range rows.Rows {
		group := r.Workflow
		if !slices.Contains(b.Groups, group) {
			b.Groups = append(b.Groups, group)
		}
		name := methodName(r.Answer.Method)
		i := slices.IndexFunc(b.Series, func(s figures.BarSeries) bool { return s.Name == name })
		if i < 0 {
			i = len(b.Series)
			b.Series = append(b.Series, figures.BarSeries{Name: name})
		}
		b.Series[i].Bars = append(b.Series[i].Bars, figures.Bar{Value: r.Answer.Cost.Mean * figures.Cents, Missing: !r.Answer.Answered()})
		for k, stage := range r.Stages {
			if !r.Answer.Answered() {
				continue
			}
			c := r.Answer.Config[k]
			var ahead any
			if !math.IsNaN(r.Prewarm[k]) {
				ahead = r.Prewarm[k]
			}
			t.Rows = append(t.Rows, []any{
				r.Workflow, r.Answer.BoundText(), name, stage, c.Memory, c.Parallelism, ahead,
				r.Answer.Latency.P50, r.Answer.Latency.P95, r.Answer.Cost.Mean, yesNo(!r.Answer.Breaks()),
			})
		}
	}
	return []figures.Picture{
		{Name: rows.Name, Drawing: b, Caption: "predicted mean cost of what searches find under one bound on latency per workflow; whether the bound is kept says the table"},
		{Name: rows.Name + "-searches", Drawing: t, Caption: "sizes of the stages, with Orion's starts ahead of time"},
	}
}

// methodName is a method without the options that change no answer.
func methodName(method string) string {
	if method == "orion:no-prewarming" {
		return "orion"
	}
	return method
}
