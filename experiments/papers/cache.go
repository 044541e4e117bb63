package papers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/renameio/v2"

	"eevee/experiments"
)

// Cache keeps findings between runs, each in a file of its own. A finding is
// found again where nothing that it may depend on has changed: the program with
// all that is built into it (facts, bundled traces), the recordings, the seed,
// whether the run is a quick one, and for times the cores that it runs on. The nil
// Cache is empty and keeps nothing.
type Cache struct {
	dir string
	of  string // digest of program and recordings
	now time.Time
}

// unusedFor is how long a finding is kept that nobody asks for.
const unusedFor = 30 * 24 * time.Hour

// entrySuffix ends the names of the files of a cache.
const entrySuffix = ".finding"

// OpenCache returns the cache in a folder, which need not exist yet, for
// findings of this program on these recordings. Findings that nobody asked for
// in a month before now are removed.
func OpenCache(dir string, s experiments.Sources, now time.Time) (*Cache, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	return openCache(dir, program, s, now)
}

// openCache is OpenCache for the program in a file.
func openCache(dir, program string, s experiments.Sources, now time.Time) (*Cache, error) {
	h := sha256.New()
	for _, root := range []string{program, s.Recordings, s.Cache} {
		fmt.Fprintf(h, "root %t\n", root == "")
		if err := digest(h, root); err != nil {
			return nil, fmt.Errorf("cache: %w", err)
		}
	}
	c := &Cache{dir: dir, of: hex.EncodeToString(h.Sum(nil)), now: now}
	c.prune()
	return c, nil
}

// digest adds the names and contents of the files at and below root.
func digest(h io.Writer, root string) error {
	if root == "" {
		return nil
	}
	root, err := filepath.EvalSymlinks(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := os.Stat(path) // of what a link leads to
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%q %d\n", name, info.Size())
		_, err = io.Copy(h, f)
		return err
	})
}

// prune removes what was not asked for in a long time. What cannot be removed
// does no harm.
func (c *Cache) prune() {
	entries, _ := os.ReadDir(c.dir)
	for _, e := range entries {
		// A run that was killed may have left a file under a temporary name, which
		// goes on after the suffix.
		if info, err := e.Info(); err == nil && strings.Contains(e.Name(), entrySuffix) && c.now.Sub(info.ModTime()) > unusedFor {
			os.Remove(filepath.Join(c.dir, e.Name()))
		}
	}
}

// path returns the file of what an experiment finds.
func (c *Cache) path(s Statement, o Options) string {
	key := fmt.Appendf(nil, "%s %s %d %t", c.of, s.ID, o.Seed, o.Quick)
	if s.MeasuresTime {
		// The program is of one architecture.
		key = fmt.Appendf(key, " on %d of %d cores", runtime.GOMAXPROCS(0), runtime.NumCPU())
	}
	sum := sha256.Sum256(key)
	return filepath.Join(c.dir, s.ID+"-"+hex.EncodeToString(sum[:12])+entrySuffix)
}

// entry is the contents of a file after their SHA-256. CBOR tells a nil slice
// from an empty one and a missing number from zero, and holds NaN.
type entry struct {
	Claims  []Claim         `cbor:"claims"`
	Notes   []string        `cbor:"notes"`
	Traces  []TraceUsed     `cbor:"traces"`
	Elapsed time.Duration   `cbor:"elapsed_ns"`
	Machine Machine         `cbor:"machine"`
	Kind    string          `cbor:"kind"` // type of the rows
	Rows    cbor.RawMessage `cbor:"rows"`
}

// decoding sets no limits beyond those of memory: entries are our own, and have
// a checksum.
var decoding = func() cbor.DecMode {
	mode, err := cbor.DecOptions{MaxArrayElements: math.MaxInt32, MaxMapPairs: math.MaxInt32, MaxNestedLevels: 64}.DecMode()
	if err != nil {
		panic(err) // the options are constants
	}
	return mode
}()

// keep writes a finding.
func (c *Cache) keep(f Finding, o Options) error {
	if c == nil {
		return nil
	}
	contents, err := encodeFinding(f)
	if err == nil {
		err = os.MkdirAll(c.dir, 0o755)
	}
	if err == nil {
		sum := sha256.Sum256(contents)
		err = renameio.WriteFile(c.path(f.Statement, o), append(sum[:], contents...), 0o644, renameio.WithTempDir(c.dir))
	}
	if err != nil {
		return fmt.Errorf("nothing is kept for the next run: %w", err)
	}
	return nil
}

// find returns the finding of an experiment, if there is one. The error says
// what is wrong with a file that is no use.
func (c *Cache) find(s Statement, o Options) (Finding, bool, error) {
	if c == nil {
		return Finding{}, false, nil
	}
	path := c.path(s, o)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Finding{}, false, nil
	}
	var f Finding
	if err == nil {
		f, err = readEntry(text)
	}
	if err != nil {
		return Finding{}, false, fmt.Errorf("%s: is ignored, and %s found anew: %w", path, s.ID, err)
	}
	os.Chtimes(path, c.now, c.now) // so that prune leaves it
	return f, true, nil
}

func readEntry(text []byte) (Finding, error) {
	if len(text) < sha256.Size {
		return Finding{}, fmt.Errorf("has %d bytes, fewer than a checksum", len(text))
	}
	contents := text[sha256.Size:]
	if sum := sha256.Sum256(contents); !bytes.Equal(sum[:], text[:sha256.Size]) {
		return Finding{}, errors.New("is damaged: its checksum is another one")
	}
	return decodeFinding(contents)
}

// encodeFinding writes a finding without its statement, which is the
// experiment's.
func encodeFinding(f Finding) ([]byte, error) {
	rows, err := cbor.Marshal(f.Rows)
	if err != nil {
		return nil, err
	}
	kind := reflect.TypeOf(f.Rows).Name()
	if _, ok := rowsByKind()[kind]; !ok {
		return nil, fmt.Errorf("rows of the type %s are not listed among the kinds of rows", kind)
	}
	return cbor.Marshal(entry{f.Claims, f.Notes, f.Traces, f.Elapsed, f.Machine, kind, rows})
}

// decodeFinding reads what encodeFinding wrote.
func decodeFinding(contents []byte) (Finding, error) {
	var e entry
	if err := decoding.Unmarshal(contents, &e); err != nil {
		return Finding{}, err
	}
	kind, ok := rowsByKind()[e.Kind]
	if !ok {
		return Finding{}, fmt.Errorf("rows of the unknown type %s", e.Kind)
	}
	rows := reflect.New(kind)
	if err := decoding.Unmarshal(e.Rows, rows.Interface()); err != nil {
		return Finding{}, err
	}
	return Finding{Claims: e.Claims, Notes: e.Notes, Traces: e.Traces, Elapsed: e.Elapsed, Machine: e.Machine, Rows: rows.Elem().Interface().(Rows)}, nil
}

// rowsByKind returns the types of rows by their names.
func rowsByKind() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for _, r := range kindsOfRows {
		t := reflect.TypeOf(r)
		types[t.Name()] = t
	}
	return types
}
