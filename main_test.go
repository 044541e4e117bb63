package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// build builds the program as a user does.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "eevee")
	stamp := "-buildvcs=true"
	if head() == "" {
		stamp = "-buildvcs=false"
	}
	if out, err := exec.Command("go", "build", stamp, "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// head returns the revision of the sources, "" where git knows none.
func head() string {
	out, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func TestProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	before := head()
	program := build(t)
	revisions := []string{before, head()} // a commit may land in between
	t.Run("version", func(t *testing.T) { testVersion(t, program, revisions) })
	t.Run("exit codes", func(t *testing.T) { testExitCodes(t, program) })
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) { testSignal(t, program, s) })
	}
	t.Run("completion", func(t *testing.T) { testCompletion(t, program) })
	t.Run("second interrupt", func(t *testing.T) { testSecondInterrupt(t, program) })
}

// Bash takes the script, and completes with it what is typed behind the program.
func testCompletion(t *testing.T, program string) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	const complete = `source <("$0" completion bash) && complete -p eevee && COMP_WORDS=("$0" solve --method ditto : c) COMP_CWORD=5 && _eevee && echo "${COMPREPLY[*]}"
COMP_WORDS=("$0" workflows show "") COMP_CWORD=3 && _eevee && echo "${COMPREPLY[*]}"`
	out, err := exec.Command(bash, "-c", complete, program).CombinedOutput()
	if want := "complete -o default -F _eevee eevee\ncost\nml tpcds video\n"; err != nil || string(out) != want {
		t.Errorf("%v, %q, want %q", err, out, want)
	}
}

// The first Ctrl-C ends a search, whose answer is then judged; the second one
// does not wait for that.
func testSecondInterrupt(t *testing.T, program string) {
	cmd := exec.Command(program, "solve", "--workflow", "tpcds", "--latency", "50s", "--memory", "128..10240/128", "--parallelism", "1..40")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	said := ""
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "searching: mean") || strings.Contains(lines.Text(), "another Ctrl-C ends the program at once") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != os.Interrupt {
		t.Errorf("it ended with %v, not by the signal; it said\n%s", err, said)
	}
	if stdout.Len() > 0 {
		t.Errorf("it printed\n%s", stdout.String())
	}
}

// The program reports the revision that git knows, and the modules and the
// toolchain that the go command selects.
func testVersion(t *testing.T, program string, revisions []string) {
	out, err := exec.Command(program, "version", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Revision *string
		Go       string
		Modules  []struct{ Path, Version string }
	}
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	revision := ""
	if v.Revision != nil {
		revision = *v.Revision
	}
	if !slices.Contains(revisions, revision) {
		t.Errorf("revision %q, want one of %q", revision, revisions)
	}
	if v.Go != runtime.Version() {
		t.Errorf("built with %s, want %s", v.Go, runtime.Version())
	}

	listed, err := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "all").Output()
	if err != nil {
		t.Fatal(err)
	}
	selected := make(map[string]bool)
	for line := range strings.Lines(string(listed)) {
		selected[strings.TrimSpace(line)] = true
	}
	if len(v.Modules) == 0 {
		t.Error("no modules")
	}
	for _, m := range v.Modules {
		if !selected[m.Path+" "+m.Version] {
			t.Errorf("module %s %s is not what go.mod selects", m.Path, m.Version)
		}
	}
}

func testExitCodes(t *testing.T, program string) {
	for want, args := range map[int][]string{
		0: {"workflows", "list"},
		1: {"workflows", "show", "nope"},
		2: {"workflows", "show"},
	} {
		err := exec.Command(program, args...).Run()
		if code := exitCode(t, err); code != want {
			t.Errorf("%q: exit %d, want %d", args, code, want)
		}
	}
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return exit.ExitCode()
}

// A download that never ends is interrupted. The program is sent to a proxy
// that takes its call and stays silent.
func testSignal(t *testing.T, program string, s os.Signal) {
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	called := make(chan struct{})
	go func() {
		conn, err := proxy.Accept()
		if err != nil {
			return // closed by the test
		}
		close(called)
		defer conn.Close()
		io.Copy(io.Discard, conn) // until the program hangs up
	}()

	cache := t.TempDir()
	cmd := exec.Command(program, "traces", "fetch", "jolteon", "--cache", cache, "--quiet")
	cmd.Env = append(os.Environ(), "HTTPS_PROXY=http://"+proxy.Addr().String(), "NO_PROXY=", "no_proxy=")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	select {
	case <-called:
	case <-time.After(20 * time.Second):
		t.Fatal("the program did not call")
	}
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the program did not end")
	}
	if code := exitCode(t, err); code != 130 || stdout.String() != "" || stderr.String() != "eevee: interrupted\n" {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
	if left, err := filepath.Glob(filepath.Join(cache, "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("left in the cache: %q %v", left, err)
	}
}
