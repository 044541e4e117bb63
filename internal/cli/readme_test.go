package cli

import (
	"os"
	"strings"
	"testing"
)

// The README's commands work as they stand, one after the other in one folder,
// on a machine without recordings. Lines that begin with "$ eevee" in it are
// commands; a line that is expected to fail says so with its exit code, as
// "# exit 3", and one that needs what is not there says what.
func TestReadmeCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("solves, simulates and draws for real")
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	withoutRecordings(t)
	t.Chdir(t.TempDir())
	commands := 0
	for line := range strings.Lines(string(text)) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ eevee ")
		if !ok {
			continue
		}
		command, comment, _ := strings.Cut(command, " # ")
		if strings.Contains(comment, "needs") {
			continue
		}
		want := 0
		if strings.HasPrefix(comment, "exit 3") {
			want = exitNothing
		}
		commands++
		code, stdout, stderr := runProgram(strings.Fields(command)...)
		if code != want || stdout == "" {
			t.Errorf("eevee %s: exit code %d, want %d\n%s", command, code, want, stderr)
		}
	}
	if commands < 5 {
		t.Errorf("the README shows %d commands, want at least 5", commands)
	}
}
