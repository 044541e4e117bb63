package cli

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What tests compare must not depend on how long it takes.
func init() { linePause = time.Hour }

// Lines come now and then, and none for the end; what is said in between is.
func TestProgressAsLines(t *testing.T) {
	work := verb{name: "work", run: func(c *call) error {
		p := c.track("fit", 25)
		p.add(10) // too soon
		p.told = p.told.Add(-linePause)
		p.note("%d failed", 2)
		p.add(5)
		p.add(5)
		p.told = p.told.Add(-linePause)
		p.add(50) // more than there is
		p = c.trackBytes("import")
		p.told = p.told.Add(-linePause)
		p.set(20e6, 40e6)
		c.remark("halfway")
		c.warn("few samples")
		p = c.trackBar("draw")
		p.told = p.told.Add(-linePause)
		p.set(1, 2)
		c.track("nothing", 0).add(1)
		return nil
	}}
	want := `eevee: fit: 15 of 25, R a second, about T left, 2 failed
eevee: import: 20 of 40 MB, R MB a second, about T left
eevee: halfway
eevee: warning: few samples
`
	_, stdout, stderr := runVerb(context.Background(), work)
	timeless := regexp.MustCompile(`, [^ ,]+( MB)? a second, about [^ ,]+ left`).ReplaceAllString(stderr, ", R$1 a second, about T left")
	if stdout != "" || timeless != want {
		t.Errorf("stdout %q, stderr (-want +got):\n%s", stdout, cmp.Diff(want, timeless))
	}
	if _, stdout, stderr := runVerb(context.Background(), work, "--quiet"); stdout != "" || stderr != "eevee: warning: few samples\n" {
		t.Errorf("quiet: stdout %q, stderr %q", stdout, stderr)
	}
}

// Goroutines share a progress: every part is counted once.
func TestProgressOfSeveralGoroutines(t *testing.T) {
	const workers, parts = 8, 500
	c := &call{stderr: io.Discard}
	p := c.track("simulate", workers*parts+1)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for range parts {
				p.add(1)
			}
		})
	}
	all.Wait()
	if p.done != workers*parts {
		t.Errorf("%d parts are done, want %d", p.done, workers*parts)
	}
}

// On a terminal there is a bar that a remark does not run into, and that is
// gone at the end.
func TestProgressAsBar(t *testing.T) {
	var screen bytes.Buffer
	c := &call{stderr: &screen}
	p := &progress{call: c, what: "fit", total: 10, bar: newBar(&screen, "fit", 10, inParts)}
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
	for want, p := range map[string]progress{
		"250 of 1000, 12.5 a second, about 1m0s left, 3 failed":      {total: 1000, done: 250, beside: "3 failed"},
		"0 of 1000, 0 a second, about ? left":                        {total: 1000},
		"50 of 300 MB, 2.5 MB a second, about 1m40s left, 1200 rows": {style: inBytes, total: 300e6, done: 50e6, beside: "1200 rows"},
	} {
		if got := p.pace(20 * time.Second); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
