package figures

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Table is a table of names and numbers.
type Table struct {
	Title   string
	Columns []Column
	Rows    [][]any // one string, int, float64 or nil (nothing is known) per column
}

// Column describes a column of a Table.
type Column struct {
	Name     string
	Unit     string // in parentheses behind the name
	Decimals int    // of numbers in text and Markdown; CSV holds all digits
}

func (c Column) heading() string { return Axis{Label: c.Name, Unit: c.Unit}.title() }

// unknown stands for nil in text and Markdown.
const unknown = "–"

func (t Table) check() error {
	var errs []error
	for i, row := range t.Rows {
		if len(row) != len(t.Columns) {
			errs = append(errs, fmt.Errorf("row %d: %d cells for %d columns", i, len(row), len(t.Columns)))
			continue
		}
		for k, cell := range row {
			switch v := cell.(type) {
			case nil, string, int:
			case float64:
				if math.IsNaN(v) || math.IsInf(v, 0) {
					errs = append(errs, fmt.Errorf("row %d, column %q: %v is not a finite number; use nil for what is not known", i, t.Columns[k].Name, v))
				}
			default:
				errs = append(errs, fmt.Errorf("row %d, column %q: a cell is a string, an int, a float64 or nil, not a %T", i, t.Columns[k].Name, cell))
			}
		}
	}
	return errors.Join(errs...)
}

// numeric reports whether a column holds numbers, and nothing but numbers and
// unknown cells.
func (t Table) numeric(column int) bool {
	found := false
	for _, row := range t.Rows {
		switch row[column].(type) {
		case string:
			return false
		case int, float64:
			found = true
		}
	}
	return found
}

// cell writes a cell for readers.
func (c Column) cell(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case float64:
		s := strconv.FormatFloat(v, 'f', max(0, c.Decimals), 64)
		if strings.Trim(s, "-0.") == "" {
			s = strings.TrimPrefix(s, "-") // never -0
		}
		return s
	}
	return unknown
}

// writer returns the checked table in the form of the table library.
func (t Table) writer() (table.Writer, error) {
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("figures: table %q: %w", t.Title, err)
	}
	w := table.NewWriter()
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	style.Options = table.Options{SeparateHeader: true, SeparateColumns: true, DrawBorder: true}
	w.SetStyle(style)
	header := table.Row{}
	var columns []table.ColumnConfig
	for i, c := range t.Columns {
		header = append(header, c.heading())
		align := text.AlignLeft
		if t.numeric(i) {
			align = text.AlignRight
		}
		columns = append(columns, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align})
	}
	w.AppendHeader(header)
	w.SetColumnConfigs(columns)
	for _, row := range t.Rows {
		line := table.Row{}
		for i, v := range row {
			line = append(line, t.Columns[i].cell(v))
		}
		w.AppendRow(line)
	}
	return w, nil
}

// WriteText writes the table with aligned columns for a terminal.
func (t Table) WriteText(w io.Writer) error {
	tw, err := t.writer()
	if err != nil {
		return err
	}
	heading := ""
	if t.Title != "" {
		heading = t.Title + "\n"
	}
	_, err = io.WriteString(w, heading+tw.Render()+"\n")
	return err
}

// WriteMarkdown writes the table as Markdown.
func (t Table) WriteMarkdown(w io.Writer) error {
	tw, err := t.writer()
	if err != nil {
		return err
	}
	heading := ""
	if t.Title != "" {
		heading = "**" + t.Title + "**\n\n"
	}
	_, err = io.WriteString(w, heading+tw.RenderMarkdown()+"\n")
	return err
}

// WriteCSV writes the table with all digits of its numbers; what is not known
// is empty.
func (t Table) WriteCSV(w io.Writer) error {
	if err := t.check(); err != nil {
		return fmt.Errorf("figures: table %q: %w", t.Title, err)
	}
	var header []string
	for _, c := range t.Columns {
		header = append(header, c.heading())
	}
	rows := [][]string{header}
	for _, row := range t.Rows {
		var line []string
		for _, v := range row {
			switch v := v.(type) {
			case nil:
				line = append(line, "")
			case float64:
				line = append(line, exact(v))
			default:
				line = append(line, fmt.Sprint(v))
			}
		}
		rows = append(rows, line)
	}
	return writeRows(w, rows)
}

func (t Table) formats(Resolution) ([]format, error) {
	return []format{
		{"txt", buffered(t.WriteText)},
		{"md", buffered(t.WriteMarkdown)},
		{"csv", buffered(t.WriteCSV)},
	}, nil
}
