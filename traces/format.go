package traces

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"eevee/internal/spelling"
)

// Format is one kind of log or profile that can be imported.
type Format struct {
	Name        string // as the command line calls it
	Description string

	// Read reads one file of this format. name stands for the file in errors,
	// workflow is what its rows belong to.
	Read func(r io.Reader, name, workflow string) ([]Record, error)
}

// Formats returns all formats, by name.
func Formats() []Format {
	return []Format{
		{
			Name:        "jolteon-profile",
			Description: "profile of the Jolteon artifact: mean and p95 of the steps of every stage (JSON)",
			Read:        readJolteonProfile,
		},
	}
}

// FindFormat returns the format with the given name.
func FindFormat(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("traces: %w", spelling.Unknown("format", name, names))
}

func readJolteonProfile(r io.Reader, name, workflow string) ([]Record, error) {
	layout, ok := JolteonLayout(workflow)
	if !ok {
		var names []string
		for _, l := range jolteonLayouts() {
			names = append(names, l.Workflow)
		}
		return nil, fmt.Errorf("traces: %s: no grid of a profile is known for workflow %q, only for %s", name, workflow, strings.Join(names, ", "))
	}
	return ReadJolteonProfile(r, name, layout)
}

// maxImportBytes bounds the size of one file to import: it is read at once.
const maxImportBytes = 4 << 30

// Import reads the given files, which are all of one format and workflow, and
// returns their rows in this order, with the Meta for a trace of them. It
// reports the defects of all files.
func Import(format, workflow string, paths ...string) ([]Record, Meta, error) {
	f, err := FindFormat(format)
	if err != nil {
		return nil, Meta{}, err
	}
	if len(paths) == 0 {
		return nil, Meta{}, errors.New("traces: no file to import")
	}
	var rows []Record
	var sums []string
	var errs []error
	for _, path := range paths {
		data, err := readInput(path)
		if err != nil {
			errs = append(errs, fmt.Errorf("traces: %w", err))
			continue
		}
		part, err := importData(f, data, path, workflow)
		if err != nil {
			errs = append(errs, err)
		}
		rows = append(rows, part...)
		sum := sha256.Sum256(data)
		sums = append(sums, hex.EncodeToString(sum[:]))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, Meta{}, err
	}
	meta := Meta{
		SchemaVersion: SchemaVersion, Source: Recorded, Workflow: workflow, InputSHA256: strings.Join(sums, " "),
		Generator: "eevee traces import", Extra: map[string]string{"format": format},
	}
	return rows, meta, nil
}

func readInput(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxImportBytes+1))
	if err == nil && len(data) > maxImportBytes {
		err = fmt.Errorf("%s: is larger than %d GB", path, maxImportBytes>>30)
	}
	return data, err
}

// importData reads one file and rejects rows that Validate finds unusable.
func importData(f Format, data []byte, name, workflow string) ([]Record, error) {
	rows, err := f.Read(bytes.NewReader(data), name, workflow)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, d := range Validate(rows) {
		if d.Severity == Error {
			errs = append(errs, fmt.Errorf("traces: %s: %v", name, d))
		}
	}
	return rows, errors.Join(errs...)
}
