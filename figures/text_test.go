package figures

import (
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"pgregory.net/rapid"
)

// Breaking a text into lines loses no letter and leaves no line too wide.
func TestTextBreaksIntoLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.StringMatching(`[a-zA-Z_/.,0-9λ⁻³-]{1,40}[ \n]?`), 1, 30).Draw(t, "words"), " ")
		limit := vg.Length(rapid.Float64Range(10, 300).Draw(t, "limit"))
		b := labelText.set(text, limit)
		letters := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got := letters(strings.Join(b.lines, "")); got != letters(text) {
			t.Fatalf("lines %q of text %q", b.lines, text)
		}
		for _, line := range b.lines {
			if line == "" && !strings.Contains(text, "\n") {
				t.Fatalf("an empty line in %q", b.lines)
			}
			if w := labelText.width(line); w > limit || w > b.w {
				t.Fatalf("line %q is %v wide, the limit is %v and the block %v", line, w, limit, b.w)
			}
		}
		// No word is broken that fits on a line of its own.
		joined := " " + strings.Join(b.lines, " ") + " "
		for _, word := range strings.Fields(text) {
			if labelText.width(word) <= limit/2 && !strings.Contains(joined, " "+word+" ") {
				t.Fatalf("word %q of %v is broken in %q at %v", word, labelText.width(word), b.lines, limit)
			}
		}
	})
}

func TestTextOfNothing(t *testing.T) {
	for _, text := range []string{"", " ", "\n", "\t\r\n"} {
		if b := labelText.set(text, 100); b.lines != nil || b.w != 0 || b.h != 0 {
			t.Errorf("%q takes %v x %v", text, b.w, b.h)
		}
	}
}

// The outlines that the PDF canvas draws are the letters that the image canvas
// draws from the same font.
func TestOutlinesAreTheLetters(t *testing.T) {
	const size = 24
	for _, bold := range []bool{false, true} {
		l := lettering{size: 16, bold: bold, color: black}
		page := func(d func(c draw.Canvas)) []uint8 {
			c := vgimg.NewWith(vgimg.UseWH(size, size), vgimg.UseDPI(288))
			d(draw.New(c))
			var dark []uint8
			for y := range c.Image().Bounds().Dy() {
				for x := range c.Image().Bounds().Dx() {
					r, _, _, _ := c.Image().At(x, y).RGBA()
					dark = append(dark, 255-uint8(r>>8))
				}
			}
			return dark
		}
		for _, letter := range "AgQ&j%é≤λW0" {
			at := vg.Point{X: 4, Y: 6}
			letters := page(func(c draw.Canvas) { l.drawLine(c, at, string(letter)) })
			outline := page(func(c draw.Canvas) { c.SetColor(black); c.Fill(outlines(l.face(), at, string(letter))) })
			ink, differing := 0.0, 0.0
			for i := range letters {
				ink += float64(letters[i])
				differing += max(float64(letters[i])-float64(outline[i]), float64(outline[i])-float64(letters[i]))
			}
			if ink == 0 || differing > 0.02*ink { // the rounding of the rasterisers
				t.Errorf("%c, bold %v: %.1f %% of the ink differs", letter, bold, 100*differing/ink)
			}
		}
	}
}

// The width of a text is at least that of the letters drawn, whatever pairs of
// them are kerned.
func TestWidthHoldsTheLetters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[A-Za-z0-9.,]{1,30}`).Draw(t, "text")
		if got, kerned := labelText.width(text), labelText.face(); got < kerned.Width(text)-1e-9 {
			t.Fatalf("%q is %v wide, with kerning %v", text, got, kerned.Width(text))
		}
	})
}
