package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// supported says whether this system can run programs with a share of a CPU.
const supported = true

// attributes put a process into a group of its own, which dies with this
// process.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// pause, proceed and kill act on the group of a process. They do nothing to one
// that has ended.

func pause(pid int) { _ = syscall.Kill(-pid, syscall.SIGSTOP) }

func proceed(pid int) bool { return syscall.Kill(-pid, syscall.SIGCONT) == nil }

func kill(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// cpuTime returns the CPU time that a process has used, by its CPU clock
// (clock_getcpuclockid(3): the complement of the process id, shifted by three
// bits, and 2 for the clock of the scheduler, in nanoseconds).
func cpuTime(pid int) (time.Duration, bool) {
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|2, &t); err != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}

// memory returns the most memory in MB that a process had resident, and what it
// has now.
func memory(pid int) (peakMB, nowMB int, ok bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, false
	}
	field := func(name string) int {
		for line := range bytes.Lines(data) {
			if rest, ok := bytes.CutPrefix(line, []byte(name+":")); ok {
				if parts := bytes.Fields(rest); len(parts) == 2 {
					kb, _ := strconv.Atoi(string(parts[0]))
					return (kb + 1023) / 1024
				}
			}
		}
		return 0
	}
	peakMB, nowMB = field("VmHWM"), field("VmRSS")
	return peakMB, nowMB, peakMB > 0
}
