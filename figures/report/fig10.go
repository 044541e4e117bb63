package report

import (
	"fmt"

	"eevee/experiments/papers"
	"eevee/figures"
)

// tightness draws the actual 95th percentile over the bound: per workflow one
// picture of what was executed and one of what is predicted.
func tightness(id string, rows papers.Tightness) []figures.Picture {
	metric := string(rows.Metric)
	unit, scale := shownIn(metric)
	var all []figures.Picture
	var answers []papers.MethodAnswers
	for _, p := range rows.Panels {
		chart := func(what string) figures.Chart {
			c := figures.Chart{
				Title: figures.OnTrace(p.Workflow, p.Recorded), Cast: figures.Methods,
				X:          figures.Axis{Label: metric + " bound", Unit: unit},
				Y:          figures.Axis{Label: what + " " + metric + ", p95", Unit: unit},
				References: []figures.Reference{{Kind: figures.Diagonal, Text: "bound"}},
			}
			for _, b := range p.Unreachable() {
				c.References = append(c.References, figures.Reference{Kind: figures.Vertical, Value: b * scale, Text: "proved infeasible"})
			}
			reported := figures.Series{Name: figures.ReportedName, Line: true, Marker: true}
			for i, b := range p.Bounds {
				reported.Points = append(reported.Points, figures.Point{X: b * scale, Y: p.Reported[i] * scale})
			}
			c.Series = append(c.Series, reported)
			return c
		}
		executed, predicted := chart("actual"), chart("predicted")
		for _, a := range inDrawingOrder(p.Answers) {
			s, q := methodSeries(a.Method), methodSeries(a.Method)
			breaks, breaksPredicted := figures.Series{Name: figures.CompatBreaks}, figures.Series{Name: figures.CompatBreaks}
			for _, r := range a.Results {
				if !r.Answered() {
					continue
				}
				e := r.ExecutedBounded()
				actual := figures.Point{X: r.Limit * scale, Y: e.P95 * scale, YLo: e.P95Lo * scale, YHi: e.P95Hi * scale}
				expected := figures.Point{X: r.Limit * scale, Y: r.Bounded().P95 * scale}
				if a.Method == "jolteon:compat" && r.Breaks() {
					breaks.Points, breaksPredicted.Points = append(breaks.Points, actual), append(breaksPredicted.Points, expected)
				} else {
					s.Points, q.Points = append(s.Points, actual), append(q.Points, expected)
				}
			}
			executed.Series, predicted.Series = append(executed.Series, s), append(predicted.Series, q)
			if len(breaks.Points) > 0 {
				executed.Series, predicted.Series = append(executed.Series, breaks), append(predicted.Series, breaksPredicted)
			}
		}
		all = append(all,
			figures.Picture{Name: p.Name, Caption: fmt.Sprintf("%s: 95th percentile of the %s, reported and executed in the replay world (bars: 95 %% interval)", p.Workflow, metric), Drawing: executed},
			figures.Picture{Name: p.Name + "-predicted", Caption: fmt.Sprintf("%s: 95th percentile of the %s, reported and predicted by the model on scenarios that no method saw", p.Workflow, metric), Drawing: predicted},
		)
		answers = append(answers, p.Answers...)
	}
	return append(all,
		figures.Picture{Name: id + "-bounds", Caption: "actual 95th percentile under every bound; an answer that breaks the bound on its own sample is marked with what its method says about it", Drawing: bounds(rows, unit, scale)},
		figures.Picture{Name: id + "-cells", Caption: "every answer: configuration, status, predictions, executions", Drawing: figures.Listing{Table: cells(answers)}},
	)
}

// bounds is the table of all bounds: reported, and per method the executed 95th
// percentile and, where the answer breaks the bound on the method's own sample,
// what the method says.
func bounds(rows papers.Tightness, unit string, scale float64) figures.Table {
	t := figures.Table{Columns: []figures.Column{{Name: "workflow"}, {Name: "bound", Unit: unit, Decimals: 2}, {Name: "reported", Unit: unit, Decimals: 2}}}
	for _, a := range rows.Panels[0].Answers {
		t.Columns = append(t.Columns, figures.Column{Name: a.Method, Unit: unit, Decimals: 2}, figures.Column{Name: "breaks, and says"})
	}
	for _, p := range rows.Panels {
		for i, b := range p.Bounds {
			row := []any{p.Workflow, b * scale, p.Reported[i] * scale}
			for _, a := range p.Answers {
				r := a.Results[i]
				var value, says any = nil, ""
				if r.Answered() {
					value = r.ExecutedBounded().P95 * scale
				}
				switch {
				case r.Admits():
					says = string(r.Status)
				case r.Breaks():
					says = "nothing"
				}
				row = append(row, value, says)
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}
