package baselines

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"eevee/models"
	"eevee/solvers"
)

// targets returns the parallelism that every stage should have.
func (o Orion) targets(p *solvers.Problem) ([]float64, error) {
	w := p.Workflow()
	if p.InputBytes != nil && len(p.InputBytes) != w.Len() {
		return nil, fmt.Errorf("%d input sizes for workflow %s of %d stages", len(p.InputBytes), w.Name(), w.Len())
	}
	middle := make([]int, w.Len())
	for i := range middle {
		admitted := parallelisms(p.Space.Choices(i))
		known := slices.DeleteFunc(slices.Clone(admitted), func(d int) bool { return !recorded(p.Profile, i, d) })
		if len(known) == 0 {
			known = admitted
		}
		middle[i] = known[(len(known)-1)/2]
	}
	chosen := middle
	switch {
	case o.Parallelism != nil:
		chosen = o.Parallelism
	case p.InputBytes != nil:
		sizes := slices.Clone(p.InputBytes)
		total := 0
		for i, d := range middle {
			if w.Stage(i).Splittable() {
				total += d
			} else {
				sizes[i] = 0
			}
		}
		if o.Instances > 0 {
			total = o.Instances
		}
		chosen = bySize(sizes, total)
	}
	list := make([]float64, len(chosen))
	for i, d := range chosen {
		list[i] = float64(d)
	}
	return list, nil
}

// parallelism returns the admissible parallelism nearest to the targets, by
// the sum over stages of |log(parallelism / target)|.
func (o Orion) parallelism(p *solvers.Problem) ([]int, error) {
	targets, err := o.targets(p)
	if err != nil {
		return nil, err
	}
	distance := func(i, j, _ int) float64 {
		return math.Abs(math.Log(float64(p.Space.Choices(i)[j].Parallelism) / targets[i]))
	}
	pick, total := p.Space.Separable(func(int) bool { return false }, distance)
	if math.IsInf(total, 1) {
		return nil, errors.New("the coupling rules of the space admit no parallelism")
	}
	d := make([]int, len(pick))
	for i, j := range pick {
		d[i] = p.Space.Choices(i)[j].Parallelism
		if o.Parallelism != nil && d[i] != o.Parallelism[i] {
			return nil, fmt.Errorf("the space does not admit parallelism %v; the nearest it does differs in stage %q, %d",
				o.Parallelism, p.Workflow().Stage(i).Name, d[i])
		}
	}
	return d, nil
}

// parallelisms returns the distinct parallelism values of choices, ascending.
func parallelisms(choices []models.StageConfig) []int {
	var list []int
	for _, c := range choices {
		list = append(list, c.Parallelism)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// recorded reports whether the profile has a warm run of stage i with some
// parallelism.
func recorded(p *models.Profile, i, parallelism int) bool {
	return slices.ContainsFunc(p.Warm(i), func(o models.Observation) bool { return o.Config.Parallelism == parallelism })
}
