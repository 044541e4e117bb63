package papers

import (
	"os"
	"runtime"
	"strings"
	"time"
)

// Machine is where durations were measured, and when.
type Machine struct {
	At    string `json:"at"` // time of day, RFC 3339, UTC
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Go    string `json:"go"`
	Cores int    `json:"cores"`
	Used  int    `json:"gomaxprocs"`
	Load  string `json:"load_average,omitempty"` // over 1, 5 and 15 minutes, where the system says it
}

// thisMachine describes the machine that the program runs on.
func thisMachine(now time.Time) Machine {
	m := Machine{At: now.UTC().Format(time.RFC3339), OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(), Cores: runtime.NumCPU(), Used: runtime.GOMAXPROCS(0)}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		if fields := strings.Fields(string(text)); len(fields) >= 3 {
			m.Load = strings.Join(fields[:3], " ")
		}
	}
	return m
}

// TimeTaken is how long a piece of work took, in s: the fastest of a few
// repetitions, which is the one that was disturbed least.
type TimeTaken struct {
	CPU         *float64 `json:"cpu_s"` // of the program; null where the system does not tell
	Wall        float64  `json:"wall_s"`
	Repetitions int      `json:"repetitions"`
}

// Seconds is the CPU time where it is known, else the wall time. On a busy
// machine the wall time says more about the others.
func (t TimeTaken) Seconds() float64 {
	if t.CPU != nil {
		return *t.CPU
	}
	return t.Wall
}

// Clock measures durations.
type Clock struct {
	Wall func() time.Time     // as time.Now
	CPU  func() time.Duration // CPU time of the program so far; nil: unknown
}

// measure times work. It repeats it up to the given number of times, but stops
// when that has taken enough time in all.
func (c Clock) measure(repetitions int, enough time.Duration, work func() error) (TimeTaken, error) {
	var taken TimeTaken
	for spent := time.Duration(0); taken.Repetitions == 0 || taken.Repetitions < repetitions && spent < enough; taken.Repetitions++ {
		start, used := c.Wall(), time.Duration(0)
		if c.CPU != nil {
			used = c.CPU()
		}
		if err := work(); err != nil {
			return TimeTaken{}, err
		}
		if c.CPU != nil {
			cpu := (c.CPU() - used).Seconds()
			if taken.CPU == nil || cpu < *taken.CPU {
				taken.CPU = &cpu
			}
		}
		wall := c.Wall().Sub(start)
		spent += wall
		if taken.Repetitions == 0 || wall.Seconds() < taken.Wall {
			taken.Wall = wall.Seconds()
		}
	}
	return taken, nil
}
