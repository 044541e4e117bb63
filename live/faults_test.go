package live_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"eevee/live"
	"eevee/live/emulator"
	"eevee/models"
	"eevee/traces"
)

// hasty are the settings of tests in which calls hang.
func hasty() live.Settings {
	s := settings
	s.CallTimeout, s.Attempts = 250*time.Millisecond, 3
	return s
}

// mode is a way to execute a workflow.
type mode string

const (
	onCopies  mode = "copies"
	inPlace   mode = "in place"
	byMachine mode = "state machine"
)

// small is a session of few calls of every kind.
func (l *lab) small(how mode) live.Request {
	r := l.request()
	if how == byMachine {
		if l.arn == "" {
			l.arn = l.machine(labMachine)
		}
		r = l.byMachine(l.arn, twoParts)
	}
	at := func(left int) models.Config {
		return models.Config{l.def.StageConfig(left, 2), l.def.StageConfig(256, 1), l.def.StageConfig(512, 1)}
	}
	r.Configs, r.Runs, r.WarmUps, r.InPlace = []models.Config{at(256), at(512)}, 1, 0, how == inPlace
	// Enough for one execution and a part of another one at its worst.
	r.MaxSpendUSD = 1.7 * 11 * (2*0.5 + 0.25 + 0.5) * 1.66667e-5
	if how == byMachine {
		r.MaxSpendUSD += 1.7 * 6 * 2.5e-5
	}
	return r
}

// site is a call of a session that can fail.
type site struct {
	operation string
	nth       int
}

// sites returns every call that a clean session makes.
func sites(t *testing.T, how mode) []site {
	l := newLab(t, emulator.Options{}, steady)
	r := l.small(how)
	before := len(l.emulator.Calls())
	if _, err := execute(t, l.open(settings), r); err != nil {
		t.Fatal(err)
	}
	var all []site
	seen := make(map[string]int)
	for _, c := range l.emulator.Calls()[before:] {
		seen[c.Operation]++
		all = append(all, site{c.Operation, seen[c.Operation]})
	}
	l.untouched()
	return all
}

// allFaults lets every call fail in every way. That takes a minute of CPU; by
// default every call fails in two of eight ways, which change from call to call.
var allFaults = flag.Bool("all-faults", false, "let every call fail in every way")

// Whatever call fails, and however: the account is as it was when the session
// ends or when it is restored after that, it was not charged more than the cap,
// the bill is kept, and the trace can be read.
func TestFaultsAtEveryCall(t *testing.T) {
	for _, how := range []mode{onCopies, inPlace, byMachine} {
		t.Run(string(how), func(t *testing.T) {
			all := sites(t, how)
			if len(all) < 30 {
				t.Fatalf("only %d calls", len(all))
			}
			every := 4
			switch {
			case *allFaults:
				every = 1
			case testing.Short():
				every = 16
			}
			for n, at := range all {
				for k, kind := range emulator.Kinds() {
					if (n+k)%every != 0 {
						continue
					}
					t.Run(fmt.Sprintf("%s %d %s", at.operation, at.nth, kind), func(t *testing.T) {
						t.Parallel()
						faulty(t, how, emulator.Fault{Operation: at.operation, Nth: at.nth, Kind: kind})
					})
				}
			}
		})
	}
}

// The same where a call fails from some time on for good: then nothing can be
// restored before the fault is over.
func TestLastingFaults(t *testing.T) {
	for _, kind := range []emulator.Kind{emulator.Throttle, emulator.ServerError, emulator.LateReset, emulator.Expired} {
		for nth := 3; nth < 50; nth += 12 {
			t.Run(fmt.Sprintf("%s from call %d on", kind, nth), func(t *testing.T) {
				t.Parallel()
				faulty(t, []mode{onCopies, inPlace, byMachine}[nth/12%3], emulator.Fault{Nth: nth, Every: 1, Kind: kind})
			})
		}
	}
}

func faulty(t *testing.T, how mode, f emulator.Fault) {
	l := newLab(t, emulator.Options{}, steady)
	r := l.small(how)
	l.emulator.Inject(f)
	out, err := l.attempt(r)
	text := fmt.Sprintf("%v %+v", err, out)
	for _, word := range []string{secret, emulator.Secret, `"instance"`, "read_s"} {
		if strings.Contains(text, word) {
			t.Errorf("%q got out: %s", word, text)
		}
	}
	l.emulator.Heal()
	l.restored(r)
	charged := l.emulator.Bill().USD()
	if charged > r.MaxSpendUSD {
		t.Errorf("the account was charged %v USD, the cap is %v", charged, r.MaxSpendUSD)
	}
	if low, high := out.Spend.BilledUSD, out.Spend.BilledUSD+out.Spend.UnknownUSD; charged < low-1e-12 || charged > high+1e-12 {
		t.Errorf("the account was charged %v USD, the session says %v to %v", charged, low, high)
	}
	if _, err := os.Stat(r.Output); err != nil {
		return // no execution ended
	}
	whole := 0.0
	for _, row := range l.rows() {
		if row.Statistic == traces.Run {
			whole += *row.CostUSD
		}
	}
	if math.Abs(whole-out.Spend.BilledUSD) > 1e-12 {
		t.Errorf("the runs of the trace cost %v USD, the session was billed %v", whole, out.Spend.BilledUSD)
	}
}

// attempt runs a session that may fail anywhere.
func (l *lab) attempt(r live.Request) (live.Outcome, error) {
	l.t.Helper()
	s := hasty()
	c, err := l.tryOpen(s)
	if err != nil {
		return live.Outcome{}, err
	}
	defer c.Close()
	session, err := live.Prepare(l.t.Context(), c, r)
	if err != nil {
		return live.Outcome{}, err
	}
	return session.Execute(l.t.Context(), nil)
}

// restored restores whatever is left to restore, and checks that the account is
// as it was.
func (l *lab) restored(r live.Request) {
	l.t.Helper()
	left, err := live.Journals(r.Journals)
	if err != nil {
		l.t.Fatal(err)
	}
	c := l.open(settings)
	for _, path := range left {
		again, err := live.Restore(l.t.Context(), c, path)
		if err != nil || !again.Done || len(again.Left) > 0 {
			l.t.Errorf("%+v, %v", again, err)
		}
		if again, err = live.Restore(l.t.Context(), c, path); err != nil || len(again.Did) > 0 {
			l.t.Errorf("restored twice: %+v, %v", again, err)
		}
	}
	l.untouched()
	if l.arn == "" {
		return
	}
	if names := l.machines(); len(names) != 1 {
		l.t.Errorf("state machines %q are left", names)
	}
}
