package cli

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFittedTable(t *testing.T) {
	sentence := strings.TrimSpace(strings.Repeat("größere Stücke ", 30))
	table := fittedTable([]any{"n", "two\nlines", "what"}, [][]any{{1, "a longer cell", sentence}, {12, "b", "short"}, {3, "c", strings.Repeat("x", 300)}})
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	longest := 0
	for _, line := range lines {
		longest = max(longest, utf8.RuneCountInString(line))
	}
	if longest > tableWidth || longest < tableWidth-len("Stücke ") {
		t.Errorf("the longest line has %d characters", longest)
	}
	if !strings.HasPrefix(lines[0], "    two") || lines[1] != " n  lines          what" || !strings.HasPrefix(lines[2], " 1  a longer cell  größere") {
		t.Errorf("it begins\n%s", strings.Join(lines[:3], "\n"))
	}
	// Every word and every letter is there.
	if words := strings.Join(strings.Fields(table), " "); !strings.Contains(words, sentence) || strings.Count(table, "x") != 300 {
		t.Errorf("something is missing:\n%s", table)
	}
	// What is short enough is as it is without fitting.
	short := [][]any{{1, "a"}, {2, "b"}}
	if fitted, plain := fittedTable([]any{"n", "what"}, short), textTable([]any{"n", "what"}, short); fitted != plain {
		t.Errorf("%q, not %q", fitted, plain)
	}
}
