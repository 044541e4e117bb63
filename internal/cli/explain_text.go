package cli

import (
	"fmt"
	"io"
	"math"
	"strings"

	"eevee/experiments"
	"eevee/solvers"
)

func writeExplanation(w io.Writer, e experiments.Explanation) error {
	var b strings.Builder
	bound := e.Bound
	fmt.Fprintf(&b, "%s, %s at most %s at p%v: mean %s %s\n", e.Workflow, bound.Metric, amount(bound.LimitS, bound.LimitUSD), bound.Percentile,
		e.Objective.Metric, amount(e.Objective.MeanS, e.Objective.MeanUSD))
	fmt.Fprintf(&b, "%d of %d scenarios exceed the limit, rule %s allows %d", *bound.Violations, e.Samples, bound.Rule, bound.AllowedViolations)
	if *bound.Violations <= bound.AllowedViolations {
		fmt.Fprintf(&b, "; the limit could be %s lower", amount(e.Margin.S, e.Margin.USD))
	}
	fmt.Fprintf(&b, "\n\n%s\n%s\n%s\n%s", pathsTable(e), stagesTable(e), runnerUpText(e.RunnerUp), limitsTable(e))
	if len(e.Steps) > 0 {
		b.WriteString("\n" + stepsTable(e))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// decidingText names the scenarios that the bound is about.
func decidingText(e experiments.Explanation) string {
	if e.Bound.Metric == solvers.Cost {
		return fmt.Sprintf("of the %d dearest", e.Deciding)
	}
	return fmt.Sprintf("of the %d slowest", e.Deciding)
}

func pathsTable(e experiments.Explanation) string {
	var rows [][]any
	for _, p := range e.Paths {
		rows = append(rows, []any{strings.Join(p.Stages, " > "), percent(p.Longest), percent(p.Deciding)})
	}
	text := textTable([]any{"longest path", "of all scenarios", decidingText(e)}, rows)
	if e.Other > 0 {
		text += fmt.Sprintf("and %d more\n", e.Other)
	}
	return text
}

func stagesTable(e experiments.Explanation) string {
	var rows [][]any
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
	return textTable([]any{"stage", "configuration", "mean (s)", "mean (USD)", "on the longest path", decidingText(e), "to spare", "otherwise"}, rows)
}

func runnerUpText(r *experiments.RunnerUp) string {
	if r == nil {
		return "no other configuration keeps the bound\n"
	}
	place, proved := "runner-up", ""
	if r.Premium < 0 {
		place = "better"
	}
	if r.Status == solvers.Optimal {
		proved = ", proved to be the best but for this one"
	}
	text := fmt.Sprintf("%s: mean %s %s (%s)%s\n", place, r.Objective.Metric, amount(r.Objective.MeanS, r.Objective.MeanUSD), premium(r.Premium), proved)
	for _, d := range r.Differences {
		text += fmt.Sprintf("  %s\n", d)
	}
	return text
}

func limitsTable(e experiments.Explanation) string {
	var rows [][]any
	for _, l := range e.Limits {
		row := []any{amount(l.LimitS, l.LimitUSD), string(l.Status), "", ""}
		if l.Objective != nil {
			row[2], row[3] = amount(l.Objective.MeanS, l.Objective.MeanUSD), premium(*l.Premium)
		}
		rows = append(rows, row)
	}
	return textTable([]any{"another limit", "is", "mean " + string(e.Objective.Metric), "against this one"}, rows)
}

func stepsTable(e experiments.Explanation) string {
	metric := e.Bound.Metric
	var rows [][]any
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
	return textTable([]any{
		"the next step", "to", fmt.Sprintf("p%v %s", e.Bound.Percentile, metric), "lower by", "for", unit(metric) + " per " + unit(metric.Other()),
	}, rows)
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
