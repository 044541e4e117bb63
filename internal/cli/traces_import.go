package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"eevee/traces"
	"eevee/traces/logs"
)

// csvFormat is the one format that needs a mapping.
const csvFormat = "csv"

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
	var format, workflow, mapping, output string
	var formats []string
	detail := "FILE is a log or a profile in one of the formats\n"
	for _, f := range traces.Formats() {
		formats = append(formats, f.Name)
		detail += fmt.Sprintf("  %s: %s\n", f.Name, f.Description)
	}
	formats = append(formats, csvFormat)
	detail += "  csv: any table with a header, under a --mapping of its columns; gzip or plain\n"
	return verb{
		name:    "import",
		summary: "turn logs or profiles into a trace",
		detail:  detail[:len(detail)-1],
		args:    "FILE...",
		flags: flags{
			choiceFlag(&format, "format", "", "`FORMAT` of the files", formats),
			textFlag(&workflow, "workflow", "", "`NAME` of the workflow that the files are of"),
			textFlag(&mapping, "mapping", "", "what the columns of a csv mean: `FILE` (YAML) or one of "+strings.Join(logs.Mappings(), ", ")),
			outputFlag(&output, "trace `FILE` to write (Parquet)"),
		},
		need: []string{"format", "workflow", "output"},
		run: func(c *call) error {
			replaces, err := checkOutput(output, append(slices.Clone(c.args), mapping)...)
			if err != nil {
				return err
			}
			rows, meta, err := importRows(format, workflow, mapping, c.args)
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

func importRows(format, workflow, mapping string, paths []string) ([]traces.Record, traces.Meta, error) {
	switch {
	case format != csvFormat && mapping != "":
		return nil, traces.Meta{}, fmt.Errorf("--mapping says what the columns of a csv mean, a %s has none", format)
	case format != csvFormat:
		return traces.Import(format, workflow, paths...)
	case mapping == "":
		return nil, traces.Meta{}, fmt.Errorf("--format csv needs a --mapping: a file (YAML) or one of %s", strings.Join(logs.Mappings(), ", "))
	}
	m, err := logs.LoadMapping(mapping)
	if err != nil {
		return nil, traces.Meta{}, err
	}
	return logs.ImportCSV(m, workflow, paths...)
}
