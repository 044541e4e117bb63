package report

import (
	"eevee/experiments/papers"
	"eevee/figures"
)

// launchGains draws what NIMBLE gains over launching lazily and eagerly.
func launchGains(rows papers.LaunchGains) []figures.Picture {
	c := figures.Chart{
		Title: "NIMBLE on random graphs", Cast: figures.Cast{"random graphs", "workflows"},
		X: figures.Axis{Label: "lazy completion time over NIMBLE's"}, Y: figures.Axis{Label: "eager cost over NIMBLE's"},
		References: []figures.Reference{{Kind: figures.Vertical, Value: 1, Text: "no gain"}, {Kind: figures.Horizontal, Value: 1, Text: "no gain"}},
	}
	t := figures.Table{Columns: []figures.Column{
		{Name: "graph"},
		{Name: "lazy", Unit: "s", Decimals: 2}, {Name: "eager", Unit: "s", Decimals: 2}, {Name: "NIMBLE", Unit: "s", Decimals: 2},
		{Name: "lazy, cost", Unit: "s", Decimals: 2}, {Name: "eager, cost", Unit: "s", Decimals: 2}, {Name: "NIMBLE, cost", Unit: "s", Decimals: 2},
	}}
	for i, list := range [][]papers.LaunchGain{rows.Graphs, rows.Workflows} {
		s := figures.Series{Name: c.Cast[i]}
		for _, g := range list {
			s.Points = append(s.Points, figures.Point{X: g.SoonerThanLazy(), Y: g.CheaperThanEager()})
		}
		c.Series = append(c.Series, s)
	}
	for _, g := range rows.Workflows {
		t.Rows = append(t.Rows, []any{g.Graph, g.Lazy.JCT, g.Eager.JCT, g.Nimble.JCT, g.Lazy.Cost, g.Eager.Cost, g.Nimble.Cost})
	}
	return []figures.Picture{
		{Name: rows.Name, Drawing: c, Caption: "what NIMBLE gains: completion time over lazy launching, cost over eager launching"},
		{Name: rows.Name + "-workflows", Drawing: t, Caption: "completion times, and the time of all stages together that is paid for"},
	}
}
