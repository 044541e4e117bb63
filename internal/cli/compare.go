package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"eevee/experiments"
	"eevee/figures"
	"eevee/solvers"
)

func compareVerb() verb {
	var s subject
	var b boundFlags
	var samples, runs int
	var methods, output string
	f := append(s.traceFlags(), s.fitFlags()...)
	f = append(f, s.problemFlags()...)
	f = append(f, b.flags()...)
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
		flags: append(f,
			countFlag(&samples, "samples", "", "`N` scenarios; default: what the rule needs, at least 10,000"),
			offering(textFlag(&methods, "methods", "all", "`LIST` of methods and policies, separated by commas, or all: "+strings.Join(experiments.Contenders(), ", ")), append(experiments.Contenders(), "all")...),
			countFlag(&runs, "runs", "2000", "`N` simulated runs per method"),
			textFlag(&output, "output,o", "", "`FOLDER` for the picture of cost over latency"),
		),
		need: []string{"workflow"},
		run: func(c *call) error {
			aim, err := b.aim(c)
			if err != nil {
				return err
			}
			names, err := experiments.ContenderNames(methods)
			if err != nil {
				return usagef("%w", err)
			}
			if output != "" {
				if err := checkFolder(output); err != nil {
					return err
				}
			}
			setup, err := s.setup(c)
			if err != nil {
				return err
			}
			progress := c.track("comparing", len(names))
			r, err := setup.Compare(c.ctx, experiments.CompareOptions{
				Methods: names, Bound: aim.Bound, Further: aim.Further, Percentile: aim.Percentile, Samples: samples, Seed: c.seed, Runs: runs,
			}, func() { progress.add(1) })
			if err != nil {
				return err
			}
			var pictures []string
			if output != "" {
				if pictures, err = figures.Save(output, "compare", figures.Plane(r), figures.Print); err != nil {
					return err
				}
			}
			return c.result(r, func(w io.Writer) error { return writeComparison(w, setup, aim, r, pictures) })
		},
	}
}

func writeComparison(w io.Writer, s *experiments.Setup, aim solvers.Aim, r experiments.Comparison, pictures []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s (model %s, %s trace; the bound allows a risk of %.4g)\n\n",
		s.Definition.Workflow.Name(), aimText(aim), s.Model.Name(), s.Trace.Origin, aim.Bound.Risk())
	rows, refused := comparisonRows(r)
	b.WriteString(textTable([]any{
		"#", "method", "status", "~", "mean cost (¢)", "mean latency (s)", "p95 (s)", "simulated cost (¢)", "simulated p95 (s)",
		"risk", "gap (%)", "evaluations", "time (ms)", "configuration (instances x MB)",
	}, rows))
	if len(refused) > 0 {
		b.WriteString("\n" + textTable([]any{"not supported", "because"}, refused))
	}
	if warnings := comparisonWarnings(r); len(warnings) > 0 {
		b.WriteString("\n" + textTable([]any{"method", "warning"}, warnings))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "\n%s", note)
	}
	b.WriteString("\n")
	for _, path := range pictures {
		fmt.Fprintf(&b, "%s\n", path)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// comparisonRows returns the rows of the table, numbered from the best on, and
// the methods that cannot handle the problem with their reasons.
func comparisonRows(r experiments.Comparison) (rows, refused [][]any) {
	number := map[string]int{}
	var ranked []experiments.Compared
	for _, i := range r.Ranked() {
		cell := r.Cells[i]
		if cell.Unsupported != "" {
			refused = append(refused, []any{cell.Method, cell.Unsupported})
			continue
		}
		ranked = append(ranked, cell)
		number[cell.Method] = len(ranked)
	}
	for i, cell := range ranked {
		evaluations := fmt.Sprint(cell.Evaluations)
		if cell.States > 0 {
			evaluations += fmt.Sprintf(" + %d", cell.States)
		}
		row := []any{i + 1, cell.Method, string(cell.Status)}
		if !cell.Answered() {
			rows = append(rows, append(row, "", "", "", "", "", "", "", "", evaluations, short(cell.Runtime.Solve), "none"))
			continue
		}
		var ties []int
		for _, name := range cell.Ties {
			ties = append(ties, number[name])
		}
		slices.Sort(ties)
		tied, gap, simulatedCost, simulatedP95 := "", "", "", ""
		if len(ties) > 0 {
			tied = "~ " + strings.Trim(fmt.Sprint(ties), "[]")
		}
		if cell.GapToExact != nil {
			gap = fmt.Sprintf("%.1f", 100**cell.GapToExact)
		}
		if cell.Simulated != nil {
			simulatedCost, simulatedP95 = short(100*cell.Simulated.CostUSD.Mean), short(cell.Simulated.LatencyS.P95)
		}
		rows = append(rows, append(row,
			tied, short(100*cell.Predicted.Cost.Mean), short(cell.Predicted.Latency.Mean), short(cell.Predicted.Latency.P95), simulatedCost, simulatedP95,
			fmt.Sprintf("%.3f-%.3f", cell.Holdout.RiskLo, cell.Holdout.RiskHi), gap, evaluations, short(cell.Runtime.Solve), configText(cell)))
	}
	return rows, refused
}

// comparisonWarnings returns what the methods warn of, from the best on.
func comparisonWarnings(r experiments.Comparison) (rows [][]any) {
	for _, i := range r.Ranked() {
		for _, w := range r.Cells[i].Warnings {
			rows = append(rows, []any{r.Cells[i].Method, w})
		}
	}
	return rows
}

// configText returns the configuration of a cell; of a policy that decides
// while the workflow runs, what it decides most often.
func configText(cell experiments.Compared) string {
	var text []string
	for _, stage := range cell.Config {
		text = append(text, fmt.Sprintf("%dx%d", stage.Parallelism, stage.MemoryMB))
	}
	last := ""
	for _, d := range cell.Choices {
		if d.Stage == last {
			continue
		}
		last = d.Stage
		one := fmt.Sprintf("%dx%d", d.Parallelism, d.MemoryMB)
		if d.Share < 1 {
			one += fmt.Sprintf(" (%.0f %%)", 100*d.Share)
		}
		text = append(text, one)
	}
	return strings.Join(text, " ")
}
