package sim

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// platformCheck collects what is wrong with a platform, by the names that a file
// uses.
type platformCheck struct{ errs []error }

func (c *platformCheck) wrong(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

func (c *platformCheck) atLeast0(name string, x float64) {
	if !(x >= 0) || math.IsInf(x, 0) {
		c.wrong("%s: %v is not a number of at least 0", name, x)
	}
}

func (c *platformCheck) count(name string, n int) {
	if n < 0 {
		c.wrong("%s: %d is below 0", name, n)
	}
}

func (c *platformCheck) probability(name string, x float64) {
	if !(x >= 0 && x <= 1) {
		c.wrong("%s: %v is not a probability", name, x)
	}
}

func (c *platformCheck) mixture(name string, m Mixture) { c.part(name, m.check()) }

// part reports what a part of the platform says of itself.
func (c *platformCheck) part(name string, err error) {
	if err != nil {
		c.wrong("%s: %w", name, err)
	}
}

// Check reports everything that contradicts itself or makes no sense in the
// platform, by the names that a file uses.
func (p *Platform) Check() error {
	c := &platformCheck{}
	if p.Arch != "" && p.Arch != X86 && p.Arch != ARM {
		c.wrong("arch: %q is neither %s nor %s", p.Arch, X86, ARM)
	}
	c.instances(p.Instances)
	c.mixture("cold_start.delay", p.ColdStart.Delay)
	c.mixture("cold_start.init", p.ColdStart.Init)
	c.limits(p.Limits)
	c.atLeast0("cpu.mb_per_vcpu", p.CPU.MBPerVCPU)
	c.atLeast0("cpu.max_vcpu", p.CPU.MaxVCPU)
	c.variation(p.Variation)
	c.probability("failures.crash_probability", p.Failures.Crash)
	c.probability("failures.start_failure_probability", p.Failures.StartFailure)
	c.part("retry", checkRetry(p.Retry))
	c.orchestration(p.Orchestration)
	c.atLeast0("mapping.base_s", p.Mapping.Base)
	c.atLeast0("mapping.per_instance_s", p.Mapping.PerInstance)
	c.atLeast0("mapping.beyond_knee_s", p.Mapping.BeyondKnee)
	c.count("mapping.knee", p.Mapping.Knee)
	c.network(p.Network)
	c.storage(p.Storage)
	provisioned, reserved := 0, 0
	for k, f := range p.Functions {
		c.function(fmt.Sprintf("functions[%d]: ", k), f, p.Limits)
		provisioned += f.Provisioned
		reserved += f.Reserved
	}
	if limit := p.Limits.Concurrency; limit > 0 {
		if provisioned > limit {
			c.wrong("functions: %d provisioned instances are more than limits.account_concurrency %d", provisioned, limit)
		}
		if reserved > limit {
			c.wrong("functions: %d reserved requests are more than limits.account_concurrency %d", reserved, limit)
		}
	}
	c.part("price", p.Price.Check())
	c.part("services", p.Services.Check())
	return errors.Join(c.errs...)
}

func (c *platformCheck) instances(i Instances) {
	if !(i.KeepAlive >= 0) { // infinity is fine
		c.wrong("instances.keep_alive_s: %v is not a time of at least 0", i.KeepAlive)
	}
	if i.WarmChoice != "" && !slices.Contains(WarmChoices, i.WarmChoice) {
		c.wrong("instances.warm_choice: %q is none of %v", i.WarmChoice, WarmChoices)
	}
	c.count("instances.concurrency", i.Concurrency)
}

func (c *platformCheck) limits(l Limits) {
	c.count("limits.account_concurrency", l.Concurrency)
	c.count("limits.scale_instances", l.ScaleInstances)
	c.atLeast0("limits.scale_window_s", l.ScaleWindow)
	c.atLeast0("limits.requests_per_instance", l.RequestsPerInstance)
	c.atLeast0("limits.timeout_s", l.Timeout)
	c.count("limits.min_memory_mb", l.MinMemory)
	c.count("limits.max_memory_mb", l.MaxMemory)
	if (l.ScaleInstances > 0) != (l.ScaleWindow > 0) {
		c.wrong("limits: scale_instances (%d) and scale_window_s (%v) need each other", l.ScaleInstances, l.ScaleWindow)
	}
	if l.MaxMemory > 0 && l.MinMemory > l.MaxMemory {
		c.wrong("limits: min_memory_mb %d is above max_memory_mb %d", l.MinMemory, l.MaxMemory)
	}
}

func (c *platformCheck) variation(v Variation) {
	c.atLeast0("variation.instance_sd", v.InstanceSD)
	c.atLeast0("variation.run_sd", v.RunSD)
	c.probability("variation.straggler_probability", v.Straggler)
	c.atLeast0("variation.straggler_factor", v.StragglerFactor)
	if v.Straggler > 0 && v.StragglerFactor < 1 {
		c.wrong("variation.straggler_factor: %v is below 1: a straggler takes longer", v.StragglerFactor)
	}
}

func (c *platformCheck) orchestration(o Orchestration) {
	switch o.Kind {
	case "", Direct, Standard, Express:
	default:
		c.wrong("orchestration.kind: %q is none of %s, %s, %s", o.Kind, Direct, Standard, Express)
	}
	c.mixture("orchestration.invoke", o.Invoke)
	c.mixture("orchestration.transition", o.Transition)
	c.atLeast0("orchestration.transition_rate", o.TransitionRate)
	c.atLeast0("orchestration.transition_burst", o.TransitionBurst)
	if o.TransitionRate > 0 && o.TransitionBurst < 1 {
		c.wrong("orchestration.transition_burst: %v lets no transition pass; it must be at least 1", o.TransitionBurst)
	}
	c.count("orchestration.map_concurrency", o.MapConcurrency)
	c.atLeast0("orchestration.max_duration_s", o.MaxDuration)
	c.atLeast0("orchestration.memory_mb", o.MemoryMB)
}

func (c *platformCheck) network(n Network) {
	c.atLeast0("network.burst_mb", n.Burst)
	c.atLeast0("network.peak_mb_per_s", n.Peak)
	c.atLeast0("network.refill_mb_per_s", n.Rate)
	if n.Peak > 0 && !(n.Rate > 0 && n.Rate <= n.Peak) {
		c.wrong("network.refill_mb_per_s: %v is not above 0 and at most peak_mb_per_s %v", n.Rate, n.Peak)
	}
}

func (c *platformCheck) storage(s Storage) {
	switch s.Kind {
	case "", S3Standard, S3Express, DynamoDB:
	default:
		c.wrong("storage.kind: %q is none of %s, %s, %s", s.Kind, S3Standard, S3Express, DynamoDB)
	}
	c.mixture("storage.read.latency", s.Read.Latency)
	c.mixture("storage.write.latency", s.Write.Latency)
	c.atLeast0("storage.read.rate_per_prefix", s.Read.Rate)
	c.atLeast0("storage.write.rate_per_prefix", s.Write.Rate)
	c.count("storage.prefixes", s.Prefixes)
}

func (c *platformCheck) function(at string, f Function, l Limits) {
	for _, n := range []struct {
		name string
		is   float64
	}{
		{"provisioned", float64(f.Provisioned)}, {"reserved", float64(f.Reserved)}, {"prewarmed", float64(f.Prewarmed)},
		{"timeout_s", f.Timeout}, {"peak_memory_mb", f.PeakMemory}, {"peak_memory_sigma", f.PeakMemorySigma},
		{"read_mb", f.ReadMB}, {"read_requests", float64(f.ReadRequests)},
		{"write_mb", f.WriteMB}, {"write_requests", float64(f.WriteRequests)},
	} {
		c.atLeast0(at+n.name, n.is)
	}
	if f.Reserved > 0 && f.Provisioned > f.Reserved {
		c.wrong("%sprovisioned: %d instances are more than the %d requests that reserved lets run", at, f.Provisioned, f.Reserved)
	}
	if l.Timeout > 0 && f.Timeout > l.Timeout {
		c.wrong("%stimeout_s: %v is above limits.timeout_s %v", at, f.Timeout, l.Timeout)
	}
	if f.ReadMB > 0 && f.ReadRequests == 0 || f.WriteMB > 0 && f.WriteRequests == 0 {
		c.wrong("%sbytes are moved by requests: read_mb needs read_requests, write_mb needs write_requests", at)
	}
	c.part(at+"retry", checkRetry(f.Retry))
}

// checkReservations reports functions that have more of the account's
// concurrency for themselves than there is, or all of it while others need some.
func (d *deployment) checkReservations() error {
	p := d.settings.Platform
	limit := p.Limits.Concurrency
	if limit == 0 {
		return nil
	}
	taken, without := d.reserved()
	switch {
	case taken > limit:
		return fmt.Errorf("platform %s: the functions have %d requests reserved or provisioned, but limits.account_concurrency is %d", p.Name, taken, limit)
	case taken == limit && without != "":
		return fmt.Errorf("platform %s: all of limits.account_concurrency %d is reserved or provisioned, and nothing left for %s", p.Name, limit, without)
	}
	return nil
}

// reserved returns how much of the account's concurrency the functions of the
// workloads have for themselves, and the first that has nothing for itself,
// empty where all of them have.
func (d *deployment) reserved() (sum int, without string) {
	for _, w := range d.workloads {
		workflow := w.World.Workflow()
		for i := range workflow.Len() {
			f := d.settings.Platform.Function(workflow.Name(), workflow.Stage(i).Name)
			own := max(f.Reserved, f.Provisioned)
			if sum += own; own == 0 && without == "" {
				without = fmt.Sprintf("stage %q of workload %s", f.Stage, w.Name)
			}
		}
	}
	return sum, without
}
