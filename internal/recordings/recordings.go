// Package recordings finds the recordings that tests read. They are never part
// of the project.
package recordings

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Dir returns the folder of the recordings: EEVEE_RECORDINGS, else
// ../shared/recordings beside the checkout. Where there is none the test is
// skipped, or fails if EEVEE_REQUIRE_RECORDINGS is 1.
func Dir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("EEVEE_RECORDINGS")
	if dir == "" {
		_, here, _, _ := runtime.Caller(0)
		dir = filepath.Join(filepath.Dir(here), "..", "..", "..", "shared", "recordings")
	}
	return existing(t, dir)
}

// Reference returns the folder with the measured results of the published
// artifact, which lies beside that of the recordings.
func Reference(t testing.TB) string {
	t.Helper()
	return existing(t, filepath.Join(filepath.Dir(Dir(t)), "reference"))
}

func existing(t testing.TB, dir string) string {
	t.Helper()
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir
	}
	if os.Getenv("EEVEE_REQUIRE_RECORDINGS") == "1" {
		t.Fatalf("no recordings in %s", dir)
	}
	t.Skipf("no recordings in %s", dir)
	return ""
}
