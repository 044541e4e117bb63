package figures

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// The number of ticks on a linear axis.
const (
	minTicks = 3
	maxTicks = 9
)

// linearTicks returns the multiples of 1, 2 or 5 times a power of ten between
// lo and hi. Their number is as near to target as steps of that kind allow and
// between 3 and 9: the quotient of two neighbouring steps is at most 2.5, and
// a range of 3 to 9 steps holds 3 to 9 ticks. It panics unless lo < hi, they
// differ by more than 1e-12 of their size and the numbers are those that a
// scale lets through.
func linearTicks(lo, hi float64, target int) []plot.Tick {
	span := hi - lo
	if !(span > 1e-12*max(math.Abs(lo), math.Abs(hi))) || math.IsInf(span, 0) {
		panic(fmt.Sprintf("figures: no ticks between %v and %v", lo, hi))
	}
	var best step
	count := 0
	first := int(math.Floor(math.Log10(span))) - 2
	for e := first + 4; e >= first; e-- {
		for _, m := range []int{5, 2, 1} {
			s := step{m, e}
			from, to := s.within(lo, hi)
			n := int(to-from) + 1
			if minTicks <= n && n <= maxTicks && (count == 0 || abs(n-target) < abs(count-target)) {
				best, count = s, n
			}
		}
	}
	from, to := best.within(lo, hi)
	var values []float64
	for k := from; k <= to; k++ {
		values = append(values, best.times(k))
	}
	ticks := make([]plot.Tick, len(values))
	for i, label := range linearLabels(values, best.exponent) {
		ticks[i] = plot.Tick{Value: values[i], Label: label}
	}
	return ticks
}

func abs(n int) int { return max(n, -n) }

// step is mantissa * 10^exponent, the mantissa 1, 2 or 5.
type step struct{ mantissa, exponent int }

// times returns k steps.
func (s step) times(k float64) float64 {
	if s.exponent >= 0 {
		return k * float64(s.mantissa) * math.Pow10(s.exponent)
	}
	// Dividing by an exact power rounds once: 3 * 0.1 is not 0.3.
	return k * float64(s.mantissa) / math.Pow10(-s.exponent)
}

// within returns the first and the last multiple of the step inside lo to hi.
func (s step) within(lo, hi float64) (from, to float64) {
	size := s.times(1)
	from, to = math.Ceil(lo/size), math.Floor(hi/size)
	for s.times(from-1) >= lo {
		from--
	}
	for s.times(from) < lo {
		from++
	}
	for s.times(to+1) <= hi {
		to++
	}
	for s.times(to) > hi {
		to--
	}
	return from, to
}

// linearLabels writes values that are multiples of 10^exponent, all with the
// same decimals: plain up to 9,999,999 and down to a step of 0.00001, else as
// a mantissa and a power of ten that all of them share.
func linearLabels(values []float64, exponent int) []string {
	largest := 0.0
	for _, v := range values {
		largest = max(largest, math.Abs(v))
	}
	labels := make([]string, len(values))
	if largest < 1e7 && exponent >= -5 {
		for i, v := range values {
			labels[i] = plain(v, max(0, -exponent), largest >= 1e4)
		}
		return labels
	}
	power := decimalExponent(largest)
	for i, v := range values {
		labels[i] = "0"
		if v != 0 {
			labels[i] = plain(v/math.Pow10(power), max(0, power-exponent), false) + "×10" + superscript(power)
		}
	}
	return labels
}

// decimalExponent returns the power of ten of the first digit of v. A rounded
// logarithm would be off by one for 1000.
func decimalExponent(v float64) int {
	s := strconv.FormatFloat(v, 'e', -1, 64)
	n, err := strconv.Atoi(s[strings.IndexByte(s, 'e')+1:])
	if err != nil {
		panic(err) // v is not finite
	}
	return n
}

// plain writes v with the given decimals, a true minus sign and, if grouped,
// commas between the thousands.
func plain(v float64, decimals int, grouped bool) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	if grouped {
		whole, fraction, _ := strings.Cut(s, ".")
		var b strings.Builder
		for i, digit := range whole {
			if i > 0 && (len(whole)-i)%3 == 0 {
				b.WriteByte(',')
			}
			b.WriteRune(digit)
		}
		s = b.String()
		if fraction != "" {
			s += "." + fraction
		}
	}
	if v < 0 && strings.Trim(s, "0.,") != "" {
		s = "−" + s
	}
	return s
}

// logTicks returns the ticks of a logarithmic axis: the powers of ten between
// lo and hi, with the doubles and fives of them where that leaves fewer than
// three, and 1-2-5 ticks where even those are fewer than three. From ten
// powers on only every second, third, ... one has a label. The other
// multiples of the powers are unlabelled minor ticks. It panics unless
// 0 < lo < hi and both are finite.
func logTicks(lo, hi float64, target int) []plot.Tick {
	if !(0 < lo && lo < hi) || math.IsInf(hi, 0) {
		panic(fmt.Sprintf("figures: no logarithmic ticks between %v and %v", lo, hi))
	}
	low, high := int(math.Floor(math.Log10(lo))), int(math.Ceil(math.Log10(hi)))
	var marks []step // all multiples of powers of ten inside the range
	count := map[int]int{}
	for e := low; e <= high; e++ {
		for m := 1; m <= 9; m++ {
			if v := (step{m, e}).times(1); lo <= v && v <= hi {
				marks = append(marks, step{m, e})
				count[m]++
			}
		}
	}
	labelled := map[int]bool{1: true}
	if count[1] < minTicks {
		labelled[2], labelled[5] = true, true
		if count[1]+count[2]+count[5] < minTicks {
			if hi/lo-1 > 1e-12 {
				return linearTicks(lo, hi, target)
			}
			labelled = map[int]bool{}
		}
	}
	every := 1
	for (count[1]-1)/every+1 > maxTicks {
		every++
	}
	shown := func(s step) bool { return labelled[s.mantissa] && s.exponent%every == 0 }
	// One axis, one notation.
	var smallest, largest float64
	for _, s := range marks {
		if shown(s) {
			v := s.times(1)
			if smallest == 0 {
				smallest = v
			}
			largest = v
		}
	}
	powers := smallest < 1e-4 || largest > 1e6
	var ticks []plot.Tick
	for _, s := range marks {
		t := plot.Tick{Value: s.times(1)}
		if shown(s) {
			switch {
			case !powers:
				t.Label = plain(t.Value, max(0, -s.exponent), largest >= 1e4)
			case s.mantissa == 1:
				t.Label = "10" + superscript(s.exponent)
			default:
				t.Label = strconv.Itoa(s.mantissa) + "×10" + superscript(s.exponent)
			}
		}
		if every == 1 || t.Label != "" || s.mantissa == 1 {
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// superscript writes n in raised digits.
func superscript(n int) string {
	return strings.Map(func(r rune) rune {
		for i, raised := range raisedRunes {
			if baseRunes[i] == r {
				return raised
			}
		}
		return r
	}, strings.Replace(strconv.Itoa(n), "-", "−", 1))
}

// The raised characters that texts may hold, and what they are drawn as, small
// and above the line: the font has only some of them.
var (
	raisedRunes = []rune("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")
	baseRunes   = []rune("0123456789−+")
)
