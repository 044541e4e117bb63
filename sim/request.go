package sim

import "fmt"

// task is one invocation of a function by an execution, with all of its
// attempts. It fills a line of the cache; what few tasks need is in asides.
type task struct {
	due       int64 // ns; when the request reached the platform, or would again after a failure
	runs      int64 // ns; when the function runs
	busy      int64 // ns; what the function takes by the world
	lasts     int64 // ns; what this attempt takes, once it has its input
	function  uint32
	instance  uint32
	execution uint32
	next      uint32 // in the list that the task is in
	tenant    uint16
	stage     uint16
	index     uint16 // in the stage
	outcome   failure
	fixed     bool // runs on a provisioned instance
	cold      bool // waited for a new instance
	parked    bool // runs and waits for its input
	retried   bool
}

// aside is what few tasks need.
type aside struct {
	start      int64  // ns that starting the instance took; if cold
	init       int64  // ns of initialisation, which is the last part of it; if cold
	generation uint32 // of the place in the table
	history    uint32 // place in histories; if retried
}

// none ends lists of places in tables.
const none = 1<<32 - 1

// queue is a list of tasks.
type queue struct {
	first, last uint32
	n           int
}

func newQueue() queue { return queue{first: none, last: none} }

func (c *cloud) enqueue(q *queue, id uint32) {
	c.tasks[id].next = none
	if q.first == none {
		q.first = id
	} else {
		c.tasks[q.last].next = id
	}
	q.last = id
	q.n++
}

func (c *cloud) dequeue(q *queue) uint32 {
	id := q.first
	if q.first = c.tasks[id].next; q.first == none {
		q.last = none
	}
	q.n--
	return id
}

// newTask returns a place in tasks.
func (c *cloud) newTask() uint32 {
	if id := c.spareTask; id != none {
		c.spareTask = c.tasks[id].next
		return id
	}
	id := uint32(len(c.tasks))
	if id > maxArg && c.err == nil {
		c.err = fmt.Errorf("more than %d requests are under way at %.0f s: more arrive than the platform serves", maxArg, seconds(c.now))
		return maxArg
	}
	c.tasks = append(c.tasks, task{})
	c.asides = append(c.asides, aside{})
	if c.each != nil || c.moves {
		c.steps = append(c.steps, Task{})
	}
	return id
}

func (c *cloud) freeTask(id uint32, k *task) {
	if k.retried {
		c.forgotten = append(c.forgotten, c.asides[id].history)
	}
	k.next = c.spareTask
	c.spareTask = id
}

// request brings a task to its function.
func (c *cloud) request(id uint32, k *task, t *tenant, x *execution) {
	if c.over(t, k.execution, x) {
		c.drop(id)
		return
	}
	f := c.functions[k.function]
	k.due = c.now
	if f.queue.n == 0 && c.admit(id, k, f) {
		return
	}
	if x.counted {
		f.ledger.throttled++
	}
	if !c.platform.Limits.Queue {
		k.outcome = throttled
		c.retry(id, f)
		return
	}
	c.enqueue(&f.queue, id)
	if c.queued++; f.queue.n == 1 {
		c.waiting = append(c.waiting, f)
		c.wake(f)
	}
}

// admit gives the task an instance, false where limits forbid it.
func (c *cloud) admit(id uint32, k *task, f *function) bool {
	if f.rate.rate > 0 && !f.rate.try(c.now, 1) {
		return false
	}
	k.fixed, k.cold = false, false
	if f.Provisioned > 0 {
		if instance, ok := f.provisioned.take(c.now, f.stream); ok {
			k.fixed = true
			c.occupy(id, k, f, instance, c.now)
			return true
		}
	}
	if f.Reserved > 0 {
		if f.running >= f.Reserved-f.Provisioned {
			return false
		}
	} else if c.limit != 0 && c.shared >= c.limit {
		return false
	}
	runs := c.now
	instance, warm := f.warm.take(c.now, f.stream)
	if warm && f.warm.slots > 1 {
		runs = max(runs, f.warm.readies[instance])
	}
	if !warm {
		if len(f.ahead) > 0 {
			first := f.ahead[0]
			c.errands[first.errand].what = idle
			f.startedAhead(first.errand)
			f.warm.claim(c.now, first.instance)
			instance, runs = first.instance, first.ready
		} else if f.scale.try(c.now, 1) {
			delay, init := f.startTime()
			runs += delay + init
			instance = f.warm.start(c.now)
			f.equip(&f.warm, instance, runs)
			k.cold = true
			c.asides[id].start, c.asides[id].init = delay+init, init
		} else {
			return false
		}
	}
	f.running++
	if f.Reserved == 0 {
		c.shared++
	}
	c.occupy(id, k, f, instance, runs)
	return true
}

// occupy lets the task run on an instance from a time on.
func (c *cloud) occupy(id uint32, k *task, f *function, instance uint32, runs int64) {
	k.instance, k.runs = instance, runs
	k.outcome, k.lasts = succeeded, k.busy
	if f.uneven {
		c.vary(k, f)
	}
	if k.lasts > f.timeout && !f.moves {
		k.outcome, k.lasts = timedOut, f.timeout
	}
	c.inFlight++
	c.most = max(c.most, c.inFlight)
	if c.tenants[k.tenant].stage(k.execution, int(k.stage)).input {
		if f.moves && k.outcome != notStarted {
			c.at(runs, reads, id)
		} else {
			c.at(runs+k.lasts, ends, id)
		}
		return
	}
	// The function waits for its input, which is billed.
	k.parked = true
	c.park(id)
	if f.timeout != never {
		c.asides[id].generation++
		c.later(runs+f.timeout, errand{what: givesUp, a: id, b: c.asides[id].generation})
	}
}

// resume goes on with a task whose input is there.
func (c *cloud) resume(id uint32) {
	t := &c.tasks[id]
	t.parked = false
	f := c.functions[t.function]
	if f.moves && t.outcome != notStarted {
		c.at(max(t.runs, c.now), reads, id)
		return
	}
	end := max(t.runs, c.now) + t.lasts
	if f.timeout != never && end > t.runs+f.timeout {
		t.outcome, end = timedOut, t.runs+f.timeout
	}
	c.at(end, ends, id)
}

// giveUp ends a function that has waited for its input for too long.
func (c *cloud) giveUp(id, generation uint32) {
	t := &c.tasks[id]
	if c.asides[id].generation != generation || !t.parked || t.runs+c.functions[t.function].timeout != c.now {
		return
	}
	t.parked = false
	t.outcome = timedOut
	c.unpark(id)
	c.attemptEnds(id)
}

// attemptEnds ends an attempt: its instance is free, it is billed, and the task
// is done or retried.
func (c *cloud) attemptEnds(id uint32) {
	k := &c.tasks[id]
	f, t := c.functions[k.function], c.tenants[k.tenant]
	x := &t.executions[k.execution]
	c.inFlight--
	bill := &f.tariff
	if k.fixed {
		// A provisioned instance that was lost is replaced at once.
		f.provisioned.release(c.now, k.instance, false)
		bill = &f.reserved
	} else {
		f.warm.release(c.now, k.instance, k.outcome != succeeded)
		f.running--
		if f.Reserved == 0 {
			c.shared--
		}
	}
	ran, init := c.now-k.runs, int64(0)
	if k.cold && f.platform.ColdStart.BilledInit {
		init = c.asides[id].init
	}
	billed, cost := bill.invoice(ran + init)
	if f.moves {
		stored := t.bindingOf(k).storage
		if cost += stored; x.counted {
			f.ledger.storage += stored
		}
	}
	x.cost += cost
	c.audit.bill(cost)
	if c.each != nil {
		c.recordAttempt(t.runs[k.execution], id, k, billed, cost)
	}
	if x.counted {
		l := &f.ledger
		l.invocations++
		if k.cold {
			l.cold++
		}
		l.wait.add(k.runs - k.due)
		l.busy.add(ran)
		l.billed.add(billed)
		l.init.add(init)
		l.cost += cost
	}
	if c.queued > 0 {
		c.dispatch()
	}
	if k.outcome != succeeded {
		c.retry(id, f)
		return
	}
	c.taskDone(id, k, t, x)
}

// retry repeats a task that has failed as its retriers say, or fails its
// execution.
func (c *cloud) retry(id uint32, f *function) {
	t := &c.tasks[id]
	tn := c.tenants[t.tenant]
	x := &tn.executions[t.execution]
	if x.counted && t.outcome != throttled {
		f.ledger.failed[t.outcome]++
	}
	if c.over(tn, t.execution, x) {
		c.drop(id)
		return
	}
	if len(f.Retry) > 0 {
		if !t.retried {
			t.retried = true
			c.asides[id].history = c.newHistory(len(f.Retry))
		}
		if k, delay := NextRetry(f.Retry, c.histories[c.asides[id].history], failures[t.outcome], f.stream); k >= 0 {
			if x.counted {
				f.ledger.retries++
			}
			c.transition(tn, x, 1)
			c.at(c.now+nanoseconds(delay), arrives, id)
			return
		}
	}
	c.fail(tn, t.execution, t.outcome)
	c.drop(id)
}

func (c *cloud) newHistory(n int) uint32 {
	if k := len(c.forgotten); k > 0 {
		id := c.forgotten[k-1]
		c.forgotten = c.forgotten[:k-1]
		h := c.histories[id][:0]
		for range n {
			h = append(h, 0)
		}
		c.histories[id] = h
		return id
	}
	c.histories = append(c.histories, make([]int, n))
	return uint32(len(c.histories) - 1)
}

// drop forgets a task of an execution that has failed.
func (c *cloud) drop(id uint32) {
	t := &c.tasks[id]
	tn, slot := c.tenants[t.tenant], t.execution
	c.freeTask(id, t)
	c.leave(tn, slot, &tn.executions[slot])
}

// dispatch admits requests that wait, those that have waited longest first.
func (c *cloud) dispatch() {
	for c.queued > 0 {
		var first *function
		at := 0
		for k, f := range c.waiting {
			if c.opens(f) && (first == nil || c.tasks[f.queue.first].due < c.tasks[first.queue.first].due) {
				first, at = f, k
			}
		}
		if first == nil {
			for _, f := range c.waiting {
				c.wake(f)
			}
			return
		}
		id := c.dequeue(&first.queue)
		c.queued--
		if first.queue.n == 0 {
			c.waiting = append(c.waiting[:at], c.waiting[at+1:]...)
		}
		k := &c.tasks[id]
		if t := c.tenants[k.tenant]; c.over(t, k.execution, &t.executions[k.execution]) {
			c.drop(id)
		} else if !c.admit(id, k, first) {
			panic(fmt.Sprintf("sim: function %s takes no request although it should", first.name))
		}
	}
}

// opens reports whether a function would take a request.
func (c *cloud) opens(f *function) bool {
	if f.rate.opens(c.now) > c.now {
		return false
	}
	if f.provisioned.offers(c.now) {
		return true
	}
	if f.Reserved > 0 && f.running >= f.Reserved-f.Provisioned || f.Reserved == 0 && c.limit != 0 && c.shared >= c.limit {
		return false
	}
	return f.scale.opens(c.now) == c.now || len(f.ahead) > 0 || f.warm.offers(c.now)
}

// wake looks after a queue at the time when rates let its first request pass.
func (c *cloud) wake(f *function) {
	at := f.rate.opens(c.now)
	if !f.provisioned.offers(c.now) && !f.warm.offers(c.now) && len(f.ahead) == 0 {
		at = max(at, f.scale.opens(c.now))
	}
	if at > c.now && (f.wakes <= c.now || at < f.wakes) {
		f.wakes = at
		c.later(at, errand{what: looksAfter, a: f.place})
	}
}
