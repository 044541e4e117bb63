package figures

import (
	"image/color"
	"math"
	"strings"
	"testing"
)

func testHeat() Heat {
	return Heat{
		X: "percentile", Y: "confidence", Names: [2][]string{{"50", "95", "99"}, {"90", "99.9"}},
		Value:  Axis{Label: "regret", Unit: "%"},
		Values: [][]float64{{0, 5, 10}, {2.5, math.NaN(), 7.5}},
	}
}

// The smallest number has the palest field, the largest the darkest, at the
// place of its names: the first row is at the bottom.
func TestHeatFieldsAreWhereTheirNamesAre(t *testing.T) {
	f, err := testHeat().frame()
	if err != nil {
		t.Fatal(err)
	}
	img := rendered(f.sheet())
	pale, dark := extent(img, lightest), extent(img, darkest)
	half := extent(img, mixed(lightest, darkest, 0.5))
	quarter := extent(img, mixed(lightest, darkest, 0.25))
	if pale.Empty() || dark.Empty() || half.Empty() || quarter.Empty() {
		t.Fatalf("fields %v %v %v %v: one is not there", pale, dark, half, quarter)
	}
	if !(pale.Max.X <= half.Min.X && half.Max.X <= dark.Min.X) {
		t.Errorf("columns %v, %v, %v are not from left to right", pale, half, dark)
	}
	if pale.Min.Y != dark.Min.Y || quarter.Max.Y > pale.Min.Y {
		t.Errorf("rows: %v and %v are not side by side below %v", pale, dark, quarter)
	}
	if abs(pale.Dx()-dark.Dx()) > 1 || abs(pale.Dy()-quarter.Dy()) > 1 {
		t.Errorf("fields %v, %v, %v are not of one size", pale, dark, quarter)
	}
}

// Larger is darker, also for an eye that sees no colours.
func TestHeatReadsInGrey(t *testing.T) {
	last := math.Inf(1)
	for k := range 101 {
		y := color.GrayModel.Convert(mixed(lightest, darkest, float64(k)/100)).(color.Gray).Y
		if float64(y) > last {
			t.Fatalf("at %d %% the grey %d is lighter than before, %v", k, y, last)
		}
		last = float64(y)
	}
}

func TestHeatData(t *testing.T) {
	var b strings.Builder
	if err := testHeat().WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	want := "confidence,percentile,value: regret (%)\n90,50,0\n90,95,5\n90,99,10\n99.9,50,2.5\n99.9,95,\n99.9,99,7.5\n"
	if b.String() != want {
		t.Errorf("data\n%swant\n%s", b.String(), want)
	}
}

func TestBadHeats(t *testing.T) {
	for name, change := range map[string]func(*Heat){
		"no rows":    func(h *Heat) { h.Names[1] = nil },
		"short row":  func(h *Heat) { h.Values[1] = h.Values[1][:2] },
		"row more":   func(h *Heat) { h.Values = append(h.Values, []float64{1, 2, 3}) },
		"an inf":     func(h *Heat) { h.Values[0][0] = math.Inf(1) },
		"no columns": func(h *Heat) { h.Names[0] = nil },
	} {
		h := testHeat()
		change(&h)
		if _, err := Save(t.TempDir(), "h", h, Print); err == nil {
			t.Errorf("%s: is drawn", name)
		}
	}
}
