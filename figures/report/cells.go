package report

import (
	"strings"

	"eevee/experiments/papers"
	"eevee/figures"
)

// cells lists results in full: what was asked, the answer, what the model
// predicts of it and how it fared when it was executed. Costs are in USD.
func cells(answers []papers.MethodAnswers) figures.Table {
	t := figures.Table{Columns: []figures.Column{
		{Name: "workflow"}, {Name: "bound_metric"}, {Name: "bound_limit"}, {Name: "method"}, {Name: "status"},
		{Name: "config"}, {Name: "samples"}, {Name: "violations"}, {Name: "allowed_violations"},
		{Name: "breaks_own_bound"}, {Name: "says_so"},
		{Name: "holdout_risk"}, {Name: "holdout_risk_lo"}, {Name: "holdout_risk_hi"},
		{Name: "predicted_p50_latency_s"}, {Name: "predicted_p95_latency_s"},
		{Name: "predicted_mean_cost_usd"}, {Name: "predicted_p95_cost_usd"},
		{Name: "runs"}, {Name: "executed_p50_latency_s"}, {Name: "executed_mean_latency_s"},
		{Name: "executed_p95_latency_s"}, {Name: "executed_p95_latency_lo_s"}, {Name: "executed_p95_latency_hi_s"},
		{Name: "executed_mean_cost_usd"},
		{Name: "executed_p95_cost_usd"}, {Name: "executed_p95_cost_lo_usd"}, {Name: "executed_p95_cost_hi_usd"},
		{Name: "warnings"},
	}}
	for _, a := range answers {
		for _, r := range a.Results {
			row := []any{r.Workflow, string(r.Metric), r.Limit, r.Method, string(r.Status)}
			if !r.Answered() {
				row = append(row, "", r.Samples)
				for len(row) < len(t.Columns)-1 {
					row = append(row, nil)
				}
				t.Rows = append(t.Rows, append(row, strings.Join(r.Warnings, "; ")))
				continue
			}
			latency, cost := r.Executed.Latency, r.Executed.Cost
			t.Rows = append(t.Rows, append(row,
				r.Config.String(), r.Samples, r.Violations, r.Allowed, yesNo(r.Breaks()), yesNo(r.Admits()),
				r.Risk, r.RiskLo, r.RiskHi,
				r.Latency.P50, r.Latency.P95, r.Cost.Mean, r.Cost.P95,
				r.Executed.Runs, latency.P50, latency.Mean, latency.P95, latency.P95Lo, latency.P95Hi,
				cost.Mean, cost.P95, cost.P95Lo, cost.P95Hi,
				strings.Join(append(append([]string{}, r.Warnings...), r.Executed.Warnings...), "; "),
			))
		}
	}
	return t
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
