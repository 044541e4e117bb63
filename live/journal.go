package live

import (
	"bufio"
	"bytes"
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
)

// journalSchema names the form of a journal: lines of JSON, each an entry.
const journalSchema = "eevee.live-journal/1"

// entry is one line of a journal: one of its fields.
type entry struct {
	Begin  *begin  `json:"begin,omitempty"`
	Change *change `json:"change,omitempty"`
	Undone int     `json:"undone,omitempty"` // number of a change
	End    bool    `json:"end,omitempty"`    // all is as it was before
}

// begin is the first line: whose account it is.
type begin struct {
	Schema  string `json:"schema"`
	Run     string `json:"run"`
	Account string `json:"account"`
	Region  string `json:"region"`
	Began   string `json:"began"` // RFC 3339
}

// A journal holds what a session changes in an account: every line is on disk
// before the change is made. Whether the change was made after all nobody needs
// to know: to undo it twice, or where it never was, does no harm.
type journal struct {
	path  string
	begin begin
	lock  *flock.Flock

	mu      sync.Mutex
	file    *os.File
	changes []change
	undone  map[int]bool
	ended   bool
}

// JournalFolder is where journals are kept that no other place was named for.
func JournalFolder() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "eevee", "live"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("live: no folder to keep journals in (%w); name one with --journal", err)
	}
	return filepath.Join(home, ".local", "state", "eevee", "live"), nil
}

const journalExt = ".journal"

// createJournal begins the journal of a session.
func createJournal(folder string, b begin) (*journal, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("live: the journal cannot be kept: %w", err)
	}
	j := &journal{path: filepath.Join(folder, b.Run+journalExt), begin: b, undone: make(map[int]bool)}
	if err := j.acquire(); err != nil {
		return nil, err
	}
	var err error
	if j.file, err = os.OpenFile(j.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600); err != nil {
		j.close()
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("live: %s: there has been a session of this name; give another one with --name, or none", j.path)
		}
		return nil, fmt.Errorf("live: the journal cannot be kept: %w", err)
	}
	err = j.write(entry{Begin: &b})
	if err == nil {
		err = syncFolder(folder)
	}
	if err != nil {
		j.close()
		return nil, fmt.Errorf("live: %s: the journal cannot be kept, so that nothing may be changed: %w", j.path, err)
	}
	return j, nil
}

// openJournal opens the journal of a session that ended somehow, to undo what it
// left. A last line that was not written whole belongs to a change that was not
// made.
func openJournal(path string) (*journal, error) {
	j := &journal{path: path, undone: make(map[int]bool)}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("live: %w", err)
	}
	if err := j.acquire(); err != nil {
		return nil, err
	}
	whole, err := j.read()
	if err == nil && !j.ended {
		j.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	}
	if err == nil && j.file != nil {
		err = j.file.Truncate(whole)
	}
	if err != nil {
		j.close()
		return nil, fmt.Errorf("live: %s: %w", path, err)
	}
	return j, nil
}

// read reads the whole lines of the journal, and returns how many bytes they
// are.
func (j *journal) read() (int64, error) {
	text, err := os.ReadFile(j.path)
	if err != nil {
		return 0, err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	lines := bufio.NewScanner(bytes.NewReader(text[:whole]))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return 0, fmt.Errorf("line %d: is no entry of a journal: %w", n, err)
		}
		switch {
		case n == 1 && e.Begin == nil:
			return 0, errors.New("is no journal of eevee")
		case n == 1 && e.Begin.Schema != journalSchema:
			return 0, fmt.Errorf("is a journal of form %q; this eevee reads %q", e.Begin.Schema, journalSchema)
		case n == 1:
			j.begin = *e.Begin
		case e.Change != nil:
			j.changes = append(j.changes, *e.Change)
		case e.Undone > 0:
			j.undone[e.Undone] = true
		case e.End:
			j.ended = true
		default:
			return 0, fmt.Errorf("line %d: is no entry of a journal", n)
		}
	}
	if j.begin.Schema == "" {
		j.ended = true // its session ended before it changed anything
	}
	return int64(whole), lines.Err()
}

// acquire makes sure that no other process is at work on the journal. A process
// that is killed gives it up.
func (j *journal) acquire() error {
	j.lock = flock.New(j.path + ".lock")
	ok, err := j.lock.TryLock()
	if err != nil {
		return fmt.Errorf("live: %s: %w", j.path, err)
	}
	if !ok {
		return fmt.Errorf("live: %s: another eevee is at work on it; end that first", j.path)
	}
	return nil
}

// record notes a change down before it is made, and numbers it.
func (j *journal) record(c change) (change, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c.Number = len(j.changes) + 1
	if err := j.write(entry{Change: &c}); err != nil {
		return c, fmt.Errorf("live: %s: nothing may be changed that is not noted down: %w", j.path, err)
	}
	j.changes = append(j.changes, c)
	return c, nil
}

// strike notes down that a change is undone.
func (j *journal) strike(number int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.undone[number] = true
	return j.write(entry{Undone: number})
}

// standing returns the changes that are not undone, the last one first.
func (j *journal) standing() []change {
	j.mu.Lock()
	defer j.mu.Unlock()
	var left []change
	for _, c := range slices.Backward(j.changes) {
		if !j.undone[c.Number] {
			left = append(left, c)
		}
	}
	return left
}

// end notes down that all is as it was.
func (j *journal) end() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return nil
	}
	if err := j.write(entry{End: true}); err != nil {
		return err
	}
	j.ended = true
	return nil
}

// write brings a line to disk.
func (j *journal) write(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return j.file.Sync()
}

// close gives the journal up. The lock of one that is ended goes with it.
func (j *journal) close() {
	if j.file != nil {
		j.file.Close()
	}
	if j.lock != nil {
		if j.ended {
			os.Remove(j.lock.Path())
		}
		j.lock.Unlock()
	}
}

// Journals returns the paths of the journals in a folder whose sessions left
// something to undo, sorted. A folder that does not exist has none.
func Journals(folder string) ([]string, error) {
	files, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("live: %w", err)
	}
	var paths []string
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), journalExt) {
			continue
		}
		j := &journal{path: filepath.Join(folder, f.Name()), undone: make(map[int]bool)}
		if _, err := j.read(); err != nil || !j.ended {
			paths = append(paths, j.path)
		}
	}
	return paths, nil
}

// syncFolder brings the names in a folder to disk.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
