package cli

import (
	"io"
	"slices"
	"strings"

	"eevee/experiments"
	"eevee/figures"
)

// compareFlags are the flags of compare.
type compareFlags struct {
	subject       subject
	bound         boundFlags
	samples, runs int
	methods       string
	output        string
}

func compareVerb() verb {
	var f compareFlags
	return verb{
		name:    "compare",
		summary: "let several methods answer the same question, and judge them on the same footing",
		shown:   []string{"compare --workflow ml --latency 40s --methods exact,jolteon,orion -o comparison"},
		detail: "All methods get the same scenarios; every answer is re-checked on one holdout and\n" +
			"executed in the world of the trace. A method that cannot handle the problem says\n" +
			"why. In the table ~ names the rows that cannot be told apart from this one, and\n" +
			"evaluations are the outcomes of whole configurations that a method asked for, + the\n" +
			"nodes of its search tree or what it looked at under a model of its own. Of policies,\n" +
			"which decide while the workflow runs, it shows what they decide most often.",
		flags: slices.Concat(f.subject.traceFlags(), f.subject.fitFlags(), f.subject.problemFlags(), f.bound.flags(), flags{
			countFlag(&f.samples, "samples", "", "`N` scenarios; default: what the rule needs, at least 10,000"),
			offering(textFlag(&f.methods, "methods", "all", "`LIST` of methods and policies, separated by commas, or all: "+strings.Join(experiments.Contenders(), ", ")), append(experiments.Contenders(), "all")...),
			countFlag(&f.runs, "runs", "2000", "`N` simulated runs per method"),
			textFlag(&f.output, "output,o", "", "`FOLDER` for the picture of cost over latency"),
		}),
		need: []string{"workflow"},
		run:  f.run,
	}
}

func (f *compareFlags) run(c *call) error {
	aim, err := f.bound.aim(c)
	if err != nil {
		return err
	}
	names, err := experiments.ContenderNames(f.methods)
	if err != nil {
		return usagef("%w", err)
	}
	if f.output != "" {
		if err := checkFolder(f.output); err != nil {
			return err
		}
	}
	setup, err := f.subject.setup(c)
	if err != nil {
		return err
	}
	progress := c.track("comparing", len(names))
	r, err := setup.Compare(c.ctx, experiments.CompareOptions{
		Methods: names, Bound: aim.Bound, Further: aim.Further, Percentile: aim.Percentile, Samples: f.samples, Seed: c.seed, Runs: f.runs,
	}, func() { progress.add(1) })
	if err != nil {
		return err
	}
	var pictures []string
	if f.output != "" {
		if pictures, err = figures.Save(f.output, "compare", figures.Plane(r), figures.Print); err != nil {
			return err
		}
	}
	return c.result(r, func(w io.Writer) error { return writeComparison(w, setup, aim, r, pictures) })
}
