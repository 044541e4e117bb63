package models

import (
	"testing"

	"pgregory.net/rapid"
)

// A partial configuration extends if and only if the list of all admissible
// configurations holds one that agrees with it.
func TestExtendsEqualsEnumeration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := randomSpace(t)
		n := s.Workflow.Len()
		partial := make(Config, n)
		for i := range n {
			if rapid.Bool().Draw(t, "decided") {
				partial[i] = rapid.SampledFrom(s.Choices(i)).Draw(t, "choice")
			}
		}
		want := false
		for c := range admitted(s) {
			agrees := true
			for k := range c {
				agrees = agrees && (partial[k].Parallelism == 0 || partial[k].Parallelism == c[k].Parallelism)
			}
			want = want || agrees
		}
		if got := s.Extends(partial); got != want {
			t.Fatalf("%v extends: %v, enumeration says %v", partial, got, want)
		}
	})
}
