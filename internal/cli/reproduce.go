package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"eevee/experiments"
	"eevee/experiments/papers"
	"eevee/figures/report"
)

func reproduceVerb() verb {
	var output, recordings string
	var quick bool
	return verb{
		name:    "reproduce",
		summary: "redraw the papers' figures and tables, with a verdict on every claim",
		detail: "ID is one of " + strings.Join(papers.IDs(), ", ") + "; none means all.\n" +
			"Pictures, tables, claims.json and report.html go into the folder. A claim that is\n" +
			"not reproduced is a result, not a failure.",
		args: "[ID...]",
		flags: flags{
			textFlag(&output, "output,o", "out", "`FOLDER` to write into"),
			switchFlag(&quick, "quick", "fewer bounds, executions and timings"),
			recordingsFlag(&recordings),
		},
		run: func(c *call) error {
			selected, err := papers.Select(c.args)
			if err != nil {
				return usagef("%w", err)
			}
			if err := checkFolder(output); err != nil {
				return err
			}
			found, err := papers.Reproduce(c.ctx, selected, papers.Options{
				Sources: sourcesAt(recordings), Seed: c.seed, Quick: quick, Clock: papers.Clock{Wall: time.Now, CPU: cpuTime}, Progress: c.parts("reproducing"),
			})
			if err != nil {
				return err
			}
			for _, t := range found.Traces {
				if t.Source == experiments.OriginBundled {
					c.warn("no recordings of %s are at hand: the bundled trace is generated, and no claim about a measurement can be reproduced on it", t.Workflow)
				}
			}
			page, err := report.Save(c.ctx, output, found, c.parts("drawing"))
			if err != nil {
				return err
			}
			return c.result(found.Claims(), func(w io.Writer) error {
				var rows [][]any
				for _, claim := range found.Claims().Claims {
					rows = append(rows, []any{claim.ID, string(claim.Verdict), claim.Title})
				}
				_, err := fmt.Fprintf(w, "%s\n%s: the report\n", textTable([]any{"claim", "verdict", "title"}, rows), page)
				return err
			})
		},
	}
}

// checkFolder says what stands against writing files into a folder, which need
// not exist yet.
func checkFolder(path string) error {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return fmt.Errorf("%s: is a file; name a folder", path)
	}
	return nil
}

// parts returns a function that shows how many of all parts are done.
func (c *call) parts(what string) func(done, total int) {
	var p *progress
	return func(_, total int) {
		if p == nil {
			p = c.track(what, total)
		}
		p.add(1)
	}
}
