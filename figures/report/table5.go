package report

import (
	"fmt"

	"eevee/experiments/papers"
	"eevee/figures"
)

// workflowErrors are the tables of the errors of a workflow's predicted latency,
// one per percentile: with two draws, and with the full sample.
func workflowErrors(rows papers.WorkflowErrors) []figures.Picture {
	var all []figures.Picture
	for _, q := range []struct {
		name string
		of   func(papers.Median95) float64
	}{
		{"p50", func(m papers.Median95) float64 { return m.P50 }},
		{"p95", func(m papers.Median95) float64 { return m.P95 }},
	} {
		t := figures.Table{Columns: []figures.Column{
			{Name: "configuration"}, {Name: "measured", Unit: "s", Decimals: 2},
			{Name: "two draws", Unit: "s", Decimals: 2}, {Name: "error", Unit: "%", Decimals: 2}, {Name: "reported", Unit: "%", Decimals: 2},
			{Name: fmt.Sprintf("%d draws", rows.FullSample), Unit: "s", Decimals: 2}, {Name: "error with them", Unit: "%", Decimals: 2},
			{Name: "independent draws", Unit: "s", Decimals: 2},
			{Name: "Orion, reported", Unit: "%", Decimals: 2}, {Name: "Ditto, reported", Unit: "%", Decimals: 2},
		}}
		for _, r := range rows.Rows {
			t.Rows = append(t.Rows, []any{
				r.Config, q.of(r.Measured), q.of(r.Predicted), q.of(r.Error), q.of(r.Reported),
				q.of(r.PredictedFull), q.of(r.ErrorFull), q.of(r.PredictedStreams), q.of(r.ReportedOrion), q.of(r.ReportedDitto),
			})
		}
		m := rows.Mean
		t.Rows = append(t.Rows, []any{
			m.Config, nil, nil, q.of(m.Error), q.of(m.Reported), nil, q.of(m.ErrorFull), nil, q.of(m.ReportedOrion), q.of(m.ReportedDitto),
		})
		all = append(all, figures.Picture{
			Name:    rows.Name + "-" + q.name,
			Caption: fmt.Sprintf("%s, %s of the latency: errors of Jolteon's predictions with the artifact's two draws, and with %d", rows.Workflow, q.name, rows.FullSample), Drawing: t,
		})
	}
	return append(all, figures.Picture{Name: rows.Name, Caption: "both percentiles with all digits", Drawing: figures.Listing{Table: allErrors(rows)}})
}

// allErrors lists everything that is known about the predictions.
func allErrors(rows papers.WorkflowErrors) figures.Table {
	t := figures.Table{Columns: []figures.Column{{Name: "configuration"}}}
	columns := []struct {
		name string
		of   func(papers.WorkflowError) papers.Median95
	}{
		{"measured_%s_s", func(r papers.WorkflowError) papers.Median95 { return r.Measured }},
		{"predicted_%s_s", func(r papers.WorkflowError) papers.Median95 { return r.Predicted }},
		{"error_%s_percent", func(r papers.WorkflowError) papers.Median95 { return r.Error }},
		{"reported_error_%s_percent", func(r papers.WorkflowError) papers.Median95 { return r.Reported }},
		{"full_sample_predicted_%s_s", func(r papers.WorkflowError) papers.Median95 { return r.PredictedFull }},
		{"full_sample_error_%s_percent", func(r papers.WorkflowError) papers.Median95 { return r.ErrorFull }},
		{"independent_predicted_%s_s", func(r papers.WorkflowError) papers.Median95 { return r.PredictedStreams }},
		{"reported_orion_error_%s_percent", func(r papers.WorkflowError) papers.Median95 { return r.ReportedOrion }},
		{"reported_ditto_error_%s_percent", func(r papers.WorkflowError) papers.Median95 { return r.ReportedDitto }},
	}
	for _, f := range columns {
		t.Columns = append(t.Columns, figures.Column{Name: fmt.Sprintf(f.name, "p50")}, figures.Column{Name: fmt.Sprintf(f.name, "p95")})
	}
	for _, r := range rows.Rows {
		row := []any{r.Config}
		for _, f := range columns {
			m := f.of(r)
			row = append(row, m.P50, m.P95)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
