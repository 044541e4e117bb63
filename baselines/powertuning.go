package baselines

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"eevee/models"
	"eevee/solvers"
)

// PowerTuning is AWS Lambda Power Tuning, the tool that most users reach for:
// it runs every function in all its sizes and picks one by a strategy, function
// by function (algorithms.md 10, from the tool's source):
//
//	cost      the smallest mean cost
//	speed     the smallest mean time
//	balanced  the smallest  w * cost/largest cost + (1 - w) * time/largest time
//
// It knows no workflow and no bound, and says so of every problem unless
// IgnoreBound is set. What it measures are the means over the scenarios. It
// does not decide parallelism.
type PowerTuning struct {
	Strategy PowerStrategy // "" means cost, the tool's default

	// Weight is w of the strategy balanced, the weight of cost from 0 to 1;
	// nil means 0.5, the tool's default.
	Weight *float64

	// IgnoreBound runs it although nothing keeps its answer to the bound.
	IgnoreBound bool

	Parallelism Instances
}

// PowerStrategy is how PowerTuning picks a size.
type PowerStrategy string

// The strategies.
const (
	PowerCost     PowerStrategy = "cost"
	PowerSpeed    PowerStrategy = "speed"
	PowerBalanced PowerStrategy = "balanced"
)

// NewPowerTuning returns Power Tuning with the named options: cost, speed or
// balanced, weight=W, ignore-bound and parallelism=1/8/8/1.
func NewPowerTuning(options ...string) (PowerTuning, error) {
	var t PowerTuning
	if err := readOptions("powertuning", options, t.options()); err != nil {
		return PowerTuning{}, err
	}
	return t, nil
}

func (t *PowerTuning) options() []option {
	weight := option{"weight=0.5", func(value string) error {
		w, err := strconv.ParseFloat(value, 64)
		if err != nil || !(w >= 0 && w <= 1) {
			return fmt.Errorf("%q is not a number from 0 to 1", value)
		}
		t.Weight = &w
		return nil
	}, func() string {
		if t.Weight == nil {
			return ""
		}
		return fmt.Sprintf("weight=%g", *t.Weight)
	}}
	return append(oneOf(&t.Strategy, PowerCost, PowerSpeed, PowerBalanced), weight, toggle("ignore-bound", &t.IgnoreBound), instances(&t.Parallelism))
}

// String returns "powertuning:cost" and the other options, as
// "powertuning:balanced:weight=0.3:ignore-bound".
func (t PowerTuning) String() string {
	t.Strategy = t.strategy()
	return nameWith("powertuning", t.options())
}

func (t PowerTuning) strategy() PowerStrategy {
	if t.Strategy == "" {
		return PowerCost
	}
	return t.Strategy
}

// Supports refuses every problem, as each has a bound, unless IgnoreBound is
// set.
func (t PowerTuning) Supports(p *solvers.Problem) error {
	if err := p.Plain(); err != nil {
		return err
	}
	if !t.IgnoreBound {
		return errors.New("it tunes one function at a time and takes no bound; the option ignore-bound runs it all the same")
	}
	if _, err := t.score(); err != nil {
		return err
	}
	_, err := newSizing(p, t.Parallelism)
	return err
}

// score returns the value of a size in terms of the largest cost and time of
// its function; the smallest one wins.
func (t PowerTuning) score() (func(m, largest measured) float64, error) {
	switch t.strategy() {
	case PowerCost:
		return func(m, _ measured) float64 { return m.cost }, nil
	case PowerSpeed:
		return func(m, _ measured) float64 { return m.latency }, nil
	case PowerBalanced:
		w := 0.5
		if t.Weight != nil {
			w = *t.Weight
		}
		if !(w >= 0 && w <= 1) {
			return nil, fmt.Errorf("the weight of cost is %v and not from 0 to 1", w)
		}
		return func(m, largest measured) float64 {
			return w*m.cost/largest.cost + (1-w)*m.latency/largest.latency
		}, nil
	}
	return nil, fmt.Errorf("strategy %q is none of cost, speed and balanced", t.Strategy)
}

// Solve implements solvers.Method. It draws nothing.
func (t PowerTuning) Solve(ctx context.Context, p *solvers.Problem, _ models.Streams) (solvers.Solution, error) {
	score, err := t.score()
	if err != nil {
		return solvers.Solution{}, err
	}
	s, err := newSizing(p, t.Parallelism)
	if err != nil {
		return solvers.Solution{}, err
	}
	pick := make([]int, len(s.choices))
	for i := range pick {
		if ctx.Err() != nil {
			return interrupted(p), nil
		}
		var largest measured
		for k := range s.choices[i] {
			m := s.at(i, k)
			largest = measured{max(largest.latency, m.latency), max(largest.cost, m.cost)}
		}
		least := math.Inf(1)
		for k := range s.choices[i] {
			if v := score(s.at(i, k), largest); v < least {
				least, pick[i] = v, k
			}
		}
	}
	return boundless(p, s.config(pick))
}
