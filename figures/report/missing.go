package report

import (
	"eevee/experiments/papers"
	"eevee/figures"
)

// missingItems is the table of what cannot be reproduced.
func missingItems(rows papers.MissingItems) []figures.Picture {
	t := figures.Table{Columns: []figures.Column{{Name: "id"}, {Name: "paper"}, {Name: "what"}, {Name: "missing"}}}
	for _, r := range rows.Rows {
		t.Rows = append(t.Rows, []any{r.ID, r.Paper, r.Title, r.Missing})
	}
	return []figures.Picture{{Name: rows.Name, Caption: "what cannot be reproduced, and what is missing", Drawing: t}}
}

// unbuiltItems is the table of what is not built yet.
func unbuiltItems(rows papers.UnbuiltItems) []figures.Picture {
	t := figures.Table{Columns: []figures.Column{{Name: "item"}, {Name: "reported"}, {Name: "what comparing it takes"}}}
	for _, r := range rows.Rows {
		t.Rows = append(t.Rows, []any{r.Item, r.Reported, r.Takes})
	}
	return []figures.Picture{{Name: rows.Name, Caption: "what is reported of a system that is not built yet", Drawing: t}}
}
