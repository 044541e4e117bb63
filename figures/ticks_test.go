package figures

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"pgregory.net/rapid"
)

func texts(ticks []plot.Tick) []string {
	var all []string
	for _, t := range ticks {
		if t.Label != "" {
			all = append(all, t.Label)
		}
	}
	return all
}

func TestLinearTicksKnown(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		target int
		want   string
	}{
		{0, 10, 6, "0 2 4 6 8 10"},
		{0, 1, 6, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{0, 1, 4, "0.0 0.5 1.0"},
		{-1, 1, 5, "−1.0 −0.5 0.0 0.5 1.0"},
		{0.1, 0.7, 7, "0.1 0.2 0.3 0.4 0.5 0.6 0.7"},
		{16.4, 69.7, 6, "20 30 40 50 60"},
		{1.63, 2.19, 6, "1.7 1.8 1.9 2.0 2.1"},
		{1000, 4048, 4, "1000 2000 3000 4000"},
		{0, 12000, 7, "0 2,000 4,000 6,000 8,000 10,000 12,000"},
		{0, 1e6, 6, "0 200,000 400,000 600,000 800,000 1,000,000"},
		{0, 1e-6, 6, "0 0.2×10⁻⁶ 0.4×10⁻⁶ 0.6×10⁻⁶ 0.8×10⁻⁶ 1.0×10⁻⁶"},
		{0, 3e9, 4, "0 1×10⁹ 2×10⁹ 3×10⁹"},
		{-5e7, 1e7, 4, "−4×10⁷ −2×10⁷ 0"},
		{1000, 1000.004, 5, "1000.000 1000.001 1000.002 1000.003 1000.004"},
	} {
		if got := strings.Join(texts(linearTicks(c.lo, c.hi, c.target)), " "); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
}

// number reads a tick label as a reader does.
func number(t interface{ Fatalf(string, ...any) }, label string) float64 {
	s := strings.NewReplacer(",", "", "−", "-").Replace(label)
	mantissa, power, scientific := strings.Cut(s, "×10")
	if !scientific {
		if rest, ok := strings.CutPrefix(s, "10"); ok && strings.ContainsAny(rest, "⁰¹²³⁴⁵⁶⁷⁸⁹") {
			mantissa, power, scientific = "1", rest, true
		}
	}
	if scientific {
		s = mantissa + "e" + strings.NewReplacer("⁻", "-", "⁰", "0", "¹", "1", "²", "2", "³", "3", "⁴", "4",
			"⁵", "5", "⁶", "6", "⁷", "7", "⁸", "8", "⁹", "9").Replace(power)
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatalf("label %q: %v", label, err)
	}
	return v
}

func TestLinearTicksProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Ranges of any size anywhere, down to 1e-8 of their distance from 0.
		span := math.Exp(rapid.Float64Range(-60, 60).Draw(t, "log span"))
		lo := span * rapid.Float64Range(-1e8, 1e8).Draw(t, "offset")
		if rapid.Bool().Draw(t, "from zero") {
			lo = 0
		}
		hi := lo + span
		target := rapid.IntRange(1, 12).Draw(t, "target")
		ticks := linearTicks(lo, hi, target)
		if len(ticks) < 3 || len(ticks) > 9 {
			t.Fatalf("%d ticks between %v and %v", len(ticks), lo, hi)
		}
		step := (ticks[len(ticks)-1].Value - ticks[0].Value) / float64(len(ticks)-1)
		rounding := 1e-14 * max(math.Abs(lo), math.Abs(hi))
		for i, tick := range ticks {
			if tick.Value < lo || tick.Value > hi {
				t.Fatalf("tick %v outside %v to %v", tick.Value, lo, hi)
			}
			if want := ticks[0].Value + float64(i)*step; math.Abs(tick.Value-want) > rounding {
				t.Fatalf("ticks are not even: %v, want %v", tick.Value, want)
			}
			if got := number(t, tick.Label); math.Abs(got-tick.Value) > 1e-3*step {
				t.Fatalf("label %q at %v", tick.Label, tick.Value)
			}
			if strings.HasPrefix(tick.Label, "−") != (tick.Value < 0) {
				t.Fatalf("label %q at %v", tick.Label, tick.Value)
			}
		}
		// No room for another tick at either end.
		if ticks[0].Value-step >= lo+rounding || ticks[len(ticks)-1].Value+step <= hi-rounding {
			t.Fatalf("ticks %v leave a step free between %v and %v", ticks, lo, hi)
		}
		if !slices.ContainsFunc([]float64{1, 2, 5}, func(m float64) bool {
			nearest := m * math.Pow(10, math.Round(math.Log10(step/m)))
			return math.Abs(step-nearest) <= rounding+1e-9*step
		}) {
			t.Fatalf("step %v", step)
		}
		decimals := func(label string) int {
			label, _, _ = strings.Cut(label, "×")
			_, fraction, _ := strings.Cut(label, ".")
			return len(fraction)
		}
		for _, tick := range ticks {
			if tick.Label != "0" && decimals(tick.Label) != decimals(ticks[0].Label) && ticks[0].Label != "0" {
				t.Fatalf("labels %q have different decimals", texts(ticks))
			}
		}
	})
}

func TestLogTicksKnown(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{1, 1000, "1 10 100 1000"},
		{7, 14000, "10 100 1,000 10,000"},
		{0.006, 2, "0.01 0.1 1"},
		{1, 100, "1 10 100"},
		{0.5, 60, "0.5 1 2 5 10 20 50"},
		{3, 30, "5 10 20"},
		{30, 45, "30 32 34 36 38 40 42 44"},
		{1e-6, 1e6, "10⁻⁶ 10⁻⁴ 10⁻² 10⁰ 10² 10⁴ 10⁶"},
		{1e-5, 3e-4, "10⁻⁵ 2×10⁻⁵ 5×10⁻⁵ 10⁻⁴ 2×10⁻⁴"},
	} {
		if got := strings.Join(texts(logTicks(c.lo, c.hi, 7)), " "); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
}

func TestLogTicksProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := math.Exp(rapid.Float64Range(-100, 100).Draw(t, "log lo"))
		hi := lo * math.Exp(rapid.Float64Range(1e-6, 60).Draw(t, "log ratio"))
		ticks := logTicks(lo, hi, 7)
		if !slices.IsSortedFunc(ticks, func(a, b plot.Tick) int {
			if a.Value < b.Value {
				return -1
			}
			return 1
		}) {
			t.Fatalf("ticks %v are not in order", ticks)
		}
		labelled := 0
		for _, tick := range ticks {
			if tick.Value < lo || tick.Value > hi {
				t.Fatalf("tick %v outside %v to %v", tick.Value, lo, hi)
			}
			if tick.Label == "" {
				continue
			}
			labelled++
			if got := number(t, tick.Label); math.Abs(got-tick.Value) > 1e-6*(hi-lo)+1e-9*tick.Value {
				t.Fatalf("label %q at %v", tick.Label, tick.Value)
			}
		}
		if labelled < 3 || labelled > 9 {
			t.Fatalf("%d labels between %v and %v: %q", labelled, lo, hi, texts(ticks))
		}
	})
}
