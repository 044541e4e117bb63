package baselines

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// String writes a series as "0 (1|2 3) 4".
func (s *janusSeries) String() string {
	var parts []string
	for _, e := range s.elements {
		if e.stage >= 0 {
			parts = append(parts, fmt.Sprint(e.stage))
			continue
		}
		var branches []string
		for _, b := range e.branches {
			branches = append(branches, b.String())
		}
		parts = append(parts, "("+strings.Join(branches, "|")+")")
	}
	return strings.Join(parts, " ")
}

func TestJanusParts(t *testing.T) {
	for want, after := range map[string][][]int{
		"0":                        {nil},
		"0 1 2 3":                  {nil, {0}, {0, 1}, {0, 2}}, // ml
		"(0|1)":                    {nil, nil},
		"0 (1|2) 3":                {nil, {0}, {0}, {1, 2}},
		"((0 1|2|3) 4|5) 6 7":      {nil, {0}, nil, nil, {2, 3, 1}, nil, {4, 5}, {6}}, // tpcds
		"(0|1) (2|3)":              {nil, nil, {0, 1}, {0, 1}},
		"0 (1|2 (3|4) 5) 6":        {nil, {0}, {0}, {2}, {2}, {3, 4}, {1, 5}},
		"error: janus: stages [\"": {nil, nil, {0, 1}, {1}}, // the N
	} {
		got, err := janusParts(GraphOf(t, after...))
		if text, fails := strings.CutPrefix(want, "error: "); fails {
			if err == nil || !strings.HasPrefix(err.Error(), text) {
				t.Errorf("%v: parts %v, error %v, want %q", after, got, err, text)
			}
		} else if err != nil || got.String() != want {
			t.Errorf("%v: parts %v, error %v, want %s", after, got, err, want)
		}
	}
}

// drawOptions draws sizes whose times fall with CPU.
func drawOptions(t *rapid.T) (options []janusOption) {
	worst, cpu := rapid.IntRange(1, 12).Draw(t, "worst"), 0.0
	for range rapid.IntRange(1, 4).Draw(t, "sizes") {
		cpu += float64(rapid.IntRange(1, 4).Draw(t, "cpu"))
		o := janusOption{cpu: cpu, worst: worst}
		for range rapid.IntRange(0, 2).Draw(t, "percentiles") {
			o.early = append(o.early, rapid.IntRange(0, worst).Draw(t, "early"))
		}
		o.early = append(o.early, worst)
		options = append(options, o)
		worst = max(1, worst-rapid.IntRange(0, 4).Draw(t, "faster"))
	}
	return options
}

// The condensed tables give, for every budget, what the definition gives that
// goes through all sizes and percentiles of the head and all sizes of the rest.
// With more budget the plan never takes more CPU.
func TestJanusTablesAreTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "functions")
		options := make([][]janusOption, n)
		for e := range options {
			options[e] = drawOptions(t)
		}
		cells := rapid.IntRange(0, 50).Draw(t, "cells")
		weight := float64(rapid.IntRange(1, 3).Draw(t, "weight"))
		h := synthesise(options, cells, weight)
		for e := range options {
			// The rest at the worst percentile: sums of time and CPU.
			type plan struct {
				time int
				cpu  float64
			}
			rest, fastest := []plan{{}}, 0
			for _, later := range options[e+1:] {
				var longer []plan
				quickest := math.MaxInt
				for _, o := range later {
					quickest = min(quickest, o.worst)
					for _, p := range rest {
						longer = append(longer, plan{p.time + o.worst, p.cpu + o.cpu})
					}
				}
				rest, fastest = longer, fastest+quickest
			}
			before := math.Inf(1)
			for budget := range cells + 1 {
				best := math.Inf(1)
				perOption := make([]float64, len(options[e]))
				for k, o := range options[e] {
					perOption[k] = math.Inf(1)
					for _, planned := range o.early {
						timeout := o.worst - planned
						for _, p := range rest {
							resilience := p.time - fastest
							if timeout <= resilience && planned+p.time <= budget {
								perOption[k] = min(perOption[k], weight*o.cpu+p.cpu)
							}
						}
					}
					best = min(best, perOption[k])
				}
				got := h.tables[e].lookup(budget)
				switch {
				case math.IsInf(best, 1) && got != -1:
					t.Fatalf("function %d, budget %d: the table says size %d, nothing fits", e, budget, got)
				case !math.IsInf(best, 1) && (got < 0 || perOption[got] != best):
					t.Fatalf("function %d, budget %d: the table says size %d, the sizes take %v", e, budget, got, perOption)
				case h.total[e][budget] != best:
					t.Fatalf("function %d, budget %d: plan of %v vCPU, want %v", e, budget, h.total[e][budget], best)
				case best > before:
					t.Fatalf("function %d: %v vCPU with budget %d, %v with less", e, best, budget, before)
				}
				before = best
			}
			if got := h.tables[e].lookup(-1); got != -1 {
				t.Fatalf("no time is left, and the table says size %d", got)
			}
			if slices.ContainsFunc(h.tables[e].option, func(k int) bool { return k < 0 }) || !slices.IsSorted(h.tables[e].starts) {
				t.Fatalf("table %+v", h.tables[e])
			}
		}
	})
}
