package models

import (
	"fmt"
	"slices"
	"strings"
)

// StageConfig is what is decided for one stage.
type StageConfig struct {
	Memory      int     // MB of every instance, as set on the platform
	VCPU        float64 // nominal CPU share of every instance; differs from Memory/MBPerVCPU by rounding only
	Parallelism int     // instances that share the stage's input, at least 1
	Processes   int     // processes inside one instance (StepConf's q); 0 means 1
	Bundle      int     // workers packed into one instance (Orion); 0 means 1
}

// String gives the configuration as "4x1792MB".
func (c StageConfig) String() string {
	return fmt.Sprintf("%dx%dMB", c.Parallelism, c.Memory)
}

// Same reports whether two configurations have the same memory and parallelism;
// nominal vCPUs of the same memory may differ by rounding.
func (c StageConfig) Same(o StageConfig) bool {
	return c.Memory == o.Memory && c.Parallelism == o.Parallelism
}

// Config is the configuration of a workflow: one StageConfig per stage, in the
// workflow's order.
type Config []StageConfig

// Same reports whether two configurations are the same stage by stage.
func (c Config) Same(o Config) bool { return slices.EqualFunc(c, o, StageConfig.Same) }

// String gives the configuration stage by stage, as "1x1792MB 8x3584MB".
func (c Config) String() string {
	parts := make([]string, len(c))
	for i, s := range c {
		parts[i] = s.String()
	}
	return strings.Join(parts, " ")
}

// Clone returns a copy that shares nothing with c.
func (c Config) Clone() Config { return append(Config(nil), c...) }
