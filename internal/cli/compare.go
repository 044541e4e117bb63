package cli

import (
	"fmt"
	"io"
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
		detail: "All methods get the same scenarios; every answer is re-checked on one holdout and\n" +
			"executed in the world of the trace. A method that cannot handle the problem says\n" +
			"why. In the table ~ marks an objective that cannot be told apart from the best one.",
		flags: append(f,
			countFlag(&samples, "samples", "", "`N` scenarios; default: what the rule needs, at least 10,000"),
			textFlag(&methods, "methods", "all", "`LIST` of methods, separated by commas, or all: "+strings.Join(experiments.Methods(), ", ")),
			countFlag(&runs, "runs", "2000", "`N` simulated runs per method"),
			textFlag(&output, "output,o", "", "`FOLDER` for the picture of cost over latency"),
		),
		need: []string{"workflow"},
		run: func(c *call) error {
			bound, err := b.bound(c)
			if err != nil {
				return err
			}
			names, err := experiments.MethodNames(methods)
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
				Methods: names, Bound: bound, Samples: samples, Seed: c.seed, Runs: runs,
			}, func() { progress.add(1) })
			if err != nil {
				return err
			}
			var pictures []string
			if output != "" {
				if pictures, err = figures.Plane(r).Save(output, "compare"); err != nil {
					return err
				}
			}
			return c.result(r, func(w io.Writer) error { return writeComparison(w, setup, bound, r, pictures) })
		},
	}
}

func writeComparison(w io.Writer, s *experiments.Setup, bound solvers.Bound, r experiments.Comparison, pictures []string) error {
	var rows [][]any
	var refusals []string
	var best string
	for _, i := range r.Ranked() {
		cell := r.Cells[i]
		if cell.Unsupported != "" {
			refusals = append(refusals, fmt.Sprintf("%s: not supported: %s", cell.Method, cell.Unsupported))
			continue
		}
		if len(cell.Config) == 0 {
			rows = append(rows, []any{cell.Method, string(cell.Status), "", "", "", "", "", "", cell.Evaluations, "", ""})
			continue
		}
		if best == "" {
			best = cell.Method
		}
		mark := ""
		for _, t := range cell.Ties {
			if t == best {
				mark = "~ "
			}
		}
		gap := ""
		if cell.GapToExact != nil {
			gap = fmt.Sprintf("%.1f", 100**cell.GapToExact)
		}
		simulated := ""
		if cell.Simulated != nil {
			simulated = short(cell.Simulated.LatencyS.P95)
		}
		var config []string
		for _, stage := range cell.Config {
			config = append(config, fmt.Sprintf("%dx%d", stage.Parallelism, stage.MemoryMB))
		}
		rows = append(rows, []any{
			cell.Method, string(cell.Status), mark + short(100*cell.Predicted.Cost.Mean), short(cell.Predicted.Latency.Mean), short(cell.Predicted.Latency.P95), simulated,
			fmt.Sprintf("%.3f-%.3f", cell.Holdout.RiskLo, cell.Holdout.RiskHi), gap, cell.Evaluations, fmt.Sprintf("%.0f", cell.Runtime.Solve), strings.Join(config, " "),
		})
	}
	var b strings.Builder
	unit := "s"
	limit := bound.Limit
	if bound.Metric == solvers.Cost {
		unit = "USD"
	}
	fmt.Fprintf(&b, "%s, %s at most %v %s at p%v (model %s, %s trace; the bound allows a risk of %.4g)\n\n",
		s.Definition.Workflow.Name(), bound.Metric, limit, unit, bound.Percentile, s.Model.Name(), s.Trace.Origin, bound.Risk())
	b.WriteString(textTable([]any{"method", "status", "mean cost (¢)", "mean latency (s)", "p95 (s)", "simulated p95 (s)", "risk", "gap (%)", "evaluations", "time (ms)", "configuration (instances x MB)"}, rows))
	for _, line := range refusals {
		b.WriteString("\n" + line)
	}
	if len(refusals) > 0 {
		b.WriteString("\n")
	}
	for _, path := range pictures {
		fmt.Fprintf(&b, "%s\n", path)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
