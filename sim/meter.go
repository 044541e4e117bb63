package sim

import "math"

// meter is a token bucket in integer time (the generic cell rate algorithm,
// ITU-T I.371): one thing passes per interval in the long run, and as many at
// once as fit into the window. The zero value lets everything pass.
type meter struct {
	interval int64 // ns; 0: no limit
	window   int64 // ns
	full     int64 // ns; when the bucket is full again
}

// newMeter returns a meter that lets burst things pass at once, and rate per
// second.
func newMeter(rate, burst float64) meter {
	if rate <= 0 {
		return meter{}
	}
	interval := max(1, int64(math.Round(1e9/rate)))
	return meter{interval: interval, window: int64(math.Round(max(1, burst) * float64(interval)))}
}

// opens returns the earliest time, from now on, at which something can pass.
func (m *meter) opens(now int64) int64 {
	return max(now, m.full+m.interval-m.window)
}

// pass takes a token and reports whether there was one.
func (m *meter) pass(now int64) bool {
	if m.interval == 0 {
		return true
	}
	if m.opens(now) > now {
		return false
	}
	m.full = max(m.full, now) + m.interval
	return true
}

// wait takes a token, ahead of time if there is none, and returns when it is
// there.
func (m *meter) wait(now int64) int64 {
	if m.interval == 0 {
		return now
	}
	at := m.opens(now)
	m.full = max(m.full, at) + m.interval
	return at
}
