package figures

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"reflect"
	"slices"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Simulations of dichromatic vision, to be applied to linear RGB: Machado,
// Oliveira and Fernandes, "A physiologically-based model for simulation of
// color vision deficiency", IEEE TVCG 15 (2009) 1291, severity 1.0.
var deficiencies = []struct {
	name   string
	matrix [3][3]float64
}{
	{"normal", [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
	{"protanopia", [3][3]float64{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}},
	{"deuteranopia", [3][3]float64{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}},
	{"tritanopia", [3][3]float64{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}},
}

// linear returns the linear RGB of an sRGB colour (IEC 61966-2-1).
func linear(c color.NRGBA) (rgb [3]float64) {
	for i, v := range []uint8{c.R, c.G, c.B} {
		x := float64(v) / 255
		if x <= 0.04045 {
			rgb[i] = x / 12.92
		} else {
			rgb[i] = math.Pow((x+0.055)/1.055, 2.4)
		}
	}
	return rgb
}

// lab returns CIE 1976 L*a*b* for linear RGB with the white point D65.
func lab(rgb [3]float64) [3]float64 {
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124564*rgb[0] + 0.3575761*rgb[1] + 0.1804375*rgb[2]) / 0.95047)
	y := f(0.2126729*rgb[0] + 0.7151522*rgb[1] + 0.0721750*rgb[2])
	z := f((0.0193339*rgb[0] + 0.1191920*rgb[1] + 0.9503041*rgb[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// seen returns the L*a*b* colour that a viewer with the deficiency sees.
func seen(c color.NRGBA, matrix [3][3]float64) [3]float64 {
	rgb := linear(c)
	var out [3]float64
	for i := range 3 {
		for j := range 3 {
			out[i] += matrix[i][j] * rgb[j]
		}
		out[i] = min(max(out[i], 0), 1)
	}
	return lab(out)
}

func distance(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// The bound was set before the colours were measured: five times the distance
// at which two colours can just be told apart, 2.3 (Mahy, Van Eycken and
// Oosterlinck, "Evaluation of uniform color spaces", Color Research and
// Application 19 (1994) 105).
const leastDistance = 5 * 2.3

func TestColoursAreDistinctToEveryViewer(t *testing.T) {
	for _, d := range deficiencies {
		for i, a := range colors {
			for j, b := range append([]color.NRGBA{white}, colors[:i]...) {
				if e := distance(seen(a, d.matrix), seen(b, d.matrix)); e < leastDistance {
					t.Errorf("%s: colours %d and %d are %.1f apart, want %.1f", d.name, i, j-1, e, leastDistance)
				}
			}
		}
		for i, a := range kinds {
			for _, b := range kinds[:i] {
				if e := distance(seen(a.color, d.matrix), seen(b.color, d.matrix)); e < leastDistance {
					t.Errorf("%s: kinds %s and %s are %.1f apart, want %.1f", d.name, a.name, b.name, e, leastDistance)
				}
			}
		}
	}
}

func TestPaletteReadsInGrey(t *testing.T) {
	lightness := func(c color.NRGBA) float64 { return lab(linear(c))[0] }
	for i, a := range kinds {
		for _, b := range append([]struct {
			name  string
			color color.NRGBA
		}{{"paper", white}}, kinds[:i]...) {
			if d := math.Abs(lightness(a.color) - lightness(b.color)); d < leastDistance {
				t.Errorf("kinds %s and %s differ by %.1f in lightness, want %.1f", a.name, b.name, d, leastDistance)
			}
		}
	}
	for i, a := range colors[:4] {
		for j, b := range colors[:i] {
			if d := math.Abs(lightness(a) - lightness(b)); d < leastDistance {
				t.Errorf("colours %d and %d differ by %.1f in lightness, want %.1f", i, j, d, leastDistance)
			}
		}
	}
	// Without colour, marker and dashes alone tell 40 slots apart.
	seen := map[string]int{}
	for i := range 40 {
		s := slot(i)
		key := fmt.Sprint(s.Marker, s.Dashes)
		if k, twice := seen[key]; twice {
			t.Errorf("slots %d and %d have the same marker and dashes", i, k)
		}
		seen[key] = i
	}
}

func TestSlotsAreDistinct(t *testing.T) {
	seen := map[string]int{}
	for i := range 280 {
		s := slot(i)
		key := fmt.Sprint(s.Color, s.Marker, s.Dashes)
		if k, twice := seen[key]; twice {
			t.Fatalf("slots %d and %d look the same", i, k)
		}
		seen[key] = i
	}
}

// Two markers on the same point must not look alike: at least a sixth of the
// area that they cover together belongs to one of them only. All of them are
// about as large as the circle.
func TestMarkersAreDistinct(t *testing.T) {
	const size, radius = 40, 8.0
	pixels := func(m Marker) map[image.Point]bool {
		c := vgimg.NewWith(vgimg.UseWH(size, size), vgimg.UseDPI(288))
		m.fill(draw.New(c), vg.Point{X: size / 2, Y: size / 2}, radius, black)
		set := map[image.Point]bool{}
		img := c.Image()
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				if r, _, _, _ := img.At(x, y).RGBA(); r < 0x8000 {
					set[image.Pt(x, y)] = true
				}
			}
		}
		return set
	}
	var all []map[image.Point]bool
	for m := range markers {
		all = append(all, pixels(m))
		area := float64(len(all[m])) / (math.Pi * radius * radius * 16)
		if area < 0.6 || area > 1.3 {
			t.Errorf("marker %d has %.2f of the area of the circle", m, area)
		}
	}
	for i, a := range all {
		for j, b := range all[:i] {
			both := 0
			for p := range a {
				if b[p] {
					both++
				}
			}
			union := len(a) + len(b) - both
			if alone := 1 - float64(both)/float64(union); alone < 1.0/6 {
				t.Errorf("markers %d and %d differ in %.2f of their area only", i, j, alone)
			}
		}
	}
}

// Names that stand in one picture, no more than there are colours, have different
// ones.
func TestMethodsShownTogether(t *testing.T) {
	for _, names := range [][]string{
		{"chunkfunc", "slam", "stepconf"},
		{"stepconf", "stepconf:prewarm"},
		{"stepconf", "stepconf:inter", "stepconf:intra", "stepconf:no-no", "stepconf:static", "stepconf:optimal"},
		{"early binding", "early binding, per function", "janus:worst", "janus", "oracle"},
		{"orion", "cose", "uniform"},
		{"orion", "all started with the run"},
		{ReportedName, ArtifactName, "jolteon:compat", CompatBreaks, "exact"},
		{ReportedName, "exact", "orion", "caerus", "ditto:latency"},
	} {
		drawn := map[color.NRGBA]string{}
		for i, s := range Methods.Styles(names) {
			if other, twice := drawn[s.Color]; twice {
				t.Errorf("%q and %q have the same colour", other, names[i])
			}
			drawn[s.Color] = names[i]
			if !slices.Contains(Methods, names[i]) {
				t.Errorf("the looks of %q are not fixed", names[i])
			}
		}
	}
}

func TestCastFixesStyles(t *testing.T) {
	cast := Cast{"exact", "jolteon", "orion"}
	full := cast.Styles([]string{"exact", "jolteon", "orion"})
	few := cast.Styles([]string{"orion", "new", "exact", "newer"})
	if !reflect.DeepEqual(few[0], full[2]) || !reflect.DeepEqual(few[2], full[0]) {
		t.Error("the looks of a name in the cast depend on what else is drawn")
	}
	if !reflect.DeepEqual(few[1], slot(3)) || !reflect.DeepEqual(few[3], slot(4)) {
		t.Error("names that are not in the cast do not get the places behind it")
	}
}
