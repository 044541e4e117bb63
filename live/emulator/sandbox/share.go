package sandbox

import (
	"runtime"
	"sync"
	"time"
)

// quantum is the wall time in which a process earns what it may use at a go.
// The quota of a control group has 100 ms by default; Lambda's period was
// measured as 20 ms. Below 20 ms the delay of a stop would count.
const quantum = 20 * time.Millisecond

// slice is the least that a process earns before it goes on: stopping and
// continuing it more often would cost more than it runs.
const slice = 2 * time.Millisecond

// share keeps a process to its share of a CPU and within its memory.
type share struct {
	pid      int
	rate     float64       // of one CPU; 0: no limit
	burst    time.Duration // that it goes on with after a stop
	memoryMB int

	mu     sync.Mutex
	level  time.Duration // CPU time that it may use; negative: used too much
	used   time.Duration // at the last look
	at     time.Time     // of the last look
	peakMB int
	killed bool // for its memory
}

func newShare(pid int, rate float64, memoryMB int) *share {
	if rate >= float64(runtime.NumCPU()) {
		rate = 0
	}
	s := &share{pid: pid, rate: rate, memoryMB: memoryMB, at: time.Now()}
	s.burst = max(slice, time.Duration(rate*float64(quantum)))
	s.level = s.burst
	return s
}

// look accounts for the time since the last look.
func (s *share) look() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if used, ok := cpuTime(s.pid); ok {
		// A process that is continued late loses nothing, up to a quantum.
		s.level = min(2*s.burst, s.level+time.Duration(s.rate*float64(now.Sub(s.at)))-(used-s.used))
		s.used = used
	}
	s.at = now
	return s.level
}

// resume lets the process run, within its share, until the function that it
// returns is called, which freezes it.
func (s *share) resume() (freeze func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		s.control(done)
	}()
	return func() {
		close(done)
		<-stopped
		s.remember()
		pause(s.pid)
	}
}

// control runs and stops the process by turns.
func (s *share) control(done <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	running, watched := proceed(s.pid), time.Now()
	for {
		select {
		case <-done:
			return
		case <-timer.C:
		}
		level := s.look()
		switch {
		case s.rate == 0:
			if !running {
				running = proceed(s.pid)
			}
			timer.Reset(quantum)
		case level <= 0 || !running && level < s.burst:
			if running {
				pause(s.pid)
				running = false
			}
			timer.Reset(time.Duration(float64(s.burst-level)/s.rate) + time.Microsecond)
		default:
			if !running {
				running = proceed(s.pid)
			}
			// With one busy thread the level is used up no sooner.
			timer.Reset(max(level, slice/4))
		}
		if time.Since(watched) >= quantum {
			watched = time.Now()
			s.remember()
		}
	}
}

// remember notes the memory of the process, and kills it when it has too much.
func (s *share) remember() {
	peak, now, ok := memory(s.pid)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peakMB = max(s.peakMB, peak)
	if s.memoryMB > 0 && now > s.memoryMB && !s.killed {
		s.killed = true
		s.peakMB = s.memoryMB
		kill(s.pid)
	}
}

// memory returns the most memory in MB that the process had, at most what it
// may have.
func (s *share) memory() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memoryMB > 0 {
		return min(max(s.peakMB, 1), s.memoryMB)
	}
	return max(s.peakMB, 1)
}

// overran reports whether the process was killed for its memory.
func (s *share) overran() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.killed
}
