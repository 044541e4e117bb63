package figures

import (
	"bytes"
	"encoding/csv"
	"io"
	"math"
	"strconv"

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

// Resolution is that of a PNG, in pixels per inch.
type Resolution int

const (
	Print  Resolution = 288 // 1600 pixels for the common width
	Screen Resolution = 144 // 800 pixels, drawn in a third of the time
)

// mostPixels keep the largest pictures manageable: they get fewer per inch.
const mostPixels = 24e6

// pixels returns the sheet as an image on white.
func (s sheet) pixels(r Resolution) *vgimg.Canvas {
	square := (s.w / vg.Inch) * (s.h / vg.Inch)
	perInch := min(int(r), int(math.Sqrt(mostPixels/float64(square))))
	c := vgimg.NewWith(vgimg.UseWH(s.w, s.h), vgimg.UseDPI(max(1, perInch)))
	s.draw(draw.New(c))
	return c
}

// png returns the sheet as a PNG file.
func (s sheet) png(r Resolution) ([]byte, error) {
	var b bytes.Buffer
	c := s.pixels(r)
	err := writePNG(&b, c.Image(), c.DPI())
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

// formats returns the files of the sheet and of the numbers that it shows.
func (s sheet) formats(r Resolution, data func(io.Writer) error) []format {
	return []format{
		{"png", func() ([]byte, error) { return s.png(r) }},
		{"svg", s.svg},
		{"pdf", s.pdf},
		{"csv", buffered(data)},
	}
}

// formatsOf returns the files of a drawing with axes.
func formatsOf(d framed, r Resolution) ([]format, error) {
	f, err := d.frame()
	if err != nil {
		return nil, err
	}
	return f.sheet().formats(r, d.WriteCSV), nil
}

// writeRows writes rows of comma-separated values (RFC 4180, lines end in LF).
func writeRows(w io.Writer, rows [][]string) error {
	c := csv.NewWriter(w)
	return c.WriteAll(rows)
}

// exact writes v with the fewest digits that read back as the same float64.
func exact(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
