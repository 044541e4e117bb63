package figures

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"image"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

// points makes points of x and y in turn.
func points(xy ...float64) []Point {
	var all []Point
	for i := 0; i < len(xy); i += 2 {
		all = append(all, Point{X: xy[i], Y: xy[i+1]})
	}
	return all
}

func TestChartCSVReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64Range(-largestNumber, largestNumber)
		var c Chart
		for i := range rapid.IntRange(0, 4).Draw(t, "series") {
			s := Series{Name: rapid.String().Draw(t, "name") + fmt.Sprint(i), Band: rapid.Bool().Draw(t, "band")}
			for range rapid.IntRange(0, 5).Draw(t, "points") {
				p := Point{X: number.Draw(t, "x"), Y: number.Draw(t, "y"), Label: rapid.String().Draw(t, "label")}
				if rapid.Bool().Draw(t, "bounded") {
					p.YLo, p.YHi = number.Draw(t, "lo"), number.Draw(t, "hi")
					p.XLo = number.Draw(t, "x lo")
				}
				s.Points = append(s.Points, p)
			}
			c.Series = append(c.Series, s)
		}
		var b bytes.Buffer
		if err := c.WriteCSV(&b); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		parse := func(s string) float64 {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		same := func(got string, want float64) {
			if math.Float64bits(parse(got)) != math.Float64bits(want) {
				t.Fatalf("%s, want %v", got, want)
			}
		}
		rows = rows[1:]
		for _, s := range c.Series {
			for _, p := range s.Points {
				row := rows[0]
				rows = rows[1:]
				// The CSV reader turns \r\n into \n (RFC 4180 has no other line end).
				unix := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
				if row[0] != unix(s.Name) || row[7] != unix(p.Label) {
					t.Fatalf("row %q of series %q, label %q", row, s.Name, p.Label)
				}
				same(row[1], p.X)
				same(row[2], p.Y)
				if p.XLo == 0 && p.XHi == 0 {
					if row[3]+row[4] != "" {
						t.Fatalf("bounds of x that are not there: %q", row)
					}
				} else {
					same(row[3], p.XLo)
					same(row[4], p.XHi)
				}
				if p.YLo == 0 && p.YHi == 0 && !s.Band {
					if row[5]+row[6] != "" {
						t.Fatalf("bounds of y that are not there: %q", row)
					}
				} else {
					same(row[5], p.YLo)
					same(row[6], p.YHi)
				}
			}
		}
		if len(rows) > 0 {
			t.Fatalf("%d rows too many", len(rows))
		}
	})
}

func ExampleChart_WriteCSV() {
	err := Chart{
		X: Axis{Label: "latency bound", Unit: "s"},
		Y: Axis{Label: "p95 latency", Unit: "s"},
		Series: []Series{
			{Name: "reported", Points: []Point{{X: 40, Y: 40.3}}},
			{Name: "reproduced", Points: []Point{{X: 40, Y: 39.125, YLo: 38.5, YHi: 39.75, Label: "8 × 1792 MB"}}},
		},
	}.WriteCSV(os.Stdout)
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// series,x: latency bound (s),y: p95 latency (s),x_lo,x_hi,y_lo,y_hi,label
	// reported,40,40.3,,,,,
	// reproduced,40,39.125,,,38.5,39.75,8 × 1792 MB
}

func TestChartDefects(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	with := func(p ...Point) Chart { return Chart{Series: []Series{{Name: "good"}, {Name: "bad", Points: p}}} }
	log := func(c Chart) Chart { c.X.Log, c.Y.Log = true, true; return c }
	for name, c := range map[string]struct {
		Chart
		want []string
	}{
		"NaN":             {with(Point{X: 1}, Point{X: nan}), []string{`series 1 ("bad")`, "point 1", "x", "NaN"}},
		"infinite":        {with(Point{Y: -inf}), []string{`series 1 ("bad")`, "point 0", "y", "-Inf"}},
		"bound":           {with(Point{YLo: 1, YHi: nan}), []string{`"bad"`, "point 0", "upper bound of y", "NaN"}},
		"overflow":        {with(Point{X: 1e200}), []string{`"bad"`, "1e+200"}},
		"zero on log":     {log(with(Point{X: 1, Y: 1}, Point{X: 0, Y: 1})), []string{`"bad"`, "point 1", "x", "logarithmic"}},
		"negative on log": {log(with(Point{X: 1, Y: -2})), []string{`"bad"`, "point 0", "y", "-2", "logarithmic"}},
		"bound on log":    {log(with(Point{X: 1, Y: 1, YLo: -1, YHi: 2})), []string{`"bad"`, "lower bound of y"}},
		"band on log":     {log(Chart{Series: []Series{{Name: "band", Band: true, Points: points(1, 1)}}}), []string{`"band"`, "lower bound of y"}},
		"reversed":        {with(Point{YLo: 2, YHi: 1}), []string{`"bad"`, "point 0", "2 is above 1"}},
		"reversed x":      {with(Point{XLo: 2, XHi: 1}), []string{`"bad"`, "bounds of x"}},
		"same name":       {Chart{Series: []Series{{Name: "a"}, {Name: "a"}}}, []string{`series 1 ("a")`, "series 0"}},
		"two defects":     {Chart{Series: []Series{{Name: "a", Points: points(nan, 1)}, {Name: "b", Points: points(1, inf)}}}, []string{`"a"`, `"b"`}},
		"below":           {Chart{X: Axis{Min: new(2.0)}, Series: []Series{{Points: points(1, 1)}}}, []string{"x axis", "1", "lower limit 2"}},
		"above":           {Chart{Y: Axis{Max: new(2.0)}, Series: []Series{{Points: points(1, 3)}}}, []string{"y axis", "3", "upper limit 2"}},
		"no range":        {Chart{Y: Axis{Min: new(2.0), Max: new(2.0)}}, []string{"y axis", "2"}},
		"limit on log":    {Chart{Y: Axis{Log: true, Min: new(0.0)}}, []string{"y axis", "limit"}},
		"NaN limit":       {Chart{X: Axis{Max: &nan}}, []string{"x axis", "limit", "NaN"}},
		"log from zero":   {Chart{X: Axis{Log: true, IncludeZero: true}}, []string{"x axis", "zero"}},
		"reference":       {Chart{References: []Reference{{Kind: Horizontal, Value: nan, Text: "r"}}}, []string{"reference 0", `"r"`, "NaN"}},
		"reference kind":  {Chart{References: []Reference{{Kind: 7}}}, []string{"reference 0", "7"}},
		"reference log":   {Chart{X: Axis{Log: true}, References: []Reference{{Kind: Vertical, Value: -1}}}, []string{"reference 0", "logarithmic"}},
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

// centre returns the mean position and the number of the pixels of a picture
// that have the given colour, in a column of the picture from x0 to x1.
func centre(img image.Image, c interface{ RGBA() (r, g, b, a uint32) }, x0, x1 int) (x, y float64, n int) {
	r0, g0, b0, _ := c.RGBA()
	for py := range img.Bounds().Dy() {
		for px := x0; px < x1; px++ {
			if r, g, b, _ := img.At(px, py).RGBA(); r == r0 && g == g0 && b == b0 {
				x, y, n = x+float64(px), y+float64(py), n+1
			}
		}
	}
	return x / float64(n), y / float64(n), n
}

// Whatever the layout, equal differences (or ratios) of the data are equal
// distances in the picture, and markers at the limits are whole.
func TestPointsLieWhereTheyBelong(t *testing.T) {
	for _, c := range []struct {
		name  string
		chart Chart
	}{
		{"linear", Chart{X: Axis{Min: new(0.0), Max: new(10.0)}, Y: Axis{Min: new(0.0), Max: new(10.0)},
			Series: []Series{{Points: points(0, 0)}, {Name: "b", Points: points(5, 5)}, {Name: "c", Points: points(10, 10)}}}},
		{"logarithmic", Chart{X: Axis{Log: true, Min: new(1.0), Max: new(10000.0)}, Y: Axis{Log: true, Min: new(0.01), Max: new(1.0)},
			Series: []Series{{Points: points(1, 0.01)}, {Name: "b", Points: points(100, 0.1)}, {Name: "c", Points: points(10000, 1)}}}},
		{"free", Chart{Y: Axis{Log: true}, Series: []Series{{Points: points(-3, 1)}, {Name: "b", Points: points(-1, 8)}, {Name: "c", Points: points(1, 64)}}}},
	} {
		var x, y [3]float64
		var area [3]int
		for i := range 3 {
			one := c.chart
			one.Series = append([]Series(nil), one.Series...)
			for k := range one.Series {
				one.Series[k].Name = "" // no legend: its sample would be counted
			}
			// One series at a time is blue, the others keep their place.
			only := one.Series[i]
			rest := Series{Name: ""}
			for k, s := range one.Series {
				if k != i {
					rest.Points = append(rest.Points, s.Points...)
				}
			}
			only.Name, rest.Name = "blue", "orange"
			one.Series = []Series{only, rest}
			f, err := one.frame()
			if err != nil {
				t.Fatal(err)
			}
			f.legend = nil
			img := rendered(f.sheet())
			x[i], y[i], area[i] = centre(img, blue, 0, img.Bounds().Dx())
		}
		if d := math.Abs(x[1] - (x[0]+x[2])/2); d > 1 {
			t.Errorf("%s: the middle point is %.1f pixels off to the side", c.name, d)
		}
		if d := math.Abs(y[1] - (y[0]+y[2])/2); d > 1 {
			t.Errorf("%s: the middle point is %.1f pixels too high or low", c.name, d)
		}
		if x[0] >= x[2] || y[0] <= y[2] {
			t.Errorf("%s: the axes run the wrong way", c.name)
		}
		for i := range 3 {
			if d := math.Abs(float64(area[i])/float64(area[1]) - 1); d > 0.03 {
				t.Errorf("%s: marker %d has %.0f %% more or less pixels than the one in the middle", c.name, i, 100*d)
			}
		}
	}
}

// An error bar from -1 to 1 reaches as far as markers at -1 and at 1 are apart.
func TestErrorBarsSpanTheirBounds(t *testing.T) {
	f, err := Chart{
		X:      Axis{Min: new(-1.0), Max: new(5.0)},
		Series: []Series{{Points: []Point{{X: 0, Y: 0, YLo: -1, YHi: 1}, {X: 2, Y: -1}, {X: 4, Y: 1}}}},
	}.frame()
	if err != nil {
		t.Fatal(err)
	}
	l := f.arrange()
	img := rendered(f.sheet())
	column := func(x float64) int { return int(pixelsPerPoint * l.atX(x)) }
	_, low, _ := centre(img, blue, column(1), column(3))
	_, high, _ := centre(img, blue, column(3), column(5))
	bar := extent(img.SubImage(image.Rect(column(-1), 0, column(1), img.Bounds().Dy())), blue)
	const cap = barWidth * pixelsPerPoint
	if got, want := float64(bar.Dy()), low-high+cap; math.Abs(got-want) > 2 {
		t.Errorf("the error bar is %v pixels long, want %v", got, want)
	}
}

// Whatever the scales, y = x is the set of points with equal coordinates.
func TestDiagonalIsWhereCoordinatesAreEqual(t *testing.T) {
	for _, c := range []Chart{
		{X: Axis{Min: new(0.0), Max: new(10.0)}, Y: Axis{Min: new(4.0), Max: new(20.0)}},
		{X: Axis{Min: new(1.0), Max: new(10.0), Log: true}, Y: Axis{Min: new(4.0), Max: new(20.0), Log: true}},
		{X: Axis{Min: new(1.0), Max: new(100.0), Log: true}, Y: Axis{Min: new(-5.0), Max: new(50.0)}},
		{X: Axis{Min: new(-5.0), Max: new(50.0)}, Y: Axis{Min: new(1.0), Max: new(100.0), Log: true}},
	} {
		f, err := c.frame()
		if err != nil {
			t.Fatal(err)
		}
		l := f.arrange()
		path := Reference{}.path(l.projection)
		read := func(s scale, at float64) float64 { // backwards from the picture
			if s.log {
				return s.lo * math.Pow(s.hi/s.lo, at)
			}
			return s.lo + at*(s.hi-s.lo)
		}
		for _, t0 := range []float64{0, 0.3, 0.77, 1} {
			p := along(path, vg.Length(t0))
			size := l.area.Size()
			x := read(l.x, float64((p.X-l.area.Min.X)/size.X))
			y := read(l.y, float64((p.Y-l.area.Min.Y)/size.Y))
			if math.Abs(x-y) > 0.01*math.Abs(x) {
				t.Errorf("%v, %v is on y = x", x, y)
			}
		}
		ends := []float64{max(*c.X.Min, *c.Y.Min), min(*c.X.Max, *c.Y.Max)}
		for i, p := range []vg.Point{path[0], path[len(path)-1]} {
			if want := l.at(ends[i], ends[i]); math.Abs(float64(p.X-want.X)) > 1e-6 || math.Abs(float64(p.Y-want.Y)) > 1e-6 {
				t.Errorf("the line ends at %v, want %v", p, want)
			}
		}
	}
	f, err := Chart{X: Axis{Max: new(1.0)}, Y: Axis{Min: new(2.0)}}.frame()
	if err != nil {
		t.Fatal(err)
	}
	if path := (Reference{}).path(f.arrange().projection); path != nil {
		t.Errorf("y = x at %v, but no x is as large as a y", path)
	}
}

// A series that is like another has its colour, and a marker of its own.
func TestSeriesLikeAnother(t *testing.T) {
	c := Chart{Series: []Series{
		{Name: "data", Points: []Point{{X: 1, Y: 1}}},
		{Name: "model", Like: "data", Points: []Point{{X: 2, Y: 2}}},
	}}
	f, err := c.frame()
	if err != nil {
		t.Fatal(err)
	}
	f.legend = nil
	img := rendered(f.sheet())
	if extent(img, orange) != (image.Rectangle{}) {
		t.Error("the model has a colour of its own")
	}
	if r := extent(img, blue); r.Dx() < img.Bounds().Dx()/2 {
		t.Errorf("the colour of the data reaches over %v of %v", r, img.Bounds())
	}
	c.Series[1].Like = "nothing"
	if _, err := Save(t.TempDir(), "c", c, Print); err == nil || !strings.Contains(err.Error(), `is like "nothing"`) {
		t.Errorf("error %v", err)
	}
}
