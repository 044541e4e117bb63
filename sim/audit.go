package sim

import (
	"fmt"
	"testing"
)

// auditEvery is how many events pass between audits of a simulation under load,
// which are on in every test run; 0: there are none.
var auditEvery = func() int {
	if testing.Testing() {
		return 97
	}
	return 0
}()

// auditor checks the invariants of a cloud.
type auditor struct {
	every   int
	billed  money // all bills so far
	charged money // bills of executions that have ended, and of nobody
}

// bill notes what somebody is billed.
func (a *auditor) bill(cost money) { a.billed += cost }

// charge notes what was paid.
func (a *auditor) charge(cost money) { a.charged += cost }

// check panics unless the books are in order at this instant:
//
//   - conservation: every request that has an instance is served by one; every
//     task is in one place; executions that were asked for have ended or are
//     under way
//   - causality: no execution, and no request, starts after now
//   - capacity: no limit is exceeded
//   - work conservation: no request waits that could run
//   - money: the bills are those of the executions
func (c *cloud) check() {
	wrong := func(format string, args ...any) {
		panic(fmt.Sprintf("sim: at %d ns: ", c.now) + fmt.Sprintf(format, args...))
	}
	serving, shared, queued := 0, 0, 0
	more := len(c.heap) > 0 && c.heap[0].at == c.now // to happen at this instant
	for _, f := range c.functions {
		onDemand, fixed := f.warm.audit(), f.provisioned.audit()
		serving += onDemand + fixed
		if onDemand != f.running {
			wrong("function %s serves %d requests on demand, %d are counted", f.name, onDemand, f.running)
		}
		if f.provisioned.live != f.Provisioned {
			wrong("function %s has %d provisioned instances, not %d", f.name, f.provisioned.live, f.Provisioned)
		}
		if f.Reserved > 0 && onDemand+fixed > f.Reserved*max(1, c.platform.Instances.Concurrency) {
			wrong("function %s serves %d requests, %d are reserved", f.name, onDemand+fixed, f.Reserved)
		}
		if f.Reserved == 0 {
			shared += onDemand
		}
		n := 0
		for id := f.queue.first; id != none; id = c.tasks[id].next {
			n++
		}
		if n != f.queue.n {
			wrong("function %s has %d requests in its queue, %d are counted", f.name, n, f.queue.n)
		}
		// A token that comes within a nanosecond may be there already.
		if n > 0 && !more && f.wakes != c.now+1 && c.opens(f) {
			wrong("function %s makes %d requests wait that it could serve", f.name, n)
		}
		queued += n
	}
	switch {
	case serving != c.inFlight:
		wrong("instances serve %d requests, %d are in flight", serving, c.inFlight)
	case shared != c.shared || c.limit > 0 && shared > c.limit:
		wrong("functions share %d requests, %d are counted and %d allowed", shared, c.shared, c.limit)
	case queued != c.queued:
		wrong("%d requests wait, %d are counted", queued, c.queued)
	}
	underWay, unpaid, open := 0, money(0), 0
	for _, t := range c.tenants {
		free := make(map[uint32]bool, len(t.free))
		for _, slot := range t.free {
			free[slot] = true
		}
		for slot := range t.executions {
			if free[uint32(slot)] {
				continue
			}
			x := &t.executions[slot]
			if x.start > c.now || x.open < 1 {
				wrong("workload %s: execution %d starts at %d ns and has %d things under way", t.name, x.number, x.start, x.open)
			}
			underWay++
			open += int(x.open)
			unpaid += x.cost
		}
	}
	tasks := len(c.tasks)
	for id := c.spareTask; id != none; id = c.tasks[id].next {
		tasks--
	}
	if c.asked != c.ended+underWay {
		wrong("%d executions asked for, %d ended, %d under way", c.asked, c.ended, underWay)
	}
	if serving+queued > tasks || tasks > open {
		wrong("%d requests are served and %d wait, of %d tasks, of %d things under way", serving, queued, tasks, open)
	}
	if c.audit.billed != c.audit.charged+unpaid {
		wrong("bills add up to %d, executions have paid %d and owe %d", c.audit.billed, c.audit.charged, unpaid)
	}
}

// checkRest panics unless a simulation that has come to rest is complete.
func (c *cloud) checkRest() {
	if c.asked != c.ended || c.inFlight != 0 || c.queued != 0 || c.audit.billed != c.audit.charged {
		panic(fmt.Sprintf("sim: at rest at %d ns, %d executions asked for, %d ended, %d requests in flight, %d waiting, bills of %d, paid %d",
			c.now, c.asked, c.ended, c.inFlight, c.queued, c.audit.billed, c.audit.charged))
	}
	sum := money(0)
	for _, t := range c.tenants {
		sum += t.ledger.spent
	}
	if c.warmup == 0 {
		parts := money(0)
		for _, t := range c.tenants {
			parts += t.ledger.steps + t.ledger.deciding
		}
		for _, f := range c.functions {
			parts += f.ledger.cost - f.prewarming
		}
		if parts != sum {
			panic(fmt.Sprintf("sim: executions have spent %d, of which functions, orchestration and decisions took %d", sum, parts))
		}
	}
}
