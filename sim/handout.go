package sim

// record makes the Run of an execution that starts.
func (c *cloud) record(t *tenant, slot uint32) {
	run := &Run{}
	if n := len(t.spareRuns); n > 0 {
		run = t.spareRuns[n-1]
		t.spareRuns = t.spareRuns[:n-1]
	}
	t.runs[slot] = run
	run.reset(t.plan, t.executions[slot].number)
	run.start = c.now
	if t.plan.layout != nil && t.plan.keep >= KeepStages {
		run.grow(len(t.plan.layout.stageOf))
	}
}

// grow makes room for the tasks of a run under load.
func (r *Run) grow(tasks int) {
	r.tasks, r.bills = r.tasks[:0], r.bills[:0]
	for range tasks {
		r.tasks = append(r.tasks, Task{})
		r.bills = append(r.bills, bill{})
	}
}

// recordDecision adds a stage to the layout of a run.
func (c *cloud) recordDecision(t *tenant, run *Run, s int, st *stageRun, took int64, cost money) {
	stage, b, l := &run.Stages[s], &t.bindings[st.binding], run.layout
	stage.decided = stage.ready + took
	stage.invoked = st.invoked - run.start
	stage.deciding = cost
	l.config[s], l.stages[s], l.bill[s], l.resolved[s] = b.config, b.behaviour, b.resolution.bill, b.resolution
	l.first[s] = len(l.stageOf)
	for range b.config.Parallelism {
		l.stageOf = append(l.stageOf, uint32(s))
		if t.plan.keep >= KeepStages {
			run.tasks = append(run.tasks, Task{})
			run.bills = append(run.bills, bill{})
		}
	}
}

// recordReady marks a stage of a run as ready.
func (c *cloud) recordReady(run *Run, s int) {
	stage := &run.Stages[s]
	stage.ready = c.now - run.start
	stage.decided, stage.invoked = stage.ready, stage.ready
}

// recordAttempt adds the bill of an attempt.
func (c *cloud) recordAttempt(run *Run, id uint32, k *task, billed int64, cost money) {
	stage := &run.Stages[k.stage]
	stage.billed += billed
	stage.cost += cost
	if len(run.bills) == 0 {
		return
	}
	b := &run.bills[run.layout.first[k.stage]+int(k.index)]
	b.attempts++
	b.billed += billed
	b.cost += cost
	if b.runs, b.start, b.init = k.runs, 0, 0; k.cold {
		b.start, b.init = c.asides[id].start, c.asides[id].init
	}
	b.cold, b.instance, b.fixed = k.cold, k.instance, k.fixed
}

// recordTask keeps a task that is done. What it waited for since its stage was
// ready is its Cold; a function that was invoked ahead of its input starts with
// it.
func (c *cloud) recordTask(run *Run, st *stageRun, id uint32) {
	if len(run.tasks) == 0 {
		return
	}
	k := &c.tasks[id]
	t := c.steps[id]
	if c.functions[k.function].moves {
		t.Compute = k.scaled(t.Compute)
	} else {
		t.Read, t.Write = k.scaled(t.Read), k.scaled(t.Write)
		t.Compute = k.lasts - t.Read - t.Write
	}
	t.Cold = max(0, k.runs-st.invoked)
	run.tasks[run.layout.first[k.stage]+int(k.index)] = t
}

// recordStage keeps a stage that is done.
func (c *cloud) recordStage(t *tenant, run *Run, s int) {
	stage := &run.Stages[s]
	stage.end = c.now - run.start
	if t.plan.keep >= KeepStages {
		tasks := run.tasks[run.layout.first[s]:][:run.layout.config[s].Parallelism]
		stage.Mean, stage.P95 = aggregate(tasks, stage.end-stage.invoked, &c.scratch)
	}
}

// handOut hands executions that have ended to the caller, in the order in which
// they started.
func (c *cloud) handOut(t *tenant, slot uint32) {
	x, run := &t.executions[slot], t.runs[slot]
	run.failed = x.failed != succeeded
	run.orchestration = x.cost
	for i := range run.Stages {
		run.orchestration -= run.Stages[i].cost + run.Stages[i].deciding
	}
	t.held[run.Replication] = run
	for c.err == nil {
		next := t.held[t.handedOut]
		if next == nil {
			return
		}
		delete(t.held, t.handedOut)
		t.handedOut++
		if !next.failed {
			next.close()
			c.err = c.each(next)
		}
		t.spareRuns = append(t.spareRuns, next)
	}
}
