package baselines

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"eevee/models"
	"eevee/solvers"
)

// Instances is the parallelism of every stage, for systems that choose sizes
// only. nil: the middle one of the values that the space admits for the stage;
// where coupling rules stand against that, the nearest values they admit.
type Instances []int

// sizing is what remains of a problem for a system that chooses sizes: the
// sizes of every stage at its parallelism, ascending, and what a function does
// in each, as far as the system has measured it.
type sizing struct {
	problem *solvers.Problem
	in      []int // per stage: parallelism of its input parent, 0 where it has none
	choices [][]models.StageConfig
	known   [][]measured
}

// measured is a stage in one size: means over the scenarios.
type measured struct {
	latency float64 // s; 0: not measured yet
	cost    float64 // USD
}

func newSizing(p *solvers.Problem, given Instances) (*sizing, error) {
	w := p.Workflow()
	if given != nil && len(given) != w.Len() {
		return nil, fmt.Errorf("%d values of parallelism for workflow %s of %d stages", len(given), w.Name(), w.Len())
	}
	distance := func(i, j, _ int) float64 {
		d := p.Space.Choices(i)[j].Parallelism
		if given == nil {
			return math.Abs(math.Log(float64(d) / float64(middle(p.Space.Choices(i)))))
		}
		if d != given[i] {
			return math.Inf(1)
		}
		return 0
	}
	pick, total := p.Space.Separable(func(int) bool { return false }, distance)
	if math.IsInf(total, 1) {
		if given != nil {
			return nil, fmt.Errorf("the space does not admit the parallelism %v", []int(given))
		}
		return nil, errors.New("the coupling rules of the space admit no configuration")
	}
	s := &sizing{problem: p}
	c := p.Space.Config(pick)
	for i := range c {
		own := slices.DeleteFunc(slices.Clone(p.Space.Choices(i)), func(o models.StageConfig) bool { return o.Parallelism != c[i].Parallelism })
		s.choices = append(s.choices, own) // ascending by memory, as the space has them
		s.known = append(s.known, make([]measured, len(own)))
		s.in = append(s.in, w.InputParallelism(c, i))
	}
	return s, nil
}

// middle returns the middle one of the parallelism values of choices.
func middle(choices []models.StageConfig) int {
	var list []int
	for _, c := range choices {
		list = append(list, c.Parallelism)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	return list[(len(list)-1)/2]
}

// at measures stage i in its k-th size, once.
func (s *sizing) at(i, k int) measured {
	if m := s.known[i][k]; m.latency > 0 {
		return m
	}
	n := s.problem.Scenarios.Len()
	latency, cost := make([]float64, n), make([]float64, n)
	s.problem.Scenarios.Columns(i, s.choices[i][k], s.in[i], latency, cost)
	var m measured
	for j := range latency {
		m.latency += latency[j] / float64(n)
		m.cost += cost[j] / float64(n)
	}
	s.known[i][k] = m
	return m
}

// best returns for every stage the size with the smallest value, the smaller
// one of two that are equal.
func (s *sizing) best(value func(m measured) float64) []int {
	pick := make([]int, len(s.choices))
	for i := range pick {
		least := math.Inf(1)
		for k := range s.choices[i] {
			if v := value(s.at(i, k)); v < least {
				least, pick[i] = v, k
			}
		}
	}
	return pick
}

// config returns the configuration of the given sizes.
func (s *sizing) config(pick []int) models.Config {
	c := make(models.Config, len(pick))
	for i, k := range pick {
		c[i] = s.choices[i][k]
	}
	return c
}

// latencies returns the mean latency of every stage in the given sizes, s.
func (s *sizing) latencies(pick []int) []float64 {
	list := make([]float64, len(pick))
	for i, k := range pick {
		list[i] = s.at(i, k).latency
	}
	return list
}

// critical returns the stages of the longest path by mean latency, in the
// order of the workflow.
func (s *sizing) critical(pick []int) []int {
	w := s.problem.Workflow()
	end := make([]float64, len(pick))
	from := make([]int, len(pick))
	last := -1
	for i, l := range s.latencies(pick) {
		from[i] = -1
		start := 0.0
		for _, parent := range w.Parents(i) {
			if from[i] < 0 || end[parent] > start {
				from[i], start = parent, end[parent]
			}
		}
		end[i] = start + l
		if len(w.Children(i)) == 0 && (last < 0 || end[i] > end[last]) {
			last = i
		}
	}
	var path []int
	for i := last; i >= 0; i = from[i] {
		path = append(path, i)
	}
	slices.Reverse(path)
	return path
}

// onLatency refuses bounds on cost, for systems that know none.
func onLatency(system string, p *solvers.Problem) error {
	if p.Bound.Metric != solvers.Latency {
		return fmt.Errorf("the bound is on %s, and %s keeps bounds on latency only", p.Bound.Metric, system)
	}
	return nil
}
