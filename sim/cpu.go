package sim

import "math"

// CPU is how memory buys computing power.
type CPU struct {
	// MBPerVCPU is the memory that comes with one vCPU, MB; 0: memory buys no
	// speed. 1769 on AWS Lambda.
	MBPerVCPU float64 `yaml:"mb_per_vcpu"`

	// MaxVCPU is the largest share; 0: no limit.
	MaxVCPU float64 `yaml:"max_vcpu"`
}

// Share returns the vCPUs of an instance with the given memory in MB.
func (c CPU) Share(memory int) float64 {
	if c.MBPerVCPU == 0 {
		return 1
	}
	share := float64(memory) / c.MBPerVCPU
	if c.MaxVCPU > 0 {
		share = math.Min(share, c.MaxVCPU)
	}
	return share
}

// Slowdown returns how many times as long computing takes with the given memory
// in MB as on one vCPU alone, where a share of the work, 0 to 1, can use any
// number of vCPUs. Below one vCPU all work slows down alike; above it, the
// single-threaded rest gains nothing (Amdahl 1967):
//
//	1/v                          v <= 1
//	(1 - parallel) + parallel/v  v > 1
func (c CPU) Slowdown(memory int, parallel float64) float64 {
	v := c.Share(memory)
	if v <= 1 {
		return 1 / v
	}
	return (1 - parallel) + parallel/v
}
