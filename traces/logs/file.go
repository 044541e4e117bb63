package logs

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"eevee/traces"
)

// ImportCSV reads CSV files under one mapping, compressed with gzip or not, and
// returns their rows in this order, with the Meta for a trace of them. It
// reports the defects of all files, and those that make a row useless.
func ImportCSV(m Mapping, workflow string, paths ...string) ([]traces.Record, traces.Meta, error) {
	if len(paths) == 0 {
		return nil, traces.Meta{}, errors.New("logs: no file to import")
	}
	var rows []traces.Record
	var sums []string
	var errs []error
	for _, path := range paths {
		before := len(rows)
		sum, err := readFile(path, func(r io.Reader) error {
			return ReadCSV(r, path, workflow, m, func(row *traces.Record) error {
				rows = append(rows, *row)
				return nil
			})
		})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		sums = append(sums, sum)
		for _, d := range traces.Validate(rows[before:]) {
			if d.Severity == traces.Error {
				errs = append(errs, fmt.Errorf("logs: %s: %v", path, d))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, traces.Meta{}, err
	}
	meta := traces.Meta{
		Source: traces.Recorded, Workflow: workflow, InputSHA256: strings.Join(sums, " "),
		Generator: "eevee traces import", Extra: map[string]string{"format": "csv"},
	}
	return rows, meta, nil
}

// readFile hands the content of a file to read, decompressed if it is gzip,
// and returns the SHA-256 of the file as it is.
func readFile(path string, read func(io.Reader) error) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("logs: %w", err)
	}
	defer file.Close()
	sum := sha256.New()
	in := bufio.NewReaderSize(io.TeeReader(file, sum), 1<<16)
	var content io.Reader = in
	if magic, err := in.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(in)
		if err != nil {
			return "", fmt.Errorf("logs: %s: %w", path, err)
		}
		defer z.Close()
		content = z
	}
	if err := read(content); err != nil {
		return "", err
	}
	// What follows the content counts for the sum.
	if _, err := io.Copy(io.Discard, in); err != nil {
		return "", fmt.Errorf("logs: %s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
