package sim

import "fmt"

// task is one invocation of a function by an execution, with all of its
// attempts.
type task struct {
	due        int64 // ns; when the request reached the platform, or would again after a failure
	runs       int64 // ns; when the function runs
	busy       int64 // ns; what the function takes by the world
	lasts      int64 // ns; what this attempt takes, once it has its input
	start      int64 // ns that starting the instance took
	init       int64 // ns of initialisation, which is the last part of it
	function   uint32
	instance   uint32
	execution  uint32
	next       uint32 // in the list that the task is in
	generation uint32 // of its place in the table
	history    uint32 // place in histories; none
	tenant     uint16
	stage      uint16
	index      uint16 // in the stage
	outcome    failure
	fixed      bool // runs on a provisioned instance
	cold       bool // waited for a new instance
	parked     bool // runs and waits for its input
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
	if c.each != nil || c.moves {
		c.steps = append(c.steps, Task{})
	}
	return id
}

func (c *cloud) freeTask(id uint32) {
	t := &c.tasks[id]
	if t.history != none {
		c.forgotten = append(c.forgotten, t.history)
	}
	t.generation++
	t.next = c.spareTask
	c.spareTask = id
}

// request brings a task to its function.
func (c *cloud) request(id uint32) {
	t := &c.tasks[id]
	tn := c.tenants[t.tenant]
	if c.over(tn, t.execution) {
		c.drop(id)
		return
	}
	f := c.functions[t.function]
	t.due = c.now
	if f.queue.n > 0 {
		c.enqueue(&f.queue, id)
		c.queued++
		return
	}
	if c.admit(id, f) {
		return
	}
	if tn.executions[t.execution].counted {
		f.ledger.throttled++
	}
	if !c.platform.Limits.Queue {
		t.outcome = throttled
		c.retry(id, f)
		return
	}
	c.enqueue(&f.queue, id)
	c.queued++
	c.waiting = append(c.waiting, f)
	c.wake(f)
}

// admit gives the task an instance, false where limits forbid it.
func (c *cloud) admit(id uint32, f *function) bool {
	if !f.rate.try(c.now, 1) {
		return false
	}
	if f.Provisioned > 0 {
		if instance, ok := f.provisioned.take(c.now, f.stream); ok {
			t := &c.tasks[id]
			t.fixed, t.cold, t.start, t.init = true, false, 0, 0
			c.occupy(id, f, instance, c.now)
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
	t := &c.tasks[id]
	instance, warm := f.warm.take(c.now, f.stream)
	runs := c.now
	t.fixed, t.cold, t.start, t.init = false, false, 0, 0
	switch {
	case warm:
	case len(f.ahead) > 0:
		first := f.ahead[0]
		c.errands[first.errand].what = idle
		f.startedAhead(first.errand)
		f.warm.claim(first.instance)
		instance, runs = first.instance, first.ready
	case !f.scale.try(c.now, 1):
		return false
	default:
		delay, init := f.startTime()
		runs += delay + init
		instance = f.warm.start(c.now)
		f.equip(&f.warm, instance, c.now)
		t.cold, t.start, t.init = true, delay+init, init
	}
	f.running++
	if f.Reserved == 0 {
		c.shared++
	}
	c.occupy(id, f, instance, runs)
	return true
}

// occupy lets the task run on an instance from a time on.
func (c *cloud) occupy(id uint32, f *function, instance uint32, runs int64) {
	t := &c.tasks[id]
	t.instance, t.runs = instance, runs
	t.outcome, t.lasts = succeeded, t.busy
	if f.uneven {
		c.vary(id, f)
	}
	if t.lasts > f.timeout && !f.moves {
		t.outcome, t.lasts = timedOut, f.timeout
	}
	if t.cold && f.platform.Failures.StartFailure > 0 && f.stream.Float64() < f.platform.Failures.StartFailure {
		t.outcome, t.lasts = notStarted, 0
	}
	c.inFlight++
	c.most = max(c.most, c.inFlight)
	if c.tenants[t.tenant].stagesOf(t.execution)[t.stage].input {
		if f.moves && t.outcome != notStarted {
			c.at(runs, reads, id)
		} else {
			c.at(runs+t.lasts, ends, id)
		}
		return
	}
	// The function waits for its input, which is billed.
	t.parked = true
	c.park(id)
	if f.timeout != never {
		c.later(runs+f.timeout, errand{what: givesUp, a: id, b: t.generation})
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
	if t.generation != generation || !t.parked || t.runs+c.functions[t.function].timeout != c.now {
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
	t := &c.tasks[id]
	f := c.functions[t.function]
	c.inFlight--
	bill := &f.tariff
	if broken := t.outcome != succeeded; t.fixed {
		// A provisioned instance that was lost is replaced at once.
		f.provisioned.release(c.now, t.instance, false)
		bill = &f.reserved
	} else {
		f.warm.release(c.now, t.instance, broken)
		f.running--
		if f.Reserved == 0 {
			c.shared--
		}
	}
	ran := c.now - t.runs
	init := int64(0)
	if t.cold && c.platform.ColdStart.BilledInit {
		init = t.init
	}
	billed, cost := bill.invoice(ran + init)
	stored := money(0)
	if f.moves {
		stored = c.tenants[t.tenant].bindingOf(t).storage
		cost += stored
	}
	x := &c.tenants[t.tenant].executions[t.execution]
	x.cost += cost
	c.audit.bill(cost)
	if c.each != nil {
		c.recordAttempt(c.tenants[t.tenant].runs[t.execution], t, billed, cost)
	}
	if x.counted {
		l := &f.ledger
		l.invocations++
		if t.cold {
			l.cold++
		}
		l.wait.add(t.runs - t.due)
		l.busy.add(ran)
		l.billed.add(billed)
		l.init.add(init)
		l.cost += cost
		l.storage += stored
	}
	if c.queued > 0 {
		c.dispatch()
	}
	if t.outcome != succeeded {
		c.retry(id, f)
		return
	}
	c.taskDone(id)
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
	if c.over(tn, t.execution) {
		c.drop(id)
		return
	}
	if len(f.Retry) > 0 {
		if t.history == none {
			t.history = c.newHistory(len(f.Retry))
		}
		if k, delay := NextRetry(f.Retry, c.histories[t.history], failures[t.outcome], f.stream); k >= 0 {
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
	c.freeTask(id)
	c.leave(tn, slot)
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
			return
		}
		id := c.dequeue(&first.queue)
		c.queued--
		if first.queue.n == 0 {
			c.waiting = append(c.waiting[:at], c.waiting[at+1:]...)
		}
		if t := &c.tasks[id]; c.over(c.tenants[t.tenant], t.execution) {
			c.drop(id)
		} else if !c.admit(id, first) {
			panic(fmt.Sprintf("sim: function %s takes no request although it should", first.name))
		}
		if first.queue.n > 0 {
			c.wake(first)
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
	if !f.warm.offers(c.now) {
		at = max(at, f.scale.opens(c.now))
	}
	if at > c.now && !f.woken {
		f.woken = true
		c.later(at, errand{what: looksAfter, a: f.place})
	}
}
