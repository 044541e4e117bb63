package figures

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

// WriteFile writes a file, which appears whole or not at all. Until then it lies
// beside its place, under its name with a point before and digits behind: a
// program that is killed leaves it where RemoveLeft finds it, and not in the
// folder of everybody's temporary files.
func WriteFile(path string, contents []byte) error {
	return renameio.WriteFile(path, contents, 0o644, renameio.WithTempDir(filepath.Dir(path)))
}

// writing is how long no file takes to be written.
const writing = time.Minute

// RemoveLeft removes what programs that were killed have left of files that were
// written just now. What another program may be writing stays: it is hardly older
// than those files.
func RemoveLeft(written []string) error {
	folders := map[string]map[string]time.Time{} // by folder and temporary name without its digits, when the file was written
	for _, path := range written {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		dir, name := filepath.Split(path)
		if folders[dir] == nil {
			folders[dir] = map[string]time.Time{}
		}
		folders[dir]["."+name] = info.ModTime()
	}
	for dir, names := range folders {
		entries, err := os.ReadDir(filepath.Clean(dir))
		if err != nil {
			return err
		}
		for _, e := range entries {
			written, ours := names[strings.TrimRight(e.Name(), "0123456789")]
			if !ours || !e.Type().IsRegular() {
				continue
			}
			info, err := e.Info()
			if err != nil || written.Sub(info.ModTime()) < writing {
				continue // gone by now, or it may be somebody's
			}
			if err := os.Remove(dir + e.Name()); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
	}
	return nil
}
