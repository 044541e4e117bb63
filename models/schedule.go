package models

import (
	"fmt"
	"math"
)

// Schedule is what is decided about time before a run, beside the
// configuration: when the functions of every stage are invoked and when
// instances are started for them. Times are seconds after the start of the
// run. A nil list, and NaN in one, leave it to the platform: a stage is
// invoked once all its parents have ended, and its instances are started when
// it is invoked. A nil Schedule leaves everything to it.
type Schedule struct {
	Launch  []float64 // per stage: its functions are invoked at this time and wait, billed, for their input
	Prewarm []float64 // per stage: its instances are started at this time and wait for the invocation
}

// LaunchAt returns when the functions of a stage are invoked, false where that
// is left to the platform.
func (s *Schedule) LaunchAt(stage int) (float64, bool) {
	if s == nil {
		return 0, false
	}
	return at(s.Launch, stage)
}

// PrewarmAt returns when the instances of a stage are started, false where
// that is left to the platform.
func (s *Schedule) PrewarmAt(stage int) (float64, bool) {
	if s == nil {
		return 0, false
	}
	return at(s.Prewarm, stage)
}

func at(list []float64, stage int) (float64, bool) {
	if list == nil || math.IsNaN(list[stage]) {
		return 0, false
	}
	return list[stage], true
}

// Check reports a schedule that cannot be followed by a workflow of n stages.
func (s *Schedule) Check(n int) error {
	if s == nil {
		return nil
	}
	for _, list := range []struct {
		name  string
		times []float64
	}{{"launch", s.Launch}, {"prewarm", s.Prewarm}} {
		if list.times != nil && len(list.times) != n {
			return fmt.Errorf("schedule: %d %s times for %d stages", len(list.times), list.name, n)
		}
		for i, t := range list.times {
			if t < 0 || math.IsInf(t, 0) {
				return fmt.Errorf("schedule: stage %d: %s time %v s is not a number of at least 0", i, list.name, t)
			}
		}
	}
	return nil
}
