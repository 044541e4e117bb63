package solvers

import (
	"math"
	"slices"
)

// screen drops the choices that a price rules out one by one: with the choice
// in place of its stage's minimum, more than the allowed number of scenarios
// exceed the limit. What all other stages add is summed up once. It reports how
// many choices were dropped. Stages that read the parallelism of others are
// part of those.
func (s *search) screen(at *node, m int) int {
	p := s.prices[m]
	if s.priced(p) != Cost || s.best == math.Inf(1) {
		return 0
	}
	for i := range at.pick {
		if _, l := s.partOf(at, i); l != nil && len(l.items) == 0 {
			return 0
		}
	}
	cols, from := s.pricedColumns(at, m)
	limit := s.limit + p.multiplier*(s.goal()-from)
	limit += precision * math.Abs(limit)
	rows := s.table.hard
	// before[i] is what the stages before i add, after what those behind do.
	before := make([][]float64, len(cols))
	sum := make([]float64, rows)
	for i, col := range cols {
		before[i] = slices.Clone(sum)
		for k, v := range col {
			sum[k] += v
		}
	}
	after := make([]float64, rows)
	dropped := 0
	for i := len(cols) - 1; i >= 0; i-- {
		if at.pick[i] < 0 && s.table.stages[i].parent < 0 {
			rest := before[i]
			for k, v := range after {
				rest[k] += v
			}
			dropped += s.screenStage(at, i, m, rest, limit)
		}
		for k, v := range cols[i] {
			after[k] += v
		}
	}
	if dropped > 0 {
		clear(s.lists) // they still hold what was dropped
	}
	return dropped
}

// screenStage drops choices of one stage, the others adding rest.
func (s *search) screenStage(at *node, i, m int, rest []float64, limit float64) (dropped int) {
	p := s.prices[m]
	share := 1.0
	if p.flow != nil {
		share = p.flow[i]
	}
	l := s.list(listKey{i, at.lo[i], at.hi[i], 0})
	first := l.items[0].mean
	for _, level := range byParallelism(l.items) {
		if s.done() {
			return dropped
		}
		base := rest
		if under, ok := s.readersUnder(i, level[0].parallelism, m); !ok {
			for _, it := range level {
				s.dead[i][it.choice] = true
				dropped++
			}
			continue
		} else if under != nil {
			base = under
			for k, v := range rest {
				base[k] += v
			}
		}
		for _, it := range level {
			extra := p.multiplier * (it.mean - first)
			over := 0
			for k, v := range s.counted(i, it, share) {
				if !(base[k]+(share*v+extra) <= limit) {
					over++
				}
			}
			if over > s.allowed {
				s.dead[i][it.choice] = true
				dropped++
			}
		}
	}
	return dropped
}
