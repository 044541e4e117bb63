package cli

import (
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"slices"
	"strings"

	"eevee/traces"
	"eevee/traces/logs"
)

// importedTrace is the result of "eevee traces import".
type importedTrace struct {
	Schema      string      `json:"schema"`
	Workflow    string      `json:"workflow"`
	Format      string      `json:"format"` // those of the files, with blanks between
	Inputs      []string    `json:"inputs"`
	InputSHA256 string      `json:"input_sha256"`
	Output      string      `json:"output"`
	SHA256      string      `json:"sha256"`
	Rows        int64       `json:"rows"`
	Replaced    bool        `json:"replaced"` // whether there was a file of that name
	Report      logs.Report `json:"report"`
}

func importTraceVerb() verb {
	var o logs.Options
	var mapping, output string
	var memory int
	detail := "INPUT is a log or a profile, compressed with gzip or not, or a folder of them.\nThe format of each is detected, or all are of the one that --format names\n"
	for _, f := range logs.Formats() {
		detail += fmt.Sprintf("  %s: %s\n", f.Name, f.Description)
	}
	detail += "Account ids and network addresses are dropped unless --keep-identifiers is set."
	return verb{
		name:    "import",
		summary: "turn logs or profiles into a trace",
		shown: []string{
			"traces import --workflow app logs/ -o app.parquet",
			"traces import --workflow app --mapping columns.yaml table.csv -o app.parquet",
		},
		detail: detail,
		args:   "INPUT...",
		flags: flags{
			choiceFlag(&o.Format, "format", "", "`FORMAT` of the inputs (default: detected)", logs.FormatNames()),
			textFlag(&o.Workflow, "workflow", "", "`NAME` of the workflow that the inputs are of"),
			textFlag(&mapping, "mapping", "", "what the columns of a csv mean: `FILE` (YAML) or one of "+strings.Join(logs.Mappings(), ", ")),
			textFlag(&o.Function, "function", "", "`NAME` of the function where a log does not hold it (default: that of the file)"),
			countFlag(&memory, "memory", "", "memory in `MB` where a log does not hold it"),
			countsFlag(&o.Parallelism, "parallelism", "`LIST` of the parallelisms that a ditto-profile is for, with commas between"),
			switchFlag(&o.KeepIdentifiers, "keep-identifiers", "keep account ids and network addresses"),
			outputFlag(&output, "trace `FILE` to write (Parquet)"),
		},
		need: []string{"workflow", "output"},
		run: func(c *call) error {
			replaces, err := checkOutput(output, append(slices.Clone(c.args), mapping)...)
			if err != nil {
				return err
			}
			if memory > math.MaxInt32 {
				return usagef("--memory: %d MB are too many", memory)
			}
			o.MemoryMB = int32(memory)
			if mapping != "" {
				m, err := logs.LoadMapping(mapping)
				if err != nil {
					return err
				}
				o.Mapping = &m
			}
			report, err := importTrace(c, o, output)
			if err != nil {
				return err
			}
			if replaces {
				c.remark("%s exists and is replaced", output)
			}
			sum, err := traces.FileSHA256(output)
			if err != nil {
				return err
			}
			meta := report.Meta()
			r := importedTrace{
				logs.ReportSchema, o.Workflow, meta.Extra["format"], c.args, meta.InputSHA256, output, sum, report.Rows, replaces, report,
			}
			for _, warning := range report.Warnings {
				c.warn("%s", warning)
			}
			return c.result(r, func(w io.Writer) error {
				fmt.Fprintf(w, "%s: %d rows of workflow %s\n", output, r.Rows, r.Workflow)
				return report.WriteText(w)
			})
		},
	}
}

// importGCPercent is by how much the heap grows before it is collected.
const importGCPercent = 40

// importTrace writes the rows of logs as they are read. The trace appears when
// it is complete.
func importTrace(c *call, o logs.Options, output string) (logs.Report, error) {
	w, err := traces.NewWriter(output, traces.Meta{})
	if err != nil {
		return logs.Report{}, err
	}
	defer w.Abort()
	// What is kept of the rows grows with them. To collect earlier costs little
	// time and keeps ten million rows below 300 MB.
	defer debug.SetGCPercent(debug.SetGCPercent(importGCPercent))
	shown := c.trackBytes("import")
	o.Progress = func(p logs.Progress) {
		shown.note("%d rows", p.Rows)
		shown.set(int(p.Bytes), int(p.TotalBytes))
	}
	report, err := logs.Import(c.ctx, o, c.args, func(rows []traces.Record) error { return w.Write(rows...) })
	if err != nil {
		return logs.Report{}, err
	}
	if report.Rows == 0 {
		return logs.Report{}, fmt.Errorf("%s: no invocation was found in what was read: %s", strings.Join(c.args, ", "), report.Brief())
	}
	if err := w.SetMeta(report.Meta()); err != nil {
		return logs.Report{}, err
	}
	return report, w.Close()
}
