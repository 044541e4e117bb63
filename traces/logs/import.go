package logs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"eevee/traces"
)

// Options say how logs are read. The zero value detects formats and drops
// identifiers; a workflow is needed.
type Options struct {
	Workflow string // what the rows belong to
	Format   string // of all inputs; empty: detected for every file
	Mapping  *Mapping

	// Function is the stage of rows whose log does not name their function.
	// Empty: the name of the file without its endings.
	Function string
	// MemoryMB is the memory of rows whose log does not hold it; 0: unknown.
	MemoryMB int32

	// Parallelism is that of the blocks of a profile that does not name it.
	Parallelism []int

	// KeepIdentifiers keeps account ids and network addresses, which are
	// dropped otherwise.
	KeepIdentifiers bool

	// Progress is called now and then; nil: never.
	Progress func(Progress)
}

// Progress is how much of an import is done.
type Progress struct {
	Bytes, TotalBytes int64 // of the files as they are, compressed or not
	Rows              int64
	File              string
}

// Import reads logs in bounded memory: it calls visit with one batch of rows
// after the other, in the order of the inputs and of the lines in them. The
// slice is reused for the next batch; what the rows point to is not. An input
// is a file, compressed with gzip or not, or a folder, whose files are read in
// the order of their names. An error of visit ends the reading and is returned
// as it is.
//
// A file of a folder whose format is not recognised is skipped and named in the
// report; one that is named itself is an error.
func Import(ctx context.Context, o Options, inputs []string, visit func(rows []traces.Record) error) (Report, error) {
	if o.Workflow == "" {
		return Report{}, errors.New("logs: no workflow is named")
	}
	if o.Format != "" {
		if _, err := FindFormat(o.Format); err != nil {
			return Report{}, err
		}
	}
	if o.Mapping == nil && o.Format == "csv" {
		return Report{}, errors.New("logs: a csv needs a mapping of its columns")
	}
	if o.Mapping != nil {
		if o.Format == "" {
			o.Format = "csv"
		}
		if o.Format != "csv" {
			return Report{}, fmt.Errorf("logs: a mapping says what the columns of a csv mean, a %s has none", o.Format)
		}
		if _, err := o.Mapping.compile(); err != nil {
			return Report{}, fmt.Errorf("logs: mapping: %w", err)
		}
	}
	files, err := expand(inputs)
	if err != nil {
		return Report{}, err
	}
	out := newSink(ctx, &o, visit)
	meter := &meter{options: &o, sink: out}
	for _, f := range files {
		meter.total += f.bytes
	}
	var errs []error
	for _, f := range files {
		if err := f.read(out, meter); out.stopped != nil {
			return Report{}, out.stopped
		} else if err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Report{}, err
	}
	return out.finish()
}

// ImportAll reads logs whose rows fit in memory, and returns them with the Meta
// for a trace of them.
func ImportAll(ctx context.Context, o Options, inputs ...string) ([]traces.Record, traces.Meta, Report, error) {
	var rows []traces.Record
	report, err := Import(ctx, o, inputs, func(part []traces.Record) error {
		rows = append(rows, part...)
		return nil
	})
	if err != nil {
		return nil, traces.Meta{}, Report{}, err
	}
	return rows, report.Meta(), report, nil
}

// maxSums is how many checksums of inputs the Meta of a trace names.
const maxSums = 16

// Meta returns what a trace of the rows says about all of them.
func (r *Report) Meta() traces.Meta {
	var sums []string
	formats := make(map[string]bool)
	for _, f := range r.Files {
		if f.Skipped == "" {
			sums = append(sums, f.SHA256)
			formats[f.Format] = true
		}
	}
	meta := traces.Meta{
		Source: traces.Recorded, Workflow: r.Workflow, Generator: "eevee traces import",
		Extra: map[string]string{"format": strings.Join(sortedKeys(formats), " ")},
	}
	if len(sums) > maxSums {
		meta.Extra["inputs"] = fmt.Sprint(len(sums))
		sums = []string{sumOf(sums)}
	}
	meta.InputSHA256 = strings.Join(sums, " ")
	return meta
}
