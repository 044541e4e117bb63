package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// checkOutput says what stands against writing a result to path, before any
// work is done for it: it is a folder, a device, a pipe or a link, which writing
// would replace by a file, its folder does not exist, or it is one of the inputs.
// It reports whether there is a file that would be replaced.
func checkOutput(path string, inputs ...string) (replaces bool, err error) {
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return false, fmt.Errorf("%s: there is no folder %s", path, folder)
	}
	if err := tryFolder(folder); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	out, err := os.Lstat(path)
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if out.IsDir() {
		return false, fmt.Errorf("%s: is a folder; name a file in it", path)
	}
	if !out.Mode().IsRegular() {
		return false, fmt.Errorf("%s: is no regular file, which is what would be put in its place; name another one", path)
	}
	for _, input := range inputs {
		if in, err := os.Stat(input); err == nil && os.SameFile(in, out) {
			return false, fmt.Errorf("%s: is the input %s and would be overwritten; write to another file", path, input)
		}
	}
	return true, nil
}

// checkFolder says what stands against writing files into a folder, which need
// not exist yet, before any work is done for them.
func checkFolder(path string) error {
	there := filepath.Clean(path)
	for {
		info, err := os.Stat(there)
		switch up := filepath.Dir(there); {
		case err == nil && !info.IsDir() && there == filepath.Clean(path):
			return fmt.Errorf("%s: is a file; name a folder", path)
		case err == nil && !info.IsDir():
			return fmt.Errorf("%s: %s is a file; name a folder that can be made", path, there)
		case err == nil:
			if err := tryFolder(there); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			return nil
		case up == there:
			return fmt.Errorf("%s: there is no folder %s", path, there)
		default:
			there = up
		}
	}
}

// tryFolder says why a folder takes no files: it is somebody else's, or is on a
// disk that is full or read only. What it may do is found out by doing it; nothing
// is left.
func tryFolder(folder string) error {
	f, err := os.CreateTemp(folder, ".eevee-")
	if err != nil {
		return fmt.Errorf("the folder %s takes no files (%w); name another one", folder, errors.Unwrap(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// recordingsCache returns the folder that fetched recordings are kept in.
func recordingsCache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder to cache recordings in (%w); name one with --cache", err)
	}
	return filepath.Join(dir, "eevee", "recordings"), nil
}
