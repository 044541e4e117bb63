package models

import (
	"slices"
	"testing"
)

func TestRangesAreReadAsTheyPrint(t *testing.T) {
	for text, want := range map[string][]int{
		"4":           {4},
		"1..3":        {1, 2, 3},
		"128..320/64": {128, 192, 256, 320},
		"1..6/2":      {1, 3, 5},
	} {
		r, err := ParseRange(text)
		if err != nil || !slices.Equal(r.Values(), want) {
			t.Errorf("%s: %v, %v", text, r.Values(), err)
		}
		if again, err := ParseRange(r.String()); err != nil || again != r {
			t.Errorf("%s prints as %v", text, r)
		}
	}
	for _, text := range []string{"", "x", "3..1", "0..4", "1..4/0", "1..4/-1", "1..x"} {
		if r, err := ParseRange(text); err == nil {
			t.Errorf("%q is read as %v", text, r)
		}
	}
}

// Every size of Lambda in steps of 64 MB with 1 to 100 instances is 159 times 100
// choices; a stage that cannot be split has the sizes only, and rules stay.
func TestGridOfLambda(t *testing.T) {
	def, err := Load("ml")
	if err != nil {
		t.Fatal(err)
	}
	of, err := def.Space("")
	if err != nil {
		t.Fatal(err)
	}
	grid, err := def.Grid(of, Range{128, 10240, 64}, Range{1, 100, 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{159, 15_900, 15_900, 159} {
		if got := len(grid.Choices(i)); got != want {
			t.Errorf("stage %d: %d choices, not %d", i, got, want)
		}
	}
	if !slices.Equal(grid.Rules(), of.Rules()) {
		t.Error("the rules are others")
	}
	if same, err := def.Grid(of, Range{}, Range{}); err != nil || len(same.Choices(1)) != 28 {
		t.Errorf("without ranges: %v, %v", same, err) // 7 sizes and 4 numbers, the floor of the space apart
	}
	if _, err := def.Grid(of, Range{}, Range{4, 8, 1}); err == nil {
		t.Error("a stage of one instance was given 4")
	}
}
