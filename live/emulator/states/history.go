package states

import (
	"strings"
	"sync"
	"time"
)

// Event is one event of a history.
type Event struct {
	ID       int64
	Previous int64 // id of the event that it follows; 0: none
	Type     string
	At       time.Time
	Details  map[string]any // none: nil
}

// DetailsKey is the member of the wire that holds the details of an event.
func (e Event) DetailsKey() string {
	switch {
	case strings.HasSuffix(e.Type, "StateEntered"):
		return "stateEnteredEventDetails"
	case strings.HasSuffix(e.Type, "StateExited"):
		return "stateExitedEventDetails"
	}
	return strings.ToLower(e.Type[:1]) + e.Type[1:] + "EventDetails"
}

// History is the events of an execution. Any number of goroutines may use it.
type History struct {
	now func() time.Time

	mu     sync.Mutex
	events []Event
}

// NewHistory makes an empty history with a clock.
func NewHistory(now func() time.Time) *History { return &History{now: now} }

// add adds an event and returns its id.
func (h *History) add(previous int64, kind string, details map[string]any) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := int64(len(h.events) + 1)
	h.events = append(h.events, Event{id, previous, kind, h.now(), details})
	return id
}

// Events returns the events so far, by id.
func (h *History) Events() []Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.events[:len(h.events):len(h.events)]
}

// Transitions returns how many states were entered, retries included: what is
// billed.
func (h *History) Transitions() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n, failed := 0, make(map[int64]bool)
	for _, e := range h.events {
		switch {
		case strings.HasSuffix(e.Type, "StateEntered"):
			n++
		case retried(e.Type):
			failed[e.ID] = true
		case failed[e.Previous] && (e.Type == "LambdaFunctionScheduled" || e.Type == "TaskScheduled" || e.Type == "MapStateStarted" || e.Type == "ParallelStateStarted"):
			n++
		}
	}
	return n
}

// retried reports whether a retry can follow an event.
func retried(kind string) bool {
	switch kind {
	case "LambdaFunctionFailed", "LambdaFunctionTimedOut", "TaskFailed", "TaskTimedOut", "MapStateFailed", "ParallelStateFailed":
		return true
	}
	return false
}
