package traces

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// pendingFile is a file that does not have its name yet: it lies beside its
// target under a temporary name until commit.
type pendingFile struct {
	*os.File
	target string
	done   bool // committed: the temporary name may be another's by now
}

// createPending makes the temporary file of the given target.
func createPending(target string) (*pendingFile, error) {
	if info, err := os.Stat(target); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder", target)
	}
	dir, base := filepath.Split(target)
	for n := os.Getpid(); ; n++ {
		// A name of its own and not os.CreateTemp, whose files only their
		// owner can read.
		name := filepath.Join(dir, fmt.Sprintf(".%s.%d.tmp", base, n))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &pendingFile{File: f, target: target}, nil
	}
}

// seal brings the content to disk. The file cannot be written to afterwards.
func (p *pendingFile) seal() error {
	return errors.Join(p.Sync(), p.Close())
}

// commit gives the sealed file its name.
func (p *pendingFile) commit() error {
	err := os.Rename(p.Name(), p.target)
	p.done = err == nil
	return err
}

// discard removes the file. It does no harm after commit.
func (p *pendingFile) discard() {
	p.Close()
	if !p.done {
		os.Remove(p.Name())
	}
}

// syncFolder brings the names in a folder to disk.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
