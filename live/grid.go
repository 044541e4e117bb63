package live

import (
	"fmt"
	"slices"

	"eevee/models"
)

// Limits narrow a space down to what is to be tried. Zero values do not.
type Limits struct {
	MemoryMB    []int // sizes to try; empty: all
	Parallelism []int // empty: all
}

// Cover returns configurations of a space in which every choice of every stage
// occurs at least once, as few as a greedy search finds: a covering array of
// strength one under the rules of the space. Memory and parallelism of
// different stages vary against each other, so that models can tell their
// effects apart. A choice that no configuration can hold, because of the rules
// and what else is tried, is left out; it is an error if nothing remains. The
// same space gives the same configurations.
func Cover(space *models.Space, limits Limits) ([]models.Config, error) {
	w := space.Workflow
	choices := make([][]models.StageConfig, w.Len())
	open := make([][]bool, w.Len()) // choices that no configuration has yet
	for i := range w.Len() {
		for _, c := range space.Choices(i) {
			if (len(limits.MemoryMB) == 0 || slices.Contains(limits.MemoryMB, c.Memory)) &&
				(len(limits.Parallelism) == 0 || !w.Stage(i).Splittable() || slices.Contains(limits.Parallelism, c.Parallelism)) {
				choices[i] = append(choices[i], c)
			}
		}
		if len(choices[i]) == 0 {
			return nil, fmt.Errorf("live: stage %q: the space admits none of the sizes and parallelisms that are to be tried", w.Stage(i).Name)
		}
		open[i] = make([]bool, len(choices[i]))
		for k := range open[i] {
			open[i][k] = true
		}
	}
	var configs []models.Config
	for i := range choices {
		for k := range choices[i] {
			if !open[i][k] {
				continue
			}
			pick := make([]int, w.Len())
			if !complete(space, choices, open, pick, i, k, 0, len(configs)) {
				continue
			}
			c := make(models.Config, len(pick))
			for s, p := range pick {
				c[s], open[s][p] = choices[s][p], false
			}
			configs = append(configs, c)
		}
	}
	if len(configs) == 0 {
		return nil, fmt.Errorf("live: no configuration of the sizes and parallelisms that are to be tried keeps the rules of the space")
	}
	return configs, nil
}

// complete picks choices for all stages from at on, those that are still open
// first, such that stage fixed has choice k and no rule is broken. The others
// begin at a place that shifts with every configuration and stage.
func complete(space *models.Space, choices [][]models.StageConfig, open [][]bool, pick []int, fixed, k, at, shift int) bool {
	if at == len(pick) {
		return true
	}
	n := len(choices[at])
	var order []int
	if at == fixed {
		order = []int{k}
	} else {
		for _, wanted := range []bool{true, false} {
			for j := range n {
				if p := (j + (at+1)*shift) % n; open[at][p] == wanted {
					order = append(order, p)
				}
			}
		}
	}
	for _, p := range order {
		pick[at] = p
		if admits(space, choices, pick, at) && complete(space, choices, open, pick, fixed, k, at+1, shift) {
			return true
		}
	}
	return false
}

// admits reports whether the choice of a stage breaks no rule with those of the
// stages before it.
func admits(space *models.Space, choices [][]models.StageConfig, pick []int, at int) bool {
	for _, r := range space.Rules() {
		if max(r.Stage, r.Of) != at {
			continue
		}
		if !r.Admits(choices[r.Stage][pick[r.Stage]].Parallelism, choices[r.Of][pick[r.Of]].Parallelism) {
			return false
		}
	}
	return true
}
