package figures

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden pictures")

// The goldens are as small as a thumbnail: what matters is that a picture has
// its parts where they were, in the colours that they had, and not how an edge
// is smoothed.
const thumbnailWidth = 96

// How far a picture may be from its golden: on average, and in the cell of the
// thumbnail that differs most, as shares of the range from black to white. A
// marker that is missing moves a cell by a third, a shifted legend many cells;
// both are tested below.
const (
	likenessMean = 0.004
	likenessCell = 0.15
)

// thumbnail averages the pixels of a picture.
func thumbnail(of image.Image) *image.RGBA {
	m, ok := of.(*image.RGBA)
	if !ok {
		m = image.NewRGBA(of.Bounds())
		draw.Draw(m, m.Rect, of, m.Rect.Min, draw.Src)
	}
	b := m.Rect
	w, h := thumbnailWidth, max(1, thumbnailWidth*b.Dy()/b.Dx())
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			var sum [3]float64
			n := 0.0
			for v := b.Min.Y + y*b.Dy()/h; v < b.Min.Y+(y+1)*b.Dy()/h; v++ {
				for u := b.Min.X + x*b.Dx()/w; u < b.Min.X+(x+1)*b.Dx()/w; u++ {
					p := m.Pix[m.PixOffset(u, v):]
					sum[0], sum[1], sum[2], n = sum[0]+float64(p[0]), sum[1]+float64(p[1]), sum[2]+float64(p[2]), n+1
				}
			}
			c := func(k int) uint8 { return uint8(math.Round(sum[k] / n)) }
			small.Set(x, y, color.RGBA{c(0), c(1), c(2), 255})
		}
	}
	return small
}

// difference compares two thumbnails; pictures of other proportions differ in
// everything.
func difference(a, b image.Image) (mean, most float64) {
	if a.Bounds() != b.Bounds() {
		return 1, 1
	}
	n := 0.0
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			r, g, u, _ := a.At(x, y).RGBA()
			s, h, v, _ := b.At(x, y).RGBA()
			for _, d := range []float64{float64(r) - float64(s), float64(g) - float64(h), float64(u) - float64(v)} {
				d = math.Abs(d) / 65535
				mean, most, n = mean+d, max(most, d), n+1
			}
		}
	}
	return mean / n, most
}

// likenesses are pictures of every kind.
func likenesses(t testing.TB) map[string]sheet {
	t.Helper()
	all := map[string]sheet{}
	for _, s := range specimens(t) {
		if slices.Contains([]string{"frontier", "bounds", "logarithmic", "band", "bars", "gantt", "graph"}, s.name) {
			all[s.name] = s.sheet
		}
	}
	for name, p := range map[string]interface{ frame() (frame, error) }{"boxes": testBoxes(), "heat": testHeat()} {
		f, err := p.frame()
		if err != nil {
			t.Fatal(err)
		}
		all[name] = f.sheet()
	}
	stack, err := Stack{{"heat", testHeat()}, {"boxes", testBoxes()}}.sheet()
	if err != nil {
		t.Fatal(err)
	}
	all["stack"] = stack
	return all
}

// Every kind of picture looks as it did, but for the smoothing of edges.
func TestPicturesLookAsTheyDid(t *testing.T) {
	for name, s := range likenesses(t) {
		path := filepath.Join("testdata", "likeness", name+".png")
		small := thumbnail(s.pixels(Print).Image())
		if *update {
			var b bytes.Buffer
			if err := png.Encode(&b, small); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		golden, err := png.Decode(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if mean, most := difference(small, golden); mean > likenessMean || most > likenessCell {
			t.Errorf("%s: differs by %.4f on average and %.3f at most; look at it, then run go test ./figures -update", name, mean, most)
		}
	}
}

// What a reader would see is beyond the tolerance: a point less, another colour,
// a legend elsewhere. What nobody sees is not: half a pixel.
func TestLikenessTellsPicturesApart(t *testing.T) {
	chart := func(change func(*Chart)) image.Image {
		c := Chart{Title: "Latency and cost", X: Axis{Label: "latency", Unit: "s", Min: new(0.0), Max: new(10.0)}, Y: Axis{Label: "cost", Min: new(0.0), Max: new(10.0)},
			Series: []Series{{Name: "a", Points: points(1, 1, 5, 5, 9, 2)}, {Name: "b", Line: true, Points: points(1, 2, 9, 3)}}}
		if change != nil {
			change(&c)
		}
		f, err := c.frame()
		if err != nil {
			t.Fatal(err)
		}
		return thumbnail(f.sheet().pixels(Print).Image())
	}
	seen := func(change func(*Chart)) bool {
		mean, most := difference(chart(nil), chart(change))
		return mean > likenessMean || most > likenessCell
	}
	for what, change := range map[string]func(*Chart){
		"a point less":      func(c *Chart) { c.Series[0].Points = c.Series[0].Points[:2] },
		"a point elsewhere": func(c *Chart) { c.Series[0].Points[1].Y = 6 },
		"another colour":    func(c *Chart) { c.Cast = Cast{"b", "a"} },
		"another title":     func(c *Chart) { c.Title = "Cost and latency, which is longer" },
		"no line":           func(c *Chart) { c.Series[1].Line = false },
	} {
		if !seen(change) {
			t.Errorf("%s is not seen", what)
		}
	}
	if seen(func(c *Chart) { c.Series[0].Points[1].Y += 0.005 }) {
		t.Error("a shift of half a pixel is seen")
	}
}
