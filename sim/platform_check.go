package sim

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Check reports everything that contradicts itself or makes no sense in the
// platform, by the names that a file uses.
func (p *Platform) Check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	atLeast0 := func(name string, x float64) {
		if !(x >= 0) || math.IsInf(x, 0) {
			wrong("%s: %v is not a number of at least 0", name, x)
		}
	}
	count := func(name string, n int) {
		if n < 0 {
			wrong("%s: %d is below 0", name, n)
		}
	}
	probability := func(name string, x float64) {
		if !(x >= 0 && x <= 1) {
			wrong("%s: %v is not a probability", name, x)
		}
	}
	mixture := func(name string, m Mixture) {
		if err := m.check(); err != nil {
			wrong("%s: %w", name, err)
		}
	}

	if p.Arch != "" && p.Arch != X86 && p.Arch != ARM {
		wrong("arch: %q is neither %s nor %s", p.Arch, X86, ARM)
	}
	if k := p.Instances.KeepAlive; !(k >= 0) { // infinity is fine
		wrong("instances.keep_alive_s: %v is not a time of at least 0", k)
	}
	if w := p.Instances.WarmChoice; w != "" && !slices.Contains(WarmChoices, w) {
		wrong("instances.warm_choice: %q is none of %v", w, WarmChoices)
	}
	count("instances.concurrency", p.Instances.Concurrency)
	mixture("cold_start.delay", p.ColdStart.Delay)
	mixture("cold_start.init", p.ColdStart.Init)

	l := p.Limits
	count("limits.account_concurrency", l.Concurrency)
	count("limits.scale_instances", l.ScaleInstances)
	atLeast0("limits.scale_window_s", l.ScaleWindow)
	atLeast0("limits.requests_per_instance", l.RequestsPerInstance)
	atLeast0("limits.timeout_s", l.Timeout)
	count("limits.min_memory_mb", l.MinMemory)
	count("limits.max_memory_mb", l.MaxMemory)
	if (l.ScaleInstances > 0) != (l.ScaleWindow > 0) {
		wrong("limits: scale_instances (%d) and scale_window_s (%v) need each other", l.ScaleInstances, l.ScaleWindow)
	}
	if l.MaxMemory > 0 && l.MinMemory > l.MaxMemory {
		wrong("limits: min_memory_mb %d is above max_memory_mb %d", l.MinMemory, l.MaxMemory)
	}
	atLeast0("cpu.mb_per_vcpu", p.CPU.MBPerVCPU)
	atLeast0("cpu.max_vcpu", p.CPU.MaxVCPU)

	atLeast0("variation.instance_sd", p.Variation.InstanceSD)
	atLeast0("variation.run_sd", p.Variation.RunSD)
	probability("variation.straggler_probability", p.Variation.Straggler)
	atLeast0("variation.straggler_factor", p.Variation.StragglerFactor)
	if v := p.Variation; v.Straggler > 0 && v.StragglerFactor < 1 {
		wrong("variation.straggler_factor: %v is below 1: a straggler takes longer", v.StragglerFactor)
	}
	probability("failures.crash_probability", p.Failures.Crash)
	probability("failures.start_failure_probability", p.Failures.StartFailure)
	if err := checkRetry(p.Retry); err != nil {
		wrong("retry: %w", err)
	}

	o := p.Orchestration
	switch o.Kind {
	case "", Direct, Standard, Express:
	default:
		wrong("orchestration.kind: %q is none of %s, %s, %s", o.Kind, Direct, Standard, Express)
	}
	mixture("orchestration.invoke", o.Invoke)
	mixture("orchestration.transition", o.Transition)
	atLeast0("orchestration.transition_rate", o.TransitionRate)
	atLeast0("orchestration.transition_burst", o.TransitionBurst)
	if o.TransitionRate > 0 && o.TransitionBurst < 1 {
		wrong("orchestration.transition_burst: %v lets no transition pass; it must be at least 1", o.TransitionBurst)
	}
	count("orchestration.map_concurrency", o.MapConcurrency)
	atLeast0("orchestration.max_duration_s", o.MaxDuration)
	atLeast0("orchestration.memory_mb", o.MemoryMB)

	atLeast0("mapping.base_s", p.Mapping.Base)
	atLeast0("mapping.per_instance_s", p.Mapping.PerInstance)
	atLeast0("mapping.beyond_knee_s", p.Mapping.BeyondKnee)
	count("mapping.knee", p.Mapping.Knee)
	atLeast0("network.burst_mb", p.Network.Burst)
	atLeast0("network.peak_mb_per_s", p.Network.Peak)
	atLeast0("network.refill_mb_per_s", p.Network.Rate)
	if n := p.Network; n.Peak > 0 && !(n.Rate > 0 && n.Rate <= n.Peak) {
		wrong("network.refill_mb_per_s: %v is not above 0 and at most peak_mb_per_s %v", n.Rate, n.Peak)
	}
	switch p.Storage.Kind {
	case "", S3Standard, S3Express, DynamoDB:
	default:
		wrong("storage.kind: %q is none of %s, %s, %s", p.Storage.Kind, S3Standard, S3Express, DynamoDB)
	}
	mixture("storage.read.latency", p.Storage.Read.Latency)
	mixture("storage.write.latency", p.Storage.Write.Latency)
	atLeast0("storage.read.rate_per_prefix", p.Storage.Read.Rate)
	atLeast0("storage.write.rate_per_prefix", p.Storage.Write.Rate)
	count("storage.prefixes", p.Storage.Prefixes)

	errs = append(errs, p.checkFunctions()...)
	if err := p.Price.Check(); err != nil {
		wrong("price: %w", err)
	}
	if err := p.Services.Check(); err != nil {
		wrong("services: %w", err)
	}
	return errors.Join(errs...)
}

// checkFunctions reports what is wrong with the entries of functions, alone and
// together.
func (p *Platform) checkFunctions() (errs []error) {
	provisioned, reserved := 0, 0
	for k, f := range p.Functions {
		wrong := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("functions[%d]: %s", k, fmt.Sprintf(format, args...)))
		}
		for _, n := range []struct {
			name string
			is   float64
		}{
			{"provisioned", float64(f.Provisioned)}, {"reserved", float64(f.Reserved)}, {"prewarmed", float64(f.Prewarmed)},
			{"timeout_s", f.Timeout}, {"peak_memory_mb", f.PeakMemory}, {"peak_memory_sigma", f.PeakMemorySigma},
			{"read_mb", f.ReadMB}, {"read_requests", float64(f.ReadRequests)},
			{"write_mb", f.WriteMB}, {"write_requests", float64(f.WriteRequests)},
		} {
			if !(n.is >= 0) || math.IsInf(n.is, 0) {
				wrong("%s: %v is not a number of at least 0", n.name, n.is)
			}
		}
		if f.Reserved > 0 && f.Provisioned > f.Reserved {
			wrong("provisioned: %d instances are more than the %d requests that reserved lets run", f.Provisioned, f.Reserved)
		}
		if limit := p.Limits.Timeout; limit > 0 && f.Timeout > limit {
			wrong("timeout_s: %v is above limits.timeout_s %v", f.Timeout, limit)
		}
		if f.ReadMB > 0 && f.ReadRequests == 0 || f.WriteMB > 0 && f.WriteRequests == 0 {
			wrong("bytes are moved by requests: read_mb needs read_requests, write_mb needs write_requests")
		}
		if err := checkRetry(f.Retry); err != nil {
			wrong("retry: %v", err)
		}
		provisioned += f.Provisioned
		reserved += f.Reserved
	}
	if limit := p.Limits.Concurrency; limit > 0 {
		if provisioned > limit {
			errs = append(errs, fmt.Errorf("functions: %d provisioned instances are more than limits.account_concurrency %d", provisioned, limit))
		}
		if reserved > limit {
			errs = append(errs, fmt.Errorf("functions: %d reserved requests are more than limits.account_concurrency %d", reserved, limit))
		}
	}
	return errs
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
