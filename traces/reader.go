package traces

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// Read reads a whole trace. Where a checksum lies beside the file it is
// checked first. The rows of large traces are better read with Scan.
func Read(path string) ([]Record, Meta, error) {
	return ReadColumns(path)
}

// ReadColumns reads the named columns of a trace and leaves the other fields
// of the rows empty. Without a name it reads all columns.
func ReadColumns(path string, names ...string) ([]Record, Meta, error) {
	r, err := Open(path, names...)
	if err != nil {
		return nil, Meta{}, err
	}
	defer r.Close()
	rows := make([]Record, 0, min(r.Rows(), maxUnchecked))
	if r.checked {
		rows = make([]Record, 0, r.Rows())
	}
	for int64(len(rows)) < r.Rows() {
		rows = slices.Grow(rows, 1)
		n, err := r.Read(rows[len(rows):cap(rows)])
		if err != nil {
			return nil, Meta{}, err
		}
		rows = rows[:len(rows)+n]
	}
	return rows, r.Meta(), nil
}

// maxUnchecked bounds how many rows are allocated at once because a file
// without a checksum says that it has them.
const maxUnchecked = 1 << 16

// Scan reads a trace in bounded memory: it calls visit with one batch of rows
// after the other, in the order of the file. The slice is reused for the next
// batch; what the rows point to is not. No names: all columns. An error of
// visit ends the reading and is returned as it is.
func Scan(path string, names []string, visit func(rows []Record) error) (Meta, error) {
	r, err := Open(path, names...)
	if err != nil {
		return Meta{}, err
	}
	defer r.Close()
	batch := make([]Record, rowsPerBatch)
	for {
		n, err := r.Read(batch)
		if err == io.EOF {
			return r.Meta(), nil
		}
		if err != nil {
			return Meta{}, err
		}
		if err := visit(batch[:n]); err != nil {
			return Meta{}, err
		}
	}
}

// Reader reads a trace from its first row to its last. It is not safe for
// concurrent use.
type Reader struct {
	path    string
	file    *os.File
	meta    Meta
	rows    int64
	checked bool               // against the checksum beside the file
	groups  []parquet.RowGroup // not begun yet
	left    int64              // rows left in the group that is being read
	columns []*columnReader
	values  []parquet.Value
	err     error // of the last Read; io.EOF at the end
}

// columnReader reads one column.
type columnReader struct {
	column
	index int // in the file
	seen  interned

	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	left   int64 // values left in the page
	empty  bool  // all values of the page are null
}

// Open begins to read the named columns of a trace, all of them without a
// name. Where a checksum lies beside the file it is checked first. A file that
// is truncated, corrupted, no trace, or of a newer schema gives one error.
func Open(path string, names ...string) (*Reader, error) {
	picked, unknown := pick(names)
	if len(unknown) > 0 {
		return nil, fmt.Errorf("traces: %s: a trace has no column %q", path, unknown)
	}
	r := &Reader{path: path}
	for _, c := range picked {
		r.columns = append(r.columns, &columnReader{column: c, seen: make(interned)})
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	r.file = file
	if err := r.open(); err != nil {
		file.Close()
		return nil, fmt.Errorf("traces: %s: %w", path, err)
	}
	return r, nil
}

func (r *Reader) open() error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("is not a file")
	}
	if r.checked, err = checkSide(r.path, r.file); err != nil {
		return err
	}
	if err := checkFooter(r.file, info.Size()); err != nil {
		return err
	}
	return guard(func() error {
		f, err := parquet.OpenFile(r.file, info.Size(),
			// Neither is needed to read rows in order.
			parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true),
			parquet.ReadBufferSize(1<<16))
		if err != nil {
			return fmt.Errorf("corrupted: %w", err)
		}
		return r.begin(f)
	})
}

// begin checks that the file is a trace and that its numbers agree.
func (r *Reader) begin(f *parquet.File) (err error) {
	metadata := f.Metadata()
	pairs := make(map[string]string, len(metadata.KeyValueMetadata))
	for _, pair := range metadata.KeyValueMetadata {
		pairs[pair.Key] = pair.Value
	}
	if r.meta, r.rows, err = metaOf(pairs); err != nil {
		return err
	}
	if err := checkSchema(f.Schema()); err != nil {
		return err
	}
	for _, c := range r.columns {
		leaf, _ := f.Schema().Lookup(c.title())
		c.index = leaf.ColumnIndex
	}

	r.groups = f.RowGroups()
	var sum int64
	for i := range metadata.RowGroups {
		g := &metadata.RowGroups[i]
		if g.NumRows < 0 || len(g.Columns) != len(columns) {
			return errors.New("corrupted: a group of rows that is none")
		}
		sum += g.NumRows
		for j := range g.Columns {
			m := &g.Columns[j].MetaData
			from := m.DataPageOffset
			if m.DictionaryPageOffset != 0 {
				from = m.DictionaryPageOffset
			}
			if from < 0 || m.TotalCompressedSize < 0 || from > f.Size()-m.TotalCompressedSize || m.NumValues != g.NumRows {
				return fmt.Errorf("corrupted: column %s does not fit the file", columns[j].title())
			}
		}
	}
	if sum != r.rows || metadata.NumRows != r.rows {
		return fmt.Errorf("corrupted: %d rows in groups that sum to %d", r.rows, sum)
	}
	return nil
}

// checkSchema checks that the columns of a file are those of a trace, and
// reports every difference.
func checkSchema(have *parquet.Schema) error {
	var differences []string
	differ := func(format string, args ...any) {
		differences = append(differences, fmt.Sprintf(format, args...))
	}
	want := parquet.SchemaOf(Record{})
	for _, field := range want.Fields() {
		leaf, ok := have.Lookup(field.Name())
		switch {
		case !ok:
			differ("no column %q", field.Name())
		case kindOf(leaf.Node) != kindOf(field):
			differ("column %q is %s, should be %s", field.Name(), kindOf(leaf.Node), kindOf(field))
		}
	}
	for _, path := range have.Columns() {
		if _, ok := want.Lookup(path...); !ok {
			differ("column %q is none of a trace", strings.Join(path, "."))
		}
	}
	if len(differences) == 0 {
		return nil
	}
	return errors.New("wrong schema: " + strings.Join(differences, "; "))
}

// kindOf describes a column by what matters for reading it.
func kindOf(n parquet.Node) string {
	kind := n.Type().Kind().String()
	switch {
	case n.Repeated():
		return "repeated " + kind
	case n.Optional():
		return "optional " + kind
	}
	return "required " + kind
}

// Meta returns what the file says about all of its rows.
func (r *Reader) Meta() Meta { return r.meta }

// Rows returns the number of rows in the file.
func (r *Reader) Rows() int64 { return r.rows }

// Read reads the next rows, at most len(rows), and returns how many they are.
// At the end it returns 0 and io.EOF. The rows share no memory with those of
// other calls, except for the texts, which cannot be changed.
func (r *Reader) Read(rows []Record) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if len(rows) == 0 {
		return 0, nil
	}
	n := 0
	err := guard(func() (err error) {
		n, err = r.read(rows)
		return err
	})
	switch {
	case err == io.EOF:
		r.err = io.EOF
	case err != nil:
		r.err = fmt.Errorf("traces: %s: %w", r.path, err)
	}
	if r.err != nil {
		return 0, r.err
	}
	return n, nil
}

func (r *Reader) read(rows []Record) (int, error) {
	for r.left == 0 {
		if len(r.groups) == 0 {
			return 0, io.EOF
		}
		if err := r.beginGroup(r.groups[0]); err != nil {
			return 0, err
		}
		r.groups = r.groups[1:]
	}
	rows = rows[:min(int64(len(rows)), r.left, rowsPerBatch)]
	if len(r.values) < len(rows) {
		r.values = make([]parquet.Value, len(rows))
	}
	clear(rows)
	for _, c := range r.columns {
		if err := c.read(rows, r.values); err != nil {
			return 0, fmt.Errorf("corrupted: column %s: %w", c.title(), err)
		}
	}
	r.left -= int64(len(rows))
	return len(rows), nil
}

// beginGroup checks the pages of a group of rows and goes to its first row.
func (r *Reader) beginGroup(group parquet.RowGroup) error {
	chunks := group.ColumnChunks()
	metadata := group.(*parquet.FileRowGroup).File().Metadata()
	position := len(metadata.RowGroups) - len(r.groups)
	for _, c := range r.columns {
		m := &metadata.RowGroups[position].Columns[c.index].MetaData
		from := m.DataPageOffset
		if m.DictionaryPageOffset != 0 {
			from = m.DictionaryPageOffset
		}
		if err := checkPages(r.file, from, m.TotalCompressedSize, m.NumValues); err != nil {
			return fmt.Errorf("corrupted: column %s: %w", c.title(), err)
		}
		c.close()
		c.pages = chunks[c.index].Pages()
	}
	r.left = group.NumRows()
	return nil
}

// read sets the column's field in all rows. The values are a buffer of at
// least as many.
func (c *columnReader) read(rows []Record, values []parquet.Value) error {
	for len(rows) > 0 {
		if c.left == 0 {
			if err := c.nextPage(); err != nil {
				return err
			}
			continue
		}
		part := values[:min(int64(len(rows)), c.left)]
		if !c.empty {
			n, err := c.values.ReadValues(part)
			if n == 0 {
				if err == nil || err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return err
			}
			part = part[:n]
			c.fill(rows[:n], part, c.seen)
		}
		c.left -= int64(len(part))
		rows = rows[len(part):]
	}
	return nil
}

func (c *columnReader) nextPage() error {
	parquet.Release(c.page)
	c.page = nil
	page, err := c.pages.ReadPage()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	c.page, c.left = page, page.NumValues()
	c.empty = page.NumNulls() == page.NumValues()
	c.values = page.Values()
	return nil
}

func (c *columnReader) close() {
	if c.pages == nil {
		return
	}
	parquet.Release(c.page)
	c.page, c.left = nil, 0
	c.pages.Close()
	c.pages = nil
}

// Close ends the reading.
func (r *Reader) Close() error {
	for _, c := range r.columns {
		c.close()
	}
	r.groups, r.left = nil, 0
	if r.err == nil {
		r.err = errors.New("traces: " + r.path + ": reader is closed")
	}
	return r.file.Close()
}

// guard runs f, which reads a file through parquet-go, and turns its panics
// into errors: parquet-go v0.32 panics on some corrupted files.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("corrupted: %v", p)
		}
	}()
	return f()
}
