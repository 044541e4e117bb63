package traces

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// corruptible writes a trace and returns its rows, its bytes and its checksum
// file.
func corruptible(t testing.TB, path string) (rows []Record, data, side []byte) {
	t.Helper()
	rows = syntheticRows(600)
	if err := Write(path, rows, Meta{Source: Synthetic, Workflow: "ml"}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	side, err = os.ReadFile(sidePath(path))
	if err != nil {
		t.Fatal(err)
	}
	return rows, data, side
}

// mutations returns 500 corrupted copies: half of them of the footer, a tenth
// truncated.
func mutations(data []byte) [][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	footer := len(data) - 8 - int(binary.LittleEndian.Uint32(data[len(data)-8:]))
	var all [][]byte
	for i := range 500 {
		at := random.IntN(len(data))
		if i%2 == 0 {
			at = footer + random.IntN(len(data)-footer)
		}
		switch {
		case i%10 == 9:
			all = append(all, data[:at])
		default:
			copied := bytes.Clone(data)
			copied[at] ^= byte(1 + random.IntN(255))
			all = append(all, copied)
		}
	}
	return all
}

// Whatever happens to the file, reading it gives the same rows or an error that
// names it; with its checksum beside it, no corruption goes unnoticed.
func TestCorruptedTraces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	rows, data, side := corruptible(t, path)
	for i, copied := range mutations(data) {
		if err := os.WriteFile(path, copied, 0o666); err != nil {
			t.Fatal(err)
		}
		for _, checked := range []bool{true, false} {
			os.Remove(sidePath(path))
			if checked {
				if err := os.WriteFile(sidePath(path), side, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			got, _, err := Read(path)
			switch {
			case err != nil && (!strings.HasPrefix(err.Error(), "traces: "+path+": ") || strings.Contains(err.Error(), "\n")):
				t.Errorf("mutation %d: not one line that names the file: %v", i, err)
			case err == nil && checked:
				t.Errorf("mutation %d: read without an error in spite of its checksum", i)
			case err == nil && sameRows(got, rows) != nil:
				t.Errorf("mutation %d: read as other rows: %v", i, sameRows(got, rows))
			}
		}
	}
}

// footerWith returns a file whose footer is the given bytes.
func footerWith(footer []byte) []byte {
	data := append([]byte("PAR1"), footer...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(footer)))
	return append(data, "PAR1"...)
}

// A file that declares more than any machine could hold is refused before
// anything is allocated for it.
func TestFooterThatDeclaresTooMuch(t *testing.T) {
	huge := binary.AppendUvarint(nil, math.MaxInt32)
	for name, footer := range map[string][]byte{
		"schema of 2^31 elements": append([]byte{0x29, 0xfc}, huge...),         // field 2, list of structures
		"row groups, 2^31":        append([]byte{0x49, 0xfc}, huge...),         // field 4, list of structures
		"text of 2^31 bytes":      append([]byte{0x68}, huge...),               // field 6, text
		"2^31 true values":        append([]byte{0x29, 0xf1}, huge...),         // list of truth values
		"map of 2^31 entries":     append(append([]byte{0x1b}, huge...), 0x88), // field 1, map of texts
		"structures without end":  bytes.Repeat([]byte{0x1c}, 1000),            // field 1, structure, and so on
		"lists without end":       append([]byte{0x19}, bytes.Repeat([]byte{0x19}, 1000)...),
		"no end":                  {0x15, 0x02},
		"unknown type":            {0x1d, 0x00},
		"number without end":      bytes.Repeat([]byte{0xff}, 20),
		"nothing":                 {},
		"more after the end":      {0x15, 0x02, 0x00, 0x00},
	} {
		path := filepath.Join(t.TempDir(), "t.parquet")
		if err := os.WriteFile(path, footerWith(footer), 0o666); err != nil {
			t.Fatal(err)
		}
		_, _, err := Read(path)
		if err == nil || !strings.Contains(err.Error(), "footer") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A page that declares more than its column has is refused.
func TestPageThatDeclaresTooMuch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	_, data, _ := corruptible(t, path)
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	m := f.Metadata().RowGroups[0].Columns[7].MetaData // cold_s: no dictionary
	from := m.DataPageOffset
	check := func(page []byte) error {
		return checkPages(bytes.NewReader(page), 0, int64(len(page)), m.NumValues)
	}
	page := data[from : from+m.TotalCompressedSize]
	if err := check(page); err != nil {
		t.Fatal("as it was written: ", err)
	}
	if err := checkPages(bytes.NewReader(page), 0, int64(len(page)), m.NumValues+1); err == nil {
		t.Error("a page of too few values is accepted")
	}

	// PageHeader: 1 type, 2 uncompressed size, 3 compressed size, 8 data
	// header with 1 number of values. All numbers are doubled (zigzag).
	header := func(uncompressed, compressed, values uint64) []byte {
		b := []byte{0x15, 0x06, 0x15}
		b = binary.AppendUvarint(b, 2*uncompressed)
		b = binary.AppendUvarint(append(b, 0x15), 2*compressed)
		b = binary.AppendUvarint(append(b, 0x5c, 0x15), 2*values)
		return append(b, 0x00, 0x00)
	}
	n := uint64(m.NumValues)
	if err := check(append(header(8, 1, n), 0)); err != nil {
		t.Error("a sound header: ", err)
	}
	for name, page := range map[string][]byte{
		"2 GB before compression": append(header(math.MaxInt32, 1, n), 0),
		"2 GB in the file":        append(header(8, math.MaxInt32, n), 0),
		"2^31 values":             append(header(8, 1, math.MaxInt32), 0),
		"half a header":           header(8, 1, n)[:5],
		"no page":                 {},
	} {
		if err := check(page); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestFilesThatAreNoTraces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.parquet")
	_, data, _ := corruptible(t, path)

	type other struct {
		Workflow string  `parquet:"workflow,dict"`
		Cold     *int64  `parquet:"cold_s,optional"`
		Colour   float64 `parquet:"colour"`
	}
	foreign := func(pairs ...string) []byte {
		var b bytes.Buffer
		options := []parquet.WriterOption{}
		for i := 0; i < len(pairs); i += 2 {
			options = append(options, parquet.KeyValueMetadata(pairs[i], pairs[i+1]))
		}
		w := parquet.NewGenericWriter[other](&b, options...)
		if _, err := w.Write([]other{{Workflow: "ml"}}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		data []byte
		want []string
	}{
		"empty":          {nil, []string{"is empty"}},
		"text":           {[]byte("workflow,stage\nml,stage0\n"), []string{"is not a Parquet file"}},
		"one byte":       {[]byte("P"), []string{"is not a Parquet file"}},
		"only the start": {[]byte("PAR1"), []string{"truncated"}},
		"half":           {data[:len(data)/2], []string{"truncated"}},
		"last byte gone": {data[:len(data)-1], []string{"truncated"}},
		"not ours":       {foreign(), []string{"not a trace"}},
		"newer":          {foreign(keySchemaVersion, "99"), []string{"schema version 99", "newer eevee"}},
		"no version":     {foreign(keySchemaVersion, "x"), []string{`schema version "x"`}},
		"other columns": {
			foreign(keySchemaVersion, "1", keyRows, "1"),
			[]string{`no column "stage"`, `column "cold_s" is optional INT64, should be optional DOUBLE`, `column "colour" is none`},
		},
		"no rows": {foreign(keySchemaVersion, "1"), []string{"rows"}},
	} {
		path := filepath.Join(dir, "other.parquet")
		if err := os.WriteFile(path, c.data, 0o666); err != nil {
			t.Fatal(err)
		}
		_, _, err := Read(path)
		if err == nil {
			t.Errorf("%s: read without an error", name)
			continue
		}
		for _, want := range append(c.want, path) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in: %v", name, want, err)
			}
		}
	}
	for name, path := range map[string]string{"missing": filepath.Join(dir, "none.parquet"), "folder": dir} {
		if _, _, err := Read(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChecksumFileThatIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	_, _, side := corruptible(t, path)
	for name, c := range map[string]struct {
		side string
		ok   bool
	}{
		"as written":     {string(side), true},
		"upper case":     {strings.ToUpper(string(side[:64])) + string(side[64:]), true},
		"another sum":    {strings.Repeat("0", 64) + "  t.parquet\n", false},
		"cut off":        {string(side[:30]), false},
		"empty":          {"", false},
		"something else": {"hello, world\n", false},
	} {
		if err := os.WriteFile(sidePath(path), []byte(c.side), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Read(path); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
