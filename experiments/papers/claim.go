package papers

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Verdict says what became of a claim.
type Verdict string

// The verdicts.
const (
	Reproduced      Verdict = "reproduced"       // every value is within the tolerance
	Shape           Verdict = "shape"            // not that, but the reported values keep their order
	NotReproduced   Verdict = "not-reproduced"   // not even that; Why says by how much, and the cause if it is known
	NotReproducible Verdict = "not-reproducible" // something that it takes is missing; Why says what
)

// Verdicts returns the verdicts from the best to the worst.
func Verdicts() []Verdict {
	return []Verdict{Reproduced, Shape, NotReproduced, NotReproducible}
}

// Claim is one published claim beside what came out here.
type Claim struct {
	ID         string  `json:"id"`
	Experiment string  `json:"experiment"` // selects it on the command line
	Paper      string  `json:"paper"`
	Title      string  `json:"title"`
	Reported   []Value `json:"reported"`
	Reproduced []Value `json:"reproduced"`
	Unit       string  `json:"unit"`
	Tolerance  string  `json:"tolerance"`
	Verdict    Verdict `json:"verdict"`
	Why        string  `json:"why"`
	Figure     string  `json:"figure"` // file name of the picture; empty: none
	Data       string  `json:"data"`   // file name of its data

	// Timed says that Reproduced was measured in time. It differs from run to
	// run, so that files hold it apart.
	Timed bool `json:"-" cbor:"timed"`
}

// ClaimList is what "eevee reproduce --json" prints; see
// schemas/claims.schema.json.
type ClaimList struct {
	Schema string  `json:"schema"`
	Claims []Claim `json:"claims"`
}

// claimsSchema names the JSON form of a ClaimList.
const claimsSchema = "eevee.claims/1"

// Value is one value of a claim.
type Value struct {
	At    string   `json:"at"`    // as "latency 40 s"
	Of    string   `json:"of"`    // what it is, with its unit, as "p95_latency_s"
	Value *float64 `json:"value"` // null: there is none
}

// Tolerance is how far a value may be from the reported one: by a share of it
// (Below, Above) or by an amount (Absolute). The zero value admits nothing but
// the reported value.
type Tolerance struct {
	Below    float64 `yaml:"below"`
	Above    float64 `yaml:"above"`
	Absolute float64 `yaml:"absolute"`
}

// Holds reports whether ours is within the tolerance of the reported value.
func (t Tolerance) Holds(reported, ours float64) bool {
	// Reported values are decimals, so a distance of exactly the tolerance
	// may come out a little larger.
	slack := 1e-9 * math.Abs(reported)
	off := ours - reported
	return -off <= t.Absolute+t.Below*math.Abs(reported)+slack && off <= t.Absolute+t.Above*math.Abs(reported)+slack
}

// String describes the tolerance, as "-14...+27 %" or "±0.005".
func (t Tolerance) String() string {
	switch {
	case t.Absolute > 0:
		return "±" + digits(t.Absolute)
	case t.Below == t.Above:
		return "±" + digits(100*t.Below) + " %"
	case t.Below == 1:
		return "up to " + digits(1+t.Above) + " times"
	}
	return fmt.Sprintf("−%s...+%s %%", digits(100*t.Below), digits(100*t.Above))
}

// comparison is reported values beside ours.
type comparison struct {
	pairs []pair

	// resolution is the relative error of a reported value. Two values that
	// differ by less than twice that have no order.
	resolution float64
}

// digitised is the resolution of values that were read off a figure.
const digitised = 0.02

// pair is a reported value beside ours, NaN where there is none.
type pair struct {
	at, of         string
	reported, ours float64
	tolerance      Tolerance
	known          string // a known discrepancy, said whatever the verdict
}

func (c *comparison) add(at, of string, reported, ours float64, t Tolerance) {
	c.pairs = append(c.pairs, pair{at: at, of: of, reported: reported, ours: ours, tolerance: t})
}

// values returns the reported values and ours.
func (c *comparison) values() (reported, ours []Value) {
	for _, p := range c.pairs {
		reported = append(reported, valueOf(p.at, p.of, p.reported))
		ours = append(ours, valueOf(p.at, p.of, p.ours))
	}
	return reported, ours
}

func valueOf(at, of string, v float64) Value {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Value{At: at, Of: of}
	}
	return Value{At: at, Of: of, Value: &v}
}

func (p pair) missing() bool { return math.IsNaN(p.ours) }
func (p pair) within() bool  { return p.tolerance.Holds(p.reported, p.ours) }

// excess says how far outside of its tolerance a value is: 1 is at its border.
func (p pair) excess() float64 {
	if p.ours == p.reported {
		return 0 // even where the tolerance is nothing
	}
	allowed := p.tolerance.Absolute + p.tolerance.Above*math.Abs(p.reported)
	if p.ours < p.reported {
		allowed = p.tolerance.Absolute + p.tolerance.Below*math.Abs(p.reported)
	}
	return math.Abs(p.ours-p.reported) / allowed
}

func (p pair) String() string {
	if p.missing() {
		return fmt.Sprintf("%s at %s: reported %s, ours none", p.of, p.at, digits(p.reported))
	}
	s := fmt.Sprintf("%s at %s: reported %s, ours %s", p.of, p.at, digits(p.reported), digits(p.ours))
	if p.tolerance.Absolute == 0 && p.reported != 0 {
		s += fmt.Sprintf(" (%+.1f %%)", 100*(p.ours-p.reported)/math.Abs(p.reported))
	}
	return s
}

// outside reports whether a value at a place is outside its tolerance.
func (c *comparison) outside(at string) bool {
	return slices.ContainsFunc(c.pairs, func(p pair) bool { return p.at == at && (p.missing() || !p.within()) })
}

// reversed returns two values of the same kind whose reported order is the
// opposite of ours, both by more than the resolution.
func (c *comparison) reversed() (a, b pair, ok bool) {
	for i, a := range c.pairs {
		for _, b := range c.pairs[i+1:] {
			if a.of != b.of || a.missing() || b.missing() {
				continue
			}
			if c.order(a.reported, b.reported)*c.order(a.ours, b.ours) < 0 {
				return a, b, true
			}
		}
	}
	return pair{}, pair{}, false
}

// order is -1, 0 or 1 for x below, about equal to or above y.
func (c *comparison) order(x, y float64) int {
	limit := 2 * c.resolution * max(math.Abs(x), math.Abs(y))
	switch {
	case x-y > limit:
		return 1
	case y-x > limit:
		return -1
	}
	return 0
}

// shown bounds how many values an explanation names.
const shown = 3

// verdict judges the comparison and says why.
func (c *comparison) verdict() (Verdict, string) {
	var outside []pair
	farthest, missing := c.pairs[0], 0
	for _, p := range c.pairs {
		if p.missing() {
			missing++
		}
		if p.missing() || !p.within() {
			outside = append(outside, p)
		}
		if !p.missing() && (farthest.missing() || p.excess() > farthest.excess()) {
			farthest = p
		}
	}
	known := ""
	for _, p := range c.pairs {
		if p.known != "" {
			known += fmt.Sprintf(". Known discrepancy: %v; %s", p, p.known)
		}
	}
	if len(outside) == 0 {
		return Reproduced, fmt.Sprintf("all %d values are within the tolerance, the farthest %v%s", len(c.pairs), farthest, known)
	}
	var names []string
	for _, p := range outside[:min(shown, len(outside))] {
		names = append(names, p.String())
	}
	if more := len(outside) - shown; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	why := fmt.Sprintf("%d of %d values outside the tolerance: %s", len(outside), len(c.pairs), strings.Join(names, "; "))
	switch a, b, reversed := c.reversed(); {
	case missing > 0, len(c.pairs) == 1: // one value has no order to keep
		return NotReproduced, why + known
	case reversed:
		return NotReproduced, fmt.Sprintf("%s; the order of %s at %s and %s is reversed%s", why, a.of, a.at, b.at, known)
	}
	return Shape, why + orderHolds + known
}

const orderHolds = "; the order of the values holds"

// claim fills in what follows from the comparison. On a trace that is not
// recorded there is nothing to reproduce, and the verdict says so.
func (c *comparison) claim(base Claim, recorded bool) Claim {
	base.Reported, base.Reproduced = c.values()
	base.Verdict, base.Why = c.verdict()
	if !recorded {
		base = base.withoutRecordings()
	}
	return base
}

// orderMeansNothing takes a verdict back that rests on an order of values which
// have none, such as what should all be the same.
func (c Claim) orderMeansNothing() Claim {
	if c.Verdict == Shape {
		c.Verdict, c.Why = NotReproduced, strings.Replace(c.Why, orderHolds, "", 1)
	}
	return c
}

// because adds what is known about the cause, unless nothing needs one.
func (c Claim) because(cause string) Claim {
	if c.Verdict != Reproduced && cause != "" {
		c.Why += ". Cause: " + cause
	}
	return c
}

// withoutRecordings takes a verdict back that was found on a generated trace.
func (c Claim) withoutRecordings() Claim {
	c.Why = fmt.Sprintf("the recordings are missing: the bundled trace is generated and can neither confirm nor refute a measurement. On it the verdict would be %s: %s", c.Verdict, c.Why)
	c.Verdict = NotReproducible
	return c
}
