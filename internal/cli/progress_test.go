package cli

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestProgressAsLines(t *testing.T) {
	work := verb{name: "work", run: func(c *call) error {
		p := c.track("fit", 25)
		for range 25 {
			p.add(1)
		}
		p = c.track("solve", 3)
		p.add(1)
		c.remark("halfway")
		c.warn("few samples")
		p.add(5) // more than there is
		c.track("nothing", 0).add(1)
		return nil
	}}
	want := `eevee: fit: 3 of 25
eevee: fit: 5 of 25
eevee: fit: 8 of 25
eevee: fit: 10 of 25
eevee: fit: 13 of 25
eevee: fit: 15 of 25
eevee: fit: 18 of 25
eevee: fit: 20 of 25
eevee: fit: 23 of 25
eevee: fit: 25 of 25
eevee: solve: 1 of 3
eevee: halfway
eevee: warning: few samples
eevee: solve: 3 of 3
`
	if _, stdout, stderr := runVerb(context.Background(), work); stdout != "" || stderr != want {
		t.Errorf("stdout %q, stderr (-want +got):\n%s", stdout, cmp.Diff(want, stderr))
	}
	if _, stdout, stderr := runVerb(context.Background(), work, "--quiet"); stdout != "" || stderr != "eevee: warning: few samples\n" {
		t.Errorf("quiet: stdout %q, stderr %q", stdout, stderr)
	}
}

// Goroutines share a progress; every part is counted once, and lines are whole.
func TestProgressOfSeveralGoroutines(t *testing.T) {
	const workers, parts = 8, 500
	work := verb{name: "work", run: func(c *call) error {
		p := c.track("simulate", workers*parts)
		var all sync.WaitGroup
		for range workers {
			all.Go(func() {
				for range parts {
					p.add(1)
				}
			})
		}
		all.Wait()
		return nil
	}}
	_, _, stderr := runVerb(context.Background(), work)
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if len(lines) != 10 || lines[9] != "eevee: simulate: 4000 of 4000" {
		t.Errorf("stderr:\n%s", stderr)
	}
}

// On a terminal there is a bar that a remark does not run into, and that is
// gone at the end.
func TestProgressAsBar(t *testing.T) {
	var screen bytes.Buffer
	c := &call{stderr: &screen}
	p := &progress{call: c, what: "fit", total: 10, bar: newBar(&screen, "fit", 10)}
	c.progress = p
	p.add(5)
	if s := screen.String(); !strings.Contains(s, "fit") || !strings.Contains(s, "50%") || !strings.Contains(s, "5/10") || strings.Contains(s, "\n") {
		t.Errorf("halfway: %q", s)
	}
	screen.Reset()
	c.remark("by the way")
	if s := screen.String(); !strings.HasPrefix(s, "\r") || !strings.HasSuffix(s, "\reevee: by the way\n") {
		t.Errorf("remark: %q", s)
	}
	c.endProgress()
	screen.Reset()
	p.add(5)
	if s := screen.String(); s != "" {
		t.Errorf("after the end: %q", s)
	}
}

func TestPace(t *testing.T) {
	p := &progress{total: 1000, done: 250, failed: 3}
	if got, want := p.pace(20*time.Second), "250 of 1000, 12.5 a second, about 1m0s left, 3 failed"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
