package sim

import "math"

// Reading and writing of functions whose bytes are known: the store is shared
// by the account, and the link of an instance by its requests, so that what
// they take is known only once they begin.

// read lets a function read its input, and then compute.
func (c *cloud) read(id uint32) {
	k := &c.tasks[id]
	f, s := c.functions[k.function], &c.steps[id]
	if f.ReadRequests > 0 {
		b := c.tenants[k.tenant].bindingOf(k)
		s.Read = c.store.move(&c.store.read, f.link(k), c.now, f.ReadRequests, b.readMB, f.stream)
	}
	took := s.Read + k.scaled(s.Compute)
	if k.outcome == crashed || k.outcome == outOfMemory {
		// It fails before it writes.
		took = int64(float64(took) * f.stream.Float64())
	}
	if c.runsOut(id, f, c.now+took) {
		return
	}
	if k.outcome != succeeded {
		c.at(c.now+took, ends, id)
		return
	}
	c.at(c.now+took, writes, id)
}

// write lets a function write its output.
func (c *cloud) write(id uint32) {
	k := &c.tasks[id]
	f, s := c.functions[k.function], &c.steps[id]
	if f.WriteRequests > 0 {
		b := c.tenants[k.tenant].bindingOf(k)
		s.Write = c.store.move(&c.store.write, f.link(k), c.now, f.WriteRequests, b.writeMB, f.stream)
	}
	if end := c.now + s.Write; !c.runsOut(id, f, end) {
		c.at(end, ends, id)
	}
}

// runsOut ends a function that would run until a time beyond its limit.
func (c *cloud) runsOut(id uint32, f *function, until int64) bool {
	k := &c.tasks[id]
	if f.timeout == never || until <= k.runs+f.timeout {
		return false
	}
	k.outcome = timedOut
	c.at(max(c.now, k.runs+f.timeout), ends, id)
	return true
}

// scaled returns the time of a step, by what the attempt takes longer than the
// world says.
func (k *task) scaled(ns int64) int64 {
	if k.lasts == k.busy {
		return ns
	}
	return int64(math.Round(float64(ns) * float64(k.lasts) / float64(k.busy)))
}

// link returns the network of the instance that a task runs on.
func (f *function) link(k *task) *link {
	if k.fixed {
		return &f.provisioned.links[k.instance]
	}
	return &f.warm.links[k.instance]
}
