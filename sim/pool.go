package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// pool is the instances of a function. An instance that can take a request is
// available; which of them takes the next one is the platform's rule.
//
// Keep-alive needs no timer at all: an instance ends when the rule comes across
// it after its time, with the end that it had. Available instances are ordered
// by their last use, so that those that are still warm are found first under
// MostRecent, and last under LongestIdle; random ones that turn out to have
// ended are drawn again. Every instance ends once, so that all operations take
// constant time, averaged over the life of an instance.
type pool struct {
	keepAlive int64 // ns; never: for ever
	rule      rule
	slots     int32 // requests that an instance serves at the same time
	since     int64 // ns; instance time counts from here

	instances []instance
	free      []uint32 // places in instances
	available shelf
	factors   []float64 // by which instances are slower, in the same places; empty: they are not
	links     []link    // of instances, in the same places; empty: nothing is moved
	readies   []int64   // ns; when instances are initialised, in the same places; empty unless they serve several requests

	started uint64 // instances
	live    int    // instances that have not been found to have ended
	lived   total  // ns that instances lived, without those that still do
}

// rule is a WarmChoice.
type rule uint8

const (
	mostRecent rule = iota
	longestIdle
	randomIdle
)

// never is later than any time of a simulation.
const never = math.MaxInt64

// instance is one execution environment.
type instance struct {
	used   int64 // ns; last time that a request started or ended
	born   int64 // ns
	prev   int32 // on a shelf; under RandomIdle its place there
	next   int32
	active int32 // requests
	broken bool  // takes no request any more
}

// shelf is a set of instances, as a list from the least recently used on or,
// under RandomIdle, as a slice in any order.
type shelf struct {
	first, last int32
	any         []uint32
}

// nobody ends the list of a shelf.
const nobody = -1

func newPool(choice WarmChoice, keepAlive int64, slots int) pool {
	r := mostRecent
	switch choice {
	case LongestIdle:
		r = longestIdle
	case RandomIdle:
		r = randomIdle
	}
	return pool{keepAlive: keepAlive, rule: r, slots: int32(slots), available: shelf{first: nobody, last: nobody}}
}

// take gives a request to an available instance, false where there is none.
func (p *pool) take(now int64, stream *rand.Rand) (uint32, bool) {
	for {
		id := p.choose(stream)
		if id == nobody {
			return 0, false
		}
		in := &p.instances[id]
		if in.active == 0 && now-in.used >= p.keepAlive {
			p.withdraw(uint32(id))
			p.end(uint32(id), in.used+p.keepAlive)
			continue
		}
		in.active++
		p.withdraw(uint32(id))
		in.used = now
		if in.active < p.slots {
			p.offer(uint32(id))
		}
		return uint32(id), true
	}
}

// start makes a new instance that serves a request.
func (p *pool) start(now int64) uint32 {
	id := p.create(now)
	p.instances[id].active = 1
	if p.slots > 1 {
		p.offer(id)
	}
	return id
}

// startAhead makes a new instance that nobody has asked for. It is on no shelf
// until ready or claim is called, in time.
func (p *pool) startAhead(now, ready int64) uint32 {
	id := p.create(now)
	p.instances[id].used = ready
	return id
}

// ready offers an instance that was started ahead.
func (p *pool) ready(id uint32) { p.offer(id) }

// claim gives a request to an instance that was started ahead and is not ready.
func (p *pool) claim(now int64, id uint32) {
	p.instances[id].active, p.instances[id].used = 1, now
	if p.slots > 1 {
		p.offer(id)
	}
}

func (p *pool) create(now int64) uint32 {
	var id uint32
	if n := len(p.free); n > 0 {
		id = p.free[n-1]
		p.free = p.free[:n-1]
	} else {
		id = uint32(len(p.instances))
		p.instances = append(p.instances, instance{})
	}
	p.started++
	p.live++
	p.instances[id] = instance{used: now, born: now}
	return id
}

// offers reports whether an instance is available.
func (p *pool) offers(now int64) bool {
	warm := func(id int32) bool {
		in := &p.instances[id]
		return in.active > 0 || now-in.used < p.keepAlive
	}
	if p.rule == randomIdle {
		return slices.ContainsFunc(p.available.any, func(id uint32) bool { return warm(int32(id)) })
	}
	return p.available.last != nobody && warm(p.available.last)
}

// release ends a request of an instance, which is lost if the request broke it:
// it takes no other, and ends with its last one.
func (p *pool) release(now int64, id uint32, broken bool) {
	in := &p.instances[id]
	if in.active == p.slots {
		if in.active--; !broken && !in.broken && (in.active > 0 || p.keepAlive > 0) {
			in.used = now
			p.offer(id)
			return
		}
	} else {
		in.active--
		if !in.broken {
			p.withdraw(id)
		}
		if in.used = now; !broken && !in.broken && (in.active > 0 || p.keepAlive > 0) {
			p.offer(id)
			return
		}
	}
	if in.broken = in.broken || broken; in.active == 0 {
		p.end(id, now)
	}
}

// idle returns how many instances serve nobody and are warm, or about to be.
func (p *pool) idle(now int64) int {
	n := 0
	for id := range p.instances {
		if in := &p.instances[id]; in.born >= 0 && in.active == 0 && now-in.used < p.keepAlive {
			n++
		}
	}
	return n
}

// instanceTime returns the ns that instances have lived until now.
func (p *pool) instanceTime(now int64) total {
	sum := p.lived
	for id := range p.instances {
		if in := &p.instances[id]; in.born >= 0 {
			until := now
			if in.active == 0 && now-in.used > p.keepAlive {
				until = in.used + p.keepAlive
			}
			sum.add(max(0, until-max(in.born, p.since)))
		}
	}
	return sum
}

func (p *pool) end(id uint32, at int64) {
	in := &p.instances[id]
	p.lived.add(max(0, at-max(in.born, p.since)))
	p.live--
	in.born = -1
	p.free = append(p.free, id)
}

// choose returns the instance that the rule names.
func (p *pool) choose(stream *rand.Rand) int32 {
	switch p.rule {
	case longestIdle:
		return p.available.first
	case randomIdle:
		n := len(p.available.any)
		if n == 0 {
			return nobody
		}
		return int32(p.available.any[stream.IntN(n)])
	}
	return p.available.last
}

// offer puts an instance on the shelf, as the most recently used one.
func (p *pool) offer(id uint32) {
	in, s := &p.instances[id], &p.available
	if p.rule == randomIdle {
		in.prev = int32(len(s.any))
		s.any = append(s.any, id)
		return
	}
	in.prev, in.next = s.last, nobody
	if s.last == nobody {
		s.first = int32(id)
	} else {
		p.instances[s.last].next = int32(id)
	}
	s.last = int32(id)
}

// withdraw takes an instance off the shelf.
func (p *pool) withdraw(id uint32) {
	in, s := &p.instances[id], &p.available
	if p.rule == randomIdle {
		n := len(s.any) - 1
		moved := s.any[n]
		s.any[in.prev] = moved
		p.instances[moved].prev = in.prev
		s.any = s.any[:n]
		return
	}
	if in.prev == nobody {
		s.first = in.next
	} else {
		p.instances[in.prev].next = in.next
	}
	if in.next == nobody {
		s.last = in.prev
	} else {
		p.instances[in.next].prev = in.prev
	}
}

// audit panics unless the books of the pool are in order, and returns how many
// requests it serves.
func (p *pool) audit() int {
	onShelf := len(p.available.any)
	if p.rule != randomIdle {
		before, last := int64(-1), int32(nobody)
		for id := p.available.first; id != nobody; id = p.instances[id].next {
			in := &p.instances[id]
			if in.prev != last || in.used < before {
				panic(fmt.Sprintf("sim: instance %d was used at %d ns, the one before it on the shelf at %d ns", id, in.used, before))
			}
			before, last = in.used, id
			onShelf++
		}
		if last != p.available.last {
			panic(fmt.Sprintf("sim: the shelf ends with instance %d, not %d", last, p.available.last))
		}
	}
	active, open, live := 0, 0, 0
	for id := range p.instances {
		in := &p.instances[id]
		if in.born < 0 {
			continue
		}
		live++
		active += int(in.active)
		if in.active < 0 || in.active > p.slots || in.broken && in.active == 0 {
			panic(fmt.Sprintf("sim: instance %d serves %d requests, it can serve %d", id, in.active, p.slots))
		}
		if in.active < p.slots && !in.broken {
			open++
		}
	}
	if live != p.live || live+len(p.free) != len(p.instances) {
		panic(fmt.Sprintf("sim: %d instances live, %d are counted, %d of %d places are free", live, p.live, len(p.free), len(p.instances)))
	}
	// Instances that are started ahead are on no shelf yet.
	if onShelf > open {
		panic(fmt.Sprintf("sim: %d instances are available, %d can take a request", onShelf, open))
	}
	return active
}
