package report

import (
	"eevee/experiments/papers"
	"eevee/figures"
)

// listedAnswers is the table of published configurations and of answers.
func listedAnswers(rows papers.ListedAnswers) []figures.Picture {
	t := figures.Table{Columns: []figures.Column{
		{Name: "configuration"}, {Name: "bound"}, {Name: "published"}, {Name: "artifact"}, {Name: "jolteon:compat"}, {Name: "status"},
	}}
	for _, r := range rows.Rows {
		ours := ""
		if r.Answer.Answered() {
			ours = r.Answer.Config.String()
		}
		t.Rows = append(t.Rows, []any{r.Config, r.Answer.BoundText(), r.Listed.String(), r.Artifact.String(), ours, string(r.Answer.Status)})
	}
	return []figures.Picture{{Name: rows.Name, Caption: rows.Workflow + ": the configurations of Table 4, and answers to the bounds they belong to", Drawing: t}}
}
