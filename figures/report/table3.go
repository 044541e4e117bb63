package report

import (
	"eevee/experiments/papers"
	"eevee/figures"
)

// stageErrors is the table of the errors of a stage's predicted latency.
func stageErrors(rows papers.StageErrors) []figures.Picture {
	t := figures.Table{Columns: []figures.Column{
		{Name: "parallelism"}, {Name: "vCPU", Decimals: 1},
		{Name: "actual p50", Unit: "s", Decimals: 2}, {Name: "predicted p50", Unit: "s", Decimals: 2},
		{Name: "error p50", Unit: "%", Decimals: 2}, {Name: "reported p50", Unit: "%", Decimals: 2},
		{Name: "actual p95", Unit: "s", Decimals: 2}, {Name: "predicted p95", Unit: "s", Decimals: 2},
		{Name: "error p95", Unit: "%", Decimals: 2}, {Name: "reported p95", Unit: "%", Decimals: 2},
	}}
	for _, r := range rows.Rows {
		t.Rows = append(t.Rows, []any{
			r.Parallelism, r.VCPU,
			known(r.Actual.P50), r.Predicted.P50, known(r.Error.P50), r.Reported.P50,
			known(r.Actual.P95), r.Predicted.P95, known(r.Error.P95), r.Reported.P95,
		})
	}
	return []figures.Picture{{Name: rows.Name, Caption: rows.Workflow + ", " + rows.Stage + ": error of the predicted latency, from the artifact's two draws", Drawing: t}}
}
