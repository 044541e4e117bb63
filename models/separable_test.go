package models_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"eevee/models"
)

// drawSpace makes a random workflow of up to five stages with rules.
func drawSpace(t *rapid.T) *models.Space {
	n := rapid.IntRange(1, 5).Draw(t, "stages")
	var stages []models.Stage
	choices := make([][]models.StageConfig, n)
	for i := range n {
		s := models.Stage{Name: fmt.Sprint("s", i)}
		for p := range i {
			if rapid.Bool().Draw(t, "edge") {
				s.After = append(s.After, fmt.Sprint("s", p))
			}
		}
		stages = append(stages, s)
		for _, d := range rapid.SliceOfNDistinct(rapid.IntRange(1, 5), 1, 3, rapid.ID).Draw(t, "parallelism") {
			for m := range rapid.IntRange(1, 3).Draw(t, "sizes") {
				choices[i] = append(choices[i], models.StageConfig{Memory: 512 * (m + 1), VCPU: float64(m + 1), Parallelism: d})
			}
		}
	}
	w, err := models.NewWorkflow("w", stages)
	if err != nil {
		t.Fatal(err)
	}
	var rules []models.Rule
	for range rapid.IntRange(0, 4).Draw(t, "rules") {
		a, b := rapid.IntRange(0, n-1).Draw(t, "a"), rapid.IntRange(0, n-1).Draw(t, "b")
		if a != b {
			rules = append(rules, models.Rule{Stage: a, Of: b, Times: rapid.IntRange(1, 2).Draw(t, "times"), Equal: rapid.IntRange(0, 3).Draw(t, "equal") == 0})
		}
	}
	space, err := models.NewSpace(w, choices, rules)
	if err != nil {
		t.Fatal(err)
	}
	return space
}

// The minimum is that of all configurations, listed one by one, and the
// configuration returned attains it.
func TestSeparableIsTheMinimumOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpace(t)
		w := s.Workflow
		reads := make([]bool, w.Len())
		for i := range reads {
			reads[i] = w.InputParent(i) >= 0 && rapid.Bool().Draw(t, "reads")
		}
		seed := rapid.IntRange(1, 1000).Draw(t, "seed")
		value := func(i, j, in int) float64 {
			x := (seed*(i+1)*7919 + j*104729 + in*1299709) % 1009
			if x%11 == 0 {
				return math.Inf(1)
			}
			return float64(x)
		}
		total := func(pick []int) float64 {
			c := s.Config(pick)
			if _, err := s.Locate(c); err != nil {
				return math.Inf(1)
			}
			sum := 0.0
			for i, j := range pick {
				in := 0
				if reads[i] {
					in = w.InputParallelism(c, i)
				}
				sum += value(i, j, in)
			}
			return sum
		}
		best := math.Inf(1)
		pick := make([]int, w.Len())
		for done := false; !done; {
			best = min(best, total(pick))
			done = true
			for i := range pick {
				if pick[i]++; pick[i] < len(s.Choices(i)) {
					done = false
					break
				}
				pick[i] = 0
			}
		}
		got, sum := s.Separable(func(i int) bool { return reads[i] }, value)
		if sum != best {
			t.Fatalf("sum %v, the smallest of all is %v", sum, best)
		}
		if !math.IsInf(best, 1) && total(got) != best {
			t.Fatalf("%v adds up to %v, not %v", got, total(got), best)
		}
	})
}
