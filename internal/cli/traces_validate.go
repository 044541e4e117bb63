package cli

import (
	"errors"
	"fmt"
	"io"

	"eevee/traces"
)

// validatedTrace is the result of "eevee traces validate".
type validatedTrace struct {
	Trace    string          `json:"trace"`
	Errors   int             `json:"errors"`   // defects that make a row useless
	Warnings int             `json:"warnings"` // defects that a reader should know of
	Defects  []traces.Defect `json:"defects"`
}

// maxDefectLines is how many defects of each severity are printed line by
// line; --json has them all.
const maxDefectLines = 100

func validateTraceVerb() verb {
	return verb{
		name:    "validate",
		summary: "list every defect of a trace",
		shown:   []string{"traces validate app.parquet"},
		detail:  "The exit code is 1 if there is a row that cannot be used; a warning is none.",
		args:    "TRACE",
		run: func(c *call) error {
			path := c.args[0]
			defects, err := traces.ValidateFile(path)
			if err != nil {
				return err
			}
			r := validatedTrace{Trace: path, Defects: defects}
			var lines []error
			for _, d := range defects {
				if d.Severity == traces.Error {
					if r.Errors++; r.Errors <= maxDefectLines {
						lines = append(lines, fmt.Errorf("%s: %v", path, d))
					}
				} else if r.Warnings++; r.Warnings <= maxDefectLines {
					c.warn("%s: row %d, column %s: %s", path, d.Row, d.Column, d.Problem)
				}
			}
			if more := r.Errors - maxDefectLines; more > 0 {
				lines = append(lines, fmt.Errorf("%s: and %s more; --json has them all", path, counted(more, "error")))
			}
			if more := r.Warnings - maxDefectLines; more > 0 {
				c.warn("%s: and %s more; --json has them all", path, counted(more, "warning"))
			}
			err = c.result(r, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %s, %s\n", path, counted(r.Errors, "error"), counted(r.Warnings, "warning"))
				return err
			})
			return errors.Join(append(lines, err)...)
		},
	}
}

// counted returns a number with its noun, in the singular for 1.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
