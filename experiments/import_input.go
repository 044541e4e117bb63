package experiments

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
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
	visits   map[string]map[string]int // of states by name, by execution, where a history tells them
	warnings []string
}

// newInputs loads the mappings that were asked for, and the bundled ones.
func newInputs(workflow string, mappings []string) (*inputs, error) {
	in := &inputs{workflow: workflow, asked: len(mappings), visits: make(map[string]map[string]int)}
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
func (in *inputs) read(ctx context.Context, path, role string) ([]traces.Record, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return in.file(ctx, path, role)
	}
	var rows []traces.Record
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(p, ".sha256") {
			return err
		}
		more, err := in.file(ctx, p, role)
		rows = append(rows, more...)
		return err
	})
	return rows, err
}

func (in *inputs) file(ctx context.Context, path, role string) ([]traces.Record, error) {
	info := ImportInput{Path: path, Role: role}
	var rows []traces.Record
	var err error
	if strings.EqualFold(filepath.Ext(path), ".parquet") {
		info.Format = "trace"
		rows, _, err = traces.Read(path)
	} else {
		rows, info.Format, err = in.text(ctx, path)
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

// text reads a file that is not a trace: a table whose header a mapping knows,
// else a log.
func (in *inputs) text(ctx context.Context, path string) (rows []traces.Record, format string, err error) {
	text, err := readUnpacked(path)
	if err != nil {
		return nil, "", err
	}
	header, _ := csv.NewReader(bytes.NewReader(firstLine(text))).Read() // a log has none
	k, unknown := in.mappingFor(header)
	if unknown == nil {
		err = logs.ReadCSV(bytes.NewReader(text), path, in.workflow, in.mappings[k], func(r *traces.Record) error {
			rows = append(rows, *r)
			return nil
		})
		return rows, "csv, mapping " + in.names[k], err
	}
	f, ok := logs.Detect(text[:min(len(text), headBytes)])
	switch {
	case !ok || f.Name == "csv":
		return nil, "", fmt.Errorf("%s: is no log that is known, and %w", path, unknown)
	case f.Name == historyFormat:
		rows, err = in.history(path, text)
		return rows, f.Name, err
	}
	o := logs.Options{Workflow: in.workflow, Format: f.Name}
	report, err := logs.Import(ctx, o, []string{path}, func(batch []traces.Record) error {
		rows = append(rows, batch...)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	in.warnings = append(in.warnings, report.Warnings...)
	if report.Unknown > 0 {
		in.warnings = append(in.warnings, fmt.Sprintf("%s: %d lines or events were not understood and give no row", path, report.Unknown))
	}
	return rows, f.Name, nil
}

const (
	headBytes     = 1 << 16                 // that are looked at to tell a format
	historyFormat = "stepfunctions-history" // the one format that tells of states that are no tasks
)

// history reads executions of a state machine: a row for each of them and for
// each attempt of a Lambda task, and how often each state was visited.
func (in *inputs) history(path string, text []byte) ([]traces.Record, error) {
	var rows []traces.Record
	err := logs.ReadHistory(bytes.NewReader(text), path, func(x *logs.Execution) error {
		base := traces.Record{Workflow: in.workflow, Execution: x.ID, Source: traces.Recorded}
		if x.StartNS != nil && x.EndNS != nil {
			run := base
			start, end, status := *x.StartNS, *x.EndNS, x.Status
			run.Statistic, run.StartNS, run.EndNS, run.Status = traces.Run, &start, &end, &status
			rows = append(rows, run)
		}
		visits := make(map[string]int)
		for i := range x.Visits {
			v := &x.Visits[i]
			visits[v.State]++
			for k, a := range v.Attempts {
				if a.Service != "lambda" || a.Started == nil || a.Ended == nil {
					continue
				}
				task := base
				attempt, state := int32(k), v.State
				task.Statistic, task.Stage, task.StateName, task.MapIndex, task.Attempt = traces.Invocation, state, &state, v.MapIndex, &attempt
				task.ScheduledNS, task.StartNS, task.EndNS = copied(a.Scheduled), copied(a.Started), copied(a.Ended)
				for _, text := range []struct {
					from string
					to   **string
				}{{a.Function, &task.Function}, {a.RequestID, &task.RequestID}, {a.Status, &task.Status}, {a.ErrorType, &task.ErrorType}} {
					if text.from != "" {
						*text.to = &text.from
					}
				}
				rows = append(rows, task)
			}
		}
		if x.Missing == 0 && x.EndNS != nil {
			in.visits[x.ID] = visits
		}
		return nil
	})
	return rows, err
}

func copied(p *int64) *int64 {
	if p == nil {
		return nil
	}
	x := *p
	return &x
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
