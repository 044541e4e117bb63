package live_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"eevee/live"
)

// Whatever is reserved, settled below its reservation or lost, in whatever
// order: what may have been charged never exceeds the cap, and what fits below
// it is let through.
func TestBillKeepsTheCap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := float64(rapid.IntRange(1, 1000).Draw(t, "cap"))
		b := live.NewBill(limit)
		var open []float64
		most := 0.0 // that may have been charged, computed apart
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				x := float64(rapid.IntRange(0, 300).Draw(t, "usd"))
				reserved := most
				for _, r := range open {
					reserved += r
				}
				err := b.Reserve(x)
				if fits := reserved+x <= limit; fits != (err == nil) || err != nil && !errors.Is(err, live.ErrCap) {
					t.Fatalf("reserved %v of %v, then %v: %v", reserved, limit, x, err)
				}
				if err == nil {
					open = append(open, x)
				}
			case 1, 2:
				if len(open) == 0 {
					continue
				}
				x := open[len(open)-1]
				open = open[:len(open)-1]
				if rapid.Bool().Draw(t, "lost") {
					b.Lose(x)
					most += x
					continue
				}
				was := float64(rapid.IntRange(0, int(x)).Draw(t, "billed"))
				b.Settle(x, was)
				most += was
			}
			if s := b.Spend(); s.BilledUSD+s.UnknownUSD != most || most > limit {
				t.Fatalf("%+v, want %v of %v", s, most, limit)
			}
		}
	})
}
