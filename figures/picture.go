package figures

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Drawing is anything that can be saved: Chart, Bars, Boxes, Gantt, Graph, Stack,
// Heat, Table and Listing.
type Drawing interface {
	// WriteCSV writes the numbers that the drawing shows. Every number reads back
	// as the same float64.
	WriteCSV(w io.Writer) error

	// formats checks the drawing and returns the files it is saved as.
	formats(Resolution) ([]format, error)
}

// Save writes a drawing into dir, which it makes if need be, and returns the paths
// of its files: NAME.png, NAME.svg, NAME.pdf and, with its numbers, NAME.csv; of a
// Table NAME.txt, NAME.md and NAME.csv; of a Listing NAME.csv. The same drawing
// gives the same bytes. What cannot be drawn is an error that names the place, and
// nothing is written; each file appears whole or not at all.
func Save(dir, name string, d Drawing, r Resolution) ([]string, error) {
	if name == "" || strings.HasPrefix(name, ".") || strings.ContainsAny(name, `/\`) {
		return nil, fmt.Errorf("figures: %q is not a file name; it must have no slash and not begin with a point", name)
	}
	formats, err := d.formats(r)
	if err != nil {
		return nil, fmt.Errorf("figures: %s: %w", name, err)
	}
	contents := make([][]byte, len(formats))
	for i, f := range formats {
		if contents[i], err = f.contents(); err != nil {
			return nil, fmt.Errorf("figures: %s.%s: %w", name, f.extension, err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	var paths []string
	for i, f := range formats {
		path := filepath.Join(dir, name+"."+f.extension)
		if err := WriteFile(path, contents[i]); err != nil {
			return paths, fmt.Errorf("figures: %w", err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// format is a file extension and what makes the file's contents.
type format struct {
	extension string
	contents  func() ([]byte, error)
}

func buffered(write func(io.Writer) error) func() ([]byte, error) {
	return func() ([]byte, error) {
		var b bytes.Buffer
		err := write(&b)
		return b.Bytes(), err
	}
}

// Picture is a drawing with the name of its files and what it shows.
type Picture struct {
	Name    string
	Caption string
	Drawing Drawing
}

// Save saves the drawing under the name of the picture, as the function Save does.
func (p Picture) Save(dir string, r Resolution) ([]string, error) {
	return Save(dir, p.Name, p.Drawing, r)
}

// Listing is a table that is saved as CSV only.
type Listing struct{ Table }

func (l Listing) formats(Resolution) ([]format, error) {
	return []format{{"csv", buffered(l.WriteCSV)}}, nil
}

// Vector is a drawing as an SVG document. Width and height are in points.
type Vector struct {
	SVG           []byte
	Width, Height float64
}

// VectorOf returns a drawing for a page that holds it. Tables and listings have
// no such form; drawn is false for them.
func VectorOf(d Drawing) (v Vector, drawn bool, err error) {
	var s sheet
	switch d := d.(type) {
	case framed:
		f, err := d.frame()
		if err != nil {
			return v, true, fmt.Errorf("figures: %w", err)
		}
		s = f.sheet()
	case Stack:
		if s, err = d.sheet(); err != nil {
			return v, true, fmt.Errorf("figures: %w", err)
		}
	default:
		return v, false, nil
	}
	svg, err := s.svg()
	return Vector{SVG: svg, Width: float64(s.w), Height: float64(s.h)}, true, err
}
