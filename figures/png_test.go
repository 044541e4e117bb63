package figures

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"testing"

	"pgregory.net/rapid"
)

// The decoder of the standard library reads the pixels that were written, of
// images of every size and of parts of images.
func TestPNGHoldsItsPixels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := image.NewRGBA(image.Rect(0, 0, rapid.IntRange(1, 40).Draw(t, "width"), rapid.IntRange(1, 40).Draw(t, "height")))
		pixels := rapid.SliceOfN(rapid.Byte(), 1, 64).Draw(t, "pixels")
		for i := range m.Pix {
			if m.Pix[i] = pixels[i*7%len(pixels)]; i%4 == 3 {
				m.Pix[i] = 0xff
			}
		}
		r := m.Rect
		r.Min = image.Pt(rapid.IntRange(0, r.Max.X-1).Draw(t, "left"), rapid.IntRange(0, r.Max.Y-1).Draw(t, "top"))
		m = m.SubImage(r).(*image.RGBA)
		var b bytes.Buffer
		if err := writePNG(&b, m, 288); err != nil {
			t.Fatal(err)
		}
		got, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		if got.Bounds().Size() != r.Size() {
			t.Fatalf("%v, want %v", got.Bounds(), r)
		}
		for y := range r.Dy() {
			for x := range r.Dx() {
				is, want := color.RGBAModel.Convert(got.At(x, y)), m.RGBAAt(r.Min.X+x, r.Min.Y+y)
				if is != want {
					t.Fatalf("pixel %d, %d is %v, want %v", x, y, is, want)
				}
			}
		}
	})
}

// A picture of the common width is printed as wide as it is, whatever its
// resolution: 400 points, of which an inch has 72.
func TestPNGSaysItsSizeInPrint(t *testing.T) {
	f, err := testHeat().frame()
	if err != nil {
		t.Fatal(err)
	}
	for r, width := range map[Resolution]int{Print: 1600, Screen: 800} {
		text, err := f.sheet().png(r)
		if err != nil {
			t.Fatal(err)
		}
		size, err := png.DecodeConfig(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if size.Width != width {
			t.Errorf("%d pixels wide, want %d", size.Width, width)
		}
		_, print, ok := bytes.Cut(text, []byte("pHYs"))
		if !ok || print[8] != 1 || !bytes.Equal(print[:4], print[4:8]) {
			t.Fatalf("no resolution in metres: % x", print[:min(9, len(print))])
		}
		inches := float64(size.Width) / float64(binary.BigEndian.Uint32(print)) / 0.0254
		if points := 72 * inches; points < 399.9 || points > 400.1 {
			t.Errorf("it is %.2f points wide in print, want 400", points)
		}
	}
}
