package report

import (
	"fmt"
	"strings"

	"eevee/experiments/papers"
	"eevee/figures"
)

// scheduledQueries draws completion times and costs of queries, as Figures 8 and
// 9 of Ditto do, and lists them in a table.
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
	return []figures.Picture{
		{Name: rows.Name + "-fig8", Caption: "completion time of queries under Ditto and NIMBLE, scheduled from recorded profiles and as reported",
			Drawing: queryBars(rows, "completion time", "s", func(f papers.JobFigures) float64 { return f.JCT })},
		{Name: rows.Name + "-fig9", Caption: "cost of queries under Ditto and NIMBLE, scheduled from recorded profiles and as reported",
			Drawing: queryBars(rows, "cost", "GB s", func(f papers.JobFigures) float64 { return f.CostGBs })},
		{Name: rows.Name, Caption: "completion time and cost of queries under Ditto and NIMBLE, scheduled from recorded profiles and as reported", Drawing: t},
	}
}

// queryBars has a panel for every part of the figure: all queries on slots
// zipf-0.9, and query 95 on uniform and on uneven slots.
func queryBars(rows papers.ScheduledQueries, quantity, unit string, of func(papers.JobFigures) float64) figures.Stack {
	var stack figures.Stack
	for _, part := range []struct {
		title string
		by    string
		has   func(papers.ScheduledQuery) bool
		name  func(papers.ScheduledQuery) string
	}{
		{"slots zipf-0.9", "query", func(q papers.ScheduledQuery) bool { return q.Setting == "zipf-0.9" }, func(q papers.ScheduledQuery) string { return fmt.Sprint("Q", q.Query) }},
		{"query 95, uniform slots", "slots", func(q papers.ScheduledQuery) bool { return strings.HasPrefix(q.Setting, "uni-") }, setting},
		{"query 95, uneven slots", "slots", func(q papers.ScheduledQuery) bool {
			return q.Query == 95 && !strings.HasPrefix(q.Setting, "uni-")
		}, setting},
	} {
		b := figures.Bars{Title: part.title, Cast: figures.Schedulers, X: part.by, Y: figures.Axis{Label: quantity, Unit: unit}, Series: []figures.BarSeries{
			{Name: "Ditto"}, {Name: "Ditto, reported", Like: "Ditto"}, {Name: "NIMBLE"}, {Name: "NIMBLE, reported", Like: "NIMBLE"},
		}}
		for _, q := range rows.Rows {
			if !part.has(q) {
				continue
			}
			b.Groups = append(b.Groups, part.name(q))
			for i, f := range []papers.JobFigures{q.Ditto, q.ReportedDitto, q.Nimble, q.ReportedNimble} {
				b.Series[i].Bars = append(b.Series[i].Bars, bar(of(f)))
			}
		}
		if len(b.Groups) > 0 {
			stack = append(stack, figures.Panel{Name: part.title, Figure: b})
		}
	}
	return stack
}

func setting(q papers.ScheduledQuery) string { return q.Setting }
