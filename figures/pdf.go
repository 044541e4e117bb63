package figures

import (
	"bytes"
	"fmt"
	"image/color"
	"sync"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/encoding/charmap"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgpdf"
)

// pinned makes PDF files depend on their contents alone: without it they
// carry the time, and list their objects in random order. The settings of the
// PDF library are global; nothing else in the program writes PDF.
var pinned = sync.OnceFunc(func() {
	epoch := time.Unix(0, 0).UTC()
	fpdf.SetDefaultCreationDate(epoch)
	fpdf.SetDefaultModificationDate(epoch)
	fpdf.SetDefaultCatalogSort(true)
})

// pdf returns the sheet as a PDF document of one page.
func (s sheet) pdf() (contents []byte, err error) {
	// The PDF canvas prepares its fonts in temporary files and panics where
	// it cannot write them.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	pinned()
	c := pdfCanvas{vgpdf.New(s.w, s.h)}
	s.draw(draw.NewCanvas(c, s.w, s.h))
	var b bytes.Buffer
	_, err = c.WriteTo(&b)
	return b.Bytes(), err
}

// pdfCanvas mends what vgpdf v0.17 gets wrong: it premultiplies translucent
// colours, writes texts as if their UTF-8 were Windows-1252, and keeps only
// one of several fonts. Text in the regular face that Windows-1252 can express
// stays text, which can be searched and copied; all other is drawn as the
// outlines of its letters.
type pdfCanvas struct{ *vgpdf.Canvas }

// SetColor implements vg.Canvas.
func (c pdfCanvas) SetColor(clr color.Color) {
	c.Canvas.SetColor(straight(color.NRGBAModel.Convert(clr).(color.NRGBA)))
}

// straight is a colour that is not premultiplied, though color.Color asks for
// it: vgpdf passes red, green and blue on as they are, and alpha besides.
type straight color.NRGBA

// RGBA implements color.Color.
func (s straight) RGBA() (r, g, b, a uint32) {
	return uint32(s.R) * 0x101, uint32(s.G) * 0x101, uint32(s.B) * 0x101, uint32(s.A) * 0x101
}

// FillString implements vg.Canvas.
func (c pdfCanvas) FillString(face font.Face, pt vg.Point, text string) {
	if face.Font.Weight == 0 {
		if s, err := charmap.Windows1252.NewEncoder().String(text); err == nil {
			c.Canvas.FillString(face, pt, s)
			return
		}
	}
	c.Fill(outlines(face, pt, text))
}

// outlines returns the contours of a text, its left end on the baseline at pt.
func outlines(face font.Face, pt vg.Point, text string) vg.Path {
	var (
		path   vg.Path
		buf    sfnt.Buffer
		em     = fixed.Int26_6(face.Face.UnitsPerEm())
		scale  = face.Font.Size / vg.Length(em)
		origin = pt
	)
	for _, r := range text {
		glyph, err := face.Face.GlyphIndex(&buf, r)
		if err != nil {
			panic(err) // the font is part of the program
		}
		segments, err := face.Face.LoadGlyph(&buf, glyph, em, nil)
		if err != nil {
			panic(err)
		}
		at := func(p fixed.Point26_6) vg.Point {
			return origin.Add(vg.Point{X: vg.Length(p.X) * scale, Y: -vg.Length(p.Y) * scale})
		}
		open := false
		var last vg.Point
		for _, s := range segments {
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				if open {
					path.Close()
				}
				open, last = true, at(s.Args[0])
				path.Move(last)
			case sfnt.SegmentOpLineTo:
				last = at(s.Args[0])
				path.Line(last)
			case sfnt.SegmentOpQuadTo:
				// The same curve as a cubic one: the PDF canvas has no
				// quadratic curves.
				control, end := at(s.Args[0]), at(s.Args[1])
				path.CubeTo(between(last, control, 2.0/3), between(end, control, 2.0/3), end)
				last = end
			case sfnt.SegmentOpCubeTo:
				last = at(s.Args[2])
				path.CubeTo(at(s.Args[0]), at(s.Args[1]), last)
			}
		}
		if open {
			path.Close()
		}
		origin.X += advance(face, string(r))
	}
	return path
}
