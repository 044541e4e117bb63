//go:build !linux

package sandbox

import (
	"syscall"
	"time"
)

const supported = false

func attributes() *syscall.SysProcAttr { return nil }

func pause(int) {}

func proceed(int) bool { return false }

func kill(int) {}

func cpuTime(int) (time.Duration, bool) { return 0, false }

func memory(int) (peakMB, nowMB int, ok bool) { return 0, 0, false }
