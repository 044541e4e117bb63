package cli

import (
	"fmt"
	"io"

	"eevee/traces"
)

// importedTrace is the result of "eevee traces import".
type importedTrace struct {
	Workflow    string   `json:"workflow"`
	Format      string   `json:"format"`
	Inputs      []string `json:"inputs"`
	InputSHA256 string   `json:"input_sha256"`
	Output      string   `json:"output"`
	SHA256      string   `json:"sha256"`
	Rows        int      `json:"rows"`
	Replaced    bool     `json:"replaced"` // whether there was a file of that name
}

func importTraceVerb() verb {
	var format, workflow, output string
	var formats []string
	detail := "FILE is a log or a profile in one of the formats\n"
	for _, f := range traces.Formats() {
		formats = append(formats, f.Name)
		detail += fmt.Sprintf("  %s: %s\n", f.Name, f.Description)
	}
	return verb{
		name:    "import",
		summary: "turn logs or profiles into a trace",
		detail:  detail[:len(detail)-1],
		args:    "FILE...",
		flags: flags{
			choiceFlag(&format, "format", "", "`FORMAT` of the files", formats),
			textFlag(&workflow, "workflow", "", "`NAME` of the workflow that the files are of"),
			outputFlag(&output, "trace `FILE` to write (Parquet)"),
		},
		need: []string{"format", "workflow", "output"},
		run: func(c *call) error {
			replaces, err := checkOutput(output, c.args...)
			if err != nil {
				return err
			}
			rows, meta, err := traces.Import(format, workflow, c.args...)
			if err != nil {
				return err
			}
			if err := c.ctx.Err(); err != nil {
				return err
			}
			if replaces {
				c.remark("%s exists and is replaced", output)
			}
			meta.Generator = "eevee traces import"
			if err := traces.Write(output, rows, meta); err != nil {
				return err
			}
			sum, err := traces.FileSHA256(output)
			if err != nil {
				return err
			}
			r := importedTrace{workflow, format, c.args, meta.InputSHA256, output, sum, len(rows), replaces}
			return c.result(r, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %d rows of workflow %s\n", output, len(rows), workflow)
				return err
			})
		},
	}
}
