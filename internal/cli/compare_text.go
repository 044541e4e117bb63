package cli

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"eevee/experiments"
	"eevee/solvers"
)

func writeComparison(w io.Writer, s *experiments.Setup, aim solvers.Aim, r experiments.Comparison, pictures []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s (model %s, %s trace; the bound allows a risk of %.4g)\n\n",
		s.Definition.Workflow.Name(), aimText(aim), s.Model.Name(), s.Trace.Origin, aim.Bound.Risk())
	ranked, refused := rankedCells(r)
	b.WriteString(textTable([]any{
		"#", "method", "status", "~", "mean\ncost (¢)", "mean\nlatency (s)", "\np95 (s)", "simulated\ncost (¢)", "simulated\np95 (s)", "risk", "gap (%)",
	}, rankingRows(ranked)))
	b.WriteString("\n" + fittedTable([]any{"#", "evaluations", "time (ms)", "configuration (instances x MB)"}, answerRows(ranked)))
	if len(refused) > 0 {
		b.WriteString("\n" + fittedTable([]any{"not supported", "because"}, refused))
	}
	if warnings := comparisonWarnings(r); len(warnings) > 0 {
		b.WriteString("\n" + fittedTable([]any{"method", "warning"}, warnings))
	}
	for _, note := range r.Notes {
		b.WriteString("\n" + wrapped(note))
	}
	b.WriteString("\n")
	for _, path := range pictures {
		fmt.Fprintf(&b, "%s\n", path)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// rankedCells returns the answers from the best on, and the methods that cannot
// handle the problem with their reasons.
func rankedCells(r experiments.Comparison) (ranked []experiments.Compared, refused [][]any) {
	for _, i := range r.Ranked() {
		if cell := r.Cells[i]; cell.Unsupported != "" {
			refused = append(refused, []any{cell.Method, cell.Unsupported})
		} else {
			ranked = append(ranked, cell)
		}
	}
	return ranked, refused
}

// rankingRows returns what the answers are worth, numbered from the best on.
func rankingRows(ranked []experiments.Compared) (rows [][]any) {
	number := map[string]int{}
	for i, cell := range ranked {
		number[cell.Method] = i + 1
	}
	for i, cell := range ranked {
		row := []any{i + 1, cell.Method, string(cell.Status)}
		if !cell.Answered() {
			rows = append(rows, append(row, "", "", "", "", "", "", "", ""))
			continue
		}
		var ties []int
		for _, name := range cell.Ties {
			ties = append(ties, number[name])
		}
		gap, simulatedCost, simulatedP95 := "", "", ""
		if cell.GapToExact != nil {
			gap = fmt.Sprintf("%.1f", 100**cell.GapToExact)
		}
		if cell.Simulated != nil {
			simulatedCost, simulatedP95 = short(100*cell.Simulated.CostUSD.Mean), short(cell.Simulated.LatencyS.P95)
		}
		rows = append(rows, append(row,
			numbersText(ties), short(100*cell.Predicted.Cost.Mean), short(cell.Predicted.Latency.Mean), short(cell.Predicted.Latency.P95), simulatedCost, simulatedP95,
			fmt.Sprintf("%.3f-%.3f", cell.Holdout.RiskLo, cell.Holdout.RiskHi), gap))
	}
	return rows
}

// answerRows returns what the answers are, and what finding them took.
func answerRows(ranked []experiments.Compared) (rows [][]any) {
	for i, cell := range ranked {
		evaluations, config := fmt.Sprint(cell.Evaluations), "none"
		if cell.States > 0 {
			evaluations += fmt.Sprintf(" + %d", cell.States)
		}
		if cell.Answered() {
			config = configText(cell)
		}
		rows = append(rows, []any{i + 1, evaluations, short(cell.Runtime.Solve), config})
	}
	return rows
}

// numbersText lists numbers, those in a row by the first and the last: 2-5 9.
func numbersText(numbers []int) string {
	slices.Sort(numbers)
	var parts []string
	for i := 0; i < len(numbers); {
		end := i
		for end+1 < len(numbers) && numbers[end+1] == numbers[end]+1 {
			end++
		}
		part := strconv.Itoa(numbers[i])
		switch end - i {
		case 0:
		case 1:
			part += " " + strconv.Itoa(numbers[end])
		default:
			part += "-" + strconv.Itoa(numbers[end])
		}
		parts = append(parts, part)
		i = end + 1
	}
	return strings.Join(parts, " ")
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
