package figures

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// sheet is a finished picture: its size and what draws it.
type sheet struct {
	w, h vg.Length
	draw func(draw.Canvas)
}

// The resolution of a PNG. A picture of the common width is 1600 pixels wide;
// the largest ones get fewer to the point, so that they stay manageable.
const (
	pixelsPerPoint = 4
	mostPixels     = 24e6
)

// pixels returns the sheet as an image on white.
func (s sheet) pixels() *vgimg.Canvas {
	density := min(pixelsPerPoint, math.Sqrt(mostPixels/float64(s.w*s.h)))
	c := vgimg.NewWith(vgimg.UseWH(s.w, s.h), vgimg.UseDPI(max(1, int(72*density))))
	s.draw(draw.New(c))
	return c
}

// png returns the sheet as a PNG file.
func (s sheet) png() ([]byte, error) {
	var b bytes.Buffer
	c := s.pixels()
	err := writePNG(&b, c.Image().(*image.RGBA), c.DPI())
	return b.Bytes(), err
}

// svg returns the sheet as an SVG document. The font is not embedded; where
// it is missing, the fonts named after it take its place, whose letters have
// the same widths.
func (s sheet) svg() ([]byte, error) {
	c := vgsvg.New(s.w, s.h)
	s.draw(draw.New(c))
	var b bytes.Buffer
	_, err := c.WriteTo(&b)
	return bytes.ReplaceAll(b.Bytes(),
		[]byte("font-family:Liberation Sans;font-variant:normal"),
		[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif")), err
}

// save writes NAME.png, NAME.svg, NAME.pdf and NAME.csv into dir and returns
// their paths. Nothing is written unless all four can be made, and each
// appears whole or not at all.
func (s sheet) save(dir, name string, data func(io.Writer) error) ([]string, error) {
	return saveAll(dir, name, []format{
		{"png", s.png},
		{"svg", s.svg},
		{"pdf", s.pdf},
		{"csv", buffered(data)},
	})
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

func saveAll(dir, name string, formats []format) ([]string, error) {
	if name == "" || strings.HasPrefix(name, ".") || strings.ContainsAny(name, `/\`) {
		return nil, fmt.Errorf("figures: %q is not a file name; it must have no slash and not begin with a point", name)
	}
	contents := make([][]byte, len(formats))
	for i, f := range formats {
		var err error
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
		if err := renameio.WriteFile(path, contents[i], 0o644); err != nil {
			return paths, fmt.Errorf("figures: %w", err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// writeRows writes rows of comma-separated values (RFC 4180, lines end in LF).
func writeRows(w io.Writer, rows [][]string) error {
	c := csv.NewWriter(w)
	return c.WriteAll(rows)
}

// exact writes v with the fewest digits that read back as the same float64.
func exact(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
