package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The README's commands work as they stand, one after the other in one folder,
// on a machine without recordings, and print what is shown below them. Lines that
// begin with "$ eevee" in it are commands; a line that is expected to fail says so
// with its exit code, as "# exit 3", and one that needs what is not there says
// what. A block that begins with "# NAME.yaml" or "# NAME.csv" is that file.
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
	commands, outputs, files := 0, 0, 0
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if m := regexp.MustCompile(`^    # ([a-z]+\.(yaml|csv))$`).FindStringSubmatch(line); m != nil {
			files++
			if err := os.WriteFile(m[1], []byte(block(lines[i+1:])+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		command, ok := strings.CutPrefix(line, "    $ eevee ")
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
		shown := block(lines[i+1:])
		if shown == "" {
			continue
		}
		outputs++
		if begin, cut := strings.CutSuffix(shown, "..."); cut && !strings.HasPrefix(stdout, begin) || !cut && stdout != shown+"\n" {
			t.Errorf("eevee %s: the README shows\n%s\nand it prints\n%s", command, shown, stdout)
		}
	}
	if outputs < 2 || files < 3 {
		t.Errorf("the README shows %d outputs and %d files", outputs, files)
	}
	if commands < 5 {
		t.Errorf("the README shows %d commands, want at least 5", commands)
	}
}

// block returns what is indented at the beginning of lines, without the
// indentation, up to the next command or file.
func block(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		text, indented := strings.CutPrefix(line, "    ")
		if !indented && line != "" || strings.HasPrefix(text, "$ ") || strings.HasPrefix(text, "# ") {
			break
		}
		b.WriteString(text + "\n")
	}
	return strings.Trim(b.String(), "\n")
}
