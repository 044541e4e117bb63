package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"eevee/experiments"
	"eevee/experiments/papers"
	"eevee/figures/report"
)

func reproduceVerb() verb {
	var output, recordings, only, skip, cacheFolder string
	var quick, noCache, measure bool
	return verb{
		name:    "reproduce",
		summary: "redraw the papers' figures and tables, with a verdict on every claim",
		detail: "ID is one of " + strings.Join(papers.IDs(), ", ") + "; none means all.\n" +
			"Pictures, tables, claims.json and report.html go into the folder. A claim that is\n" +
			"not reproduced is a result, not a failure. What was found before by the same\n" +
			"program on the same recordings comes from the cache, and so do the times that it\n" +
			"measured on as many cores.",
		args:   "[ID...]",
		offers: papers.IDs(),
		flags: flags{
			textFlag(&output, "output,o", "out", "`FOLDER` to write into"),
			offering(textFlag(&only, "only", "", "`ID,...` to run, as the arguments"), papers.IDs()...),
			offering(textFlag(&skip, "skip", "", "`ID,...` to leave out"), papers.IDs()...),
			switchFlag(&quick, "quick", "fewer bounds, executions and timings, and PNG files of half the resolution"),
			textFlag(&cacheFolder, "cache", "", "`FOLDER` that keeps findings between runs; default: EEVEE_CACHE, then the user's cache folder"),
			switchFlag(&noCache, "no-cache", "find everything anew, and keep nothing"),
			switchFlag(&measure, "measure", "measure times anew, though the cache holds them"),
			recordingsFlag(&recordings),
		},
		run: func(c *call) error {
			selected, err := papers.Select(append(c.args, listedIDs(only)...), listedIDs(skip))
			if err != nil {
				return usagef("%w", err)
			}
			if noCache && c.isSet("cache") {
				return usagef("--cache and --no-cache exclude each other")
			}
			if err := checkFolder(output); err != nil {
				return err
			}
			o := papers.Options{Sources: sourcesAt(recordings), Seed: c.seed, Quick: quick, Measure: measure, Clock: papers.Clock{Wall: time.Now, CPU: cpuTime}}
			if !noCache {
				if o.Cache, err = openFindings(cacheFolder, o.Sources); err != nil {
					c.warn("%v; nothing is kept for the next run", err)
				}
			}
			bar := c.trackBar("reproducing")
			o.Progress = bar.set
			o.Found = func(f papers.Finding) { c.remark("%s", foundLine(f)) }
			found, err := papers.Reproduce(c.ctx, selected, o)
			if err != nil {
				return err
			}
			for _, w := range found.Warnings {
				c.warn("%s", w)
			}
			for _, f := range found.Findings {
				if f.Statement.MeasuresTime && f.Cached {
					c.remark("%s was measured at %s; --measure measures it anew", f.Statement.ID, f.Machine.At)
				}
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

// listedIDs returns the parts of a list as it is written on the command line.
func listedIDs(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// openFindings opens the cache in a folder, or where it is by default.
func openFindings(folder string, s experiments.Sources) (*papers.Cache, error) {
	if folder == "" {
		folder = os.Getenv("EEVEE_CACHE")
	}
	if folder == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("no folder to keep findings in (%w); name one with --cache", err)
		}
		folder = filepath.Join(user, "eevee", "findings")
	}
	return papers.OpenCache(folder, s, time.Now())
}

// foundLine says how long a finding took, as "fig9 3.2 s".
func foundLine(f papers.Finding) string {
	line := fmt.Sprintf("%s %.1f s", f.Statement.ID, f.Elapsed.Seconds())
	if f.Cached {
		line += ", found before"
	}
	return line
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
