//go:build !unix

package logs

import "time"

var started = time.Now()

// cpuTime returns the time on the clock where the system does not tell that of
// the processor.
func cpuTime() time.Duration { return time.Since(started) }
