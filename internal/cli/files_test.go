package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// What stands against an output is said before any work is done, and looking for
// it leaves nothing.
func TestOutputsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	folder := func(path string) error { return checkFolder(path) }
	output := func(path string) error { _, err := checkOutput(path); return err }
	for _, tc := range []struct {
		check      func(string) error
		path, want string
	}{
		{folder, dir, ""}, {folder, dir + "/", ""}, {folder, filepath.Join(dir, "a", "b ü"), ""},
		{folder, file, "is a file; name a folder"},
		{folder, filepath.Join(file, "a", "b"), file + " is a file; name a folder that can be made"},
		{output, filepath.Join(dir, "new ö.json"), ""}, {output, file, ""},
		{output, dir, "is a folder; name a file in it"},
		{output, filepath.Join(file, "x"), "there is no folder " + file},
		{output, filepath.Join(dir, "a", "x"), "there is no folder " + filepath.Join(dir, "a")},
	} {
		switch err := tc.check(tc.path); {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", tc.path, err)
		case tc.want != "" && (err == nil || err.Error() != tc.path+": "+tc.want):
			t.Errorf("%s: %v, want %q", tc.path, err, tc.want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d files are in the folder, %v; one was", len(entries), err)
	}
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 && runtime.GOOS == "linux" {
		closed = "/proc" // takes nobody's files
	}
	for _, err := range []error{folder(closed), folder(filepath.Join(closed, "x", "y")), output(filepath.Join(closed, "x"))} {
		if err == nil || !strings.Contains(err.Error(), "the folder "+closed+" takes no files (") {
			t.Errorf("%v", err)
		}
	}
}
