package report

import (
	"eevee/experiments/papers"
	"eevee/figures"
)

// scheduledQueries is the table of completion times and costs of queries.
func scheduledQueries(rows papers.ScheduledQueries) []figures.Picture {
	seconds := func(name string) figures.Column { return figures.Column{Name: name, Unit: "s", Decimals: 1} }
	cost := func(name string) figures.Column { return figures.Column{Name: name, Unit: "GB s", Decimals: 0} }
	t := figures.Table{Columns: []figures.Column{
		{Name: "query"}, {Name: "slots"},
		seconds("Ditto"), seconds("Ditto, reported"), seconds("NIMBLE"), seconds("NIMBLE, reported"),
		cost("Ditto's cost"), cost("reported"), cost("NIMBLE's cost"), cost("reported for NIMBLE"),
	}}
	for _, r := range rows.Rows {
		t.Rows = append(t.Rows, []any{
			r.Query, r.Setting,
			known(r.Ditto.JCT), r.ReportedDitto.JCT, known(r.Nimble.JCT), r.ReportedNimble.JCT,
			known(r.Ditto.CostGBs), r.ReportedDitto.CostGBs, known(r.Nimble.CostGBs), r.ReportedNimble.CostGBs,
		})
	}
	return []figures.Picture{{Name: rows.Name, Caption: "completion time and cost of queries under Ditto and NIMBLE, scheduled from recorded profiles and as reported", Drawing: t}}
}
