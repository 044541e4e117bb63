package sim

import "fmt"

// kernel is a discrete-event scheduler. Events are processed in the total
// order (time, id), the id counting events in the order in which they were
// scheduled, so that nothing depends on how the heap breaks ties (as in ns-3,
// core/model/scheduler.h). The order is asserted on every event.
//
// An event is a value without pointers: a registered handler and an argument,
// usually an index into a table of the caller. Scheduling allocates nothing
// once the heap has grown, and the garbage collector has nothing to scan. The
// heap is 4-ary: half the levels of a binary heap, and the four children lie
// side by side.
type kernel struct {
	now      int64 // ns
	heap     []event
	handlers []func(arg uint32)
	ids      uint64 // events scheduled so far
	last     uint64 // id of the event being processed
}

type event struct {
	at  int64 // ns
	id  uint64
	do  handler
	arg uint32
}

// handler names a registered function.
type handler uint32

// handle registers f.
func (k *kernel) handle(f func(arg uint32)) handler {
	k.handlers = append(k.handlers, f)
	return handler(len(k.handlers) - 1)
}

// reset forgets all events and sets the clock to 0.
func (k *kernel) reset() {
	k.now, k.ids, k.last = 0, 0, 0
	k.heap = k.heap[:0]
}

// at schedules do(arg) for time t. Time that has passed is a broken contract.
func (k *kernel) at(t int64, do handler, arg uint32) {
	if t < k.now {
		panic(fmt.Sprintf("sim: event scheduled for %d ns, but the clock is at %d ns", t, k.now))
	}
	k.ids++
	k.heap = append(k.heap, event{})
	k.up(len(k.heap)-1, event{at: t, id: k.ids, do: do, arg: arg})
}

// step processes the next event and reports whether there was one.
func (k *kernel) step() bool {
	if len(k.heap) == 0 {
		return false
	}
	e := k.heap[0]
	if e.at < k.now || e.at == k.now && e.id <= k.last {
		panic(fmt.Sprintf("sim: event %d at %d ns comes after event %d at %d ns", e.id, e.at, k.last, k.now))
	}
	n := len(k.heap) - 1
	moved := k.heap[n]
	k.heap = k.heap[:n]
	if n > 0 {
		k.down(moved)
	}
	k.now, k.last = e.at, e.id
	k.handlers[e.do](e.arg)
	return true
}

// run processes events until none is left.
func (k *kernel) run() {
	for k.step() {
	}
}

func (e *event) before(f *event) bool {
	return e.at < f.at || e.at == f.at && e.id < f.id
}

// up moves the hole at i towards the root until e fits into it.
func (k *kernel) up(i int, e event) {
	h := k.heap
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
}

// down moves the hole at the root towards the leaves until e fits into it.
func (k *kernel) down(e event) {
	h := k.heap
	i := 0
	for {
		first := 4*i + 1
		if first >= len(h) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(h)); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if !h[least].before(&e) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = e
}
