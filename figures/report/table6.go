package report

import (
	"eevee/experiments/papers"
	"eevee/figures"
)

// fitTimes is a table of times.
func fitTimes(rows papers.FitTimes) []figures.Picture {
	t := figures.Table{Columns: []figures.Column{
		{Name: "workflow"}, {Name: "reported", Unit: "s", Decimals: 3}, {Name: "CPU time", Unit: "s", Decimals: 5},
		{Name: "wall time", Unit: "s", Decimals: 5}, {Name: "repetitions"},
	}}
	for _, r := range rows.Rows {
		var reported, cpu any
		if r.Reported > 0 {
			reported = r.Reported
		}
		if r.CPU != nil {
			cpu = *r.CPU
		}
		t.Rows = append(t.Rows, []any{r.Workflow, reported, cpu, r.Wall, r.Repetitions})
	}
	return []figures.Picture{{Name: rows.Name, Caption: rows.What + "; ours on the machine of timings.json", Drawing: t}}
}
