package asl_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"eevee/models/asl"
)

// walker executes a machine as data would have it, and keeps count: an
// executor of its own, to check what Learn makes of the counts.
type walker struct {
	random *rand.Rand
	way    func(s *asl.State, visit int) int // index into Successors
	width  func(s *asl.State) int
	count  map[string]int            // invocations by function
	taken  map[string]map[string]int // ways by Choice
}

func (w *walker) graph(g *asl.Graph) {
	visits := make(map[*asl.State]int)
	for s := g.Start; s != nil; {
		next := s.Next
		switch s.Type {
		case asl.Task:
			w.count[s.Function]++
		case asl.Parallel:
			for _, b := range s.Branches {
				w.graph(b)
			}
		case asl.Map:
			for range w.width(s) {
				w.graph(&s.Items.Processor)
			}
		case asl.Choice:
			next = s.Successors(false)[w.way(s, visits[s])]
			visits[s]++
			if w.taken[s.ID] == nil {
				w.taken[s.ID] = make(map[string]int)
			}
			w.taken[s.ID][next.Name]++
		}
		s = next
	}
}

// history walks through a machine n times.
func history(m *asl.Machine, n int, w *walker) []asl.Counts {
	w.taken = make(map[string]map[string]int)
	var all []asl.Counts
	for range n {
		w.count = make(map[string]int)
		w.graph(&m.Graph)
		all = append(all, asl.Counts{Functions: w.count})
	}
	return all
}

// application has branches, a Map, a loop in a loop and a Choice within a
// branch within a Choice.
var application = `{"StartAt": "f1", "States": {
	"f1": {"Type": "Task", "Resource": "arn:aws:lambda:r:1:function:f1", "Next": "P"},
	"P": {"Type": "Parallel", "Next": "M", "Branches": [
		{"StartAt": "q1", "States": {
			"q1": {"Type": "Choice", "Choices": [{"Next": "f2"}], "Default": "P2"},
			"f2": {"Type": "Task", "Resource": "arn:aws:lambda:r:1:function:f2", "End": true},
			"P2": {"Type": "Parallel", "End": true, "Branches": [` + graphText("f3") + `, ` + graphText("q5?f4,f5", "f4", "f5") + `]}}},
		` + graphText("f6>q2", "q2?f7,f8", "f7>f9", "f9>q3", "q3?f10,f9", "f10>f11", "f8>f11", "f11>q4", "q4?f6,f12", "f12") + `]},
	"M": {"Type": "Map", "End": true, "Iterator": ` + graphText("f13>q6", "q6?f14,f15", "f14", "f15") + `}}}`

// From the counts of functions alone follow the ways of every Choice, also
// inside loops, branches and Maps, and the widths of the Map: exactly, as
// often as they were taken.
func TestLearnFindsEveryWay(t *testing.T) {
	m := parse(t, application)
	random := rand.New(rand.NewPCG(1, 2))
	p := map[string]float64{"q1": 0.6, "q2": 0.8, "q3": 0.7, "q4": 0.25, "q5": 0.5, "q6": 0.9}
	widths := make(map[int]int)
	w := &walker{random: random,
		way: func(s *asl.State, _ int) int {
			if random.Float64() < p[s.ID] {
				return 0
			}
			return 1
		},
		width: func(*asl.State) int { n := 1 + random.IntN(4); widths[n]++; return n },
	}
	const n = 500
	l := asl.Learn(m, history(m, n, w))
	if l.Executions != n || l.Inconsistent != 0 || len(l.Notes) != 0 {
		t.Errorf("%d executions used, %d inconsistent, notes %q", l.Executions, l.Inconsistent, l.Notes)
	}
	for id, ways := range w.taken {
		o := l.Choices[id]
		total := 0
		for _, count := range ways {
			total += count
		}
		for k, share := range o.Pooled() {
			if got := share * float64(total); !cmp.Equal(got, float64(ways[o.To[k]]), cmpopts.EquateApprox(1e-9, 0)) {
				t.Errorf("%s goes to %s %v times, want %d", id, o.To[k], got, ways[o.To[k]])
			}
		}
	}
	for i, items := range l.Widths["M"].Items {
		if got := l.Widths["M"].P[i] * n; !cmp.Equal(got, float64(widths[items]), cmpopts.EquateApprox(1e-9, 0)) {
			t.Errorf("the Map has %d items %v times, want %d", items, got, widths[items])
		}
	}
	if err := l.Check(m); err != nil {
		t.Error(err)
	}
	if unknown := l.Unknown(m); len(unknown) != 0 {
		t.Errorf("unknown: %q", unknown)
	}
}

// A loop that counts runs always equally often, which odds over all visits
// cannot say: they are kept by visit.
func TestLearnKeepsOddsByVisit(t *testing.T) {
	m := parse(t, graphText("a>q", "q?a,b", "b"))
	rounds := 0
	w := &walker{way: func(_ *asl.State, visit int) int {
		if visit < 2 {
			return 0
		}
		rounds++
		return 1
	}}
	l := asl.Learn(m, history(m, 100, w))
	want := asl.Odds{To: []string{"a", "b"}, P: [][]float64{{1, 0}, {1, 0}, {0, 1}}, N: []int{100, 100, 100}}
	if diff := cmp.Diff(want, l.Choices["q"]); diff != "" || rounds != 100 {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := edges(t, m, &l.Behaviour, asl.LowerOptions{}); len(got) != 4 {
		t.Errorf("lowers to %q, want three rounds", got)
	}
}

// Where no function tells ways apart nothing is guessed, and executions that
// no way explains are left out.
func TestLearnSaysWhatItCannotTell(t *testing.T) {
	m := parse(t, `{"StartAt": "q", "States": {"q": {"Type": "Choice", "Choices": [{"Next": "x"}], "Default": "y"},
		"x": {"Type": "Pass", "Next": "a"}, "y": {"Type": "Pass", "Next": "a"}, "a": {"Type": "Task", "Resource": "${A}", "End": true}}}`)
	l := asl.Learn(m, []asl.Counts{{Functions: map[string]int{"${A}": 1}}, {Functions: map[string]int{"${A}": 2}}, {}})
	if l.Executions != 1 || l.Inconsistent != 2 || len(l.Choices) != 0 {
		t.Errorf("%d used, %d inconsistent, choices %v", l.Executions, l.Inconsistent, l.Choices)
	}
	if want := []string{`Choice "q": the recorded functions do not tell its ways apart`}; !cmp.Equal(want, l.Notes) {
		t.Errorf("notes %q, want %q", l.Notes, want)
	}
	if want := []string{`how often Choice "q" takes which way (choices)`}; !cmp.Equal(want, l.Unknown(m)) {
		t.Errorf("unknown %q, want %q", l.Unknown(m), want)
	}
	// The names of states tell what functions do not.
	l = asl.Learn(m, []asl.Counts{{States: map[string]int{"x": 1, "y": 0, "a": 1}}, {States: map[string]int{"x": 0, "y": 1, "a": 1}}})
	if got := l.Choices["q"]; l.Executions != 2 || got.P[0][0] != 0.5 {
		t.Errorf("%d used, odds %v", l.Executions, got)
	}
}

// Two states that share a function are told apart by the rest of the counts.
func TestLearnWithASharedFunction(t *testing.T) {
	text := strings.ReplaceAll(graphText("a>q", "q?b,c", "b>d", "c", "d"), "function:d", "function:a")
	m := parse(t, text)
	l := asl.Learn(m, []asl.Counts{{Functions: map[string]int{"a": 2, "b": 1}}, {Functions: map[string]int{"a": 1, "c": 1}}, {Functions: map[string]int{"a": 1, "b": 1}}})
	if got := l.Choices["q"]; l.Executions != 2 || l.Inconsistent != 1 || got.P[0][0] != 0.5 {
		t.Errorf("%d used, %d inconsistent, odds %v", l.Executions, l.Inconsistent, got)
	}
}

func TestBehaviourRefusals(t *testing.T) {
	m := parse(t, graphText("a>q", "q?a,b", "b"))
	for _, c := range []struct{ body, want string }{
		{`"choices": {"x": {"to": [], "p": [[]]}}`, `choices: the machine has no Choice state "x"`},
		{`"choices": {"a": {"to": [], "p": [[]]}}`, `choices: the machine has no Choice state "a"`},
		{`"choices": {"q": {"to": ["a", "b"], "p": [[0.5, 0.6]]}}`, `choices of "q": the probabilities add up to 1.1, not 1`},
		{`"choices": {"q": {"to": ["a", "z"], "p": [[0.5, 0.5]]}}`, `choices of "q": it does not lead to "z"`},
		{`"choices": {"q": {"to": ["a", "b"], "p": [[1]]}}`, `choices of "q": 1 probabilities for 2 states`},
		{`"choices": {"q": {"to": ["a", "b"], "p": []}}`, `choices of "q": 0 rows p and 0 of n`},
		{`"widths": {"q": {"items": [1], "p": [1]}}`, `widths: the machine has no Map state "q"`},
		{`"waits_s": {"q": 1}`, `waits_s: the machine has no dynamic Wait "q", and no Task of this name that invokes no function`},
		{`"delays": {"start_s": {"n": 1, "values": [2, 1]}}`, `delays: start_s: values ascend and are finite; value 2 is 1`},
		{`"delay": {}`, `not a behaviour: json: unknown field "delay"`},
	} {
		_, err := asl.ParseBehaviour("b.json", fmt.Appendf(nil, `{"schema": "eevee.behaviour/1", %s}`, c.body), m)
		if err == nil || err.Error() != "b.json: "+c.want {
			t.Errorf("%s:\n got %v\nwant b.json: %s", c.body, err, c.want)
		}
	}
	if _, err := asl.ParseBehaviour("b.json", []byte(`{}`), m); err == nil || err.Error() != `b.json: schema "" is not "eevee.behaviour/1"` {
		t.Errorf("error %v", err)
	}
}
