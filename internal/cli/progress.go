package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how much of a long piece of work is done: on a terminal as a
// bar, elsewhere as a line now and then, with the rate and the time that remains.
// It may be used by several goroutines.
type progress struct {
	call        *call
	what        string
	style       style
	start, told time.Time // when the work began, and when the last line was written

	total, done int64
	beside      string                   // what is told beside the numbers, as "3 failed"
	bar         *progressbar.ProgressBar // nil where lines are written
}

// style is what is counted, and whether there are lines.
type style int

const (
	inParts style = iota
	inBytes       // shown in MB
	noLines       // the verb tells of every part itself
)

// linePause is how long no line is written after another one, and after the
// start: what ends sooner needs none.
var linePause = 5 * time.Second

// track begins to show the progress of a piece of work of the given number of
// parts. It ends with the next track, with the result, or with the verb.
func (c *call) track(what string, total int) *progress { return c.trackAs(inParts, what, total) }

// trackBytes begins to show the progress of a reading, whose length set tells.
func (c *call) trackBytes(what string) *progress { return c.trackAs(inBytes, what, 1) }

// trackBar shows progress as a bar on a terminal, and elsewhere not at all.
func (c *call) trackBar(what string) *progress { return c.trackAs(noLines, what, 1) }

func (c *call) trackAs(s style, what string, total int) *progress {
	c.endProgress()
	now := time.Now()
	p := &progress{call: c, what: what, style: s, start: now, told: now, total: int64(total)}
	if c.quiet {
		return p
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if isTerminal(c.stderr) {
		p.bar = newBar(c.stderr, what, total, s)
	}
	c.progress = p
	return p
}

func newBar(w io.Writer, what string, total int, s style) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionShowBytes(s == inBytes),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
}

// add says that n more parts are done.
func (p *progress) add(n int) {
	p.call.mu.Lock()
	defer p.call.mu.Unlock()
	p.reach(p.done + int64(n))
}

// set says how many of all parts are done.
func (p *progress) set(done, total int) {
	p.call.mu.Lock()
	defer p.call.mu.Unlock()
	if p.total != int64(total) {
		p.total = int64(total)
		if p.bar != nil {
			p.bar.ChangeMax(total)
		}
	}
	p.reach(int64(done))
}

// note says something beside the numbers.
func (p *progress) note(format string, args ...any) {
	p.call.mu.Lock()
	defer p.call.mu.Unlock()
	p.beside = fmt.Sprintf(format, args...)
	if p.bar != nil && p.call.progress == p {
		p.bar.Describe(p.what + ", " + p.beside)
	}
}

// reach shows that some parts are done. The caller holds the lock.
func (p *progress) reach(done int64) {
	p.done = min(p.total, done)
	switch {
	case p.call.progress != p: // with --quiet, or another one is shown by now
	case p.bar != nil:
		p.bar.Set64(p.done)
	case p.style != noLines && p.done < p.total:
		if now := time.Now(); now.Sub(p.told) >= linePause {
			p.told = now
			fmt.Fprintf(p.call.stderr, "eevee: %s: %s\n", p.what, p.pace(now.Sub(p.start)))
		}
	}
}

// pace says how much is done after a time, as "300 of 1000, 12.5 a second,
// about 56s left, 3 failed".
func (p *progress) pace(took time.Duration) string {
	rate, left := float64(p.done)/took.Seconds(), "?"
	if p.done > 0 {
		left = time.Duration(float64(p.total-p.done) / rate * float64(time.Second)).Round(time.Second).String()
	}
	text := fmt.Sprintf("%d of %d, %.3g a second", p.done, p.total, rate)
	if p.style == inBytes {
		text = fmt.Sprintf("%.0f of %.0f MB, %.3g MB a second", float64(p.done)/1e6, float64(p.total)/1e6, rate/1e6)
	}
	text += ", about " + left + " left"
	if p.beside != "" {
		text += ", " + p.beside
	}
	return text
}

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
