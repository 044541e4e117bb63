package figures

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// Axis describes an axis. Without limits it spans what is drawn and a little
// more, but does not cross zero only because of that margin.
type Axis struct {
	Label       string
	Unit        string   // in parentheses behind the label
	Log         bool     // logarithmic; every number must be above 0
	Min, Max    *float64 // limits; nil: from the data. A number outside is an error.
	IncludeZero bool     // the axis reaches to 0, whatever the data; not with Log
}

// title returns the label with its unit.
func (a Axis) title() string {
	switch {
	case a.Unit == "":
		return a.Label
	case a.Label == "":
		return a.Unit
	}
	return a.Label + " (" + a.Unit + ")"
}

// The numbers that can be drawn, and the smallest distance between two limits
// in units of the larger one. Nothing that is measured comes near them, and
// between them no computation on the way to the picture overflows.
const (
	largestNumber = 1e100
	smallestSpan  = 1e-9
)

// checkNumber says why v cannot be drawn, nil if it can.
func checkNumber(v float64, log bool) error {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Errorf("%v is not a finite number", v)
	case math.Abs(v) > largestNumber:
		return fmt.Errorf("%v is beyond ±%g", v, largestNumber)
	case log && v < 1/largestNumber:
		return fmt.Errorf("%v has no place on a logarithmic axis; drop it or use a linear one", v)
	}
	return nil
}

// scale maps numbers to the length of an axis.
type scale struct {
	lo, hi float64
	log    bool
}

// at returns the place of v on the axis, 0 at the lower limit and 1 at the
// upper one.
func (s scale) at(v float64) vg.Length {
	var n plot.Normalizer = plot.LinearScale{}
	if s.log {
		n = plot.LogScale{}
	}
	return vg.Length(n.Normalize(s.lo, s.hi, v))
}

// ticks returns about target ticks.
func (s scale) ticks(target int) []plot.Tick {
	if s.log {
		return logTicks(s.lo, s.hi, target)
	}
	return linearTicks(s.lo, s.hi, target)
}

// scale returns the scale that holds all values, which must be drawable.
func (a Axis) scale(values []float64) (scale, error) {
	s := scale{lo: math.Inf(1), hi: math.Inf(-1), log: a.Log}
	var errs []error
	for _, limit := range []*float64{a.Min, a.Max} {
		if limit != nil {
			if err := checkNumber(*limit, a.Log); err != nil {
				errs = append(errs, fmt.Errorf("limit %w", err))
			}
		}
	}
	if a.Log && a.IncludeZero {
		errs = append(errs, errors.New("a logarithmic axis does not reach zero"))
	}
	if err := errors.Join(errs...); err != nil {
		return s, err
	}
	for _, v := range values {
		s.lo, s.hi = min(s.lo, v), max(s.hi, v)
	}
	if a.IncludeZero {
		s.lo, s.hi = min(s.lo, 0), max(s.hi, 0)
	}
	switch {
	case a.Min != nil && s.lo < *a.Min:
		return s, fmt.Errorf("%v lies below the lower limit %v", s.lo, *a.Min)
	case a.Max != nil && s.hi > *a.Max:
		return s, fmt.Errorf("%v lies above the upper limit %v", s.hi, *a.Max)
	case a.Min != nil && a.Max != nil:
		s.lo, s.hi = *a.Min, *a.Max
		if s.narrow() {
			return s, fmt.Errorf("nothing lies between the limits %v and %v", s.lo, s.hi)
		}
		return s, nil
	case a.Min != nil:
		s.lo, s.hi = *a.Min, max(*a.Min, s.hi)
	case a.Max != nil:
		s.lo, s.hi = min(*a.Max, s.lo), *a.Max
	case s.lo > s.hi && a.Log:
		return scale{1, 10, true}, nil
	case s.lo > s.hi:
		return scale{0, 1, false}, nil
	}
	if s.log {
		s.lo, s.hi = math.Log(s.lo), math.Log(s.hi)
	}
	lo, hi := s.lo, s.hi
	margin := 0.05 * (hi - lo)
	if s.narrow() {
		margin = 0.05 * math.Abs(lo)
		if margin == 0 || s.log {
			margin = 1
		}
	}
	if a.Min == nil {
		s.lo = lo - margin
		if !s.log && (lo > 0 || lo == 0 && a.IncludeZero) {
			s.lo = max(0, s.lo)
		}
	}
	if a.Max == nil {
		s.hi = hi + margin
		if !s.log && (hi < 0 || hi == 0 && a.IncludeZero && lo < 0) {
			s.hi = min(0, s.hi)
		}
	}
	if s.log {
		s.lo, s.hi = math.Exp(s.lo), math.Exp(s.hi)
		// A limit that was given is kept to the last bit, so that its tick is.
		if a.Min != nil {
			s.lo = *a.Min
		}
		if a.Max != nil {
			s.hi = *a.Max
		}
	}
	if s.narrow() {
		return s, fmt.Errorf("nothing lies between %v and %v; move the limit", s.lo, s.hi)
	}
	return s, nil
}

// narrow reports whether the limits are too close for an axis between them.
func (s scale) narrow() bool {
	return s.hi-s.lo <= smallestSpan*max(math.Abs(s.lo), math.Abs(s.hi))
}
