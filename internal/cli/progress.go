package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how much of a long piece of work is done: as a bar on a
// terminal, as a line for every tenth elsewhere. It may be used by several
// goroutines.
type progress struct {
	call  *call
	what  string
	total int
	done  int
	bar   *progressbar.ProgressBar // nil where plain lines are written

	silent bool // a bar or nothing

	// Of work that may take hours: lines come now and then, and tell the rate,
	// the time that remains, and how many parts failed.
	paced       bool
	start, told time.Time
	failed      int
}

// track begins to show the progress of a piece of work of the given number of
// parts. It ends with the next track, with the result, or with the verb.
func (c *call) track(what string, total int) *progress {
	c.endProgress()
	p := &progress{call: c, what: what, total: total}
	if c.quiet {
		return p
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if isTerminal(c.stderr) {
		p.bar = newBar(c.stderr, what, total)
	}
	c.progress = p
	return p
}

// trackLong begins to show the progress of work that may take hours.
func (c *call) trackLong(what string, total int) *progress {
	p := c.track(what, total)
	p.paced, p.start = true, time.Now()
	p.told = p.start
	return p
}

// trackBar shows progress as a bar on a terminal, and elsewhere not at all: the
// verb tells of every part itself.
func (c *call) trackBar(what string) *progress {
	p := c.track(what, 1)
	p.silent = true
	return p
}

// set says how many of all parts are done.
func (p *progress) set(done, total int) {
	p.call.mu.Lock()
	if p.total != total {
		p.total = total
		if p.bar != nil {
			p.bar.ChangeMax(total)
		}
	}
	more := done - p.done
	p.call.mu.Unlock()
	p.add(more)
}

func newBar(w io.Writer, what string, total int) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
}

// add says that n more parts are done.
func (p *progress) add(n int) {
	p.call.mu.Lock()
	defer p.call.mu.Unlock()
	before := p.done
	p.done = min(p.total, p.done+n)
	switch {
	case p.call.progress != p: // with --quiet, or another one is shown by now
	case p.bar != nil:
		p.bar.Set(p.done)
	case p.silent:
	case p.paced:
		if now := time.Now(); now.Sub(p.told) >= linePause {
			p.told = now
			fmt.Fprintf(p.call.stderr, "eevee: %s: %s\n", p.what, p.pace(now.Sub(p.start)))
		}
	case tenth(p.done, p.total) > tenth(before, p.total):
		fmt.Fprintf(p.call.stderr, "eevee: %s: %d of %d\n", p.what, p.done, p.total)
	}
}

// fail says that one of the parts that are done failed.
func (p *progress) fail() {
	p.call.mu.Lock()
	defer p.call.mu.Unlock()
	p.failed++
	if p.bar != nil && p.call.progress == p {
		p.bar.Describe(fmt.Sprintf("%s, %d failed", p.what, p.failed))
	}
}

// pace says how much is done after a time, as "300 of 1000, 12.5 a second,
// about 56s left, 0 failed".
func (p *progress) pace(took time.Duration) string {
	rate := float64(p.done) / took.Seconds()
	left := time.Duration(float64(p.total-p.done) / rate * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("%d of %d, %.3g a second, about %v left, %d failed", p.done, p.total, rate, left, p.failed)
}

func tenth(done, total int) int { return done * 10 / max(total, 1) }

// clear takes the bar off the terminal, to make room for a line; the next part
// that is done draws it again. The caller holds the lock.
func (p *progress) clear() {
	if p.bar != nil {
		p.bar.Clear()
	}
}

func (c *call) endProgress() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.progress != nil {
		c.progress.clear()
		c.progress = nil
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
