package cli

import (
	"math/big"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// textTable lays out rows under a heading for people to read: columns two
// blanks apart, numbers to the right. An empty text is an empty cell in a
// column of either kind.
func textTable(heading []any, rows [][]any) string {
	t := table.NewWriter()
	t.SetStyle(table.Style{
		Box:     table.BoxStyle{PaddingRight: "  "},
		Format:  table.FormatOptions{Header: text.FormatDefault},
		Options: table.OptionsNoBordersAndSeparators,
	})
	t.AppendHeader(heading)
	configs := make([]table.ColumnConfig, len(heading))
	for i := range configs {
		configs[i] = table.ColumnConfig{Number: i + 1}
		if isNumeric(rows, i) {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
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
