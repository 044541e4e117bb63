package live_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"eevee/live"
	"eevee/live/emulator"
)

// programDir is where program lies; empty: nowhere yet.
var programDir string

func removeProgram() {
	if programDir != "" {
		os.RemoveAll(programDir)
	}
}

// program builds eevee once for all tests.
var program = sync.OnceValues(func() (string, error) {
	var err error
	if programDir, err = os.MkdirTemp("", "eevee-live-"); err != nil {
		return "", err
	}
	path := filepath.Join(programDir, "eevee")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, "eevee").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, err
})

// process is an eevee of its own that profiles the lab.
type process struct {
	*exec.Cmd
	stderr bytes.Buffer
	ended  chan struct{}
	err    error
}

// profile starts eevee on the lab. Its calls are those of small.
func (l *lab) profile(r live.Request) *process {
	l.t.Helper()
	p := &process{Cmd: l.command(r), ended: make(chan struct{})}
	p.Stderr = &p.stderr
	if err := p.Start(); err != nil {
		l.t.Fatal(err)
	}
	go func() {
		p.err = p.Wait()
		close(p.ended)
	}()
	return p
}

// command is an eevee that profiles the lab.
func (l *lab) command(r live.Request) *exec.Cmd {
	l.t.Helper()
	path, err := program()
	if err != nil {
		l.t.Fatal(err)
	}
	for name, text := range map[string]string{
		"lab.yaml":       strings.Replace(labWorkflow, "memory_mb: [256, 512]", "memory_mb: [256]", 2),
		"functions.yaml": "functions:\n  left: {function: fn-left}\n  right: {function: fn-right}\n  join: {function: fn-join}\n",
	} {
		if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o666); err != nil {
			l.t.Fatal(err)
		}
	}
	c := exec.Command(path, "live", "profile", "--workflow", "lab.yaml", "--functions", "functions.yaml", "-o", r.Output,
		"--runs", "1", "--warm-ups", "1", "--live", "--yes", "--max-spend", fmt.Sprint(r.MaxSpendUSD), "--account", "123456789012",
		"--journal", r.Journals, "--name", run)
	c.Dir = l.dir
	c.Env = append(l.emulator.Env(), "HOME="+l.dir, "AWS_CONFIG_FILE=none", "AWS_SHARED_CREDENTIALS_FILE=none")
	return c
}

// end waits for the process and returns its exit code.
func (p *process) end(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		p.Process.Kill()
		t.Fatalf("the program does not end:\n%s", p.stderr.String())
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		t.Fatal(p.err)
	}
	return p.ProcessState.ExitCode()
}

// signalled is a lab whose process gets signals when a call arrives, or when it
// was acted on.
func signalled(t *testing.T, nth int, after bool, send func(*process)) (l *lab, p *process, met *atomic.Bool, acted chan struct{}) {
	t.Helper()
	met, acted = new(atomic.Bool), make(chan struct{})
	var base atomic.Int64
	base.Store(1 << 40) // the test's own calls do not count
	started := make(chan struct{})
	hit := func(c emulator.Call) bool { return int64(c.N) == base.Load()+int64(nth) }
	signal := func() {
		<-started
		met.Store(true)
		send(p)
	}
	l = newLab(t, emulator.Options{
		OnCall: func(c emulator.Call) {
			if hit(c) && !after {
				signal()
			}
		},
		AfterCall: func(c emulator.Call) {
			if !hit(c) {
				return
			}
			if after {
				signal()
			}
			close(acted)
		},
	}, steady)
	base.Store(int64(len(l.emulator.Calls())))
	p = l.profile(l.small(onCopies))
	close(started)
	return l, p, met, acted
}

// A process that is killed at any call, be it before or after the call was acted
// on, leaves what "restore" brings back, a trace that can be read, and a bill
// below the cap.
func TestKilledAtEveryCall(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	every := 3
	if *allFaults {
		every = 1
	}
	for nth := 1; ; nth += every {
		reached := false
		for _, after := range []bool{false, true} {
			if !*allFaults && after != (nth%2 == 0) {
				continue
			}
			t.Run(fmt.Sprintf("call %d, after it %v", nth, after), func(t *testing.T) {
				l, p, met, acted := signalled(t, nth, after, func(p *process) {
					p.Process.Kill()
					<-p.ended
				})
				p.end(t)
				if reached = met.Load(); !reached {
					return
				}
				select {
				case <-acted:
				case <-time.After(10 * time.Second):
					t.Fatal("the call was not acted on")
				}
				r := l.small(onCopies)
				l.restored(r)
				if charged := l.emulator.Bill().USD(); charged > r.MaxSpendUSD {
					t.Errorf("the account was charged %v USD, the cap is %v", charged, r.MaxSpendUSD)
				}
				if _, err := os.Stat(r.Output); err == nil {
					l.rows()
				}
			})
		}
		if !reached {
			if nth < 20 {
				t.Errorf("the program made only %d calls", nth)
			}
			return
		}
	}
}

// Ctrl-C undoes what was changed; a second one leaves that to "restore".
func TestInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	for _, nth := range []int{4, 9, 20, 26} {
		l, p, met, _ := signalled(t, nth, nth%2 == 0, func(p *process) { p.Process.Signal(os.Interrupt) })
		code := p.end(t)
		if !met.Load() {
			t.Fatalf("there is no call %d", nth)
		}
		if code != 130 || !strings.Contains(p.stderr.String(), "eevee: interrupted") {
			t.Errorf("exit %d\n%s", code, p.stderr.String())
		}
		l.untouched()
	}

	// Nor does a reader that goes away, as in "2>&1 | head", end it half-way.
	quiet := newLab(t, emulator.Options{}, steady)
	c := quiet.command(quiet.small(onCopies))
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	c.Stderr = write
	read.Close()
	if err := c.Run(); err != nil {
		t.Errorf("with nobody reading: %v", err)
	}
	quiet.untouched()

	l, p, _, _ := signalled(t, 20, false, func(p *process) {
		for range 20 { // the second one ends it, whenever the first one was heard
			p.Process.Signal(syscall.SIGINT)
			time.Sleep(20 * time.Millisecond)
		}
	})
	if code := p.end(t); code == 0 {
		t.Errorf("exit 0\n%s", p.stderr.String())
	}
	l.restored(l.small(onCopies))
}
