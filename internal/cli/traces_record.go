package cli

import (
	"fmt"
	"io"

	"eevee/models"
	"eevee/traces"
)

// recordedTrace is the result of "eevee traces record".
type recordedTrace struct {
	Workflow    string `json:"workflow"`
	Card        string `json:"card"`
	InputSHA256 string `json:"input_sha256"` // of the card
	Source      string `json:"source"`
	Output      string `json:"output"`
	SHA256      string `json:"sha256"`
	Rows        int    `json:"rows"`
	Replaced    bool   `json:"replaced"` // whether there was a file of that name
}

func recordTraceVerb() verb {
	var workflow, card, output string
	return verb{
		name:    "record",
		summary: "make a synthetic trace of a workload card",
		shown:   []string{"traces record --workflow ml --seed 7 -o ml.parquet"},
		detail:  "The bundled traces are made of the bundled cards with seed 1.",
		flags: flags{
			workflowFlag(&workflow),
			textFlag(&card, "card", "", "bundled card or card `FILE` (YAML); default: the workflow's"),
			outputFlag(&output, "trace `FILE` to write (Parquet)"),
		},
		need: []string{"workflow", "output"},
		run: func(c *call) error {
			replaces, err := checkOutput(output, workflow, card)
			if err != nil {
				return err
			}
			def, err := models.Load(workflow)
			if err != nil {
				return err
			}
			if card == "" {
				card = def.Workflow.Name()
			}
			from, err := models.LoadCard(card, def)
			if err != nil {
				return err
			}
			rows, err := from.Record(c.streams())
			if err != nil {
				return err
			}
			meta, err := from.Meta(c.streams())
			if err != nil {
				return err
			}
			if err := c.ctx.Err(); err != nil {
				return err
			}
			if replaces {
				c.remark("%s exists and is replaced", output)
			}
			if err := traces.Write(output, rows, meta); err != nil {
				return err
			}
			sum, err := traces.FileSHA256(output)
			if err != nil {
				return err
			}
			r := recordedTrace{def.Workflow.Name(), card, meta.InputSHA256, meta.Source, output, sum, len(rows), replaces}
			return c.result(r, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %d %s rows of workflow %s\n", output, r.Rows, r.Source, r.Workflow)
				return err
			})
		},
	}
}
