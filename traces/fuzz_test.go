package traces

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever the text, the reader of profiles returns either one row per stage,
// epoch, configuration and statistic, all of them sound, or an error that names
// the file.
func FuzzReadJolteonProfile(f *testing.F) {
	f.Add([]byte(tinyProfile(nil)))
	f.Add([]byte(tinyProfile(map[string]string{"cold": `[[[1, -2], [3, 4]], [[5, 6], [7, -8e-9]]]`})))
	f.Add([]byte(tinyProfile(map[string]string{"read": `[[[1, NaN], [3, 4]], [[5, 6], [7, 8]]]`})))
	f.Add([]byte(tinyProfile(map[string]string{"write": `[[[1, 1e999], [-3]], [[5, 6, 7], {}]]`})))
	f.Add([]byte(`{"a": {}, "a": []}`))
	f.Add([]byte(`{"a": [[[[[[1]]]]]]`))
	f.Add([]byte(`-Infinity`))
	f.Add([]byte(strings.Repeat("[", 20000)))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := ReadJolteonProfile(bytes.NewReader(data), "p.json", tinyLayout)
		if err != nil {
			if rows != nil || !strings.HasPrefix(err.Error(), "traces: p.json: ") {
				t.Errorf("%d rows, %v", len(rows), err)
			}
			return
		}
		if len(rows) != 16 {
			t.Errorf("%d rows", len(rows))
		}
		for _, d := range Validate(rows) {
			if d.Severity == Error {
				t.Error(d)
			}
		}
		for _, r := range rows {
			for _, v := range []*float64{r.Cold, r.Read, r.Compute, r.Write} {
				if math.IsNaN(*v) || math.IsInf(*v, 0) {
					t.Errorf("%v in a row", *v)
				}
			}
		}
	})
}

// Whatever the file, reading it returns as many rows as it says, or an error
// that names it.
func FuzzRead(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "seed.parquet")
	_, data, _ := corruptible(f, path)
	f.Add(data)
	for i, copied := range mutations(data) {
		if i%25 < 2 {
			f.Add(copied)
		}
	}
	if err := Write(path, nil, Meta{}); err != nil {
		f.Fatal(err)
	}
	empty, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(empty)
	f.Add(footerWith([]byte{0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07}))
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "t.parquet")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		rows, meta, err := Read(path)
		if err != nil {
			if rows != nil || !strings.HasPrefix(err.Error(), "traces: "+path+": ") {
				t.Errorf("%d rows, %v", len(rows), err)
			}
			return
		}
		r, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if meta.SchemaVersion != SchemaVersion || int64(len(rows)) != r.Rows() {
			t.Errorf("version %d, %d rows of %d", meta.SchemaVersion, len(rows), r.Rows())
		}
	})
}
