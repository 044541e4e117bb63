package figures

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What was left of the files that were written goes, whatever else is there stays.
func TestRemoveLeft(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-time.Hour)
	for name, at := range map[string]time.Time{
		".fig8.pdf123": old, ".fig8.pdf9": old, ".claims.json1": old, // left
		".fig8.pdf77": time.Now(),                                                                                            // somebody is writing it
		".fig9.pdf1":  old, ".fig8.pdf": time.Now(), "fig8.pdf1": old, ".fig8.pdf1x": old, ".profile": old, "notes.txt": old, // not ours
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".fig8.pdf5"), 0o777); err != nil {
		t.Fatal(err)
	}
	written := []string{filepath.Join(dir, "fig8.pdf"), filepath.Join(dir, "claims.json")}
	for _, path := range written {
		if err := WriteFile(path, []byte("text")); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveLeft(written); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	want := []string{".fig8.pdf", ".fig8.pdf1x", ".fig8.pdf5", ".fig8.pdf77", ".fig9.pdf1", ".profile", "claims.json", "fig8.pdf", "fig8.pdf1", "notes.txt"}
	if !slices.Equal(got, want) {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
	if err := RemoveLeft([]string{filepath.Join(dir, "missing.png")}); err == nil {
		t.Error("a file that was not written is no error")
	}
}

// While it is written a file lies in its own folder, wherever temporary files go.
func TestWriteFileStaysInItsFolder(t *testing.T) {
	nowhere := t.TempDir()
	t.Setenv("TMPDIR", nowhere)
	if err := os.Chmod(nowhere, 0o500); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a b ü.txt")
	if err := WriteFile(path, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o444 == 0 || info.Size() != 1 {
		t.Errorf("%v, %v", info, err)
	}
	if left, _ := os.ReadDir(nowhere); len(left) > 0 {
		t.Errorf("%d files lie elsewhere", len(left))
	}
}
