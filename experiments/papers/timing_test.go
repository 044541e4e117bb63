package papers

import (
	"errors"
	"testing"
	"time"
)

// ticking is a clock that work moves on by hand.
type ticking struct{ wall, cpu time.Duration }

func (c *ticking) clock() Clock {
	return Clock{
		Wall: func() time.Time { return time.Unix(0, 0).Add(c.wall) },
		CPU:  func() time.Duration { return c.cpu },
	}
}

// Of the repetitions the fastest counts, in wall and CPU time apart.
func TestMeasureTakesTheFastest(t *testing.T) {
	var c ticking
	wall := []time.Duration{300, 100, 200}
	cpu := []time.Duration{40, 60, 50}
	i := 0
	taken, err := c.clock().measure(3, time.Hour, func() error {
		c.wall += wall[i] * time.Millisecond
		c.cpu += cpu[i] * time.Millisecond
		i++
		return nil
	})
	if err != nil || i != 3 || taken.Repetitions != 3 || taken.Wall != 0.1 || *taken.CPU != 0.04 || taken.Seconds() != 0.04 {
		t.Errorf("%d runs, %+v (CPU %v), %v", i, taken, *taken.CPU, err)
	}
}

// Long work is not repeated, and without a CPU clock the wall time counts.
func TestMeasureStops(t *testing.T) {
	var c ticking
	clock := c.clock()
	clock.CPU = nil
	taken, err := clock.measure(5, 150*time.Millisecond, func() error {
		c.wall += 100 * time.Millisecond
		return nil
	})
	if err != nil || taken.Repetitions != 2 || taken.CPU != nil || taken.Seconds() != 0.1 {
		t.Errorf("%+v, %v", taken, err)
	}
	if _, err := clock.measure(5, time.Hour, func() error { return errors.New("broken") }); err == nil {
		t.Error("the error of the work is lost")
	}
}
