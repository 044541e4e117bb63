package logs

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"eevee/traces"
)

// csvFormat reads tables under the mapping of the options.
func csvFormat() Format {
	return Format{
		Name:        "csv",
		Description: "any table with a header, under a --mapping of its columns",
		strict:      true,
		read: func(in *input, out *sink) error {
			return ReadCSV(in, in.name, out.options.Workflow, *out.options.Mapping, func(r *traces.Record) error {
				row, err := out.row()
				if err != nil {
					return err
				}
				stage, memory := row.Stage, row.MemoryMB
				*row = *r
				if row.Stage == "" {
					row.Stage = stage
				}
				if row.MemoryMB == 0 {
					row.MemoryMB = memory
				}
				if !out.options.KeepIdentifiers {
					hide(row)
				}
				out.saw("row")
				return nil
			})
		},
	}
}

// hide drops the accounts from the ARNs of a row. What only looks like an
// account may be any number in a table, and stays.
func hide(r *traces.Record) {
	short := func(v *string, name func(string) string) {
		if v != nil && strings.HasPrefix(*v, "arn:") {
			*v = name(*v)
		}
	}
	short(&r.Execution, executionOf)
	short(&r.Stage, functionOf)
	short(r.Function, functionOf)
	for _, v := range []*string{r.TraceID, r.StateName, r.RequestID, r.EnvironmentID} {
		short(v, redact)
	}
}

// ReadCSV reads a CSV file with a header under a mapping and calls visit with
// one row after the other; the row is reused for the next one, what it points
// to is not. An error of visit ends the reading and is returned as it is. name
// stands for the file in errors; workflow is what the rows belong to.
//
// An empty cell is null. A row is an invocation unless the mapping says
// otherwise; where it has no stage it has that of its function, and the other
// way round. Numbers are rounded to the unit of the trace. What the billing
// rule is follows from BilledRule. A column that the mapping does not name, and
// one that it names but the file lacks, is an error: nothing is dropped in
// silence.
func ReadCSV(r io.Reader, name, workflow string, m Mapping, visit func(*traces.Record) error) error {
	c, err := m.compile()
	if err != nil {
		return fmt.Errorf("logs: mapping: %w", err)
	}
	in := csv.NewReader(r)
	in.ReuseRecord = true
	header, err := in.Read()
	if err == io.EOF {
		return fmt.Errorf("logs: %s: is empty, where is the header?", name)
	}
	if err != nil {
		return fmt.Errorf("logs: %s: %w", name, err)
	}
	order, err := c.order(header)
	if err != nil {
		return fmt.Errorf("logs: %s: %w", name, err)
	}
	var row traces.Record
	for {
		cells, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("logs: %s: %w", name, err)
		}
		line, _ := in.FieldPos(0)
		row = c.row
		row.Workflow, row.Source = workflow, traces.Recorded
		if row.Statistic == "" {
			row.Statistic = traces.Invocation
		}
		at := int64(line)
		row.SourceLine = &at
		for i, f := range order {
			if f == nil || cells[i] == "" {
				continue
			}
			if err := f.set(&row, cells[i]); err != nil {
				return fmt.Errorf("logs: %s: line %d, column %q: %q %w", name, line, f.column, cells[i], err)
			}
		}
		complete(&row)
		if err := visit(&row); err != nil {
			return err
		}
	}
}

// order returns what each column of the file fills.
func (c compiled) order(header []string) ([]*filler, error) {
	var errs []error
	seen := make(map[string]bool)
	order := make([]*filler, len(header))
	for i, title := range header {
		title = strings.TrimSpace(strings.TrimPrefix(title, "\ufeff"))
		f, ok := c.columns[title]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("column %q is not in the mapping; give it a meaning, or %q", title, NoMeaning))
		case seen[title]:
			errs = append(errs, fmt.Errorf("column %q is there twice", title))
		}
		seen[title] = true
		order[i] = f
	}
	for _, title := range sortedKeys(c.columns) {
		if !seen[title] {
			errs = append(errs, fmt.Errorf("has no column %q, which the mapping names; it has %q", title, header))
		}
	}
	return order, errors.Join(errs...)
}

// complete fills what follows from the rest of a row.
func complete(r *traces.Record) {
	switch {
	case r.Stage == "" && r.Function != nil:
		r.Stage = *r.Function
	case r.Function == nil && r.Stage != "":
		stage := r.Stage
		r.Function = &stage
	}
	r.BilledRule = BilledRule(r)
}
