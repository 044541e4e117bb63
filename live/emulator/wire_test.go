package emulator_test

import (
	"errors"
	"sync"
	"time"

	"github.com/aws/smithy-go"
)

// code returns the code of an error of the API.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// clock is a clock that stands still unless it is told to go on.
type clock struct {
	mu    sync.Mutex
	at    time.Time
	after time.Duration // that passes with every look
}

func newClock() *clock { return &clock{at: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(c.after)
	return c.at
}

// tick lets time pass with every look at the clock, a call being two looks,
// until the function that it returns is called.
func (c *clock) tick(call time.Duration) (stop func()) {
	set := func(d time.Duration) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.after = d
	}
	set(call / 2)
	return func() { set(0) }
}
