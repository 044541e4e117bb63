package live_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eevee/live"
	"eevee/live/emulator"
	"eevee/models"
	"eevee/traces"
)

// steady takes the time that it says, and reports its steps.
func steady(ctx context.Context, payload []byte) ([]byte, error) {
	var in struct{ Instance, Of, Left int }
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, err
	}
	i := emulator.InvocationOf(ctx)
	i.Duration = 40 * time.Millisecond
	if i.Cold {
		i.Init = 100 * time.Millisecond
	}
	return []byte(`{"steps": {"read_s": 0.01, "compute_s": 0.02, "write_s": 0.005}}`), nil
}

func execute(t *testing.T, c *live.Client, r live.Request) (live.Outcome, error) {
	t.Helper()
	s, err := live.Prepare(t.Context(), c, r)
	if err != nil {
		t.Fatal(err)
	}
	return s.Execute(t.Context(), nil)
}

// A session leaves the account as it found it, its bill is that of the account,
// and its rows say what happened.
func TestProfileCopies(t *testing.T) { testProfile(t, false) }

// The same on the functions themselves.
func TestProfileInPlace(t *testing.T) { testProfile(t, true) }

func testProfile(t *testing.T, inPlace bool) {
	l := newLab(t, emulator.Options{Settle: 3 * time.Millisecond}, steady)
	r := l.request()
	r.InPlace = inPlace
	out, err := execute(t, l.open(settings), r)
	if err != nil {
		t.Fatal(err)
	}
	l.untouched()
	if !out.Restored.Done {
		t.Error("not restored")
	}
	bill := l.emulator.Bill()
	if got, want := out.Spend.BilledUSD, bill.USD(); math.Abs(got-want) > 1e-12 || out.Spend.UnknownUSD != 0 {
		t.Errorf("spent %v USD and %v unknown, the account was charged %v", got, out.Spend.UnknownUSD, want)
	}
	const invocations = 3*4 + 3*3
	if out.Invocations != invocations || len(bill.Invocations) != invocations {
		t.Errorf("%d invocations answered, %d charged, want %d", out.Invocations, len(bill.Invocations), invocations)
	}
	rows := l.rows()
	runs := 0
	for _, row := range rows {
		if row.Statistic == traces.Run {
			runs++
			continue
		}
		if *row.Read != 0.01 || math.Abs(*row.Compute-0.025) > 1e-12 || *row.Write != 0.005 {
			t.Errorf("steps %v, %v, %v s, want those reported, and what is left of 40 ms as computing", *row.Read, *row.Compute, *row.Write)
		}
		if row.Status == nil || *row.Status != "success" || *row.DurationUS != 40_000 {
			t.Errorf("row %+v", row)
		}
	}
	if runs != 6 || len(rows) != runs+invocations {
		t.Errorf("%d rows, %d of runs; want %d and 6", len(rows), runs, 6+invocations)
	}
	p, err := models.NewProfile(l.def, rows)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"2x256MB", "1x512MB", "1x512MB"} {
		if o := p.Warm(i)[0]; o.Config.String() != want || len(p.Warm(i)) != 4 {
			t.Errorf("stage %d: %d warm observations, the first of %v, want 4 and %s", i, len(p.Warm(i)), o.Config, want)
		}
	}
	if left, err := live.Journals(r.Journals); err != nil || len(left) > 0 {
		t.Errorf("journals left: %q, %v", left, err)
	}
	if _, err := os.Stat(r.Output + ".lock"); err == nil {
		t.Error("the lock of the trace is left")
	}
	// A name is used once, on this machine and in a trace.
	c := l.open(settings)
	if _, err := execute(t, c, r); err == nil || !strings.Contains(err.Error(), "holds executions of a session of the name test") {
		t.Errorf("error %v", err)
	}
	other := r
	other.Output = filepath.Join(l.dir, "other.parquet")
	if _, err := execute(t, c, other); err == nil || !strings.Contains(err.Error(), "there has been a session of this name") {
		t.Errorf("error %v", err)
	}
	// A second session adds to the trace.
	r.Run, r.Runs = again, 1
	if _, err := execute(t, c, r); err != nil {
		t.Fatal(err)
	}
	l.untouched()
	if more := len(l.rows()) - len(rows); more != 2*(4+1)+2*(3+1) {
		t.Errorf("%d rows were added", more)
	}
}
