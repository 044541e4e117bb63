package sweep

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// Store is the folder of a sweep.
//
//	parts/ID.parquet     the rows of a chunk that is complete
//	MANIFEST             the SHA-256 of every part, in the format of sha256sum
//	journals/ID.jsonl    the rows of a chunk that is being answered, one a line
//	locks/ID             held while a process works on the chunk
//	times/ID.jsonl       how long its cells took
//	broken/              parts that did not match the manifest
//
// A row is in the journal as soon as its cell is answered; a chunk that is
// complete becomes a part, then its journal is removed. A process that is
// killed loses the cells it was answering and nothing else: the last line of
// a journal counts only if it is whole. Parts are believed only if the
// manifest says so, and locks are those of the operating system, which end
// with their holder.
type Store struct {
	dir string

	mu     sync.Mutex
	parts  map[string]string // cell -> ID of the part that holds it
	loaded map[string]Row    // rows of journals, and of the pilot
	took   map[string]float64
	Broken []string // parts that were set aside when the store was opened
}

// The parts of a store.
const (
	partsDir    = "parts"
	journalsDir = "journals"
	locksDir    = "locks"
	timesDir    = "times"
	brokenDir   = "broken"
	manifest    = "MANIFEST"
)

// OpenStore opens a folder, or makes it, and learns which cells are answered.
// Parts that do not match the manifest are set aside.
func OpenStore(dir string) (*Store, error) {
	for _, d := range []string{partsDir, journalsDir, locksDir, timesDir} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o777); err != nil {
			return nil, err
		}
	}
	s := &Store{dir: dir, parts: map[string]string{}, loaded: map[string]Row{}, took: map[string]float64{}}
	return s, s.refresh()
}

// FindStore opens a folder that must be there already.
func FindStore(dir string) (*Store, error) {
	if _, err := os.Stat(filepath.Join(dir, partsDir)); err != nil {
		return nil, fmt.Errorf("%s: no folder of a sweep; \"eevee sweep GRID -o %s\" makes one", dir, dir)
	}
	return OpenStore(dir)
}

// refresh reads manifest, parts and journals.
func (s *Store) refresh() error {
	sums, err := s.sums()
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(sums) {
		rows, err := s.readPart(name, sums[name])
		switch {
		case errors.Is(err, fs.ErrNotExist):
			// Removed by hand: its cells are open again.
		case err != nil:
			if err := s.setAside(name, sums[name]); err != nil {
				return err
			}
		default:
			s.mu.Lock()
			for _, r := range rows {
				s.parts[r.Cell] = strings.TrimSuffix(name, ".parquet")
			}
			s.mu.Unlock()
		}
	}
	journals, err := filepath.Glob(filepath.Join(s.dir, journalsDir, "*.jsonl"))
	if err != nil {
		return err
	}
	for _, path := range journals {
		rows, _, err := readJournal(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		s.mu.Lock()
		for _, r := range rows {
			s.loaded[r.Cell] = r
		}
		s.mu.Unlock()
	}
	return nil
}

// has reports whether the cell of a name is answered.
func (s *Store) has(cell string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, inPart := s.parts[cell]
	_, inJournal := s.loaded[cell]
	return inPart || inJournal
}

// keep remembers a row that no chunk was claimed for.
func (s *Store) keep(r Row, seconds float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded[r.Cell], s.took[r.Cell] = r, seconds
}

// rows returns the known rows of the given cells, by name.
func (s *Store) rows(cells []string) (map[string]Row, error) {
	s.mu.Lock()
	known := map[string]Row{}
	parts := map[string]bool{}
	asked := map[string]bool{}
	for _, c := range cells {
		asked[c] = true
		if r, ok := s.loaded[c]; ok {
			known[c] = r
		} else if id, ok := s.parts[c]; ok {
			parts[id] = true
		}
	}
	s.mu.Unlock()
	if len(parts) == 0 {
		return known, nil
	}
	sums, err := s.sums()
	if err != nil {
		return nil, err
	}
	for _, id := range sortedKeys(parts) {
		rows, err := s.readPart(id+".parquet", sums[id+".parquet"])
		if err != nil {
			continue // it broke after the store was opened: its cells are open again
		}
		for _, r := range rows {
			if asked[r.Cell] {
				known[r.Cell] = r
			}
		}
	}
	return known, nil
}

// readPart reads a part that has the given sum.
func (s *Store) readPart(name, sum string) ([]Row, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, partsDir, name))
	if err != nil {
		return nil, err
	}
	if got := sha256.Sum256(text); hex.EncodeToString(got[:]) != sum {
		return nil, fmt.Errorf("%s: is not what %s says", name, manifest)
	}
	return decodeRows(text)
}

// setAside moves a part that is not what the manifest says out of the way.
func (s *Store) setAside(name, sum string) error {
	return s.changeManifest(func(sums map[string]string) error {
		if sums[name] != sum {
			return nil // replaced by another process in the meantime
		}
		if _, err := s.readPart(name, sum); err == nil {
			return nil
		}
		if err := os.MkdirAll(filepath.Join(s.dir, brokenDir), 0o777); err != nil {
			return err
		}
		from, to := filepath.Join(s.dir, partsDir, name), filepath.Join(s.dir, brokenDir, name)
		if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		delete(sums, name)
		s.Broken = append(s.Broken, to)
		return nil
	})
}

// sums returns what the manifest says: name of a part -> SHA-256.
func (s *Store) sums() (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, manifest))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	sums := map[string]string{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  "+partsDir+"/")
		if b, err := hex.DecodeString(sum); !ok || err != nil || len(b) != sha256.Size || name != filepath.Base(name) {
			return nil, fmt.Errorf("%s: line %d is not a sum and a part; remove the file to compute the parts anew", filepath.Join(s.dir, manifest), n)
		}
		sums[name] = sum
	}
	return sums, nil
}

// changeManifest changes the manifest, one process at a time.
func (s *Store) changeManifest(change func(sums map[string]string) error) error {
	lock := flock.New(filepath.Join(s.dir, locksDir, manifest))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer lock.Close()
	sums, err := s.sums()
	if err != nil {
		return err
	}
	if err := change(sums); err != nil {
		return err
	}
	var b strings.Builder
	for _, name := range sortedKeys(sums) {
		fmt.Fprintf(&b, "%s  %s/%s\n", sums[name], partsDir, name)
	}
	return renameio.WriteFile(filepath.Join(s.dir, manifest), []byte(b.String()), 0o644)
}

// claim is a chunk that this process works on.
type claim struct {
	store   *Store
	id      string
	lock    *flock.Flock
	journal *os.File
	times   *os.File
}

// claim claims a chunk, nil if another process works on it.
func (s *Store) claim(id string) (*claim, error) {
	lock := flock.New(filepath.Join(s.dir, locksDir, id))
	ok, err := lock.TryLock()
	if err != nil || !ok {
		return nil, err
	}
	return &claim{store: s, id: id, lock: lock}, nil
}

func (s *Store) journalPath(id string) string {
	return filepath.Join(s.dir, journalsDir, id+".jsonl")
}

// begin returns the rows of the chunk's cells that are known by now, and opens
// the journal for the others.
func (c *claim) begin(cells []string) (map[string]Row, error) {
	path := c.store.journalPath(c.id)
	fresh, whole, err := readJournal(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	known, err := c.store.rows(cells)
	if err != nil {
		return nil, err
	}
	// Another process may have completed the chunk since the store was opened.
	sums, err := c.store.sums()
	if err != nil {
		return nil, err
	}
	if part, err := c.store.readPart(c.id+".parquet", sums[c.id+".parquet"]); err == nil {
		fresh = append(fresh, part...)
	}
	for _, r := range fresh {
		known[r.Cell] = r
	}
	if c.journal, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o666); err != nil {
		return nil, err
	}
	// A line that was cut off is overwritten.
	if err := c.journal.Truncate(whole); err != nil {
		return nil, err
	}
	if _, err := c.journal.Seek(whole, 0); err != nil {
		return nil, err
	}
	c.times, err = os.OpenFile(filepath.Join(c.store.dir, timesDir, c.id+".jsonl"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	return known, err
}

// timing is how long a cell took, a line of a file of times.
type timing struct {
	Cell    string  `json:"cell"`
	Seconds float64 `json:"seconds"`
}

// add writes a row into the journal.
func (c *claim) add(r Row, seconds float64) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := c.journal.Write(append(line, '\n')); err != nil {
		return err
	}
	line, err = json.Marshal(timing{r.Cell, seconds})
	if err != nil {
		return err
	}
	_, err = c.times.Write(append(line, '\n'))
	return err
}

// complete turns the rows of the chunk, in their order, into a part.
func (c *claim) complete(rows []Row) error {
	slices.SortFunc(rows, compareRows)
	text, err := encodeRows(rows)
	if err != nil {
		return err
	}
	s, name := c.store, c.id+".parquet"
	if err := renameio.WriteFile(filepath.Join(s.dir, partsDir, name), text, 0o644); err != nil {
		return err
	}
	err = s.changeManifest(func(sums map[string]string) error {
		sum := sha256.Sum256(text)
		sums[name] = hex.EncodeToString(sum[:])
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	for _, r := range rows {
		s.parts[r.Cell] = c.id
		delete(s.loaded, r.Cell)
	}
	s.mu.Unlock()
	return os.Remove(s.journalPath(c.id))
}

// end gives the chunk back.
func (c *claim) end() error {
	var errs []error
	for _, f := range []*os.File{c.journal, c.times} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(append(errs, c.lock.Close())...)
}

// readJournal returns the rows of a journal and how many bytes of it are
// whole lines. What follows a line that is cut off or damaged does not count.
func readJournal(path string) (rows []Row, whole int64, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	lines := bufio.NewReader(bytes.NewReader(text))
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return rows, whole, nil
		}
		var r Row
		if json.Unmarshal(line, &r) != nil || r.Cell == "" {
			return rows, whole, nil
		}
		rows = append(rows, r)
		whole += int64(len(line))
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// writeIfChanged writes a file unless that is what it holds already.
func writeIfChanged(path string, text []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	return renameio.WriteFile(path, text, 0o644)
}
