package live_test

import (
	"slices"
	"testing"

	"eevee/live"
	"eevee/live/emulator"
)

// The policy allows every call of a session, on what it is made on, and hardly
// anything else: what is never called is what AWS asks for beside a call, or
// what takes a failure first.
func TestPolicyAllowsWhatIsCalled(t *testing.T) {
	seldom := []string{"lambda:TagResource", "iam:PassRole", "states:TagResource", "lambda:GetAlias", "states:StopExecution"}
	for _, c := range []struct{ machine, inPlace bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
		l := newLab(t, emulator.Options{}, steady)
		r := l.request()
		o := live.PolicyOptions{Account: "123456789012", Region: "us-east-1", Functions: []string{"fn-left", "fn-right", "fn-join"}, Role: "lab", InPlace: c.inPlace}
		if c.machine {
			r = l.byMachine(l.machine(labMachine), twoParts)
			o.Machine = "lab"
		}
		r.InPlace = c.inPlace
		before := len(l.emulator.Calls())
		client := l.open(settings)
		if _, err := execute(t, client, r); err != nil {
			t.Fatal(err)
		}
		var allowed, called []string
		for _, s := range live.Policy(o).Statement {
			allowed = append(allowed, s.Action...)
			if len(s.Resource) == 0 {
				t.Errorf("%s is about nothing", s.Sid)
			}
		}
		for _, call := range l.emulator.Calls()[before:] {
			action := call.Service + ":" + call.Operation
			if action == "lambda:Invoke" {
				action = "lambda:InvokeFunction"
			}
			if called = append(called, action); !slices.Contains(allowed, action) {
				t.Errorf("%+v: %s is called and not allowed", c, action)
			}
		}
		for _, action := range allowed {
			if !slices.Contains(called, action) && !slices.Contains(seldom, action) {
				t.Errorf("%+v: %s is allowed and never called", c, action)
			}
		}
	}
}
