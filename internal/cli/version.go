package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

func versionVerb() verb {
	return verb{
		name:    "version",
		summary: "print what this program was built from",
		run: func(c *call) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				info = &debug.BuildInfo{GoVersion: runtime.Version()}
			}
			v := versionOf(info)
			return c.result(v, v.write)
		},
	}
}

// version is the result of "eevee version".
type version struct {
	Version  string          `json:"version"`  // of the module; "(devel)" where none is known
	Revision *string         `json:"revision"` // null: not recorded in the program
	Time     *string         `json:"time"`     // of the revision
	Modified *bool           `json:"modified"` // whether files differed from the revision
	Go       string          `json:"go"`
	OS       string          `json:"os"`
	Arch     string          `json:"arch"`
	Modules  []moduleVersion `json:"modules"`
}

type moduleVersion struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum,omitempty"`
}

func versionOf(info *debug.BuildInfo) version {
	v := version{Version: info.Main.Version, Go: info.GoVersion, OS: runtime.GOOS, Arch: runtime.GOARCH}
	if v.Version == "" {
		v.Version = "(devel)"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = &s.Value
		case "vcs.time":
			v.Time = &s.Value
		case "vcs.modified":
			modified := s.Value == "true"
			v.Modified = &modified
		}
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		v.Modules = append(v.Modules, moduleVersion{m.Path, m.Version, m.Sum})
	}
	return v
}

func (v version) write(w io.Writer) error {
	revision := "unknown revision"
	if v.Revision != nil {
		revision = "revision " + *v.Revision
		if v.Modified != nil && *v.Modified {
			revision += " with changes"
		}
	}
	_, err := fmt.Fprintf(w, "eevee %s, %s, %s %s/%s\n", v.Version, revision, v.Go, v.OS, v.Arch)
	return err
}
