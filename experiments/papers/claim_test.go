package papers

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// compared returns a comparison of values of one kind.
func compared(t Tolerance, resolution float64, reportedAndOurs ...float64) *comparison {
	c := &comparison{resolution: resolution}
	for i := 0; i < len(reportedAndOurs); i += 2 {
		c.add(string(rune('a'+i/2)), "latency_s", reportedAndOurs[i], reportedAndOurs[i+1], t)
	}
	return c
}

// Every verdict can occur, and says what a reader needs.
func TestVerdicts(t *testing.T) {
	tenth := Tolerance{Below: 0.1, Above: 0.1}
	for name, test := range map[string]struct {
		c        *comparison
		recorded bool
		want     Verdict
		why      []string
	}{
		"equal":                    {compared(Tolerance{}, 0, 1, 1, 2, 2), true, Reproduced, []string{"all 2 values"}},
		"at the border":            {compared(tenth, 0, 10, 11, 20, 18), true, Reproduced, []string{"all 2 values"}},
		"farthest is named":        {compared(tenth, 0, 10, 10.1, 20, 21), true, Reproduced, []string{"at b: reported 20, ours 21 (+5.0 %)"}},
		"beyond, in order":         {compared(tenth, 0.02, 10, 10, 20, 30), true, Shape, []string{"1 of 2 values", "at b: reported 20, ours 30 (+50.0 %)", "order of the values holds"}},
		"beyond, about equal":      {compared(tenth, 0.02, 10, 13, 10.3, 12), true, Shape, []string{"order of the values holds"}},
		"beyond, ours a tie":       {compared(tenth, 0.02, 10, 15, 20, 15.1), true, Shape, []string{"2 of 2 values"}},
		"beyond, a single value":   {compared(tenth, 0.02, 10, 12), true, NotReproduced, []string{"1 of 1 values"}},
		"reversed":                 {compared(tenth, 0.02, 10, 20, 20, 10), true, NotReproduced, []string{"latency_s at a and b is reversed"}},
		"nothing was found":        {compared(tenth, 0.02, 10, 10, 20, math.NaN()), true, NotReproduced, []string{"at b: reported 20, ours none"}},
		"printed digits":           {compared(Tolerance{Absolute: 0.005}, 0, -6.07, -6.0733), true, Reproduced, nil},
		"one digit off":            {compared(Tolerance{Absolute: 0.005}, 0, -6.07, -6.08, 1, 1), true, Shape, nil},
		"nothing recorded":         {compared(tenth, 0, 1, 1), false, NotReproducible, []string{"recordings are missing", "would be reproduced"}},
		"nothing recorded, far":    {compared(tenth, 0.02, 10, 20, 20, 10), false, NotReproducible, []string{"would be not-reproduced", "reversed"}},
		"other kinds do not count": {both(compared(tenth, 0.02, 10, 20), "cost_usd", 20, 10, tenth), true, Shape, nil},
	} {
		t.Run(name, func(t *testing.T) {
			claim := test.c.claim(Claim{ID: "x"}, test.recorded)
			if claim.Verdict != test.want {
				t.Errorf("verdict %s, want %s: %s", claim.Verdict, test.want, claim.Why)
			}
			for _, part := range test.why {
				if !strings.Contains(claim.Why, part) {
					t.Errorf("why %q does not say %q", claim.Why, part)
				}
			}
			if len(claim.Reported) != len(test.c.pairs) || len(claim.Reproduced) != len(test.c.pairs) {
				t.Errorf("%d and %d values of %d", len(claim.Reported), len(claim.Reproduced), len(test.c.pairs))
			}
		})
	}
}

func both(c *comparison, of string, reported, ours float64, t Tolerance) *comparison {
	c.add("z", of, reported, ours, t)
	return c
}

// A known discrepancy is told whatever the verdict, and a cause only where there
// is something to explain.
func TestKnownDiscrepancyStaysVisible(t *testing.T) {
	tenth := Tolerance{Below: 0.1, Above: 0.1}
	for _, ours := range []float64{10, 20} {
		c := compared(tenth, 0, 10, ours)
		c.pairs[0].known = "the paper ran another configuration"
		claim := c.claim(Claim{}, true).because("bad luck")
		if !strings.Contains(claim.Why, "Known discrepancy: latency_s at a: reported 10") || !strings.Contains(claim.Why, "the paper ran another configuration") {
			t.Errorf("why %q hides the known discrepancy", claim.Why)
		}
		if explained := strings.Contains(claim.Why, "Cause: bad luck"); explained != (claim.Verdict != Reproduced) {
			t.Errorf("verdict %s, why %q", claim.Verdict, claim.Why)
		}
	}
}

// A missing value is null, and nothing else is.
func TestValues(t *testing.T) {
	reported, ours := compared(Tolerance{}, 0, 1, math.NaN(), 2, 3).values()
	if reported[0].Value == nil || *reported[0].Value != 1 || ours[0].Value != nil || ours[1].Value == nil || *ours[1].Value != 3 {
		t.Errorf("reported %v, ours %v", reported, ours)
	}
}

// The verdict does not depend on the unit: with relative tolerances, scaling all
// values changes nothing.
func TestVerdictHasNoUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(1, 100), 2, 12).Draw(t, "values")
		values = values[:len(values)/2*2]
		k := rapid.Float64Range(1e-3, 1e3).Draw(t, "k")
		scaled := make([]float64, len(values))
		for i, v := range values {
			scaled[i] = v * k
		}
		tolerance := Tolerance{Below: rapid.Float64Range(0, 0.5).Draw(t, "below"), Above: rapid.Float64Range(0, 0.5).Draw(t, "above")}
		before, _ := compared(tolerance, 0.02, values...).verdict()
		after, _ := compared(tolerance, 0.02, scaled...).verdict()
		if before != after {
			t.Fatalf("%s became %s with all values times %v", before, after, k)
		}
	})
}

// A wider tolerance never makes a verdict worse.
func TestWiderToleranceIsNeverWorse(t *testing.T) {
	rank := map[Verdict]int{}
	for i, v := range Verdicts() {
		rank[v] = i
	}
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(1, 100), 2, 12).Draw(t, "values")
		values = values[:len(values)/2*2]
		narrow := rapid.Float64Range(0, 0.5).Draw(t, "narrow")
		wide := narrow + rapid.Float64Range(0, 2).Draw(t, "wider")
		a, _ := compared(Tolerance{Below: narrow, Above: narrow}, 0.02, values...).verdict()
		b, _ := compared(Tolerance{Below: wide, Above: wide}, 0.02, values...).verdict()
		if rank[b] > rank[a] {
			t.Fatalf("%s with ±%v, %s with ±%v", a, narrow, b, wide)
		}
	})
}

func TestToleranceText(t *testing.T) {
	for want, tolerance := range map[string]Tolerance{
		"±0.005":         {Absolute: 0.005},
		"±6 %":           {Below: 0.06, Above: 0.06},
		"−14...+27 %":    {Below: 0.14, Above: 0.27},
		"up to 10 times": {Below: 1, Above: 9},
	} {
		if got := tolerance.String(); got != want {
			t.Errorf("%+v is %q, want %q", tolerance, got, want)
		}
	}
}
