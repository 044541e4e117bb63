//go:build unix

package logs

import (
	"syscall"
	"time"
)

// cpuTime returns the processor time that this program has used, of all of its
// threads.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
