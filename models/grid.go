package models

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Range is the numbers From, From+Step, ... up to To. The zero value is no range.
type Range struct{ From, To, Step int }

// ParseRange reads a range as "128..10240/64"; without the step it is 1, and a
// number stands for itself.
func ParseRange(s string) (Range, error) {
	bounds, step, stepped := strings.Cut(s, "/")
	from, to, ok := strings.Cut(bounds, "..")
	if !ok {
		to = from
	}
	r := Range{Step: 1}
	var errs [3]error
	r.From, errs[0] = strconv.Atoi(from)
	r.To, errs[1] = strconv.Atoi(to)
	if stepped {
		r.Step, errs[2] = strconv.Atoi(step)
	}
	for _, err := range errs {
		if err != nil {
			return Range{}, fmt.Errorf("%q is not a range as 128..10240/64", s)
		}
	}
	if r.From < 1 || r.To < r.From || r.Step < 1 {
		return Range{}, fmt.Errorf("%q is not a range of numbers from 1 on, rising by a step of at least 1", s)
	}
	return r, nil
}

// Values returns the numbers of the range, ascending.
func (r Range) Values() []int {
	if r.Step < 1 {
		return nil
	}
	var list []int
	for v := r.From; v <= r.To; v += r.Step {
		list = append(list, v)
	}
	return list
}

// mostChoices is how many choices a grid may give a stage: a little more than
// every MB and up to 100 instances.
const mostChoices = 2_000_000

// count returns how many numbers the range has, 1 where it is zero.
func (r Range) count() float64 {
	if r.Step < 1 {
		return 1
	}
	return float64((r.To-r.From)/r.Step) + 1
}

// String returns the range as ParseRange reads it.
func (r Range) String() string {
	if r.Step == 1 {
		return fmt.Sprintf("%d..%d", r.From, r.To)
	}
	return fmt.Sprintf("%d..%d/%d", r.From, r.To, r.Step)
}

// MarshalText returns the range as String does.
func (r Range) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the range as ParseRange does.
func (r *Range) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRange(string(text))
	return err
}

// Grid returns the space of every size in a range of memory (MB) with every
// number of instances in a range of parallelism, for all stages, with the rules
// of another space. A stage keeps its max_parallelism. Where a range is zero, a
// stage has the values that it has in the other space.
func (d *Definition) Grid(of *Space, memory, parallelism Range) (*Space, error) {
	if n := memory.count() * parallelism.count(); n > mostChoices {
		return nil, fmt.Errorf("workflow %s: the ranges give a stage %.3g sizes and numbers of instances, at most %d are searched; take larger steps",
			d.Workflow.Name(), n, mostChoices)
	}
	choices := make([][]StageConfig, len(of.choices))
	for i := range choices {
		sizes, numbers := memory.Values(), parallelism.Values()
		for _, c := range of.choices[i] {
			if memory == (Range{}) {
				sizes = append(sizes, c.Memory)
			}
			if parallelism == (Range{}) {
				numbers = append(numbers, c.Parallelism)
			}
		}
		limit := d.Workflow.Stage(i).MaxParallelism
		for _, n := range ascending(numbers) {
			if limit > 0 && n > limit {
				break
			}
			for _, m := range ascending(sizes) {
				choices[i] = append(choices[i], d.StageConfig(m, n))
			}
		}
		if len(choices[i]) == 0 {
			return nil, fmt.Errorf("workflow %s: stage %q has at most %d instances, which the range %v leaves out",
				d.Workflow.Name(), d.Workflow.Stage(i).Name, limit, parallelism)
		}
	}
	return NewSpace(d.Workflow, choices, of.rules)
}

// ascending returns the distinct values in order.
func ascending(values []int) []int {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}
