package figures

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"strings"
	"testing"
)

// extent returns the smallest rectangle that holds all pixels of the colour.
func extent(img image.Image, c color.Color) image.Rectangle {
	r0, g0, b0, _ := c.RGBA()
	var r image.Rectangle
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			if r1, g, b, _ := img.At(x, y).RGBA(); r1 == r0 && g == g0 && b == b0 {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

// The heights of bars are as the values, and they all stand on one line.
func TestBarsAreAsHighAsTheirValues(t *testing.T) {
	f, err := Bars{Groups: []string{"g"}, Series: []BarSeries{
		{Name: "a", Bars: []Bar{{Value: 10}}}, {Name: "b", Bars: []Bar{{Value: 25}}}, {Name: "c", Bars: []Bar{{Value: 40}}},
	}}.frame()
	if err != nil {
		t.Fatal(err)
	}
	f.legend = nil
	img := rendered(f.sheet())
	a, b, c := extent(img, blue), extent(img, orange), extent(img, green)
	for _, r := range []struct {
		name      string
		got, want float64
	}{{"b", float64(b.Dy()) / float64(a.Dy()), 2.5}, {"c", float64(c.Dy()) / float64(a.Dy()), 4}} {
		if math.Abs(r.got/r.want-1) > 0.015 { // a pixel or two
			t.Errorf("bar %s is %.3f times as high as bar a, want %v", r.name, r.got, r.want)
		}
	}
	if a.Max.Y != b.Max.Y || a.Max.Y != c.Max.Y {
		t.Errorf("bars end at %d, %d and %d", a.Max.Y, b.Max.Y, c.Max.Y)
	}
	if a.Max.X > b.Min.X || b.Max.X > c.Min.X {
		t.Errorf("bars %v, %v and %v do not stand side by side", a, b, c)
	}
	if abs(a.Dx()-b.Dx()) > 1 || abs(a.Dx()-c.Dx()) > 1 {
		t.Errorf("bars are %d, %d and %d wide", a.Dx(), b.Dx(), c.Dx())
	}
}

func TestNegativeBarsHangFromZero(t *testing.T) {
	f, err := Bars{Groups: []string{"g"}, Series: []BarSeries{{Name: "a", Bars: []Bar{{Value: 10}}}, {Name: "b", Bars: []Bar{{Value: -10}}}}}.frame()
	if err != nil {
		t.Fatal(err)
	}
	f.legend = nil
	img := rendered(f.sheet())
	up, down := extent(img, blue), extent(img, orange)
	if gap := down.Min.Y - up.Max.Y; gap < 0 || gap > 5 { // the line at zero
		t.Errorf("between the bars are %d pixels", gap)
	}
	if math.Abs(float64(up.Dy())/float64(down.Dy())-1) > 0.02 {
		t.Errorf("bars of 10 and -10 are %d and %d pixels high", up.Dy(), down.Dy())
	}
}

func ExampleBars_WriteCSV() {
	err := Bars{
		Groups: []string{"Q1", "Q16"},
		Y:      Axis{Label: "time", Unit: "s"},
		Series: []BarSeries{
			{Name: "Ditto", Bars: []Bar{{Value: 222.26, Lo: 220, Hi: 225}, {Value: 567.3}}},
			{Name: "NIMBLE", Bars: []Bar{{Value: 279.75}, {Missing: true}}},
		},
	}.WriteCSV(os.Stdout)
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// group,series,value: time (s),lo,hi
	// Q1,Ditto,222.26,220,225
	// Q1,NIMBLE,279.75,,
	// Q16,Ditto,567.3,,
	// Q16,NIMBLE,,,
}

// A series that is like another has its colour, as an edge around a paler area.
func TestBarsLikeAnother(t *testing.T) {
	b := Bars{Groups: []string{"g"}, Series: []BarSeries{
		{Name: "reported", Like: "ours", Bars: []Bar{{Value: 40}}},
		{Name: "ours", Bars: []Bar{{Value: 40}}},
	}}
	f, err := b.frame()
	if err != nil {
		t.Fatal(err)
	}
	f.legend = nil
	img := rendered(f.sheet())
	if extent(img, orange) != (image.Rectangle{}) {
		t.Error("what is reported has a colour of its own")
	}
	both := extent(img, blue)
	dye := func(x int) (count int) {
		for y := both.Min.Y; y < both.Max.Y; y++ {
			if color.NRGBAModel.Convert(img.At(x, y)) == blue {
				count++
			}
		}
		return count
	}
	reported, ours := dye(both.Min.X+both.Dx()/4), dye(both.Min.X+3*both.Dx()/4)
	if reported == 0 || reported > both.Dy()/10 || ours != both.Dy() {
		t.Errorf("of %d pixels from top to bottom, %d of what is reported and %d of ours have the colour", both.Dy(), reported, ours)
	}
	for _, like := range []string{"nothing", "reported"} {
		b.Series[0].Like = like
		if _, err := Save(t.TempDir(), "b", b, Print); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("is like %q", like)) {
			t.Errorf("like %q: error %v", like, err)
		}
	}
}

func TestBarsDefects(t *testing.T) {
	with := func(b Bar) Bars {
		return Bars{Groups: []string{"g"}, Series: []BarSeries{{Name: "good", Bars: []Bar{{Value: 1}}}, {Name: "bad", Bars: []Bar{b}}}}
	}
	for name, c := range map[string]struct {
		Bars
		want []string
	}{
		"NaN":       {with(Bar{Value: math.NaN()}), []string{`series 1 ("bad")`, `bar 0 ("g")`, "NaN"}},
		"bound":     {with(Bar{Hi: math.Inf(1)}), []string{`"bad"`, "upper bound", "Inf"}},
		"reversed":  {with(Bar{Lo: 2, Hi: 1}), []string{`"bad"`, "2 is above 1"}},
		"missing":   {with(Bar{Value: 2, Missing: true}), []string{`"bad"`, "missing"}},
		"too few":   {Bars{Groups: []string{"g", "h"}, Series: []BarSeries{{Name: "s", Bars: []Bar{{}}}}}, []string{`"s"`, "1 bars for 2 groups"}},
		"log":       {Bars{Y: Axis{Log: true}}, []string{"y axis", "logarithmic"}},
		"same name": {Bars{Series: []BarSeries{{Name: "s"}, {Name: "s"}}}, []string{`series 1 ("s")`, "series 0"}},
	} {
		_, err := Save(t.TempDir(), "fig", c, Print)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range append(c.want, "figures: fig: ") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q does not say %q", name, err, want)
			}
		}
	}
}
