package papers

import (
	"fmt"
	"math"
	"strings"
)

// shape is what a figure is said to show where its values are not published:
// orderings, crossings and limits, each a number that lies on the claimed side
// or does not.
type shape struct{ features []feature }

// feature is one number of a shape with the range that is claimed.
type feature struct {
	at, of string
	ours   float64 // NaN: there is none
	lo, hi float64 // infinite: open
}

// atMost claims that a number is not above a limit.
func (s *shape) atMost(at, of string, ours, limit float64) {
	s.features = append(s.features, feature{at, of, ours, math.Inf(-1), limit})
}

// atLeast claims that a number is not below a limit.
func (s *shape) atLeast(at, of string, ours, limit float64) {
	s.features = append(s.features, feature{at, of, ours, limit, math.Inf(1)})
}

// near claims that a number is within so much of another.
func (s *shape) near(at, of string, ours, target, within float64) {
	s.features = append(s.features, feature{at, of, ours, target - within, target + within})
}

func (f feature) holds() bool { return f.lo <= f.ours && f.ours <= f.hi }

// claimed is the limit, or the middle of the range.
func (f feature) claimed() float64 {
	switch {
	case math.IsInf(f.lo, -1):
		return f.hi
	case math.IsInf(f.hi, 1):
		return f.lo
	}
	return (f.lo + f.hi) / 2
}

func (f feature) String() string {
	ours := "none"
	if !math.IsNaN(f.ours) && !math.IsInf(f.ours, 0) {
		ours = digits(f.ours)
	}
	claimed := fmt.Sprintf("%s to %s", digits(f.lo), digits(f.hi))
	switch {
	case math.IsInf(f.lo, -1):
		claimed = "at most " + digits(f.hi)
	case math.IsInf(f.hi, 1):
		claimed = "at least " + digits(f.lo)
	}
	return fmt.Sprintf("%s at %s: claimed %s, ours %s", f.of, f.at, claimed, ours)
}

// room says how far inside its range the number of a feature is, relative to
// what is claimed; less than 0 is outside.
func (f feature) room() float64 {
	return min(f.ours-f.lo, f.hi-f.ours) / max(math.Abs(f.claimed()), 1e-9)
}

// claim judges the features: Shape where all hold, and else NotReproduced for what
// is known about the cause.
func (s *shape) claim(base Claim, cause string) Claim {
	var broken []string
	tightest := s.features[0]
	for _, f := range s.features {
		base.Reported = append(base.Reported, valueOf(f.at, f.of, f.claimed()))
		base.Reproduced = append(base.Reproduced, valueOf(f.at, f.of, f.ours))
		if !f.holds() {
			broken = append(broken, f.String())
		}
		if f.room() < tightest.room() {
			tightest = f
		}
	}
	if len(broken) == 0 {
		base.Verdict = Shape
		if base.Why = tightest.String(); len(s.features) > 1 {
			base.Why = fmt.Sprintf("all %d features hold, the tightest %v", len(s.features), tightest)
		}
		return base
	}
	base.Verdict = NotReproduced
	base.Why = fmt.Sprintf("%d of %d features do not hold: %s", len(broken), len(s.features), strings.Join(broken[:min(shown, len(broken))], "; "))
	if more := len(broken) - shown; more > 0 {
		base.Why += fmt.Sprintf("; and %d more", more)
	}
	return base.because(cause)
}

// missing is claim where the data is not at hand.
func (s *shape) missing(base Claim, what string) Claim {
	for i := range s.features {
		s.features[i].ours = math.NaN()
	}
	base = s.claim(base, "")
	base.Verdict, base.Why = NotReproducible, what
	return base
}
