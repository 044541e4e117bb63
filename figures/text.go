package figures

import (
	"image/color"
	"math"
	"slices"
	"strings"
	"unicode"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	_ "gonum.org/v1/plot" // fills the font cache with the Liberation fonts
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// lettering is how a text looks. All texts are set in Liberation Sans, whose
// letters are as wide as those of Arial and Helvetica.
type lettering struct {
	size  vg.Length
	bold  bool
	color color.Color
}

// The letterings of the pictures, for a picture that is printed at its size.
var (
	titleText = lettering{size: 10, bold: true, color: black}
	labelText = lettering{size: 9, color: black}
	tickText  = lettering{size: 8, color: black}
	noteText  = lettering{size: 7.5, color: darkGrey}
)

func (l lettering) face() font.Face {
	f := font.Font{Typeface: "Liberation", Variant: "Sans"}
	if l.bold {
		f.Weight = xfont.WeightBold
	}
	return font.DefaultCache.Lookup(f, l.size)
}

// The extents of the letters in units of the size, from the font's tables.
const (
	ascent  = 0.905
	descent = 0.212
	leading = 1.2 // from one baseline to the next
	raise   = 0.38
	raised  = 0.7 // size of superscripts
)

// run is a part of a line in one size.
type run struct {
	text string
	up   bool // superscript
}

func runs(line string) []run {
	var all []run
	for _, r := range line {
		i := slices.Index(raisedRunes, r)
		if i >= 0 {
			r = baseRunes[i]
		}
		if n := len(all); n > 0 && all[n-1].up == (i >= 0) {
			all[n-1].text += string(r)
		} else {
			all = append(all, run{string(r), i >= 0})
		}
	}
	return all
}

// width returns the width of one line.
func (l lettering) width(line string) vg.Length {
	small := l
	small.size *= raised
	normalFace, smallFace := l.face(), small.face()
	w := vg.Length(0)
	for _, r := range runs(line) {
		if r.up {
			w += advance(smallFace, r.text)
		} else {
			w += advance(normalFace, r.text)
		}
	}
	return w
}

// advance returns the width of a text without kerning: the formats do not
// agree on it, PDF has none, and a width that is a little too large does no
// harm.
func advance(face font.Face, text string) vg.Length {
	var buf sfnt.Buffer
	em := fixed.Int26_6(face.Face.UnitsPerEm())
	units := fixed.Int26_6(0)
	for _, r := range text {
		glyph, err := face.Face.GlyphIndex(&buf, r)
		if err != nil {
			panic(err) // the font is part of the program
		}
		a, err := face.Face.GlyphAdvance(&buf, glyph, em, xfont.HintingNone)
		if err != nil {
			panic(err)
		}
		units += a
	}
	return vg.Length(units) / vg.Length(em) * face.Font.Size
}

// drawLine draws one line, its left end on the baseline at pt.
func (l lettering) drawLine(c vg.Canvas, pt vg.Point, line string) {
	small := l
	small.size *= raised
	c.SetColor(l.color)
	for _, r := range runs(line) {
		face, at := l.face(), pt
		if r.up {
			face = small.face()
			at.Y += raise * l.size
		}
		c.FillString(face, at, r.text)
		pt.X += advance(face, r.text)
	}
}

// block is a text that has been broken into lines.
type block struct {
	lettering
	lines []string
	w, h  vg.Length
}

// set breaks a text into lines no wider than limit, between words where it can
// and inside them where it must; 0 means no limit. Lines of a text that needs
// several are of about the same width.
func (l lettering) set(text string, limit vg.Length) block {
	b := block{lettering: l}
	text = strings.TrimSpace(clean(text))
	if text == "" {
		return b
	}
	for _, paragraph := range strings.Split(text, "\n") {
		lines := l.wrap(paragraph, limit)
		if len(lines) > 1 {
			// The narrowest setting that needs no further line.
			low, high := limit/2, limit
			for high-low > 1 {
				middle := (low + high) / 2
				if tighter := l.wrap(paragraph, middle); len(tighter) == len(lines) {
					lines, high = tighter, middle
				} else {
					low = middle
				}
			}
		}
		b.lines = append(b.lines, lines...)
	}
	for _, line := range b.lines {
		b.w = max(b.w, l.width(line))
	}
	b.h = l.size * (ascent + descent + leading*vg.Length(len(b.lines)-1))
	return b
}

// clean replaces what cannot be drawn: tabs and other control characters, and
// bytes that are no UTF-8.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

func (l lettering) wrap(text string, limit vg.Length) []string {
	if limit <= 0 || l.width(text) <= limit {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && l.width(line+" "+word) <= limit {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		pieces := l.split(word, limit)
		lines = append(lines, pieces[:len(pieces)-1]...)
		line = pieces[len(pieces)-1]
	}
	return append(lines, line)
}

// split breaks a word that is wider than limit, after a hyphen, underscore,
// slash or point if one is in the second half of the line.
func (l lettering) split(word string, limit vg.Length) []string {
	var pieces []string
	letters := []rune(word)
	for len(letters) > 1 && l.width(string(letters)) > limit {
		n := 1
		for n < len(letters) && l.width(string(letters[:n+1])) <= limit {
			n++
		}
		for k := n; k > n/2; k-- {
			if strings.ContainsRune("-_/.:,", letters[k-1]) {
				n = k
				break
			}
		}
		pieces = append(pieces, string(letters[:n]))
		letters = letters[n:]
	}
	return append(pieces, string(letters))
}

// anchor is a point of a picture and the point of a text's box that lies
// there: 0, 0 is the lower left corner of the box and 1, 1 its upper right one.
type anchor struct {
	vg.Point
	ax, ay vg.Length
}

// box returns the rectangle that the block covers.
func (b block) box(a anchor) vg.Rectangle {
	low := vg.Point{X: a.X - a.ax*b.w, Y: a.Y - a.ay*b.h}
	return vg.Rectangle{Min: low, Max: low.Add(vg.Point{X: b.w, Y: b.h})}
}

// draw draws the block; its lines are aligned as ax says.
func (b block) draw(c vg.Canvas, a anchor) {
	box := b.box(a)
	for i, line := range b.lines {
		b.drawLine(c, vg.Point{
			X: box.Min.X + a.ax*(b.w-b.width(line)),
			Y: box.Max.Y - b.size*(ascent+leading*vg.Length(i)),
		}, line)
	}
}

// drawUpwards draws the block turned a quarter to the left, centred at pt.
func (b block) drawUpwards(c vg.Canvas, pt vg.Point) {
	c.Push()
	c.Rotate(math.Pi / 2)
	b.draw(c, anchor{vg.Point{X: pt.Y, Y: -pt.X}, 0.5, 0.5})
	c.Pop()
}
