package experiments

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"eevee/models"
	"eevee/traces"
)

// Trace is the rows that an experiment starts from, and where they came from.
type Trace struct {
	Origin Origin
	Path   string // the file; empty for a bundled trace
	SHA256 string // of the file, or of the bundled trace
	Rows   []traces.Record
}

// Origin says how a trace was chosen, so that no figure can pass a generated
// trace off as a recording.
type Origin string

// The origins of a trace.
const (
	OriginRecorded Origin = "recorded" // the published recordings, found by name
	OriginBundled  Origin = "bundled"  // generated from a workload card, part of the program
	OriginFile     Origin = "file"     // the file the user named
)

// Sources are the places where recordings are looked for.
type Sources struct {
	Recordings string // folder with the published recordings as they were published; empty: none
	Cache      string // folder that "eevee traces fetch" fills; empty: none
}

// published is the set of recordings that the bundled workflows come from.
const published = "jolteon"

// Trace returns the trace of a workflow: the file at path, else the published
// recordings where they are at hand, else the bundled trace.
func (s Sources) Trace(workflow, path string) (Trace, error) {
	if path != "" {
		return readFile(workflow, path, OriginFile)
	}
	set, err := traces.FindSet(published)
	if err != nil {
		return Trace{}, err
	}
	for _, f := range set.Files {
		if f.Workflow != workflow {
			continue
		}
		var candidates []string
		if s.Recordings != "" {
			candidates = append(candidates, filepath.Join(s.Recordings, set.Name, f.Name))
		}
		if s.Cache != "" {
			candidates = append(candidates, filepath.Join(s.Cache, set.Name, workflow+".parquet"))
		}
		for _, c := range candidates {
			if _, err := os.Stat(c); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return readFile(workflow, c, OriginRecorded)
		}
	}
	rows, _, err := models.BundledTrace(workflow)
	if err != nil {
		return Trace{}, fmt.Errorf("workflow %s: no trace was named, none is recorded, and %w", workflow, err)
	}
	sum, err := models.BundledTraceSHA256(workflow)
	return Trace{Origin: OriginBundled, SHA256: sum, Rows: rows}, err
}

// readFile reads a trace in Parquet, or a published profile as it is.
func readFile(workflow, path string, origin Origin) (Trace, error) {
	t := Trace{Origin: origin, Path: path}
	var err error
	if strings.EqualFold(filepath.Ext(path), ".json") {
		t.Rows, _, err = traces.Import("jolteon-profile", workflow, path)
	} else {
		t.Rows, _, err = traces.Read(path)
	}
	if err != nil {
		return Trace{}, err
	}
	if t.SHA256, err = traces.FileSHA256(path); err != nil {
		return Trace{}, err
	}
	return t, nil
}
