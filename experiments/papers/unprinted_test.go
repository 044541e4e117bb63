package papers

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"eevee/experiments"
	"eevee/internal/recordings"
)

// Where a paper's times are not known, ours stand beside nothing, as times. All work
// takes 3 ms by the clock, and that of many decisions is shared out.
func TestUnprintedTimes(t *testing.T) {
	o := quickOptions(experiments.Sources{Recordings: recordings.Dir(t)})
	var c ticking
	o.Clock = c.clock()
	o.Clock.CPU = func() time.Duration { c.cpu += 3 * time.Millisecond; return c.cpu }
	f, err := Reproduce(context.Background(), selected(t, "janus-overhead", "ditto-overhead"), o)
	if err != nil {
		t.Fatal(err)
	}
	for id, values := range map[string]int{"janus-overhead": 2, "ditto-overhead.schedule": 4, "ditto-overhead.model": 4} {
		c := claimOf(t, f, id)
		if c.Verdict != NotReproducible || !c.Timed || len(c.Reproduced) != values {
			t.Errorf("%s: %s, timed %v, %d values", id, c.Verdict, c.Timed, len(c.Reproduced))
		}
		for k, v := range c.Reproduced {
			want := 0.003
			if v.Of == "decision_s" {
				want /= float64(newJanusOverhead().Decisions)
			}
			if c.Reported[k].Value != nil || v.Value == nil || math.Abs(*v.Value/want-1) > 1e-9 {
				t.Errorf("%s: %s of %s: reported %v, ours %v", id, v.Of, v.At, c.Reported[k].Value, *v.Value)
			}
		}
	}
}

// Without profiles there is nothing to schedule, and no time of it.
func TestDittoOverheadWithoutProfiles(t *testing.T) {
	f, err := Reproduce(context.Background(), selected(t, "ditto-overhead"), quickOptions(experiments.Sources{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Claims().Claims {
		if c.Timed || !strings.Contains(c.Why, dittoProfiles) {
			t.Errorf("%s: timed %v, %s", c.ID, c.Timed, c.Why)
		}
	}
}
