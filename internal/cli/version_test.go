package cli

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVersionOfBuildInfo(t *testing.T) {
	info := &debug.BuildInfo{
		GoVersion: "go1.26.0",
		Main:      debug.Module{Path: "eevee", Version: "v1.2.3"},
		Deps: []*debug.Module{
			{Path: "example.org/a", Version: "v1.0.0", Sum: "h1:a"},
			{Path: "example.org/b", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/c", Version: "v0.1.0", Sum: "h1:c"}},
		},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "0123abc"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"},
		},
	}
	revision, date, modified := "0123abc", "2026-01-02T03:04:05Z", true
	want := version{
		Version: "v1.2.3", Revision: &revision, Time: &date, Modified: &modified, Go: "go1.26.0", OS: runtime.GOOS, Arch: runtime.GOARCH,
		Modules: []moduleVersion{{"example.org/a", "v1.0.0", "h1:a"}, {"example.org/c", "v0.1.0", "h1:c"}},
	}
	got := versionOf(info)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for text, v := range map[string]version{
		"eevee v1.2.3, revision 0123abc with changes, go1.26.0 ": got,
		"eevee (devel), unknown revision, go1.26.0 ":             versionOf(&debug.BuildInfo{GoVersion: "go1.26.0"}),
	} {
		var b bytes.Buffer
		if err := v.write(&b); err != nil {
			t.Fatal(err)
		}
		if want := text + runtime.GOOS + "/" + runtime.GOARCH + "\n"; b.String() != want {
			t.Errorf("%q, want %q", b.String(), want)
		}
	}
}
