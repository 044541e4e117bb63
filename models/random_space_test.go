package models

import (
	"fmt"
	"iter"

	"pgregory.net/rapid"
)

// randomSpace draws a space of a few stages with rules between any of them,
// which may contradict each other.
func randomSpace(t *rapid.T) *Space {
	n := rapid.IntRange(1, 4).Draw(t, "stages")
	var stages []Stage
	choices := make([][]StageConfig, n)
	for i := range n {
		stages = append(stages, Stage{Name: fmt.Sprint("s", i)})
		for _, d := range rapid.SliceOfNDistinct(rapid.IntRange(1, 6), 1, 4, rapid.ID).Draw(t, "parallelism") {
			for m := range rapid.IntRange(1, 3).Draw(t, "sizes") {
				choices[i] = append(choices[i], StageConfig{Memory: 128 * (m + 1), VCPU: 1, Parallelism: d})
			}
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
	return s
}

// admitted lists the configurations of a space by trying all.
func admitted(s *Space) iter.Seq[Config] {
	return func(yield func(Config) bool) {
		pick := make([]int, s.Workflow.Len())
		for i := 0; i < len(pick); {
			c := s.Config(pick)
			if _, err := s.Locate(c); err == nil && !yield(c) {
				return
			}
			for i = 0; i < len(pick); i++ {
				if pick[i]++; pick[i] < len(s.Choices(i)) {
					break
				}
				pick[i] = 0
			}
		}
	}
}
