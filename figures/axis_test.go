package figures

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestScaleKnown(t *testing.T) {
	for _, c := range []struct {
		name   string
		axis   Axis
		values []float64
		lo, hi float64
	}{
		{"nothing", Axis{}, nil, 0, 1},
		{"nothing, logarithmic", Axis{Log: true}, nil, 1, 10},
		{"margins", Axis{}, []float64{20, 40}, 19, 41},
		{"negative", Axis{}, []float64{-20, 20}, -22, 22},
		{"not across zero", Axis{}, []float64{0.1, 10}, 0, 10.495},
		{"not across zero from below", Axis{}, []float64{-0.1, -10}, -10.495, 0},
		{"with zero", Axis{IncludeZero: true}, []float64{5, 10}, 0, 10.5},
		{"with zero below", Axis{IncludeZero: true}, []float64{-5, -10}, -10.5, 0},
		{"point at zero", Axis{}, []float64{0, 10}, -0.5, 10.5},
		{"equal", Axis{}, []float64{7, 7, 7}, 6.65, 7.35},
		{"all zero", Axis{}, []float64{0, 0}, -1, 1},
		{"all zero with zero", Axis{IncludeZero: true}, []float64{0}, 0, 1},
		{"limits", Axis{Min: new(-3.0), Max: new(8.0)}, []float64{1, 2}, -3, 8},
		{"lower limit", Axis{Min: new(0.0)}, []float64{1, 2}, 0, 2.1},
		{"upper limit", Axis{Max: new(100.0)}, []float64{50}, 47.5, 100},
		{"logarithmic", Axis{Log: true}, []float64{1, 1e10}, math.Pow(10, -0.5), math.Pow(10, 10.5)},
		{"logarithmic limits", Axis{Log: true, Min: new(10.0)}, []float64{100}, 10, math.Pow(10, 2.05)},
		{"equal, logarithmic", Axis{Log: true}, []float64{5}, 5 / math.E, 5 * math.E},
	} {
		s, err := c.axis.scale(c.values)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if math.Abs(s.lo-c.lo) > 1e-9*math.Abs(c.lo) || math.Abs(s.hi-c.hi) > 1e-9*math.Abs(c.hi) {
			t.Errorf("%s: %v to %v, want %v to %v", c.name, s.lo, s.hi, c.lo, c.hi)
		}
	}
}

func TestScaleHoldsTheData(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Axis{Log: rapid.Bool().Draw(t, "log")}
		number := rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Float64Range(-1e-6, 1e-6), rapid.Float64Range(-largestNumber, largestNumber))
		values := rapid.SliceOfN(number, 1, 5).Draw(t, "values")
		if a.Log {
			for i, v := range values {
				values[i] = max(math.Abs(v), 1/largestNumber)
			}
		} else {
			a.IncludeZero = rapid.Bool().Draw(t, "include zero")
		}
		s, err := a.scale(values)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if at := s.at(v); !(at >= 0 && at <= 1) {
				t.Fatalf("%v is at %v between %v and %v", v, at, s.lo, s.hi)
			}
		}
		if a.IncludeZero && !(s.lo <= 0 && 0 <= s.hi) {
			t.Fatalf("zero is not between %v and %v", s.lo, s.hi)
		}
		if n := len(texts(s.ticks(6))); n < 3 || n > 9 {
			t.Fatalf("%d ticks between %v and %v", n, s.lo, s.hi)
		}
	})
}

// A given limit is the end of the axis to the last bit: its tick and a point
// on it must not fall off.
func TestScaleKeepsItsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Float64Range(1e-3, 1e6).Draw(t, "lo")
		hi := lo * rapid.Float64Range(1.1, 1e4).Draw(t, "ratio")
		for _, a := range []Axis{{Min: &lo}, {Max: &hi}, {Min: &lo, Max: &hi}, {Min: &lo, Log: true}, {Max: &hi, Log: true}} {
			s, err := a.scale([]float64{lo, math.Sqrt(lo * hi), hi})
			if err != nil {
				t.Fatal(err)
			}
			if a.Min != nil && s.lo != lo || a.Max != nil && s.hi != hi {
				t.Fatalf("%v to %v, want %v to %v", s.lo, s.hi, lo, hi)
			}
		}
	})
}
