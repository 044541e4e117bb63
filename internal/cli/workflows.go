package cli

import (
	"io"
	"math/big"

	"eevee/models"
)

func workflowsVerb() verb {
	return verb{
		name:    "workflows",
		summary: "list, show, import and execute workflows, and export configurations",
		verbs: []verb{
			listWorkflowsVerb(),
			showWorkflowVerb(),
			importWorkflowVerb(),
			executeWorkflowVerb(),
			exportWorkflowVerb(),
		},
	}
}

// workflowSummary is one entry of "eevee workflows list".
type workflowSummary struct {
	Name   string         `json:"name"`
	Title  string         `json:"title"`
	Source string         `json:"source"`
	Stages int            `json:"stages"`
	Spaces []spaceSummary `json:"spaces"`
}

type spaceSummary struct {
	Name string   `json:"name"`
	Size *big.Int `json:"size"` // admissible configurations
}

func listWorkflowsVerb() verb {
	return verb{name: "list", summary: "list the bundled workflows", run: listWorkflows}
}

func listWorkflows(c *call) error {
	var all struct {
		Workflows []workflowSummary `json:"workflows"`
	}
	for _, name := range models.Bundled() {
		d, err := models.Load(name)
		if err != nil {
			return err
		}
		s := workflowSummary{Name: name, Title: d.Title, Source: d.Source, Stages: d.Workflow.Len()}
		for _, space := range d.Spaces {
			s.Spaces = append(s.Spaces, spaceSummary{space.Name, space.Size()})
		}
		all.Workflows = append(all.Workflows, s)
	}
	return c.result(all, func(w io.Writer) error {
		var rows [][]any
		for _, s := range all.Workflows {
			for i, space := range s.Spaces {
				if i == 0 {
					rows = append(rows, []any{s.Name, s.Stages, space.Name, space.Size, s.Title})
				} else {
					rows = append(rows, []any{"", "", space.Name, space.Size, ""})
				}
			}
		}
		_, err := io.WriteString(w, textTable([]any{"workflow", "stages", "space", "configurations", "title"}, rows))
		return err
	})
}
