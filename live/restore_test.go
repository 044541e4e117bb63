package live_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"eevee/live"
	"eevee/live/emulator"
)

// abandoned is a lab whose session could undo nothing: with its first invocation
// its credentials expired. It returns the journal.
func abandoned(t *testing.T, how mode) (*lab, string) {
	t.Helper()
	var l *lab
	var once sync.Once
	l = newLab(t, emulator.Options{OnCall: func(c emulator.Call) {
		if c.Operation == "Invoke" {
			once.Do(func() { l.emulator.Inject(emulator.Fault{Every: 1, Kind: emulator.Expired}) })
		}
	}}, steady)
	r := l.small(how)
	out, err := execute(t, l.open(settings), r)
	if err == nil || !strings.Contains(err.Error(), "credentials have expired") || !strings.Contains(err.Error(), "eevee live restore") || out.Restored.Done {
		t.Fatalf("%+v, %v", out, err)
	}
	l.emulator.Heal()
	left, err := live.Journals(r.Journals)
	if err != nil || len(left) != 1 {
		t.Fatalf("%q, %v", left, err)
	}
	return l, left[0]
}

// A journal is restored in its own account only.
func TestRestoreRefusesOtherAccounts(t *testing.T) {
	l, journal := abandoned(t, onCopies)
	for _, o := range []emulator.Options{{Account: "210987654321"}, {Region: "eu-west-1"}} {
		e, err := emulator.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		other := &lab{t: t, emulator: e}
		s := settings
		if o.Region != "" {
			s.Region = o.Region
		}
		c, err := other.tryOpen(s)
		if err != nil {
			t.Fatal(err)
		}
		before := len(e.Calls())
		if _, err := live.Restore(t.Context(), c, journal); err == nil || !strings.Contains(err.Error(), "nothing was done") {
			t.Errorf("error %v", err)
		}
		c.Close()
		if calls := e.Calls()[before:]; len(calls) > 0 {
			t.Errorf("called %+v", calls)
		}
	}
	l.restored(l.small(onCopies))
}

// What somebody else has set since is left as it is, and named; what is ours is
// undone all the same.
func TestRestoreLeavesOthersChanges(t *testing.T) {
	l, journal := abandoned(t, inPlace)
	if _, err := l.sdk().UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("fn-left"), MemorySize: aws.Int32(999)}); err != nil {
		t.Fatal(err)
	}
	r, err := live.Restore(t.Context(), l.open(settings), journal)
	if err != nil || !r.Done {
		t.Fatalf("%+v, %v", r, err)
	}
	if len(r.Left) == 0 || !strings.Contains(r.Left[0], "function fn-left is left as it is: it has 999 MB, which eevee did not set; it had 128 MB before") {
		t.Errorf("left %q", r.Left)
	}
	for i := range l.before {
		if l.before[i].Name == "fn-left" {
			l.before[i].MemoryMB = 999
		}
	}
	l.untouched()
}

// A function that has the name of a copy but not our tags is neither used nor
// deleted.
func TestForeignFunctionIsLeft(t *testing.T) {
	l := newLab(t, emulator.Options{}, steady)
	create(t, l.sdk(), "eevee-"+run+"-fn-left", "")
	l.before = l.functions()
	out, err := execute(t, l.open(settings), l.small(onCopies))
	if err == nil || !strings.Contains(err.Error(), "cannot be copied") {
		t.Errorf("error %v", err)
	}
	if left := out.Restored.Left; len(left) != 1 || !strings.Contains(left[0], "does not bear the tag") {
		t.Errorf("left %q", left)
	}
	l.untouched()
}

// A throttled invocation is made again, and counted; one whose answer is lost is
// not, and keeps what is reserved for it.
func TestThrottledAndLost(t *testing.T) {
	l := newLab(t, emulator.Options{}, steady)
	l.emulator.Inject(emulator.Fault{Operation: "Invoke", Nth: 2, Kind: emulator.Throttle})
	out, err := execute(t, l.open(settings), l.request())
	if err != nil || out.Retried != 1 || out.Lost != 0 || len(l.emulator.Bill().Invocations) != out.Invocations {
		t.Errorf("%+v, %v", out, err)
	}
	l = newLab(t, emulator.Options{}, steady)
	l.emulator.Inject(emulator.Fault{Operation: "Invoke", Nth: 2, Kind: emulator.LateReset})
	out, err = execute(t, l.open(settings), l.request())
	bill := l.emulator.Bill()
	if err != nil || out.Lost != 1 || len(bill.Invocations) != out.Invocations+1 || out.Executions[0].Status != "failed" {
		t.Errorf("%+v, %v", out, err)
	}
	// 512 or 256 MB for 1 s of timeout and 10 s of start.
	if u := out.Spend.UnknownUSD; u < 11*0.25*1.66667e-5 || u > 11*0.5*1.66667e-5+1e-6 {
		t.Errorf("%v USD are kept", u)
	}
}
