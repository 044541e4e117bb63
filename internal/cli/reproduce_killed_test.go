package cli

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// reproducedFolder tells this test program that it is to reproduce into a folder,
// to be killed in it.
const reproducedFolder = "EEVEE_TEST_REPRODUCED"

// reproduceSome are the arguments of a run that takes a moment.
func reproduceSome(dir string, more ...string) []string {
	return append([]string{"reproduce", "fig8", "fig12", "table3", "samplesize", "gantt", "table6", "-o", filepath.Join(dir, "out"), "--quick"}, more...)
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(reproducedFolder); dir != "" {
		linePause = 0 // it says every step
		os.Exit(Run(context.Background(), reproduceSome(dir, "--cache", filepath.Join(dir, "cache")), io.Discard, os.Stderr))
	}
	os.Exit(m.Run())
}

// A run that is killed, while it finds or while it draws, is completed by the next
// one: with what was found before, and with the bytes that an undisturbed run
// writes.
func TestReproduceGoesOnAfterAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("runs experiments several times")
	}
	withoutRecordings(t)
	undisturbed := t.TempDir()
	if code, _, stderr := runProgram(reproduceSome(undisturbed, "--no-cache")...); code != 0 {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	want := filesIn(t, filepath.Join(undisturbed, "out"))
	for at, line := range map[string]string{"while it finds": " s", "while it draws": "drawing"} {
		dir := t.TempDir()
		found := killedAt(t, dir, line)
		code, _, stderr := runProgram(reproduceSome(dir, "--cache", filepath.Join(dir, "cache"))...)
		if code != 0 || strings.Contains(stderr, "ignored") {
			t.Errorf("%s: exit %d, %s", at, code, stderr)
		}
		for _, f := range found {
			if !strings.Contains(stderr, f+", found before") {
				t.Errorf("%s: %q is found again:\n%s", at, f, stderr)
			}
		}
		got := filesIn(t, filepath.Join(dir, "out"))
		for name := range got {
			if strings.HasPrefix(name, ".") {
				delete(got, name) // what was being written; no reader takes it for a file of the run
			}
		}
		sameFiles(t, want, got)
	}
}

// killedAt runs this program until it says a line that ends or begins in the given
// words, kills it, and returns what it had found.
func killedAt(t *testing.T, dir, words string) (found []string) {
	t.Helper()
	p := exec.Command(os.Args[0])
	p.Env = append(os.Environ(), reproducedFolder+"="+dir)
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	killed := false
	for !killed && lines.Scan() {
		line := strings.TrimPrefix(lines.Text(), "eevee: ")
		if strings.HasSuffix(line, " s") {
			found = append(found, line)
		}
		killed = strings.HasSuffix(line, words) || strings.HasPrefix(line, words)
	}
	if !killed {
		t.Errorf("it never says %q", words)
	}
	p.Process.Kill()
	io.Copy(io.Discard, stderr)
	p.Wait()
	return found
}
