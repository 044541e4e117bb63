package cli

import (
	"fmt"
	"io"
	"math"
	"strings"

	"eevee/experiments"
	"eevee/models"
	"eevee/solvers"
)

func explainVerb() verb {
	var s subject
	f := s.traceFlags()
	return verb{
		name:    "explain",
		summary: "say why a configuration is what it is, and what another limit would buy",
		shown:   []string{"explain config.json"},
		detail: "CONFIG is a file that \"eevee solve -o\" wrote. On the scenarios that it was found on:\n" +
			"the path that decides the latency, what every stage has to spare, the best\n" +
			"configuration that does without its choice, the runner-up, what other limits\n" +
			"cost, and the single changes that buy the most.",
		args: "CONFIG",
		flags: append(f,
			textFlag(&s.modelFile, "model-file", "", "model `FILE` that the configuration was found with, in place of a trace"),
			priceFlag(&s.choice.Price, "", "; default: that of the file"),
		),
		run: func(c *call) error {
			if len(c.args) != 1 {
				return usagef("name one file that \"eevee solve -o\" wrote")
			}
			path := c.args[0]
			asked, err := experiments.ReadResult(path)
			if err != nil {
				return err
			}
			if err := asked.OneBound(); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if s.workflow == "" {
				s.workflow = asked.Workflow
				if _, err := models.Load(s.workflow); err != nil {
					return fmt.Errorf("%s: is of workflow %q, which is not bundled; name its file with --workflow", path, asked.Workflow)
				}
			}
			if s.choice.Price == "" {
				s.choice.Price = asked.Price
			}
			s.choice.Space, s.choice.Grid = asked.Space, asked.Grid
			if s.modelFile == "" {
				s.choice.Model = asked.Model
			}
			if def, err := models.Load(s.workflow); err == nil && def.Workflow.Name() != asked.Workflow {
				return fmt.Errorf("%s: is of workflow %q, not %q", path, asked.Workflow, def.Workflow.Name())
			}
			setup, err := s.setup(c)
			if err != nil {
				return err
			}
			if setup.Trace.SHA256 != asked.Trace.SHA256 {
				return fmt.Errorf("%s: was found with another trace (SHA-256 %.12s..., here %.12s...); name that one with --trace or --recordings, or its model with --model-file",
					path, asked.Trace.SHA256, setup.Trace.SHA256)
			}
			config, err := experiments.ReadConfig(path, setup.Definition)
			if err != nil {
				return err
			}
			if _, err := setup.Space.Locate(config); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			p, err := setup.Problem(asked.Asked(), asked.Samples, asked.Seed)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			e, err := setup.Explain(c.ctx, p, config, asked.Bound.AllowedViolations, asked.Seed)
			if err != nil {
				return err
			}
			if v := asked.Bound.Violations; v != nil && *v != *e.Bound.Violations {
				c.warn("%s: says that %d of %d scenarios exceed the limit, here %d do: it was edited, or another version wrote it", path, *v, e.Samples, *e.Bound.Violations)
			}
			for _, w := range e.Warnings {
				c.warn("%s", w)
			}
			return c.result(e, func(w io.Writer) error { return writeExplanation(w, e) })
		},
	}
}

func writeExplanation(w io.Writer, e experiments.Explanation) error {
	var b strings.Builder
	bound := e.Bound
	fmt.Fprintf(&b, "%s, %s at most %s at p%v: mean %s %s\n", e.Workflow, bound.Metric, amount(bound.LimitS, bound.LimitUSD), bound.Percentile,
		e.Objective.Metric, amount(e.Objective.MeanS, e.Objective.MeanUSD))
	fmt.Fprintf(&b, "%d of %d scenarios exceed the limit, rule %s allows %d", *bound.Violations, e.Samples, bound.Rule, bound.AllowedViolations)
	if *bound.Violations <= bound.AllowedViolations {
		fmt.Fprintf(&b, "; the limit could be %s lower", amount(e.Margin.S, e.Margin.USD))
	}
	b.WriteString("\n\n")

	deciding := fmt.Sprintf("of the %d slowest", e.Deciding)
	if bound.Metric == solvers.Cost {
		deciding = fmt.Sprintf("of the %d dearest", e.Deciding)
	}
	var rows [][]any
	for _, p := range e.Paths {
		rows = append(rows, []any{strings.Join(p.Stages, " > "), percent(p.Longest), percent(p.Deciding)})
	}
	b.WriteString(textTable([]any{"longest path", "of all scenarios", deciding}, rows))
	if e.Other > 0 {
		fmt.Fprintf(&b, "and %d more\n", e.Other)
	}

	rows = nil
	for _, s := range e.Stages {
		otherwise := "nothing else keeps the bound"
		if s.Otherwise != nil {
			otherwise = premium(s.Otherwise.Premium)
		}
		rows = append(rows, []any{
			s.Stage, fmt.Sprintf("%d x %d MB", s.Parallelism, s.MemoryMB), short(s.MeanS), short(s.MeanUSD), percent(s.Critical), percent(s.Deciding),
			amount(s.Spare.S, s.Spare.USD), otherwise,
		})
	}
	b.WriteString("\n" + textTable([]any{"stage", "configuration", "mean (s)", "mean (USD)", "on the longest path", deciding, "to spare", "otherwise"}, rows))

	if r := e.RunnerUp; r != nil {
		proved := ""
		if r.Status == solvers.Optimal {
			proved = ", proved to be the best but for this one"
		}
		place := "runner-up"
		if r.Premium < 0 {
			place = "better"
		}
		fmt.Fprintf(&b, "\n%s: mean %s %s (%s)%s\n", place, r.Objective.Metric, amount(r.Objective.MeanS, r.Objective.MeanUSD), premium(r.Premium), proved)
		for _, d := range r.Differences {
			fmt.Fprintf(&b, "  %s\n", d)
		}
	} else {
		b.WriteString("\nno other configuration keeps the bound\n")
	}

	rows = nil
	for _, l := range e.Limits {
		row := []any{amount(l.LimitS, l.LimitUSD), string(l.Status), "", ""}
		if l.Objective != nil {
			row[2], row[3] = amount(l.Objective.MeanS, l.Objective.MeanUSD), premium(*l.Premium)
		}
		rows = append(rows, row)
	}
	b.WriteString("\n" + textTable([]any{"another limit", "is", "mean " + string(e.Objective.Metric), "against this one"}, rows))

	if len(e.Steps) > 0 {
		unit := "s per USD"
		if bound.Metric == solvers.Cost {
			unit = "USD per s"
		}
		rows = nil
		for _, s := range e.Steps {
			per := short(s.PerUnit)
			if s.Free || math.IsInf(s.PerUnit, 1) {
				per = "free"
			}
			rows = append(rows, []any{
				s.Stage, fmt.Sprintf("%d x %d MB", s.Parallelism, s.MemoryMB), amount(s.PercentileS, s.PercentileUSD),
				amount(s.Lowers.S, s.Lowers.USD), amount(s.Raises.MeanS, s.Raises.MeanUSD), per,
			})
		}
		fmt.Fprintf(&b, "\n%s", textTable([]any{"the next step", "to", fmt.Sprintf("p%v %s", bound.Percentile, bound.Metric), "lower by", "for", unit}, rows))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// percent writes a share for readers.
func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

// premium writes a relative difference for readers.
func premium(share float64) string {
	if math.Abs(share) < 5e-7 {
		return "the same"
	}
	return fmt.Sprintf("%+.3g %%", 100*share)
}
