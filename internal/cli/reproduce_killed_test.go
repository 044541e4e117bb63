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
	"time"
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
// writes. What the killed one left half written is gone.
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
		leaveHalfWritten(t, filepath.Join(dir, "out"))
		code, _, stderr := runProgram(reproduceSome(dir, "--cache", filepath.Join(dir, "cache"))...)
		if code != 0 || strings.Contains(stderr, "ignored") {
			t.Errorf("%s: exit %d, %s", at, code, stderr)
		}
		for _, f := range found {
			if !strings.Contains(stderr, f+", found before") {
				t.Errorf("%s: %q is found again:\n%s", at, f, stderr)
			}
		}
		sameFiles(t, want, filesIn(t, filepath.Join(dir, "out")))
	}
}

// leaveHalfWritten leaves a file as if it had been written when the program was
// killed, and lets an hour go by since.
func leaveHalfWritten(t *testing.T, out string) {
	t.Helper()
	if err := os.MkdirAll(out, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, ".fig8-ml.png4711"), []byte("PN"), 0o600); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(out, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now().Add(-time.Hour)
	for _, path := range left {
		if err := os.Chtimes(path, before, before); err != nil {
			t.Fatal(err)
		}
	}
}

// Ctrl-C while a run draws ends it with whole files only, and none in the folder
// of temporary files.
func TestReproduceInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("runs experiments")
	}
	withoutRecordings(t)
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	defer func(was time.Duration) { linePause = was }(linePause)
	linePause = 0 // it says every step
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	stderr := interrupter{words: "drawing", cancel: cancel}
	code := Run(ctx, append(reproduceSome(dir, "--no-cache"), "--skip", "table6"), io.Discard, &stderr)
	if code != exitInterrupted || !strings.HasSuffix(stderr.String(), "\neevee: interrupted\n") {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	files := filesIn(t, filepath.Join(dir, "out"))
	for name, contents := range files {
		if strings.HasPrefix(name, ".") || len(contents) == 0 {
			t.Errorf("it left %s", name)
		}
	}
	if _, complete := files["report.html"]; complete || len(files) == 0 {
		t.Errorf("it was interrupted when nothing was drawn, or everything: %d files", len(files))
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("%d temporary files are left, %v", len(left), err)
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
