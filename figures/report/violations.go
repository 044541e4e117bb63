package report

import (
	"fmt"

	"eevee/experiments/papers"
	"eevee/figures"
	"eevee/models"
)

// boundsKept draws how often systems break bounds, and how far from the optimum
// they are where they keep them.
func boundsKept(rows papers.BoundsKept) []figures.Picture {
	broken := figures.Heat{
		Title: figures.OnTrace("Bounds that are broken", rows.Recorded), X: "judged by", Y: "system", Value: figures.Axis{Label: "bounds broken", Unit: "%"},
		Names: [2][]string{{"its own sample", "unseen scenarios", "executions"}, nil},
	}
	above := figures.Boxes{
		Title: figures.OnTrace("Distance from the proved optimum", rows.Recorded), X: "system", Y: figures.Axis{Label: "objective above the optimum", Unit: "%"},
		Series: []figures.BoxSeries{{Name: "bounds that are kept"}},
	}
	systems := figures.Table{Columns: []figures.Column{
		{Name: "system"}, {Name: "answers"}, {Name: "break their own sample"}, {Name: "of them in silence"}, {Name: "break unseen scenarios"}, {Name: "break executed"},
		{Name: "kept"}, {Name: "above the optimum, median", Unit: "%", Decimals: 1}, {Name: "most", Unit: "%", Decimals: 1},
	}}
	// The first row of a heat map is its lowest.
	for i := range rows.Systems {
		s := rows.Systems[len(rows.Systems)-1-i]
		shares := s.Shares()
		broken.Names[1] = append(broken.Names[1], seriesName(s.System))
		broken.Values = append(broken.Values, shares[:])
	}
	for _, s := range rows.Systems {
		row := []any{seriesName(s.System), s.Answered, s.Own, s.Silent, s.Unseen, s.Executed, len(s.AboveOptimum)}
		p := s.Percents()
		if len(p) == 0 {
			systems.Rows = append(systems.Rows, append(row, nil, nil))
			continue
		}
		q := func(share float64) float64 { return models.QuantileR7(p, share) }
		systems.Rows = append(systems.Rows, append(row, q(0.5), q(1)))
		// The optimum's distance is 0, and those of systems that look at no bound
		// would leave no room for the others.
		if s.System != "exact" && !s.Unaware {
			above.Groups = append(above.Groups, s.System)
			above.Series[0].Boxes = append(above.Series[0].Boxes, figures.Box{Lo: q(0), Q1: q(0.25), Median: q(0.5), Q3: q(0.75), Hi: q(1)})
		}
	}
	all := []figures.Picture{
		{Name: rows.Name, Drawing: broken, Caption: fmt.Sprintf("share of %d reachable bounds whose answer breaks them: on the sample of the system, surely on unseen scenarios, and at the 95th percentile of executions; systems that bound no cost answer those on latency", rows.Reachable)},
	}
	if len(above.Groups) > 0 {
		all = append(all, figures.Picture{Name: rows.Name + "-optimum", Drawing: above, Caption: "mean objective above that of the proved optimum where the bound is kept, on unseen scenarios; whiskers from the least to the most; systems that look at no bound are in the table"})
	}
	return append(all,
		figures.Picture{Name: rows.Name + "-systems", Drawing: systems, Caption: "all systems"},
		figures.Picture{Name: rows.Name + "-cells", Drawing: figures.Listing{Table: cells(rows.Answers)}, Caption: "every answer: configuration, status, predictions, executions"},
	)
}
