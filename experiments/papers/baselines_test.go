package papers

import (
	"context"
	"strings"
	"testing"

	"eevee/experiments"
	"eevee/internal/recordings"
)

func baselineFindings(t *testing.T, ids ...string) Findings {
	t.Helper()
	found, err := Reproduce(context.Background(), selected(t, ids...), quickOptions(experiments.Sources{Recordings: recordings.Dir(t)}))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Every system answers with the configuration that the artifact is known to
// answer with, in its own space, on every workflow and under every bound; what
// else is not reproduced has its cause.
func TestBaselinesOfFigure9(t *testing.T) {
	f := baselineFindings(t, "baselines")
	configs := 0
	for _, c := range f.Claims().Claims {
		if c.Verdict != Reproduced && !strings.Contains(c.Why, "Cause: ") {
			t.Errorf("%s: %s without a cause: %s", c.ID, c.Verdict, c.Why)
		}
		if c.Unit != "instances, vCPU" {
			continue
		}
		configs++
		if c.Verdict != Reproduced {
			t.Errorf("%s: %s, %s", c.ID, c.Verdict, c.Why)
		}
	}
	if configs != 3*(1+2+5) {
		t.Errorf("%d configurations, want those of Caerus, two of Ditto and five of Orion for three workflows", configs)
	}
}

// The golden of Figure 15, the fits of Figure 11 and the replay of all queries
// come out; Ditto is better than NIMBLE everywhere.
func TestDittoQueries(t *testing.T) {
	f := baselineFindings(t, "ditto")
	for _, id := range []string{"ditto.fig11", "ditto.fig15.parallelism", "ditto.fig15.starts", "ditto.fig15.nimble", "ditto.jct.replay", "ditto.cost.replay"} {
		if c := claimOf(t, f, id); c.Verdict != Reproduced {
			t.Errorf("%s: %s, %s", id, c.Verdict, c.Why)
		}
	}
	for _, q := range f.Findings[0].Rows.(ScheduledQueries).Rows {
		if q.Ditto.JCT >= q.Nimble.JCT || q.Ditto.CostGBs >= q.Nimble.CostGBs {
			t.Errorf("query %d on %s: Ditto %v, NIMBLE %v", q.Query, q.Setting, q.Ditto, q.Nimble)
		}
	}
}

// Without its profiles nothing about Ditto's queries is called reproduced, and
// the reason says what is missing.
func TestDittoQueriesWithoutProfiles(t *testing.T) {
	f, err := Reproduce(context.Background(), selected(t, "ditto"), quickOptions(experiments.Sources{Recordings: t.TempDir()}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Claims().Claims {
		if c.Verdict != NotReproducible || !strings.Contains(c.Why, "ditto-profiles") {
			t.Errorf("%s: %s, %s", c.ID, c.Verdict, c.Why)
		}
		for _, v := range c.Reproduced {
			if v.Value != nil {
				t.Errorf("%s: %v out of nothing", c.ID, v)
			}
		}
	}
}
