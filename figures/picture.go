package figures

import (
	"fmt"
	"io"
)

// Drawing is anything that saves itself as files NAME.* into a folder and its
// numbers as CSV, as Chart, Bars, Boxes, Gantt, Graph, Stack, Heat, Table and Listing do.
type Drawing interface {
	Save(dir, name string) ([]string, error)
	WriteCSV(w io.Writer) error
}

// Picture is a drawing with the name of its files and what it shows.
type Picture struct {
	Name    string
	Caption string
	Drawing Drawing
}

// Save writes the files of the picture into dir, which it makes if need be, and
// returns their paths.
func (p Picture) Save(dir string) ([]string, error) { return p.Drawing.Save(dir, p.Name) }

// Listing is a table that is saved as CSV only.
type Listing struct{ Table }

// Save writes the table as NAME.csv into dir and returns its path.
func (l Listing) Save(dir, name string) ([]string, error) {
	return saveAll(dir, name, []format{{"csv", buffered(l.WriteCSV)}})
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
	case interface{ sheet() (sheet, error) }:
		if s, err = d.sheet(); err != nil {
			return v, true, fmt.Errorf("figures: %w", err)
		}
	default:
		return v, false, nil
	}
	svg, err := s.svg()
	return Vector{SVG: svg, Width: float64(s.w), Height: float64(s.h)}, true, err
}
