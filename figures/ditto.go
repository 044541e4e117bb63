package figures

import "eevee/experiments"

// scheduledQueries is the table of completion times and costs of queries.
func scheduledQueries(rows experiments.ScheduledQueries) []picture {
	seconds := func(name string) Column { return Column{Name: name, Unit: "s", Decimals: 1} }
	cost := func(name string) Column { return Column{Name: name, Unit: "GB s", Decimals: 0} }
	t := Table{Columns: []Column{
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
	return []picture{{rows.Name, "completion time and cost of queries under Ditto and NIMBLE, scheduled from recorded profiles and as reported", t}}
}
