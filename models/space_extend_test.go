package models

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// A partial configuration extends if and only if the list of all admissible
// configurations holds one that agrees with it.
func TestExtendsEqualsEnumeration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "stages")
		var stages []Stage
		choices := make([][]StageConfig, n)
		for i := range n {
			stages = append(stages, Stage{Name: fmt.Sprint("s", i)})
			for _, d := range rapid.SliceOfNDistinct(rapid.IntRange(1, 5), 1, 3, rapid.ID).Draw(t, "parallelism") {
				choices[i] = append(choices[i], StageConfig{Memory: 128, VCPU: 1, Parallelism: d})
			}
		}
		w, err := NewWorkflow("w", stages)
		if err != nil {
			t.Fatal(err)
		}
		var rules []Rule
		for range rapid.IntRange(0, 5).Draw(t, "rules") {
			a, b := rapid.IntRange(0, n-1).Draw(t, "a"), rapid.IntRange(0, n-1).Draw(t, "b")
			if a != b {
				rules = append(rules, Rule{Stage: a, Of: b, Times: rapid.IntRange(1, 2).Draw(t, "times"), Equal: rapid.Bool().Draw(t, "equal")})
			}
		}
		s, err := NewSpace(w, choices, rules)
		if err != nil {
			t.Fatal(err)
		}
		partial := make(Config, n)
		for i := range n {
			if rapid.Bool().Draw(t, "decided") {
				partial[i] = rapid.SampledFrom(choices[i]).Draw(t, "choice")
			}
		}
		want := false
		pick := make([]int, n)
		for i := 0; i < n; {
			c := s.Config(pick)
			agrees := true
			for k := range c {
				agrees = agrees && (partial[k].Parallelism == 0 || partial[k].Parallelism == c[k].Parallelism)
			}
			if _, err := s.Locate(c); err == nil && agrees {
				want = true
			}
			for i = 0; i < n; i++ {
				if pick[i]++; pick[i] < len(choices[i]) {
					break
				}
				pick[i] = 0
			}
		}
		if got := s.Extends(partial); got != want {
			t.Fatalf("%v extends: %v, enumeration says %v", partial, got, want)
		}
	})
}
