package models

import (
	"fmt"
	"math/big"
	"slices"
)

// Rule couples the parallelism of two stages:
//
//	parallelism(Stage) <= Times * parallelism(Of)   or, if Equal,
//	parallelism(Stage) == Times * parallelism(Of)
type Rule struct {
	Stage, Of int // positions in the workflow
	Times     int // at least 1
	Equal     bool
}

// Admits reports whether the parallelism d of the rule's stage goes with the
// parallelism of of the stage it is coupled to.
func (r Rule) Admits(d, of int) bool {
	if r.Equal {
		return d == r.Times*of
	}
	return d <= r.Times*of
}

// Space is the set of admissible configurations of a workflow: the choices of
// every stage and the rules that couple stages. It is immutable.
type Space struct {
	Workflow *Workflow
	choices  [][]StageConfig
	rules    []Rule
	at       []map[[2]int]int // per stage: (memory, parallelism) -> choice
}

// NewSpace makes a space of the given choices, one list per stage of w. It
// sorts every list by parallelism and memory.
func NewSpace(w *Workflow, choices [][]StageConfig, rules []Rule) (*Space, error) {
	if len(choices) != w.Len() {
		return nil, fmt.Errorf("space of workflow %s: %d lists of choices for %d stages", w.Name(), len(choices), w.Len())
	}
	s := &Space{Workflow: w, rules: slices.Clone(rules)}
	for i, list := range choices {
		name := w.Stage(i).Name
		if len(list) == 0 {
			return nil, fmt.Errorf("space of workflow %s: stage %q has no admissible choice", w.Name(), name)
		}
		list = slices.Clone(list)
		slices.SortFunc(list, func(a, b StageConfig) int {
			if a.Parallelism != b.Parallelism {
				return a.Parallelism - b.Parallelism
			}
			return a.Memory - b.Memory
		})
		at := make(map[[2]int]int, len(list))
		for k, c := range list {
			switch limit := w.Stage(i).MaxParallelism; {
			case c.Parallelism < 1 || c.Memory < 1 || !(c.VCPU > 0):
				return nil, fmt.Errorf("space of workflow %s: stage %q: choice %v is not a configuration", w.Name(), name, c)
			case limit > 0 && c.Parallelism > limit:
				return nil, fmt.Errorf("space of workflow %s: stage %q: parallelism %d is above its max_parallelism %d", w.Name(), name, c.Parallelism, limit)
			}
			key := [2]int{c.Memory, c.Parallelism}
			if _, twice := at[key]; twice {
				return nil, fmt.Errorf("space of workflow %s: stage %q: choice %v is listed twice", w.Name(), name, c)
			}
			at[key] = k
		}
		s.choices = append(s.choices, list)
		s.at = append(s.at, at)
	}
	for _, r := range rules {
		if r.Stage < 0 || r.Stage >= w.Len() || r.Of < 0 || r.Of >= w.Len() || r.Stage == r.Of || r.Times < 1 {
			return nil, fmt.Errorf("space of workflow %s: rule %+v does not couple two of its stages", w.Name(), r)
		}
	}
	return s, nil
}

// Choices returns the admissible choices of stage i, sorted by parallelism and
// memory. The caller must not change the slice.
func (s *Space) Choices(i int) []StageConfig { return s.choices[i] }

// Rules returns the rules that couple stages. The caller must not change the
// slice.
func (s *Space) Rules() []Rule { return s.rules }

// Config returns the configuration that takes choice pick[i] for stage i.
func (s *Space) Config(pick []int) Config {
	c := make(Config, len(pick))
	for i, k := range pick {
		c[i] = s.choices[i][k]
	}
	return c
}

// Locate returns the choices that c consists of. It reports every stage whose
// configuration is not a choice, and every rule that c breaks.
func (s *Space) Locate(c Config) (pick []int, err error) {
	w := s.Workflow
	if len(c) != w.Len() {
		return nil, fmt.Errorf("workflow %s: a configuration of %d stages for a workflow of %d", w.Name(), len(c), w.Len())
	}
	pick = make([]int, len(c))
	for i, sc := range c {
		k, ok := s.at[i][[2]int{sc.Memory, sc.Parallelism}]
		if !ok {
			return nil, fmt.Errorf("workflow %s: stage %q: the space does not admit %d instances of %d MB", w.Name(), w.Stage(i).Name, sc.Parallelism, sc.Memory)
		}
		pick[i] = k
	}
	for _, r := range s.rules {
		if d, of := c[r.Stage].Parallelism, c[r.Of].Parallelism; !r.Admits(d, of) {
			relation := "at most"
			if r.Equal {
				relation = "exactly"
			}
			return nil, fmt.Errorf("workflow %s: stage %q: parallelism %d, but the space asks for %s %d times that of %q (%d)",
				w.Name(), w.Stage(r.Stage).Name, d, relation, r.Times, w.Stage(r.Of).Name, of)
		}
	}
	return pick, nil
}

// Admits reports whether the configuration of the given choices keeps every
// rule. Unlike Locate it does not say which one it breaks, and costs next to
// nothing: for searches that draw at random.
func (s *Space) Admits(pick []int) bool {
	for _, r := range s.rules {
		if !r.Admits(s.choices[r.Stage][pick[r.Stage]].Parallelism, s.choices[r.Of][pick[r.Of]].Parallelism) {
			return false
		}
	}
	return true
}

// Size returns the number of admissible configurations. It counts by
// eliminating one stage after the other, over parallelism values only: rules
// do not look at memory.
func (s *Space) Size() *big.Int {
	total := big.NewInt(1)
	var links [][2]int
	for _, r := range s.rules {
		links = append(links, [2]int{r.Stage, r.Of})
	}
	for _, group := range connected(s.Workflow.Len(), links) {
		total.Mul(total, s.countGroup(group))
	}
	return total
}

// countGroup counts the admissible combinations of the given coupled stages.
func (s *Space) countGroup(group []int) *big.Int {
	type level struct{ parallelism, choices int }
	levels := make(map[int][]level)
	for _, i := range group {
		for _, c := range s.choices[i] {
			l := levels[i]
			if n := len(l); n > 0 && l[n-1].parallelism == c.Parallelism {
				l[n-1].choices++
			} else {
				levels[i] = append(l, level{c.Parallelism, 1})
			}
		}
	}
	// The count below a partial assignment depends only on the parallelism of
	// assigned stages that still have a rule with an open one; those make the
	// key of the memo.
	d := make(map[int]int, len(group))
	memo := make(map[string]*big.Int)
	var count func(k int) *big.Int
	count = func(k int) *big.Int {
		if k == len(group) {
			return big.NewInt(1)
		}
		key := fmt.Append(nil, k)
		for _, i := range group[:k] {
			if slices.ContainsFunc(s.rules, func(r Rule) bool {
				return r.Stage == i && slices.Contains(group[k:], r.Of) || r.Of == i && slices.Contains(group[k:], r.Stage)
			}) {
				key = fmt.Appendf(key, " %d=%d", i, d[i])
			}
		}
		if n, ok := memo[string(key)]; ok {
			return n
		}
		total := new(big.Int)
		for _, l := range levels[group[k]] {
			d[group[k]] = l.parallelism
			if s.admitsFirst(group[:k+1], d) {
				total.Add(total, new(big.Int).Mul(big.NewInt(int64(l.choices)), count(k+1)))
			}
		}
		delete(d, group[k])
		memo[string(key)] = total
		return total
	}
	return count(0)
}

// admitsFirst reports whether the last stage of the assigned ones breaks no
// rule with the others.
func (s *Space) admitsFirst(assigned []int, d map[int]int) bool {
	last := assigned[len(assigned)-1]
	for _, r := range s.rules {
		if r.Stage != last && r.Of != last || !slices.Contains(assigned, r.Stage) || !slices.Contains(assigned, r.Of) {
			continue
		}
		if !r.Admits(d[r.Stage], d[r.Of]) {
			return false
		}
	}
	return true
}
