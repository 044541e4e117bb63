package cli

import (
	"fmt"
	"io"
	"strings"

	"eevee/experiments"
)

func writeFitted(w io.Writer, r fittedModel, report string) error {
	var b strings.Builder
	if r.Output != nil {
		fmt.Fprintf(&b, "%s: ", *r.Output)
	}
	fmt.Fprintf(&b, "model %s of workflow %s, fitted to the %s trace\n\n", r.Model, r.Workflow, r.Trace.Source)
	var rows [][]any
	for _, stage := range r.Stages {
		for _, s := range stage.Steps {
			rows = append(rows, []any{stage.Stage, s.Step, fmt.Sprintf("%.4g", s.RMSES), fmt.Sprintf("%.1f", 100*s.MeanAbsError), s.N, s.Basis})
		}
	}
	if len(rows) > 0 {
		b.WriteString(fittedTable([]any{"stage", "step", "rmse (s)", "mean |error| (%)", "runs", "on"}, rows))
	}
	if len(r.Validation) > 0 {
		b.WriteString("\nconfigurations that the models never saw: how often recorded times are at most the predicted percentile\n\n" + validationTable(r.Validation))
	}
	if r.Learning != nil {
		b.WriteString("\nhow that depends on the number of recorded runs, p95 of configurations that were not among them\n\n" + learningTable(r.Learning))
	}
	if r.Need != nil {
		b.WriteString("\n" + needText(r.Need))
	}
	if len(r.Drift) > 0 {
		b.WriteString("\n" + driftText(r.Drift))
	}
	if len(r.Decisions) > 0 {
		b.WriteString("\n" + decisionsText(r.Decisions))
	}
	if report != "" {
		fmt.Fprintf(&b, "\nfigures and tables: %s\n", report)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// validationTable shows the rows that are about all stages and about whole
// runs, a line for every model.
func validationTable(rows []experiments.ValidationRow) string {
	var lines [][]any
	percent := func(x float64) string { return fmt.Sprintf("%.1f", 100*x) }
	single := true
	for _, r := range rows {
		single = single && r.Stage != experiments.AllStages
	}
	for _, r := range rows {
		if r.Level != 0.95 || !single && r.Stage != experiments.AllStages && r.Stage != experiments.EndToEnd {
			continue
		}
		lines = append(lines, []any{
			r.Model, r.Stage, r.N, percent(r.Coverage), percent(r.CoverageLo) + " to " + percent(r.CoverageHi),
			fmt.Sprintf("%.2f", r.WidthRatio), percent(r.MAPE), fmt.Sprintf("%.3g", r.CRPS),
		})
	}
	return textTable([]any{"model", "of", "runs", "below p95 (%)", "95 % interval", "p95 / p50", "MAPE (%)", "CRPS (s)"}, lines)
}

func learningTable(l *experiments.Learning) string {
	var lines [][]any
	for _, r := range l.Rows {
		lines = append(lines, []any{
			r.Model, "more " + string(r.Along), r.Runs, r.Configurations, r.RunsEach, fmt.Sprintf("%.1f ± %.1f", 100*r.Coverage, 100*r.CoverageSE),
			fmt.Sprintf("%.2f ± %.2f", r.WidthRatio, r.WidthRatioSE), fmt.Sprintf("%.1f", 100*r.MAPE),
		})
	}
	text := textTable([]any{"model", "along", "runs", "configurations", "of each", "below p95 (%)", "p95 / p50", "MAPE (%)"}, lines)
	for _, s := range l.Settled {
		if s.Runs != nil {
			text += fmt.Sprintf("%s, along %s: coverage and width settle from %d runs on\n", s.Model, s.Along, *s.Runs)
		} else {
			text += fmt.Sprintf("%s, along %s: coverage and width have not settled; more recordings would change them\n", s.Model, s.Along)
		}
	}
	return text
}

// needListed is how many configurations are shown; JSON has all of them.
const needListed = 8

func needText(n *experiments.Need) string {
	row := func(r experiments.NeedRow) []any {
		note := ""
		if r.Tied {
			note = "cannot be told from the first"
		}
		return []any{r.Configuration, r.Runs, fmt.Sprintf("%.3g ± %.2g", r.Width, r.WidthSE), fmt.Sprintf("%.1f", 100*r.Reduction), note}
	}
	var best, more [][]any
	for _, r := range n.Rows[:min(needListed, len(n.Rows))] {
		best = append(best, row(r))
	}
	for _, r := range n.Runs {
		more = append(more, row(r))
	}
	head := []any{"record", "runs", "expected p95 - p50 (s)", "narrower by (%)", ""}
	return fmt.Sprintf("further runs that would tighten the bound under %s, now p50 %.4g s and p95 %.4g s by model %s\n\n%s\nmore runs of the first one\n\n%s",
		n.Config, n.P50, n.P95, n.Model, textTable(head, best), textTable(head, more))
}

func driftText(rows []experiments.DriftRow) string {
	var lines [][]any
	drifted := 0
	for _, r := range rows {
		verdict := "no"
		if r.Drifted {
			verdict = "yes"
			drifted++
		}
		lines = append(lines, []any{
			r.Stage, r.Step, r.Configurations, fmt.Sprintf("%d, %d", r.Before, r.After),
			fmt.Sprintf("%.3f (%.3f to %.3f)", r.Ratio, r.RatioLo, r.RatioHi), fmt.Sprintf("%.2g", r.Moved), fmt.Sprintf("%.2g", r.Changed), verdict,
		})
	}
	return fmt.Sprintf("drift between the two traces: %d of %d steps; p-values are adjusted (Holm)\n\n%s", drifted, len(rows),
		textTable([]any{"stage", "step", "configurations", "runs", "later / earlier median", "p moved", "p changed", "drift"}, lines))
}

func decisionsText(rows []experiments.DecisionRow) string {
	var lines [][]any
	rejected, fewest := 0, rows[0].Runs
	for _, r := range rows {
		verdict := "no"
		if r.Rejected {
			verdict = "yes"
			rejected++
		}
		if r.Config == "" {
			lines = append(lines, []any{fmt.Sprintf("%.4g", r.Limit), "none keeps it", "", "", "", ""})
			continue
		}
		fewest = min(fewest, r.Runs)
		lines = append(lines, []any{
			fmt.Sprintf("%.4g", r.Limit), r.Config, fmt.Sprintf("%.2f", 100*r.Predicted),
			fmt.Sprintf("%d of %d", r.Violations, r.Runs), fmt.Sprintf("%.2g", r.AdjustedP), verdict,
		})
	}
	text := fmt.Sprintf("configurations chosen by one half of the runs for p%v, judged by the other half: %d of %d bounds are refuted (exact binomial, Holm)\n\n%s",
		rows[0].Percentile, rejected, len(rows),
		textTable([]any{"limit (s)", "configuration", "predicted risk (%)", "runs above the limit", "adjusted p", "refuted"}, lines))
	if fewest < decisiveRuns {
		text += fmt.Sprintf("as few as %d runs judge a bound: this describes, it decides nothing\n", fewest)
	}
	return text
}

// decisiveRuns is how many runs without a violation it takes to claim a risk of
// at most 5 % at 95 % confidence: 0.95^59 < 0.05.
const decisiveRuns = 59
