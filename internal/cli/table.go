package cli

import (
	"math/big"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// tableWidth is how many characters a line of a table has that is fitted: as
// many as a terminal shows in one.
const tableWidth = 120

// textTable lays out rows under a heading for people to read: columns two
// blanks apart, numbers to the right. An empty text is an empty cell in a
// column of either kind. A heading may have several lines.
func textTable(heading []any, rows [][]any) string { return render(heading, rows, 0) }

// fittedTable is a textTable whose last column, which is text, is wrapped so that
// lines have tableWidth characters; the other columns must leave room for it.
func fittedTable(heading []any, rows [][]any) string {
	last := len(heading) - 1
	others := 0
	for _, line := range strings.Split(render(heading[:last], leading(last, rows), 0), "\n") {
		others = max(others, text.StringWidthWithoutEscSequences(line))
	}
	return render(heading, rows, max(tableWidth-others-2, 1))
}

// wrapped returns a sentence in lines of at most tableWidth characters.
func wrapped(sentence string) string {
	lines := strings.Split(text.WrapSoft(sentence, tableWidth), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// leading returns the rows with so many of their columns.
func leading(column int, rows [][]any) [][]any {
	var left [][]any
	for _, r := range rows {
		left = append(left, r[:column])
	}
	return left
}

// render lays out a table whose last column has at most so many characters, if
// that is not 0.
func render(heading []any, rows [][]any, last int) string {
	t := table.NewWriter()
	t.SetStyle(table.Style{
		Box:     table.BoxStyle{PaddingRight: "  "},
		Format:  table.FormatOptions{Header: text.FormatDefault},
		Options: table.OptionsNoBordersAndSeparators,
	})
	t.AppendHeader(heading)
	configs := make([]table.ColumnConfig, len(heading))
	for i := range configs {
		configs[i] = table.ColumnConfig{Number: i + 1, VAlignHeader: text.VAlignBottom}
		if isNumeric(rows, i) {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	if last > 0 {
		configs[len(configs)-1].WidthMax, configs[len(configs)-1].WidthMaxEnforcer = last, text.WrapSoft
	}
	t.SetColumnConfigs(configs)
	for _, r := range rows {
		t.AppendRow(r)
	}
	var b strings.Builder
	for line := range strings.Lines(t.Render() + "\n") {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}

func isNumeric(rows [][]any, column int) bool {
	for _, r := range rows {
		switch cell := r[column].(type) {
		case int, float64, *big.Int:
		case string:
			if cell != "" {
				return false
			}
		default:
			return false
		}
	}
	return true
}
