package sim

import (
	"fmt"

	"eevee/models"
)

// deployedKey names a function: stages of a group share one, others have one
// each, for every size of memory.
type deployedKey struct {
	tenant uint16
	stage  int // -1 for a group
	group  string
	memory int
	vcpu   float64
}

// newBinding deploys a stage under a configuration.
func (c *cloud) newBinding(t *tenant, stage int, group string, config models.StageConfig, b Behaviour) binding {
	bound := binding{
		config: config, behaviour: b,
		function:    c.deploy(t, stage, group, config),
		transitions: c.platform.Orchestration.Transitions(config.Parallelism),
	}
	if f := c.functions[bound.function]; f.moves {
		d := float64(config.Parallelism)
		bound.readMB, bound.writeMB = f.ReadMB/d, f.WriteMB/d
		bound.storage = pico(c.platform.StorageCost(f.ReadRequests, bound.readMB, f.WriteRequests, bound.writeMB))
		c.moves = true
	}
	if m := c.platform.Mapping; m != (Mapping{}) {
		for j := range config.Parallelism {
			bound.mapping = append(bound.mapping, nanoseconds(m.Delay(j+1)))
		}
	}
	return bound
}

// deploy returns the place of a stage's function.
func (c *cloud) deploy(t *tenant, stage int, group string, config models.StageConfig) uint32 {
	key := deployedKey{t.place, stage, group, config.Memory, config.VCPU}
	of, name := t.workflow.Stage(stage).Name, ""
	if name = of; group != "" {
		key.stage, name = -1, "group "+group
	}
	if place, ok := c.deployed[key]; ok {
		return place
	}
	purpose := fmt.Sprintf("%s/%s %d MB", t.name, name, config.Memory)
	f := newFunction(name, c.platform, c.platform.Function(t.workflow.Name(), of), config, c.streams.Sub(purpose))
	f.key, f.place, f.workload = key, uint32(len(c.functions)), t.name
	f.since(c.warmup)
	c.functions = append(c.functions, f)
	c.deployed[key] = f.place
	return f.place
}

// reserve makes room for the tasks that a stage draws.
func (t *tenant) reserve(stage, parallelism int) {
	if cap(t.buffers[stage]) < parallelism {
		t.buffers[stage] = make([]Task, 0, parallelism)
	}
}

// decide asks the policy about a stage of an execution. It returns when the
// functions are to be invoked, false if the decision cannot be followed, which
// ends the simulation.
func (c *cloud) decide(t *tenant, slot uint32, s int) (int64, bool) {
	x, st, d := &t.executions[slot], t.stage(slot, s), &t.online[slot]
	d.progress.Now = seconds(c.now - x.start)
	decision := d.decider.Decide(s, d.progress)
	err := decision.Check(t.workflow.Len())
	if err == nil {
		key := bindingKey{decided{s, decision.StageConfig, t.workflow.InputParallelism(d.progress.Config, s)}, decision.Placement.Group}
		st.binding, err = c.bind(t, key)
	}
	if err == nil {
		err = c.prewarmAs(t, x.start, decision.Prewarm)
	}
	if err != nil {
		c.err = fmt.Errorf("workload %s: execution %d under policy %s: %w", t.name, x.number, t.policy, err)
		return 0, false
	}
	d.progress.Config[s] = decision.StageConfig
	took, cost := nanoseconds(decision.Cost.Latency), pico(decision.Cost.USD)
	x.cost += cost
	c.audit.bill(cost)
	if x.counted {
		t.ledger.deciding += cost
	}
	at := c.now + took
	st.invoked += took
	if launch := x.start + nanoseconds(decision.Launch); launch > at {
		at, st.invoked = launch, max(st.invoked, launch)
	}
	if run := t.runs[slot]; run != nil {
		c.recordDecision(t, run, s, st, took, cost)
	}
	return at, true
}

// bind returns the place of a stage under a decision.
func (c *cloud) bind(t *tenant, key bindingKey) (uint32, error) {
	if place, ok := t.bound[key]; ok {
		return place, nil
	}
	r := t.plan.online.resolve(key.decided)
	err := r.err
	if err == nil {
		err = c.platform.fits(t.workflow, key.stage, key.config)
	}
	if err != nil {
		return 0, err
	}
	place := uint32(len(t.bindings))
	b := c.newBinding(t, key.stage, key.group, key.config, r.behaviour)
	b.resolution = r
	t.bindings = append(t.bindings, b)
	t.bound[key] = place
	t.order = append(t.order, key)
	t.reserve(key.stage, key.config.Parallelism)
	return place, nil
}

// prewarmAs puts the instances on the calendar that a decision wants to be
// started ahead.
func (c *cloud) prewarmAs(t *tenant, start int64, list []models.Prewarm) error {
	for _, p := range list {
		if err := runnable(t.world, t.workflow.Stage(p.Stage), p.StageConfig, c.platform.Price); err != nil {
			return fmt.Errorf("pre-warming: %w", err)
		}
		c.later(start+nanoseconds(p.At), errand{what: prewarms, a: c.deploy(t, p.Stage, "", p.StageConfig), b: uint32(p.Parallelism)})
	}
	return nil
}
