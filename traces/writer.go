package traces

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// How a trace is laid out. Rows reach the file in batches of a fixed size
// whatever the size of the writes, so that the same rows give the same bytes.
const (
	rowsPerBatch = 1 << 12
	rowsPerGroup = 1 << 17 // a multiple of rowsPerBatch; a group is held in memory while it is written
)

// Write writes rows as a trace, with its checksum beside it. The file appears
// under its name when it is complete, or not at all.
func Write(path string, rows []Record, meta Meta) error {
	w, err := NewWriter(path, meta)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := w.Write(rows...); err != nil {
		return err
	}
	return w.Close()
}

// Writer writes a trace row by row in bounded memory. The same rows and Meta
// give the same bytes, in whatever portions they are written. A Writer is not
// safe for concurrent use.
type Writer struct {
	path  string
	file  *pendingFile
	sum   hash.Hash
	out   *parquet.GenericWriter[Record]
	batch []Record
	rows  int64
	err   error // the first one; errClosed after Close or Abort
}

var errClosed = errors.New("writer is closed")

// NewWriter begins a trace. It must be ended with Close, which gives the file
// its name, or Abort, which removes it; Abort after Close does nothing, so it
// can be deferred.
func NewWriter(path string, meta Meta) (*Writer, error) {
	return newWriter(path, meta, rowsPerGroup)
}

func newWriter(path string, meta Meta, rowsPerGroup int64) (*Writer, error) {
	pairs, err := meta.pairs()
	if err != nil {
		return nil, fmt.Errorf("traces: %s: %w", path, err)
	}
	file, err := createPending(path)
	if err != nil {
		return nil, fmt.Errorf("traces: cannot write %s: %w", path, err)
	}
	w := &Writer{path: path, file: file, sum: sha256.New(), batch: make([]Record, 0, rowsPerBatch)}
	options := []parquet.WriterOption{
		parquet.Compression(&parquet.Zstd),
		parquet.MaxRowsPerRowGroup(rowsPerGroup),
		// Not the default, which depends on how the program was built.
		parquet.CreatedBy("eevee", strconv.Itoa(SchemaVersion), "traces"),
	}
	for key, value := range pairs {
		options = append(options, parquet.KeyValueMetadata(key, value))
	}
	w.out = parquet.NewGenericWriter[Record](io.MultiWriter(file, w.sum), options...)
	return w, nil
}

// Write adds rows. It keeps no reference to them.
func (w *Writer) Write(rows ...Record) error {
	for len(rows) > 0 && w.err == nil {
		n := min(len(rows), rowsPerBatch-len(w.batch))
		w.batch = append(w.batch, rows[:n]...)
		rows = rows[n:]
		if len(w.batch) == rowsPerBatch {
			w.flush()
		}
	}
	return w.failure()
}

// SetMeta replaces what NewWriter was told about all rows, for what is known
// only when they are written.
func (w *Writer) SetMeta(meta Meta) error {
	pairs, err := meta.pairs()
	if err != nil {
		return fmt.Errorf("traces: %s: %w", w.path, err)
	}
	if w.err != nil {
		return w.failure()
	}
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		w.out.SetKeyValueMetadata(key, pairs[key])
	}
	return nil
}

// flush hands the batch on.
func (w *Writer) flush() {
	n, err := w.out.Write(w.batch)
	w.rows += int64(n)
	w.err = err
	clear(w.batch)
	w.batch = w.batch[:0]
}

func (w *Writer) failure() error {
	if w.err == nil {
		return nil
	}
	return fmt.Errorf("traces: cannot write %s: %w", w.path, w.err)
}

// Close completes the trace: file and checksum are brought to disk and get
// their names. An older trace of the same name is replaced. After an error
// nothing is left behind.
func (w *Writer) Close() error {
	if w.err == nil && len(w.batch) > 0 {
		w.flush()
	}
	if w.err == nil {
		w.out.SetKeyValueMetadata(keyRows, strconv.FormatInt(w.rows, 10))
		w.err = w.out.Close()
	}
	if w.err == nil {
		w.err = w.publish()
	}
	err := w.failure()
	w.Abort()
	return err
}

// publish gives the file and its checksum their names. The old checksum goes
// first: a crash in between leaves a trace without a checksum, never one that
// its checksum contradicts.
func (w *Writer) publish() error {
	side, err := createPending(sidePath(w.path))
	if err != nil {
		return err
	}
	defer side.discard()
	if _, err := side.WriteString(sideLine(hex.EncodeToString(w.sum.Sum(nil)), w.path)); err != nil {
		return err
	}
	if err := errors.Join(side.seal(), w.file.seal()); err != nil {
		return err
	}
	if err := os.Remove(side.target); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := w.file.commit(); err != nil {
		return err
	}
	if err := side.commit(); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(w.path))
}

// Abort ends an unfinished trace and leaves nothing behind.
func (w *Writer) Abort() {
	if w.err == errClosed {
		return
	}
	w.file.discard()
	w.err = errClosed
	w.batch = nil
}
