package cli

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
)

// byteProgress shows how much of a long reading is done, how fast, and how long
// it still takes: as a bar on a terminal, as a line now and then elsewhere.
type byteProgress struct {
	call  *call
	what  string
	shown *progress // what a bar is cleared through
	start time.Time
	told  time.Time
}

// linePause is how long no line is written after another one, and after the
// start: what ends sooner needs none.
const linePause = 5 * time.Second

// trackBytes begins to show the progress of a reading.
func (c *call) trackBytes(what string) *byteProgress {
	c.endProgress()
	now := time.Now()
	p := &byteProgress{call: c, what: what, start: now, told: now}
	if c.quiet {
		return p
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p.shown = &progress{call: c, what: what}
	if isTerminal(c.stderr) {
		p.shown.bar = progressbar.NewOptions64(1,
			progressbar.OptionSetWriter(c.stderr),
			progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(true),
			progressbar.OptionShowTotalBytes(true),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
	}
	c.progress = p.shown
	return p
}

// set says how many bytes of how many were read and what rows they gave.
func (p *byteProgress) set(done, total, rows int64) {
	p.call.mu.Lock()
	defer p.call.mu.Unlock()
	now := time.Now()
	switch {
	case p.shown == nil || p.call.progress != p.shown:
	case p.shown.bar != nil:
		p.shown.bar.ChangeMax64(total)
		p.shown.bar.Describe(fmt.Sprintf("%s, %d rows", p.what, rows))
		p.shown.bar.Set64(done)
	case now.Sub(p.told) >= linePause && done < total:
		p.told = now
		fmt.Fprintf(p.call.stderr, "eevee: %s\n", p.line(now.Sub(p.start), done, total, rows))
	}
}

// line describes a reading that has gone on for some time.
func (p *byteProgress) line(passed time.Duration, done, total, rows int64) string {
	left := "?"
	if done > 0 {
		left = (time.Duration(float64(passed) / float64(done) * float64(total-done))).Round(time.Second).String()
	}
	return fmt.Sprintf("%s: %.0f of %.0f MB, %d rows, %.0f rows/s, %s left",
		p.what, float64(done)/1e6, float64(total)/1e6, rows, float64(rows)/passed.Seconds(), left)
}
