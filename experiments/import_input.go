package experiments

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"eevee/traces"
	"eevee/traces/logs"
)

// ImportInput is what one file held.
type ImportInput struct {
	Path    string `json:"path"`
	Role    string `json:"role"`   // logs, profile or delays
	Format  string `json:"format"` // trace, or csv and its mapping
	SHA256  string `json:"sha256"`
	Rows    int    `json:"rows"`
	Runs    int    `json:"runs"`        // rows of whole executions
	Tasks   int    `json:"tasks"`       // rows of an orchestrator, without the function's own duration
	Invoked int    `json:"invocations"` // rows of invocations
}

// inputs reads files into rows.
type inputs struct {
	workflow string
	mappings []logs.Mapping // those that were asked for come first
	names    []string       // of the mappings
	asked    int
	files    []ImportInput
}

// newInputs loads the mappings that were asked for, and the bundled ones.
func newInputs(workflow string, mappings []string) (*inputs, error) {
	in := &inputs{workflow: workflow, asked: len(mappings)}
	names := slices.Clone(mappings)
	for _, name := range logs.Mappings() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		m, err := logs.LoadMapping(name)
		if err != nil {
			return nil, err
		}
		in.mappings, in.names = append(in.mappings, m), append(in.names, name)
	}
	return in, nil
}

// read reads a file, or all files of a folder in the order of their names.
func (in *inputs) read(path, role string) ([]traces.Record, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return in.file(path, role)
	}
	var rows []traces.Record
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(p, ".sha256") {
			return err
		}
		more, err := in.file(p, role)
		rows = append(rows, more...)
		return err
	})
	return rows, err
}

func (in *inputs) file(path, role string) ([]traces.Record, error) {
	info := ImportInput{Path: path, Role: role}
	var rows []traces.Record
	var err error
	if strings.EqualFold(filepath.Ext(path), ".parquet") {
		info.Format = "trace"
		rows, _, err = traces.Read(path)
	} else {
		rows, info.Format, err = in.text(path)
	}
	if err != nil {
		return nil, err
	}
	if info.SHA256, err = traces.FileSHA256(path); err != nil {
		return nil, err
	}
	info.Rows = len(rows)
	for k := range rows {
		switch kindOf(&rows[k]) {
		case runRow:
			info.Runs++
		case taskRow:
			info.Tasks++
		case invocationRow:
			info.Invoked++
		}
	}
	in.files = append(in.files, info)
	return rows, nil
}

// rowKind is what a row is about.
type rowKind int

const (
	otherRow      rowKind = iota // an aggregate
	invocationRow                // a function's own account of an invocation
	taskRow                      // what an orchestrator saw of one
	runRow                       // a whole execution
	delayRow                     // what an orchestrator added to one, and nothing else
)

func kindOf(r *traces.Record) rowKind {
	switch {
	case r.Statistic == traces.Run:
		return runRow
	case r.Statistic != traces.Invocation:
		return otherRow
	case r.DurationUS != nil || r.Compute != nil:
		return invocationRow
	case r.StartNS != nil && r.EndNS != nil:
		return taskRow
	case r.Cold != nil:
		return delayRow
	}
	return otherRow
}

// text reads a file that is not a trace: a table, told by its header.
func (in *inputs) text(path string) (rows []traces.Record, format string, err error) {
	text, err := readUnpacked(path)
	if err != nil {
		return nil, "", err
	}
	header, err := csv.NewReader(bytes.NewReader(firstLine(text))).Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", fmt.Errorf("%s: is no trace (.parquet) and no table with a header: %w", path, err)
	}
	k, err := in.mappingFor(header)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	err = logs.ReadCSV(bytes.NewReader(text), path, in.workflow, in.mappings[k], func(r *traces.Record) error {
		rows = append(rows, *r)
		return nil
	})
	return rows, "csv, mapping " + in.names[k], err
}

func firstLine(text []byte) []byte {
	line, _ := bufio.NewReader(bytes.NewReader(text)).ReadBytes('\n')
	return line
}

// mappingFor returns the mapping that names the columns of a header: one of
// those asked for, else a bundled one. A table of a single column is not
// recognised by its header: too many have the same.
func (in *inputs) mappingFor(header []string) (int, error) {
	var fits []int
	for k, m := range in.mappings {
		if k >= in.asked && (len(fits) > 0 || len(header) < 2) {
			break
		}
		if sameColumns(m, header) {
			fits = append(fits, k)
		}
	}
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		return 0, fmt.Errorf("no mapping knows a table with the columns %q; write one (columns, units and meanings in YAML), or name a bundled one (%s), with --mapping", header, strings.Join(logs.Mappings(), ", "))
	}
	var names []string
	for _, k := range fits {
		names = append(names, in.names[k])
	}
	return 0, fmt.Errorf("several mappings know a table with the columns %q: %s; import it with one of them into a trace first (eevee traces import)", header, strings.Join(names, ", "))
}

func sameColumns(m logs.Mapping, header []string) bool {
	if len(m.Columns) != len(header) {
		return false
	}
	for _, c := range m.Columns {
		if !slices.ContainsFunc(header, func(h string) bool { return strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")) == c.Column }) {
			return false
		}
	}
	return true
}
