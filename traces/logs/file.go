package logs

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// file is one input.
type file struct {
	path   string
	bytes  int64
	inside bool // of a folder: it may be something else
}

// expand returns the files that inputs stand for. Files whose names begin with
// a dot are no part of a folder.
func expand(inputs []string) ([]file, error) {
	if len(inputs) == 0 {
		return nil, errors.New("logs: no file to import")
	}
	var files []file
	var errs []error
	for _, path := range inputs {
		info, err := os.Stat(path)
		if err != nil {
			errs = append(errs, fmt.Errorf("logs: %w", err))
			continue
		}
		if !info.IsDir() {
			files = append(files, file{path: path, bytes: info.Size()})
			continue
		}
		before := len(files)
		err = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case name != path && strings.HasPrefix(entry.Name(), ".") && entry.IsDir():
				return fs.SkipDir
			case entry.IsDir() || strings.HasPrefix(entry.Name(), "."):
				return nil
			}
			// Stat follows links, which exports are sometimes made of.
			info, err := os.Stat(name)
			if err != nil || !info.Mode().IsRegular() {
				return err
			}
			files = append(files, file{path: name, bytes: info.Size(), inside: true})
			return nil
		})
		if err == nil && len(files) == before {
			err = fmt.Errorf("%s: there is no file in it", path)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("logs: %w", err))
		}
	}
	return files, errors.Join(errs...)
}

// read reads one file into a sink.
func (f file) read(out *sink, m *meter) error {
	opened, err := os.Open(f.path)
	if err != nil {
		return fmt.Errorf("logs: %w", err)
	}
	defer opened.Close()
	stage := out.options.Function
	if stage == "" {
		stage = stem(f.path)
	}
	out.begin(f.path, stage)
	sum := sha256.New()
	m.begin(f.path, io.TeeReader(opened, sum))
	if err := f.content(out, m, sum); err != nil {
		return err
	}
	out.file.Bytes, out.file.SHA256 = m.fileBytes, hex.EncodeToString(sum.Sum(nil))
	return nil
}

func (f file) content(out *sink, m *meter, sum hash.Hash) error {
	raw := bufio.NewReaderSize(m, 1<<16)
	var content io.Reader = raw
	if magic, err := raw.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(raw)
		if err != nil {
			return fmt.Errorf("logs: %s: %w", f.path, err)
		}
		defer z.Close()
		content, out.file.Compressed = z, true
	}
	// Some tools write UTF-16, or begin UTF-8 with a mark.
	text := bufio.NewReaderSize(content, headBytes)
	if mark, _ := text.Peek(3); len(mark) >= 2 && (mark[0] == 0xff && mark[1] == 0xfe || mark[0] == 0xfe && mark[1] == 0xff || string(mark) == "\ufeff") {
		decoded := transform.NewReader(text, unicode.BOMOverride(unicode.UTF8.NewDecoder()))
		text = bufio.NewReaderSize(decoded, headBytes)
	}
	head, err := text.Peek(headBytes)
	if err != nil && err != io.EOF {
		return fmt.Errorf("logs: %s: %w", f.path, err)
	}
	format, err := out.options.formatOf(head)
	if err != nil && f.inside {
		out.file.Skipped = "empty, or of no known format"
		_, err := io.Copy(io.Discard, raw)
		return err
	}
	if err != nil {
		return fmt.Errorf("logs: %s: %w", f.path, err)
	}
	out.file.Format = format.Name
	out.strict = format.strict
	if err := format.read(&input{f.path, text}, out); err != nil {
		return err
	}
	// What follows the content counts for the sum.
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return fmt.Errorf("logs: %s: %w", f.path, err)
	}
	return out.flush(0)
}

// formatOf returns the format that was asked for, else the one detected.
func (o *Options) formatOf(head []byte) (Format, error) {
	if o.Format != "" {
		return FindFormat(o.Format)
	}
	if len(head) == 0 {
		return Format{}, errors.New("is empty")
	}
	if f, ok := Detect(head); ok {
		return f, nil
	}
	return Format{}, fmt.Errorf("is none of the formats %s; name its --format, or the --mapping of a table", strings.Join(FormatNames(), ", "))
}

// stem returns the name of a file without its endings.
func stem(path string) string {
	name := filepath.Base(path)
	for range 2 {
		switch ending := filepath.Ext(name); ending {
		case ".gz", ".json", ".jsonl", ".ndjson", ".csv", ".log", ".txt", ".profile":
			if len(ending) < len(name) {
				name = strings.TrimSuffix(name, ending)
			}
		}
	}
	return name
}

// sumOf returns the SHA-256 of the lines.
func sumOf(lines []string) string {
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n") + "\n"))
	return hex.EncodeToString(sum[:])
}

// meter counts the bytes that are read and tells the progress.
type meter struct {
	options   *Options
	sink      *sink
	r         io.Reader
	name      string
	fileBytes int64
	bytes     int64
	total     int64
	told      int64 // bytes
}

// progressBytes is how much is read before progress is told again.
const progressBytes = 1 << 20

func (m *meter) begin(name string, r io.Reader) { m.name, m.r, m.fileBytes = name, r, 0 }

func (m *meter) Read(p []byte) (int, error) {
	if err := m.sink.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	m.fileBytes += int64(n)
	m.bytes += int64(n)
	if m.options.Progress != nil && (err == io.EOF && m.bytes == m.total || m.bytes-m.told >= progressBytes) {
		m.told = m.bytes
		m.options.Progress(Progress{Bytes: m.bytes, TotalBytes: m.total, Rows: m.sink.report.Rows, File: m.name})
	}
	return n, err
}

// readError is the failure to read on in a file.
func readError(name string, err error) error { return fmt.Errorf("logs: %s: %w", name, err) }
