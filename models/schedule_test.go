package models

import (
	"math"
	"strings"
	"testing"
)

func TestScheduleLeavesTimesToThePlatform(t *testing.T) {
	s := &Schedule{Launch: []float64{0, math.NaN(), 7.5}}
	for stage, want := range []float64{0, -1, 7.5} {
		got, ok := s.LaunchAt(stage)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("stage %d is launched at %v, %v, want %v", stage, got, ok, want)
		}
		if at, ok := s.PrewarmAt(stage); ok {
			t.Errorf("stage %d is pre-warmed at %v without a list", stage, at)
		}
	}
	if _, ok := (*Schedule)(nil).LaunchAt(2); ok {
		t.Error("no schedule has a launch time")
	}
}

func TestScheduleCheck(t *testing.T) {
	nan := math.NaN()
	for want, s := range map[string]*Schedule{
		"":                               nil,
		"2 launch times for 3 stages":    {Launch: []float64{1, 2}},
		"stage 1: prewarm time -1 s":     {Prewarm: []float64{nan, -1, 2}},
		"stage 2: launch time +Inf s is": {Launch: []float64{nan, nan, math.Inf(1)}},
	} {
		if err := s.Check(3); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", s, err, want)
		}
	}
}

func TestDecisionCheck(t *testing.T) {
	for want, d := range map[string]Decision{
		"":                        {Launch: 3, Prewarm: []Prewarm{{Stage: 1, At: 2}}},
		"latency -1 s":            {Cost: DecisionCost{Latency: -1}},
		"launch time NaN s":       {Launch: math.NaN()},
		"pre-warming of stage 2 ": {Prewarm: []Prewarm{{Stage: 2}}},
		"pre-warming at -1 s":     {Prewarm: []Prewarm{{Stage: 0, At: -1}}},
	} {
		if err := d.Check(2); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", d, err, want)
		}
	}
}
