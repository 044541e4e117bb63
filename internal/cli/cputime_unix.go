//go:build unix

package cli

import (
	"syscall"
	"time"
)

// cpuTime returns the CPU time that the program has used so far.
var cpuTime = func() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // of a program about itself
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
