package models

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"eevee/traces"
)

// Meta returns what a trace of the card, drawn from the given streams, says
// about itself.
func (c Card) Meta(streams Streams) (traces.Meta, error) {
	sum, err := c.SHA256()
	return traces.Meta{
		SchemaVersion: traces.SchemaVersion,
		Source:        traces.Synthetic,
		InputSHA256:   sum,
		Workflow:      c.Workflow,
		Generator:     "eevee traces record",
		Extra: map[string]string{
			"card":        c.Schema,
			"measured_on": c.Source,
			"seed":        fmt.Sprint(streams.Seed),
			"replication": fmt.Sprint(streams.Replication),
		},
	}, err
}

// BundledTrace returns the trace that is part of the program for a bundled
// workflow, with its Meta. It is synthetic: "eevee traces record" with the
// default seed, 1, made it of the bundled card.
func BundledTrace(workflow string) ([]traces.Record, traces.Meta, error) {
	content, err := bundledTraceFile(workflow + ".parquet")
	if err != nil {
		return nil, traces.Meta{}, err
	}
	side, err := bundledTraceFile(workflow + ".parquet.sha256")
	if err != nil {
		return nil, traces.Meta{}, err
	}
	fail := func(err error) ([]traces.Record, traces.Meta, error) {
		return nil, traces.Meta{}, fmt.Errorf("bundled trace of workflow %s: %w", workflow, err)
	}
	// Traces are read from files, with all their checks, so the content is
	// unpacked for as long as that takes.
	dir, err := os.MkdirTemp("", "eevee")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, workflow+".parquet")
	if err := errors.Join(os.WriteFile(file, content, 0o600), os.WriteFile(file+".sha256", side, 0o600)); err != nil {
		return fail(err)
	}
	rows, meta, err := traces.Read(file)
	if err != nil {
		return fail(err)
	}
	return rows, meta, nil
}

// BundledTraceSHA256 returns the checksum of the file that BundledTrace reads,
// in lower-case hexadecimal.
func BundledTraceSHA256(workflow string) (string, error) {
	side, err := bundledTraceFile(workflow + ".parquet.sha256")
	if err != nil {
		return "", err
	}
	sum, _, _ := strings.Cut(string(side), " ")
	return sum, nil
}

func bundledTraceFile(name string) ([]byte, error) {
	content, err := data.ReadFile(path.Join("data/traces", name))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		workflow, _, _ := strings.Cut(name, ".parquet")
		return nil, fmt.Errorf("workflow %s has no bundled trace; there is one of %s", workflow, strings.Join(Cards(), ", "))
	}
	return content, err
}
