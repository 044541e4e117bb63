package figures

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

func testBoxes() Boxes {
	return Boxes{
		X: "bound", Groups: []string{"20 s", "30 s"}, Y: Axis{Label: "latency", Unit: "s"},
		Limits: []float64{20, 30}, Limit: "bound",
		Series: []BoxSeries{
			{"a", []Box{{Lo: 10, Q1: 14, Median: 15, Q3: 16, Hi: 19}, {Lo: 12, Q1: 20, Median: 22, Q3: 28, Hi: 40}}},
			{"b", []Box{{Lo: 11, Q1: 12, Median: 13, Q3: 15, Hi: 18}, {Missing: true}}},
		},
	}
}

// The height of a box is the distance of its quartiles, on one scale for all.
func TestBoxesAreAsHighAsTheirQuartiles(t *testing.T) {
	b := testBoxes()
	b.Limits = nil
	f, err := b.frame()
	if err != nil {
		t.Fatal(err)
	}
	l := f.arrange()
	all := b.drawn(l.projection)
	if len(all) != 3 {
		t.Fatalf("%d boxes, want 3: one is missing", len(all))
	}
	height := func(i int) float64 { return float64(all[i].body.Size().Y) }
	if got := height(1) / height(0); math.Abs(got-4) > 1e-9 {
		t.Errorf("the box from 20 to 28 is %v times as high as that from 14 to 16, want 4", got)
	}
	for _, box := range all {
		body := box.body
		if !(box.whisker[0][1].Y < body.Min.Y && body.Min.Y < box.median && box.median < body.Max.Y && body.Max.Y < box.whisker[1][1].Y) {
			t.Errorf("%+v: whiskers, quartiles and median are not in their order", box)
		}
		if !inside(body, l.area) {
			t.Errorf("%+v is not inside %v", body, l.area)
		}
	}
	if !(all[0].body.Max.X < all[2].body.Min.X && all[2].body.Max.X < all[1].body.Min.X) {
		t.Error("the boxes of a group do not stand side by side before those of the next one")
	}
}

// The legend covers no box, whisker or limit.
func TestBoxesKeepClearOfTheLegend(t *testing.T) {
	b := testBoxes()
	f, err := b.frame()
	if err != nil {
		t.Fatal(err)
	}
	l := f.arrange()
	if n := b.cover(l.projection).hits(l.legendAt); n > 0 {
		t.Errorf("the legend covers %d marks", n)
	}
	if len(f.legend) != 3 {
		t.Errorf("%d entries in the legend, want two series and the limit", len(f.legend))
	}
}

func ExampleBoxes_WriteCSV() {
	if err := testBoxes().WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// group,series,lo,q1,median: latency (s),q3,hi,limit
	// 20 s,a,10,14,15,16,19,20
	// 20 s,b,11,12,13,15,18,20
	// 30 s,a,12,20,22,28,40,30
	// 30 s,b,,,,,,30
}

func TestBoxesDefects(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Boxes)
		want   string
	}{
		"NaN":        {func(b *Boxes) { b.Series[0].Boxes[0].Median = math.NaN() }, "median: NaN"},
		"reversed":   {func(b *Boxes) { b.Series[0].Boxes[0].Q3 = 14.5 }, "third quartile: 14.5 is below the median, 15"},
		"missing":    {func(b *Boxes) { b.Series[1].Boxes[1].Hi = 2 }, "is missing and has values"},
		"too few":    {func(b *Boxes) { b.Series[0].Boxes = nil }, "0 boxes for 2 groups"},
		"limits":     {func(b *Boxes) { b.Limits = []float64{1} }, "1 limits for 2 groups"},
		"a limit":    {func(b *Boxes) { b.Limits[1] = math.Inf(1) }, "limit 1"},
		"log":        {func(b *Boxes) { b.Y.Log = true; b.Series[0].Boxes[0].Lo = 0 }, "logarithmic"},
		"same names": {func(b *Boxes) { b.Series[1].Name = "a" }, "same name"},
	} {
		b := testBoxes()
		test.change(&b)
		_, err := Save(t.TempDir(), "fig", b, Print)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "figures: fig: ") {
			t.Errorf("%s: error %v does not say %q", name, err, test.want)
		}
	}
}
