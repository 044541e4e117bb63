package solvers

import (
	"cmp"
	"context"
	"math"
	"slices"

	"eevee/models"
)

// zoom solves problems with more choices than there is room for columns of. It
// looks at a coarse selection of them, then at finer ones around the best
// configuration found, and then drops every choice of the whole space that the
// price of the last one rules out; see screening. What is left is searched as
// any other space, and the answer is as good as that of a search of the whole:
// whatever was dropped is in no configuration that is better than the one found.
type zoom struct {
	ctx     context.Context
	problem *Problem
	allowed int

	best   models.Config // nil: none was found
	value  float64       // its objective
	near   models.Config // what to look around: the best, else the closest miss
	states int
	search *search // the last one that found something
}

// Tests make these smaller, so that small spaces are zoomed into.
var (
	fine       = 4096 // how many columns a space has at most that is not
	zoomLevels = 8    // how many parallelism values of a stage are looked at at a time, at least 2
	zoomSizes  = 10   // and how many sizes under each
)

// zoomFactors are how far from the best configuration found each selection
// goes, as a factor of parallelism and memory.
var zoomFactors = []float64{math.Inf(1), 4, 2, 1.4, 1.15}

// numbers returns how many columns a problem has.
func numbers(p *Problem) int {
	count := 0
	w := p.Workflow()
	for i := range w.Len() {
		inputs := 1
		if parent := w.InputParent(i); parent >= 0 && p.Scenarios.ReadsInput(i) {
			inputs = len(parallelisms(p.Space.Choices(parent)))
		}
		count += inputs * len(p.Space.Choices(i))
	}
	return count
}

func (z *zoom) solve() (Solution, error) {
	p := z.problem
	for _, factor := range zoomFactors {
		part, err := z.part(func(i int) []models.StageConfig { return z.around(i, factor) })
		if err != nil {
			return Solution{}, err
		}
		if part.Space.Size().Sign() == 0 || z.ctx.Err() != nil {
			break
		}
		z.look(part)
	}
	if z.best == nil && z.ctx.Err() != nil {
		return Solution{
			Status: LimitHit, Objective: math.NaN(), LowerBound: math.Inf(-1), States: z.states,
			Reachable: math.NaN(), Enforced: p.Bound.Limit,
		}, nil
	}
	if z.best == nil {
		// Nothing to rule choices out with.
		return solveWhole(z.ctx, p, z.allowed), nil
	}
	sc := newScreening(z)
	kept, floor := sc.run()
	if kept == nil { // cut short
		return Solution{
			Status: LimitHit, Config: z.best, Objective: z.value, LowerBound: floor, States: z.states,
			Reachable: math.NaN(), Enforced: p.Bound.Limit,
		}, nil
	}
	z.search = nil // its columns are in the way
	part, err := z.part(func(i int) []models.StageConfig { return kept[i] })
	if err != nil {
		return Solution{}, err
	}
	s := solveWhole(z.ctx, part, z.allowed)
	s.States += z.states
	if s.Config == nil || !(s.Objective <= z.value) {
		s.Config, s.Objective = z.best, z.value
	}
	s.LowerBound = max(floor, min(s.LowerBound, z.value))
	return s, nil
}

// part returns the problem with some of the choices of every stage.
func (z *zoom) part(choices func(i int) []models.StageConfig) (*Problem, error) {
	p := z.problem
	lists := make([][]models.StageConfig, p.Workflow().Len())
	for i := range lists {
		lists[i] = choices(i)
	}
	space, err := models.NewSpace(p.Workflow(), lists, p.Space.Rules())
	if err != nil {
		return nil, err
	}
	return NewProblem(space, p.Scenarios, p.Bound)
}

// look searches a part, and keeps what it finds if that is better.
func (z *zoom) look(part *Problem) {
	s := newSearch(z.ctx, part, z.allowed, part.Bound.Limit)
	s.show = nil
	s.patience = zoomNodes
	s.start()
	s.run()
	z.states += s.nodes
	if s.incumbent == nil && z.best == nil {
		r := newSearch(z.ctx, part, z.allowed, math.Inf(1))
		r.reach, r.patience = true, zoomNodes
		r.start()
		r.run()
		z.states += r.nodes
		if r.incumbent != nil {
			z.near = part.Space.Config(r.incumbent)
		}
		return
	}
	if s.incumbent == nil || z.best != nil && s.best > z.value {
		return
	}
	z.best, z.value = part.Space.Config(s.incumbent), s.best
	z.near = z.best
	if z.search == nil || s.mixture != nil {
		z.search = s
	}
	if show := progressOf(z.ctx); show != nil {
		show(Progress{Objective: z.value, LowerBound: math.Inf(-1), Nodes: z.states})
	}
}

// zoomNodes is after how many nodes the search of a selection ends: it need not
// be proved.
const zoomNodes = 2000

// around selects choices of stage i: that of the configuration to look around, and
// others up to a factor from it, about equally far apart on a logarithmic scale.
// Without a configuration the whole range is selected from.
func (z *zoom) around(i int, factor float64) []models.StageConfig {
	all := z.problem.Space.Choices(i)
	byLevel := make(map[int][]models.StageConfig)
	for _, c := range all {
		byLevel[c.Parallelism] = append(byLevel[c.Parallelism], c)
	}
	near := func(values []int, at int, most int) []int {
		if z.near == nil || math.IsInf(factor, 1) {
			return spaced(values, most)
		}
		from := slices.DeleteFunc(slices.Clone(values), func(v int) bool {
			return float64(v) > factor*float64(at) || float64(v)*factor < float64(at)
		})
		return slices.Compact(slices.Sorted(slices.Values(append(spaced(from, most), nearest(values, at)))))
	}
	at := models.StageConfig{}
	if z.near != nil {
		at = z.near[i]
	}
	var list []models.StageConfig
	for _, d := range near(parallelisms(all), at.Parallelism, zoomLevels) {
		var sizes []int
		for _, c := range byLevel[d] {
			sizes = append(sizes, c.Memory)
		}
		wanted := near(sizes, at.Memory, zoomSizes)
		for _, c := range byLevel[d] {
			if slices.Contains(wanted, c.Memory) {
				list = append(list, c)
			}
		}
	}
	return list
}

// spaced selects at most so many of ascending values, with the first and the
// last, about equally far apart on a logarithmic scale.
func spaced(values []int, most int) []int {
	if len(values) <= most {
		return slices.Clone(values)
	}
	first, last := float64(values[0]), float64(values[len(values)-1])
	var list []int
	for k := range most {
		want := first * math.Pow(last/first, float64(k)/float64(most-1))
		list = append(list, nearest(values, int(math.Round(want))))
	}
	return slices.Compact(list)
}

// nearest returns the value next to at.
func nearest(values []int, at int) int {
	return slices.MinFunc(values, func(a, b int) int { return cmp.Compare(max(a-at, at-a), max(b-at, at-b)) })
}
