package sim

import (
	"fmt"
	"math/bits"
)

// kernel is a discrete-event scheduler. Events are processed in the total
// order (time, id), the id counting events in the order in which they were
// scheduled, so that nothing depends on how the heap breaks ties (as in ns-3,
// core/model/scheduler.h). The order is asserted on every event.
//
// An event is a value of 16 bytes without pointers: what happens and to whom,
// the latter usually an index into a table of the caller. Scheduling allocates
// nothing once the heap has grown, and the garbage collector has nothing to
// scan.
type kernel struct {
	now  int64 // ns
	heap heap
	ids  uint64 // events scheduled so far
	last uint64 // word of the event being processed
}

// kind says what happens in an event; its owner gives it a meaning.
type kind uint8

// An event is a time and a word: its id in the high bits, so that words order
// events of the same time, then kind and argument.
type event struct {
	at   int64 // ns
	word uint64
}

const (
	argBits  = 24
	kindBits = 4

	maxArg = 1<<argBits - 1                 // 16.7 million things can have events at the same time
	maxIDs = 1<<(64-argBits-kindBits) - 1e6 // 68 billion events, and some to wind up with
)

func (e event) kind() kind { return kind(e.word >> argBits & (1<<kindBits - 1)) }

func (e event) arg() uint32 { return uint32(e.word & maxArg) }

// reset forgets all events and sets the clock to 0.
func (k *kernel) reset() {
	k.now, k.ids, k.last = 0, 0, 0
	k.heap = k.heap[:0]
}

// at schedules an event for time t. Time that has passed is a broken contract.
func (k *kernel) at(t int64, what kind, arg uint32) {
	if t < k.now || arg > maxArg {
		panic(fmt.Sprintf("sim: event of %d scheduled for %d ns, but the clock is at %d ns", arg, t, k.now))
	}
	k.ids++
	k.heap.push(event{at: t, word: k.ids<<(argBits+kindBits) | uint64(what)<<argBits | uint64(arg)})
}

// next sets the clock to the next event and returns it, false where there is
// none.
func (k *kernel) next() (event, bool) {
	if len(k.heap) == 0 {
		return event{}, false
	}
	e := k.heap.pop()
	if e.at < k.now || e.at == k.now && e.word <= k.last {
		panic(fmt.Sprintf("sim: event %x at %d ns comes after event %x at %d ns", e.word, e.at, k.last, k.now))
	}
	k.now, k.last = e.at, e.word
	return e, true
}

// advance sets the clock to a time before the next event, at which something
// happens that is not in the heap.
func (k *kernel) advance(t int64) {
	if t < k.now || len(k.heap) > 0 && k.heap[0].at <= t {
		panic(fmt.Sprintf("sim: clock set to %d ns, but it is at %d ns with %d events left", t, k.now, len(k.heap)))
	}
	k.now, k.last = t, 0
}

// heap is a priority queue of events. It is 4-ary: half the levels of a binary
// heap, and the four children lie in one line of the cache.
type heap []event

func (e event) before(f event) bool {
	return e.at < f.at || e.at == f.at && e.word < f.word
}

// first returns a, or b if the event there comes before that at a. Which of two
// children is first is anybody's guess, so that computing the answer is faster
// than branching on it; times are not negative.
func (h heap) first(a, b int) int {
	_, borrow := bits.Sub64(h[b].word, h[a].word, 0)
	_, borrow = bits.Sub64(uint64(h[b].at), uint64(h[a].at), borrow)
	return a ^ (a^b)&-int(borrow)
}

func (h *heap) push(e event) {
	*h = append(*h, e)
	s := *h
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(s[parent]) {
			break
		}
		s[i] = s[parent]
		i = parent
	}
	s[i] = e
}

// pop removes the least event of a heap that is not empty.
func (h *heap) pop() event {
	s := *h
	least := s[0]
	n := len(s) - 1
	moved := s[n]
	*h = s[:n]
	if n > 0 {
		h.replace(moved)
	}
	return least
}

// replace puts e in the place of the least event.
func (h heap) replace(e event) {
	i := 0
	for {
		child := 4*i + 1
		if child >= len(h) {
			break
		}
		least := child
		if child+3 < len(h) {
			least = h.first(h.first(child, child+1), h.first(child+2, child+3))
		} else {
			for c := child + 1; c < len(h); c++ {
				least = h.first(least, c)
			}
		}
		if !h[least].before(e) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = e
}
