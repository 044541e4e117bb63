package sim

import "fmt"

// ready marks that all parents of a stage have ended, and enters it after the
// orchestrator's transition.
func (c *cloud) ready(t *tenant, slot uint32, s int) {
	x, st := &t.executions[slot], t.stage(slot, s)
	st.input = true
	st.invoked = c.now
	if c.each != nil {
		c.recordReady(t.runs[slot], s)
	}
	if c.delays {
		if delay := nanoseconds(c.platform.Orchestration.Transition.Draw(t.delays)); delay > 0 {
			x.open++
			c.later(c.now+delay, errand{what: stageEnters, tenant: t.place, a: slot, b: uint32(s)})
			return
		}
	}
	c.enter(t, slot, s, x, st)
}

// enter decides and invokes a stage whose input is there.
func (c *cloud) enter(t *tenant, slot uint32, s int, x *execution, st *stageRun) {
	if c.over(t, slot, x) {
		return
	}
	if st.launched {
		for id := st.parked; id != none; {
			next := c.tasks[id].next
			c.resume(id)
			id = next
		}
		st.parked = none
		return
	}
	at := c.now
	if t.schedule != nil {
		if _, fixed := t.schedule.LaunchAt(s); fixed {
			return // its time will come
		}
	}
	if t.policy != nil {
		var ok bool
		if at, ok = c.decide(t, slot, s); !ok {
			return
		}
	}
	c.launch(t, slot, s, x, st, at)
}

// launch invokes the tasks of a stage at a time.
func (c *cloud) launch(t *tenant, slot uint32, s int, x *execution, st *stageRun, at int64) {
	if c.over(t, slot, x) {
		return
	}
	st.launched = true
	b := &t.bindings[st.binding]
	chance := &t.chances[s]
	t.sources[s].Seed(x.word, t.keys[s])
	chance.Run, chance.word = x.number, x.word
	if t.policy != nil {
		chance.earlier = &t.online[slot].earlier
	}
	tasks := b.behaviour.Tasks(chance, t.buffers[s][:0])
	if len(tasks) != b.config.Parallelism {
		panic(fmt.Sprintf("sim: %d tasks for the %d instances of stage %q", len(tasks), b.config.Parallelism, t.workflow.Stage(s).Name))
	}
	st.left = int32(len(tasks))
	x.open += int32(len(tasks))
	if b.transitions > 0 {
		c.transition(t, x, b.transitions)
	}
	o, pending := &c.platform.Orchestration, uint32(none)
	for j := range tasks {
		id := c.newTask()
		k := &c.tasks[id]
		k.busy, k.function = tasks[j].Busy(), b.function
		k.execution, k.tenant, k.stage, k.index = slot, t.place, uint16(s), uint16(j)
		k.parked, k.retried = false, false
		if c.steps != nil {
			c.steps[id] = tasks[j]
		}
		due := at + tasks[j].Cold
		if c.delays {
			if due = c.delayed(t, b, j, tasks[j].Cold == 0, due); o.MapConcurrency > 0 && j >= o.MapConcurrency {
				// Invoked when another task of the stage has ended; until then
				// due is its delay.
				if x.failed != succeeded {
					c.drop(id)
					continue
				}
				k.due, k.next = due-at, none
				if pending == none {
					st.pending = id
				} else {
					c.tasks[pending].next = id
				}
				pending = id
				continue
			}
		}
		if due > c.now {
			c.at(due, arrives, id)
		} else {
			c.request(id, k, t, x)
		}
	}
}

// delayed returns when the request of task j of a stage reaches the platform,
// which is due at a time. A delay that the world knows of holds that of the
// mapping.
func (c *cloud) delayed(t *tenant, b *binding, j int, mapped bool, due int64) int64 {
	if b.mapping != nil && mapped {
		due += b.mapping[j]
	}
	if o := &c.platform.Orchestration; len(o.Invoke) > 0 {
		due += nanoseconds(o.Invoke.Draw(t.delays))
	}
	return due + c.transitions.wait(c.now, 1)
}

// taskDone ends a task that has succeeded.
func (c *cloud) taskDone(id uint32, k *task, t *tenant, x *execution) {
	slot, s := k.execution, int(k.stage)
	st := t.stage(slot, s)
	if c.each != nil {
		c.recordTask(t.runs[slot], st, id)
	}
	c.freeTask(id, k)
	if next := st.pending; next != none {
		st.pending = c.tasks[next].next
		c.at(c.now+c.tasks[next].due, arrives, next)
	}
	if st.left--; st.left == 0 {
		c.stageEnds(t, slot, s, x)
	}
	c.leave(t, slot, x)
}

func (c *cloud) stageEnds(t *tenant, slot uint32, s int, x *execution) {
	if c.each != nil {
		c.recordStage(t, t.runs[slot], s)
	}
	if t.policy != nil {
		t.online[slot].progress.End[s] = seconds(c.now - x.start)
	}
	for _, child := range t.workflow.Children(s) {
		st := t.stage(slot, child)
		if st.waiting--; st.waiting == 0 {
			c.ready(t, slot, child)
		}
	}
}

// over reports whether an execution has failed, be it because it takes longer
// than the orchestrator allows.
func (c *cloud) over(t *tenant, slot uint32, x *execution) bool {
	return x.failed != succeeded || c.now-x.start > c.maxDuration && c.fail(t, slot, timedOut)
}

// fail fails an execution: nothing of it starts any more. Functions that run
// go on, but for those that wait for an input that will not come. It returns
// true.
func (c *cloud) fail(t *tenant, slot uint32, why failure) bool {
	t.executions[slot].failed = why
	for s := range t.width {
		st := t.stage(slot, s)
		for id := st.parked; id != none; {
			next := c.tasks[id].next
			c.tasks[id].parked, c.tasks[id].lasts = false, 0
			c.at(max(c.now, c.tasks[id].runs), ends, id)
			id = next
		}
		st.parked = none
		for st.pending != none {
			id := st.pending
			st.pending = c.tasks[id].next
			c.drop(id)
		}
	}
	return true
}

// transition charges an execution for state transitions.
func (c *cloud) transition(t *tenant, x *execution, n int) {
	if c.platform.Orchestration.Kind != Standard {
		return
	}
	if x.counted {
		t.ledger.transitions += uint64(n)
	}
	c.orchestrate(t, x, c.perTransition*money(n))
}

// orchestrate charges an execution for its orchestration.
func (c *cloud) orchestrate(t *tenant, x *execution, cost money) {
	x.cost += cost
	if x.counted {
		t.ledger.steps += cost
	}
	c.audit.bill(cost)
}

// park lists a task that waits for its input.
func (c *cloud) park(id uint32) {
	k := &c.tasks[id]
	st := c.tenants[k.tenant].stage(k.execution, int(k.stage))
	k.next, st.parked = st.parked, id
}

// unpark takes a task off the list of those that wait for their input.
func (c *cloud) unpark(id uint32) {
	k := &c.tasks[id]
	at := &c.tenants[k.tenant].stage(k.execution, int(k.stage)).parked
	for *at != id {
		at = &c.tasks[*at].next
	}
	*at = k.next
}

// leave ends an execution with the last thing that was under way.
func (c *cloud) leave(t *tenant, slot uint32, x *execution) {
	if x.open--; x.open == 0 {
		c.finish(t, slot, x)
	}
}

// finish ends an execution.
func (c *cloud) finish(t *tenant, slot uint32, x *execution) {
	took := c.now - x.start
	c.over(t, slot, x)
	if c.express {
		c.orchestrate(t, x, pico(c.platform.Services.Express.Execution(seconds(took), c.platform.Orchestration.MemoryMB)))
	}
	c.audit.charge(x.cost)
	if x.counted {
		c.count(t, x, took)
	}
	c.ended++
	if c.each != nil {
		c.handOut(t, slot)
	}
	if t.arrivals == nil {
		think := nanoseconds(t.closed.Draw(t.thinking))
		c.at(c.now+think, asks, uint32(t.place))
	}
	t.free = append(t.free, slot)
}

// count enters an execution into the books.
func (c *cloud) count(t *tenant, x *execution, took int64) {
	l := &t.ledger
	l.spent += x.cost
	l.last = c.now
	if x.failed != succeeded {
		l.failed[x.failed]++
		return
	}
	l.executions++
	l.latency.add(took)
	if look := t.means.Add(seconds(took)); look && c.settings.Precision > 0 {
		c.stopped = c.stopped || c.precise()
	}
	l.cost.add(int64(x.cost))
	if took > c.tooSlow {
		l.slow++
	}
	if x.cost > c.tooDear {
		l.dear++
	}
}

// precise reports whether the mean latency of every workload is known well
// enough to stop.
func (c *cloud) precise() bool {
	for _, t := range c.tenants {
		if !t.means.Precise(c.settings.Precision, c.settings.Confidence) {
			return false
		}
	}
	return true
}
