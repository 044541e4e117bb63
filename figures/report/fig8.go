package report

import (
	"eevee/experiments/papers"
	"eevee/figures"
	"eevee/models"
)

// workflowGraphs draws workflows.
func workflowGraphs(rows papers.WorkflowGraphs) []figures.Picture {
	var all []figures.Picture
	for _, p := range rows.Panels {
		w, err := models.NewWorkflow(p.Title, p.Stages)
		if err != nil {
			panic(err) // they are those of a workflow
		}
		all = append(all, figures.Picture{
			Name: p.Name, Caption: p.Title + ": stages and what they wait for; critical are those of the path that the artifact looks at",
			Drawing: figures.Graph{Title: p.Title, Workflow: w, Notes: p.Notes},
		})
	}
	return all
}
