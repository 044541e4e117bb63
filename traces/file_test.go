package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

func TestRoundTripIsExact(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(drawRecord), 0, 12).Draw(t, "rows")
		if err := Write(path, rows, Meta{}); err != nil {
			t.Fatal(err)
		}
		got, _, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := sameRows(got, rows); err != nil {
			t.Fatal("written and read back: ", err)
		}
	})
}

// The reader agrees with parquet-go's own, which goes another way: row by row
// through reflection.
func TestReadAgreesWithParquetGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	rows := syntheticRows(groupRows + 4017)
	for i := range 300 {
		rows[i*40] = rapid.Custom(drawRecord).Example(i)
	}
	if err := writeGroups(path, rows, Meta{}, len(rows)); err != nil {
		t.Fatal(err)
	}
	want, err := parquet.ReadFile[Record](path)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameRows(got, want); err != nil {
		t.Error("read by traces and by parquet-go: ", err)
	}
	if err := sameRows(got, rows); err != nil {
		t.Error("read and written: ", err)
	}
}

func TestMetaRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	for _, meta := range []Meta{
		{},
		{Source: Recorded, InputSHA256: "ab", Workflow: "ml", Generator: "eevee 1", Extra: map[string]string{"": "empty key", "a.b": "", "ü": "\n"}},
	} {
		if err := Write(path, nil, meta); err != nil {
			t.Fatal(err)
		}
		rows, got, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		meta.SchemaVersion = SchemaVersion
		if diff := cmp.Diff(meta, got); diff != "" || len(rows) != 0 {
			t.Errorf("%d rows of none, meta (-written +read):\n%s", len(rows), diff)
		}
	}
	if err := Write(path, nil, Meta{SchemaVersion: SchemaVersion + 1}); err == nil {
		t.Error("a newer schema version than the program's was written")
	}
}

// The same rows give the same bytes however they are portioned, and across
// groups of rows.
func TestBytesAreDeterministic(t *testing.T) {
	rows := syntheticRows(2*groupRows + 3*rowsPerBatch/2)
	meta := Meta{Source: Synthetic, Extra: map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}}
	dir := t.TempDir()
	var want []byte
	for _, portion := range []int{len(rows), len(rows), 1, 1000, rowsPerBatch + 1} {
		path := filepath.Join(dir, fmt.Sprintf("%d.parquet", portion))
		if err := writeGroups(path, rows, meta, portion); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("rows written %d at a time give other bytes than rows written at once", portion)
		}
	}
}

func TestScanEqualsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	for _, c := range []struct{ rows, portion int }{
		{0, 1}, {1, 1}, {rowsPerBatch + 1, 1}, {2*groupRows + 777, 1000}, {groupRows, 1 << 20},
	} {
		rows, portion := syntheticRows(c.rows), c.portion
		if err := writeGroups(path, rows, Meta{Source: Synthetic}, rowsPerBatch); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if r.Rows() != int64(len(rows)) || r.Meta().Source != Synthetic {
			t.Errorf("the reader says %d rows of source %q", r.Rows(), r.Meta().Source)
		}
		var got []Record
		buffer := make([]Record, portion)
		for {
			n, err := r.Read(buffer)
			if err == io.EOF {
				break
			}
			if err != nil || n == 0 {
				t.Fatal(n, err)
			}
			got = append(got, buffer[:n]...)
		}
		if err := sameRows(got, rows); err != nil {
			t.Errorf("%d rows read %d at a time: %v", len(rows), portion, err)
		}
		if n, err := r.Read(buffer); n != 0 || err != io.EOF {
			t.Errorf("after the end: %d rows, %v", n, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestScanCanBeStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	rows := syntheticRows(2 * rowsPerBatch)
	if err := Write(path, rows, Meta{}); err != nil {
		t.Fatal(err)
	}
	var sum int
	stop := errors.New("enough")
	_, err := Scan(path, nil, func(rows []Record) error {
		sum += len(rows)
		return stop
	})
	if err != stop || sum == 0 || sum == len(rows) {
		t.Errorf("a scan that is stopped in its first batch saw %d rows and returned %v", sum, err)
	}
}

func TestReadColumnsReadsOnlyThese(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	rows := syntheticRows(5000)
	if err := Write(path, rows, Meta{}); err != nil {
		t.Fatal(err)
	}
	want := make([]Record, len(rows))
	for i, r := range rows {
		want[i] = Record{
			Execution: r.Execution, Stage: r.Stage, Epoch: r.Epoch, Statistic: r.Statistic, MemoryMB: r.MemoryMB,
			Parallelism: r.Parallelism, Cold: r.Cold, Read: r.Read, Compute: r.Compute, Write: r.Write,
		}
	}
	got, _, err := ReadColumns(path, StepColumns()...)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameRows(got, want); err != nil {
		t.Error(err)
	}
	if _, _, err := ReadColumns(path, "stage", "colour"); err == nil || !strings.Contains(err.Error(), "colour") {
		t.Errorf("a column that does not exist: %v", err)
	}
}

func TestRowsShareNoNumbers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	rows := syntheticRows(10)
	if err := Write(path, rows, Meta{}); err != nil {
		t.Fatal(err)
	}
	got, _, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	*got[3].Read, *got[3].Parallelism, *got[3].EnvironmentID = -1, -1, "mine"
	if err := sameRows(got[:3], rows[:3]); err != nil {
		t.Error("a change of row 3 reached another: ", err)
	}
	if err := sameRows(got[4:], rows[4:]); err != nil {
		t.Error("a change of row 3 reached another: ", err)
	}
}

func TestChecksumFileIsThatOfSha256sum(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.parquet")
	if err := Write(path, syntheticRows(100), Meta{}); err != nil {
		t.Fatal(err)
	}
	tool, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("no sha256sum here")
	}
	check := exec.Command(tool, "--check", "--strict", "t.parquet.sha256")
	check.Dir = dir
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("sha256sum --check: %v\n%s", err, out)
	}
	sum, err := FileSHA256(path)
	if err != nil {
		t.Fatal(err)
	}
	print, err := exec.Command(tool, path).Output()
	if err != nil || !strings.HasPrefix(string(print), sum+" ") {
		t.Errorf("FileSHA256 gives %s, sha256sum %s (%v)", sum, print, err)
	}
	if _, err := FileSHA256(filepath.Join(dir, "none")); err == nil {
		t.Error("a missing file has a SHA-256")
	}
}

// folder lists what is in a folder.
func folder(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWriterLeavesNothingHalfWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.parquet")
	old := syntheticRows(10)
	if err := Write(path, old, Meta{}); err != nil {
		t.Fatal(err)
	}
	complete := []string{"t.parquet", "t.parquet.sha256"}

	w, err := NewWriter(path, Meta{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(syntheticRows(3 * rowsPerBatch)...); err != nil {
		t.Fatal(err)
	}
	if got, _, err := Read(path); err != nil || sameRows(got, old) != nil {
		t.Errorf("while another trace is written in its place: %v", err)
	}
	w.Abort()
	w.Abort()
	if err := w.Write(old...); err == nil {
		t.Error("rows were written after Abort")
	}
	if err := w.Close(); err == nil {
		t.Error("Close after Abort succeeds")
	}
	if diff := cmp.Diff(complete, folder(t, dir)); diff != "" {
		t.Errorf("after Abort:\n%s", diff)
	}
	if got, _, err := Read(path); err != nil || sameRows(got, old) != nil {
		t.Errorf("after Abort: %v", err)
	}

	next := syntheticRows(20)
	w, err = NewWriter(path, Meta{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(next...), w.Close()); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if got, _, err := Read(path); err != nil || sameRows(got, next) != nil {
		t.Errorf("after the trace was replaced: %v", err)
	}
	if diff := cmp.Diff(complete, folder(t, dir)); diff != "" {
		t.Errorf("after Close:\n%s", diff)
	}

	if _, err := NewWriter(filepath.Join(dir, "none", "t.parquet"), Meta{}); err == nil {
		t.Error("a trace in a folder that does not exist")
	}
	if _, err := NewWriter(dir, Meta{}); err == nil {
		t.Error("a trace in place of a folder")
	}
}

// An error at the very end leaves the old trace as it was.
func TestWriterThatCannotBeClosed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.parquet")
	old := syntheticRows(10)
	if err := Write(path, old, Meta{}); err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(path, Meta{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(syntheticRows(20)...); err != nil {
		t.Fatal(err)
	}
	// The checksum has no place to go to.
	if err := errors.Join(os.Remove(sidePath(path)), os.Mkdir(sidePath(path), 0o777)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Close: %v", err)
	}
	if diff := cmp.Diff([]string{"t.parquet", "t.parquet.sha256"}, folder(t, dir)); diff != "" {
		t.Error(diff)
	}
	if err := os.Remove(sidePath(path)); err != nil {
		t.Fatal(err)
	}
	if got, _, err := Read(path); err != nil || sameRows(got, old) != nil {
		t.Errorf("the old trace: %v", err)
	}
}

func TestTwoWritersOfOnePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	a, err := NewWriter(path, Meta{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewWriter(path, Meta{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Write(syntheticRows(5)...), b.Write(syntheticRows(7)...), a.Close(), b.Close()); err != nil {
		t.Fatal(err)
	}
	if rows, _, err := Read(path); err != nil || len(rows) != 7 {
		t.Errorf("the last one has 7 rows: %d, %v", len(rows), err)
	}
}
