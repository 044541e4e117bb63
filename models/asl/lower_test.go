package asl_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eevee/models/asl"
)

// graphText returns a machine in which every named state is a Task on a
// function of that name, "x>y" leads from x to y, "x?y,z" is a Choice, and the
// first one starts.
func graphText(states ...string) string {
	var parts []string
	for _, s := range states {
		if name, ways, ok := strings.Cut(s, "?"); ok {
			var rules []string
			for to := range strings.SplitSeq(ways, ",") {
				rules = append(rules, fmt.Sprintf(`{"Next": %q}`, to))
			}
			parts = append(parts, fmt.Sprintf(`%q: {"Type": "Choice", "Choices": [%s]}`, name, strings.Join(rules, ", ")))
			continue
		}
		name, next, ok := strings.Cut(s, ">")
		end := `"End": true`
		if ok {
			end = fmt.Sprintf(`"Next": %q`, next)
		}
		parts = append(parts, fmt.Sprintf(`%q: {"Type": "Task", "Resource": "arn:aws:lambda:r:1:function:%s", %s}`, name, name, end))
	}
	first, _, _ := strings.Cut(strings.NewReplacer("?", ">").Replace(states[0]), ">")
	return fmt.Sprintf(`{"StartAt": %q, "States": {%s}}`, first, strings.Join(parts, ",\n"))
}

func odds(to []string, p ...float64) asl.Odds { return asl.Odds{To: to, P: [][]float64{p}} }

// edges lists the stages of a workflow with what they come after.
func edges(t *testing.T, m *asl.Machine, b *asl.Behaviour, o asl.LowerOptions) []string {
	t.Helper()
	l, err := asl.Lower(m, b, o)
	if err != nil {
		return strings.Split(err.Error(), "\n")
	}
	var list []string
	for i := range l.Workflow.Len() {
		s := l.Workflow.Stage(i)
		width := ""
		if s.MaxParallelism > 1 {
			width = fmt.Sprintf(" x%d", s.MaxParallelism)
		}
		list = append(list, strings.TrimRight(fmt.Sprintf("%s%s: %s", s.Name, width, strings.Join(s.After, " ")), " "))
	}
	return list
}

func TestLower(t *testing.T) {
	for _, c := range []struct {
		name, text string
		b          asl.Behaviour
		o          asl.LowerOptions
		want       []string
	}{
		{name: "a row", text: graphText("a>b", "b>c", "c"), want: []string{"a:", "b: a", "c: b"}},
		{name: "ways stand side by side and join", text: graphText("a>q", "q?b,c", "b>d", "c>d", "d"),
			want: []string{"a:", "b: a", "c: a", "d: b c"}},
		{name: "a way that skips a stage adds no edge", text: graphText("a>q", "q?b,c", "b>c", "c"),
			want: []string{"a:", "b: a", "c: b"}},
		{name: "a loop of known length", text: graphText("a>q", "q?a,b", "b"), o: asl.LowerOptions{Loops: map[string]int{"q": 3}},
			want: []string{"a:", "a#2: a", "a#3: a#2", "b: a#3"}},
		{name: "a loop of unknown length", text: graphText("a>q", "q?a,b", "b"),
			want: []string{`state "a" (line 1): the loop over a, q has no recorded count; give recorded executions, or how often it runs`}},
		// P(more than 3 rounds) = 0.3^3 = 0.027 and P(more than 2) = 0.09.
		{name: "a loop as often as odds say", text: graphText("a>q", "q?a,b", "b"), b: asl.Behaviour{Choices: map[string]asl.Odds{"q": odds([]string{"a", "b"}, 0.3, 0.7)}},
			want: []string{"a:", "a#2: a", "a#3: a#2", "b: a#3"}},
		{name: "a loop that always runs twice", text: graphText("a>q", "q?a,b", "b"),
			b:    asl.Behaviour{Choices: map[string]asl.Odds{"q": {To: []string{"a", "b"}, P: [][]float64{{1, 0}, {0, 1}}}}},
			want: []string{"a:", "a#2: a", "b: a#2"}},
		{name: "a loop in a loop", text: graphText("a>b", "b>p", "p?b,q", "q?a,c", "c"), o: asl.LowerOptions{Loops: map[string]int{"p": 2, "a": 2}},
			want: []string{"a:", "b: a", "b#1.2: b", "a#2: b#1.2", "b#2.1: a#2", "b#2.2: b#2.1", "c: b#2.2"}},
		{name: "a loop with two entries", text: graphText("p?a,b", "a>q", "q?b,c", "b>a", "c"),
			want: []string{`state "a" (line 2): the loop back to this state is entered elsewhere too; it cannot be unrolled`}},
		{name: "a loop without functions", text: `{"StartAt": "a", "States": {"a": {"Type": "Task", "Resource": "${F}", "Next": "w"},
			"w": {"Type": "Wait", "Seconds": 5, "Next": "q"}, "q": {"Type": "Choice", "Choices": [{"Next": "w"}], "Default": "b"},
			"b": {"Type": "Task", "Resource": "${G}", "End": true}}}`, want: []string{"a:", "b: a"}},
		{name: "branches", text: `{"StartAt": "p", "States": {"p": {"Type": "Parallel", "Next": "c", "Branches": [` + graphText("a") + "," + graphText("b>d", "d") + `,
			{"StartAt": "s", "States": {"s": {"Type": "Pass", "End": true}}}]}, "c": {"Type": "Task", "Resource": "${C}", "End": true}}}`,
			want: []string{"a:", "b:", "d: b", "c: a d"}},
		{name: "a map", text: `{"StartAt": "m", "States": {"m": {"Type": "Map", "End": true, "Iterator": ` + graphText("a>b", "b") + `}}}`,
			b: asl.Behaviour{Widths: map[string]asl.Widths{"m": {Items: []int{2, 4, 9}, P: []float64{0.5, 0.46, 0.04}}}}, want: []string{"a x4:", "b x4: a"}},
		{name: "a map of unknown width", text: `{"StartAt": "m", "States": {"m": {"Type": "Map", "End": true, "Iterator": ` + graphText("a") + `}}}`,
			want: []string{`state "m" (line 1): data decide how many items the Map gets; give recorded executions, or its width`}},
		{name: "batches of listed items", text: `{"StartAt": "m", "States": {"m": {"Type": "Map", "End": true, "Items": [1,2,3,4,5], "ItemBatcher": {"MaxItemsPerBatch": 2}, "ItemProcessor": ` + graphText("a") + `}}}`,
			want: []string{"a x3:"}},
		{name: "only after an error", text: `{"StartAt": "a", "States": {"a": {"Type": "Task", "Resource": "${A}", "End": true, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "b"}]}, "b": {"Type": "Task", "Resource": "${B}", "End": true}}}`,
			want: []string{"a:"}},
		{name: "nothing to size", text: `{"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}`, want: []string{"machine workflow: no state invokes a Lambda function, so there is nothing to size"}},
	} {
		if diff := cmp.Diff(c.want, edges(t, parse(t, c.text), &c.b, c.o)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// A machine that would unroll without end is an error, and soon.
func TestLowerIsBounded(t *testing.T) {
	m := parse(t, graphText("a>b", "b>p", "p?b,q", "q?a,c", "c"))
	_, err := asl.Lower(m, nil, asl.LowerOptions{Loops: map[string]int{"p": 100, "q": 100}})
	if err == nil || !strings.Contains(err.Error(), "unrolls to more than") {
		t.Errorf("error %v", err)
	}
}

// A loop left with probability 0.75 runs 4/3 times, and a branch of a Choice as
// often as its odds say; a Map multiplies.
func TestExpectedVisits(t *testing.T) {
	m := parse(t, `{"StartAt": "a", "States": {"a": {"Type": "Task", "Resource": "${A}", "Next": "q"},
		"q": {"Type": "Choice", "Choices": [{"Next": "a"}, {"Next": "a"}], "Default": "m"},
		"m": {"Type": "Map", "End": true, "Iterator": `+graphText("p?b,c", "b", "c")+`}}}`)
	l, err := asl.Lower(m, &asl.Behaviour{
		Choices: map[string]asl.Odds{"q": odds([]string{"a", "m"}, 0.25, 0.75), "p": odds([]string{"b", "c"}, 0.9, 0.1)},
		Widths:  map[string]asl.Widths{"m": {Items: []int{2, 4}, P: []float64{0.5, 0.5}}},
	}, asl.LowerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"a": 4.0 / 3, "b": 2.7, "c": 0.3}
	for _, s := range l.Stages {
		if math.Abs(s.Visits-want[s.State.Name]) > 1e-6 {
			t.Errorf("state %s is visited %v times, want %v", s.State.Name, s.Visits, want[s.State.Name])
		}
	}
}
