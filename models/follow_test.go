package models

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// growing is a stage whose latency in scenario k is base + k, divided by the
// parallelism, and which is billed as long.
type growing struct{ base float64 }

func (g growing) Times(c StageConfig, _ int, latency, billed []float64) {
	for _, out := range [][]float64{latency, billed} {
		for k := range out {
			out[k] = (g.base + float64(k)) / float64(c.Parallelism)
		}
	}
}

func (growing) ReadsInput() bool { return false }

// told is a policy that decides what the test says.
type told func(stage int, p Progress) Decision

func (told) String() string                              { return "told" }
func (t told) Begin() Decider                            { return t }
func (t told) Decide(stage int, p Progress) (d Decision) { return t(stage, p) }

// followedDiamond is a diamond whose upper branch takes 10 s + k and whose lower
// one takes 4 s + k, in two scenarios; a billed second costs 1 USD per GB.
func followedDiamond(t *testing.T) *Scenarios {
	t.Helper()
	w, err := NewWorkflow("diamond", []Stage{
		{Name: "a"}, {Name: "upper", After: []string{"a"}}, {Name: "lower", After: []string{"a"}}, {Name: "last", After: []string{"lower"}}, {Name: "end", After: []string{"upper", "last"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewScenarios(w, PriceBook{USDPerGBSecond: 1}, 2, []StageSample{growing{1}, growing{10}, growing{4}, growing{2}, growing{1}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A policy that takes a configuration as it is has the outcome of that
// configuration, on every bundled workflow.
func TestFollowingAConfiguration(t *testing.T) {
	for _, name := range []string{"ml", "video", "tpcds"} {
		def, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		rows, _, err := BundledTrace(name)
		if err != nil {
			t.Fatal(err)
		}
		profile, err := NewProfile(def, rows)
		if err != nil {
			t.Fatal(err)
		}
		m, err := FitJolteon(profile, JolteonOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Sample(300, MustPrice(def.Price), Streams{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		space := def.Spaces[0].Space
		pick := make([]int, def.Workflow.Len())
		for i := range pick {
			pick[i] = len(space.Choices(i)) / 2
		}
		c := space.Config(pick)
		f, err := s.Follow(context.Background(), told(func(stage int, _ Progress) Decision { return Decision{StageConfig: c[stage]} }))
		if err != nil {
			t.Fatal(err)
		}
		short, err := s.Follow(context.Background(), StaticPolicy{Config: c})
		if err != nil || !reflect.DeepEqual(short.Choices, f.Choices) {
			t.Errorf("%s: a static policy decides %v, one that decides the same online %v (%v)", name, short.Choices, f.Choices, err)
		}
		latency, cost := s.Outcomes(c)
		for k := range latency {
			if short.Latency[k] != latency[k] || short.Cost[k] != cost[k] {
				t.Errorf("%s, scenario %d: a static policy takes %v s and %v USD", name, k, short.Latency[k], short.Cost[k])
			}
			if math.Abs(f.Latency[k]/latency[k]-1) > 1e-12 || math.Abs(f.Cost[k]/cost[k]-1) > 1e-12 {
				t.Errorf("%s, scenario %d: %v s and %v USD, the configuration has %v and %v", name, k, f.Latency[k], f.Cost[k], latency[k], cost[k])
			}
		}
		for i, choices := range f.Choices {
			if len(choices) != 1 || choices[0].StageConfig != c[i] || choices[0].Scenarios != 300 {
				t.Errorf("%s, stage %d: choices %v, want %v", name, i, choices, c[i])
			}
		}
	}
}

// A decider is told what has happened by the time a stage is ready, and nothing
// more; its decisions take their time and money and change what comes after.
func TestFollowingDecisions(t *testing.T) {
	s := followedDiamond(t)
	var now [][]float64 // per scenario: when every stage was decided
	var order []int
	f, err := s.Follow(context.Background(), told(func(stage int, p Progress) Decision {
		if stage == 0 {
			now = append(now, make([]float64, 5))
		}
		order = append(order, stage)
		now[len(now)-1][stage] = p.Now
		for i, end := range p.End {
			if ended := !math.IsNaN(end); ended && end > p.Now {
				t.Errorf("at %v s the decider is told that stage %d ends at %v s", p.Now, i, end)
			}
		}
		// The upper branch runs on when last is ready.
		if stage == 3 && (!math.IsNaN(p.End[1]) || p.Config[1].Parallelism != 1 || p.End[2] != p.Now || p.Config[4].Parallelism != 0) {
			t.Errorf("before last: %+v", p)
		}
		d := Decision{StageConfig: StageConfig{Memory: 1024, VCPU: 1, Parallelism: 1}}
		switch stage {
		case 3:
			d.Cost = DecisionCost{Latency: 0.5, USD: 100}
		case 4:
			// In the first scenario only there is time to use one instance.
			d.Launch = 14
			if p.Now > 12 {
				d.Parallelism = 2
			}
		}
		return d
	}))
	if err != nil {
		t.Fatal(err)
	}
	// Scenario 0: a 0-1, upper 1-11, lower 1-5, last 5.5-7.5, end from 11,
	// launched at 14, to 15. Scenario 1: a 0-2, upper 2-13, lower 2-7, last
	// 7.5-10.5, end from 13, launched at 14, by two instances to 15.
	if want := []float64{15, 15}; !slices.Equal(f.Latency, want) {
		t.Errorf("latency %v, want %v", f.Latency, want)
	}
	if want := []float64{1 + 10 + 4 + 2 + 1 + 100, 2 + 11 + 5 + 3 + 2 + 100}; !slices.Equal(f.Cost, want) {
		t.Errorf("cost %v, want %v", f.Cost, want)
	}
	if want := []int{0, 1, 2, 3, 4, 0, 1, 2, 3, 4}; !slices.Equal(order, want) {
		t.Errorf("decided in the order %v, want %v", order, want)
	}
	if want := [][]float64{{0, 1, 1, 5, 11}, {0, 2, 2, 7, 13}}; !slices.EqualFunc(now, want, slices.Equal) {
		t.Errorf("decided at %v, want %v", now, want)
	}
	if got := f.Choices[4]; len(got) != 2 || got[0].Scenarios != 1 || got[1].Scenarios != 1 || got[0].Parallelism != 1 || got[1].Parallelism != 2 {
		t.Errorf("choices of the last stage %v", got)
	}
}

func TestFollowingFails(t *testing.T) {
	s := followedDiamond(t)
	fine := Decision{StageConfig: StageConfig{Memory: 1024, VCPU: 1, Parallelism: 1}}
	for _, c := range []struct {
		decision Decision
		want     string
	}{
		{Decision{StageConfig: StageConfig{Memory: 1024, VCPU: 1}}, `policy told: scenario 0: stage "a" cannot run as 0x1024MB`},
		{Decision{StageConfig: fine.StageConfig, Cost: DecisionCost{Latency: -1}}, "policy told: scenario 0: decision cost"},
		{Decision{StageConfig: fine.StageConfig, Launch: math.NaN()}, "policy told: scenario 0: decision: launch time"},
	} {
		_, err := s.Follow(context.Background(), told(func(int, Progress) Decision { return c.decision }))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.decision, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Follow(ctx, told(func(int, Progress) Decision { return fine })); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
